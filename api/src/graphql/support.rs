//! What every noun's resolvers share.

use async_graphql::{Context, ID};
use domain::{Actor, App, Code, Error, entities::InvalidId};

/// The application that the schema was built with.
pub fn app<'a>(ctx: &Context<'a>) -> async_graphql::Result<&'a App> {
    ctx.data::<App>()
}

/// Who is asking.
pub fn actor<'a>(ctx: &Context<'a>) -> async_graphql::Result<&'a Actor> {
    ctx.data::<Actor>()
}

/// An id of the wanted kind; a problem with `field` when it is none.
pub fn parse_id<I: std::str::FromStr<Err = InvalidId>>(field: &str, id: &ID) -> domain::Result<I> {
    id.parse().map_err(|error: InvalidId| Error::rejected(field, Code::InvalidId, format!("{error}.")))
}

/// Ids of the wanted kind, each problem under `field.index`.
pub fn parse_ids<I: std::str::FromStr<Err = InvalidId>>(field: &str, ids: &[ID]) -> domain::Result<Vec<I>> {
    ids.iter().enumerate().map(|(index, id)| parse_id(&format!("{field}.{index}"), id)).collect()
}
