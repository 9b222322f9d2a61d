//! Limits on a document, each of them before the work that it guards: its tokens before it is parsed, its shape
//! before it is validated, its cost before it is executed.
//!
//! They sit in an extension of the schema, so no way to the schema goes round them: HTTP, WebSocket, or a test that
//! holds the schema itself.

mod document;
mod refusal;
mod tokens;

use std::any::TypeId;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextParseQuery, NextPrepareRequest,
    NextRequest, NextSubscribe, NextValidation,
};
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{
    Request, Response, SchemaBuilder, ServerError, ServerResult, ValidationResult, Variables, value,
};

use futures::{StreamExt as _, stream::BoxStream};

pub use document::{Operation, RootField};
pub use refusal::code;
use refusal::{coded, exceeded};

/// Tokens of a document, counted before it is parsed. GraphiQL's introspection query has about 250.
pub const TOKENS: usize = 2_000;
/// Brackets of any kind inside each other: the parser is recursive.
pub const BRACKETS: usize = 48;
/// Operations and fragments of a document.
pub const DEFINITIONS: usize = 50;
/// Fields inside each other, outside introspection.
pub const DEPTH: usize = 12;
/// Fields inside each other below `__schema` and `__type`; GraphiQL's own query needs 15.
pub const INTROSPECTION_DEPTH: usize = 20;
/// Selection sets inside each other, fragments included. async-graphql gives up at 32 without a code.
pub const NESTING: usize = 30;
/// Aliases in a document.
pub const ALIASES: usize = 30;
/// Directives in a document.
pub const DIRECTIVES: usize = 30;
/// Fields at the root of an operation, fragments expanded.
pub const ROOT_FIELDS: usize = 20;
/// Selections of an operation once every fragment is expanded.
pub const SELECTIONS: usize = 3_000;
/// Cost of an operation: about one for each value that it may answer with.
pub const COST: usize = 20_000;
/// Errors that one answer lists; a document of 2,000 wrong fields would otherwise be answered by a megabyte.
const ERRORS: usize = 20;

/// Puts the limits on a schema whose introspection is open.
pub fn apply<Q, M, S>(builder: SchemaBuilder<Q, M, S>) -> SchemaBuilder<Q, M, S> {
    builder.extension(Limits { closed: false })
}

/// Puts the limits on a schema that does not explain itself: no introspection, and no error that suggests names.
pub fn apply_closed<Q, M, S>(builder: SchemaBuilder<Q, M, S>) -> SchemaBuilder<Q, M, S> {
    builder.disable_introspection().disable_suggestions().extension(Limits { closed: true })
}

/// Checks a request's document, parses it, and finds the operation that will run.
///
/// The parsed document stays in the request. Put the [`Operation`] into the request's data, and the schema does not
/// check a second time.
pub fn prepare(request: &mut Request) -> Result<Operation, ServerError> {
    tokens::check(&request.query)?;
    let (wanted, variables) = (request.operation_name.clone(), request.variables.clone());
    let document = request.parsed_query().map_err(|error| coded(error, code::PARSE_FAILED))?;
    let operation = document::check(document, wanted.as_deref(), &variables)?;
    operation.require_variables(&variables)?;
    Ok(operation)
}

/// The extension's factory.
struct Limits {
    closed: bool,
}

impl ExtensionFactory for Limits {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Watch { closed: self.closed, cost: AtomicUsize::new(UNKNOWN) })
    }
}

/// Stands for a cost before validation has found it.
const UNKNOWN: usize = usize::MAX;

/// Watches one request.
struct Watch {
    closed: bool,
    cost: AtomicUsize,
}

#[async_trait::async_trait]
impl Extension for Watch {
    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        let response = next.run(ctx).await;
        match self.cost.load(Ordering::Relaxed) {
            UNKNOWN => response,
            cost => response.extension("cost", value!({ "requested": cost, "limit": COST })),
        }
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        all_coded(next.run(ctx, operation_name).await)
    }

    fn subscribe<'s>(
        &self,
        ctx: &ExtensionContext<'_>,
        stream: BoxStream<'s, Response>,
        next: NextSubscribe<'_>,
    ) -> BoxStream<'s, Response> {
        next.run(ctx, stream).map(all_coded).boxed()
    }

    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        let mut request = next.run(ctx, request).await?;
        let known =
            request.data.get(&TypeId::of::<Operation>()).and_then(|data| data.downcast_ref::<Operation>());
        let introspects = match known {
            Some(operation) => operation.introspects,
            None => {
                let operation = prepare(&mut request)?;
                let introspects = operation.introspects;
                request.data.insert(operation);
                introspects
            }
        };
        if self.closed && introspects {
            let error = ServerError::new("This server does not answer introspection.", None);
            return Err(coded(error, code::VALIDATION_FAILED));
        }
        Ok(request)
    }

    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        next.run(ctx, query, variables).await.map_err(|error| coded(error, code::PARSE_FAILED))
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let found = next.run(ctx).await.map_err(|errors| self.shorten(errors))?;
        self.cost.store(found.complexity, Ordering::Relaxed);
        if found.complexity > COST {
            return Err(vec![exceeded("cost", found.complexity, COST, None)]);
        }
        Ok(found)
    }
}

/// What our resolvers say has its code; what is left are values that async-graphql could not read.
fn all_coded(mut response: Response) -> Response {
    let errors = std::mem::take(&mut response.errors).into_iter();
    response.errors = errors.map(|error| coded(error, code::BAD_INPUT)).collect();
    response
}

impl Watch {
    fn shorten(&self, errors: Vec<ServerError>) -> Vec<ServerError> {
        let shown = errors.into_iter().take(ERRORS).map(|mut error| {
            // async-graphql suggests arguments of directives even where suggestions are switched off.
            if self.closed
                && let Some(at) = error.message.find(" Did you mean")
            {
                error.message.truncate(at);
            }
            coded(error, code::VALIDATION_FAILED)
        });
        shown.collect()
    }
}

#[cfg(test)]
mod tests;
