//! The words of the index are those of the rows.

use domain::entities::{project_text, user_text};
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait};
use serde_json::json;

use super::{found, found_people, freelancer, write};
use crate::{
    market,
    support::{TestApp, ok},
};

const UPDATE: &str = "mutation($input: ProjectUpdateInput!) { projectUpdate(input: $input) {
    project { id } userErrors { field code } } }";
const DELETE: &str = "mutation($input: ProjectDeleteInput!) { projectDelete(input: $input) {
    deletedProjectId userErrors { field code } } }";

#[tokio::test]
async fn what_is_changed_or_deleted_is_found_as_it_is() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    let kept = write(&app, &client, "A blue lamp", "For the kitchen.").await;
    let deleted = write(&app, &client, "A green lamp", "For the garden.").await;
    ok(app.mutate(&client, UPDATE, json!({ "projectId": kept, "title": "A red lamp" })).await);
    assert!(found(&app, "blue").await.is_empty());
    assert_eq!(found(&app, "red kitchen").await, ["A red lamp"]);
    ok(app.mutate(&client, DELETE, json!({ "projectId": deleted })).await);
    assert_eq!(found(&app, "lamp").await, ["A red lamp"]);
    let db = &app.app.db;
    assert_eq!(project_text::Entity::find().count(db.reader()).await.unwrap(), 1, "the words went along");
    if db.backend() == DbBackend::Sqlite {
        // FTS5 compares its index with the rows, and fails where the triggers forgot something.
        for words in ["project_words", "user_words"] {
            let check = format!("INSERT INTO {words} ({words}, rank) VALUES ('integrity-check', 1)");
            db.writer().execute_unprepared(&check).await.unwrap();
        }
    }
    app.finish().await;
}

/// Rows from before there was a search are found once `megilance migrate up` has run, and going back takes the
/// words along.
#[tokio::test]
async fn what_was_there_before_the_search_is_found_too() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    write(&app, &client, "An old lamp", "Written long ago.").await;
    freelancer(&app, "Ada", json!({ "headline": "Electrician" })).await;
    let db = &app.app.db;
    let newer = Migrator::migrations();
    let newer = newer.iter().skip_while(|change| change.name() != "m20261125_000007_search").count();
    assert!(newer > 0);
    Migrator::down(db.writer(), Some(u32::try_from(newer).unwrap())).await.unwrap();
    Migrator::up(db.writer(), None).await.unwrap();
    assert!(found(&app, "lamp").await.is_empty());

    write(&app, &client, "A new lamp", "Written meanwhile.").await;
    assert_eq!(domain::search::fill(db).await.unwrap(), 3, "the old project, its client, Ada");
    assert_eq!(domain::search::fill(db).await.unwrap(), 0);
    assert_eq!(found(&app, "lamp").await, ["A new lamp", "An old lamp"]);
    assert_eq!(found_people(&app, "electrician").await, ["Ada"]);

    // Emptied, they are cut anew.
    project_text::Entity::delete_many().exec(db.writer()).await.unwrap();
    user_text::Entity::delete_many().exec(db.writer()).await.unwrap();
    assert!(found(&app, "lamp").await.is_empty());
    domain::search::fill(db).await.unwrap();
    assert_eq!(found(&app, "lamp").await.len(), 2);
    assert_eq!(user_text::Entity::find().count(db.reader()).await.unwrap(), 2);
    app.finish().await;
}
