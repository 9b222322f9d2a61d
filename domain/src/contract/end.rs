//! The two ends of a contract that runs: complete, or terminated early. Neither comes while money is in escrow
//! or under way.

use entities::{
    ChainTransferStatus, ContractId, ContractStatus, MilestoneStatus, PaymentKind, PaymentStatus,
    ProjectStatus, Role, Usdc, UserId, chain_transfer, contract, milestone, payment, project,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Select,
    sea_query::{Expr, ExprTrait, Query},
};
use serde_json::json;

use super::{Step, cancel_pending, event, locked_below_project, moved, state};
use crate::{
    Actor, App, Code, Error, Tx, amendment, audit,
    check::Check,
    error::Result,
    ledger::{self, Account},
    notification::{Notice, notify},
    payment::{SMALLEST_RETURN, state::FINAL},
    policy::{self, Action, authorise},
    project as projects,
};

/// Completes a contract whose last milestone has ended, and its project with it; does nothing while there is
/// more to come.
///
/// Called in the transaction of whatever may have been the last: a payment's end, an amendment that drops what
/// is left, a contract that goes on after a rest. So there is no moment between the two at which a process
/// could die, and nothing that a sweep would have to find. The caller has the project and the contract locked
/// already, before any milestone or payment: see [`locked_below_project`].
pub(crate) async fn conclude(app: &App, tx: &Tx, id: ContractId) -> Result<()> {
    let (project, contract) = locked_below_project(tx, id).await?;
    if contract.status != ContractStatus::Active || !is_done(tx, id).await? {
        return Ok(());
    }
    let mut change = moved(app, &contract, Step::Complete)?;
    change.ended_at = Set(Some(app.clock.now()));
    let contract = change.update(&**tx).await?;
    amendment::close_open(app, tx, id).await?;
    let title = project.title.clone();
    // Money that is final must not depend on what became of the project meanwhile.
    if project.status == ProjectStatus::InProgress {
        projects::complete(app, tx, project).await?;
    }
    for party in [contract.client_id, contract.freelancer_id] {
        let notice = Notice::ContractCompleted { contract: id, project: title.clone() };
        notify(app, tx, party, notice, &event(&contract)).await?;
    }
    Ok(())
}

/// Whether every milestone has ended, one of them with money for the freelancer, and nothing is under way.
async fn is_done(tx: &Tx, id: ContractId) -> Result<bool> {
    use MilestoneStatus::{Cancelled, Paid, Refunded, Split};
    let milestones = milestones_of(tx, id).await?;
    let ended = milestones.iter().all(|row| matches!(row.status, Paid | Refunded | Split | Cancelled));
    let paid = milestones.iter().any(|row| matches!(row.status, Paid | Split));
    Ok(ended && paid && payments_under_way(tx, id).await? == 0 && bonus_held(tx, id).await? == Usdc::ZERO)
}

async fn milestones_of(tx: &Tx, id: ContractId) -> Result<Vec<milestone::Model>> {
    Ok(milestone::Entity::find()
        .filter(milestone::Column::ContractId.eq(id))
        .order_by_asc(milestone::Column::Position)
        .all(&**tx)
        .await?)
}

/// How many payments of a contract have not come to their end.
pub(crate) async fn payments_under_way(tx: &Tx, id: ContractId) -> Result<u64> {
    Ok(under_way(id).count(&**tx).await?)
}

/// The payments of a contract that keep it from its end. A bonus of which nothing to speak of has arrived does not: it is a
/// word, and whoever gave it could hold the contract open with it; when it arrives after all, it is paid all the same.
fn under_way(id: ContractId) -> Select<payment::Entity> {
    use payment::Column;
    let arrived = Query::select()
        .expr(Expr::val(1))
        .from(chain_transfer::Entity)
        .and_where(
            Expr::col((chain_transfer::Entity, chain_transfer::Column::PaymentId))
                .equals((payment::Entity, Column::Id)),
        )
        .and_where(
            Expr::col((chain_transfer::Entity, chain_transfer::Column::Status))
                .ne(ChainTransferStatus::Orphaned.as_str()),
        )
        .and_where(
            Expr::col((chain_transfer::Entity, chain_transfer::Column::Amount)).gte(SMALLEST_RETURN.micro()),
        )
        .to_owned();
    let promised = Condition::all()
        .add(Column::Kind.eq(PaymentKind::Deposit))
        .add(Column::MilestoneId.is_null())
        .add(Column::Status.eq(PaymentStatus::AwaitingFunds))
        .add(Expr::exists(arrived).not());
    payment::Entity::find()
        .filter(Column::ContractId.eq(id))
        .filter(Column::Status.is_not_in(FINAL))
        .filter(promised.not())
}

/// What was paid in for a bonus and could not be paid out.
async fn bonus_held(tx: &Tx, id: ContractId) -> Result<Usdc> {
    Ok(ledger::balance(&**tx, Account::Bonus(id)).await?.negated()?)
}

