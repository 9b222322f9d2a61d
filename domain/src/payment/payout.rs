//! Paying out: intent, checks, nonce, signed bytes and hash in one commit, then broadcast, then
//! confirmations. Whatever dies in between, the same bytes are sent again, never others.

use chrono::{DateTime, Duration, Utc};
use entities::{
    ChainTransactionStatus, PaymentId, PaymentKind, PaymentRail, PaymentStatus, UserId, chain_nonce,
    chain_transaction, payment,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
    sea_query::OnConflict,
};

use super::{
    circle, manage,
    numbers::{chain_id, poll, stored},
    record::{self, Locked},
    refund,
    state::{self, Step},
};
use crate::{
    App, Error, Tx,
    error::Result,
    fault,
    ports::chain::{Address, BlockTag},
    queue::Outcome,
    treasury, wallet,
};

mod hold;
mod nonce;
mod obstacle;
mod replace;
mod track;

pub(super) use hold::{hold, resumed, wait};
pub(super) use nonce::pass_moves;
pub(crate) use nonce::used_by_moves;
use obstacle::{Means, Obstacle};
pub use track::track;
pub(super) use track::{is_on_the_chain, is_under_way};

/// Where a payout goes, or why it cannot go yet.
enum Destination {
    To(Address),
    Hold(&'static str),
    Wait { reason: &'static str, until: DateTime<Utc> },
}

/// Signs and sends a queued payout, or holds it and says why.
pub async fn send(app: &App, id: PaymentId) -> Result<Outcome> {
    let Some(payment) = payment::Entity::find_by_id(id).one(app.db.reader()).await? else {
        return Ok(Outcome::Done);
    };
    if !is_waiting(&payment) || !record::is_due(app, &payment) {
        return Ok(Outcome::Done);
    }
    if manage::needs_approval(app, &payment) {
        return hold(app, &payment, "its amount needs the approval of an administrator who did not start it")
            .await;
    }
    let to = match destination(app, &payment).await? {
        Destination::To(address) => address,
        Destination::Hold(reason) => return hold(app, &payment, reason).await,
        Destination::Wait { reason, until } => return wait(app, &payment, reason, until).await,
    };
    if let Some(reason) = treasury::switch::hold_reason(app.db.reader()).await? {
        return hold(app, &payment, &reason).await;
    }
    if payment.rail == PaymentRail::Circle {
        return circle::send(app, &payment, to).await;
    }
    app.chain.verify().await?;
    let means = match obstacle::look(app, &payment, to).await? {
        Ok(means) => means,
        Err(obstacle) => return stopped(app, &payment, obstacle).await,
    };
    let first_nonce = app.chain.mined_nonce(app.chain.treasury(), BlockTag::Latest).await?;
    let raw = match sign_and_store(app, &payment, to, &means, first_nonce).await? {
        Signing::Signed(raw) => raw,
        Signing::Stopped(obstacle) => return stopped(app, &payment, obstacle).await,
        Signing::Left => return Ok(Outcome::Done),
    };
    // From here on the tracker sees to it: a broadcast that fails now is repeated there.
    match app.chain.broadcast(&raw).await {
        Ok(_) => Ok(Outcome::Done),
        Err(error) => {
            tracing::warn!(payment = %id, %error, "broadcast failed; the tracker repeats it");
            Ok(Outcome::Done)
        }
    }
}

async fn stopped(app: &App, payment: &payment::Model, obstacle: Obstacle) -> Result<Outcome> {
    match obstacle {
        Obstacle::Lasting(reason) => hold(app, payment, reason).await,
        Obstacle::Passing(reason) => wait(app, payment, reason, app.clock.now() + poll(app)).await,
    }
}

/// The payouts of a person that wait for a wallet are due again: they have one now.
pub async fn wake_for(app: &App, tx: &Tx, payee: UserId) -> Result<()> {
    let theirs = payment::Entity::find()
        .filter(payment::Column::PayeeId.eq(payee))
        // Its wallet may be what it is held for.
        .filter(payment::Column::Status.is_in([PaymentStatus::Queued, PaymentStatus::OnHold]))
        .filter(payment::Column::Kind.is_in([PaymentKind::Release, PaymentKind::Bonus]));
    for payment in record::lock_all(tx, theirs).await? {
        if payment.approved_by.is_some() {
            // What was approved was another way, also where an administrator holds it meanwhile.
            let change =
                payment::ActiveModel { id: Set(payment.id), approved_by: Set(None), ..Default::default() };
            change.update(&**tx).await?;
        }
        if payment.held_by.is_none() {
            record::look_at(app, tx, &payment, app.clock.now()).await?;
        }
    }
    Ok(())
}

/// Whether it may be sent by itself: what an administrator holds waits for one.
pub(super) const fn is_waiting(payment: &payment::Model) -> bool {
    state::is_unsigned(payment.kind, payment.status) && payment.held_by.is_none()
}

/// A release goes to the payee's payout wallet, a refund back to the wallet that it came from.
async fn destination(app: &App, payment: &payment::Model) -> Result<Destination> {
    match payment.kind {
        PaymentKind::Release | PaymentKind::Bonus => {
            let payee = payment.payee_id.ok_or_else(|| Error::bug("a payout without its payee"))?;
            let now = app.clock.now();
            let Some(wallet) = wallet::payout_wallet(app.db.reader(), payee).await? else {
                let reason = "the payee has no payout wallet yet";
                return Ok(Destination::Wait { reason, until: now + Duration::hours(1) });
            };
            if wallet.payouts_from > now {
                let reason = "the payee's payout wallet is new and rests";
                return Ok(Destination::Wait { reason, until: wallet.payouts_from });
            }
            parse(&wallet.address).map(Destination::To)
        }
        PaymentKind::Refund => Ok(match refund_wallet(app, payment).await? {
            Some(address) => Destination::To(parse(&address)?),
            None => Destination::Hold("no wallet is known that this money came from"),
        }),
        PaymentKind::Return => {
            let sender = payment.destination.as_deref();
            parse(sender.ok_or_else(|| Error::bug("a return without its sender"))?).map(Destination::To)
        }
        PaymentKind::Deposit => Err(Error::bug("a deposit is not paid out")),
    }
}

async fn refund_wallet(app: &App, payment: &payment::Model) -> Result<Option<String>> {
    match &payment.destination {
        Some(wallet) => Ok(Some(wallet.clone())),
        // Queued before refunds were divided at once.
        None => refund::wallet_of(app, payment).await,
    }
}

fn parse(address: &str) -> Result<Address> {
    address.parse().map_err(|_| Error::bug(format!("a stored address does not parse: {address}")))
}

/// What came of signing.
enum Signing {
    /// These bytes are stored, and are to be broadcast.
    Signed(Vec<u8>),
    /// Others were signed since the means were looked at, and they do not do for both.
    Stopped(Obstacle),
    /// Somebody else signed it meanwhile: one intent never gets a second nonce. Or outgoing money was paused, or what was looked
    /// at has changed since, which the look that was queued with the change sees to.
    Left,
}

/// Takes the next nonce, signs, and stores nonce, bytes and hash in one commit.
async fn sign_and_store(
    app: &App,
    seen: &payment::Model,
    to: Address,
    means: &Means,
    first_nonce: u64,
) -> Result<Signing> {
    let (tx, id) = (app.db.begin().await?, seen.id);
    let Locked { payment, .. } = record::lock(&tx, id).await?;
    let signed_before = chain_transaction::Entity::find()
        .filter(chain_transaction::Column::PaymentId.eq(id))
        .one(&*tx)
        .await?;
    if !is_waiting(&payment) || record::was_woken(&payment, seen) || signed_before.is_some() {
        return Ok(Signing::Left);
    }
    if treasury::switch::stops(&tx).await? {
        // Paused since it was looked at: the next look holds it.
        record::look_at(app, &tx, &payment, app.clock.now()).await?;
        tx.commit().await?;
        return Ok(Signing::Left);
    }
    let payment = resumed(app, &tx, payment).await?;
    let nonce = take_nonce(app, &tx, first_nonce).await?;
    // Whoever signs waits for the nonce, and so knows of all who signed before.
    if let Some(obstacle) = means.short_of(&*tx, payment.net).await? {
        return Ok(Signing::Stopped(obstacle));
    }
    let (gas_limit, fees) = (means.gas_limit, means.fees);
    let signed = app.chain.sign_transfer(nonce, to, payment.net, gas_limit, fees)?;
    fault::point("payout.sign").await?;
    let now = app.clock.now();
    let row = chain_transaction::Model {
        id: app.clock.new_id(),
        payment_id: id,
        chain_id: chain_id(app)?,
        nonce: stored(nonce)?,
        hash: signed.hash.to_string(),
        raw: signed.raw.clone(),
        to_address: to.to_string(),
        amount: payment.net,
        max_fee_per_gas: stored(fees.max_fee_per_gas)?,
        max_priority_fee_per_gas: stored(fees.max_priority_fee_per_gas)?,
        gas_limit: stored(gas_limit)?,
        status: ChainTransactionStatus::Signed,
        block_number: None,
        block_hash: None,
        gas_fee_wei: None,
        broadcast_at: None,
        created_at: now,
        updated_at: now,
    };
    chain_transaction::Entity::insert(row.into_active_model()).exec_without_returning(&*tx).await?;
    let payment = record::step(app, &tx, &payment, Step::Sign, |row| {
        row.destination = Set(Some(to.to_string()));
        row.hold_reason = Set(None);
    })
    .await?;
    record::look_at(app, &tx, &payment, now + poll(app)).await?;
    fault::point("payout.persist").await?;
    tx.commit().await?;
    Ok(Signing::Signed(signed.raw))
}

/// The next nonce of our own counter, which starts where the chain was when we first asked.
async fn take_nonce(app: &App, tx: &Tx, first: u64) -> Result<u64> {
    let (address, chain_id) = (app.chain.treasury().to_string(), chain_id(app)?);
    let row = chain_nonce::ActiveModel {
        address: Set(address.clone()),
        chain_id: Set(chain_id),
        next_nonce: Set(stored(first)?),
    };
    let once = OnConflict::columns([chain_nonce::Column::Address, chain_nonce::Column::ChainId])
        .do_nothing()
        .to_owned();
    chain_nonce::Entity::insert(row).on_conflict(once).exec_without_returning(&**tx).await?;
    let row = chain_nonce::Entity::find_by_id((address, chain_id))
        .lock_exclusive()
        .one(&**tx)
        .await?
        .ok_or_else(|| Error::bug("the nonce counter vanished"))?;
    // Those of moves were gone before this one is signed: the chain would never take it.
    let used = used_by_moves(&**tx, &row).await?;
    let nonce = nonce::past(&used, row.next_nonce);
    let mut next: chain_nonce::ActiveModel = row.into();
    next.next_nonce = Set(nonce::past(&used, nonce + 1));
    next.update(&**tx).await?;
    u64::try_from(nonce).map_err(|_| Error::bug("a negative nonce"))
}
