//! What an accepted amendment does to its contract.

use entities::{
    AmendmentChangeKind, MilestoneStatus, Usdc, amendment_change, contract, contract_amendment, milestone,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};

use super::{changes_of, draft::not_pending, milestones_of};
use crate::{
    App, Error, Tx,
    check::Check,
    error::{Code, Result},
    milestone::{self as milestones, state::Step as MilestoneStep},
};

/// Applies every line, in the transaction that accepts it. The contract is locked, and with it everything that
/// could change its milestones.
pub(super) async fn apply(
    app: &App,
    tx: &Tx,
    contract: contract::Model,
    amendment: &contract_amendment::Model,
) -> Result<contract::Model> {
    let before = milestones_of(tx, contract.id).await?;
    let changes = changes_of(&**tx, [amendment.id]).await?;
    require_untouched(&before, &changes)?;
    let mut position = before.iter().map(|row| row.position).max().unwrap_or(0);
    for line in changes {
        let row = before.iter().find(|row| Some(row.id) == line.milestone_id);
        match (line.kind, row) {
            (AmendmentChangeKind::Add, _) => {
                position += 1;
                add(app, tx, &contract, line, position).await?;
            }
            (AmendmentChangeKind::Change, Some(row)) => change(app, tx, row, line).await?,
            (AmendmentChangeKind::Remove, Some(row)) => {
                milestones::step(app, tx, row, MilestoneStep::Cancel, |_| ()).await?;
            }
            (_, None) => return Err(Error::bug("an amendment's milestone vanished")),
        }
    }
    let after = milestones_of(tx, contract.id).await?;
    let counted = after.iter().filter(|row| row.status != MilestoneStatus::Cancelled);
    let amount = Usdc::sum(counted.map(|row| row.amount))?;
    let version = contract.version + 1;
    let mut change = contract.into_active_model();
    change.amount = Set(amount);
    if let Some(description) = &amendment.description {
        change.description = Set(description.clone());
    }
    if let Some(end_at) = amendment.end_at {
        change.end_at = Set(Some(end_at));
    }
    change.version = Set(version);
    change.updated_at = Set(app.clock.now());
    Ok(change.update(&**tx).await?)
}

/// Refuses when one of the milestones was funded since it was proposed: nothing of it happens then.
fn require_untouched(milestones: &[milestone::Model], changes: &[amendment_change::Model]) -> Result<()> {
    let mut check = Check::new();
    for row in milestones.iter().filter(|row| changes.iter().any(|line| line.milestone_id == Some(row.id))) {
        let pending = row.status == MilestoneStatus::Pending;
        check.ensure(pending, "amendmentId", Code::IllegalState, not_pending(row));
    }
    check.done()
}

async fn add(
    app: &App,
    tx: &Tx,
    contract: &contract::Model,
    line: amendment_change::Model,
    position: i32,
) -> Result<()> {
    let (Some(title), Some(amount)) = (line.title, line.amount) else {
        return Err(Error::bug("an added milestone without its title or amount"));
    };
    let now = app.clock.now();
    let row = milestone::Model {
        id: app.clock.new_id(),
        contract_id: contract.id,
        position,
        title,
        amount,
        status: MilestoneStatus::Pending,
        returns_to: None,
        due_at: line.due_at,
        auto_release_at: None,
        release_reminded_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    milestone::Entity::insert(row.into_active_model()).exec_without_returning(&**tx).await?;
    Ok(())
}

async fn change(app: &App, tx: &Tx, row: &milestone::Model, line: amendment_change::Model) -> Result<()> {
    let mut change = milestone::ActiveModel {
        id: Set(row.id),
        version: Set(row.version + 1),
        updated_at: Set(app.clock.now()),
        ..Default::default()
    };
    if let Some(title) = line.title {
        change.title = Set(title);
    }
    if let Some(amount) = line.amount {
        change.amount = Set(amount);
    }
    if line.due_at.is_some() {
        change.due_at = Set(line.due_at);
    }
    change.update(&**tx).await?;
    Ok(())
}
