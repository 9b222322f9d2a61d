//! Who may attach a file, and who may see it then.

use serde_json::{Value, json};

use super::{File, get, look, ready, start};
use crate::support::{Someone, TestApp, errors, ok, text};

const PROPOSE: &str = "mutation($input: ProposalSubmitInput!) { proposalSubmit(input: $input) {
    proposal { id attachments { id filename url } } userErrors { field code message } } }";
const POST: &str = "mutation($input: ProjectCreateInput!) { projectCreate(input: $input) {
    project { id files { id url } } userErrors { field code message } } }";
const FILES: &str = "query($id: ID!) { project(id: $id) { files { id url } } }";

fn bid(project: &str, uploads: &[String]) -> Value {
    json!({ "projectId": project, "availability": "IMMEDIATE", "bid": { "amount": "500" }, "uploadIds": uploads,
        "coverLetter": "I have built many shops like this one, and plants grow on my desk." })
}

async fn attachment(app: &TestApp, by: &Someone, purpose: &str) -> String {
    ready(app, by, File::new(purpose, "plan.txt", "text/plain", b"The plan.")).await
}

#[tokio::test]
async fn a_proposals_files_are_for_its_parties() {
    let app = start().await;
    let (carla, felix, eve) =
        (app.client("carla").await, app.freelancer("felix").await, app.freelancer("eve").await);
    let project = app.project(&carla).await;
    let file = attachment(&app, &felix, "PROPOSAL_ATTACHMENT").await;
    let wrong = attachment(&app, &felix, "DELIVERABLE").await;
    let foreign = attachment(&app, &eve, "PROPOSAL_ATTACHMENT").await;

    let refused =
        app.mutate(&felix.token, PROPOSE, bid(&project, &[foreign, wrong, file.clone(), file.clone()])).await;
    let expected = ["uploadIds.0:NOT_FOUND", "uploadIds.1:INVALID", "uploadIds.3:INVALID"];
    assert_eq!(errors(&refused), expected);
    let many: Vec<String> = vec![file.clone(); 11];
    let refused = app.mutate(&felix.token, PROPOSE, bid(&project, &many)).await;
    assert_eq!(errors(&refused), ["uploadIds:LIMIT_REACHED"]);

    let payload = ok(app.mutate(&felix.token, PROPOSE, bid(&project, std::slice::from_ref(&file))).await);
    let proposal = text(&payload["proposal"]["id"]);
    assert_eq!(payload["proposal"]["attachments"][0]["filename"], "plan.txt");
    let attachments = "query($id: ID!) { node(id: $id) { ... on Proposal { attachments { url } } } }";
    let seen = app.gql(&carla.token, attachments, json!({ "id": proposal })).await;
    let link = &seen["data"]["node"]["attachments"][0]["url"];
    assert_eq!(get(link).await.text().await.unwrap(), "The plan.");
    assert_eq!(look(&app, &eve, &file).await, Value::Null);

    let other = app.project(&carla).await;
    let twice = app.mutate(&felix.token, PROPOSE, bid(&other, &[file])).await;
    assert_eq!(errors(&twice), ["uploadIds.0:TAKEN"]);
    app.finish().await;
}

#[tokio::test]
async fn a_projects_files_are_for_its_client_and_who_has_a_contract_on_it() {
    let app = start().await;
    let (carla, felix, eve) =
        (app.client("carla").await, app.freelancer("felix").await, app.freelancer("eve").await);
    let file = attachment(&app, &carla, "PROJECT_FILE").await;
    let category =
        app.gql("", "{ categories { id } }", json!({})).await["data"]["categories"][0]["id"].clone();
    let input = json!({ "title": "A web shop", "categoryId": category, "budgetType": "FIXED", "publish": true,
        "description": "A small shop with a catalogue, a basket and a way to pay.", "uploadIds": [file],
        "experienceLevel": "ENTRY", "budgetMin": { "amount": "1" }, "budgetMax": { "amount": "900" } });
    let posted = ok(app.mutate(&carla.token, POST, input).await);
    assert_eq!(posted["project"]["files"][0]["id"], file.as_str());
    let project = text(&posted["project"]["id"]);

    let seen_by = async |token: &str| {
        let answer = app.gql(token, FILES, json!({ "id": project })).await;
        answer["data"]["project"]["files"].as_array().unwrap().len()
    };
    let proposal = app.proposal(&felix, &project, &[100]).await;
    assert_eq!((seen_by(&carla.token).await, seen_by(&felix.token).await, seen_by("").await), (1, 0, 0));
    app.offer(&carla, &proposal).await;
    assert_eq!((seen_by(&felix.token).await, seen_by(&eve.token).await), (1, 0));
    assert!(look(&app, &felix, &file).await["url"].is_string());
    app.finish().await;
}

#[tokio::test]
async fn what_was_handed_in_is_for_the_parties_of_its_contract() {
    let app = start().await;
    let deal = app.deal(&[100]).await;
    let eve = app.client("eve").await;
    let milestone = &deal.milestones[0];
    app.funded(&deal, milestone).await;
    let file = attachment(&app, &deal.freelancer, "DELIVERABLE").await;
    let submit = "mutation($input: MilestoneSubmitInput!) { milestoneSubmit(input: $input) {
        milestone { submission { files { id url } } } userErrors { field code message } } }";
    let input = json!({ "milestoneId": milestone, "note": "Done.", "uploadIds": [file] });
    let payload = ok(app.mutate(&deal.freelancer.token, submit, input).await);
    assert_eq!(payload["milestone"]["submission"]["files"][0]["id"], file.as_str());
    let seen = look(&app, &deal.client, &file).await;
    assert_eq!(get(&seen["url"]).await.text().await.unwrap(), "The plan.");
    assert_eq!(look(&app, &eve, &file).await, Value::Null);
    app.finish().await;
}
