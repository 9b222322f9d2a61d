//! Reviews.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    entities::{contract, review},
    policy::{Action, can},
    review::{self as reviews, Scores, WORST, Words},
};

use super::{
    contract::Contract,
    project::Project,
    support::{actor, app, parse_id},
    user::User,
};
use crate::{
    error::{UserError, answer},
    loaders::load,
};

/// What one party of an ended contract says about the other.
#[derive(Debug, Clone)]
pub struct Review(pub review::Model);

/// What one party of an ended contract says about the other. Double-blind: everybody sees it once both are written, or
/// fourteen days after the contract's end; until then only its author does, and admins.
#[Object]
impl Review {
    /// The review's id, `rev_...`.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The project that the work was on.
    async fn project(&self, ctx: &Context<'_>) -> Result<Project> {
        let contract: contract::Model = load(ctx, self.0.contract_id).await?;
        load(ctx, contract.project_id).await.map(Project)
    }

    /// The contract that it is about; null unless you are a party of it, or an admin.
    async fn contract(&self, ctx: &Context<'_>) -> Result<Option<Contract>> {
        let contract: contract::Model = load(ctx, self.0.contract_id).await?;
        Ok(can(actor(ctx)?, Action::ContractSee(&contract)).is_ok().then_some(Contract(contract)))
    }

    /// Who wrote it.
    async fn author(&self, ctx: &Context<'_>) -> Result<User> {
        load(ctx, self.0.author_id).await.map(User)
    }

    /// Whom it is about.
    async fn subject(&self, ctx: &Context<'_>) -> Result<User> {
        load(ctx, self.0.subject_id).await.map(User)
    }

    /// The whole: 1.0 to 5.0 in steps of 0.5.
    async fn rating(&self) -> f64 {
        shown(self.0.rating)
    }

    /// Its parts.
    async fn scores(&self) -> ReviewScores {
        ReviewScores {
            skill: shown(self.0.skill),
            quality: shown(self.0.quality),
            communication: shown(self.0.communication),
            deadline: shown(self.0.deadline),
            cooperation: shown(self.0.cooperation),
        }
    }

    /// In words.
    async fn comment(&self) -> &str {
        &self.0.comment
    }

    /// What the reviewed person answered; null until they did.
    async fn answer(&self) -> Option<&str> {
        self.0.answer.as_deref()
    }

    /// When they answered.
    async fn answered_at(&self) -> Option<DateTime<Utc>> {
        self.0.answered_at
    }

    /// When it is shown at the latest: fourteen days after the contract's end.
    async fn reveal_at(&self) -> DateTime<Utc> {
        self.0.reveal_at
    }

    /// Since when everybody sees it; null before, while its author may still change it.
    async fn shown_at(&self) -> Option<DateTime<Utc>> {
        self.0.shown_at
    }

    /// When it was written.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// The parts of a review: 1.0 to 5.0 each, in steps of 0.5.
#[derive(Debug, Clone, SimpleObject)]
pub struct ReviewScores {
    /// Whether they can do what they said.
    pub skill: f64,
    /// Whether the work is good; of a client, whether what was asked for was.
    pub quality: f64,
    /// Whether they answer, and clearly.
    pub communication: f64,
    /// Whether they keep what was agreed on time.
    pub deadline: f64,
    /// Whether working with them is pleasant.
    pub cooperation: f64,
}

/// Every score there is, from the worst to the best: no arithmetic, so no rounding.
const STEPS: [f64; 9] = [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0];

/// A score as people see it.
fn shown(tenths: i32) -> f64 {
    let step = usize::try_from((tenths - WORST) / 5).unwrap_or(0);
    STEPS.get(step).copied().unwrap_or(STEPS[0])
}

/// A score in tenths; 0, which is none, for what is no step.
fn tenths(score: f64) -> i32 {
    (0_i32..)
        .zip(STEPS)
        .find(|(_, step)| step.to_bits() == score.to_bits())
        .map_or(0, |(at, _)| WORST + 5 * at)
}

/// The scores that you give: 1.0 to 5.0 each, in steps of 0.5.
#[derive(Debug, InputObject)]
pub struct ReviewScoresInput {
    /// The whole.
    pub rating: f64,
    /// Whether they can do what they said.
    pub skill: f64,
    /// Whether the work is good; of a client, whether what was asked for was.
    pub quality: f64,
    /// Whether they answer, and clearly.
    pub communication: f64,
    /// Whether they keep what was agreed on time.
    pub deadline: f64,
    /// Whether working with them is pleasant.
    pub cooperation: f64,
}

impl From<ReviewScoresInput> for Scores {
    fn from(input: ReviewScoresInput) -> Self {
        Self {
            rating: tenths(input.rating),
            skill: tenths(input.skill),
            quality: tenths(input.quality),
            communication: tenths(input.communication),
            deadline: tenths(input.deadline),
            cooperation: tenths(input.cooperation),
        }
    }
}

/// What you say about the other party of a contract.
#[derive(Debug, InputObject)]
pub struct ReviewCreateInput {
    /// A contract of yours that is COMPLETED, or TERMINATED after a payment, for at most fourteen days.
    pub contract_id: ID,
    /// The whole and its parts.
    pub scores: ReviewScoresInput,
    /// In words: 10 to 5,000 characters.
    pub comment: String,
}

/// A review, written anew.
#[derive(Debug, InputObject)]
pub struct ReviewUpdateInput {
    /// A review of yours that is not shown yet, `rev_...`.
    pub review_id: ID,
    /// The whole and its parts.
    pub scores: ReviewScoresInput,
    /// In words: 10 to 5,000 characters.
    pub comment: String,
}

/// Your answer to a review.
#[derive(Debug, InputObject)]
pub struct ReviewAnswerInput {
    /// A review about you that is shown, `rev_...`.
    pub review_id: ID,
    /// What you say to it, in public: 1 to 2,000 characters.
    pub answer: String,
}

/// The review after the change, or why there was none.
#[derive(Debug, SimpleObject)]
pub struct ReviewPayload {
    /// The review; null when something has to be mended first.
    pub review: Option<Review>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

impl ReviewPayload {
    fn of(result: domain::Result<review::Model>) -> Result<Self> {
        let (review, user_errors) = answer(result)?;
        Ok(Self { review: review.map(Review), user_errors })
    }
}

/// Writing reviews.
#[derive(Debug, Default)]
pub struct ReviewMutation;

#[Object]
impl ReviewMutation {
    /// Reviews the other party of a contract that ended, once. The other party sees it when they have written theirs,
    /// or fourteen days after the contract's end. For its parties.
    async fn review_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The review.")] input: ReviewCreateInput,
    ) -> Result<ReviewPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("contractId", &input.contract_id);
        let words = Words { scores: input.scores.into(), comment: input.comment };
        ReviewPayload::of(async { reviews::create(app, actor, id?, words).await }.await)
    }

    /// Writes your review anew. Possible until it is shown. For its author.
    async fn review_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The review, written anew.")] input: ReviewUpdateInput,
    ) -> Result<ReviewPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("reviewId", &input.review_id);
        let words = Words { scores: input.scores.into(), comment: input.comment };
        ReviewPayload::of(async { reviews::update(app, actor, id?, words).await }.await)
    }

    /// Answers a review about you, in public and once.
    async fn review_answer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The answer.")] input: ReviewAnswerInput,
    ) -> Result<ReviewPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("reviewId", &input.review_id);
        ReviewPayload::of(async { reviews::reply(app, actor, id?, &input.answer).await }.await)
    }
}
