//! What paying a contract leaves behind: payments, and the ledger's transfers with their postings.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};
use domain::{
    entities::{
        LedgerAccountId, LedgerTransferId, LedgerTransferKind, MilestoneId, PaymentKind, PaymentRail,
        PaymentStatus, Usdc, UserId, contract, ledger_account, ledger_posting, ledger_transfer, milestone,
        payment, submission,
    },
    ledger::Account,
};

use super::{Ground, dice::Dice, words::LETTERS, write::Rows};
use crate::seed::Result;

/// The ledger accounts of a step's people, made when they are first posted to.
pub(super) struct Accounts {
    treasury: LedgerAccountId,
    payable: HashMap<UserId, LedgerAccountId>,
    opened: DateTime<Utc>,
}

impl Accounts {
    pub(super) fn new(ground: &Ground<'_>, opened: DateTime<Utc>) -> Self {
        Self { treasury: ground.treasury, payable: HashMap::new(), opened }
    }

    fn payable(&mut self, rows: &mut Rows, dice: &mut Dice, user: UserId) -> LedgerAccountId {
        let opened = self.opened;
        *self.payable.entry(user).or_insert_with(|| {
            let account = Account::Payable(user).row(dice.id(opened), opened);
            let id = account.id;
            rows.accounts.push(account);
            id
        })
    }
}

fn escrow(rows: &mut Rows, dice: &mut Dice, milestone: MilestoneId, at: DateTime<Utc>) -> LedgerAccountId {
    let account: ledger_account::Model = Account::Escrow(milestone).row(dice.id(at), at);
    let id = account.id;
    rows.accounts.push(account);
    id
}

/// Every milestone of a contract: funded, handed in, approved and paid, one after the other until the contract's end.
pub(super) fn pay(
    rows: &mut Rows,
    ground: &Ground<'_>,
    accounts: &mut Accounts,
    dice: &mut Dice,
    contract: &contract::Model,
    milestones: &[milestone::Model],
) -> Result<()> {
    let begun = contract.accepted_at.unwrap_or(contract.created_at);
    let ended = contract.ended_at.unwrap_or(contract.updated_at);
    let each = (ended - begun) / i32::try_from(milestones.len().max(1))?;
    let mut start = begun;
    for milestone in milestones {
        let (funded, handed_in, paid) = (start + each / 8, start + each / 2, start + each);
        start = paid;
        rows.submissions.push(submission::Model {
            id: dice.id(handed_in),
            milestone_id: milestone.id,
            note: (*dice.pick(&LETTERS)).to_owned(),
            feedback: None,
            answered_at: Some(paid),
            created_at: handed_in,
        });
        let deposit = payment(ground, dice, contract, milestone, PaymentKind::Deposit, funded);
        let release = payment(ground, dice, contract, milestone, PaymentKind::Release, paid);
        let escrow = escrow(rows, dice, milestone.id, funded);
        let payable = accounts.payable(rows, dice, contract.freelancer_id);
        let (amount, owed) = (milestone.amount, milestone.amount.negated()?);
        let key = format!("{}:CREDITED:{}", deposit.id, deposit.version);
        let lines = [(accounts.treasury, amount), (escrow, owed)];
        post(rows, dice, LedgerTransferKind::DepositCredited, key, &deposit, lines);
        let key = format!("{}:QUEUED", release.id);
        post(
            rows,
            dice,
            LedgerTransferKind::PayoutQueued,
            key,
            &release,
            [(escrow, amount), (payable, owed)],
        );
        let key = format!("{}:COMPLETED", release.id);
        let lines = [(payable, amount), (accounts.treasury, owed)];
        post(rows, dice, LedgerTransferKind::PayoutCompleted, key, &release, lines);
        rows.payments.extend([deposit, release]);
    }
    Ok(())
}

fn post(
    rows: &mut Rows,
    dice: &mut Dice,
    kind: LedgerTransferKind,
    key: String,
    payment: &payment::Model,
    lines: [(LedgerAccountId, Usdc); 2],
) {
    let at = payment.completed_at.unwrap_or(payment.created_at);
    let id: LedgerTransferId = dice.id(at);
    for (account_id, amount) in lines {
        rows.postings.push(ledger_posting::Model { id: dice.id(at), transfer_id: id, account_id, amount });
    }
    let payment_id = Some(payment.id);
    rows.transfers.push(ledger_transfer::Model { id, kind, key, payment_id, created_at: at });
}

/// A completed payment of the whole milestone, without a fee.
fn payment(
    ground: &Ground<'_>,
    dice: &mut Dice,
    contract: &contract::Model,
    milestone: &milestone::Model,
    kind: PaymentKind,
    completed: DateTime<Utc>,
) -> payment::Model {
    let deposit = kind == PaymentKind::Deposit;
    let begun = completed - Duration::minutes(20);
    payment::Model {
        id: dice.id(begun),
        kind,
        status: PaymentStatus::Completed,
        rail: PaymentRail::Chain,
        contract_id: Some(contract.id),
        milestone_id: Some(milestone.id),
        payer_id: Some(contract.client_id),
        payee_id: (!deposit).then_some(contract.freelancer_id),
        started_by: Some(contract.client_id),
        amount: milestone.amount,
        fee: Usdc::ZERO,
        net: milestone.amount,
        reason: None,
        destination: None,
        deposit_address: deposit.then(|| ground.treasury_address.clone()),
        expires_at: deposit.then(|| begun + domain::payment::DEPOSIT_WINDOW),
        required_confirmations: ground.confirmations,
        hold_reason: None,
        failure_reason: None,
        linked_payment_id: None,
        dispute_id: None,
        retry_of: None,
        held_by: None,
        approved_by: None,
        redirected_by: None,
        decision_total: None,
        version: 2,
        look: 0,
        due_at: None,
        created_at: begun,
        updated_at: completed,
        completed_at: Some(completed),
        final_at: deposit.then_some(completed),
    }
}
