//! Two pairs of people side by side: no id of one is any good in the hands of the other, and what answers to it answers
//! as if the thing were not there at all.
//!
//! Where an input holds ids is read from the schema: a mutation that takes one is tried as soon as it is there.

use std::collections::BTreeMap;

use async_graphql::parser::{
    parse_schema,
    types::{BaseType, Type, TypeKind, TypeSystemDefinition},
};
use serde_json::{Value, json};

use crate::{
    matrix::{MUTATIONS, Tenant, input, tenant},
    support::TestApp,
};

/// Ids that are not private: what everybody may name, or what is no thing of ours.
const SHARED: &[(&str, &str)] = &[
    // Everybody may bid on an open project, have a letter drafted for it, and remember it.
    ("proposalSubmit", "projectId"),
    ("savedProjectAdd", "projectId"),
    ("draftCreate", "projectId"),
    // What is not saved is not taken off: neither is an error.
    ("savedProjectRemove", "projectId"),
    ("savedFreelancerAdd", "freelancerId"),
    ("savedFreelancerRemove", "freelancerId"),
    // Everybody may be invited.
    ("invitationSend", "freelancerId"),
    // Categories are the same for all.
    ("projectCreate", "categoryId"),
    // Those that are not one's own are passed over, and counted by nobody.
    ("notificationMarkRead", "notificationIds.0"),
];

/// The fields of each input type: name, the named type, and whether it is a list.
type Inputs = BTreeMap<String, Vec<(String, String, bool)>>;

fn inputs() -> Inputs {
    let mut inputs = Inputs::new();
    for definition in parse_schema(api::graphql::sdl()).unwrap().definitions {
        let TypeSystemDefinition::Type(found) = definition else { continue };
        let TypeKind::InputObject(object) = found.node.kind else { continue };
        let fields = object.fields.into_iter().map(|field| {
            let (of, list) = named(&field.node.ty.node);
            (field.node.name.node.to_string(), of, list)
        });
        inputs.insert(found.node.name.node.to_string(), fields.collect());
    }
    inputs
}

fn named(ty: &Type) -> (String, bool) {
    match &ty.base {
        BaseType::Named(name) => (name.to_string(), false),
        BaseType::List(inner) => (named(inner).0, true),
    }
}

/// The places of ids in an input, dotted; the first of a list.
fn places(inputs: &Inputs, of: &str, before: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (name, kind, list) in inputs.get(of).into_iter().flatten() {
        let place = format!("{before}{name}{}", if *list { ".0" } else { "" });
        if kind == "ID" {
            found.push(place);
        } else {
            found.extend(places(inputs, kind, &format!("{place}.")));
        }
    }
    found
}

fn pointer(place: &str) -> String {
    format!("/{}", place.replace('.', "/"))
}

/// What a mutation answers, without what would give away nothing: the message names the field, never the id.
async fn answer(app: &TestApp, token: &str, mutation: &str, input: &Value) -> Value {
    let input_type = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let document = format!(
        "mutation($input: {input_type}!) {{ it: {mutation}(input: $input) {{ userErrors {{ field code message }} }} }}"
    );
    let mut answer = app.gql(token, &document, json!({ "input": input })).await;
    answer.as_object_mut().unwrap().remove("extensions");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn no_id_of_another_tenant_is_any_good() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let ours = Box::pin(tenant(&app, &admin, "carla", "felix")).await;
    let theirs = Box::pin(tenant(&app, &admin, "clio", "fritz")).await;
    let inputs = inputs();
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for (mutation, cells) in MUTATIONS {
        let input_type = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        for place in places(&inputs, &input_type, "") {
            if place == "idempotencyKey" || SHARED.contains(&(mutation, place.as_str())) {
                continue;
            }
            for (letter, token) in
                cells.chars().skip(1).zip([&ours.deal.client.token, &ours.deal.freelancer.token])
            {
                if letter != 'K' {
                    continue;
                }
                let mut input = input(mutation, &ours.ids);
                // What may be left out is tried all the same where the matrix names it.
                let Some(own) = input.pointer(&pointer(&place)).and_then(Value::as_str).map(str::to_owned)
                else {
                    continue;
                };
                let Some(kind) = ours.ids.iter().find(|(_, id)| **id == own).map(|(kind, _)| *kind) else {
                    wrong.push(format!("{mutation}.{place}: {own} is no thing of the matrix"));
                    continue;
                };
                let prefix = own.split('_').next().unwrap();
                let absent = format!("{prefix}_{:032x}", 7);
                let mut answers = Vec::new();
                for id in [&theirs.ids[kind], &absent] {
                    *input.pointer_mut(&pointer(&place)).unwrap() = json!(id);
                    answers.push(answer(&app, token, mutation, &input).await);
                }
                tried += 1;
                if answers[0] != answers[1] {
                    wrong
                        .push(format!("{mutation}.{place}: theirs {} but absent {}", answers[0], answers[1]));
                }
                let code = &answers[0]["data"]["it"]["userErrors"][0]["code"];
                if code != "NOT_FOUND" {
                    wrong.push(format!("{mutation}.{place}: {code} for a thing of theirs"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(tried > 40, "only {tried} places were tried");
    nothing_is_read(&app, &ours, &theirs).await;
    app.finish().await;
}

/// Reads by id: theirs and absent are null alike.
async fn nothing_is_read(app: &TestApp, ours: &Tenant, theirs: &Tenant) {
    const PUBLIC: [&str; 6] = ["user", "freelancer", "category", "skill", "open", "portfolioItem"];
    for token in [&ours.deal.client.token, &ours.deal.freelancer.token] {
        for (kind, id) in theirs.ids.iter().filter(|(kind, _)| !PUBLIC.contains(kind)) {
            let document = format!("{{ node(id: \"{id}\") {{ id }} nodes(ids: [\"{id}\"]) {{ id }} }}");
            let answer = app.gql(token, &document, json!({})).await;
            assert_eq!(answer["data"], json!({ "node": null, "nodes": [null] }), "{kind}: {answer}");
        }
    }
}
