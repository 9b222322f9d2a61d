//! Another password: by a mailed link, and by who knows the present one. And the sessions that it ends.

use chrono::Duration;
use domain::entities::{MailStatus, NotificationKind, TokenPurpose, account_token, mail, user};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use super::{access_token, assert_unauthenticated, refresh, register, sign_in, verify, viewer};
use crate::support::{PASSWORD, TestApp, errors, ok, text};

const BEGIN: &str = "mutation($input: PasswordResetBeginInput!) { passwordResetBegin(input: $input) {
    email userErrors { field code message } } }";
const COMPLETE: &str =
    "mutation($input: PasswordResetCompleteInput!) { passwordResetComplete(input: $input) {
    user { displayName email } userErrors { field code message } } }";
const CHANGE: &str = "mutation($input: PasswordChangeInput!) { passwordChange(input: $input) {
    user { email } userErrors { field code message } } }";
/// What the tests change to.
const OTHER: &str = "quilt-harbor-lantern-7";

async fn begin(app: &TestApp, email: &str) -> Value {
    app.mutate("", BEGIN, json!({ "email": email })).await
}

async fn complete(app: &TestApp, token: &str, new: &str) -> Value {
    app.mutate("", COMPLETE, json!({ "token": token, "newPassword": new })).await
}

async fn change(app: &TestApp, token: &str, present: &str, new: &str) -> Value {
    app.mutate(token, CHANGE, json!({ "password": present, "newPassword": new })).await
}

/// The tokens of all links for another password that Ada got, the newest first.
async fn links(app: &TestApp) -> Vec<String> {
    app.drain().await;
    let mails = app.mails("Ada@Example.com");
    let links = mails.iter().filter_map(|mail| mail.text.split_once("http://localhost:8080/reset?token="));
    links.map(|(_, rest)| rest.split_whitespace().next().unwrap().to_owned()).collect()
}

/// Asks for a link and opens the mail.
async fn link(app: &TestApp) -> String {
    ok(begin(app, "ada@example.com").await);
    links(app).await.remove(0)
}

async fn stored(app: &TestApp, kind: NotificationKind) -> u64 {
    let of_kind = mail::Entity::find().filter(mail::Column::Kind.eq(kind));
    of_kind.count(app.app.db.reader()).await.unwrap()
}

async fn signs_in(app: &TestApp, password: &str) -> bool {
    errors(&sign_in(app, "ada@example.com", password).await).is_empty()
}

#[tokio::test]
async fn a_mailed_link_sets_another_password_and_ends_every_session() {
    let app = TestApp::start().await;
    let here = register(&app, json!({})).await;
    let there = access_token(&sign_in(&app, "ada@example.com", PASSWORD).await);
    assert!(viewer(&app, &there).await["data"]["viewer"]["emailVerifiedAt"].is_null());

    let asked = begin(&app, " ADA@example.com ").await;
    assert_eq!(asked, json!({ "email": "ADA@example.com", "userErrors": [] }));
    let token = links(&app).await.remove(0);
    assert!(signs_in(&app, PASSWORD).await, "nothing has changed yet");
    let done = ok(complete(&app, &token, OTHER).await);
    assert_eq!(done["user"], json!({ "displayName": "Ada", "email": null }), "it signs nobody in");

    for access in [&access_token(&here), &there] {
        assert_unauthenticated(&viewer(&app, access).await);
    }
    let late = refresh(&app, &text(&here["session"]["refreshToken"])).await;
    assert_eq!(errors(&late), ["refreshToken:INVALID"]);
    assert!(!signs_in(&app, PASSWORD).await);
    let again = access_token(&sign_in(&app, "ada@example.com", OTHER).await);
    let proven = viewer(&app, &again).await;
    assert!(proven["data"]["viewer"]["emailVerifiedAt"].is_string(), "they read the mailbox: {proven}");

    app.drain().await;
    let subjects: Vec<_> = app.mails("Ada@Example.com").into_iter().map(|mail| mail.subject).collect();
    let told = subjects.iter().filter(|subject| *subject == "Your password was changed").count();
    assert_eq!(told, 1, "{subjects:?}");
    let kept = user::Entity::find().one(app.app.db.reader()).await.unwrap().unwrap();
    assert!(kept.password_hash.starts_with("$argon2id$"));
    app.finish().await;
}

