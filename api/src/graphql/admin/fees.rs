//! The schedule of the platform's fee.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::fee;

use crate::{
    error::{UserError, answer, fault},
    graphql::{
        payment::FeeSchedule,
        support::{actor, app},
    },
};

/// Reading the schedule.
#[derive(Default)]
pub(super) struct FeeQuery;

#[Object]
impl FeeQuery {
    /// Every version of the fee, the newest first: those that were, that is in force, and that will be. For admins.
    async fn fee_schedules(&self, ctx: &Context<'_>) -> Result<Vec<FeeSchedule>> {
        let rows = fee::schedules(app(ctx)?, actor(ctx)?).await.map_err(fault)?;
        Ok(rows.into_iter().map(FeeSchedule::from).collect())
    }
}

/// A new version of the fee.
#[derive(Debug, InputObject)]
pub struct FeeScheduleCreateInput {
    /// Hundredths of a percent of the gross, 0 to 3,000: 1,000 are 10%.
    pub basis_points: i32,
    /// From when on new contracts take it: a time in the future.
    pub effective_at: DateTime<Utc>,
}

/// The new version, or why there is none.
#[derive(SimpleObject)]
pub struct FeeScheduleCreatePayload {
    /// The version; null when something has to be mended first.
    pub fee_schedule: Option<FeeSchedule>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// Changing the fee.
#[derive(Default)]
pub(super) struct FeeMutation;

#[Object]
impl FeeMutation {
    /// Adds a version of the fee that new contracts take from a time in the future on; contracts that are there keep
    /// the one they were made with. A version is never changed: to mend one before its time comes, add another
    /// for the same time, which then holds. For admins.
    async fn fee_schedule_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How much, from when on.")] input: FeeScheduleCreateInput,
    ) -> Result<FeeScheduleCreatePayload> {
        let result = fee::create(app(ctx)?, actor(ctx)?, input.basis_points, input.effective_at).await;
        let (row, user_errors) = answer(result)?;
        Ok(FeeScheduleCreatePayload { fee_schedule: row.map(FeeSchedule::from), user_errors })
    }
}
