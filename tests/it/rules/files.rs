//! Sizes, counts and times of files.

use chrono::Duration;
use serde_json::{Value, json};

use crate::support::{Someone, TestApp, errors, ok, text};

const MIB: i64 = 1024 * 1024;
const CREATE: &str = "mutation($input: UploadCreateInput!) { uploadCreate(input: $input) {
    upload { id status } request { method url headers { name value } } userErrors { field code message } } }";

async fn ask(app: &TestApp, by: &Someone, purpose: &str, name: &str, content_type: &str, size: i64) -> Value {
    let input =
        json!({ "purpose": purpose, "filename": name, "contentType": content_type, "byteSize": size });
    app.mutate(&by.token, CREATE, input).await
}

/// A text file that is sent, checked and READY.
async fn ready(app: &TestApp, by: &Someone, purpose: &str) -> String {
    let payload = ok(ask(app, by, purpose, "plan.txt", "text/plain", 4).await);
    let request = &payload["request"];
    let mut put = reqwest::Client::new().put(text(&request["url"])).body("plan");
    for header in request["headers"].as_array().unwrap() {
        if header["name"] != "content-length" {
            put = put.header(text(&header["name"]), text(&header["value"]));
        }
    }
    assert!(put.send().await.unwrap().status().is_success());
    let id = text(&payload["upload"]["id"]);
    let complete = "mutation($input: UploadCompleteInput!) { uploadComplete(input: $input) {
        upload { status } userErrors { field code message } } }";
    ok(app.mutate(&by.token, complete, json!({ "uploadId": id })).await);
    app.drain().await;
    assert_eq!(status(app, by, &id).await, "READY");
    id
}

async fn status(app: &TestApp, by: &Someone, id: &str) -> String {
    let query = "query($id: ID!) { node(id: $id) { ... on Upload { status } } }";
    text(&app.gql(&by.token, query, json!({ "id": id })).await["data"]["node"]["status"])
}

/// Files: AVATAR up to 5 MB; PORTFOLIO_IMAGE and the other purposes up to 10 MB.
#[tokio::test]
async fn rule_files_have_5_or_10_megabytes() {
    let app = TestApp::start().await;
    let ann = app.freelancer("ann").await;
    let (png, txt) = (("a.png", "image/png"), ("a.txt", "text/plain"));
    for (purpose, (name, content_type), most) in [
        ("AVATAR", png, 5),
        ("PORTFOLIO_IMAGE", png, 10),
        ("PROPOSAL_ATTACHMENT", txt, 10),
        ("PROJECT_FILE", txt, 10),
        ("DELIVERABLE", txt, 10),
        ("EVIDENCE", txt, 10),
        ("MESSAGE_FILE", txt, 10),
    ] {
        ok(ask(&app, &ann, purpose, name, content_type, most * MIB).await);
        let over = ask(&app, &ann, purpose, name, content_type, most * MIB + 1).await;
        assert_eq!(errors(&over), ["byteSize:OUT_OF_RANGE"], "{purpose}");
    }
    app.finish().await;
}

/// Files: ten an owner and thing.
#[tokio::test]
async fn rule_ten_files_an_owner_and_thing() {
    let app = TestApp::start().await;
    let (carla, felix) = (app.client("carla").await, app.freelancer("felix").await);
    let project = app.project(&carla).await;
    let mut files = Vec::new();
    for _ in 0..11 {
        files.push(ready(&app, &felix, "PROPOSAL_ATTACHMENT").await);
    }
    let propose = "mutation($input: ProposalSubmitInput!) { proposalSubmit(input: $input) {
        proposal { attachments { id } } userErrors { field code message } } }";
    let bid = |files: &[String]| {
        json!({ "projectId": project, "availability": "IMMEDIATE", "bid": { "amount": "500" }, "uploadIds": files,
            "coverLetter": "I have built many shops like this one, and plants grow on my desk." })
    };
    assert_eq!(errors(&app.mutate(&felix.token, propose, bid(&files)).await), ["uploadIds:LIMIT_REACHED"]);
    let payload = ok(app.mutate(&felix.token, propose, bid(&files[..10])).await);
    assert_eq!(payload["proposal"]["attachments"].as_array().map(Vec::len), Some(10));
    app.finish().await;
}

/// Files: pending uploads older than 24 h are swept.
#[tokio::test]
async fn rule_pending_uploads_are_swept_after_24_hours() {
    let app = TestApp::start().await;
    let ann = app.freelancer("ann").await;
    let id = text(&ok(ask(&app, &ann, "EVIDENCE", "a.txt", "text/plain", 4).await)["upload"]["id"]);
    app.advance(Duration::hours(24) - Duration::seconds(1));
    app.drain().await;
    assert_eq!(status(&app, &ann, &id).await, "PENDING");
    app.advance(Duration::seconds(2));
    app.drain().await;
    assert_eq!(status(&app, &ann, &id).await, "REJECTED");
    app.finish().await;
}

/// Files: a presigned link is good for 15 minutes.
#[tokio::test]
async fn rule_links_are_good_for_15_minutes() {
    let app = TestApp::start().await;
    let ann = app.freelancer("ann").await;
    let payload = ok(ask(&app, &ann, "EVIDENCE", "a.txt", "text/plain", 4).await);
    let file = ready(&app, &ann, "EVIDENCE").await;
    let query = "query($id: ID!) { node(id: $id) { ... on Upload { url } } }";
    let get = app.gql(&ann.token, query, json!({ "id": file })).await["data"]["node"]["url"].clone();
    for link in [&payload["request"]["url"], &get] {
        assert!(text(link).contains("X-Amz-Expires=900"), "{link}");
    }
    app.finish().await;
}
