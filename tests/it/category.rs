//! Categories: admins keep them, projects take them.

use serde_json::{Value, json};

use crate::{
    market::{self, CREATE as POST, codes, merged},
    support::{TestApp, errors, ok, text},
};

const CREATE: &str = "mutation($input: CategoryCreateInput!) { categoryCreate(input: $input) {
    category { id name slug position archivedAt } userErrors { field code message } } }";
const UPDATE: &str = "mutation($input: CategoryUpdateInput!) { categoryUpdate(input: $input) {
    category { id name slug position } userErrors { field code message } } }";
const ARCHIVE: &str = "mutation($input: CategoryArchiveInput!) { categoryArchive(input: $input) {
    category { archivedAt } userErrors { field code message } } }";
const RESTORE: &str = "mutation($input: CategoryRestoreInput!) { categoryRestore(input: $input) {
    category { archivedAt } userErrors { field code message } } }";

/// The names of the categories, as somebody sees them.
async fn names(app: &TestApp, token: &str, archived: bool) -> Vec<String> {
    let query = "query($archived: Boolean!) { categories(archived: $archived) { name } }";
    let answer = app.gql(token, query, json!({ "archived": archived })).await;
    let list = answer["data"]["categories"].as_array().unwrap_or_else(|| panic!("{answer}"));
    list.iter().map(|category| text(&category["name"])).collect()
}

/// Categories at first: Web, Mobile, Data & Analytics, Design, Writing, Marketing, Video & Animation, Other.
#[tokio::test]
async fn rule_these_eight_categories_are_there_at_first() {
    let app = TestApp::start().await;
    let eight =
        ["Web", "Mobile", "Data & Analytics", "Design", "Writing", "Marketing", "Video & Animation", "Other"];
    assert_eq!(names(&app, "", false).await, eight);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_give_one_name_at_once_make_one_category() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for round in 0..5 {
        let (one, two) = tokio::join!(
            app.mutate(
                &admin.token,
                CREATE,
                json!({ "name": format!("Games {round}"), "slug": format!("a-{round}") })
            ),
            app.mutate(
                &admin.token,
                CREATE,
                json!({ "name": format!("GAMES {round}"), "slug": format!("b-{round}") })
            ),
        );
        let mut outcomes = [errors(&one), errors(&two)];
        outcomes.sort();
        assert_eq!(outcomes, [vec![], vec!["name:TAKEN".to_owned()]]);
    }
    app.finish().await;
}

#[tokio::test]
async fn admins_make_and_change_categories() {
    let app = TestApp::start().await;
    let (admin, carla) = (app.admin().await, app.client("carla").await);
    let create = async |input: Value| app.mutate(&admin.token, CREATE, input).await;
    for (input, wrong) in [
        (json!({ "name": "" }), vec!["name:REQUIRED", "slug:INVALID"]),
        (json!({ "name": "x".repeat(101), "slug": "x" }), vec!["name:TOO_LONG"]),
        (json!({ "name": "Übersetzung", "slug": "Über" }), vec!["slug:INVALID"]),
        (json!({ "name": "Law", "position": 0 }), vec!["position:OUT_OF_RANGE"]),
        (json!({ "name": "Law", "position": 10_001 }), vec!["position:OUT_OF_RANGE"]),
        (json!({ "name": "WEB", "slug": "web-2" }), vec!["name:TAKEN"]),
        (json!({ "name": "The web", "slug": "web" }), vec!["slug:TAKEN"]),
    ] {
        assert_eq!(errors(&create(input.clone()).await), wrong, "{input}");
    }
    let law = ok(create(json!({ "name": " Law & Taxes " })).await)["category"].clone();
    assert_eq!(
        (&law["name"], &law["slug"], &law["position"]),
        (&json!("Law & Taxes"), &json!("law-taxes"), &json!(9))
    );
    let long = json!({ "name": "x".repeat(100), "slug": "y".repeat(100), "position": 10_000 });
    ok(create(long).await);
    let first = json!({ "categoryId": law["id"], "name": "LAW & TAXES", "position": 1 });
    let changed = ok(app.mutate(&admin.token, UPDATE, first).await)["category"].clone();
    assert_eq!(changed["slug"], "law-taxes", "links keep working");
    assert_eq!(names(&app, "", false).await[..2], ["LAW & TAXES".to_owned(), "Web".to_owned()]);
    for (change, wrong) in [
        (json!({ "name": "design" }), "name:TAKEN"),
        (json!({ "name": " " }), "name:REQUIRED"),
        (json!({ "position": -1 }), "position:OUT_OF_RANGE"),
        (
            json!({ "categoryId": domain::entities::CategoryId(uuid::Uuid::from_u128(1)).to_string() }),
            "categoryId:NOT_FOUND",
        ),
    ] {
        let input = merged(json!({ "categoryId": law["id"] }), change);
        assert_eq!(errors(&app.mutate(&admin.token, UPDATE, input).await), [wrong]);
    }
    let id = json!({ "categoryId": law["id"] });
    for (mutation, input) in
        [(CREATE, json!({ "name": "x" })), (UPDATE, id.clone()), (ARCHIVE, id.clone()), (RESTORE, id)]
    {
        assert_eq!(errors(&app.mutate(&carla.token, mutation, input).await), [":FORBIDDEN"]);
    }
    app.finish().await;
}

