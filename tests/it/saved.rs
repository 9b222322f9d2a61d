//! What people save: projects and freelancers, for themselves alone.

use domain::entities::{UserId, user};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::{Value, json};

use crate::{
    market,
    support::{Someone, TestApp, errors, ok, text},
};

const PROJECT_ADD: &str = "mutation($input: SavedProjectAddInput!) { savedProjectAdd(input: $input) {
    project { isSaved } userErrors { field code message } } }";
const PROJECT_REMOVE: &str =
    "mutation($input: SavedProjectRemoveInput!) { savedProjectRemove(input: $input) {
    project { isSaved } userErrors { field code message } } }";
const FREELANCER_ADD: &str =
    "mutation($input: SavedFreelancerAddInput!) { savedFreelancerAdd(input: $input) {
    freelancer { isSaved } userErrors { field code message } } }";
const FREELANCER_REMOVE: &str =
    "mutation($input: SavedFreelancerRemoveInput!) { savedFreelancerRemove(input: $input) {
    freelancer { isSaved } userErrors { field code message } } }";
const SAVED: &str = "query($id: ID!) { user(id: $id) { savedProjects { totalCount nodes { id } }
    savedFreelancers { totalCount nodes { displayName } } } }";

/// The ids of the saved projects and the names of the saved freelancers, as somebody sees them.
async fn saved(app: &TestApp, viewer: &str, of: &Someone) -> (Vec<String>, Vec<String>) {
    let user = app.gql(viewer, SAVED, json!({ "id": of.id })).await["data"]["user"].clone();
    let list = |field: &str, name: &str| {
        let nodes = user[field]["nodes"].as_array().unwrap_or_else(|| panic!("{user}"));
        assert_eq!(user[field]["totalCount"], nodes.len());
        nodes.iter().map(|node| text(&node[name])).collect()
    };
    (list("savedProjects", "id"), list("savedFreelancers", "displayName"))
}

#[tokio::test]
async fn a_project_is_saved_and_forgotten_as_often_as_one_likes() {
    let app = TestApp::start().await;
    let (carla, felix) = (app.client("carla").await, app.freelancer("felix").await);
    let [old, new] = [app.project(&carla).await, app.project(&carla).await];
    for project in [&new, &old, &old] {
        let added = ok(app.mutate(&felix.token, PROJECT_ADD, json!({ "projectId": project })).await);
        assert_eq!(added["project"]["isSaved"], true);
        app.advance(chrono::Duration::seconds(1));
    }
    assert_eq!(
        saved(&app, &felix.token, &felix).await.0,
        [old.clone(), new.clone()],
        "the newest saved first"
    );
    let flags = "{ projects { nodes { id isSaved } } }";
    for (token, wanted) in [(felix.token.as_str(), true), (&carla.token, false), ("", false)] {
        let nodes = app.gql(token, flags, json!({})).await["data"]["projects"]["nodes"].clone();
        assert!(nodes.as_array().unwrap().iter().all(|node| node["isSaved"] == wanted), "{nodes}");
    }
    for _ in 0..2 {
        let removed = ok(app.mutate(&felix.token, PROJECT_REMOVE, json!({ "projectId": new })).await);
        assert_eq!(removed["project"]["isSaved"], false);
    }
    assert_eq!(saved(&app, &felix.token, &felix).await.0, [old]);

    let draft = market::post(&app, &carla.token, json!({ "publish": false })).await;
    for mutation in [PROJECT_ADD, PROJECT_REMOVE] {
        let hidden = app.mutate(&felix.token, mutation, json!({ "projectId": draft })).await;
        assert_eq!(errors(&hidden), ["projectId:NOT_FOUND"]);
    }
    ok(app.mutate(&carla.token, PROJECT_ADD, json!({ "projectId": draft })).await);
    app.finish().await;
}

#[tokio::test]
async fn a_freelancer_is_saved_unless_it_is_oneself() {
    let app = TestApp::start().await;
    let (carla, felix, eve) =
        (app.client("carla").await, app.freelancer("felix").await, app.freelancer("eve").await);
    let add = async |by: &Someone, whom: &Someone| {
        app.mutate(&by.token, FREELANCER_ADD, json!({ "freelancerId": whom.id })).await
    };
    for whom in [&felix, &eve, &eve] {
        assert_eq!(ok(add(&carla, whom).await)["freelancer"]["isSaved"], true);
        app.advance(chrono::Duration::seconds(1));
    }
    ok(add(&felix, &eve).await);
    assert_eq!(errors(&add(&felix, &felix).await), ["freelancerId:INVALID"]);
    assert_eq!(errors(&add(&felix, &carla).await), ["freelancerId:NOT_FOUND"], "a client");
    assert_eq!(saved(&app, &carla.token, &carla).await.1, ["eve", "felix"]);

    suspend(&app, &eve).await;
    assert_eq!(saved(&app, &carla.token, &carla).await.1, ["felix"]);
    assert_eq!(errors(&add(&carla, &eve).await), ["freelancerId:NOT_FOUND"]);
    for whom in [&eve, &felix, &felix] {
        let removed = app.mutate(&carla.token, FREELANCER_REMOVE, json!({ "freelancerId": whom.id })).await;
        assert_eq!(ok(removed)["freelancer"]["isSaved"], false);
    }
    assert!(saved(&app, &carla.token, &carla).await.1.is_empty());
    app.finish().await;
}

#[tokio::test]
async fn what_is_saved_is_nobody_elses_business() {
    let app = TestApp::start().await;
    let (carla, felix, admin) = (app.client("carla").await, app.freelancer("felix").await, app.admin().await);
    let new = app.register("newcomer", "CLIENT").await;
    let (project, freelancer) =
        (json!({ "projectId": app.project(&carla).await }), json!({ "freelancerId": felix.id }));
    ok(app.mutate(&carla.token, PROJECT_ADD, project.clone()).await);
    ok(app.mutate(&carla.token, FREELANCER_ADD, freelancer.clone()).await);
    for token in ["", felix.token.as_str()] {
        let seen = app.gql(token, SAVED, json!({ "id": carla.id })).await["data"]["user"].clone();
        assert_eq!(seen, json!({ "savedProjects": Value::Null, "savedFreelancers": Value::Null }));
    }
    assert_eq!(saved(&app, &admin.token, &carla).await.1, ["felix"]);
    for (mutation, input) in [
        (PROJECT_ADD, &project),
        (PROJECT_REMOVE, &project),
        (FREELANCER_ADD, &freelancer),
        (FREELANCER_REMOVE, &freelancer),
    ] {
        assert_eq!(errors(&app.mutate(&new.token, mutation, input.clone()).await), [":UNVERIFIED"]);
        let nobody = app.gql("", mutation, json!({ "input": input })).await;
        assert_eq!(nobody["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }
    suspend(&app, &carla).await;
    assert_eq!(errors(&app.mutate(&carla.token, PROJECT_REMOVE, project).await), [":FORBIDDEN"]);
    app.finish().await;
}

async fn suspend(app: &TestApp, someone: &Someone) {
    let id: UserId = someone.id.parse().unwrap();
    let change =
        user::ActiveModel { id: Set(id), suspended_at: Set(Some(app.app.clock.now())), ..Default::default() };
    change.update(app.app.db.writer()).await.unwrap();
}