#[tokio::test]
async fn nobody_learns_who_has_an_account() {
    let app = TestApp::start().await;
    register(&app, json!({})).await;
    let known = begin(&app, "ada@example.com").await;
    let unknown = begin(&app, "eve@example.com").await;
    assert_eq!(known, json!({ "email": "ada@example.com", "userErrors": [] }));
    assert_eq!(unknown, json!({ "email": "eve@example.com", "userErrors": [] }));
    // So within the pause, where the known one is not mailed either.
    assert_eq!(begin(&app, "ada@example.com").await, known);
    for bad in ["", "ada", "a b@example.com", "ada@example.com\u{0}"] {
        let wrong = errors(&begin(&app, bad).await);
        assert!(
            !wrong.is_empty() && wrong.iter().all(|wrong| wrong.starts_with("email:")),
            "{bad:?}: {wrong:?}"
        );
    }
    app.drain().await;
    assert!(app.mails("eve@example.com").is_empty());
    assert_eq!(stored(&app, NotificationKind::AccountReset).await, 1, "nothing is left of what was nobody's");
    app.finish().await;
}

/// Password reset: the mailed token is good for 1 hour.
#[tokio::test]
async fn rule_a_reset_link_is_good_for_an_hour() {
    let app = TestApp::start().await;
    register(&app, json!({})).await;
    let token = link(&app).await;
    app.advance(Duration::minutes(60));
    assert_eq!(errors(&complete(&app, &token, OTHER).await), ["token:EXPIRED"]);
    assert!(signs_in(&app, PASSWORD).await, "nothing was written");

    let token = link(&app).await;
    app.advance(Duration::minutes(60) - Duration::seconds(1));
    ok(complete(&app, &token, OTHER).await);
    assert!(signs_in(&app, OTHER).await);
    app.finish().await;
}

/// Password reset: the mailed token is good once; with it go the others.
#[tokio::test]
async fn rule_a_reset_link_is_good_once_and_ends_the_others() {
    let app = TestApp::start().await;
    let ada = access_token(&register(&app, json!({})).await);
    let first = link(&app).await;
    app.advance(Duration::minutes(1));
    let second = link(&app).await;
    assert_ne!(first, second);
    assert_eq!(verify(&app, &second).await, ["token:INVALID"], "it is for another purpose");
    assert!(viewer(&app, &ada).await["data"]["viewer"].is_object());

    let rows = account_token::Entity::find()
        .filter(account_token::Column::Purpose.eq(TokenPurpose::ResetPassword))
        .all(app.app.db.reader())
        .await
        .unwrap();
    let hashed = |row: &account_token::Model| row.token_hash.len() == 64 && row.token_hash != second;
    assert!(rows.len() == 2 && rows.iter().all(hashed), "both are good, and hashes");
    ok(complete(&app, &second, OTHER).await);
    assert_eq!(errors(&complete(&app, &second, PASSWORD).await), ["token:NOT_FOUND"], "used");
    assert_eq!(errors(&complete(&app, &first, PASSWORD).await), ["token:NOT_FOUND"], "no longer needed");
    assert_eq!(errors(&complete(&app, "no such token", OTHER).await), ["token:NOT_FOUND"]);
    assert_eq!(errors(&complete(&app, "\u{0}", OTHER).await), ["token:NOT_FOUND"]);
    assert!(signs_in(&app, OTHER).await);
    assert_eq!(stored(&app, NotificationKind::AccountPasswordChanged).await, 1);
    app.finish().await;
}

/// Password reset: at most one mail a minute.
#[tokio::test]
async fn rule_a_reset_mails_one_link_a_minute() {
    let app = TestApp::start().await;
    register(&app, json!({})).await;
    let first = link(&app).await;
    app.advance(Duration::seconds(59));
    ok(begin(&app, "ada@example.com").await);
    assert_eq!(
        links(&app).await,
        std::slice::from_ref(&first),
        "no other mail, and the first link is in force"
    );
    app.advance(Duration::seconds(1));
    ok(begin(&app, "ada@example.com").await);
    let links = links(&app).await;
    assert!(links.len() == 2 && links[1] == first, "{links:?}");
    // Nobody takes away the link that its owner is about to open.
    ok(complete(&app, &first, OTHER).await);
    app.finish().await;
}

/// Password reset: three links are good at a time; a fourth is mailed when the first is over.
#[tokio::test]
async fn rule_three_reset_links_are_good_at_a_time() {
    let app = TestApp::start().await;
    register(&app, json!({})).await;
    for wanted in [1, 2, 3, 3] {
        ok(begin(&app, "ada@example.com").await);
        assert_eq!(links(&app).await.len(), wanted);
        app.advance(Duration::minutes(1));
    }
    app.advance(Duration::minutes(56));
    ok(begin(&app, "ada@example.com").await);
    assert_eq!(links(&app).await.len(), 4, "after an hour");
    app.finish().await;
}