#[tokio::test]
async fn an_archived_category_keeps_its_projects_and_takes_no_new_ones() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let client = market::client(&app).await;
    let project = market::post(&app, &client, json!({})).await;
    let web = json!({ "categoryId": market::category(&app, 0).await });

    let post = market::project(&app).await;
    let archived = ok(app.mutate(&admin.token, ARCHIVE, web.clone()).await)["category"]["archivedAt"].clone();
    assert!(archived.is_string());
    app.advance(chrono::Duration::minutes(1));
    assert_eq!(ok(app.mutate(&admin.token, ARCHIVE, web.clone()).await)["category"]["archivedAt"], archived);

    let answer = app.gql(&client, POST, json!({ "input": post })).await;
    assert_eq!(codes(&answer, "projectCreate"), [("categoryId".to_owned(), "ILLEGAL_STATE".to_owned())]);
    let skill = "mutation($input: SkillCreateInput!) { skillCreate(input: $input) { userErrors { field code message } } }";
    let input = json!({ "name": "Rust", "categoryId": web["categoryId"] });
    assert_eq!(errors(&app.mutate(&admin.token, skill, input).await), ["categoryId:ILLEGAL_STATE"]);
    let create = app.mutate(&admin.token, CREATE, json!({ "name": "web", "slug": "web-2" })).await;
    assert!(text(&create["userErrors"][0]["message"]).contains("restore"), "{create}");
    let kept = "query($id: ID!) { project(id: $id) { category { name } } }";
    let kept = app.gql("", kept, json!({ "id": project })).await;
    assert_eq!(kept["data"]["project"]["category"]["name"], "Web");
    assert_eq!(names(&app, &client, false).await[0], "Mobile");
    assert_eq!(names(&app, &admin.token, true).await[0], "Web");
    for token in ["", client.as_str()] {
        let asked = app.gql(token, "{ categories(archived: true) { id } }", json!({})).await;
        let code = if token.is_empty() { "UNAUTHENTICATED" } else { "FORBIDDEN" };
        assert_eq!(asked["errors"][0]["extensions"]["code"], code);
    }

    assert!(ok(app.mutate(&admin.token, RESTORE, web.clone()).await)["category"]["archivedAt"].is_null());
    ok(app.mutate(&admin.token, RESTORE, web).await);
    let answer = app.gql(&client, POST, json!({ "input": post })).await;
    assert!(codes(&answer, "projectCreate").is_empty(), "{answer}");
    app.finish().await;
}
