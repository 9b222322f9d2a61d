//! Idempotency keys of money mutations: the same key and input answers with the same things, and has no
//! second effect; the same key with other input is a conflict. Kept 30 days.

use entities::{UserId, idempotency_key};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, sea_query::OnConflict};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{App, Code, Error, Tx, error::Result};

/// What a key turned out to be.
#[derive(Debug)]
pub enum Claim<T> {
    /// New: go on, then [`settle`] it in the same transaction.
    Fresh(Ticket),
    /// Seen with the same input: answer with these ids again.
    Replay(T),
}

/// A claimed key that waits for its result.
#[derive(Debug)]
pub struct Ticket {
    user: UserId,
    mutation: &'static str,
    key: Uuid,
}

/// Parses a caller's key, which is a UUID.
pub fn parse_key(text: &str) -> Result<Uuid> {
    Uuid::try_parse(text).map_err(|_| {
        Error::rejected("idempotencyKey", Code::Invalid, "An idempotency key is a UUID, new for each intent.")
    })
}

/// Claims a key within the transaction that does the work. Two callers at once: the second waits for the
/// first to commit and then replays.
pub async fn claim<T: DeserializeOwned>(
    app: &App,
    tx: &Tx,
    user: UserId,
    mutation: &'static str,
    key: Uuid,
    input: &impl Serialize,
) -> Result<Claim<T>> {
    let input = serde_json::to_vec(input).map_err(|e| Error::bug(format!("idempotency input: {e}")))?;
    let input_hash = hex::encode(Sha256::digest(&input));
    let row = idempotency_key::ActiveModel {
        actor_id: Set(user),
        mutation: Set(mutation.to_owned()),
        key: Set(key),
        input_hash: Set(input_hash.clone()),
        result: Set(serde_json::Value::Null),
        created_at: Set(app.clock.now()),
    };
    let conflict = OnConflict::columns([
        idempotency_key::Column::ActorId,
        idempotency_key::Column::Mutation,
        idempotency_key::Column::Key,
    ])
    .do_nothing()
    .to_owned();
    let inserted =
        idempotency_key::Entity::insert(row).on_conflict(conflict).exec_without_returning(&**tx).await?;
    if inserted == 1 {
        return Ok(Claim::Fresh(Ticket { user, mutation, key }));
    }
    let found = find(&**tx, user, mutation, key).await?;
    if found.input_hash != input_hash {
        return Err(Error::rejected(
            "idempotencyKey",
            Code::Conflict,
            "This idempotency key was used with other input. Use a new key for a new intent.",
        ));
    }
    serde_json::from_value(found.result)
        .map(Claim::Replay)
        .map_err(|e| Error::bug(format!("idempotency result: {e}")))
}

/// Stores what a fresh key answered.
pub async fn settle(tx: &Tx, ticket: Ticket, result: &impl Serialize) -> Result<()> {
    let result = serde_json::to_value(result).map_err(|e| Error::bug(format!("idempotency result: {e}")))?;
    let row = idempotency_key::ActiveModel {
        actor_id: Set(ticket.user),
        mutation: Set(ticket.mutation.to_owned()),
        key: Set(ticket.key),
        result: Set(result),
        ..Default::default()
    };
    idempotency_key::Entity::update(row).exec(&**tx).await?;
    Ok(())
}

async fn find(
    conn: &impl ConnectionTrait,
    user: UserId,
    mutation: &'static str,
    key: Uuid,
) -> Result<idempotency_key::Model> {
    idempotency_key::Entity::find_by_id((user, mutation.to_owned(), key))
        .one(conn)
        .await?
        .ok_or_else(|| Error::bug("an idempotency key vanished"))
}
