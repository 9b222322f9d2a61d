//! Finding wallets.

use chrono::{DateTime, Utc};
use entities::{UserId, WalletId, wallet};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{
    Actor, App,
    error::{Error, Result},
    policy::{Action, authorise},
    ports::chain::Address,
};

/// A wallet, for its owner and for administrators.
pub async fn find(app: &App, actor: &Actor, id: WalletId) -> Result<wallet::Model> {
    let found = wallet::Entity::find_by_id(id).one(app.db.reader()).await?;
    let found = found.ok_or_else(|| Error::not_found("id", "wallet"))?;
    authorise(actor, Action::PrivateProfileSee(found.user_id), "id", "wallet")?;
    Ok(found)
}

/// All wallets of a person, the first one first.
pub async fn of_user(conn: &impl ConnectionTrait, user: UserId) -> Result<Vec<wallet::Model>> {
    Ok(wallet::Entity::find()
        .filter(wallet::Column::UserId.eq(user))
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
