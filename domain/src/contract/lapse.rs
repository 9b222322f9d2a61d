//! Offers that nobody answered in time.

use entities::{ContractId, ContractStatus, contract};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Step, event, fallen, locked_below_project};
use crate::{
    App,
    error::Result,
    notification::{Notice, notify},
    schedule,
};

/// Ends every offer whose time to answer is over; how many there were. The task `offers-lapse` calls it.
///
/// # Errors
///
/// When the database fails.
pub async fn lapse_overdue(app: &App) -> Result<u64> {
    schedule::each(|skip| overdue(app, skip), |id| lapse(app, id)).await
}

async fn overdue(app: &App, skip: u64) -> Result<Vec<ContractId>> {
    let overdue = contract::Entity::find()
        .select_only()
        .column(contract::Column::Id)
        .filter(contract::Column::Status.eq(ContractStatus::Pending))
        .filter(contract::Column::LapsesAt.lte(app.clock.now()))
        .order_by_asc(contract::Column::LapsesAt)
        .order_by_asc(contract::Column::Id)
        .offset(skip)
        .limit(schedule::BATCH);
    Ok(overdue.into_tuple().all(app.db.reader()).await?)
}

/// Ends an offer whose time to answer is over, and tells both sides; whether there was one to end.
/// Asking twice, or too early, does nothing.
pub async fn lapse(app: &App, id: ContractId) -> Result<bool> {
    let tx = app.db.begin().await?;
    let (project, contract) = locked_below_project(&tx, id).await?;
    if contract.status != ContractStatus::Pending || contract.lapses_at > app.clock.now() {
        return Ok(false);
    }
    let contract = fallen(app, &tx, contract, Step::Lapse).await?;
    for party in [contract.client_id, contract.freelancer_id] {
        let notice = Notice::ContractLapsed { contract: contract.id, project: project.title.clone() };
        notify(app, &tx, party, notice, &event(&contract)).await?;
    }
    tx.commit().await?;
    Ok(true)
}
