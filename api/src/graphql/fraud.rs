//! How suspicious somebody or something is, for administrators.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use domain::fraud::{self, Subject};

use super::{
    node::Node,
    project::Project,
    proposal::Proposal,
    support::{actor, app},
    user::User,
};
use crate::error::fault;

/// How suspicious a score is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "fraud::Band")]
pub enum FraudBand {
    /// Below 30.
    Low,
    /// From 30.
    Medium,
    /// From 60.
    High,
    /// From 85.
    Critical,
}

/// What makes somebody or something suspicious.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "fraud::Kind")]
pub enum FraudSignalKind {
    /// The person's e-mail address is not proven: 20 points.
    EmailUnproven,
    /// The person's account is younger than a day: 20 points.
    AccountNew,
    /// The person's account is younger than a week, and not younger than a day: 10 points.
    AccountYoung,
    /// The person has linked no wallet: 10 points.
    NoWallet,
    /// The person sent more than 20 proposals within 24 hours of the last 30 days: 20 points.
    ManyProposals,
    /// Somebody opened a dispute of kind FRAUD against the person, and did not withdraw it: 30 points.
    FraudDisputes,
    /// Two disputes or more were resolved so that the other side got more than the person: 20 points.
    DisputesLost,
    /// The person ended three contracts or more early, or took their offers back: 10 points.
    ManyCancelled,
    /// The person's rating is below 2, of three reviews or more: 20 points.
    LowRating,
    /// The person is suspended, or was: 30 points.
    Suspended,
    /// Five programs or more signed in as the person within 24 hours of the last 30 days: 10 points.
    ManySessions,
    /// The project's budget is more than ten times what is usual in its category, or less than a tenth: 20 points.
    /// Usual is the median of the newest projects of others there that pay the same way, if they are at least ten.
    UnusualBudget,
    /// The text holds an e-mail address, a phone number or a name at another service: 20 points.
    ContactDetails,
    /// The text names a way to pay outside the marketplace, such as PayPal: 20 points. The work may be about just that.
    OutsidePayment,
    /// Two others or more have the very same description or cover letter, of the same person or not: 20 points.
    RepeatedText,
    /// The project's client is here for less than a week and offers 10,000 USDC or more, or 200 an hour: 20 points.
    LargeBudgetOfNewClient,
    /// The bid is below half of the least of the project's budget: 10 points.
    LowBid,
    /// The bid is above three times the most of the project's budget: 20 points.
    HighBid,
    /// The proposal came less than ten seconds after the project was opened: 10 points.
    SentAtOnce,
}

/// Something that makes the subject suspicious.
#[derive(SimpleObject)]
pub struct FraudSignal {
    /// What was noticed.
    pub kind: FraudSignalKind,
    /// What it weighs here: half, rounded down, when it is about the owner of the subject.
    pub points: i32,
    /// The fact that it comes from, for people.
    pub detail: String,
}

/// How suspicious somebody or something is, and why. Nothing is done by it: it tells administrators where to look.
#[derive(SimpleObject)]
pub struct FraudReport {
    /// What it is about: a user, a project or a proposal.
    #[graphql(complexity = "5 + child_complexity")]
    pub subject: Node,
    /// The points of all signals together, at most 100.
    pub score: i32,
    /// The band of the score.
    pub band: FraudBand,
    /// What was noticed: about the subject first, then about its client or freelancer.
    #[graphql(complexity = "5 + child_complexity")]
    pub signals: Vec<FraudSignal>,
}

impl From<fraud::Report> for FraudReport {
    fn from(report: fraud::Report) -> Self {
        let (score, band) = (report.score(), report.band().into());
        let subject = match report.subject {
            Subject::User(row) => Node::User(User(row)),
            Subject::Project(row) => Node::Project(Project(row)),
            Subject::Proposal(row) => Node::Proposal(Proposal(row)),
        };
        let signals = report.signals.into_iter().map(|signal| FraudSignal {
            kind: signal.kind.into(),
            points: signal.points,
            detail: signal.detail,
        });
        Self { subject, score, band, signals: signals.collect() }
    }
}

/// Reading fraud reports.
#[derive(Debug, Default)]
pub struct FraudQuery;

#[Object]
impl FraudQuery {
    /// How suspicious a user, a project or a proposal is: a project with half of what is suspicious about its client, a
    /// proposal with half of what is about its freelancer. For admins.
    #[graphql(complexity = "50 + child_complexity")]
    async fn fraud_report(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user, `usr_...`, the project, `prj_...`, or the proposal, `ppl_...`.")]
        subject_id: ID,
    ) -> Result<FraudReport> {
        let report = fraud::report(app(ctx)?, actor(ctx)?, &subject_id).await.map_err(fault)?;
        Ok(report.into())
    }
}
