//! Relay connections over the domain's keyset lists.
//!
//! At the root a connection is read by [`connect`]. Anywhere else it may stand below a list, and must not cost a
//! statement for each row above it: there it is read by [`connect_below`], which is written as quickly.
//!
//! 1. In the domain, beside the noun's other finders, give the list below its parents: all that the actor may
//!    see, and the columns of which one holds the parent's id.
//!
//!    ```ignore
//!    pub fn of_projects(actor: &Actor) -> Below<proposal::Entity> {
//!        List::by_id(visible(actor), proposal::Column::Id, true).below([proposal::Column::ProjectId])
//!    }
//!    ```
//! 2. The field is a line: `connect_below(ctx, proposals::of_projects(actor(ctx)?), self.0.id.0, page(first,
//!    after, last, before), Proposal).await`.
//! 3. Add it to the table of `tests/it/statements.rs`, which fails until you do.
//!
//! A filter of the field goes into the select of step 1. What only some people may ask for is decided in the
//! field, before the list is asked for.

use async_graphql::{
    Context, Object, OutputType,
    connection::{Connection, Edge, EmptyFields},
    dataloader::DataLoader,
};
use domain::{
    App, Error,
    page::{Below, DEFAULT_PAGE, List, Page, PageRequest},
};
use futures::future::BoxFuture;
use sea_orm::{EntityTrait, ModelTrait};
use uuid::Uuid;

use super::support::app;
use crate::{
    error::fault,
    loaders::{Asked, Count, Rows, shared},
};

/// A connection with `edges`, `nodes`, `pageInfo` and `totalCount`.
pub type Listing<N> = Connection<String, N, Total, EmptyFields>;

/// Counts a list when somebody asks, and only then.
pub struct Total(Box<Counting>);

/// Counts a whole list.
type Counting = dyn for<'a> Fn(&'a Context<'_>) -> BoxFuture<'a, async_graphql::Result<u64>> + Send + Sync;

/// Counts a list when somebody asks, and only then.
#[Object]
impl Total {
    /// How many there are in all, whatever the page. Counted only when asked for.
    #[graphql(complexity = 5)]
    async fn total_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        let count = (self.0)(ctx).await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}

/// The four arguments of a connection.
pub fn page(
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
) -> PageRequest {
    PageRequest { first, after, last, before }
}

/// What a list costs: its page times what one node costs.
pub fn list_cost(first: Option<i32>, last: Option<i32>, child: usize) -> usize {
    let rows = first.or(last).and_then(|n| usize::try_from(n).ok()).unwrap_or(DEFAULT_PAGE as usize);
    1 + rows.min(100) * child
}

/// Answers a connection at the root from a list; `node` makes the GraphQL type of a row.
pub async fn connect<E, N>(
    app: &App,
    list: List<E>,
    request: PageRequest,
    node: impl Fn(E::Model) -> N,
) -> async_graphql::Result<Listing<N>>
where
    E: EntityTrait + 'static,
    E::Model: ModelTrait<Entity = E> + Send + Sync,
    N: OutputType,
{
    let page = list.page(app.db.reader(), &request).await.map_err(fault)?;
    let db = app.db.clone();
    let count = move || {
        let (list, db) = (list.clone(), db.clone());
        async move { list.count(db.reader()).await.map_err(fault) }
    };
    Ok(connect_page(page, move |_| Box::pin(count()), node))
}

/// Answers a connection below a thing that may stand in a list: all such pages of a level are read together.
/// `parent` is the id of the thing; `node` makes the GraphQL type of a row.
pub async fn connect_below<E, N>(
    ctx: &Context<'_>,
    list: Below<E>,
    parent: Uuid,
    request: PageRequest,
    node: impl Fn(E::Model) -> N,
) -> async_graphql::Result<Listing<N>>
where
    E: EntityTrait + 'static,
    E::Model: ModelTrait<Entity = E> + Send + Sync,
    N: OutputType,
{
    // Said to whoever asked, before it could fail a whole batch.
    list.check(&request).map_err(fault)?;
    let asked = Asked::page(app(ctx)?, list, parent, request);
    let whole = asked.count();
    let page = loader(ctx)?.load_one(asked).await.map_err(shared)?.ok_or_else(left_out)?;
    Ok(connect_page(page, move |ctx| Box::pin(count_below(ctx, whole.clone())), node))
}

async fn count_below<E>(ctx: &Context<'_>, whole: Asked<E, Count>) -> async_graphql::Result<u64>
where
    E: EntityTrait + 'static,
    E::Model: ModelTrait<Entity = E> + Send + Sync,
{
    loader(ctx)?.load_one(whole).await.map_err(shared)?.ok_or_else(left_out)
}

fn loader<'a>(ctx: &Context<'a>) -> async_graphql::Result<&'a DataLoader<Rows>> {
    ctx.data()
}

fn left_out() -> async_graphql::Error {
    fault(Error::bug("a batch left out a parent"))
}

/// Answers a connection from a page that was read already; `count` counts the whole list when asked.
pub fn connect_page<M, N: OutputType>(
    page: Page<M>,
    count: impl for<'a> Fn(&'a Context<'_>) -> BoxFuture<'a, async_graphql::Result<u64>> + Send + Sync + 'static,
    node: impl Fn(M) -> N,
) -> Listing<N> {
    let total = Total(Box::new(count));
    let mut connection = Connection::with_additional_fields(page.has_previous, page.has_next, total);
    connection.edges.extend(page.rows.into_iter().map(|(cursor, row)| Edge::new(cursor, node(row))));
    connection
}
