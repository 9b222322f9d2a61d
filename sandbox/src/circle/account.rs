//! The account: its balance, its address book, its payouts, and what was notified about them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::sign::StoredKey;
use super::{answer, money, sign};

/// How many notices are kept; older ones are forgotten.
const KEPT: usize = 1_000;

/// Everything that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Account {
    pub(super) key: StoredKey,
    /// Millionths of a dollar, without what pending payouts took.
    pub(super) balance: i64,
    pub(super) recipients: Vec<Recipient>,
    pub(super) payouts: Vec<Payout>,
    pub(super) notices: Vec<Notice>,
    /// Addresses with a status set by hand, in lower case.
    rulings: Vec<(String, String)>,
    pub(super) fail_next: Option<String>,
    /// What a payout costs beside its amount, in millionths of a dollar.
    #[serde(default)]
    pub(super) fee: i64,
}

/// An entry of the address book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Recipient {
    pub(super) id: String,
    pub(super) idempotency_key: String,
    pub(super) chain: String,
    /// In lower case, as Circle gives it back.
    pub(super) address: String,
    pub(super) status: String,
    pub(super) created: u64,
    pub(super) updated: u64,
    /// When the screening ends by itself.
    due: Option<u64>,
}

/// A payout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payout {
    pub(super) id: String,
    pub(super) idempotency_key: String,
    pub(super) recipient: String,
    pub(super) amount: i64,
    pub(super) status: String,
    pub(super) error_code: Option<String>,
    pub(super) created: u64,
    pub(super) updated: u64,
    /// What was taken for it beside the amount: known when it is complete.
    #[serde(default)]
    pub(super) fee: Option<i64>,
    /// Whether the balance was charged for it and not given it back.
    charged: bool,
    /// What will become of it.
    fate: Ending,
    due: Option<u64>,
}

/// What was notified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Notice {
    pub(super) id: String,
    pub(super) body: String,
    pub(super) delivered: bool,
}

/// What becomes of a payout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ending {
    /// The money has arrived.
    Complete,
    /// It has not and will not, with this `errorCode`; the balance has it back.
    Failed(String),
    /// A status that no client has heard of. Another ending may follow.
    Other(String),
}

/// A payout that was accepted: an effect in the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Circle's id of it.
    pub id: String,
    /// The key that it was asked for with.
    pub idempotency_key: String,
    /// Millionths of a dollar.
    pub amount: i64,
    /// The recipient's address, in lower case.
    pub recipient: String,
    /// Where it stands.
    pub status: String,
}

/// Why a request is not done.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The key was used for another body.
    KeyBound,
    /// The address is in the book already, under another key.
    AddressTaken,
    /// No such recipient, or none that may be paid.
    Destination(&'static str),
    /// No id could be made.
    Broken(String),
}

impl Account {
    pub(super) fn new(balance: i64, key: StoredKey) -> Self {
        Self {
            key,
            balance,
            recipients: Vec::new(),
            payouts: Vec::new(),
            notices: Vec::new(),
            rulings: Vec::new(),
            fail_next: None,
            fee: 0,
        }
    }

    /// Adds an address to the book; the same key gives what it gave before.
    pub(super) fn add_recipient(
        &mut self,
        key: &str,
        chain: &str,
        address: &str,
        screening: Option<Duration>,
        now: u64,
    ) -> Result<Recipient, Refusal> {
        let address = address.to_lowercase();
        if let Some(known) = self.recipients.iter().find(|known| known.idempotency_key == key) {
            let same = known.chain == chain && known.address == address;
            return if same { Ok(known.clone()) } else { Err(Refusal::KeyBound) };
        }
        if self.recipients.iter().any(|known| known.chain == chain && known.address == address) {
            return Err(Refusal::AddressTaken);
        }
        let recipient = Recipient {
            id: new_id()?,
            idempotency_key: key.to_owned(),
            chain: chain.to_owned(),
            address,
            status: "pending".to_owned(),
            created: now,
            updated: now,
            due: due(now, screening),
        };
        self.recipients.push(recipient.clone());
        Ok(recipient)
    }

    /// Accepts a payout; the same key gives the same payout as it is now.
    pub(super) fn add_payout(
        &mut self,
        key: &str,
        recipient: &str,
        amount: i64,
        paying: Option<Duration>,
        now: u64,
    ) -> Result<Payout, Refusal> {
        if let Some(known) = self.payouts.iter().find(|known| known.idempotency_key == key) {
            let same = known.recipient == recipient && known.amount == amount;
            return if same { Ok(known.clone()) } else { Err(Refusal::KeyBound) };
        }
        match self.recipients.iter().find(|known| known.id == recipient) {
            None => return Err(Refusal::Destination("no such recipient")),
            Some(known) if known.status != "active" => {
                return Err(Refusal::Destination("the recipient is not active"));
            }
            Some(_) => {}
        }
        // Too little in the account is not refused at once: the payout is taken, and fails.
        let charged = self.balance >= amount;
        let fate = if !charged {
            Ending::Failed("insufficient_funds".to_owned())
        } else if let Some(code) = self.fail_next.take() {
            Ending::Failed(code)
        } else {
            Ending::Complete
        };
        if charged {
            self.balance -= amount;
        }
        let payout = Payout {
            id: new_id()?,
            idempotency_key: key.to_owned(),
            recipient: recipient.to_owned(),
            amount,
            status: "pending".to_owned(),
            error_code: None,
            created: now,
            updated: now,
            fee: None,
            charged,
            fate,
            due: due(now, paying),
        };
        self.payouts.push(payout.clone());
        self.notify("payouts", answer::payout(&payout), now);
        Ok(payout)
    }

