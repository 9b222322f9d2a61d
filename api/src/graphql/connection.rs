//! Relay connections over the domain's keyset lists.

use std::sync::Arc;

use async_graphql::{
    Object, OutputType,
    connection::{Connection, Edge, EmptyFields},
};
use domain::{
    App,
    page::{DEFAULT_PAGE, List, Page, PageRequest},
};
use futures::future::BoxFuture;
use sea_orm::{EntityTrait, ModelTrait};

use crate::error::fault;

/// A connection with `edges`, `nodes`, `pageInfo` and `totalCount`.
pub type Listing<N> = Connection<String, N, Total, EmptyFields>;

/// Counts a list when somebody asks, and only then.
pub struct Total(Arc<dyn Fn() -> BoxFuture<'static, domain::Result<u64>> + Send + Sync>);

/// Counts a list when somebody asks, and only then.
#[Object]
impl Total {
    /// How many there are in all, whatever the page. Counted only when asked for.
    #[graphql(complexity = 5)]
    async fn total_count(&self) -> async_graphql::Result<i32> {
        let count = (self.0)().await.map_err(fault)?;
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

/// Answers a connection from a list; `node` makes the GraphQL type of a row.
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
    let count = move || -> BoxFuture<'static, domain::Result<u64>> {
        let (list, db) = (list.clone(), db.clone());
        Box::pin(async move { list.count(db.reader()).await })
    };
    Ok(connect_page(page, count, node))
}

/// Answers a connection from a page that was read already; `count` counts the whole list when asked.
pub fn connect_page<M, N: OutputType>(
    page: Page<M>,
    count: impl Fn() -> BoxFuture<'static, domain::Result<u64>> + Send + Sync + 'static,
    node: impl Fn(M) -> N,
) -> Listing<N> {
    let total = Total(Arc::new(count));
    let mut connection = Connection::with_additional_fields(page.has_previous, page.has_next, total);
    connection.edges.extend(page.rows.into_iter().map(|(cursor, row)| Edge::new(cursor, node(row))));
    connection
}
