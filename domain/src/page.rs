//! Keyset pages: stable while rows are inserted, and no page costs more than another.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ColumnType, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, IdenStatic,
    ModelTrait, Order, PaginatorTrait, QueryFilter, QueryOrder, QueryResult, QuerySelect, Select, Value,
    sea_query::{Expr, ExprTrait},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    check::in_range,
    error::{Code, Error, Result},
};

mod below;

pub use below::Below;

/// Which part of a list is wanted. Either `first` (with `after`) or `last` (with `before`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PageRequest {
    /// How many from the front, 1 to 100.
    pub first: Option<i32>,
    /// Only what follows this cursor.
    pub after: Option<String>,
    /// How many from the back, 1 to 100.
    pub last: Option<i32>,
    /// Only what precedes this cursor.
    pub before: Option<String>,
}

/// A page of rows with their cursors.
#[derive(Debug, Clone)]
pub struct Page<M> {
    /// The rows in list order, each with its cursor.
    pub rows: Vec<(String, M)>,
    /// Whether more follow.
    pub has_next: bool,
    /// Whether more precede.
    pub has_previous: bool,
}

/// A list: what it holds (scoped and filtered) and in which order.
pub struct List<E: EntityTrait> {
    select: Select<E>,
    /// Sorted by this, then by the id.
    by: Option<Sort<E>>,
    id: E::Column,
    descending: bool,
}

/// By what a list is sorted before the ids.
enum Sort<E: EntityTrait> {
    /// A column that is never null.
    Column(E::Column),
    /// A whole number that the database computes for each row, and its name.
    Number(&'static str, Expr),
}

impl<E: EntityTrait> Clone for Sort<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Column(column) => Self::Column(*column),
            Self::Number(name, number) => Self::Number(name, number.clone()),
        }
    }
}

impl<E: EntityTrait> Clone for List<E> {
    fn clone(&self) -> Self {
        Self { select: self.select.clone(), by: self.by.clone(), id: self.id, descending: self.descending }
    }
}

/// How many rows one gets without asking.
pub const DEFAULT_PAGE: u64 = 20;
/// How many rows one gets at the most.
pub const LARGEST_PAGE: i32 = 100;

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Key {
    None,
    Number(i64),
    Text(String),
    Time(DateTime<Utc>),
}

impl Key {
    /// The key as a value to compare with a column, if the column can hold it.
    fn value_for(&self, column: &ColumnType) -> Option<Value> {
        use ColumnType::{BigInteger, Integer, String as Varying, Text, TimestampWithTimeZone};
        match (self, column) {
            (Self::Number(number), Integer | BigInteger) => Some((*number).into()),
            (Self::Text(text), Text | Varying(_)) if !text.contains('\0') => Some(text.clone().into()),
            (Self::Time(time), TimestampWithTimeZone) if in_range(*time) => Some((*time).into()),
            _ => None,
        }
    }
}

/// A row, and the number that its list is sorted by.
struct Numbered<M>(i64, M);

/// The name of that number in an answer of the database.
const NUMBER: &str = "sort_number";

impl<M: FromQueryResult> FromQueryResult for Numbered<M> {
    fn from_query_result(row: &QueryResult, prefix: &str) -> std::result::Result<Self, DbErr> {
        Ok(Self(row.try_get(prefix, NUMBER)?, M::from_query_result(row, prefix)?))
    }
}

/// What a cursor holds: by what its list is sorted (empty for the id), the sort key and the id of its row.
#[derive(Debug, Serialize, Deserialize)]
struct Cursor(String, Key, Uuid);

