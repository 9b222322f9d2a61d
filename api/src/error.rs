//! How a domain error looks outside: what the caller can mend becomes `userErrors`, everything else a
//! GraphQL error with `extensions.code`. The inside never leaks: the log and Sentry get it, the caller a
//! reference.

use async_graphql::{Enum, ErrorExtensions, SimpleObject};
use domain::{Code, Error, Problem};

/// What a person can do about a user error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Code")]
pub enum UserErrorCode {
    /// A value is missing.
    Required,
    /// A value makes no sense; the message says what is expected.
    Invalid,
    /// The text is not an id, or an id of another kind.
    InvalidId,
    /// The value is shorter than allowed.
    TooShort,
    /// The value is longer than allowed.
    TooLong,
    /// The number is outside its limits.
    OutOfRange,
    /// Somebody has it already.
    Taken,
    /// It is not there, or it is not yours: both look the same.
    NotFound,
    /// Your role does not allow it.
    Forbidden,
    /// The thing is in a state that does not allow it; the message names from and to.
    IllegalState,
    /// The idempotency key was used with other input.
    Conflict,
    /// There are as many as there may be.
    LimitReached,
    /// Its time is over.
    Expired,
    /// Something has to be proven first, such as your e-mail address.
    Unverified,
    /// This deployment has no such service.
    NotConfigured,
}

/// Something that the caller can mend. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub struct UserError {
    /// The input field it is about, as a path below `input`; null when it is about the whole.
    pub field: Option<Vec<String>>,
    /// What sort of problem, stable.
    pub code: UserErrorCode,
    /// What to do about it, for people.
    pub message: String,
}

impl From<Problem> for UserError {
    fn from(problem: Problem) -> Self {
        Self {
            field: (!problem.field.is_empty()).then_some(problem.field),
            code: problem.code.into(),
            message: problem.message,
        }
    }
}

/// The two halves of a mutation's answer: the thing, or what the caller can mend. Faults stay errors.
pub fn answer<T>(result: domain::Result<T>) -> async_graphql::Result<(Option<T>, Vec<UserError>)> {
    match result {
        Ok(thing) => Ok((Some(thing), Vec::new())),
        Err(Error::Rejected { problems }) => Ok((None, problems.into_iter().map(UserError::from).collect())),
        Err(error) => Err(fault(error)),
    }
}

/// A single thing that was asked for by id: null when it is not there, not the caller's, or no such id.
pub fn found<T>(result: domain::Result<T>) -> async_graphql::Result<Option<T>> {
    match result {
        Ok(thing) => Ok(Some(thing)),
        Err(Error::Rejected { problems }) if problems.iter().all(|p| p.code == Code::NotFound) => Ok(None),
        Err(error) => Err(fault(error)),
    }
}

/// The GraphQL error of a query that failed. An internal one carries a reference, which the log and
/// Sentry carry too.
pub fn fault(error: Error) -> async_graphql::Error {
    let code = error.code();
    match error {
        Error::Rejected { .. } | Error::Unauthenticated => {
            async_graphql::Error::new(error.to_string()).extend_with(|_, e| e.set("code", code))
        }
        Error::Database(_) | Error::Port(_) | Error::Bug(_) => {
            let reference = report(&error);
            async_graphql::Error::new(format!(
                "Something went wrong on our side. Quote the reference {reference} if you write to support."
            ))
            .extend_with(|_, e| {
                e.set("code", code);
                e.set("reference", reference.as_str());
            })
        }
    }
}

/// Puts an internal error into the log and Sentry under a new reference.
pub fn report(error: &(dyn std::error::Error + 'static)) -> String {
    let reference = domain::clock::random_bytes::<6>().map(hex::encode).unwrap_or_else(|_| "none".to_owned());
    tracing::error!(%reference, error = %error, "internal error");
    sentry::with_scope(|scope| scope.set_tag("reference", &reference), || sentry::capture_error(error));
    reference
}
