//! Disputes: a party freezes a milestone, an admin divides what is in escrow.
//!
//! The money of a resolution goes the way of all payments. While any of it is under way the milestone stays
//! DISPUTED, and its contract too; in the transaction of the last payment both go on (`settle.rs`).

use chrono::{DateTime, TimeDelta, Utc};
use entities::{
    DisputeId, DisputeKind, DisputeStatus, MilestoneId, MilestoneStatus, Role, UploadId, UploadPurpose,
    UserId, contract, dispute, dispute_evidence, milestone,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter,
};

use crate::{
    Actor, App, Error, Tx, account,
    check::Check,
    contract::{self as contracts, state::Step as ContractStep},
    error::{Code, Result},
    milestone::{self as milestones, state::Step as MilestoneStep},
    notification::{Notice, notify},
    policy::{self, Action},
    upload,
};

mod find;
mod record;
mod resolve;
mod review;
mod settle;
pub mod state;

pub use find::{Filter, Order, OrderField, evidence_of, find, list, newest, of_contracts, visible};
use record::Locked;
pub use resolve::{Resolution, resolve};
pub use review::{escalate, take};
pub(crate) use settle::{contract_goes_on, payment_completed};
use state::Step;

/// How often one person may bring something forward in one dispute.
pub const MOST_EVIDENCE: u64 = 50;

/// The two sides of a dispute.
const PARTIES: [Role; 2] = [Role::Client, Role::Freelancer];

/// What a dispute is opened with.
#[derive(Debug, Clone)]
pub struct Opening<'a> {
    /// Over which milestone.
    pub milestone: MilestoneId,
    /// What it is about.
    pub kind: DisputeKind,
    /// 10 to 5,000 characters.
    pub description: &'a str,
    /// The first evidence: files of purpose EVIDENCE.
    pub uploads: &'a [UploadId],
}

/// A party opens a dispute: the milestone is frozen at once, and its automatic release stands still.
pub async fn open(app: &App, actor: &Actor, ask: Opening<'_>) -> Result<dispute::Model> {
    let mut check = Check::new();
    let description = check.text("description", ask.description, 10..=5_000);
    check.done()?;
    let person = policy::enter(actor, &PARTIES)?;
    let tx = app.db.begin().await?;
    let (contract, milestone) = record::lock_below_contract(&tx, ask.milestone).await?;
    policy::authorise(actor, Action::DisputeOpen(&contract), "milestoneId", "milestone")?;
    let now = app.clock.now();
    let row = dispute::Model {
        id: app.clock.new_id(),
        contract_id: contract.id,
        milestone_id: milestone.id,
        opened_by: person.id,
        kind: ask.kind,
        status: DisputeStatus::Open,
        description: description.clone(),
        taken_by: None,
        escalation_note: None,
        resolved_by: None,
        resolution: None,
        refund_amount: None,
        release_amount: None,
        ends_contract: false,
        auto_release_at: milestone.auto_release_at,
        version: 1,
        taken_at: None,
        escalated_at: None,
        ended_at: None,
        created_at: now,
        updated_at: now,
    };
    freeze(app, &tx, contract.clone(), &milestone).await?;
    let dispute = dispute::Entity::insert(row.into_active_model()).exec_with_returning(&*tx).await?;
    if !ask.uploads.is_empty() {
        bring(app, &tx, actor, person.id, dispute.id, description, ask.uploads).await?;
    }
    let by = account::display_name(&tx, person.id).await?;
    let mut people = vec![contract.client_id, contract.freelancer_id];
    people.extend(account::admins(&tx).await?);
    for to in people {
        let notice =
            Notice::DisputeOpened { dispute: dispute.id, title: milestone.title.clone(), by: by.clone() };
        notify(app, &tx, to, notice, &event(&dispute)).await?;
    }
    tx.commit().await?;
    Ok(dispute)
}

/// Stops the milestone where it is, and with it the contract: one dispute at a time.
async fn freeze(app: &App, tx: &Tx, contract: contract::Model, milestone: &milestone::Model) -> Result<()> {
    let status = contract.status.as_str();
    let change = contracts::moved(app, &contract, ContractStep::Dispute).map_err(|_| {
        Error::illegal("milestoneId", "contract", status, ContractStep::Dispute.to().as_str())
    })?;
    let from = milestone.status;
    milestones::step(app, tx, milestone, MilestoneStep::Freeze, |row| {
        row.returns_to = Set(Some(from));
        row.auto_release_at = Set(None);
        row.release_reminded_at = Set(None);
    })
    .await?;
    change.update(&**tx).await?;
    Ok(())
}

