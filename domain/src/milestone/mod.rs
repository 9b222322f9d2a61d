//! Milestones: funded, done, approved and paid, each by itself.

use entities::{
    ContractId, ContractStatus, MilestoneId, MilestoneStatus, PaymentId, Role, UploadId, UploadPurpose,
    UserId, contract, milestone, submission,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select,
};

use crate::{
    Actor, App, Error, Tx, account,
    check::Check,
    contract as contracts,
    error::{Code, Result},
    notification::{Notice, notify},
    payment::record,
    policy::{self, Action},
    upload,
};

mod money;
mod overdue;
pub mod state;

pub use money::{Refund, approve, fund, quote, refund};
pub(crate) use money::{basis_points, in_escrow};
pub use overdue::{release_overdue, remind};
use state::Step;

/// Submitted and unanswered for this long, a milestone is released by itself.
pub const AUTO_RELEASE: chrono::Duration = chrono::Duration::days(14);
/// So long before that, both sides are reminded.
pub const REMIND_BEFORE: chrono::Duration = chrono::Duration::days(3);

/// What a money mutation on a milestone answers with.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub struct MilestonePayment {
    /// The milestone.
    pub milestone: MilestoneId,
    /// The payment that was made for it.
    pub payment: PaymentId,
}

/// The two sides of a milestone's contract.
pub(crate) struct Parties {
    pub(crate) client: UserId,
    pub(crate) freelancer: UserId,
}

pub(crate) async fn parties(tx: &Tx, milestone: &milestone::Model) -> Result<Parties> {
    let contract = contract_of(tx, milestone).await?;
    Ok(Parties { client: contract.client_id, freelancer: contract.freelancer_id })
}

async fn contract_of(tx: &Tx, milestone: &milestone::Model) -> Result<contract::Model> {
    contract::Entity::find_by_id(milestone.contract_id)
        .one(&**tx)
        .await?
        .ok_or_else(|| Error::bug("a milestone without its contract"))
}

/// Takes a step and writes it, with whatever else changes.
pub(crate) async fn step(
    app: &App,
    tx: &Tx,
    milestone: &milestone::Model,
    step: Step,
    edit: impl FnOnce(&mut milestone::ActiveModel) + Send,
) -> Result<milestone::Model> {
    let to = state::next(milestone.status, step, milestone.returns_to)?;
    let mut change = milestone::ActiveModel {
        id: Set(milestone.id),
        status: Set(to),
        version: Set(milestone.version + 1),
        updated_at: Set(app.clock.now()),
        ..Default::default()
    };
    edit(&mut change);
    Ok(change.update(&**tx).await?)
}

/// Loads a milestone with its contract, both locked, the contract first: what the contract's state allows must
/// hold until we are done.
async fn open(tx: &Tx, id: MilestoneId) -> Result<(milestone::Model, contract::Model)> {
    let glance = milestone::Entity::find_by_id(id).one(&**tx).await?;
    let glance = glance.ok_or_else(|| Error::not_found("milestoneId", "milestone"))?;
    let contract = contracts::locked(tx, glance.contract_id).await?;
    Ok((record::lock_milestone(tx, id).await?, contract))
}

/// Whether the contract's state lets a milestone go there. Work and money move while it runs. A dispute
/// freezes its own milestone, by that one's state, and no other; but new money waits until it is over. On a
/// paused contract only refunds go on: they are a freelancer's way out.
const fn moves(contract: ContractStatus, to: MilestoneStatus) -> bool {
    match contract {
        ContractStatus::Active => true,
        ContractStatus::Disputed => !matches!(to, MilestoneStatus::Funding),
        ContractStatus::Paused => matches!(to, MilestoneStatus::Refunding),
        _ => false,
    }
}

/// Refuses what the contract's state does not allow.
fn active(contract: &contract::Model, to: MilestoneStatus) -> Result<()> {
    if moves(contract.status, to) {
        return Ok(());
    }
    Err(Error::rejected(
        "milestoneId",
        Code::IllegalState,
        format!(
            "The contract is {}; a milestone can become {} only while it is ACTIVE.",
            contract.status.as_str(),
            to.as_str()
        ),
    ))
}