    /// Ends what is due.
    pub(super) fn settle(&mut self, now: u64) {
        let is_due = |due: Option<u64>| due.is_some_and(|due| due <= now);
        let screened: Vec<_> = self.recipients.iter().filter(|row| is_due(row.due)).cloned().collect();
        for row in screened {
            let ruling = self.rulings.iter().find(|(address, _)| *address == row.address);
            let status = ruling.map_or_else(|| "active".to_owned(), |(_, status)| status.clone());
            self.decide(&row.id, &status, now);
        }
        let ended: Vec<_> = self.payouts.iter().filter(|row| is_due(row.due)).cloned().collect();
        for row in ended {
            self.end_payout(&row.id, row.fate, now);
        }
    }

    pub(super) fn set_recipient(&mut self, address: &str, status: &str, now: u64) {
        let address = address.to_lowercase();
        self.rulings.retain(|(known, _)| *known != address);
        self.rulings.push((address.clone(), status.to_owned()));
        let of_it = self.recipients.iter().filter(|row| row.address == address);
        for id in of_it.map(|row| row.id.clone()).collect::<Vec<_>>() {
            self.decide(&id, status, now);
        }
    }

    pub(super) fn forget_recipient(&mut self, address: &str) {
        let address = address.to_lowercase();
        self.recipients.retain(|row| row.address != address);
    }

    /// `false` when there is no such payout. The balance has back what it took.
    pub(super) fn forget_payout(&mut self, id: &str) -> bool {
        let Some(place) = self.payouts.iter().position(|row| row.id == id) else { return false };
        let row = self.payouts.remove(place);
        if row.charged {
            self.balance += row.amount + row.fee.unwrap_or(0);
        }
        true
    }

    fn decide(&mut self, id: &str, status: &str, now: u64) {
        let Some(row) = self.recipients.iter_mut().find(|row| row.id == id) else { return };
        row.status = status.to_owned();
        row.updated = now;
        row.due = None;
        let body = answer::recipient(row);
        self.notify("addressBookRecipients", body, now);
    }

    /// `false` when no such payout is complete.
    pub(super) fn charge_late(&mut self, id: &str, fee: i64) -> bool {
        let complete = |row: &&mut Payout| row.id == id && row.status == "complete";
        let Some(row) = self.payouts.iter_mut().find(complete) else { return false };
        self.balance -= fee - row.fee.replace(fee).unwrap_or(0);
        true
    }

    /// `false` when there is no such payout. One that ended stays as it ended.
    pub(super) fn end_payout(&mut self, id: &str, ending: Ending, now: u64) -> bool {
        let fee = self.fee;
        let Some(row) = self.payouts.iter_mut().find(|row| row.id == id) else { return false };
        if matches!(row.status.as_str(), "complete" | "failed") {
            return true;
        }
        row.updated = now;
        row.due = None;
        match ending {
            Ending::Complete => {
                row.status = "complete".to_owned();
                if !std::mem::replace(&mut row.charged, true) {
                    self.balance -= row.amount;
                }
                row.fee = Some(fee);
                self.balance -= fee;
            }
            Ending::Failed(code) => {
                row.status = "failed".to_owned();
                row.error_code = Some(code);
                if std::mem::take(&mut row.charged) {
                    self.balance += row.amount;
                }
            }
            Ending::Other(status) => row.status = status,
        }
        let body = answer::payout(row);
        self.notify("payouts", body, now);
        true
    }

    pub(super) fn accepted(&self) -> Vec<Accepted> {
        let address = |id: &str| {
            let known = self.recipients.iter().find(|row| row.id == id);
            known.map(|row| row.address.clone()).unwrap_or_default()
        };
        let accepted = self.payouts.iter().map(|row| Accepted {
            id: row.id.clone(),
            idempotency_key: row.idempotency_key.clone(),
            amount: row.amount,
            recipient: address(&row.recipient),
            status: row.status.clone(),
        });
        accepted.collect()
    }

    pub(super) fn delivered(&mut self, id: &str) {
        for notice in self.notices.iter_mut().filter(|notice| notice.id == id) {
            notice.delivered = true;
        }
    }

    /// Without an id there is no notice: a client has to ask anyhow.
    fn notify(&mut self, kind: &str, resource: Value, now: u64) {
        let Ok(id) = sign::new_id() else { return };
        let body = json!({
            "subscriptionId": self.key.id,
            "notificationId": id,
            "notificationType": kind,
            "notification": resource,
            "timestamp": answer::date(now),
            "version": 2,
        });
        self.notices.push(Notice { id, body: body.to_string(), delivered: false });
        let surplus = self.notices.len().saturating_sub(KEPT);
        self.notices.drain(..surplus);
    }
}

fn new_id() -> Result<String, Refusal> {
    sign::new_id().map_err(|error| Refusal::Broken(error.to_string()))
}

fn due(now: u64, after: Option<Duration>) -> Option<u64> {
    let after = u64::try_from(after?.as_millis()).unwrap_or(u64::MAX);
    Some(now.saturating_add(after))
}

/// The balance as Circle lists it.
pub(super) fn balances(account: &Account) -> Value {
    json!({
        "available": [{ "amount": money::show(account.balance), "currency": "USD" }],
        "unsettled": [],
    })
}
