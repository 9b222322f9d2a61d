//! Pages below lists: the same as the list alone gives, only what each actor may see, and within the limits.

use domain::{
    Actor,
    entities::{PaymentKind, PaymentRail, PaymentStatus, Usdc, UserId, payment},
    page::{List, PageRequest},
    payment as payments,
};
use futures::future::join_all;
use sea_orm::{ColumnTrait, EntityTrait, sea_query::ExprTrait};
use serde_json::{Value, json};

use super::world::World;
use crate::support::TestApp;

/// What each person may ask at once; everybody's answers differ.
const PRIVATE: &str = "{
    viewer { id payments { totalCount nodes { id } } ledger { totalCount nodes { id } } }
    projects(first: 8) { nodes { id files { id } proposals(first: 3) { totalCount nodes { id attachments { url } } }
        client { email wallets { id } unreadNotificationCount notifications(first: 2) { totalCount nodes { id } }
            contracts(first: 2) { totalCount nodes { id payments(first: 2) { totalCount nodes { id } } } } } } } }";

/// Links are signed anew each time: only whether there is one counts.
fn links_apart(answer: Value) -> Value {
    match answer {
        Value::String(text) if text.starts_with("http") => json!("a link"),
        Value::Array(items) => items.into_iter().map(links_apart).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, links_apart(value))).collect(),
        other => other,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_who_ask_at_the_same_moment_each_get_what_is_theirs() {
    let World { app, clients, freelancers, projects, .. } = World::build().await;
    let admin = app.admin().await;
    let mut tokens = vec![String::new(), admin.token];
    tokens.extend(clients.iter().chain(&freelancers).map(|someone| someone.token.clone()));
    let ask = async |token: &str| {
        let answer = app.gql(token, PRIVATE, json!({})).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        links_apart(answer["data"].clone())
    };
    let mut alone = Vec::new();
    for token in &tokens {
        alone.push(ask(token).await);
    }
    for (index, answer) in alone.iter().enumerate() {
        assert!(!alone[..index].contains(answer), "two people see the same");
    }
    for _ in 0..10 {
        let together = join_all(tokens.iter().map(|token| ask(token))).await;
        for (together, alone) in together.iter().zip(&alone) {
            assert_eq!(together, alone);
        }
    }

    // And the page that a loader would share, if it could: one statement's worth of two actors at once.
    let identity = |actor: &Actor| {
        domain::proposal::of_projects(actor, &Default::default(), Default::default())
            .identity(app.app.db.backend())
    };
    let actors = join_all(
        tokens[1..]
            .iter()
            .map(async |token| domain::account::session::authenticate(&app.app, token).await.unwrap()),
    )
    .await;
    for (index, actor) in actors.iter().enumerate() {
        assert_eq!(identity(actor), identity(&actor.clone()));
        assert!(actors[..index].iter().all(|other| identity(other) != identity(actor)));
    }
    assert_eq!(projects.len(), 4);
    app.finish().await;
}

const NESTED: &str =
    "query($first: Int, $after: String, $last: Int, $before: String) { projects(first: 8) { nodes {
    id proposals(first: $first, after: $after, last: $last, before: $before) { ...Page } } } }";
const SINGLE: &str =
    "query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { project(id: $id) {
    id proposals(first: $first, after: $after, last: $last, before: $before) { ...Page } } }";
const PAGE: &str = "fragment Page on ProposalConnection { totalCount edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }";

