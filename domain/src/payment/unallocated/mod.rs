//! Money that arrived and pays nothing: set aside until an admin assigns it to a deposit or sends it back. What is OPEN here
//! is what the ledger's account of unallocated deposits owes.

use entities::{
    ChainTransferId, ChainTransferStatus, PaymentId, PaymentKind, PaymentStatus, UnallocatedId,
    UnallocatedReason, UnallocatedStatus, Usdc, UserId, chain_transfer, payment, unallocated_deposit,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};

use super::{credit::SMALLEST_RETURN, state::BOOKED, strays};
use crate::{
    Actor, App, Code, Error, Tx,
    error::Result,
    page::List,
    policy::{self, Action},
};

mod assign;
mod give_back;

pub use assign::assign;
pub use give_back::give_back;

/// Which are wanted; what is empty or `None` does not narrow the list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In one of these states.
    pub status: Vec<UnallocatedStatus>,
    /// That a wallet of this person sent.
    pub user_id: Option<UserId>,
}

/// By what they are ordered; ties go by when they were set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderField {
    /// By when they were set aside.
    CreatedAt,
    /// By how much.
    Amount,
}

/// All of them, for admins.
pub fn list(
    actor: &Actor,
    filter: &Filter,
    order: OrderField,
    descending: bool,
) -> Result<List<unallocated_deposit::Entity>> {
    use unallocated_deposit::Column;
    policy::authorise(actor, Action::Administer, "", "unallocated deposit")?;
    let mut narrow = Condition::all().add_option(filter.user_id.map(|user| Column::UserId.eq(user)));
    if !filter.status.is_empty() {
        narrow = narrow.add(Column::Status.is_in(filter.status.iter().copied()));
    }
    let select = unallocated_deposit::Entity::find().filter(narrow);
    Ok(match order {
        OrderField::CreatedAt => List::by_id(select, Column::Id, descending),
        OrderField::Amount => List::by(select, Column::Amount, Column::Id, descending),
    })
}

/// One of them, for admins.
pub async fn find(app: &App, actor: &Actor, id: UnallocatedId) -> Result<unallocated_deposit::Model> {
    policy::authorise(actor, Action::Administer, "", "unallocated deposit")?;
    let found = unallocated_deposit::Entity::find_by_id(id).one(app.db.reader()).await?;
    found.ok_or_else(missing)
}

fn missing() -> Error {
    Error::not_found("unallocatedId", "unallocated deposit")
}

/// Notes what the ledger has just set aside, in the same transaction.
pub(super) async fn note(
    app: &App,
    tx: &Tx,
    transfer: &chain_transfer::Model,
    amount: Usdc,
    reason: UnallocatedReason,
) -> Result<()> {
    let row = unallocated_deposit::Model {
        id: app.clock.new_id(),
        chain_transfer_id: transfer.id,
        transaction_hash: transfer.transaction_hash.clone(),
        from_address: transfer.from_address.clone(),
        amount,
        user_id: transfer.user_id,
        reason,
        status: UnallocatedStatus::Open,
        payment_id: None,
        resolved_by: None,
        resolved_at: None,
        created_at: app.clock.now(),
    };
    unallocated_deposit::Entity::insert(row.into_active_model()).exec_without_returning(&**tx).await?;
    Ok(())
}

/// Notes the rests of some transfers that are too small to go back by themselves.
pub(super) async fn note_rests(app: &App, tx: &Tx, rests: &[(chain_transfer::Model, Usdc)]) -> Result<()> {
    for (transfer, rest) in rests {
        note(app, tx, transfer, *rest, UnallocatedReason::RestBelowReturn).await?;
    }
    Ok(())
}

/// Why a transfer pays nothing.
pub(super) async fn reason_of(tx: &Tx, row: &chain_transfer::Model) -> Result<UnallocatedReason> {
    let Some(user) = row.user_id else { return Ok(UnallocatedReason::UnknownSender) };
    let newest = payment::Entity::find()
        .filter(payment::Column::PayerId.eq(user))
        .filter(payment::Column::Kind.eq(PaymentKind::Deposit))
        .filter(payment::Column::CreatedAt.lte(row.block_time))
        .order_by_desc(payment::Column::Id)
        .one(&**tx)
        .await?;
    let Some(newest) = newest else { return Ok(UnallocatedReason::NoOpenPayment) };
    let late = newest.status == PaymentStatus::Expired
        || (newest.status == PaymentStatus::AwaitingFunds
            && newest.expires_at.is_some_and(|deadline| deadline < row.block_time));
    let just = |done| done >= row.block_time - strays::SURPLUS_WINDOW;
    let surplus = row.amount < SMALLEST_RETURN && newest.completed_at.is_some_and(just);
    Ok(match (late, surplus) {
        (true, _) => UnallocatedReason::Late,
        (_, true) => UnallocatedReason::RestBelowReturn,
        _ => UnallocatedReason::NoOpenPayment,
    })
}

