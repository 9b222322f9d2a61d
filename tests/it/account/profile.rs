//! The profile: what one says of oneself, and what of it is private.

use domain::{account, entities::Role};
use serde_json::json;

use super::{PROFILE, access_token, add_skill, assert_unauthenticated, register};
use crate::support::{TestApp, errors};

#[tokio::test]
async fn a_profile_changes_field_by_field() {
    let app = TestApp::start().await;
    let (rust, sql) = (add_skill(&app, "Rust").await, add_skill(&app, "SQL").await);
    let ada = access_token(&register(&app, json!({})).await);
    let full = json!({
        "headline": " Engines ", "bio": "I compute.", "location": "London", "timeZone": "Europe/London",
        "hourlyRate": {"amount": "80.50"},
        "skills": [{"skillId": sql, "proficiency": 3, "years": 2}, {"skillId": rust, "proficiency": 5, "years": 9}]
    });
    assert_eq!(
        app.mutate(&ada, PROFILE, full).await["user"],
        json!({
            "headline": "Engines", "bio": "I compute.", "location": "London", "timeZone": "Europe/London",
            "hourlyRate": {"amount": "80.50"},
            "skills": [
                {"skill": {"name": "Rust"}, "proficiency": 5, "years": 9},
                {"skill": {"name": "SQL"}, "proficiency": 3, "years": 2}
            ]
        })
    );
    let partly = json!({"bio": null, "skills": [{"skillId": sql, "proficiency": 4, "years": 3}]});
    assert_eq!(
        app.mutate(&ada, PROFILE, partly).await["user"],
        json!({
            "headline": "Engines", "bio": null, "location": "London", "timeZone": "Europe/London",
            "hourlyRate": {"amount": "80.50"},
            "skills": [{"skill": {"name": "SQL"}, "proficiency": 4, "years": 3}]
        })
    );
    app.finish().await;
}

#[tokio::test]
async fn a_bad_profile_changes_nothing() {
    let app = TestApp::start().await;
    let ada = access_token(&register(&app, json!({})).await);
    let level = |skill: &str, proficiency: i32, years: i32| json!({"skillId": skill, "proficiency": proficiency, "years": years});
    for (input, error) in [
        (json!({"headline": "one\ntwo"}), "headline:INVALID"),
        (json!({"location": "Lon\u{7}don"}), "location:INVALID"),
        (json!({"bio": "a\u{0}b"}), "bio:INVALID"),
        (json!({"timeZone": "Europe/Atlantis"}), "timeZone:INVALID"),
        (json!({"hourlyRate": {"amount": "0.99"}}), "hourlyRate:OUT_OF_RANGE"),
        (json!({"hourlyRate": {"amount": "1000.01"}}), "hourlyRate:OUT_OF_RANGE"),
        (json!({"hourlyRate": {"amount": "a lot"}}), "hourlyRate.amount:INVALID"),
        (json!({"skills": [level("usr_1", 1, 1)]}), "skills.0.skillId:INVALID_ID"),
        (
            json!({"bio": "new", "skills": [level("skl_00000000000000000000000000000000", 1, 1)]}),
            "skills.0.skillId:NOT_FOUND",
        ),
    ] {
        assert_eq!(errors(&app.mutate(&ada, PROFILE, input.clone()).await), [error], "{input}");
    }
    let after = app.mutate(&ada, PROFILE, json!({})).await["user"].clone();
    assert!(after["bio"].is_null() && after["skills"] == json!([]), "{after}");

    let client = app.register("bob", "CLIENT").await.token;
    let rate = json!({"hourlyRate": {"amount": "10"}});
    assert_eq!(errors(&app.mutate(&client, PROFILE, rate).await), ["hourlyRate:FORBIDDEN"]);
    assert_unauthenticated(&app.gql("", PROFILE, json!({"input": {"bio": "x"}})).await);
    app.finish().await;
}

#[tokio::test]
async fn what_is_private_shows_to_oneself_and_to_admins() {
    let app = TestApp::start().await;
    let ada = register(&app, json!({})).await;
    let (eve, root) = (app.register("eve", "CLIENT").await, app.register("root", "CLIENT").await);
    let admin = account::grant_admin(&app.app, " ROOT@example.com").await.expect("granted");
    assert_eq!(admin.role, Role::Admin);
    assert!(account::grant_admin(&app.app, "nobody@example.com").await.is_err());

    let query = "query($id: ID!) { user(id: $id) { displayName email wallets { address }
        payments { totalCount } ledger { totalCount } } }";
    let id = json!({"id": ada["user"]["id"]});
    let own = access_token(&ada);
    for (who, sees) in
        [("", false), (eve.token.as_str(), false), (own.as_str(), true), (root.token.as_str(), true)]
    {
        let user = app.gql(who, query, id.clone()).await["data"]["user"].clone();
        assert_eq!(user["displayName"], "Ada", "{user}");
        for private in ["email", "wallets", "payments", "ledger"] {
            assert_eq!(!user[private].is_null(), sees, "{private}: {user}");
        }
    }
    let nobody = json!({"id": "usr_00000000000000000000000000000000"});
    assert!(app.gql("", query, nobody).await["data"]["user"].is_null());
    app.finish().await;
}
