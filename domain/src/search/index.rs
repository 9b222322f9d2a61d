//! Keeping what is searched up to date with what people wrote.

use entities::{ProjectId, UserId, project, project_text, user, user_text};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    sea_query::OnConflict,
};

use super::{query::Index, words::document};
use crate::{Db, error::Result};

/// How many rows are filled in one transaction.
const BATCH: u64 = 200;

/// Notes what a project says now. Every service that writes its title or description calls this in the same
/// transaction.
pub(crate) async fn index_project(conn: &impl ConnectionTrait, project: &project::Model) -> Result<()> {
    use project_text::Column;
    let replace =
        OnConflict::column(Column::ProjectId).update_columns([Column::Title, Column::Text]).to_owned();
    project_text::Entity::insert(project_row(project))
        .on_conflict(replace)
        .exec_without_returning(conn)
        .await?;
    Ok(())
}

/// Notes what a person says of themselves now. Every service that writes their name, headline or bio calls
/// this in the same transaction.
pub(crate) async fn index_person(conn: &impl ConnectionTrait, person: &user::Model) -> Result<()> {
    use user_text::Column;
    let replace = OnConflict::column(Column::UserId).update_columns([Column::Title, Column::Text]).to_owned();
    user_text::Entity::insert(person_row(person)).on_conflict(replace).exec_without_returning(conn).await?;
    Ok(())
}

/// Notes what stands in rows that no search knows yet: those of a version that had none, or all of them after
/// a migration emptied the tables to have the words cut anew. Gives how many there were. What is written
/// meanwhile wins.
pub async fn fill(db: &Db) -> Result<usize> {
    let mut filled = 0;
    let mut last = None;
    while let Some((rows, id)) = fill_projects(db, last).await? {
        (filled, last) = (filled + rows, Some(id));
    }
    let mut last = None;
    while let Some((rows, id)) = fill_people(db, last).await? {
        (filled, last) = (filled + rows, Some(id));
    }
    Ok(filled)
}

/// Some of the projects after one, in the order of their ids: how many, and the last.
async fn fill_projects(db: &Db, after: Option<ProjectId>) -> Result<Option<(usize, ProjectId)>> {
    use project_text::{Column, Entity};
    let tx = db.begin().await?;
    let missing = project::Entity::find()
        .join(JoinType::LeftJoin, Index::Projects.to_texts())
        .filter(Column::Number.is_null())
        .filter(Condition::all().add_option(after.map(|id| project::Column::Id.gt(id))))
        .order_by_asc(project::Column::Id)
        .limit(BATCH)
        .all(&*tx)
        .await?;
    let Some(last) = missing.last() else { return Ok(None) };
    let keep = OnConflict::column(Column::ProjectId).do_nothing().to_owned();
    Entity::insert_many(missing.iter().map(project_row))
        .on_conflict(keep)
        .exec_without_returning(&*tx)
        .await?;
    tx.commit().await?;
    Ok(Some((missing.len(), last.id)))
}

/// The same of people.
async fn fill_people(db: &Db, after: Option<UserId>) -> Result<Option<(usize, UserId)>> {
    use user_text::{Column, Entity};
    let tx = db.begin().await?;
    let missing = user::Entity::find()
        .join(JoinType::LeftJoin, Index::People.to_texts())
        .filter(Column::Number.is_null())
        .filter(Condition::all().add_option(after.map(|id| user::Column::Id.gt(id))))
        .order_by_asc(user::Column::Id)
        .limit(BATCH)
        .all(&*tx)
        .await?;
    let Some(last) = missing.last() else { return Ok(None) };
    let keep = OnConflict::column(Column::UserId).do_nothing().to_owned();
    Entity::insert_many(missing.iter().map(person_row))
        .on_conflict(keep)
        .exec_without_returning(&*tx)
        .await?;
    tx.commit().await?;
    Ok(Some((missing.len(), last.id)))
}

fn project_row(project: &project::Model) -> project_text::ActiveModel {
    let (title, text) = document(&[&project.title], &project.description);
    project_text::ActiveModel {
        number: NotSet,
        project_id: Set(project.id),
        title: Set(title),
        text: Set(text),
    }
}

fn person_row(person: &user::Model) -> user_text::ActiveModel {
    let headline = person.headline.as_deref().unwrap_or_default();
    let (title, text) =
        document(&[&person.display_name, headline], person.bio.as_deref().unwrap_or_default());
    user_text::ActiveModel { number: NotSet, user_id: Set(person.id), title: Set(title), text: Set(text) }
}
