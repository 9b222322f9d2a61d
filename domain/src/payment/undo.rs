//! What a reorg undoes after it was booked. Where the money is still ours to hold, the books go back and the deposit is
//! waited for again; where it was passed on already, the platform bears the loss until the transfer is mined again.

use entities::{
    ChainTransferStatus, LedgerTransferKind, MilestoneStatus, PaymentKind, PaymentStatus, UserId,
    chain_cursor, chain_transfer, contract, milestone, payment,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::Expr,
};

use super::{
    DEPOSIT_WINDOW, credit, record, scan, settle::TREASURY, state::Step, strays, unallocated, watch,
};
use crate::{
    App, Error, Tx, account,
    error::Result,
    ledger::{self, Account},
    milestone as milestones,
    milestone::state::Step as MilestoneStep,
    notification::{Notice, notify, notify_admins},
};

/// Whether what was credited cannot be taken back: a payout of it was opened, if only to wait in the queue, since nothing
/// that a person was promised is called off behind their back; or it is before a judge. A bonus is passed on in the moment
/// that it comes.
pub(super) async fn is_spent(
    tx: &Tx,
    deposit: &payment::Model,
    milestone: Option<&milestone::Model>,
    arrived: &[chain_transfer::Model],
) -> Result<bool> {
    let Some(milestone) = milestone else { return Ok(true) };
    if !matches!(milestone.status, MilestoneStatus::Funded | MilestoneStatus::Submitted) {
        return Ok(true);
    }
    // What came too much and is on its way back, or what was lost before, cannot be taken out of the books again.
    let returned = payment::Entity::find()
        .filter(payment::Column::LinkedPaymentId.eq(deposit.id))
        .filter(payment::Column::Kind.eq(PaymentKind::Return));
    let lost = chain_transfer::Entity::find()
        .filter(chain_transfer::Column::PaymentId.eq(deposit.id))
        .filter(chain_transfer::Column::LostAt.is_not_null());
    if returned.count(&**tx).await? + lost.count(&**tx).await? > 0 {
        return Ok(true);
    }
    if unallocated::is_decided(tx, deposit.id, arrived).await? {
        return Ok(true);
    }
    let payouts = payment::Entity::find()
        .filter(payment::Column::MilestoneId.eq(milestone.id))
        .filter(payment::Column::Kind.ne(PaymentKind::Deposit))
        .filter(payment::Column::Status.ne(PaymentStatus::Failed));
    Ok(payouts.count(&**tx).await? > 0)
}

/// The deposit is waited for anew, with a deadline of its own, and its milestone with it. What still stands of it counts;
/// what is gone may come again by itself, because wallets and nodes keep sending it.
pub(super) async fn undo(
    app: &App,
    tx: &Tx,
    deposit: &payment::Model,
    milestone: Option<&milestone::Model>,
    arrived: &[(chain_transfer::Model, bool)],
) -> Result<()> {
    let milestone = milestone.ok_or_else(|| Error::bug("a bonus is never taken back"))?;
    let key = format!("{}:REVERSED:{}", deposit.id, deposit.version);
    // What was posted, line by line: how it would be divided today is another question.
    ledger::reverse(app, tx, LedgerTransferKind::DepositReversed, &credit::credited_key(deposit), &key)
        .await?;
    let now = app.clock.now();
    let deposit = record::step(app, tx, deposit, Step::Reorg, |row| {
        row.expires_at = Set(Some(now + DEPOSIT_WINDOW));
        row.completed_at = Set(None);
        row.final_at = Set(None);
        row.hold_reason = Set(None);
    })
    .await?;
    for (row, stands) in arrived {
        let status = if *stands { ChainTransferStatus::Seen } else { ChainTransferStatus::Orphaned };
        unbook(app, tx, row, status, false).await?;
    }
    let transfers: Vec<_> = arrived.iter().map(|(row, _)| row.id).collect();
    unallocated::undone(app, tx, &transfers).await?;
    let milestone = milestones::step(app, tx, milestone, MilestoneStep::DepositUndone, |row| {
        row.auto_release_at = Set(None);
        row.release_reminded_at = Set(None);
    })
    .await?;
    let parties = milestones::parties(tx, &milestone).await?;
    for person in [parties.client, parties.freelancer] {
        let (title, amount) = (milestone.title.clone(), deposit.amount);
        let notice = Notice::DepositUndone { payment: deposit.id, title, amount };
        notify(app, tx, person, notice, &format!("{}:UNDONE:{}", deposit.id, deposit.version)).await?;
    }
    record::look_at(app, tx, &deposit, now).await?;
    read_back(app, tx).await
}

