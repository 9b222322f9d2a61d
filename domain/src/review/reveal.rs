//! Showing reviews: both at once, or what there is when the time to write is over.

use std::collections::BTreeSet;

use entities::{ContractId, UserId, contract, project, review, user};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use super::{locked_contract, of_contract};
use crate::{
    App, Error, Tx, account,
    error::Result,
    notification::{Notice, notify},
    schedule,
};

/// Shows every review whose time has come; of how many contracts. The task `reviews-reveal` calls it: asking twice, or too
/// early, does nothing.
///
/// # Errors
///
/// When the database fails, or those of one contract could not be shown; the others are then all the same.
pub async fn reveal_due(app: &App) -> Result<u64> {
    schedule::each(|skip| due(app, skip), |id| reveal(app, id)).await
}

async fn due(app: &App, skip: u64) -> Result<Vec<ContractId>> {
    Ok(review::Entity::find()
        .select_only()
        .column(review::Column::ContractId)
        .distinct()
        .filter(review::Column::ShownAt.is_null())
        .filter(review::Column::RevealAt.lte(app.clock.now()))
        .order_by_asc(review::Column::ContractId)
        .offset(skip)
        .limit(schedule::BATCH)
        .into_tuple()
        .all(app.db.reader())
        .await?)
}

async fn reveal(app: &App, id: ContractId) -> Result<bool> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let contract = locked_contract(&tx, id, "contractId").await?;
    let written = of_contract(&tx, id).await?.into_iter().filter(|row| row.reveal_at <= now);
    let shown = show(app, &tx, &contract, written).await?;
    tx.commit().await?;
    Ok(!shown.is_empty())
}

/// Shows those of a locked contract's reviews that are not shown yet, counts them in, and tells whom they are about.
pub(super) async fn show(
    app: &App,
    tx: &Tx,
    contract: &contract::Model,
    written: impl IntoIterator<Item = review::Model>,
) -> Result<Vec<review::Model>> {
    let now = app.clock.now();
    let project = project::Entity::find_by_id(contract.project_id)
        .one(&**tx)
        .await?
        .ok_or_else(|| Error::bug("a contract without its project"))?;
    let mut shown = Vec::new();
    for row in written.into_iter().filter(|row| row.shown_at.is_none()) {
        let change = review::ActiveModel {
            id: Set(row.id),
            shown_at: Set(Some(now)),
            version: Set(row.version + 1),
            ..Default::default()
        };
        shown.push(change.update(&**tx).await?);
    }
    // In one order for everybody, so that nobody waits in a circle.
    for subject in shown.iter().map(|row| row.subject_id).collect::<BTreeSet<_>>() {
        count_in(app, tx, subject).await?;
    }
    for row in &shown {
        let by = account::display_name(tx, row.author_id).await?;
        let notice = Notice::ReviewReceived { review: row.id, project: project.title.clone(), by };
        notify(app, tx, row.subject_id, notice, &format!("{}:SHOWN", row.id)).await?;
    }
    Ok(shown)
}

/// Writes down what a person's shown reviews come to: lists are sorted by it.
async fn count_in(app: &App, tx: &Tx, subject: UserId) -> Result<()> {
    account::locked(tx, subject).await?;
    let sums: Option<(i64, Option<i64>)> = review::Entity::find()
        .select_only()
        .column_as(review::Column::Id.count(), "reviews")
        .column_as(Expr::col(review::Column::Rating).sum().cast_as("bigint"), "tenths")
        .filter(review::Column::SubjectId.eq(subject))
        .filter(review::Column::ShownAt.is_not_null())
        .into_tuple()
        .one(&**tx)
        .await?;
    let (count, tenths) = sums.map_or((0, 0), |(count, tenths)| (count, tenths.unwrap_or(0)));
    let fits =
        |number: i64| i32::try_from(number).map_err(|_| Error::bug("more reviews than can be counted"));
    let change = user::ActiveModel {
        id: Set(subject),
        rating: Set(fits(mean_in_hundredths(count, tenths))?),
        review_count: Set(fits(count)?),
        updated_at: Set(app.clock.now()),
        ..Default::default()
    };
    change.update(&**tx).await?;
    Ok(())
}

/// The mean of so many scores in tenths, in hundredths, rounded half up; 0 of none.
const fn mean_in_hundredths(count: i64, tenths: i64) -> i64 {
    if count == 0 { 0 } else { (tenths * 20 + count) / (count * 2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_rounded_half_up_to_a_hundredth() {
        assert_eq!(mean_in_hundredths(0, 0), 0);
        assert_eq!(mean_in_hundredths(1, 45), 450);
        assert_eq!(mean_in_hundredths(2, 95), 475);
        // 13.0 of three is 4.333..., 14.0 is 4.666...
        assert_eq!((mean_in_hundredths(3, 130), mean_in_hundredths(3, 140)), (433, 467));
        // 36.1 of eight would be 4.5125; 36.2 is 4.525: up.
        assert_eq!(mean_in_hundredths(8, 362), 453);
    }
}
