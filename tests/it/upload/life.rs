//! An upload from its beginning to the day its objects are gone.

use chrono::Duration;
use domain::queue::Outcome;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use super::{AVATAR, COMPLETE, File, complete, create, get, lies, look, png, put, ready, row, start};
use crate::support::{errors, ok};

#[tokio::test]
async fn a_file_is_sent_checked_and_saved_under_its_name() {
    let app = start().await;
    let (ann, eve) = (app.freelancer("ann").await, app.freelancer("eve").await);
    let text = "Grüße\n".as_bytes();
    let (id, request) =
        create(&app, &ann, File::new("DELIVERABLE", "Notizen März.md", "text/markdown", text)).await;
    assert!(!request.url.contains("Notizen"), "the name is in no key: {}", request.url);
    assert_eq!(put(&request, text).await, 200);

    let foreign = app.mutate(&eve.token, COMPLETE, json!({ "uploadId": id })).await;
    assert_eq!(errors(&foreign), ["uploadId:NOT_FOUND"]);
    let wrong = app.mutate(&ann.token, COMPLETE, json!({ "uploadId": ann.id })).await;
    assert_eq!(errors(&wrong), ["uploadId:INVALID_ID"]);
    assert_eq!(complete(&app, &ann, &id).await["status"], "PROCESSING");
    assert_eq!(complete(&app, &ann, &id).await["status"], "PROCESSING");
    app.drain().await;
    assert_eq!(complete(&app, &ann, &id).await["status"], "READY");

    let upload = look(&app, &ann, &id).await;
    assert_eq!(upload["filename"], "Notizen März.md");
    let answer = get(&upload["url"]).await;
    let disposition = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert!(disposition.starts_with("attachment;"), "{disposition}");
    assert_eq!(answer.bytes().await.unwrap(), text);
    assert_eq!(look(&app, &eve, &id).await, Value::Null, "not yours is not there");

    let incoming = format!("incoming/{}", row(&app, &id).await.object_key);
    assert!(lies(&app, &incoming).await, "as long as the link is good");
    app.advance(Duration::minutes(17));
    app.drain().await;
    assert!(!lies(&app, &incoming).await);
    assert_eq!(look(&app, &ann, &id).await["status"], "READY");
    app.finish().await;
}

#[tokio::test]
async fn a_new_avatar_takes_the_place_of_the_old_one() {
    let app = start().await;
    let (ann, eve) = (app.freelancer("ann").await, app.client("eve").await);
    let set = async |upload: &str| app.mutate(&ann.token, AVATAR, json!({ "uploadId": upload })).await;
    let first = ready(&app, &ann, File::new("AVATAR", "1.png", "image/png", &png(1))).await;
    let second = ready(&app, &ann, File::new("AVATAR", "2.png", "image/png", &png(2))).await;

    let avatar = ok(set(&first).await)["user"]["avatar"].clone();
    for link in ["url", "smallUrl", "thumbnailUrl"] {
        assert_eq!(get(&avatar[link]).await.status(), 200, "{link}");
    }
    let profile = "query($id: ID!) { user(id: $id) { avatar { url } } }";
    let seen = app.gql("", profile, json!({ "id": ann.id })).await;
    assert_eq!(get(&seen["data"]["user"]["avatar"]["url"]).await.status(), 200, "everybody sees it");

    let key = row(&app, &first).await.object_key;
    assert!(lies(&app, &key).await);
    ok(set(&second).await);
    app.drain().await;
    for gone in [key.clone(), format!("{key}-256"), format!("{key}-64")] {
        assert!(!lies(&app, &gone).await, "{gone}");
    }
    assert_eq!(get(&avatar["url"]).await.status(), 404);
    assert_eq!(look(&app, &ann, &first).await["status"], "REJECTED");
    ok(set(&second).await);
    assert_eq!(look(&app, &ann, &second).await["status"], "READY", "the same one again changes nothing");

    let (pending, _) = create(&app, &ann, File::new("AVATAR", "3.png", "image/png", b"x")).await;
    assert_eq!(errors(&set(&pending).await), ["uploadId:ILLEGAL_STATE"]);
    assert_eq!(errors(&set(&first).await), ["uploadId:ILLEGAL_STATE"]);
    let work = ready(&app, &ann, File::new("DELIVERABLE", "a.txt", "text/plain", b"a")).await;
    assert_eq!(errors(&set(&work).await), ["uploadId:INVALID"]);
    let foreign = ready(&app, &eve, File::new("AVATAR", "e.png", "image/png", &png(3))).await;
    assert_eq!(errors(&set(&foreign).await), ["uploadId:NOT_FOUND"]);
    app.finish().await;
}

