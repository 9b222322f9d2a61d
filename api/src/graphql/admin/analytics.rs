//! How the marketplace does.

use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::analytics::{self, Figures};

use crate::{
    error::fault,
    graphql::{
        scalars::Money,
        support::{actor, app},
    },
};

/// How long a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "analytics::Interval")]
pub enum AnalyticsInterval {
    /// A day, from midnight to midnight UTC.
    Day,
    /// An ISO week, from Monday to Monday.
    Week,
    /// A month, from the first to the first.
    Month,
}

/// Which time to look at.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct AnalyticsInput {
    /// What happened at this time or later.
    pub from: DateTime<Utc>,
    /// What happened before this time.
    pub to: DateTime<Utc>,
    /// How it is cut: into at most 400 buckets.
    pub interval: AnalyticsInterval,
}

/// Figures of the marketplace over a time, in whole and by bucket.
#[derive(SimpleObject)]
pub struct Analytics {
    /// Of the whole time.
    pub total: AnalyticsFigures,
    /// Of each bucket, in order, also of those in which nothing happened.
    #[graphql(complexity = "5 + child_complexity")]
    pub buckets: Vec<AnalyticsBucket>,
}

/// A day, week or month with its figures.
#[derive(SimpleObject)]
pub struct AnalyticsBucket {
    /// When it begins by the calendar, UTC. What happened exactly then is in it. The first and the last one count only
    /// what is within the time that was asked for.
    pub start_at: DateTime<Utc>,
    /// What happened in it.
    pub figures: AnalyticsFigures,
}

/// What happened in a time.
pub struct AnalyticsFigures(Figures);

/// What happened in a time.
#[Object]
impl AnalyticsFigures {
    /// People who registered as clients. Administrators are not counted.
    async fn client_sign_ups(&self) -> i32 {
        int(self.0.client_sign_ups)
    }

    /// People who registered as freelancers. Administrators are not counted.
    async fn freelancer_sign_ups(&self) -> i32 {
        int(self.0.freelancer_sign_ups)
    }

    /// Projects that were opened for proposals for the first time.
    async fn projects_published(&self) -> i32 {
        int(self.0.projects)
    }

    /// Proposals that were sent.
    async fn proposals(&self) -> i32 {
        int(self.0.proposals)
    }

    /// Contracts that their freelancers accepted.
    async fn contracts_accepted(&self) -> i32 {
        int(self.0.contracts_accepted)
    }

    /// Contracts that ran at some moment of the time: accepted before its end, and not ended before its beginning.
    async fn contracts_running(&self) -> i32 {
        int(self.0.contracts_running)
    }

    /// Gross merchandise value: the gross of the RELEASE and BONUS payments that were completed.
    async fn gmv(&self) -> Money {
        self.0.gmv.into()
    }

    /// The platform's part of the GMV.
    async fn fees(&self) -> Money {
        self.0.fees.into()
    }

    /// The REFUND payments that were completed.
    async fn refunds(&self) -> Money {
        self.0.refunds.into()
    }

    /// Hours from the first opening of a project to the acceptance of a contract on it: the mean over the contracts
    /// that were accepted in the time, to two decimals; null when none was.
    async fn time_to_hire_hours(&self) -> Option<f64> {
        self.0.time_to_hire_hours()
    }

    /// Disputes that were opened.
    async fn disputes_opened(&self) -> i32 {
        int(self.0.disputes)
    }

    /// `disputesOpened` divided by `contractsRunning`, to four decimals: 0.05 is one dispute for twenty contracts. Null
    /// when no contract ran.
    async fn dispute_rate(&self) -> Option<f64> {
        self.0.dispute_rate()
    }
}

fn int(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Reading figures.
#[derive(Default)]
pub(super) struct AnalyticsQuery;

#[Object]
impl AnalyticsQuery {
    /// How the marketplace did: figures over a time, in whole and by day, week or month. For admins.
    #[graphql(complexity = "50 + child_complexity")]
    async fn analytics(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which time, cut how.")] input: AnalyticsInput,
    ) -> Result<Analytics> {
        let AnalyticsInput { from, to, interval } = input;
        let period = analytics::Period { from, to, interval: interval.into() };
        let found = analytics::analytics(app(ctx)?, actor(ctx)?, period).await.map_err(fault)?;
        let buckets = found.buckets.into_iter().map(|bucket| AnalyticsBucket {
            start_at: bucket.start,
            figures: AnalyticsFigures(bucket.figures),
        });
        Ok(Analytics { total: AnalyticsFigures(found.total), buckets: buckets.collect() })
    }
}
