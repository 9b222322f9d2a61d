//! Keeping what is searched up to date with what people wrote.

use entities::{project, project_text, user, user_text};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QuerySelect,
    sea_query::OnConflict,
};

use super::{query::Index, words::document};
use crate::{Db, Tx, error::Result};

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
    loop {
        let tx = db.begin().await?;
        let rows = fill_projects(&tx).await? + fill_people(&tx).await?;
        tx.commit().await?;
        if rows == 0 {
            return Ok(filled);
        }
        filled += rows;
    }
}

async fn fill_projects(tx: &Tx) -> Result<usize> {
    use project_text::{Column, Entity};
    let missing = project::Entity::find()
        .join(JoinType::LeftJoin, Index::Projects.to_texts())
        .filter(Column::Number.is_null())
        .limit(BATCH)
        .all(&**tx)
        .await?;
    let keep = OnConflict::column(Column::ProjectId).do_nothing().to_owned();
    let rows = Entity::insert_many(missing.iter().map(project_row)).on_conflict(keep);
    if !missing.is_empty() {
        rows.exec_without_returning(&**tx).await?;
    }
    Ok(missing.len())
}

async fn fill_people(tx: &Tx) -> Result<usize> {
    use user_text::{Column, Entity};
    let missing = user::Entity::find()
        .join(JoinType::LeftJoin, Index::People.to_texts())
        .filter(Column::Number.is_null())
        .limit(BATCH)
        .all(&**tx)
        .await?;
    let keep = OnConflict::column(Column::UserId).do_nothing().to_owned();
    let rows = Entity::insert_many(missing.iter().map(person_row)).on_conflict(keep);
    if !missing.is_empty() {
        rows.exec_without_returning(&**tx).await?;
    }
    Ok(missing.len())
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
