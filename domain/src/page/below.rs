//! The same page below each of several parents, by one statement: what keeps a list of lists from asking once
//! a row.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, IntoSimpleExpr,
    ModelTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Alias, Expr, ExprTrait, Func, JoinType, Query, SelectStatement, UnionType, WindowStatement},
};
use uuid::Uuid;

use super::{Key, List, Page, PageRequest, Sort, limits};
use crate::error::{Error, Result};

/// A list below any parent: the whole list, and the columns of which one holds the parent's id.
///
/// It cannot be read without saying below which parents, so a list that is scoped by its parent alone (a
/// person's notifications) is as safe as one that is scoped by its actor.
pub struct Below<E: EntityTrait> {
    list: List<E>,
    /// A row belongs to each parent that one of these names.
    parents: Vec<Expr>,
}

impl<E: EntityTrait> Clone for Below<E> {
    fn clone(&self) -> Self {
        Self { list: self.list.clone(), parents: self.parents.clone() }
    }
}

/// The pairs of a row and a parent, then the same with each row's place below its parent.
const PAIRS: &str = "pairs";
const PLACED: &str = "placed";
/// Their columns, by names that no table of ours has.
const ROW: &str = "below_row";
const PARENT: &str = "below_parent";
const SORT: &str = "below_sort";
const PLACE: &str = "below_place";

impl<E> List<E>
where
    E: EntityTrait,
    E::Column: ColumnTrait,
    E::Model: ModelTrait<Entity = E> + Sync,
{
    /// This list below its parents: a row belongs to a parent whose id is in one of these columns, and below
    /// each of them once. The columns may be of a table that the list's select joins.
    pub fn below<C: ColumnTrait>(self, parents: impl IntoIterator<Item = C>) -> Below<E> {
        Below { list: self, parents: parents.into_iter().map(IntoSimpleExpr::into_simple_expr).collect() }
    }
}

impl<E> Below<E>
where
    E: EntityTrait,
    E::Column: ColumnTrait,
    E::Model: ModelTrait<Entity = E> + Sync,
{
    /// The statement itself, with every value in it: two lists are read together only when theirs are the same.
    /// What one actor may see is part of the statement, so pages of two actors never mix.
    pub fn identity(&self, backend: DbBackend) -> String {
        let direction = if self.list.descending { "falling" } else { "rising" };
        let statement = backend.build(&self.pairs(&[], Condition::all()));
        format!("{direction} {} {:?}", statement.sql, statement.values)
    }

    /// Whether a request makes sense for this list, told without asking the database.
    pub fn check(&self, request: &PageRequest) -> Result<()> {
        self.list.check(request)
    }

    /// The page below each of these parents, as [`List::page`] would give it: one statement in all.
    pub async fn pages(
        &self,
        conn: &impl ConnectionTrait,
        parents: &[Uuid],
        request: &PageRequest,
    ) -> Result<HashMap<Uuid, Page<E::Model>>> {
        // The usual case below a single thing stops reading at its last row.
        if let [parent] = parents {
            return Ok(HashMap::from([(*parent, self.of(*parent).page(conn, request).await?)]));
        }
        let mut rows: HashMap<Uuid, Vec<_>> = parents.iter().map(|parent| (*parent, Vec::new())).collect();
        for found in conn.query_all(&self.placed(parents, request)?).await? {
            let row = E::Model::from_query_result(&found, "")?;
            let key = match self.list.by {
                Some(Sort::Number(..)) => Key::Number(found.try_get("", SORT)?),
                _ => self.list.key(&row)?,
            };
            rows.entry(found.try_get("", PARENT)?).or_default().push((key, row));
        }
        rows.into_iter().map(|(parent, rows)| Ok((parent, self.list.cut(rows, request)?))).collect()
    }

    /// How many rows there are in all below each of these parents: one statement.
    pub async fn counts(&self, conn: &impl ConnectionTrait, parents: &[Uuid]) -> Result<HashMap<Uuid, u64>> {
        const COUNT: &str = "below_count";
        let count = Query::select()
            .column(PARENT)
            .expr_as(Expr::col(ROW).count(), COUNT)
            .from_subquery(self.pairs(parents, Condition::all()), PAIRS)
            .group_by_col(PARENT)
            .take();
        let mut counts: HashMap<Uuid, u64> = parents.iter().map(|parent| (*parent, 0)).collect();
        for row in conn.query_all(&count).await? {
            let count: i64 = row.try_get("", COUNT)?;
            counts.insert(row.try_get("", PARENT)?, count.unsigned_abs());
        }
        Ok(counts)
    }

    /// The list below one parent.
    fn of(&self, parent: Uuid) -> List<E> {
        let named =
            self.parents.iter().fold(Condition::any(), |any, column| any.add(column.clone().eq(parent)));
        let mut list = self.list.clone();
        list.select = list.select.filter(named);
        list
    }

    /// The rows of each parent's page and one more, in the order of reading.
    fn placed(&self, parents: &[Uuid], request: &PageRequest) -> Result<SelectStatement> {
        let (limit, backwards) = limits(request)?;
        let order = self.list.order(backwards);
        let most = i64::try_from(limit + 1).map_err(|_| Error::bug("a page without an end"))?;
        let window =
            WindowStatement::partition_by(PARENT).order_by(SORT, order.clone()).order_by(ROW, order).take();
        let placed = Query::select()
            .columns([ROW, PARENT, SORT])
            .expr_window_as(Func::cust("ROW_NUMBER"), window, PLACE)
            .from_subquery(self.pairs(parents, self.list.within(request)?), PAIRS)
            .take();
        let this_row = Expr::col((Alias::new(PLACED), Alias::new(ROW))).equals(self.list.id.as_column_ref());
        Ok(E::find()
            .into_query()
            .columns([PARENT, SORT])
            .join_subquery(JoinType::InnerJoin, placed, PLACED, this_row)
            .and_where(Expr::col(PLACE).lte(most))
            .order_by(PLACE, sea_orm::Order::Asc)
            .take())
    }

    /// Each row of the list with each of its parents: narrow, so that ranking them moves little.
    fn pairs(&self, parents: &[Uuid], within: Condition) -> SelectStatement {
        let sort = match &self.list.by {
            None => self.list.id.into_simple_expr(),
            Some(Sort::Column(column)) => column.into_simple_expr(),
            Some(Sort::Number(_, number)) => number.clone(),
        };
        let mut branches = self.parents.iter().enumerate().map(|(index, parent)| {
            let mut select = self
                .list
                .select
                .clone()
                .filter(parent.clone().is_in(parents.iter().copied()))
                .filter(within.clone());
            // Who is named twice has the row once.
            for earlier in self.parents.iter().take(index) {
                let differs = earlier.clone().is_null().or(earlier.clone().ne(parent.clone()));
                select = select.filter(differs);
            }
            select
                .select_only()
                .expr_as(self.list.id.into_simple_expr(), ROW)
                .expr_as(sort.clone(), SORT)
                .expr_as(parent.clone(), PARENT)
                .into_query()
        });
        let first = branches.next().unwrap_or_default();
        branches.fold(first, |mut pairs, branch| pairs.union(UnionType::All, branch).take())
    }
}
