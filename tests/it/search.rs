//! The text search of projects and freelancers: what is found, in which order, page by page. The same tests on
//! both databases are the contract.

mod kept;
mod pages;

use domain::entities::user;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::{
    market::{self, post},
    support::{PASSWORD, TestApp, ok, text},
};

const PROJECTS: &str =
    "query($filter: ProjectFilter, $order: ProjectOrder, $first: Int, $after: String, $last: Int,
    $before: String) {
    projects(filter: $filter, orderBy: $order, first: $first, after: $after, last: $last, before: $before) {
        totalCount nodes { title } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } }";
const FREELANCERS: &str = "query($filter: FreelancerFilter, $order: FreelancerOrder) {
    freelancers(filter: $filter, orderBy: $order) { totalCount nodes { displayName } } }";
const PROFILE: &str = "mutation($input: ProfileUpdateInput!) { profileUpdate(input: $input) {
    user { id } userErrors { field code } } }";

/// A description that says nothing which a test searches for.
const BLAND: &str = "Whoever knows how, please tell what it takes.";

fn names(list: &Value, field: &str) -> Vec<String> {
    let nodes = list["nodes"].as_array().unwrap_or_else(|| panic!("{list}"));
    nodes.iter().map(|node| text(&node[field])).collect()
}

/// The titles of what is found, in the order that nobody asked for.
async fn found(app: &TestApp, search: &str) -> Vec<String> {
    let answer = app.gql("", PROJECTS, json!({ "filter": { "search": search } })).await;
    let list = &answer["data"]["projects"];
    let titles = names(list, "title");
    assert_eq!(list["totalCount"], titles.len(), "{search}: {answer}");
    titles
}

async fn found_people(app: &TestApp, search: &str) -> Vec<String> {
    let answer = app.gql("", FREELANCERS, json!({ "filter": { "search": search } })).await;
    let list = &answer["data"]["freelancers"];
    let people = names(list, "displayName");
    assert_eq!(list["totalCount"], people.len(), "{search}: {answer}");
    people
}

/// What a query was refused for.
fn refusal(answer: &Value) -> (&str, &str) {
    let error = &answer["errors"][0];
    (error["extensions"]["code"].as_str().unwrap_or("?"), error["message"].as_str().unwrap_or("?"))
}

async fn write(app: &TestApp, client: &str, title: &str, description: &str) -> String {
    post(app, client, json!({ "title": title, "description": format!("{description} {BLAND}") })).await
}

/// A freelancer's token.
async fn freelancer(app: &TestApp, name: &str, profile: Value) -> String {
    let register = "mutation($input: AccountRegisterInput!) { accountRegister(input: $input) {
        session { accessToken } userErrors { field code } } }";
    let email = format!("{}@example.com", name.replace(|c: char| !c.is_ascii_alphabetic(), "-"));
    let input = json!({ "email": email, "password": PASSWORD, "displayName": name, "role": "FREELANCER" });
    let token = text(&ok(app.mutate("", register, input).await)["session"]["accessToken"]);
    ok(app.mutate(&token, PROFILE, profile).await);
    token
}

