//! What administrators do with a payout that has not been signed: hold it, let it go, approve it, send it elsewhere. From
//! the signature on nobody can.

use entities::{PaymentId, PaymentKind, PaymentStatus, contract, payment};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait};
use serde_json::json;

use super::{
    record,
    state::{self, Step},
};
use crate::{
    Actor, App, Code, Error, Tx, audit,
    check::Check,
    error::Result,
    events,
    idempotency::{self, Claim},
    notification::{Notice, notify},
    policy::{self, Action},
    wallet,
};

/// Holds a payout until an administrator lets it go: nothing else does.
///
/// # Errors
///
/// When the actor may not, or it is signed: bytes that exist are never taken back.
pub async fn hold(app: &App, actor: &Actor, id: PaymentId, reason: &str) -> Result<payment::Model> {
    policy::authorise(actor, Action::Administer, "", "payment")?;
    let reason = checked(reason)?;
    let tx = app.db.begin().await?;
    let payment = locked(&tx, actor, id).await?;
    if payment.held_by.is_some() {
        return Err(Error::illegal("paymentId", "payment", payment.status.as_str(), "ON_HOLD"));
    }
    let payment = match payment.status {
        // Held for another reason already.
        PaymentStatus::OnHold => payment,
        _ => record::step(app, &tx, &payment, Step::Hold, |_| ()).await?,
    };
    let text = format!("an administrator holds it: {reason}");
    let change = payment::ActiveModel {
        id: Set(id),
        held_by: Set(actor.user_id()),
        hold_reason: Set(Some(text.clone())),
        // A look that is under way sees that it was overtaken.
        look: Set(payment.look + 1),
        due_at: Set(None),
        updated_at: Set(app.clock.now()),
        ..Default::default()
    };
    let payment = change.update(&*tx).await?;
    events::payment_updated(app, &*tx, id).await?;
    if let Some(payee) = payment.payee_id {
        let (what, amount) = ("a payout".to_owned(), payment.net);
        let notice = Notice::PaymentOnHold { payment: id, what, amount, reason: text };
        notify(app, &tx, payee, notice, &format!("{id}:HELD:{}:{}", payment.version, payment.look)).await?;
    }
    audit::record(app, &tx, actor, "payment.hold", Some(id.to_string()), json!({ "reason": reason })).await?;
    tx.commit().await?;
    Ok(payment)
}

/// Lets a held payout go, whoever or whatever held it: it is queued and looked at now, and held anew if its cause is still there.
pub async fn resume(app: &App, actor: &Actor, id: PaymentId) -> Result<payment::Model> {
    policy::authorise(actor, Action::Administer, "", "payment")?;
    let tx = app.db.begin().await?;
    let payment = locked(&tx, actor, id).await?;
    let payment = let_go(app, &tx, &payment).await?;
    audit::record(app, &tx, actor, "payment.resume", Some(id.to_string()), json!({})).await?;
    tx.commit().await?;
    Ok(payment)
}

/// Approves a payout whose amount needs an administrator other than the one who started it or sent it elsewhere.
pub async fn approve(app: &App, actor: &Actor, id: PaymentId, key: &str) -> Result<PaymentId> {
    policy::authorise(actor, Action::Administer, "", "payment")?;
    let (key, admin) = (idempotency::parse_key(key)?, actor.signed_in()?.id);
    let tx = app.db.begin().await?;
    let input = json!({ "paymentId": id });
    let ticket = match idempotency::claim(app, &tx, admin, "paymentApprove", key, &input).await? {
        Claim::Replay(done) => return Ok(done),
        Claim::Fresh(ticket) => ticket,
    };
    let payment = locked(&tx, actor, id).await?;
    policy::authorise(actor, Action::PaymentApprove(&payment), "paymentId", "payment")?;
    if !needs_approval(app, &payment) {
        let message = "This payment waits for no approval: it was given, or its amount needs none.";
        return Err(Error::rejected("paymentId", Code::IllegalState, message));
    }
    let change = payment::ActiveModel { id: Set(id), approved_by: Set(Some(admin)), ..Default::default() };
    let payment = change.update(&*tx).await?;
    // What another administrator holds stays held.
    if payment.held_by.is_none() {
        match payment.status {
            PaymentStatus::OnHold => let_go(app, &tx, &payment).await.map(drop)?,
            _ => record::look_at(app, &tx, &payment, app.clock.now()).await?,
        }
    }
    let facts = json!({ "amount": payment.amount.to_decimal().to_string() });
    audit::record(app, &tx, actor, "payment.approve", Some(id.to_string()), facts).await?;
    idempotency::settle(&tx, ticket, &id).await?;
    tx.commit().await?;
    Ok(id)
}

