//! The one error type: what a person can mend, and what only we can.

use entities::{InvalidId, MoneyError};
use sea_orm::{DbErr, SqlErr};

use crate::ports::PortError;

/// A result of the domain.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a person can do about a problem, as a stable code. Published as `UserErrorCode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// A value is missing.
    Required,
    /// A value makes no sense.
    Invalid,
    /// Not an id, or of another kind.
    InvalidId,
    /// Shorter than allowed.
    TooShort,
    /// Longer than allowed.
    TooLong,
    /// A number outside its limits.
    OutOfRange,
    /// Somebody has it already.
    Taken,
    /// Not there, or not yours: both look the same.
    NotFound,
    /// The role for it is missing.
    Forbidden,
    /// The thing is in a state that does not allow it; the message names from and to.
    IllegalState,
    /// The idempotency key was used for other input.
    Conflict,
    /// There are as many as there may be.
    LimitReached,
    /// Its time is over.
    Expired,
    /// Something has to be proven first.
    Unverified,
    /// This deployment has no such service.
    NotConfigured,
}

impl Code {
    /// The published spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "REQUIRED",
            Self::Invalid => "INVALID",
            Self::InvalidId => "INVALID_ID",
            Self::TooShort => "TOO_SHORT",
            Self::TooLong => "TOO_LONG",
            Self::OutOfRange => "OUT_OF_RANGE",
            Self::Taken => "TAKEN",
            Self::NotFound => "NOT_FOUND",
            Self::Forbidden => "FORBIDDEN",
            Self::IllegalState => "ILLEGAL_STATE",
            Self::Conflict => "CONFLICT",
            Self::LimitReached => "LIMIT_REACHED",
            Self::Expired => "EXPIRED",
            Self::Unverified => "UNVERIFIED",
            Self::NotConfigured => "NOT_CONFIGURED",
        }
    }
}

/// One thing that a person can mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The input field, as a path in the input (`milestones.0.amount`); empty when it is about the whole.
    pub field: Vec<String>,
    /// What sort of problem.
    pub code: Code,
    /// What to do about it, for people.
    pub message: String,
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller can mend it; nothing was changed.
    #[error("{}", problems.iter().map(|p| p.message.as_str()).collect::<Vec<_>>().join("; "))]
    Rejected {
        /// Everything that is wrong, never empty.
        problems: Vec<Problem>,
    },
    /// Nobody is signed in.
    #[error("Sign in first: send \"Authorization: Bearer <access token>\"")]
    Unauthenticated,
    /// The database failed.
    #[error("database: {0}")]
    Database(#[from] DbErr),
    /// The outside failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// We were wrong: an invariant does not hold.
    #[error("bug: {0}")]
    Bug(String),
}

impl Error {
    /// The stable code of the first problem, or of the failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rejected { problems } => problems.first().map_or("INVALID", |p| p.code.as_str()),
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Database(_) | Self::Port(_) | Self::Bug(_) => "INTERNAL",
        }
    }

    /// One problem with one field; an empty `field` means the whole.
    pub fn rejected(field: &str, code: Code, message: impl Into<String>) -> Self {
        Self::Rejected { problems: vec![Problem::new(field, code, message)] }
    }

    /// Not there or not yours.
    pub fn not_found(field: &str, thing: &str) -> Self {
        Self::rejected(field, Code::NotFound, format!("There is no such {thing}, or it is not yours."))
    }

    /// A step that the state does not allow.
    pub fn illegal(field: &str, thing: &str, from: &str, to: &str) -> Self {
        Self::rejected(
            field,
            Code::IllegalState,
            format!("The {thing} is {from}; it cannot become {to} from there."),
        )
    }

    /// An invariant does not hold.
    pub fn bug(what: impl Into<String>) -> Self {
        Self::Bug(what.into())
    }

    /// Whether trying the same again may help: for jobs.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Database(_) => true,
            Self::Port(error) => error.is_transient(),
            Self::Rejected { .. } | Self::Unauthenticated | Self::Bug(_) => false,
        }
    }

    /// A unique constraint said no: turned into a problem of that field.
    pub fn taken(error: DbErr, field: &str, message: &str) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::rejected(field, Code::Taken, message),
            _ => Self::Database(error),
        }
    }
}

impl Problem {
    /// A problem with a field, given as a dotted path; empty for the whole input.
    pub fn new(field: &str, code: Code, message: impl Into<String>) -> Self {
        let field = field.split('.').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        Self { field, code, message: message.into() }
    }
}

impl From<MoneyError> for Error {
    fn from(error: MoneyError) -> Self {
        Self::rejected("", Code::OutOfRange, error.to_string())
    }
}

impl From<InvalidId> for Error {
    fn from(error: InvalidId) -> Self {
        Self::rejected("", Code::InvalidId, error.to_string())
    }
}
