//! Our side of Circle's address book. An entry's key is committed before Circle is asked for it.

use entities::circle_recipient;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};

use super::{new_key, word};
use crate::{
    App, Error,
    error::Result,
    ports::{
        chain::Address,
        circle::{Circle, CircleError, Recipient, Verdict, chain_name},
    },
};

/// The entry of an address, as Circle has it now; made when there is none, or when Circle has it no more. The inner error is
/// Circle's.
pub(super) async fn of(
    app: &App,
    circle: &dyn Circle,
    address: Address,
) -> Result<Result<Recipient, CircleError>> {
    let mut row = known(app, address).await?;
    let mut answer = asked(circle, &row, address).await;
    let is_gone = |error: &CircleError| {
        matches!(error, CircleError::Refused { status: 404, .. }) && error.verdict() == Verdict::Refused
    };
    if row.circle_id.is_some() && answer.as_ref().is_err_and(is_gone) {
        row = forgotten(app, row).await?;
        answer = asked(circle, &row, address).await;
    }
    let found = match answer {
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    let change = circle_recipient::ActiveModel {
        chain: Set(row.chain),
        address: Set(row.address),
        circle_id: Set(Some(found.id.clone())),
        status: Set(Some(word(found.status.as_str()))),
        updated_at: Set(app.clock.now()),
        ..Default::default()
    };
    let tx = app.db.begin().await?;
    change.update(&*tx).await?;
    tx.commit().await?;
    Ok(Ok(found))
}

async fn asked(
    circle: &dyn Circle,
    row: &circle_recipient::Model,
    address: Address,
) -> Result<Recipient, CircleError> {
    match &row.circle_id {
        Some(id) => circle.recipient(id).await,
        None => circle.recipient_create(row.idempotency_key, &row.chain, address).await,
    }
}

/// Our row without the entry that is gone, and with another key: the old one means that entry. Of two who find it gone at once
/// both get the same.
async fn forgotten(app: &App, gone: circle_recipient::Model) -> Result<circle_recipient::Model> {
    use circle_recipient::Column;
    tracing::warn!(
        address = gone.address,
        entry = gone.circle_id,
        "Circle has an entry of its address book no more"
    );
    let tx = app.db.begin().await?;
    circle_recipient::Entity::update_many()
        .col_expr(Column::IdempotencyKey, Expr::value(new_key()?))
        .col_expr(Column::CircleId, Expr::value(Option::<String>::None))
        .col_expr(Column::Status, Expr::value(Option::<String>::None))
        .col_expr(Column::UpdatedAt, Expr::value(app.clock.now()))
        .filter(Column::Chain.eq(&*gone.chain))
        .filter(Column::Address.eq(&*gone.address))
        .filter(Column::CircleId.eq(gone.circle_id))
        .exec(&*tx)
        .await?;
    let row = circle_recipient::Entity::find_by_id((gone.chain, gone.address)).one(&*tx).await?;
    tx.commit().await?;
    row.ok_or_else(|| Error::bug("an entry of the address book vanished"))
}

/// Our row, with the key that Circle is or was asked with. Of two who come at once both get the same.
async fn known(app: &App, address: Address) -> Result<circle_recipient::Model> {
    let chain = chain_name(app.chain.chain_id())
        .ok_or_else(|| Error::bug("a chain that Circle does not pay on passed the settings"))?;
    let id = (chain.to_owned(), address.to_string());
    if let Some(row) = circle_recipient::Entity::find_by_id(id.clone()).one(app.db.reader()).await? {
        return Ok(row);
    }
    let now = app.clock.now();
    let row = circle_recipient::ActiveModel {
        chain: Set(id.0.clone()),
        address: Set(id.1.clone()),
        idempotency_key: Set(new_key()?),
        circle_id: Set(None),
        status: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let once = OnConflict::columns([circle_recipient::Column::Chain, circle_recipient::Column::Address])
        .do_nothing()
        .to_owned();
    let tx = app.db.begin().await?;
    circle_recipient::Entity::insert(row).on_conflict(once).exec_without_returning(&*tx).await?;
    let row = circle_recipient::Entity::find_by_id(id).one(&*tx).await?;
    tx.commit().await?;
    row.ok_or_else(|| Error::bug("an entry of the address book vanished"))
}
