//! Choosing where payouts go.

use chrono::Duration;
use entities::{WalletId, wallet};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use secrecy::SecretString;

use super::link::payout_changed;
use crate::{
    Actor, App, account,
    error::{Code, Error, Result},
    notification::notify,
    payment::payout,
    policy::{Action, authorise},
};

/// Makes one of the actor's wallets the one that payouts go to. It then rests for `Settings::wallet_rest`:
/// a thief of the session gets nothing before the owner has read the mail. Choosing the current one again
/// changes nothing.
pub async fn set_payout(
    app: &App,
    actor: &Actor,
    wallet: WalletId,
    password: SecretString,
) -> Result<wallet::Model> {
    authorise(actor, Action::WalletLink, "", "account")?;
    let user = actor.signed_in()?.id;
    let person = account::user(app, user).await?;
    if !account::password::verify(app, Some(&person), password).await? {
        return Err(Error::rejected("password", Code::Invalid, "The password is wrong."));
    }

    let tx = app.db.begin().await?;
    account::locked(&tx, user).await?;
    let chosen = wallet::Entity::find_by_id(wallet)
        .filter(wallet::Column::UserId.eq(user))
        .one(&*tx)
        .await?
        .ok_or_else(|| Error::not_found("walletId", "wallet"))?;
    if chosen.is_payout {
        return Ok(chosen);
    }
    wallet::Entity::update_many()
        .col_expr(wallet::Column::IsPayout, Expr::value(false))
        .filter(wallet::Column::UserId.eq(user))
        .exec(&*tx)
        .await?;
    let rest = Duration::from_std(app.settings.wallet_rest)
        .map_err(|error| Error::bug(format!("WALLET_REST_HOURS: {error}")))?;
    let now = app.clock.now();
    let chosen = wallet::ActiveModel {
        id: Set(chosen.id),
        is_payout: Set(true),
        payouts_from: Set(now + rest),
        ..Default::default()
    }
    .update(&*tx)
    .await?;
    let event = format!("{}:PAYOUT:{}", chosen.id, now.timestamp_micros());
    notify(app, &tx, user, payout_changed(&chosen), &event).await?;
    payout::wake_for(app, &tx, user).await?;
    tx.commit().await?;
    Ok(chosen)
}