/// Password: 8 to 128 characters, refused when among the common ones, when it is set anew as well.
#[tokio::test]
async fn rule_a_new_password_is_8_to_128_characters_and_not_common() {
    let app = TestApp::start().await;
    register(&app, json!({})).await;
    let long = "plum-ferry-anchor-42".repeat(7);
    let (edge, over) = (&long[..128], &long[..129]);
    let refused = [
        ("", "newPassword:REQUIRED"),
        ("v9kQzp2", "newPassword:TOO_SHORT"),
        (over, "newPassword:TOO_LONG"),
        ("password123", "newPassword:INVALID"),
        ("ada@example.com", "newPassword:INVALID"),
    ];
    let mut present = PASSWORD.to_owned();
    for new in ["v9kQzp2t", edge] {
        let token = link(&app).await;
        for (password, wrong) in refused {
            assert_eq!(errors(&complete(&app, &token, password).await), [wrong], "{password:?}");
        }
        assert!(signs_in(&app, &present).await);
        ok(complete(&app, &token, new).await);
        present = new.to_owned();
    }
    for new in ["v9kQzp2t", edge] {
        let access = access_token(&sign_in(&app, "ada@example.com", &present).await);
        for (password, wrong) in refused {
            assert_eq!(errors(&change(&app, &access, &present, password).await), [wrong], "{password:?}");
        }
        ok(change(&app, &access, &present, new).await);
        present = new.to_owned();
    }
    assert!(signs_in(&app, &present).await);
    app.finish().await;
}

#[tokio::test]
async fn of_two_who_use_one_link_at_once_one_wins() {
    let app = TestApp::start().await;
    register(&app, json!({})).await;
    let token = link(&app).await;
    let (one, other) = tokio::join!(complete(&app, &token, OTHER), complete(&app, &token, "v9kQzp2t"));
    let mut results = [errors(&one), errors(&other)];
    results.sort();
    assert_eq!(results, [vec![], vec!["token:NOT_FOUND".to_owned()]]);
    assert_eq!(signs_in(&app, OTHER).await, errors(&one).is_empty());
    assert_eq!(stored(&app, NotificationKind::AccountPasswordChanged).await, 1);
    app.finish().await;
}

#[tokio::test]
async fn changing_takes_the_present_password_and_ends_the_other_sessions() {
    let app = TestApp::start().await;
    let here = access_token(&register(&app, json!({})).await);
    let there = access_token(&sign_in(&app, "ada@example.com", PASSWORD).await);
    let eve = app.register("eve", "CLIENT").await;
    let link = link(&app).await;

    assert_eq!(errors(&change(&app, &here, "plum-ferry-anchor-43", OTHER).await), ["password:INVALID"]);
    assert_eq!(errors(&change(&app, &here, &"x".repeat(10_000), OTHER).await), ["password:INVALID"]);
    assert_unauthenticated(
        &app.gql("", CHANGE, json!({ "input": { "password": PASSWORD, "newPassword": OTHER } })).await,
    );
    assert!(viewer(&app, &there).await["data"]["viewer"].is_object(), "nothing was written");
    assert_eq!(stored(&app, NotificationKind::AccountPasswordChanged).await, 0);

    assert_eq!(ok(change(&app, &here, PASSWORD, OTHER).await)["user"]["email"], "Ada@Example.com");
    assert_unauthenticated(&viewer(&app, &there).await);
    assert!(viewer(&app, &here).await["data"]["viewer"].is_object(), "this one goes on");
    assert!(viewer(&app, &eve.token).await["data"]["viewer"].is_object(), "and everybody else's");
    assert!(!signs_in(&app, PASSWORD).await && signs_in(&app, OTHER).await);
    let old = complete(&app, &link, "v9kQzp2t").await;
    assert_eq!(errors(&old), ["token:NOT_FOUND"], "a link from before is good no more");
    // Twice within one moment of the clock are two changes.
    ok(change(&app, &here, OTHER, PASSWORD).await);
    assert_eq!(stored(&app, NotificationKind::AccountPasswordChanged).await, 2);
    app.finish().await;
}

#[tokio::test]
async fn a_link_that_was_sent_is_kept_nowhere() {
    let app = TestApp::start().await;
    register(&app, json!({})).await;
    let token = link(&app).await;
    let of_kind = mail::Column::Kind.eq(NotificationKind::AccountReset);
    let sent = mail::Entity::find().filter(of_kind).one(app.app.db.reader()).await.unwrap().unwrap();
    assert_eq!((sent.status, sent.html.as_str(), sent.text.as_str()), (MailStatus::Sent, "", ""));
    let told = "{ viewer { notifications(first: 100) { nodes { kind title body } } } }";
    let access = access_token(&sign_in(&app, "ada@example.com", PASSWORD).await);
    let told = app.gql(&access, told, json!({})).await;
    assert!(told.to_string().contains("ACCOUNT_RESET") && !told.to_string().contains(&token), "{told}");
    // A link for another password does not stand in the way of one that proves the address.
    app.advance(Duration::minutes(1));
    ok(begin(&app, "ada@example.com").await);
    let resend = app.gql(&access, super::RESEND, json!({})).await["data"]["accountVerifyResend"].clone();
    assert!(errors(&resend).is_empty(), "{resend}");
    app.finish().await;
}
