//! An assistant that fails rests, for all processes; meanwhile it is not asked and nobody waits for it.

use std::time::Instant;

use chrono::Duration;
use serde_json::json;

use super::{
    Market, by_meaning, by_score, description, draft, market, matches,
    model::{Model, Mood},
    ranked, says,
};
use crate::support::{TestApp, errors, ok, text};

/// So many failures in a row, and it rests.
const FAILURES: usize = 5;

/// Matches by score, as often as it takes to make the assistant rest.
async fn until_it_rests(app: &TestApp, model: &Model, market: &Market) {
    model.is(Mood::Status(503));
    for number in 0..FAILURES {
        assert_eq!(matches(app, &market.client, &market.project).await, by_score(market));
        assert_eq!(model.asked().len(), 1, "the question {number}");
    }
}

#[tokio::test]
async fn matches_go_by_score_at_once_while_the_assistant_rests() {
    let (model, url) = Model::start().await;
    let app = TestApp::start_with_assistant(&url).await;
    let market = market(&app).await;
    until_it_rests(&app, &model, &market).await;

    // It would take ten seconds, and another process shares the rest.
    model.is(Mood::Slow);
    let other = app.another_process().await;
    let begun = Instant::now();
    assert_eq!(matches(&app, &market.client, &market.project).await, by_score(&market));
    assert_eq!(ranked(&other, &market.client, &market.project).await, by_score(&market));
    app.advance(Duration::seconds(59));
    assert_eq!(matches(&app, &market.client, &market.project).await, by_score(&market));
    assert!(begun.elapsed() < std::time::Duration::from_secs(2), "it took {:?}", begun.elapsed());
    assert!(model.asked().is_empty());

    // Of what is remembered nobody has to be asked: nothing was.
    model.is(Mood::Well);
    app.advance(Duration::seconds(1));
    assert_eq!(matches(&app, &market.client, &market.project).await, by_meaning(&market));
    assert_eq!(model.asked().len(), 1);
    // It is well, so that four failures are no reason to rest.
    model.is(Mood::Status(500));
    for number in 1..FAILURES {
        says(&app, &market.silent, Some(&format!("For the {number}th time.")), 0).await;
        assert_eq!(matches(&app, &market.client, &market.project).await, by_score(&market));
        assert_eq!(model.asked().len(), 1);
    }
    model.is(Mood::Well);
    matches(&app, &market.client, &market.project).await;
    assert_eq!(model.asked().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn each_rest_is_twice_as_long_up_to_an_hour() {
    let (model, url) = Model::start().await;
    let app = TestApp::start_with_assistant(&url).await;
    let market = market(&app).await;
    until_it_rests(&app, &model, &market).await;
    for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
        app.advance(Duration::minutes(minutes) - Duration::seconds(1));
        assert_eq!(matches(&app, &market.client, &market.project).await, by_score(&market));
        assert!(model.asked().is_empty(), "asked before {minutes} minutes were over");
        app.advance(Duration::seconds(1));
        assert_eq!(matches(&app, &market.client, &market.project).await, by_score(&market));
        assert_eq!(model.asked().len(), 1, "not asked after {minutes} minutes");
    }
    // One answer, and the next rest is the first one again.
    model.is(Mood::Well);
    app.advance(Duration::hours(1));
    assert_eq!(matches(&app, &market.client, &market.project).await, by_meaning(&market));
    model.asked();
    says(&app, &market.likest, Some("I grow plants, and more of them."), 0).await;
    until_it_rests(&app, &model, &market).await;
    app.advance(Duration::minutes(1));
    model.is(Mood::Well);
    assert_eq!(matches(&app, &market.client, &market.project).await, by_meaning(&market));
    app.finish().await;
}

#[tokio::test]
async fn after_a_rest_one_tries_and_nobody_else_waits() {
    let (model, url) = Model::start().await;
    let app = TestApp::start_with_assistant(&url).await;
    let market = market(&app).await;
    until_it_rests(&app, &model, &market).await;
    app.advance(Duration::minutes(1));
    model.is(Mood::Slow);
    let begun = Instant::now();
    let timed = async || {
        let found = matches(&app, &market.client, &market.project).await;
        (found, begun.elapsed())
    };
    let (one, other) = tokio::join!(timed(), timed());
    assert_eq!((&one.0, &other.0), (&by_score(&market), &by_score(&market)));
    assert_eq!(model.asked().len(), 1, "only one tries");
    assert!(
        one.1.min(other.1) < std::time::Duration::from_secs(2),
        "the other waited: {:?}, {:?}",
        one.1,
        other.1
    );
    app.finish().await;
}

#[tokio::test]
async fn a_draft_says_when_the_assistant_is_asked_again() {
    let (model, url) = Model::start().await;
    let app = TestApp::start_with_assistant(&url).await;
    let market = market(&app).await;
    model.is(Mood::Status(500));
    for _ in 0..FAILURES {
        let payload = draft(&app, &market.client, description("A shop.")).await;
        assert_eq!(errors(&payload), [":ILLEGAL_STATE"]);
    }
    assert_eq!(model.asked().len(), FAILURES);
    model.is(Mood::Well);
    let until = app.app.clock.now() + Duration::minutes(1);
    let until = format!("Try again after {}", until.format("%Y-%m-%d %H:%M:%S UTC"));
    let payload = draft(&app, &market.client, description("A shop.")).await;
    assert_eq!((errors(&payload), &payload["draft"]), (vec![":ILLEGAL_STATE".to_owned()], &json!(null)));
    let message = text(&payload["userErrors"][0]["message"]);
    assert!(message.contains("rests") && message.contains(&until), "{message}");
    assert!(model.asked().is_empty());

    // Embeddings are another service of it: it has not failed.
    assert_eq!(matches(&app, &market.client, &market.project).await, by_meaning(&market));
    app.advance(Duration::minutes(1));
    assert_eq!(ok(draft(&app, &market.client, description("A shop.")).await)["draft"], "Dear all");
    app.finish().await;
}

/// What one person writes must not take the assistant away from all others.
#[tokio::test]
async fn what_is_declined_is_no_failure() {
    let (model, url) = Model::start().await;
    let app = TestApp::start_with_assistant(&url).await;
    let client = app.client("carla").await;
    for mood in [Mood::Declines, Mood::Status(400), Mood::Status(413), Mood::Status(422)] {
        model.is(mood);
        for _ in 0..=FAILURES {
            let payload = draft(&app, &client, description("Something nasty.")).await;
            assert_eq!(errors(&payload), [":ILLEGAL_STATE"], "{mood:?}");
            assert!(text(&payload["userErrors"][0]["message"]).contains("would not write this"), "{payload}");
            assert_eq!(model.asked().len(), 1, "{mood:?}");
        }
    }
    app.finish().await;
}
