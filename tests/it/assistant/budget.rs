//! What the assistant is asked a day, by all processes together.

use chrono::{Duration, DurationRound};
use domain::{entities::assistant_share, settings::AssistantBudget};
use futures::future::join_all;
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::json;

use super::{
    by_meaning, by_score, description, draft, drafted, market, matches,
    model::{Model, Mood},
    says,
};
use crate::support::{TestApp, errors, ok, text};

async fn start(url: &str, embeddings: u32, drafts: u32) -> TestApp {
    TestApp::start_with_assistant_and(url, |settings| {
        settings.assistant_budget = AssistantBudget { embeddings, drafts };
    })
    .await
}

#[tokio::test]
async fn drafts_of_a_day_end_with_their_budget_until_midnight() {
    let (model, url) = Model::start().await;
    let app = start(&url, 100, 3).await;
    let (client, another) = (app.client("carla").await, app.client("cyril").await);
    ok(draft(&app, &client, description("A shop.")).await);
    ok(draft(&app, &another, description("A shop.")).await);
    // One that fails may have cost as much.
    model.is(Mood::Garbage);
    assert_eq!(errors(&draft(&app, &another, description("A shop.")).await), [":ILLEGAL_STATE"]);
    model.is(Mood::Well);
    assert_eq!(model.asked().len(), 3);

    let midnight = (app.app.clock.now() + Duration::days(1)).duration_trunc(Duration::days(1)).unwrap();
    let until = format!("Try again after {}", midnight.format("%Y-%m-%d %H:%M:%S UTC"));
    let other_process = app.another_process().await;
    let refused = [
        draft(&app, &client, description("A shop.")).await,
        drafted(&other_process, &another, description("A shop.")).await,
    ];
    for payload in refused {
        assert_eq!((errors(&payload), &payload["draft"]), (vec![":LIMIT_REACHED".to_owned()], &json!(null)));
        assert!(text(&payload["userErrors"][0]["message"]).contains(&until), "{payload}");
    }
    app.advance(midnight - app.app.clock.now() - Duration::seconds(1));
    assert_eq!(errors(&draft(&app, &client, description("A shop.")).await), [":LIMIT_REACHED"]);
    assert!(model.asked().is_empty());
    app.advance(Duration::seconds(1));
    ok(draft(&app, &client, description("A shop.")).await);
    app.finish().await;
}

#[tokio::test]
async fn many_at_once_in_two_processes_get_no_more_drafts_than_there_are() {
    let (model, url) = Model::start().await;
    let app = start(&url, 100, 4).await;
    let client = app.client("carla").await;
    let processes = [app.router.clone(), app.another_process().await];
    let all = (0..20).map(|number| drafted(&processes[number % 2], &client, description("A shop.")));
    let payloads = join_all(all).await;
    let written = payloads.iter().filter(|payload| payload["draft"].is_string()).count();
    let refused = payloads.iter().filter(|payload| errors(payload) == [":LIMIT_REACHED"]).count();
    assert_eq!((written, refused, model.asked().len()), (4, 16, 4), "{payloads:#?}");
    app.finish().await;
}

#[tokio::test]
async fn beyond_the_budget_matches_go_by_score_and_by_what_is_remembered() {
    let (model, url) = Model::start().await;
    // Three of the market's texts, and one more.
    let app = start(&url, 4, 100).await;
    let market = market(&app).await;
    assert_eq!(matches(&app, &market.client, &market.project).await, by_meaning(&market));
    says(&app, &market.silent, Some("I say nothing."), 0).await;
    assert_eq!(matches(&app, &market.client, &market.project).await[0].2, "SEMANTIC");
    assert_eq!(model.asked().len(), 2);

    // There is room for none.
    says(&app, &market.silent, Some("I have said too much."), 0).await;
    assert_eq!(matches(&app, &market.client, &market.project).await, by_score(&market));
    says(&app, &market.silent, None, 0).await;
    assert_eq!(matches(&app, &market.client, &market.project).await, by_meaning(&market));
    assert!(model.asked().is_empty());
    // Drafts have a budget of their own.
    ok(draft(&app, &market.client, description("A shop.")).await);
    model.asked();

    app.advance(Duration::days(1));
    says(&app, &market.silent, Some("I have said too much."), 0).await;
    assert_eq!(matches(&app, &market.client, &market.project).await[0].2, "SEMANTIC");
    assert_eq!(model.asked().len(), 1);
    app.finish().await;
}

/// One person uses up what is theirs of it, and nothing of the others'.
#[tokio::test]
async fn of_what_is_compared_one_person_has_a_share() {
    let (model, url) = Model::start().await;
    // A tenth would be less than the 256 texts that one page may need.
    let app = start(&url, 1_000, 100).await;
    let (market, admin) = (market(&app).await, app.admin().await);
    let midnight = (app.app.clock.now() + Duration::days(1)).duration_trunc(Duration::days(1)).unwrap();
    let nearly = assistant_share::ActiveModel {
        user_id: Set(market.client.id.parse().unwrap()),
        used: Set(254),
        resets_at: Set(midnight),
    };
    nearly.insert(app.app.db.writer()).await.unwrap();
    // Three texts are one too many.
    assert_eq!(matches(&app, &market.client, &market.project).await, by_score(&market));
    assert!(model.asked().is_empty());
    assert_eq!(matches(&app, &admin, &market.project).await, by_meaning(&market));
    assert_eq!(model.asked().len(), 1);
    // What is remembered costs nothing.
    assert_eq!(matches(&app, &market.client, &market.project).await, by_meaning(&market));
    for (number, by) in [(1, "SEMANTIC"), (2, "SEMANTIC"), (3, "SCORE")] {
        says(&app, &market.silent, Some(&format!("I say nothing for the {number}th time.")), 0).await;
        assert_eq!(matches(&app, &market.client, &market.project).await[0].2, by, "{number}");
        assert_eq!(model.asked().len(), usize::from(by == "SEMANTIC"), "{number}");
    }
    app.advance(midnight - app.app.clock.now());
    assert_eq!(matches(&app, &market.client, &market.project).await[0].2, "SEMANTIC");
    assert_eq!(model.asked().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_budget_of_nothing_is_none() {
    let (model, url) = Model::start().await;
    let app = start(&url, 0, 0).await;
    let market = market(&app).await;
    assert_eq!(matches(&app, &market.client, &market.project).await, by_score(&market));
    let payload = draft(&app, &market.client, description("A shop.")).await;
    assert_eq!(errors(&payload), [":NOT_CONFIGURED"]);
    assert!(text(&payload["userErrors"][0]["message"]).contains("OPENAI_DAILY_DRAFTS"), "{payload}");
    assert!(model.asked().is_empty());
    app.finish().await;
}