#[tokio::test]
async fn a_project_is_found_by_all_of_its_words() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    write(
        &app,
        &client,
        "Un écran pour le café",
        "A \"quoted\" NEAR word, AND another OR a third: NOT this.",
    )
    .await;
    write(&app, &client, "A React-Native app", "Offline maps for hikers, 50% done, in C++ and a bit of C#.")
        .await;
    write(&app, &client, "STRASSE und ОДИН", "Plan der Straßen, под ключ, 日本語のサイト, कार्य.").await;
    let (screen, hikers, street) = ("Un écran pour le café", "A React-Native app", "STRASSE und ОДИН");
    for (search, wanted) in [
        // Case and accents make no difference, however they are written.
        ("ÉCRAN", vec![screen]),
        ("ecran", vec![screen]),
        ("e\u{301}cran cafe\u{301}", vec![screen]),
        ("straße", vec![street]),
        ("один", vec![street]),
        ("日本語", vec![street]),
        ("कार्य", vec![street]),
        // Every word is needed, in whatever order, in the title or below it.
        ("hikers native", vec![hikers]),
        ("hikers café", vec![]),
        // The last word may go on; the others may not, and neither do words begin in the middle.
        ("offline hik", vec![hikers]),
        ("hik offline", vec![]),
        ("ikers", vec![]),
        ("hikers hik", vec![hikers]),
        // A sign after it ends it.
        ("hik.", vec![]),
        ("C++", vec![hikers]),
        ("c", vec![screen, hikers]),
        // Signs divide words, and are nothing else.
        ("react-native", vec![hikers]),
        ("React/Native!", vec![hikers]),
        ("50%", vec![hikers]),
        ("%", vec![]),
        ("_", vec![]),
        ("*", vec![]),
        ("\"", vec![]),
        ("'", vec![]),
        ("\\", vec![]),
        // The databases' own words and signs are words and signs.
        ("AND", vec![hikers, screen]),
        ("and OR not", vec![screen]),
        ("NEAR(", vec![screen]),
        ("NEAR(quoted word)", vec![screen]),
        ("\"quoted\"", vec![screen]),
        ("\"quo\"", vec![]),
        ("\"unclosed hikers", vec![]),
        ("text:quoted", vec![]),
        ("quoted:*", vec![screen]),
        ("-quoted", vec![screen]),
        ("^quoted", vec![screen]),
        ("{text} : quoted", vec![]),
        ("quoted') OR 1=1 --", vec![]),
        ("'quoted' | 'hikers'", vec![]),
        ("!quoted", vec![screen]),
        ("quoted <-> near", vec![screen]),
        // Nothing asked: everything. Something that is no word: nothing.
        ("", vec![street, hikers, screen]),
        ("  ", vec![street, hikers, screen]),
        ("🦀", vec![]),
        ("🦀 hikers 🥾", vec![hikers]),
        ("— ☃ …", vec![]),
    ] {
        assert_eq!(found(&app, search).await, wanted, "{search}");
    }
    app.finish().await;
}

#[tokio::test]
async fn long_words_are_found_by_their_first_64_characters() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    let (long, other) = ("x".repeat(150), format!("{}y", "x".repeat(63)));
    write(&app, &client, "The long one", &long).await;
    write(&app, &client, "The other one", &other).await;
    write(&app, &client, "Beyond any lexeme", &"𝔵é".repeat(3_000)).await;
    assert_eq!(found(&app, &long).await, ["The long one"]);
    assert_eq!(found(&app, &"x".repeat(64)).await, ["The long one"]);
    assert_eq!(found(&app, &"x".repeat(63)).await, ["The other one", "The long one"]);
    assert_eq!(found(&app, &other).await, ["The other one"]);
    assert_eq!(found(&app, &"xé".repeat(40)).await, ["Beyond any lexeme"]);
    app.finish().await;
}

#[tokio::test]
async fn a_search_has_its_limits() {
    let app = TestApp::start().await;
    let words = |count: usize| (0..count).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
    for query in [PROJECTS, FREELANCERS] {
        let ask = async |filter: Value, order: Value| {
            app.gql("", query, json!({ "filter": filter, "order": order })).await
        };
        for search in [words(20), format!("{} w1 w2 w1", words(20)), "x".repeat(200)] {
            let answer = ask(json!({ "search": search }), Value::Null).await;
            assert!(answer.get("errors").is_none(), "{answer}");
        }
        for (search, code, message) in [
            (words(21), "LIMIT_REACHED", "Search for at most 20 words; these are 21."),
            ("x".repeat(201), "TOO_LONG", "Give at most 200 characters; it has 201."),
            ("a\0b".to_owned(), "INVALID", "Leave out line breaks and control characters."),
        ] {
            let answer = ask(json!({ "search": search }), Value::Null).await;
            assert_eq!(refusal(&answer), (code, message), "{search}");
        }
        let relevance = json!({ "field": "RELEVANCE", "direction": "DESC" });
        for filter in [Value::Null, json!({}), json!({ "search": " " })] {
            let answer = ask(filter, relevance.clone()).await;
            let (code, message) = refusal(&answer);
            assert!(code == "INVALID" && message.contains("give filter.search"), "{answer}");
        }
        let answer = ask(json!({ "search": "🦀" }), relevance).await;
        assert!(answer.get("errors").is_none(), "{answer}");
    }
    app.finish().await;
}