/// Sends what would go back to a wallet that cannot take it (blocked by the issuer of USDC, lost) to its owner's payout wallet.
///
/// # Errors
///
/// When the actor may not, it is signed, it does not go back to anybody, or the payee has no payout wallet that takes it now.
pub async fn redirect(app: &App, actor: &Actor, id: PaymentId, reason: &str, key: &str) -> Result<PaymentId> {
    policy::authorise(actor, Action::Administer, "", "payment")?;
    let reason = checked(reason)?;
    let (key, admin) = (idempotency::parse_key(key)?, actor.signed_in()?.id);
    let tx = app.db.begin().await?;
    let input = json!({ "paymentId": id, "reason": reason });
    let ticket = match idempotency::claim(app, &tx, admin, "paymentRedirect", key, &input).await? {
        Claim::Replay(done) => return Ok(done),
        Claim::Fresh(ticket) => ticket,
    };
    let payment = locked(&tx, actor, id).await?;
    let goes_back = matches!(payment.kind, PaymentKind::Refund | PaymentKind::Return);
    let Some(payee) = payment.payee_id.filter(|_| goes_back) else {
        let message = "Only a refund or a return is redirected: a release or a bonus follows its payee's payout wallet.";
        return Err(Error::rejected("paymentId", Code::IllegalState, message));
    };
    let wallet = wallet::payout_wallet(&*tx, payee).await?;
    let Some(wallet) = wallet.filter(|wallet| wallet.payouts_from <= app.clock.now()) else {
        let message =
            "The payee has no payout wallet, or a new one that still rests: try again when they have one.";
        return Err(Error::rejected("paymentId", Code::IllegalState, message));
    };
    if payment.destination.as_deref() == Some(wallet.address.as_str()) {
        let message = "It goes to the payee's payout wallet already.";
        return Err(Error::rejected("paymentId", Code::IllegalState, message));
    }
    let from = payment.destination.clone();
    let change = payment::ActiveModel {
        id: Set(id),
        destination: Set(Some(wallet.address.clone())),
        redirected_by: Set(Some(admin)),
        // What was approved was another way.
        approved_by: Set(None),
        ..Default::default()
    };
    let payment = change.update(&*tx).await?;
    if payment.held_by.is_none() {
        record::look_at(app, &tx, &payment, app.clock.now()).await?;
    }
    let facts = json!({ "from": from, "to": wallet.address, "reason": reason });
    audit::record(app, &tx, actor, "payment.redirect", Some(id.to_string()), facts).await?;
    idempotency::settle(&tx, ticket, &id).await?;
    tx.commit().await?;
    Ok(id)
}

/// Whether the decision that a payout carries out, in whole or in part, is above the limit, and no administrator has approved
/// this payout.
pub fn needs_approval(app: &App, payment: &payment::Model) -> bool {
    let decided = payment.decision_total.unwrap_or(payment.amount).max(payment.amount);
    let above = app.settings.approval_above.is_some_and(|limit| decided > limit);
    above && payment.kind != PaymentKind::Deposit && payment.approved_by.is_none()
}

/// Refuses administrators whose money it is, or who are a party of the payment's contract. The payment is locked.
pub(super) async fn require_neutral(tx: &Tx, actor: &Actor, payment: &payment::Model) -> Result<()> {
    policy::authorise(actor, Action::PaymentOfOthers(payment), "paymentId", "payment")?;
    let Some(contract) = payment.contract_id else { return Ok(()) };
    let contract = contract::Entity::find_by_id(contract).one(&**tx).await?;
    let contract = contract.ok_or_else(|| Error::bug("a payment without its contract"))?;
    policy::authorise(actor, Action::PaymentHandle(&contract), "paymentId", "payment")
}

/// The payment under lock, if this administrator may handle it and it is not signed.
async fn locked(tx: &Tx, actor: &Actor, id: PaymentId) -> Result<payment::Model> {
    let payment = record::lock(tx, id).await?.payment;
    require_neutral(tx, actor, &payment).await?;
    if !state::is_unsigned(payment.kind, payment.status) {
        let message = format!(
            "The payment is {}: only a payout that waits (QUEUED or ON_HOLD) is in an administrator's hands.",
            payment.status.as_str()
        );
        return Err(Error::rejected("paymentId", Code::IllegalState, message));
    }
    Ok(payment)
}

async fn let_go(app: &App, tx: &Tx, payment: &payment::Model) -> Result<payment::Model> {
    let payment = record::step(app, tx, payment, Step::Resume, |row| {
        row.held_by = Set(None);
        row.hold_reason = Set(None);
    })
    .await?;
    record::look_at(app, tx, &payment, app.clock.now()).await?;
    Ok(payment)
}

fn checked(reason: &str) -> Result<String> {
    let mut check = Check::new();
    let reason = check.line("reason", reason, 3..=500);
    check.done()?;
    Ok(reason)
}