#[tokio::test]
async fn a_page_below_a_list_is_the_page_of_the_list_alone() {
    let World { app, clients, .. } = World::build().await;
    let token = &clients[2].token;
    let first = app.gql(token, &format!("{NESTED} {PAGE}"), json!({})).await;
    let own = first["data"]["projects"]["nodes"].as_array().unwrap().iter();
    let own = own.max_by_key(|project| project["proposals"]["edges"].as_array().unwrap().len()).unwrap();
    let cursors: Vec<_> =
        own["proposals"]["edges"].as_array().unwrap().iter().map(|edge| &edge["cursor"]).collect();
    assert_eq!(cursors.len(), 4);
    for request in [
        json!({}),
        json!({ "first": 1 }),
        json!({ "first": 3 }),
        json!({ "first": 4 }),
        json!({ "last": 2 }),
        json!({ "last": 100 }),
        json!({ "after": cursors[1] }),
        json!({ "first": 1, "after": cursors[0] }),
        json!({ "last": 1, "before": cursors[3] }),
        json!({ "before": cursors[2] }),
        json!({ "first": 1, "after": cursors[0], "before": cursors[3] }),
        json!({ "last": 1, "after": cursors[0], "before": cursors[3] }),
        json!({ "first": 1, "after": cursors[3] }),
    ] {
        let nested = app.gql(token, &format!("{NESTED} {PAGE}"), request.clone()).await;
        let nodes = nested["data"]["projects"]["nodes"].as_array().unwrap_or_else(|| panic!("{nested}"));
        assert_eq!(nodes.len(), 8);
        for nested in nodes {
            let mut variables = request.clone();
            variables["id"] = nested["id"].clone();
            let single = app.gql(token, &format!("{SINGLE} {PAGE}"), variables).await;
            assert_eq!(*nested, single["data"]["project"], "{request}");
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn a_wrong_page_below_a_list_is_told_as_before() {
    let World { app, .. } = World::build().await;
    for (request, code, message) in [
        (json!({ "first": 0 }), "OUT_OF_RANGE", "Give 1 to 100; it is 0."),
        (json!({ "last": 101 }), "OUT_OF_RANGE", "Give 1 to 100; it is 101."),
        (json!({ "first": 1, "last": 1 }), "INVALID", "Give either first or last, not both."),
        (
            json!({ "after": "x" }),
            "INVALID",
            "This is not a cursor of this list: take one from pageInfo or edges.",
        ),
    ] {
        let answer = app.gql("", &format!("{NESTED} {PAGE}"), request).await;
        let error = &answer["errors"][0];
        assert_eq!((&error["extensions"]["code"], &error["message"]), (&json!(code), &json!(message)));
    }
    app.finish().await;
}

/// A person who pays themselves, as a returned deposit does, has that payment once; and a list below parents may be
/// sorted in every way that a list can.
#[tokio::test]
async fn pages_below_several_parents_in_every_order() {
    let app = TestApp::start().await;
    let people: Vec<UserId> = [app.client("a").await, app.client("b").await, app.client("c").await]
        .iter()
        .map(|someone| someone.id.parse().unwrap())
        .collect();
    for (payer, payee, amount) in
        [(0, 1, 5), (1, 1, 7), (1, 0, 5), (2, 2, 1), (0, 0, 9), (0, 2, 5), (1, 2, 3)]
    {
        pay(&app, people[payer], people[payee], amount).await;
    }
    let nobody = UserId(uuid::Uuid::from_u128(7));
    let parents: Vec<_> = people.iter().chain([&nobody]).map(|person| person.0).collect();
    let all = || payment::Entity::find();
    let (id, sides) = (payment::Column::Id, [payment::Column::PayerId, payment::Column::PayeeId]);
    let number = payment::Column::Amount.into_expr().add(1i64).cast_as("bigint");
    for list in [
        payments::of_users(&Actor::System),
        List::by_id(all(), id, false).below(sides),
        List::by(all(), payment::Column::Amount, id, true).below(sides),
        List::by(all(), payment::Column::CreatedAt, id, false).below(sides),
        List::by_number(all(), "more", number, id, true).below(sides),
    ] {
        let db = app.app.db.reader();
        let counts = list.counts(db, &parents).await.unwrap();
        let found: Vec<_> = parents.iter().map(|parent| counts[parent]).collect();
        assert_eq!(found, [4, 4, 3, 0]);
        let mut after = None;
        for (first, last) in [(Some(2), None), (None, Some(2)), (None, None), (Some(1), None)] {
            let request = PageRequest { first, last, after: after.clone(), before: None };
            let together = list.pages(db, &parents, &request).await.unwrap();
            for parent in &parents {
                let alone = list.pages(db, &[*parent], &request).await.unwrap();
                assert_eq!(format!("{:?}", together[parent]), format!("{:?}", alone[parent]), "{request:?}");
            }
            after = together[&parents[0]].rows.first().map(|(cursor, _)| cursor.clone());
        }
    }
    app.finish_made_up().await;
}

async fn pay(app: &TestApp, payer: UserId, payee: UserId, amount: i64) {
    let now = app.app.clock.now();
    let row = payment::Model {
        id: app.app.clock.new_id(),
        kind: PaymentKind::Return,
        status: PaymentStatus::Completed,
        rail: PaymentRail::Chain,
        contract_id: None,
        milestone_id: None,
        payer_id: Some(payer),
        payee_id: Some(payee),
        started_by: None,
        amount: Usdc(amount),
        fee: Usdc(0),
        net: Usdc(amount),
        reason: None,
        destination: None,
        deposit_address: None,
        expires_at: None,
        required_confirmations: None,
        hold_reason: None,
        failure_reason: None,
        linked_payment_id: None,
        dispute_id: None,
        retry_of: None,
        held_by: None,
        approved_by: None,
        redirected_by: None,
        decision_total: None,
        version: 0,
        look: 0,
        due_at: None,
        created_at: now,
        updated_at: now,
        completed_at: Some(now),
        final_at: None,
    };
    let insert = payment::Entity::insert(payment::ActiveModel::from(row));
    insert.exec_without_returning(app.app.db.writer()).await.unwrap();
}

/// What somebody may want on one screen is within the limits; everything of everybody is not.
#[tokio::test]
async fn a_deep_list_is_allowed_as_long_as_it_is_not_everything() {
    let app = TestApp::start().await;
    let deep = |pages: [&str; 4]| {
        let [projects, proposals, contracts, payments] = pages;
        format!(
            "{{ projects{projects} {{ nodes {{ title proposals{proposals} {{ totalCount nodes {{
                status bid {{ amount }} freelancer {{ displayName contracts{contracts} {{ totalCount nodes {{
                status payments{payments} {{ totalCount nodes {{ status amount {{ amount }} }} }}
                }} }} }} }} }} }} }} }}"
        )
    };
    for pages in [["(first: 5)"; 4], ["", "(first: 5)", "(first: 5)", "(last: 3)"], ["(last: 6)"; 4]] {
        let answer = app.gql("", &deep(pages), json!({})).await;
        assert!(answer.get("errors").is_none(), "{pages:?}: {answer}");
    }
    for pages in [[""; 4], ["(first: 20)"; 4], ["(last: 100)"; 4], ["(first: 100)", "(first: 100)", "", ""]] {
        let answer = app.gql("", &deep(pages), json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "COST_EXCEEDED", "{pages:?}: {answer}");
    }
    app.finish().await;
}