impl<E> List<E>
where
    E: EntityTrait,
    E::Column: ColumnTrait,
    E::Model: ModelTrait<Entity = E> + Sync,
{
    /// In the order of the ids, which is the order of creation.
    pub const fn by_id(select: Select<E>, id: E::Column, descending: bool) -> Self {
        Self { select, by: None, id, descending }
    }

    /// In the order of a column that is never null (a number, a text or a time), then of the ids.
    pub const fn by(select: Select<E>, column: E::Column, id: E::Column, descending: bool) -> Self {
        Self { select, by: Some(Sort::Column(column)), id, descending }
    }

    /// In the order of a whole number that is computed for each row (a 64-bit one, never null), then of the
    /// ids. The name tells cursors of this order from others.
    pub const fn by_number(
        select: Select<E>,
        name: &'static str,
        number: Expr,
        id: E::Column,
        descending: bool,
    ) -> Self {
        Self { select, by: Some(Sort::Number(name, number)), id, descending }
    }

    /// How many rows there are in all.
    pub async fn count(&self, conn: &impl ConnectionTrait) -> Result<u64> {
        Ok(self.select.clone().count(conn).await?)
    }

    /// The rows that were asked for.
    pub async fn page(&self, conn: &impl ConnectionTrait, request: &PageRequest) -> Result<Page<E::Model>> {
        let (limit, backwards) = limits(request)?;
        let mut select = self.select.clone().filter(self.within(request)?);
        let order = self.order(backwards);
        select = match &self.by {
            None => select,
            Some(Sort::Column(column)) => select.order_by(*column, order.clone()),
            Some(Sort::Number(_, number)) => {
                select.expr_as(number.clone(), NUMBER).order_by(Expr::col(NUMBER), order.clone())
            }
        };
        // One more than asked for tells whether the list goes on.
        let select = select.order_by(self.id, order).limit(limit + 1);
        self.cut(self.read(conn, select).await?, request)
    }

    /// Whether a request makes sense for this list, told without asking the database.
    pub fn check(&self, request: &PageRequest) -> Result<()> {
        limits(request)?;
        self.within(request).map(drop)
    }

    /// The rows that a request's cursors leave.
    fn within(&self, request: &PageRequest) -> Result<Condition> {
        let mut within = Condition::all();
        if let Some(after) = &request.after {
            within = within.add(self.beyond(&decode(after, "after")?, self.descending)?);
        }
        if let Some(before) = &request.before {
            within = within.add(self.beyond(&decode(before, "before")?, !self.descending)?);
        }
        Ok(within)
    }

    /// The order to read in: towards the end that is wanted.
    fn order(&self, backwards: bool) -> Order {
        if self.descending != backwards { Order::Desc } else { Order::Asc }
    }

    /// The page, from rows in the order of reading, of which there may be one more than asked for.
    fn cut(&self, mut rows: Vec<(Key, E::Model)>, request: &PageRequest) -> Result<Page<E::Model>> {
        let (limit, backwards) = limits(request)?;
        let more = rows.len() as u64 > limit;
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        if backwards {
            rows.reverse();
        }
        Ok(Page {
            rows: rows
                .into_iter()
                .map(|(key, row)| Ok((self.cursor(key, &row)?, row)))
                .collect::<Result<_>>()?,
            has_next: if backwards { request.before.is_some() } else { more },
            has_previous: if backwards { more } else { request.after.is_some() },
        })
    }

    /// The rows of a page, each with the key that it is sorted by.
    async fn read(&self, conn: &impl ConnectionTrait, select: Select<E>) -> Result<Vec<(Key, E::Model)>> {
        if let Some(Sort::Number(..)) = self.by {
            let rows = select.into_model::<Numbered<E::Model>>().all(conn).await?;
            return Ok(rows.into_iter().map(|Numbered(number, row)| (Key::Number(number), row)).collect());
        }
        let rows = select.all(conn).await?;
        rows.into_iter().map(|row| Ok((self.key(&row)?, row))).collect()
    }

    fn key(&self, row: &E::Model) -> Result<Key> {
        let Some(Sort::Column(column)) = self.by else { return Ok(Key::None) };
        match row.get(column) {
            Value::BigInt(Some(number)) => Ok(Key::Number(number)),
            Value::Int(Some(number)) => Ok(Key::Number(number.into())),
            Value::String(Some(text)) => Ok(Key::Text(text)),
            Value::ChronoDateTimeUtc(Some(time)) => Ok(Key::Time(time)),
            other => Err(Error::bug(format!("a list is sorted by {other:?}"))),
        }
    }

    fn cursor(&self, key: Key, row: &E::Model) -> Result<String> {
        let Value::Uuid(Some(id)) = row.get(self.id) else {
            return Err(Error::bug("a list's id column is not a UUID"));
        };
        let json = serde_json::to_vec(&Cursor(self.sorted_by().to_owned(), key, id))
            .map_err(|e| Error::bug(format!("cursor: {e}")))?;
        Ok(URL_SAFE_NO_PAD.encode(json))
    }

    fn sorted_by(&self) -> &'static str {
        match &self.by {
            None => "",
            Some(Sort::Column(column)) => column.as_str(),
            Some(Sort::Number(name, _)) => name,
        }
    }

    /// The rows beyond a cursor, in one direction. A cursor of another order is refused, and so is one whose
    /// key cannot be of its column: anybody can write a cursor.
    fn beyond(&self, Cursor(by, key, id): &Cursor, downwards: bool) -> Result<Condition> {
        if *by != self.sorted_by() {
            return Err(bad_cursor("after"));
        }
        let than = |column: E::Column, value: Value| {
            if downwards { column.lt(value) } else { column.gt(value) }
        };
        let past_id = than(self.id, (*id).into());
        let (beyond, beside) = match &self.by {
            None => return Ok(Condition::all().add(past_id)),
            Some(Sort::Column(column)) => {
                let value =
                    key.value_for(column.def().get_column_type()).ok_or_else(|| bad_cursor("after"))?;
                (than(*column, value.clone()), column.eq(value))
            }
            Some(Sort::Number(_, expr)) => {
                let Key::Number(number) = *key else { return Err(bad_cursor("after")) };
                let beyond = if downwards { expr.clone().lt(number) } else { expr.clone().gt(number) };
                (beyond, expr.clone().eq(number))
            }
        };
        Ok(Condition::any().add(beyond).add(Condition::all().add(beside).add(past_id)))
    }
}

pub(crate) fn limits(request: &PageRequest) -> Result<(u64, bool)> {
    let (count, field, backwards) = match (request.first, request.last) {
        (Some(_), Some(_)) => {
            return Err(Error::rejected("first", Code::Invalid, "Give either first or last, not both."));
        }
        (None, Some(last)) => (last, "last", true),
        (Some(first), None) => (first, "first", false),
        (None, None) => return Ok((DEFAULT_PAGE, request.before.is_some() && request.after.is_none())),
    };
    match u64::try_from(count) {
        Ok(limit) if (1..=LARGEST_PAGE).contains(&count) => Ok((limit, backwards)),
        _ => {
            Err(Error::rejected(field, Code::OutOfRange, format!("Give 1 to {LARGEST_PAGE}; it is {count}.")))
        }
    }
}

fn decode(cursor: &str, field: &str) -> Result<Cursor> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| bad_cursor(field))?;
    serde_json::from_slice(&bytes).map_err(|_| bad_cursor(field))
}

fn bad_cursor(field: &str) -> Error {
    Error::rejected(
        field,
        Code::Invalid,
        "This is not a cursor of this list: take one from pageInfo or edges.",
    )
}
