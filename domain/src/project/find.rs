//! Finding projects. Every finder takes the actor: a draft is for its client and for admins only.

use entities::{
    BudgetType, CategoryId, ExperienceLevel, ProjectId, ProjectStatus, SkillId, Usdc, UserId, project,
    project_skill,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::SelectStatement,
};

use crate::{
    Actor, App, Error, account,
    check::Check,
    error::Result,
    page::{Below, List},
    search::{Index, RELEVANCE, Search},
};

/// Which projects are wanted. What is empty or `None` does not narrow the list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Words that the title and the description hold together: see [`crate::search`].
    pub search: Option<String>,
    /// In one of these categories.
    pub categories: Vec<CategoryId>,
    /// Asking for at least one of these skills.
    pub skills: Vec<SkillId>,
    /// In one of these states.
    pub status: Vec<ProjectStatus>,
    /// Of this client.
    pub client_id: Option<UserId>,
    /// Paying so.
    pub budget_type: Option<BudgetType>,
    /// Whose budget reaches at least this.
    pub budget_min: Option<Usdc>,
    /// Whose budget begins at this or below.
    pub budget_max: Option<Usdc>,
    /// Asking for this experience.
    pub experience_level: Option<ExperienceLevel>,
}

/// What a list of projects is sorted by; ties go by creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderField {
    /// When it was posted.
    CreatedAt,
    /// When it was last changed.
    UpdatedAt,
    /// The upper end of its budget.
    BudgetMax,
    /// How many of the words searched for are in its title.
    Relevance,
}

/// How a list of projects is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// By what.
    pub field: OrderField,
    /// Largest or newest first.
    pub descending: bool,
}

impl Order {
    /// The best first where something is searched for, the newest first elsewhere.
    const fn usual(search: &Search) -> Self {
        let field = if search.is_given() { OrderField::Relevance } else { OrderField::CreatedAt };
        Self { field, descending: true }
    }
}

/// The projects that the actor may see.
pub fn visible(actor: &Actor) -> Select<project::Entity> {
    let all = project::Entity::find();
    if actor.sees_all() {
        return all;
    }
    let public = project::Column::PublishedAt.is_not_null();
    match actor.user_id() {
        Some(user) => all.filter(Condition::any().add(public).add(project::Column::ClientId.eq(user))),
        None => all.filter(public),
    }
}

/// One project that the actor may see.
pub async fn find(app: &App, actor: &Actor, id: ProjectId) -> Result<project::Model> {
    visible_by_id(app, actor, id).await?.ok_or_else(|| Error::not_found("id", "project"))
}

/// The same, for whoever names it in another field: None when it is not there or not theirs to see.
pub(crate) async fn visible_by_id(app: &App, actor: &Actor, id: ProjectId) -> Result<Option<project::Model>> {
    Ok(visible(actor).filter(project::Column::Id.eq(id)).one(app.db.reader()).await?)
}

/// The projects that the actor may see, narrowed and sorted: as [`Order::usual`] where no order is given.
pub fn list(
    app: &App,
    actor: &Actor,
    filter: &Filter,
    order: Option<Order>,
) -> Result<List<project::Entity>> {
    use project::Column;
    let mut check = Check::new();
    let search = Search::parse(&mut check, filter.search.as_deref());
    let Order { field, descending } = order.unwrap_or_else(|| Order::usual(&search));
    search.check_order(&mut check, field == OrderField::Relevance);
    check.done()?;

    let mut narrow = Condition::all().add_option(hidden(actor).map(|hidden| hidden.not()));
    if !filter.categories.is_empty() {
        narrow = narrow.add(Column::CategoryId.is_in(filter.categories.iter().copied()));
    }
    if !filter.skills.is_empty() {
        narrow = narrow.add(Column::Id.in_subquery(asking_for(&filter.skills)));
    }
    if !filter.status.is_empty() {
        narrow = narrow.add(Column::Status.is_in(filter.status.iter().copied()));
    }
    narrow = narrow
        .add_option(filter.client_id.map(|client| Column::ClientId.eq(client)))
        .add_option(filter.budget_type.map(|kind| Column::BudgetType.eq(kind)))
        .add_option(filter.budget_min.map(|least| Column::BudgetMax.gte(least)))
        .add_option(filter.budget_max.map(|most| Column::BudgetMin.lte(most)))
        .add_option(filter.experience_level.map(|level| Column::ExperienceLevel.eq(level)));

    let select = search.narrow(visible(actor).filter(narrow), Index::Projects, app.db.backend());
    let by = match field {
        OrderField::CreatedAt => Column::CreatedAt,
        OrderField::UpdatedAt => Column::UpdatedAt,
        OrderField::BudgetMax => Column::BudgetMax,
        OrderField::Relevance => {
            let number = search.relevance(Index::Projects);
            return Ok(List::by_number(select, RELEVANCE, number, Column::Id, descending));
        }
    };
    Ok(List::by(select, by, Column::Id, descending))
}

/// The projects of clients that the actor may see, in one of these states (in any when none is named), newest first.
pub fn of_clients(actor: &Actor, status: &[ProjectStatus]) -> Below<project::Entity> {
    use project::Column;
    let named = (!status.is_empty()).then(|| Column::Status.is_in(status.iter().copied()));
    let shown = Condition::all().add_option(hidden(actor).map(|hidden| hidden.not())).add_option(named);
    List::by(visible(actor).filter(shown), Column::CreatedAt, Column::Id, true).below([Column::ClientId])
}

/// What is left out of lists, though it can be looked at: OPEN projects of suspended clients, which take no proposals.
/// Their clients and administrators see them.
fn hidden(actor: &Actor) -> Option<Condition> {
    use project::Column;
    if actor.sees_all() {
        return None;
    }
    let others = actor.user_id().map(|user| Column::ClientId.ne(user));
    let open = Column::Status.eq(ProjectStatus::Open);
    let suspended = Column::ClientId.in_subquery(account::suspended());
    Some(Condition::all().add(open).add(suspended).add_option(others))
}

fn asking_for(skills: &[SkillId]) -> SelectStatement {
    project_skill::Entity::find()
        .select_only()
        .column(project_skill::Column::ProjectId)
        .filter(project_skill::Column::SkillId.is_in(skills.iter().copied()))
        .into_query()
}

#[cfg(test)]
mod tests {
    use sea_orm::DbBackend;

    use super::*;

    #[test]
    fn drafts_are_hidden_in_the_statement_itself() {
        let sql = visible(&Actor::Anonymous).build(DbBackend::Sqlite).to_string();
        assert!(sql.ends_with(r#"WHERE "projects"."published_at" IS NOT NULL"#), "{sql}");
        assert!(!visible(&Actor::System).build(DbBackend::Sqlite).to_string().contains("WHERE"));
    }
}