/// A party, or an admin, ends a contract early. Nothing may be left in escrow or under way; milestones that
/// nobody funded are cancelled. The project stays IN_PROGRESS, for its client to cancel.
pub async fn terminate(app: &App, actor: &Actor, id: ContractId, reason: &str) -> Result<contract::Model> {
    let person = policy::enter(actor, &[Role::Client, Role::Freelancer, Role::Admin])?;
    let mut check = Check::new();
    let reason = check.text("reason", reason, 1..=1_000);
    check.done()?;
    let tx = app.db.begin().await?;
    let (project, contract) = locked_below_project(&tx, id).await?;
    authorise(actor, Action::ContractTerminate(&contract), "contractId", "contract")?;
    if contract.status == ContractStatus::Disputed && !actor.sees_all() {
        let message =
            "The contract is DISPUTED; until the dispute has ended only an admin can make it TERMINATED.";
        return Err(Error::rejected("contractId", Code::IllegalState, message));
    }
    let contract = end_early(app, &tx, &project, contract, person.id, reason).await?;
    if matches!(actor, Actor::Admin(_)) {
        let facts = json!({ "project": project.id.to_string() });
        audit::record(app, &tx, actor, "contract.terminate", Some(id.to_string()), facts).await?;
    }
    tx.commit().await?;
    Ok(contract)
}

/// Ends a contract before its work is done, and tells those of its parties who did not do it. The project and
/// the contract are locked.
pub(crate) async fn end_early(
    app: &App,
    tx: &Tx,
    project: &project::Model,
    contract: contract::Model,
    by: UserId,
    reason: String,
) -> Result<contract::Model> {
    state::next(contract.status, Step::Terminate)?;
    require_settled(tx, &contract).await?;
    let mut change = moved(app, &contract, Step::Terminate)?;
    change.ended_at = Set(Some(app.clock.now()));
    change.end_reason = Set(Some(reason.clone()));
    change.ended_by = Set(Some(by));
    change.paused_at = Set(None);
    let contract = change.update(&**tx).await?;
    cancel_pending(app, tx, contract.id).await?;
    amendment::close_open(app, tx, contract.id).await?;
    for party in [contract.client_id, contract.freelancer_id].into_iter().filter(|party| *party != by) {
        let notice = Notice::ContractTerminated {
            contract: contract.id,
            project: project.title.clone(),
            reason: reason.clone(),
        };
        notify(app, tx, party, notice, &event(&contract)).await?;
    }
    Ok(contract)
}

/// Refuses to end a contract with money in escrow or under way: every obstacle is named, with its cure.
async fn require_settled(tx: &Tx, contract: &contract::Model) -> Result<()> {
    let mut check = Check::new();
    let mut obstacle = |what: String| {
        let message = format!(
            "{what} Until then the contract, which is {}, cannot become TERMINATED.",
            contract.status.as_str()
        );
        check.problem("contractId", Code::IllegalState, message);
    };
    for row in milestones_of(tx, contract.id).await? {
        if let Some(cure) = cure(row.status) {
            obstacle(format!(
                "Milestone {}, \"{}\", is {}: {cure}.",
                row.position,
                row.title,
                row.status.as_str()
            ));
        }
    }
    let under_way = under_way(contract.id)
        // Those of a milestone are named by its state.
        .filter(payment::Column::MilestoneId.is_null())
        .order_by_asc(payment::Column::Id)
        .all(&**tx)
        .await?;
    for row in under_way {
        let what = match row.kind {
            PaymentKind::Deposit => "The deposit for a bonus",
            PaymentKind::Bonus => "A bonus",
            _ => "Money on its way back to its sender",
        };
        obstacle(format!("{what} ({}) is {}: wait until it has ended.", row.amount, row.status.as_str()));
    }
    let held = bonus_held(tx, contract.id).await?;
    if held != Usdc::ZERO {
        obstacle(format!(
            "A bonus could not be paid out, and its {held} are still held: an admin has to see to it."
        ));
    }
    check.done()
}

/// What has to happen before the contract of a milestone in this state can end; nothing when it can.
const fn cure(status: MilestoneStatus) -> Option<&'static str> {
    use MilestoneStatus::{
        Approved, Cancelled, Disputed, Funded, Funding, Paid, Pending, Refunded, Refunding, Split, Submitted,
    };
    match status {
        Pending | Paid | Refunded | Split | Cancelled => None,
        Funding => Some("wait until its deposit has arrived or expired"),
        Funded => Some("its freelancer can refund it, or hand in the work"),
        Submitted => Some("its client can approve it, or its freelancer refund it"),
        Approved => Some("wait until its payout is final"),
        Refunding => Some("wait until its refund is final"),
        Disputed => Some("settle the dispute"),
    }
}