#[tokio::test]
async fn what_is_not_used_in_a_day_goes() {
    let app = start().await;
    let ann = app.freelancer("ann").await;
    let (pending, request) = create(&app, &ann, File::new("EVIDENCE", "a.txt", "text/plain", b"a")).await;
    assert_eq!(put(&request, b"a").await, 200, "sent, but never completed");
    let unused = ready(&app, &ann, File::new("EVIDENCE", "b.txt", "text/plain", b"b")).await;
    let used = ready(&app, &ann, File::new("AVATAR", "c.png", "image/png", &png(4))).await;
    ok(app.mutate(&ann.token, AVATAR, json!({ "uploadId": used })).await);

    app.advance(Duration::hours(23));
    app.drain().await;
    assert_eq!(look(&app, &ann, &pending).await["status"], "PENDING");
    app.advance(Duration::hours(2));
    app.drain().await;
    for (id, status) in [(&pending, "REJECTED"), (&unused, "REJECTED"), (&used, "READY")] {
        assert_eq!(look(&app, &ann, id).await["status"], status);
        let key = row(&app, id).await.object_key;
        assert_eq!(lies(&app, &key).await, status == "READY");
        assert!(!lies(&app, &format!("incoming/{key}")).await);
    }
    let late = app.mutate(&ann.token, COMPLETE, json!({ "uploadId": pending })).await;
    assert_eq!(errors(&late), ["uploadId:ILLEGAL_STATE"]);
    app.finish().await;
}

#[tokio::test]
async fn completing_what_was_not_sent_is_refused_after_a_while() {
    let app = start().await;
    let ann = app.freelancer("ann").await;
    let (late, request) = create(&app, &ann, File::new("EVIDENCE", "a.txt", "text/plain", b"a")).await;
    let (never, _) = create(&app, &ann, File::new("EVIDENCE", "b.txt", "text/plain", b"b")).await;
    complete(&app, &ann, &late).await;
    complete(&app, &ann, &never).await;
    app.drain().await;
    assert_eq!(look(&app, &ann, &late).await["status"], "PROCESSING");
    assert_eq!(put(&request, b"a").await, 200);
    for _ in 0..7 {
        app.advance(Duration::seconds(5));
        app.drain().await;
    }
    assert_eq!(look(&app, &ann, &late).await["status"], "READY");
    let never = look(&app, &ann, &never).await;
    assert_eq!(never["status"], "REJECTED");
    assert!(never["rejectionReason"].as_str().unwrap().starts_with("Nothing was uploaded"));
    app.finish().await;
}

#[tokio::test]
async fn a_lost_queue_costs_time_only_and_repeating_changes_nothing() {
    let app = start().await;
    let ann = app.freelancer("ann").await;
    let bytes = png(5);
    let file = File::new("AVATAR", "a.png", "image/png", &bytes);
    let (id, request) = create(&app, &ann, file).await;
    assert_eq!(put(&request, file.bytes).await, 200);
    complete(&app, &ann, &id).await;
    let jobs = match app.app.db.backend() {
        sea_orm::DbBackend::Sqlite => "Jobs",
        _ => "apalis.jobs",
    };
    app.app.db.writer().execute_unprepared(&format!("DELETE FROM {jobs}")).await.unwrap();
    app.advance(Duration::minutes(1));
    app.drain().await;
    let before = row(&app, &id).await;
    assert_eq!(look(&app, &ann, &id).await["status"], "READY");
    let again = domain::upload::process::run(&app.app, before.id).await.unwrap();
    assert_eq!((again, row(&app, &id).await), (Outcome::Done, before));
    app.finish().await;
}
