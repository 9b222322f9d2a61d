//! How a document is refused: a GraphQL error with a stable code, and with the numbers where a limit said no.

use async_graphql::{ErrorExtensionValues, Pos, ServerError, Value, value};

/// The codes of documents that are refused before anything runs.
pub mod code {
    /// The text is not GraphQL.
    pub const PARSE_FAILED: &str = "GRAPHQL_PARSE_FAILED";
    /// The document does not fit the schema.
    pub const VALIDATION_FAILED: &str = "GRAPHQL_VALIDATION_FAILED";
    /// Which operation to run is not clear.
    pub const OPERATION_UNKNOWN: &str = "OPERATION_RESOLUTION_FAILURE";
    /// A variable is missing.
    pub const BAD_INPUT: &str = "BAD_USER_INPUT";
    /// A limit said no; `limit`, `requested` and `maximum` stand beside it.
    pub const COST_EXCEEDED: &str = "COST_EXCEEDED";
}

/// The error with a code, unless it has one.
pub(super) fn coded(mut error: ServerError, code: &str) -> ServerError {
    let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
    if extensions.get("code").is_none() {
        extensions.set("code", code);
    }
    error
}

/// A new error with a code.
pub(super) fn refused(code: &str, message: impl Into<String>, pos: Option<Pos>) -> ServerError {
    coded(ServerError::new(message, pos), code)
}

/// More than a limit allows. A count that stops early is reported as one above the limit.
pub(super) fn exceeded(limit: &str, requested: usize, maximum: usize, pos: Option<Pos>) -> ServerError {
    let message = format!("The {limit} of this document is {requested}, the limit is {maximum}.");
    let mut error = refused(code::COST_EXCEEDED, message, pos);
    if let Some(extensions) = &mut error.extensions {
        extensions.set("limit", value!(limit));
        extensions.set("requested", Value::from(requested));
        extensions.set("maximum", Value::from(maximum));
    }
    error
}
