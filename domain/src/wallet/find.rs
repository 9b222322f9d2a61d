//! Finding wallets.

use chrono::{DateTime, Utc};
use entities::{UserId, WalletId, wallet};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Select};

use crate::{
    Actor, App,
    error::{Error, Result},
    ports::chain::Address,
};

/// A wallet, for its owner and for administrators.
pub async fn find(app: &App, actor: &Actor, id: WalletId) -> Result<wallet::Model> {
    let found = visible(actor).filter(wallet::Column::Id.eq(id)).one(app.db.reader()).await?;
    found.ok_or_else(|| Error::not_found("id", "wallet"))
}

/// The wallets that the actor may see: their own.
pub fn visible(actor: &Actor) -> Select<wallet::Entity> {
    let all = wallet::Entity::find();
    if actor.sees_all() {
        return all;
    }
    // Nobody is nobody's owner.
    match actor.user_id() {
        Some(user) => all.filter(wallet::Column::UserId.eq(user)),
        None => all.filter(wallet::Column::Id.is_null()),
    }
}

/// All wallets of a person, the first one first.
pub async fn of_user(conn: &impl ConnectionTrait, user: UserId) -> Result<Vec<wallet::Model>> {
    of_users(conn, [user]).await
}

/// All wallets of some people, the first one first.
pub async fn of_users(
    conn: &impl ConnectionTrait,
    users: impl IntoIterator<Item = UserId>,
) -> Result<Vec<wallet::Model>> {
    Ok(wallet::Entity::find()
        .filter(wallet::Column::UserId.is_in(users))
        .order_by_asc(wallet::Column::Id)
        .all(conn)
        .await?)
}

/// Where a person's payouts go; `None` while they have no wallet. Whether it still rests is for the caller
/// to see from `payouts_from`.
pub async fn payout_wallet(conn: &impl ConnectionTrait, user: UserId) -> Result<Option<wallet::Model>> {
    Ok(wallet::Entity::find()
        .filter(wallet::Column::UserId.eq(user))
        .filter(wallet::Column::IsPayout.eq(true))
        .one(conn)
        .await?)
}

/// Whose address this is, proven by the given moment.
pub async fn owner_of(
    conn: &impl ConnectionTrait,
    address: Address,
    verified_by: DateTime<Utc>,
) -> Result<Option<UserId>> {
    Ok(wallet::Entity::find()
        .filter(wallet::Column::Address.eq(address.to_string()))
        .filter(wallet::Column::VerifiedAt.lte(verified_by))
        .one(conn)
        .await?
        .map(|wallet| wallet.user_id))
}
