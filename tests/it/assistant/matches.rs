//! Matches in the order of what their texts mean.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{
    DESCRIPTION, by_meaning, by_score, listen, market, matches,
    model::{Model, Mood},
    posts, says,
};
use crate::support::{ASSISTANT_KEY, TestApp};

/// Match: with an assistant the best 30 by score are ranked by what their texts mean, without it by score.
#[tokio::test]
async fn rule_match_is_ranked_by_meaning_where_there_is_an_assistant() {
    let plain = TestApp::start().await;
    let without = market(&plain).await;
    assert_eq!(matches(&plain, &without.client, &without.project).await, by_score(&without));
    plain.finish().await;

    let (model, url) = Model::start().await;
    let app = TestApp::start_with_assistant(&url).await;
    let market = market(&app).await;
    assert_eq!(matches(&app, &market.client, &market.project).await, by_meaning(&market));
    let asked = model.asked();
    assert_eq!(asked.len(), 1, "{asked:#?}");
    assert_eq!(
        (asked[0].path.as_str(), &asked[0].body["model"]),
        ("/v1/embeddings", &json!("test-embedding"))
    );
    assert_eq!(asked[0].authorization, format!("Bearer {ASSISTANT_KEY}"));
    // What everybody may read, and of that no address: neither names nor who it is.
    assert_eq!(asked[0].body["input"].as_array().unwrap().len(), 3);
    let sent = asked[0].body.to_string();
    assert!(sent.contains("I grow plants. Write to") && sent.contains(DESCRIPTION), "{sent}");
    for private in ["@", "leopold", "barnabas", "carla", "usr_", "prj_"] {
        assert!(!sent.contains(private), "{private} in {sent}");
    }

    // A text means the same the next time, and only what is new is asked.
    assert_eq!(matches(&app, &market.client, &market.project).await, by_meaning(&market));
    assert!(model.asked().is_empty());
    says(&app, &market.silent, Some("A shop for plants is my dream."), 0).await;
    let found = matches(&app, &market.client, &market.project).await;
    assert_eq!((&found[0].0, &found[0].1), (&market.silent.id, &json!(1.0)));
    let asked = model.asked();
    assert_eq!(asked[0].body["input"], json!(["A shop for plants is my dream."]));

    // The other way round: the projects of a freelancer.
    let other =
        posts(&app, &market.client, "The ledger of a company has to be kept by somebody.", true).await;
    let query = "query($id: ID!) { user(id: $id) { matches { project { id } similarity rankedBy } } }";
    let answer = app.gql(&market.best.token, query, json!({ "id": market.best.id })).await;
    let expected = json!([
        { "project": { "id": other }, "similarity": 0.707, "rankedBy": "SEMANTIC" },
        { "project": { "id": market.project }, "similarity": 0.5, "rankedBy": "SEMANTIC" },
    ]);
    assert_eq!(answer["data"]["user"]["matches"], expected, "{answer:#}");
    app.finish().await;
}

#[tokio::test]
async fn what_nobody_has_read_yet_is_not_sent() {
    let (model, url) = Model::start().await;
    let app = TestApp::start_with_assistant(&url).await;
    let market = market(&app).await;
    let draft = posts(&app, &market.client, DESCRIPTION, false).await;
    assert_eq!(matches(&app, &market.client, &draft).await, by_score(&market));
    let sent = format!("{:?}", model.asked());
    assert!(!sent.contains(DESCRIPTION), "{sent}");
    app.finish().await;
}

#[tokio::test]
async fn an_assistant_that_fails_changes_nothing_but_the_order() {
    let (model, url) = Model::start().await;
    let app = TestApp::start_with_assistant(&url).await;
    let market = market(&app).await;
    let (log, _listening) = listen();
    let moods = [
        Mood::Status(429),
        Mood::Status(500),
        Mood::Status(401),
        Mood::Status(307),
        Mood::Garbage,
        Mood::TooFew,
        Mood::Uneven,
        Mood::Slow,
    ];
    for (number, mood) in moods.into_iter().enumerate() {
        model.is(mood);
        // A new text, so that there is something to ask.
        let bio = format!("I grow plants, for the {number}th time.");
        says(&app, &market.likest, Some(&bio), 0).await;
        let begun = Instant::now();
        assert_eq!(matches(&app, &market.client, &market.project).await, by_score(&market), "{mood:?}");
        assert!(begun.elapsed() < Duration::from_secs(9), "{mood:?} took {:?}", begun.elapsed());
        assert!(!model.asked().is_empty(), "{mood:?}");
        // Well again each time: it fails often, and never often in a row.
        model.is(Mood::Well);
        assert_eq!(matches(&app, &market.client, &market.project).await, by_meaning(&market), "{mood:?}");
        model.asked();
    }
    let log = log.text();
    for said in [
        "assistant: HTTP 429 Too Many Requests",
        "assistant refused: HTTP 401 Unauthorized",
        "assistant: no answer within 3s",
    ] {
        assert!(log.lines().any(|line| line.contains("WARN") && line.contains(said)), "{said} is not logged");
    }
    assert!(!log.contains(ASSISTANT_KEY), "the key is logged");
    app.finish().await;
}