/// Posts to loss what is gone after it was passed on, and alerts everybody concerned. Whether anything was; then outgoing
/// payments have to stop (see [`stop_paying`]).
pub(super) async fn lose(
    app: &App,
    tx: &Tx,
    gone: &[chain_transfer::Model],
    deposit: Option<&payment::Model>,
) -> Result<bool> {
    let mut people = account::admins(tx).await?;
    people.extend(parties(tx, deposit).await?);
    for row in gone {
        let lines = [(Account::Loss, row.amount), (TREASURY, row.amount.negated()?)];
        let (key, of) = (format!("{}:LOST:{}", row.id, row.undone), deposit.map(|deposit| deposit.id));
        ledger::post(app, tx, LedgerTransferKind::LossRecorded, &key, of, &lines).await?;
        unbook(app, tx, row, ChainTransferStatus::Orphaned, true).await?;
        tracing::error!(transfer = %row.id, amount = %row.amount, "a reorg undid USDC that was passed on already");
        for person in people.iter().copied().chain(row.user_id.filter(|user| !people.contains(user))) {
            let notice = Notice::DepositLost { payment: of, amount: row.amount };
            notify(app, tx, person, notice, &key).await?;
        }
    }
    Ok(!gone.is_empty())
}

/// What was lost is on the chain again, and deep enough: the platform bears nothing any more.
pub(super) async fn regain(app: &App, tx: &Tx, row: &chain_transfer::Model) -> Result<()> {
    let deposit = locked_deposit(tx, row).await?;
    if !strays::turn(app, tx, row, ChainTransferStatus::Credited).await? {
        return Ok(());
    }
    let lines = [(TREASURY, row.amount), (Account::Loss, row.amount.negated()?)];
    let key = format!("{}:REGAINED:{}", row.id, row.undone);
    ledger::post(app, tx, LedgerTransferKind::LossRecorded, &key, row.payment_id, &lines).await?;
    let change = chain_transfer::ActiveModel { id: Set(row.id), lost_at: Set(None), ..Default::default() };
    change.update(&**tx).await?;
    tracing::info!(transfer = %row.id, amount = %row.amount, "what a reorg had undone is there again");
    let notice = Notice::DepositRegained { payment: row.payment_id, amount: row.amount };
    notify_admins(app, tx, &notice, &key).await?;
    match deposit.filter(watch::is_credited) {
        // Its blocks may be undone again: it is watched until they are final.
        Some(deposit) => record::look_at(app, tx, &deposit, app.clock.now()).await,
        None => Ok(()),
    }
}

/// The deposit that a transfer was given to, locked; before the transfer, as everybody does.
pub(super) async fn locked_deposit(tx: &Tx, row: &chain_transfer::Model) -> Result<Option<payment::Model>> {
    let Some(id) = row.payment_id else { return Ok(None) };
    Ok(payment::Entity::find_by_id(id).lock_exclusive().one(&**tx).await?)
}

/// Outgoing payments stop until a person has looked at it. Last of all in its transaction: the switch is locked after
/// everything else.
pub(super) async fn stop_paying(app: &App, tx: &Tx) -> Result<()> {
    // The one call of the treasury's switch from here.
    let reason = "a reorganisation of the chain undid a deposit after its money was passed on";
    crate::treasury::switch::engage(app, tx, None, reason).await.map(drop)
}

pub(super) async fn unbook(
    app: &App,
    tx: &Tx,
    row: &chain_transfer::Model,
    status: ChainTransferStatus,
    lost: bool,
) -> Result<()> {
    let now = app.clock.now();
    let change = chain_transfer::ActiveModel {
        id: Set(row.id),
        status: Set(status),
        undone: Set(row.undone + 1),
        moved_at: Set(None),
        lost_at: Set(lost.then_some(now)),
        updated_at: Set(now),
        ..Default::default()
    };
    change.update(&**tx).await?;
    Ok(())
}

/// Lets the scanner read back, soon: the same transfers may stand in other blocks. After payments were locked.
pub(super) async fn read_back(app: &App, tx: &Tx) -> Result<()> {
    scan::hasten(app, tx).await?;
    chain_cursor::Entity::update_many()
        // No block has this hash: the scanner takes it for a reorg.
        .col_expr(chain_cursor::Column::BlockHash, Expr::value(""))
        .filter(chain_cursor::Column::ChainId.eq(super::numbers::chain_id(app)?))
        .exec(&**tx)
        .await?;
    Ok(())
}

async fn parties(tx: &Tx, deposit: Option<&payment::Model>) -> Result<Vec<UserId>> {
    let Some(contract) = deposit.and_then(|deposit| deposit.contract_id) else { return Ok(Vec::new()) };
    let contract = contract::Entity::find_by_id(contract).one(&**tx).await?;
    let contract = contract.ok_or_else(|| Error::bug("a payment without its contract"))?;
    Ok(vec![contract.client_id, contract.freelancer_id])
}
