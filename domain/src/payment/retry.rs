//! A payout that failed for good, tried again: by another payment, once its cause was seen to. One that Circle does not take is
//! asked for once more before.

use entities::{PaymentId, PaymentKind, PaymentStatus, payment};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

use super::{Failed, NewPayment, circle, manage, open_retry, payout, record, reserve};
use crate::{
    Actor, App, Code, Error, Tx, audit,
    error::Result,
    idempotency::{self, Claim},
    money::Split,
    policy::{self, Action},
};

/// Makes a payment that does what a FAILED one did not, with the same amounts; for admins who take no side in it. What the
/// failure gave back to the books is set aside anew, in the same transaction. A payment that Circle was asked for and that has
/// not ended is asked for again instead, under its own key or by its id: it goes on, or it is FAILED after that. The answer is then that
/// payment.
///
/// # Errors
///
/// When the actor may not, the payment has not failed, was tried again before, or is a refund whose milestone went back to
/// where it was: that is given anew.
pub async fn retry(app: &App, actor: &Actor, id: PaymentId, key: &str) -> Result<PaymentId> {
    policy::authorise(actor, Action::Administer, "", "payment")?;
    let (key, admin) = (idempotency::parse_key(key)?, actor.signed_in()?.id);
    // The chain and Circle are asked before the transaction.
    let paid = payout::is_on_the_chain(app, id).await?;
    let again = circle::ask_again(app, id).await?;
    let tx = app.db.begin().await?;
    let input = json!({ "paymentId": id });
    let ticket = match idempotency::claim(app, &tx, admin, "paymentRetry", key, &input).await? {
        Claim::Replay(done) => return Ok(done),
        Claim::Fresh(ticket) => ticket,
    };
    let locked = record::lock(&tx, id).await?;
    manage::require_neutral(&tx, actor, &locked.payment).await?;
    if let Some(again) = again {
        let outcome = circle::conclude(app, &tx, locked, again).await?;
        let facts = json!({ "asked": "Circle, again", "outcome": outcome });
        audit::record(app, &tx, actor, "payment.retry", Some(id.to_string()), facts).await?;
        idempotency::settle(&tx, ticket, &id).await?;
        tx.commit().await?;
        return Ok(id);
    }
    let failed = locked.payment;
    require_retriable(&tx, &failed).await?;
    // What the chain took after all is never paid twice.
    if paid {
        let message = "The chain shows that this payment was paid after all: have a developer look at it.";
        return Err(Error::rejected("paymentId", Code::IllegalState, message));
    }
    let took = Failed { id, redirected_by: failed.redirected_by, decision_total: failed.decision_total };
    let new = NewPayment {
        kind: failed.kind,
        contract: failed.contract_id,
        milestone: failed.milestone_id,
        payer: failed.payer_id,
        payee: failed.payee_id,
        started_by: Some(admin),
        split: Split { gross: failed.amount, fee: failed.fee, net: failed.net },
        reason: failed.reason,
        linked: failed.linked_payment_id,
        dispute: failed.dispute_id,
        // A release looks for the payout wallet anew; what goes back goes where it came from.
        destination: failed.destination.filter(|_| goes_back(failed.kind)),
    };
    let payment = open_retry(app, &tx, new, took).await?;
    // What is to be returned stands on the payer's account all the time.
    if payment.kind != PaymentKind::Return {
        reserve(app, &tx, &payment).await?;
    }
    let facts =
        json!({ "payment": payment.id.to_string(), "amount": payment.amount.to_decimal().to_string() });
    audit::record(app, &tx, actor, "payment.retry", Some(id.to_string()), facts).await?;
    idempotency::settle(&tx, ticket, &payment.id).await?;
    tx.commit().await?;
    Ok(payment.id)
}

/// The payment is locked, so of two who try one finds what the other made.
async fn require_retriable(tx: &Tx, failed: &payment::Model) -> Result<()> {
    if failed.status != PaymentStatus::Failed {
        return Err(Error::illegal("paymentId", "payment", failed.status.as_str(), "QUEUED"));
    }
    if failed.kind == PaymentKind::Refund && failed.dispute_id.is_none() {
        let message =
            "A refund that failed left its milestone as it was: give it again with milestoneRefund.";
        return Err(Error::rejected("paymentId", Code::IllegalState, message));
    }
    let again = payment::Entity::find().filter(payment::Column::RetryOf.eq(failed.id)).one(&**tx).await?;
    match again {
        None => Ok(()),
        Some(again) => {
            let message = format!("This payment was tried again already, by {}: look at that one.", again.id);
            Err(Error::rejected("paymentId", Code::IllegalState, message))
        }
    }
}

const fn goes_back(kind: PaymentKind) -> bool {
    matches!(kind, PaymentKind::Refund | PaymentKind::Return)
}