/// A party brings something forward while the dispute is not over.
pub async fn add_evidence(
    app: &App,
    actor: &Actor,
    id: DisputeId,
    note: &str,
    uploads: &[UploadId],
) -> Result<dispute::Model> {
    let mut check = Check::new();
    let note = check.text("note", note, 1..=5_000);
    check.done()?;
    let person = policy::enter(actor, &PARTIES)?;
    let tx = app.db.begin().await?;
    let dispute = record::lock(&tx, id).await?;
    let contract = record::contract_of(&tx, &dispute).await?;
    policy::authorise(actor, Action::DisputeAddEvidence(&contract), "disputeId", "dispute")?;
    if !state::LIVE.contains(&dispute.status) {
        let message = format!("The dispute is {}; evidence is taken until it ends.", dispute.status.as_str());
        return Err(Error::rejected("disputeId", Code::IllegalState, message));
    }
    let brought = dispute_evidence::Entity::find()
        .filter(dispute_evidence::Column::DisputeId.eq(id))
        .filter(dispute_evidence::Column::AuthorId.eq(person.id))
        .count(&*tx)
        .await?;
    if brought >= MOST_EVIDENCE {
        let message = format!("You have brought forward {MOST_EVIDENCE} things in this dispute, the most.");
        return Err(Error::rejected("disputeId", Code::LimitReached, message));
    }
    bring(app, &tx, actor, person.id, id, note, uploads).await?;
    tx.commit().await?;
    Ok(dispute)
}

async fn bring(
    app: &App,
    tx: &Tx,
    actor: &Actor,
    author_id: UserId,
    dispute_id: DisputeId,
    note: String,
    uploads: &[UploadId],
) -> Result<()> {
    let (id, created_at) = (app.clock.new_id(), app.clock.now());
    let row = dispute_evidence::Model { id, dispute_id, author_id, note, created_at };
    dispute_evidence::Entity::insert(row.into_active_model()).exec_without_returning(&**tx).await?;
    upload::attach(app, tx, actor, UploadPurpose::Evidence, uploads, &id.to_string(), "uploadIds").await
}

/// Who opened it takes it back: everything goes on where it was.
pub async fn withdraw(app: &App, actor: &Actor, id: DisputeId) -> Result<dispute::Model> {
    let person = policy::enter(actor, &PARTIES)?;
    let tx = app.db.begin().await?;
    let Locked { contract, milestone, dispute } = record::lock_all(&tx, id).await?;
    policy::authorise(actor, Action::DisputeWithdraw(&contract, &dispute), "disputeId", "dispute")?;
    let now = app.clock.now();
    let dispute =
        record::step(app, &tx, &dispute, Step::Withdraw, |row| row.ended_at = Set(Some(now))).await?;
    let releases =
        (milestone.returns_to == Some(MilestoneStatus::Submitted)).then(|| going_on(&dispute, now)).flatten();
    milestones::step(app, &tx, &milestone, MilestoneStep::Thaw, |row| {
        row.returns_to = Set(None);
        row.auto_release_at = Set(releases);
    })
    .await?;
    contracts::moved(app, &contract, ContractStep::Settle)?.update(&*tx).await?;
    let by = account::display_name(&tx, person.id).await?;
    for to in [Some(contract.client_id), Some(contract.freelancer_id), dispute.taken_by].into_iter().flatten()
    {
        let notice = Notice::DisputeWithdrawn { dispute: id, title: milestone.title.clone(), by: by.clone() };
        notify(app, &tx, to, notice, &event(&dispute)).await?;
    }
    tx.commit().await?;
    Ok(dispute)
}

/// When the milestone is released by itself after all: what was left of the fourteen days is left again, so
/// that opening and withdrawing disputes wins nobody any time.
fn going_on(dispute: &dispute::Model, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let left = dispute.auto_release_at? - dispute.created_at;
    Some(now + left.max(TimeDelta::zero()))
}

/// The event that people are told of: a dispute got into this state.
fn event(dispute: &dispute::Model) -> String {
    format!("{}:{}", dispute.id, dispute.status.as_str())
}