#[tokio::test]
async fn what_has_more_of_the_words_in_its_title_comes_first() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    write(&app, &client, "A logo for a bakery", "Fresh and bright.").await;
    write(&app, &client, "A bakery", "It needs a logo, and a logo needs a bakery. Logo!").await;
    write(&app, &client, "Bakery: logos wanted", "Two of them, a logo each.").await;
    write(&app, &client, "Something else", "No bakery has a logo like this.").await;
    let ask = async |search: &str, order: Value| {
        let variables = json!({ "filter": { "search": search }, "order": order });
        names(&app.gql("", PROJECTS, variables).await["data"]["projects"], "title")
    };
    let best = ["Bakery: logos wanted", "A logo for a bakery", "A bakery", "Something else"];
    assert_eq!(found(&app, "bakery logo").await, best);
    assert_eq!(
        found(&app, "logo. bakery").await,
        ["A logo for a bakery", "Bakery: logos wanted", "A bakery", "Something else"],
        "logos is no logo"
    );
    let order = |field: &str, direction: &str| json!({ "field": field, "direction": direction });
    assert_eq!(ask("bakery logo", order("RELEVANCE", "DESC")).await, best);
    let mut worst = best;
    worst.reverse();
    assert_eq!(ask("bakery logo", order("RELEVANCE", "ASC")).await, worst);
    assert_eq!(ask("bakery logo", order("CREATED_AT", "ASC")).await[0], "A logo for a bakery");
    app.finish().await;
}

#[tokio::test]
async fn drafts_are_found_by_their_client_alone() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    post(&app, &client, json!({ "title": "A secret lamp", "publish": false })).await;
    let ask = async |token: &str| {
        let answer = app.gql(token, PROJECTS, json!({ "filter": { "search": "secret" } })).await;
        names(&answer["data"]["projects"], "title").len()
    };
    assert_eq!((ask(&client).await, ask("").await, ask(&market::client(&app).await).await), (1, 0, 0));
    app.finish().await;
}

#[tokio::test]
async fn freelancers_are_found_by_name_headline_and_bio() {
    let app = TestApp::start().await;
    let ada = freelancer(&app, "Ada Núñez", json!({ "headline": "Rust engineer" })).await;
    freelancer(&app, "Rusty", json!({ "headline": "Gardener", "bio": "Roses, and an engineer of hedges." }))
        .await;
    freelancer(&app, "Bea", json!({ "bio": "A rust engineer from Graz, once at Núñez & Co." })).await;
    app.register("engineer", "CLIENT").await;
    for (search, wanted) in [
        ("nunez", vec!["Ada Núñez", "Bea"]),
        ("rust engineer", vec!["Ada Núñez", "Bea"]),
        ("engineer rust", vec!["Ada Núñez", "Rusty", "Bea"]),
        ("GRAZ rust", vec!["Bea"]),
        ("rusty", vec!["Rusty"]),
        ("🦀", vec![]),
        ("", vec!["Bea", "Rusty", "Ada Núñez"]),
    ] {
        assert_eq!(found_people(&app, search).await, wanted, "{search}");
    }
    let ask = async |order: Value| {
        let variables = json!({ "filter": { "search": "engineer rust" }, "order": order });
        names(&app.gql("", FREELANCERS, variables).await["data"]["freelancers"], "displayName")
    };
    assert_eq!(ask(json!({ "field": "RELEVANCE" })).await, ["Ada Núñez", "Rusty", "Bea"], "the best first");
    assert_eq!(ask(json!({ "field": "RELEVANCE", "direction": "ASC" })).await, ["Bea", "Rusty", "Ada Núñez"]);
    assert_eq!(
        ask(json!({ "field": "CREATED_AT" })).await,
        ["Ada Núñez", "Rusty", "Bea"],
        "the oldest first"
    );

    ok(app.mutate(&ada, PROFILE, json!({ "headline": "Potter" })).await);
    assert_eq!(found_people(&app, "potter").await, ["Ada Núñez"]);
    assert_eq!(found_people(&app, "rust engineer").await, ["Bea"], "what one no longer says is forgotten");
    user::Entity::update_many()
        .set(user::ActiveModel { suspended_at: Set(Some(app.app.clock.now())), ..Default::default() })
        .filter(user::Column::DisplayName.eq("Bea"))
        .exec(app.app.db.writer())
        .await
        .unwrap();
    assert!(found_people(&app, "rust engineer").await.is_empty(), "a suspended one is not offered");
    app.finish().await;
}
