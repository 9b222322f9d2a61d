//! How many statements a document costs: as many for ten rows as for one, to depth 4, for every connection.
//!
//! **A new connection** gets a row in [`CONNECTIONS`]: its field, and the way to it. A way is up to four lists inside
//! each other, with a `/` between them; each is its field, after the to-one fields that lead there with a `.` between
//! (`client.projects`). It ends with the connection itself, at depth 4 unless only a root list has it. The documents
//! are written from the schema: at the last list every field that needs no argument is read, and every scalar of
//! the things and lists right below it, so a new field is tested as soon as it is there.
//!
//! The ways are walked on the data of `statements/world.rs`: give your connection rows there, at least one below each
//! of at least two parents, or the test says that it proves nothing. A new kind that `node` knows has to turn up in
//! one of the answers.

mod documents;
mod nested;
mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use domain::{
    Actor, App, Db,
    entities::user,
    ports::openai::{Assistant, NoAnswer, Vector},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::Value;

use self::{documents::Sdl, world::World};

/// Every connection of the schema, with a way to it.
const CONNECTIONS: &[(&str, &str)] = &[
    ("Query.projects", "projects"),
    ("Query.freelancers", "freelancers"),
    ("Query.skills", "skills"),
    ("Query.jobs", "jobs"),
    ("Query.auditLog", "auditLog"),
    ("Query.contracts", "contracts"),
    ("Query.disputes", "disputes"),
    ("Query.payments", "payments"),
    ("Query.unallocatedDeposits", "unallocatedDeposits"),
    ("Query.users", "users"),
    ("Query.reconciliations", "reconciliations"),
    ("Contract.amendments", "projects/proposals/freelancer.contracts/amendments"),
    ("Contract.disputes", "projects/proposals/freelancer.contracts/disputes"),
    ("Project.invitations", "freelancers/proposals/project.client.projects/invitations"),
    ("User.invitations", "projects/proposals/freelancer.contracts/client.invitations"),
    ("User.portfolio", "projects/proposals/freelancer.contracts/freelancer.portfolio"),
    ("User.reviews", "projects/proposals/freelancer.contracts/freelancer.reviews"),
    ("User.savedFreelancers", "projects/proposals/freelancer.contracts/client.savedFreelancers"),
    ("User.savedProjects", "projects/proposals/freelancer.contracts/freelancer.savedProjects"),
    ("User.sessions", "projects/proposals/freelancer.contracts/client.sessions"),
    ("Project.proposals", "freelancers/proposals/project.client.projects/proposals"),
    ("Contract.payments", "projects/proposals/freelancer.contracts/payments"),
    ("Payment.jobs", "freelancers/contracts/payments/jobs"),
    ("User.projects", "projects/proposals/freelancer.contracts/client.projects"),
    ("User.proposals", "projects/proposals/freelancer.contracts/freelancer.proposals"),
    ("User.contracts", "projects/proposals/project.proposals/freelancer.contracts"),
    ("User.payments", "projects/proposals/freelancer.contracts/client.payments"),
    ("User.ledger", "projects/proposals/freelancer.contracts/freelancer.ledger"),
    ("LedgerStatement.entries", "freelancers/contracts/payments/payee.ledgerStatement.entries"),
    ("User.notifications", "projects/proposals/freelancer.contracts/client.notifications"),
];

/// How many rows the first list has, then how many instead; every list below has up to two below each parent.
const ROWS: [usize; 2] = [2, 4];

#[test]
fn every_connection_is_declared() {
    let sdl = Sdl::read();
    let declared: BTreeSet<String> = CONNECTIONS.iter().map(|(field, _)| (*field).to_owned()).collect();
    assert_eq!(declared, sdl.connections(), "declare it in CONNECTIONS, with a way to it");
    for (field, way) in CONNECTIONS {
        assert_eq!(*field, sdl.end_of(way), "{way} ends elsewhere");
        let depth = way.split('/').count();
        assert_eq!(depth, if field.starts_with("Query.") { 1 } else { 4 }, "{field}: the depth of {way}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_costs_the_same_statements_however_many_rows() {
    let World { app, newest, .. } = World::build().await;
    let (schema, asked) = counted(&app.app);
    let sdl = Sdl::read();
    let mut kinds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (field, way) in CONNECTIONS {
        for actor in [&Actor::System, &newest] {
            let mut costs = Vec::new();
            let mut found = Vec::new();
            for rows in ROWS {
                let document = sdl.document(way, rows);
                let request = async_graphql::Request::new(&document).data(actor.clone());
                let answer = schema.execute(request).await;
                costs.push(std::mem::take(&mut *asked.lock().unwrap()));
                // A list for admins is the same for everybody else, however long.
                if actor != &Actor::System && for_admins(&answer) {
                    found.push(Vec::new());
                    continue;
                }
                assert!(answer.errors.is_empty(), "{field}: {:?}\n{document}", answer.errors);
                let answer = answer.data.into_json().unwrap();
                found.push(Sdl::rows_at_the_end(way, &answer));
                collect(&answer, &mut kinds);
            }
            assert_eq!(
                costs[0].len(),
                costs[1].len(),
                "{field} by {way} as {actor:?}, {found:?} rows: only one of them asks {:#?}",
                difference(&costs[0], &costs[1])
            );
            if actor == &Actor::System {
                let [few, many] = [&found[0], &found[1]].map(|parents| parents.iter().sum::<usize>());
                let parents = found[1].iter().filter(|rows| **rows > 0).count();
                let several = parents > 1 || !way.contains('/');
                assert!(few > 0 && many > few && several, "{field} by {way} proves nothing: {found:?} rows");
            }
        }
    }
    nodes_cost_a_statement_a_kind(&app.app, &sdl, &kinds).await;
    app.finish().await;
}

/// `nodes(ids:)` over every kind that it knows: twice the ids, the same statements.
async fn nodes_cost_a_statement_a_kind(app: &App, sdl: &Sdl, kinds: &BTreeMap<String, BTreeSet<String>>) {
    let (schema, asked) = counted(app);
    let mut costs = Vec::new();
    for each in [2, 4] {
        let mut ids: Vec<&str> = Vec::new();
        for kind in sdl.implementors("Node") {
            // Nobody but a person has notifications of their own.
            if kind == "Notification" {
                continue;
            }
            let known = kinds.get(&kind).unwrap_or_else(|| panic!("no answer has a {kind} in it"));
            assert!(known.len() >= each, "{kind}: only {known:?}");
            ids.extend(known.iter().take(each).map(String::as_str));
        }
        let document = format!("{{ nodes(ids: {ids:?}) {{ __typename id }} }}");
        let answer = schema.execute(async_graphql::Request::new(document).data(Actor::System)).await;
        assert!(answer.errors.is_empty(), "{:?}", answer.errors);
        costs.push(std::mem::take(&mut *asked.lock().unwrap()).len());
        let nodes = answer.data.into_json().unwrap()["nodes"].clone();
        assert!(nodes.as_array().unwrap().iter().all(Value::is_object), "{nodes:#}");
    }
    assert_eq!(costs[0], costs[1]);
    assert_eq!(costs[0] + 1, sdl.implementors("Node").len(), "one statement a kind");
}

/// An assistant to whom everything is alike.
struct Alike;

#[async_trait]
impl Assistant for Alike {
    async fn embed(&self, texts: &[String]) -> Result<Vec<Vector>, NoAnswer> {
        Ok(vec![Vector::from([1.0]); texts.len()])
    }

    async fn write(&self, _: &str, _: &str) -> Result<String, NoAnswer> {
        panic!("nothing here asks for a draft")
    }
}

/// Matches stand below lists as plain lists: as many statements for four as for two, with an assistant too.
#[tokio::test(flavor = "multi_thread")]
async fn matches_cost_the_same_statements_however_many_rows() {
    let World { app, .. } = World::build().await;
    // Everybody else has bid on everything.
    for number in 0..4 {
        let newcomer = app.register(&format!("newcomer-{number}"), "FREELANCER").await;
        let change = user::ActiveModel {
            id: Set(newcomer.id.parse().unwrap()),
            headline: Set(Some("Here to work".to_owned())),
            ..Default::default()
        };
        change.update(app.app.db.writer()).await.unwrap();
    }
    for assistant in [None, Some(Arc::new(Alike) as Arc<dyn Assistant>)] {
        matches_cost_the_same(&App { assistant, ..app.app.clone() }).await;
    }
    app.finish().await;
}

async fn matches_cost_the_same(app: &App) {
    let (schema, asked) = counted(app);
    let ranked_by = if app.assistant.is_some() { "SEMANTIC" } else { "SCORE" };
    for (list, fields) in [
        (
            "projects(first: 2)",
            "matches { score rankedBy factors { skills } freelancer { id skills { proficiency } } }",
        ),
        (
            "users(first: 2, filter: { role: FREELANCER }, orderBy: { field: CREATED_AT, direction: DESC })",
            "matches { score rankedBy factors { skills } project { id client { id } skills { id } } }",
        ),
    ] {
        let mut costs = Vec::new();
        for rows in ROWS {
            let list = list.replace("first: 2", &format!("first: {rows}"));
            let document = format!("{{ list: {list} {{ nodes {{ {fields} }} }} }}");
            let answer = schema.execute(async_graphql::Request::new(&document).data(Actor::System)).await;
            assert!(answer.errors.is_empty(), "{:?}", answer.errors);
            costs.push(std::mem::take(&mut *asked.lock().unwrap()));
            let answer = answer.data.into_json().unwrap();
            let nodes = answer["list"]["nodes"].as_array().unwrap();
            let found = |node: &Value| node["matches"].as_array().is_some_and(|found| !found.is_empty());
            assert!(nodes.len() == rows && nodes.iter().all(found), "{list} proves nothing: {answer:#}");
            assert!(answer.to_string().contains(ranked_by), "{list} is not by {ranked_by}: {answer:#}");
        }
        let [few, many] = [&costs[0], &costs[1]];
        assert_eq!(few.len(), many.len(), "{list}: only one of them asks {:#?}", difference(few, many));
    }
}

fn for_admins(answer: &async_graphql::Response) -> bool {
    let code = |error: &async_graphql::ServerError| error.extensions.as_ref()?.get("code").cloned();
    answer.errors.iter().any(|error| code(error) == Some("FORBIDDEN".into()))
}

/// The schema over the same database, and the statements that its reads asked.
fn counted(app: &App) -> (api::graphql::Schema, Arc<Mutex<Vec<String>>>) {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let mut reader = app.db.reader().clone();
    let noted = asked.clone();
    reader.set_metric_callback(move |info| noted.lock().unwrap().push(info.statement.sql.clone()));
    let db = Db::new(app.db.writer().clone(), reader);
    (api::schema(App { db, ..app.clone() }), asked)
}

/// The statements that one of two documents asked more often than the other, whatever their parameters.
fn difference<'a>(one: &'a [String], other: &'a [String]) -> Vec<&'a str> {
    let table = |sql: &'a String| sql.split_once(" WHERE").map_or(sql.as_str(), |(start, _)| start);
    let (mut rest, mut only) = (other.iter().map(table).collect::<Vec<_>>(), Vec::new());
    for sql in one.iter().map(table) {
        match rest.iter().position(|found| *found == sql) {
            Some(index) => drop(rest.swap_remove(index)),
            None => only.push(sql),
        }
    }
    only.extend(rest);
    only
}

/// Notes the ids of an answer by their kinds.
fn collect(answer: &Value, kinds: &mut BTreeMap<String, BTreeSet<String>>) {
    match answer {
        Value::Array(items) => items.iter().for_each(|item| collect(item, kinds)),
        Value::Object(fields) => {
            if let (Some(kind), Some(id)) = (fields.get("__typename"), fields.get("id")) {
                let (kind, id) = (kind.as_str().unwrap(), id.as_str().unwrap());
                kinds.entry(kind.to_owned()).or_default().insert(id.to_owned());
            }
            fields.values().for_each(|value| collect(value, kinds));
        }
        _ => {}
    }
}