/// The freelancer hands in work. From now on the client has fourteen days to answer.
pub async fn submit(
    app: &App,
    actor: &Actor,
    id: MilestoneId,
    note: &str,
    uploads: &[UploadId],
) -> Result<milestone::Model> {
    let mut check = Check::new();
    let note = check.text("note", note, 1..=5_000);
    check.done()?;
    policy::enter(actor, &[Role::Freelancer])?;
    let tx = app.db.begin().await?;
    let (milestone, contract) = open(&tx, id).await?;
    policy::authorise(actor, Action::MilestoneSubmit(&contract), "milestoneId", "milestone")?;
    active(&contract, MilestoneStatus::Submitted)?;
    let now = app.clock.now();
    let milestone = step(app, &tx, &milestone, Step::Submit, |row| {
        row.auto_release_at = Set(Some(now + AUTO_RELEASE));
        row.release_reminded_at = Set(None);
    })
    .await?;
    let handed_in = submission::Model {
        id: app.clock.new_id(),
        milestone_id: id,
        note,
        feedback: None,
        answered_at: None,
        created_at: now,
    };
    let subject = handed_in.id.to_string();
    submission::Entity::insert(submission::ActiveModel::from(handed_in)).exec_without_returning(&*tx).await?;
    upload::attach(app, &tx, actor, UploadPurpose::Deliverable, uploads, &subject, "uploadIds").await?;
    let freelancer = account::display_name(&tx, contract.freelancer_id).await?;
    let notice = Notice::MilestoneSubmitted { milestone: id, title: milestone.title.clone(), freelancer };
    notify(app, &tx, contract.client_id, notice, &format!("{id}:SUBMITTED:{}", milestone.version)).await?;
    tx.commit().await?;
    Ok(milestone)
}

/// The client sends it back with what should change.
pub async fn request_changes(
    app: &App,
    actor: &Actor,
    id: MilestoneId,
    feedback: &str,
) -> Result<milestone::Model> {
    let mut check = Check::new();
    let feedback = check.text("feedback", feedback, 1..=5_000);
    check.done()?;
    policy::enter(actor, &[Role::Client])?;
    let tx = app.db.begin().await?;
    let (milestone, contract) = open(&tx, id).await?;
    policy::authorise(actor, Action::MilestoneRequestChanges(&contract), "milestoneId", "milestone")?;
    active(&contract, MilestoneStatus::Funded)?;
    let milestone =
        step(app, &tx, &milestone, Step::RequestChanges, |row| row.auto_release_at = Set(None)).await?;
    answer(app, &tx, id, Some(&feedback)).await?;
    let notice =
        Notice::MilestoneChangesRequested { milestone: id, title: milestone.title.clone(), feedback };
    notify(app, &tx, contract.freelancer_id, notice, &format!("{id}:CHANGES:{}", milestone.version)).await?;
    tx.commit().await?;
    Ok(milestone)
}

/// Notes the client's answer on the newest submission.
async fn answer(app: &App, tx: &Tx, id: MilestoneId, feedback: Option<&str>) -> Result<()> {
    let newest = submission::Entity::find()
        .filter(submission::Column::MilestoneId.eq(id))
        .order_by_desc(submission::Column::Id)
        .one(&**tx)
        .await?
        .ok_or_else(|| Error::bug("a submitted milestone without a submission"))?;
    let change = submission::ActiveModel {
        id: Set(newest.id),
        feedback: Set(feedback.map(str::to_owned)),
        answered_at: Set(Some(app.clock.now())),
        ..Default::default()
    };
    change.update(&**tx).await?;
    Ok(())
}

/// The milestones of some contracts, in their order.
pub async fn of_contracts(
    conn: &impl ConnectionTrait,
    contracts: &[ContractId],
) -> Result<Vec<milestone::Model>> {
    Ok(milestone::Entity::find()
        .filter(milestone::Column::ContractId.is_in(contracts.iter().copied()))
        .order_by_asc(milestone::Column::Position)
        .all(conn)
        .await?)
}

/// The newest submission of some milestones.
pub async fn newest_submissions(
    conn: &impl ConnectionTrait,
    milestones: &[MilestoneId],
) -> Result<Vec<submission::Model>> {
    let mut rows = submission::Entity::find()
        .filter(submission::Column::MilestoneId.is_in(milestones.iter().copied()))
        .order_by_desc(submission::Column::Id)
        .all(conn)
        .await?;
    let mut seen = std::collections::HashSet::new();
    rows.retain(|row| seen.insert(row.milestone_id));
    Ok(rows)
}

/// One milestone, if the actor may see its contract.
pub async fn find(app: &App, actor: &Actor, id: MilestoneId) -> Result<milestone::Model> {
    visible(actor)
        .filter(milestone::Column::Id.eq(id))
        .one(app.db.reader())
        .await?
        .ok_or_else(|| Error::not_found("milestoneId", "milestone"))
}

/// The milestones that the actor may see: those of the contracts that they see.
pub fn visible(actor: &Actor) -> Select<milestone::Entity> {
    let contracts = contracts::visible(actor).select_only().column(contract::Column::Id).into_query();
    milestone::Entity::find().filter(milestone::Column::ContractId.in_subquery(contracts))
}
