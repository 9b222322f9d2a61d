//! How lists of projects are narrowed and sorted.

use async_graphql::{Enum, ID, InputObject};
use domain::project as projects;

use crate::graphql::{
    enums::{BudgetType, ExperienceLevel, OrderDirection, ProjectStatus},
    scalars::MoneyInput,
    support::{parse_id, parse_ids},
};

/// Which projects are wanted. What is left out does not narrow the list.
#[derive(Debug, Default, InputObject)]
pub struct ProjectFilter {
    /// Words to find, at most 20, in 200 characters. Case and accents make no difference, and signs only divide
    /// words. A project is found when its title and description hold every word; the last one, unless a sign
    /// follows it, may be the beginning of a word. An empty search finds all; one of signs alone, nothing.
    pub search: Option<String>,
    /// In one of these categories.
    pub categories: Option<Vec<ID>>,
    /// Asking for at least one of these skills.
    pub skills: Option<Vec<ID>>,
    /// In one of these states.
    pub status: Option<Vec<ProjectStatus>>,
    /// Posted by this client.
    pub client_id: Option<ID>,
    /// Paying one price, or by the hour.
    pub budget_type: Option<BudgetType>,
    /// Whose budget reaches at least this: its `budgetMax` is not below.
    pub budget_min: Option<MoneyInput>,
    /// Whose budget begins at this or below: its `budgetMin` is not above.
    pub budget_max: Option<MoneyInput>,
    /// Asking for this experience.
    pub experience_level: Option<ExperienceLevel>,
}

impl ProjectFilter {
    pub(super) fn parse(self) -> domain::Result<projects::Filter> {
        let client_id = self.client_id.map(|id| parse_id("filter.clientId", &id)).transpose()?;
        let budget_min = self.budget_min.map(|money| money.parse("filter.budgetMin")).transpose()?;
        let budget_max = self.budget_max.map(|money| money.parse("filter.budgetMax")).transpose()?;
        Ok(projects::Filter {
            search: self.search,
            categories: parse_ids("filter.categories", &self.categories.unwrap_or_default())?,
            skills: parse_ids("filter.skills", &self.skills.unwrap_or_default())?,
            status: self.status.unwrap_or_default().into_iter().map(Into::into).collect(),
            client_id,
            budget_type: self.budget_type.map(Into::into),
            budget_min,
            budget_max,
            experience_level: self.experience_level.map(Into::into),
        })
    }
}

/// Which of a client's projects are wanted. What is left out does not narrow the list.
#[derive(Debug, Default, InputObject)]
pub struct UserProjectFilter {
    /// In one of these states.
    pub status: Option<Vec<ProjectStatus>>,
}

impl UserProjectFilter {
    /// The states, none for any.
    pub(in crate::graphql) fn states(self) -> Vec<domain::entities::ProjectStatus> {
        self.status.unwrap_or_default().into_iter().map(Into::into).collect()
    }
}

/// What a list of projects can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ProjectOrderField {
    /// When it was created.
    CreatedAt,
    /// When it was last changed.
    UpdatedAt,
    /// The most that its client means to pay.
    BudgetMax,
    /// How many of the words of `filter.search` are in its title. Only with a search.
    Relevance,
}

/// How a list of projects is sorted. Ties go by creation.
#[derive(Debug, InputObject)]
pub struct ProjectOrder {
    /// By what.
    pub field: ProjectOrderField,
    /// Which way.
    pub direction: OrderDirection,
}

impl From<ProjectOrder> for projects::Order {
    fn from(order: ProjectOrder) -> Self {
        let field = match order.field {
            ProjectOrderField::CreatedAt => projects::OrderField::CreatedAt,
            ProjectOrderField::UpdatedAt => projects::OrderField::UpdatedAt,
            ProjectOrderField::BudgetMax => projects::OrderField::BudgetMax,
            ProjectOrderField::Relevance => projects::OrderField::Relevance,
        };
        Self { field, descending: order.direction == OrderDirection::Desc }
    }
}
