//! Finding people. What is private about them is hidden by the API, field by field.

use entities::{Availability, Role, SkillId, Usdc, UserId, skill, user, user_skill};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoSimpleExpr, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select, sea_query::LockType,
};

use crate::{
    App, Tx,
    check::Check,
    error::{Error, Result},
    page::List,
    search::{Index, RELEVANCE, Search},
};

/// Which freelancers are wanted; everything given must hold.
#[derive(Debug, Clone, Default)]
pub struct FreelancerFilter {
    /// Words that the name, the headline and the bio hold together: see [`crate::search`].
    pub search: Option<String>,
    /// They have every one of these skills.
    pub skill_ids: Vec<SkillId>,
    /// Their rate an hour is at least this.
    pub min_hourly_rate: Option<Usdc>,
    /// Their rate an hour is at most this.
    pub max_hourly_rate: Option<Usdc>,
    /// They can start so; any when empty.
    pub availability: Vec<Availability>,
    /// The mean of their reviews is at least this, in hundredths: 100 to 500. Those without one are left out.
    pub min_rating: Option<i32>,
}

/// By what freelancers are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreelancerOrder {
    /// By when they registered.
    CreatedAt,
    /// By their rate; those without one are left out.
    HourlyRate,
    /// By how many of the words searched for are in their name and headline.
    Relevance,
    /// By the mean of their reviews; those without one count as 0.
    Rating,
}

/// A person's public side, for everybody.
pub async fn user(app: &App, id: UserId) -> Result<user::Model> {
    user::Entity::find_by_id(id).one(app.db.reader()).await?.ok_or_else(|| Error::not_found("id", "user"))
}

/// The freelancers that everybody may find: suspended ones are not among them. Where no order is given (by what,
/// and whether it descends), the best come first if something is searched for, and the newest otherwise.
pub fn freelancers(
    app: &App,
    filter: &FreelancerFilter,
    order: Option<(FreelancerOrder, bool)>,
) -> Result<List<user::Entity>> {
    let mut check = Check::new();
    let search = Search::parse(&mut check, filter.search.as_deref());
    let (order, descending) = order.unwrap_or(match search.is_given() {
        true => (FreelancerOrder::Relevance, true),
        false => (FreelancerOrder::CreatedAt, true),
    });
    search.check_order(&mut check, order == FreelancerOrder::Relevance);
    check.done()?;
    let mut select = user::Entity::find()
        .filter(user::Column::Role.eq(Role::Freelancer))
        .filter(user::Column::SuspendedAt.is_null());
    select = search.narrow(select, Index::People, app.db.backend());
    for skill in &filter.skill_ids {
        let having = user_skill::Entity::find()
            .select_only()
            .column(user_skill::Column::UserId)
            .filter(user_skill::Column::SkillId.eq(*skill))
            .into_query();
        select = select.filter(user::Column::Id.in_subquery(having));
    }
    if let Some(least) = filter.min_hourly_rate {
        select = select.filter(user::Column::HourlyRate.gte(least));
    }
    if let Some(most) = filter.max_hourly_rate {
        select = select.filter(user::Column::HourlyRate.lte(most));
    }
    if !filter.availability.is_empty() {
        select = select.filter(user::Column::Availability.is_in(filter.availability.iter().copied()));
    }
    if let Some(least) = filter.min_rating {
        select = select.filter(user::Column::Rating.gte(least));
    }
    Ok(match order {
        FreelancerOrder::CreatedAt => List::by_id(select, user::Column::Id, descending),
        FreelancerOrder::HourlyRate => {
            let select = select.filter(user::Column::HourlyRate.is_not_null());
            List::by(select, user::Column::HourlyRate, user::Column::Id, descending)
        }
        FreelancerOrder::Relevance => {
            let number = search.relevance(Index::People);
            List::by_number(select, RELEVANCE, number, user::Column::Id, descending)
        }
        FreelancerOrder::Rating => List::by(select, user::Column::Rating, user::Column::Id, descending),
    })
}

/// The skills of some people with their names, the strongest first. Withdrawn skills are left out.
pub async fn skills_of(
    conn: &impl ConnectionTrait,
    users: impl IntoIterator<Item = UserId>,
) -> Result<Vec<(user_skill::Model, skill::Model)>> {
    let to_skill = user_skill::Entity::belongs_to(skill::Entity)
        .from(user_skill::Column::SkillId)
        .to(skill::Column::Id)
        .into();
    let rows = user_skill::Entity::find()
        .join(sea_orm::JoinType::InnerJoin, to_skill)
        .select_also(skill::Entity)
        .filter(user_skill::Column::UserId.is_in(users))
        .filter(skill::Column::DeletedAt.is_null())
        .order_by_desc(user_skill::Column::Proficiency)
        .order_by_asc(skill::Column::NameKey.into_simple_expr())
        .all(conn)
        .await?;
    Ok(rows.into_iter().filter_map(|(level, skill)| Some((level, skill?))).collect())
}

/// The row of a signed-in person, locked until the transaction ends.
pub(crate) async fn locked(tx: &Tx, id: UserId) -> Result<user::Model> {
    locking(id).one(&**tx).await?.ok_or_else(|| Error::bug("a signed-in person has no row"))
}

/// The weakest lock that keeps a second such one away. A plain FOR UPDATE would also wait for every
/// transaction that merely wrote a row about the person (its foreign key shares the lock of the key), and two
/// that wait for each other are a deadlock.
pub(super) fn locking(id: UserId) -> Select<user::Entity> {
    user::Entity::find_by_id(id).lock(LockType::NoKeyUpdate)
}

/// The person with this address, as sign-in compares it, if there is one; locked as by [`locking`].
pub(super) async fn locked_by_email(tx: &Tx, key: &str) -> Result<Option<user::Model>> {
    let person = user::Entity::find().filter(user::Column::EmailKey.eq(key)).lock(LockType::NoKeyUpdate);
    Ok(person.one(&**tx).await?)
}

/// A person's public name, for what others are told about them.
pub(crate) async fn display_name(tx: &Tx, id: UserId) -> Result<String> {
    let person = user::Entity::find_by_id(id).one(&**tx).await?;
    person
        .map(|person| person.display_name)
        .ok_or_else(|| Error::bug("a row names a person who is not there"))
}

/// The administrators: who is told when money needs a person.
pub(crate) async fn admins(tx: &Tx) -> Result<Vec<UserId>> {
    let rows = user::Entity::find().filter(user::Column::Role.eq(Role::Admin)).all(&**tx).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

#[cfg(test)]
mod tests {
    use sea_orm::DbBackend;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_persons_lock_lets_rows_about_them_be_written() {
        let sql = |backend| locking(UserId(Uuid::nil())).build(backend).to_string();
        assert!(sql(DbBackend::Postgres).ends_with(" FOR NO KEY UPDATE"));
        assert!(!sql(DbBackend::Sqlite).contains(" FOR "));
    }
}
