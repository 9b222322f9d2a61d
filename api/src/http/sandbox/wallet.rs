//! What a person's wallet would do: pay a deposit, sign a message.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use domain::entities::{PaymentId, PaymentKind, Usdc};
use domain::{Actor, clock, payment, wallet};
use sandbox::evm::Key;
use serde::{Deserialize, Serialize};

use super::{Sandbox, Wrong};

/// How many throw-away keys are kept; asking for more forgets the old ones.
const MOST_KEYS: usize = 1_000;

/// The keys that were handed out, by address in lower case. They are gone with the process.
#[derive(Debug, Default)]
pub(super) struct Keys(Mutex<HashMap<String, Key>>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pay {
    payment_id: String,
    /// In USDC; what is due when left out.
    amount: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Paid {
    transaction_hash: String,
}

/// Pays a deposit from the payer's linked wallet, whatever key that has: the sandbox's chain funds it and sends in its
/// name. Nothing is reported to the API: it finds the money on the chain.
pub(super) async fn pay(State(sandbox): State<Sandbox>, Json(order): Json<Pay>) -> Result<Json<Paid>, Wrong> {
    let app = &sandbox.app;
    let id: PaymentId = order.payment_id.parse().map_err(|error| Wrong::request(format!("{error}.")))?;
    let payment = payment::find(app, &Actor::System, id).await?;
    let (PaymentKind::Deposit, Some(payer), Some(to)) =
        (payment.kind, payment.payer_id, &payment.deposit_address)
    else {
        return Err(Wrong::request("This payment is no deposit: nobody pays it from a wallet."));
    };
    let amount = match order.amount.as_deref().map(str::trim).filter(|amount| !amount.is_empty()) {
        Some(amount) => amount.parse().map_err(|error| Wrong::request(format!("The amount: {error}.")))?,
        None => payment.amount.minus(received(&sandbox, id).await?).map_err(Wrong::inside)?,
    };
    let micro = u64::try_from(amount.micro()).ok().filter(|micro| *micro > 0);
    let micro =
        micro.ok_or_else(|| Wrong::request("Nothing is due. To pay more all the same, give an amount."))?;
    let wallets = wallet::of_user(app.db.reader(), payer).await?;
    let from = wallets.iter().find(|wallet| wallet.is_payout).or(wallets.first());
    let from = from.ok_or_else(|| Wrong::request("The payer has no linked wallet."))?;
    tracing::debug!(payment = %id, wallet = %from.id, %amount, "the sandbox pays a deposit");
    let transaction_hash = sandbox.evm.pay(&from.address, to, micro).await.map_err(Wrong::inside)?;
    Ok(Json(Paid { transaction_hash }))
}

async fn received(sandbox: &Sandbox, id: PaymentId) -> Result<Usdc, Wrong> {
    let transfers = payment::transfers::of_payments(sandbox.app.db.reader(), &[id]).await?;
    let arrived = transfers.get(&id).into_iter().flatten().map(|transfer| transfer.amount);
    Usdc::sum(arrived).map_err(Wrong::inside)
}

#[derive(Serialize)]
pub(super) struct NewKey {
    address: String,
}

/// A key of which only the address is told.
pub(super) async fn new(State(sandbox): State<Sandbox>) -> Result<Json<NewKey>, Wrong> {
    let key = Key::new(&clock::random_bytes()?).map_err(Wrong::inside)?;
    let address = key.address();
    let mut keys = sandbox.keys.0.lock().unwrap_or_else(PoisonError::into_inner);
    if keys.len() >= MOST_KEYS {
        keys.clear();
    }
    keys.insert(address.to_lowercase(), key);
    Ok(Json(NewKey { address }))
}

#[derive(Deserialize)]
pub(super) struct Sign {
    message: String,
}

#[derive(Serialize)]
pub(super) struct Signed {
    address: String,
    signature: String,
}

/// Signs a message with the key whose address stands in it: on the second line, after EIP-4361.
pub(super) async fn sign(
    State(sandbox): State<Sandbox>,
    Json(Sign { message }): Json<Sign>,
) -> Result<Json<Signed>, Wrong> {
    let message = message.replace("\r\n", "\n");
    let message = message.trim_end_matches('\n');
    let address = message.lines().nth(1).unwrap_or_default().trim();
    let keys = sandbox.keys.0.lock().unwrap_or_else(PoisonError::into_inner);
    let key = keys.get(&address.to_lowercase()).ok_or_else(|| {
        Wrong::request(
            "The second line of the message is no address from here. Take a new address and begin again.",
        )
    })?;
    let signature = key.sign_message(message).map_err(Wrong::inside)?;
    Ok(Json(Signed { address: key.address(), signature }))
}
