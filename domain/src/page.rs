//! Keyset pages: stable while rows are inserted, and no page costs more than another.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ColumnType, Condition, ConnectionTrait, EntityTrait, IdenStatic, ModelTrait, Order,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select, Value,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    check::in_range,
    error::{Code, Error, Result},
};

/// Which part of a list is wanted. Either `first` (with `after`) or `last` (with `before`).
#[derive(Debug, Clone, Default)]
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
    by: Option<E::Column>,
    id: E::Column,
    descending: bool,
}

impl<E: EntityTrait> Clone for List<E> {
    fn clone(&self) -> Self {
        Self { select: self.select.clone(), by: self.by, id: self.id, descending: self.descending }
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
        Self { select, by: Some(column), id, descending }
    }

    /// How many rows there are in all.
    pub async fn count(&self, conn: &impl ConnectionTrait) -> Result<u64> {
        Ok(self.select.clone().count(conn).await?)
    }

    /// The rows that were asked for.
    pub async fn page(&self, conn: &impl ConnectionTrait, request: &PageRequest) -> Result<Page<E::Model>> {
        let (limit, backwards) = limits(request)?;
        let mut select = self.select.clone();
        if let Some(after) = &request.after {
            select = select.filter(self.beyond(&decode(after, "after")?, self.descending)?);
        }
        if let Some(before) = &request.before {
            select = select.filter(self.beyond(&decode(before, "before")?, !self.descending)?);
        }
        let order = if self.descending != backwards { Order::Desc } else { Order::Asc };
        if let Some(column) = self.by {
            select = select.order_by(column, order.clone());
        }
        // One more than asked for tells whether the list goes on.
        let mut rows = select.order_by(self.id, order).limit(limit + 1).all(conn).await?;
        let more = rows.len() as u64 > limit;
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        if backwards {
            rows.reverse();
        }
        Ok(Page {
            rows: rows.into_iter().map(|row| Ok((self.cursor(&row)?, row))).collect::<Result<_>>()?,
            has_next: if backwards { request.before.is_some() } else { more },
            has_previous: if backwards { more } else { request.after.is_some() },
        })
    }

    fn cursor(&self, row: &E::Model) -> Result<String> {
        let key = match self.by.map(|column| row.get(column)) {
            None => Key::None,
            Some(Value::BigInt(Some(number))) => Key::Number(number),
            Some(Value::Int(Some(number))) => Key::Number(number.into()),
            Some(Value::String(Some(text))) => Key::Text(text),
            Some(Value::ChronoDateTimeUtc(Some(time))) => Key::Time(time),
            Some(other) => return Err(Error::bug(format!("a list is sorted by {other:?}"))),
        };
        let Value::Uuid(Some(id)) = row.get(self.id) else {
            return Err(Error::bug("a list's id column is not a UUID"));
        };
        let json = serde_json::to_vec(&Cursor(self.sorted_by(), key, id))
            .map_err(|e| Error::bug(format!("cursor: {e}")))?;
        Ok(URL_SAFE_NO_PAD.encode(json))
    }

    fn sorted_by(&self) -> String {
        self.by.map(|column| column.as_str().to_owned()).unwrap_or_default()
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
        let Some(column) = self.by else {
            return Ok(Condition::all().add(past_id));
        };
        let value = key.value_for(column.def().get_column_type()).ok_or_else(|| bad_cursor("after"))?;
        Ok(Condition::any()
            .add(than(column, value.clone()))
            .add(Condition::all().add(column.eq(value)).add(past_id)))
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