/// Whether a transfer, set aside as a whole, still is. Called before the transfer is locked, as everybody does.
pub(super) async fn is_open_whole(tx: &Tx, transfer: &chain_transfer::Model) -> Result<bool> {
    if transfer.status != ChainTransferStatus::Unallocated {
        return Ok(false);
    }
    let open = unallocated_deposit::Entity::find()
        .filter(unallocated_deposit::Column::ChainTransferId.eq(transfer.id))
        .filter(unallocated_deposit::Column::Status.eq(UnallocatedStatus::Open))
        .lock_exclusive()
        .one(&**tx)
        .await?;
    Ok(open.is_some())
}

/// Whether an admin has decided on a rest of these transfers, or put other money into the deposit: then it cannot be undone.
/// What is still open stays so until the transaction ends.
pub(super) async fn is_decided(
    tx: &Tx,
    deposit: PaymentId,
    transfers: &[chain_transfer::Model],
) -> Result<bool> {
    use unallocated_deposit::Column;
    let rests = unallocated_deposit::Entity::find()
        .filter(Column::ChainTransferId.is_in(transfers.iter().map(|row| row.id)))
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .all(&**tx)
        .await?;
    let decided = [UnallocatedStatus::Assigned, UnallocatedStatus::Returned];
    if rests.iter().any(|row| decided.contains(&row.status)) {
        return Ok(true);
    }
    let assigned = unallocated_deposit::Entity::find().filter(Column::PaymentId.eq(deposit));
    Ok(assigned.count(&**tx).await? > 0)
}

/// A reorg undid what these transfers brought.
pub(super) async fn undone(app: &App, tx: &Tx, transfers: &[ChainTransferId]) -> Result<()> {
    use unallocated_deposit::Column;
    unallocated_deposit::Entity::update_many()
        .col_expr(Column::Status, Expr::value(UnallocatedStatus::Undone))
        .col_expr(Column::ResolvedAt, Expr::value(app.clock.now()))
        .filter(Column::ChainTransferId.is_in(transfers.iter().copied()))
        .filter(Column::Status.eq(UnallocatedStatus::Open))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// Locks one that somebody has to decide on, with its transfer, which has to stand on the chain beyond doubt.
async fn open(tx: &Tx, id: UnallocatedId, to: UnallocatedStatus) -> Result<unallocated_deposit::Model> {
    let row = unallocated_deposit::Entity::find_by_id(id).lock_exclusive().one(&**tx).await?;
    let row = row.ok_or_else(missing)?;
    if row.status != UnallocatedStatus::Open {
        let from = row.status.as_str();
        return Err(Error::illegal("unallocatedId", "unallocated deposit", from, to.as_str()));
    }
    let transfer =
        chain_transfer::Entity::find_by_id(row.chain_transfer_id).lock_exclusive().one(&**tx).await?;
    let transfer = transfer.ok_or_else(|| Error::bug("unallocated money without its transfer"))?;
    if transfer.moved_at.is_some() || !BOOKED.contains(&transfer.status) {
        let message = "A reorganisation of the chain touched this transfer, or took it away: try again when every node shows it with \
             all its confirmations.";
        return Err(Error::rejected("unallocatedId", Code::IllegalState, message));
    }
    Ok(row)
}

/// It is our own money, which an administrator moved here from another rail: the books have it once.
pub(super) async fn moved(app: &App, tx: &Tx, id: UnallocatedId, amount: Usdc, by: UserId) -> Result<()> {
    let row = open(tx, id, UnallocatedStatus::Assigned).await?;
    if row.user_id.is_some() {
        let message = "Somebody's own wallet sent this: it is theirs, and no move of ours.";
        return Err(Error::rejected("unallocatedId", Code::Invalid, message));
    }
    if row.amount != amount {
        let message = format!("This is {}: give what was moved.", row.amount);
        return Err(Error::rejected("amount", Code::OutOfRange, message));
    }
    resolve(app, tx, &row, UnallocatedStatus::Assigned, None, by).await
}

/// Writes down what was decided.
async fn resolve(
    app: &App,
    tx: &Tx,
    row: &unallocated_deposit::Model,
    status: UnallocatedStatus,
    payment: Option<PaymentId>,
    by: UserId,
) -> Result<()> {
    let change = unallocated_deposit::ActiveModel {
        id: Set(row.id),
        status: Set(status),
        payment_id: Set(payment),
        resolved_by: Set(Some(by)),
        resolved_at: Set(Some(app.clock.now())),
        ..Default::default()
    };
    change.update(&**tx).await?;
    Ok(())
}
