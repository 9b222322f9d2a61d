//! Matches: freelancers for a project, and projects for a freelancer.

use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use domain::{
    entities::{ProjectId, UserId},
    matching::{Match, score::Factors},
};

use super::{project::Project, user::User};
use crate::loaders::load;

/// What put matches in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::matching::Ranking")]
pub enum MatchRanking {
    /// Their scores. So it is where no assistant is set up, where it gives no answer within three seconds, rests because it
    /// failed, or has been asked enough for a day, and for a project that was never published: its text is nobody else's
    /// business yet.
    Score,
    /// What their texts mean: of the thirty best by score the ten with the highest similarity, ties by score.
    Semantic,
}

/// A freelancer who fits a project, and what speaks for them.
#[derive(Debug, Clone, Copy)]
pub struct FreelancerMatch(pub Match<UserId>);

/// A freelancer who fits a project, and what speaks for them.
#[Object]
impl FreelancerMatch {
    /// Who.
    async fn freelancer(&self, ctx: &Context<'_>) -> Result<User> {
        load(ctx, self.0.id).await.map(User)
    }

    /// How well they fit, above 0.3 and at most 1, to four decimals: 0.4 of the skills, 0.2 of the budget, 0.2 of the
    /// rating, 0.1 of the availability and 0.1 of the success.
    async fn score(&self) -> f64 {
        share(self.0.factors.total())
    }

    /// What it is made of.
    async fn factors(&self) -> MatchFactors {
        self.0.factors.into()
    }

    /// How much the text of the project and that of the freelancer mean the same, 0 to 1, to three decimals: the cosine
    /// between their embeddings. Compared is what everybody may read: title, description, headline, bio and skills.
    /// Null where matches are ranked by SCORE, and where a text says nothing. It is no part of the score.
    async fn similarity(&self) -> Option<f64> {
        self.0.similarity.map(thousandths)
    }

    /// What put the matches in this order: the same for all of a list.
    async fn ranked_by(&self) -> MatchRanking {
        self.0.ranked_by.into()
    }
}

/// A project that fits a freelancer, and what speaks for it.
#[derive(Debug, Clone, Copy)]
pub struct ProjectMatch(pub Match<ProjectId>);

/// A project that fits a freelancer, and what speaks for it.
#[Object]
impl ProjectMatch {
    /// Which one.
    async fn project(&self, ctx: &Context<'_>) -> Result<Project> {
        load(ctx, self.0.id).await.map(Project)
    }

    /// How well it fits, above 0.3 and at most 1, to four decimals: 0.4 of the skills, 0.2 of the budget, 0.2 of the
    /// rating, 0.1 of the availability and 0.1 of the success.
    async fn score(&self) -> f64 {
        share(self.0.factors.total())
    }

    /// What it is made of.
    async fn factors(&self) -> MatchFactors {
        self.0.factors.into()
    }

    /// How much the text of the project and that of the freelancer mean the same, 0 to 1, to three decimals: the cosine
    /// between their embeddings. Compared is what everybody may read: title, description, headline, bio and skills.
    /// Null where matches are ranked by SCORE, and where a text says nothing. It is no part of the score.
    async fn similarity(&self) -> Option<f64> {
        self.0.similarity.map(thousandths)
    }

    /// What put the matches in this order: the same for all of a list.
    async fn ranked_by(&self) -> MatchRanking {
        self.0.ranked_by.into()
    }
}

/// What a match is made of: each factor 0 to 1, to four decimals.
#[derive(Debug, Clone, SimpleObject)]
pub struct MatchFactors {
    /// How much of what is asked for the freelancer knows: the sum of proficiency / 5 over the skills asked for,
    /// divided by their number. 0.5 when none is asked for.
    pub skills: f64,
    /// Whether the freelancer's rate an hour fits an HOURLY project's budget: 1 within it, 0.8 below it, above it
    /// max(0, 1 - over / budgetMax). 0.5 when there is no rate, and on FIXED projects.
    pub budget: f64,
    /// What the freelancer's reviews say: (mean - 1) / 4 x (0.7 + 0.3 x min(1, reviews / 10)). 0.3 without a review.
    pub rating: f64,
    /// Whether the freelancer has time, by their contracts that are ACTIVE, PAUSED or DISPUTED: 1 with none, 0.7
    /// with up to 3, 0.4 with up to 5, 0.2 with more.
    pub availability: f64,
    /// How many of the freelancer's contracts that ended were COMPLETED and not TERMINATED. 0.5 before any ended.
    pub success: f64,
}

impl From<Factors> for MatchFactors {
    fn from(factors: Factors) -> Self {
        Self {
            skills: share(factors.skills),
            budget: share(factors.budget),
            rating: share(factors.rating),
            availability: share(factors.availability),
            success: share(factors.success),
        }
    }
}

/// Basis points as a share of one.
#[expect(clippy::float_arithmetic, reason = "a score is no money, and nothing is reckoned with it any more")]
fn share(basis_points: i32) -> f64 {
    f64::from(basis_points) / 10_000.0
}

/// Thousandths as a share of one.
fn thousandths(similarity: i32) -> f64 {
    share(similarity.saturating_mul(10))
}
