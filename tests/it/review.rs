//! Reviews: double-blind, between the parties of an ended contract.

use chrono::Duration;
use serde_json::{Value, json};

use crate::support::{Deal, Someone, TestApp, errors, new_key, ok, text};

const CREATE: &str = "mutation($input: ReviewCreateInput!) { reviewCreate(input: $input) {
    review { id rating scores { skill quality communication deadline cooperation } comment shownAt revealAt }
    userErrors { field code message } } }";
const UPDATE: &str = "mutation($input: ReviewUpdateInput!) { reviewUpdate(input: $input) {
    review { id rating comment } userErrors { field code message } } }";
const ANSWER: &str = "mutation($input: ReviewAnswerInput!) { reviewAnswer(input: $input) {
    review { answer answeredAt } userErrors { field code message } } }";

fn scores(all: f64) -> Value {
    json!({ "rating": all, "skill": all, "quality": all, "communication": all, "deadline": all, "cooperation": all })
}

fn words(deal: &Deal, rating: f64) -> Value {
    json!({ "contractId": deal.contract, "scores": scores(rating), "comment": "Good to work with." })
}

/// A contract whose only milestone was paid.
async fn done(app: &TestApp) -> Deal {
    let deal = app.deal(&[100]).await;
    app.submitted(&deal, &deal.milestones[0]).await;
    ok(app.approve(&deal, &deal.milestones[0], &new_key()).await);
    app.mine(10).await;
    app.mine(10).await;
    let status = app
        .gql(
            &deal.client.token,
            "query($id: ID!) { contract(id: $id) { status } }",
            json!({ "id": deal.contract }),
        )
        .await;
    assert_eq!(status["data"]["contract"]["status"], "COMPLETED", "{status}");
    deal
}

async fn review(app: &TestApp, by: &Someone, deal: &Deal, rating: f64) -> String {
    text(&ok(app.mutate(&by.token, CREATE, words(deal, rating)).await)["review"]["id"])
}

/// The reviews that somebody sees on the contract, by rating.
async fn on_contract(app: &TestApp, viewer: &Someone, deal: &Deal) -> Vec<f64> {
    let query = "query($id: ID!) { contract(id: $id) { reviews { rating } } }";
    let answer = app.gql(&viewer.token, query, json!({ "id": deal.contract })).await;
    let reviews = answer["data"]["contract"]["reviews"].as_array().unwrap_or_else(|| panic!("{answer}"));
    reviews.iter().map(|review| review["rating"].as_f64().unwrap()).collect()
}

/// How many reviews a profile shows to everybody.
async fn on_profile(app: &TestApp, of: &Someone) -> i64 {
    let query = "query($id: ID!) { user(id: $id) { reviews { totalCount } } }";
    let answer = app.gql("", query, json!({ "id": of.id })).await;
    answer["data"]["user"]["reviews"]["totalCount"].as_i64().unwrap_or_else(|| panic!("{answer}"))
}

async fn told(app: &TestApp, who: &Someone) -> usize {
    app.drain().await;
    app.mails(&who.email).iter().filter(|mail| mail.subject.contains("reviewed you")).count()
}

/// Review: shown when both are in (double-blind).
#[tokio::test]
async fn rule_reviews_are_shown_when_both_are_in() {
    let app = TestApp::start().await;
    let deal = done(&app).await;
    let first = review(&app, &deal.client, &deal, 4.5).await;
    // Its author sees it, nobody else, not even that it is there.
    assert_eq!(on_contract(&app, &deal.client, &deal).await, [4.5]);
    assert_eq!(on_contract(&app, &deal.freelancer, &deal).await, [0.0; 0]);
    assert_eq!((on_profile(&app, &deal.freelancer).await, told(&app, &deal.freelancer).await), (0, 0));
    let node = "query($id: ID!) { node(id: $id) { id } }";
    assert!(app.gql(&deal.freelancer.token, node, json!({ "id": first })).await["data"]["node"].is_null());
    let answer = json!({ "reviewId": first, "answer": "Thank you." });
    assert_eq!(errors(&app.mutate(&deal.freelancer.token, ANSWER, answer).await), ["reviewId:NOT_FOUND"]);

    review(&app, &deal.freelancer, &deal, 3.0).await;
    assert_eq!(on_contract(&app, &deal.freelancer, &deal).await, [4.5, 3.0]);
    assert_eq!(on_contract(&app, &deal.client, &deal).await, [4.5, 3.0]);
    assert_eq!((on_profile(&app, &deal.freelancer).await, on_profile(&app, &deal.client).await), (1, 1));
    assert_eq!((told(&app, &deal.freelancer).await, told(&app, &deal.client).await), (1, 1));
    assert!(app.gql("", node, json!({ "id": first })).await["data"]["node"].is_object());
    app.finish().await;
}

/// Review: shown after 14 days, when only one is in.
#[tokio::test]
async fn rule_reviews_are_shown_after_14_days() {
    let app = TestApp::start().await;
    let deal = done(&app).await;
    let query = "query($id: ID!) { contract(id: $id) { endedAt } }";
    let ended = app.gql(&deal.client.token, query, json!({ "id": deal.contract })).await;
    let ended: chrono::DateTime<chrono::Utc> = text(&ended["data"]["contract"]["endedAt"]).parse().unwrap();
    review(&app, &deal.client, &deal, 5.0).await;
    let left = ended + Duration::days(14) - app.app.clock.now();
    app.advance(left - Duration::microseconds(1));
    app.drain().await;
    assert_eq!(on_profile(&app, &deal.freelancer).await, 0);
    app.advance(Duration::microseconds(1));
    assert_eq!(domain::review::reveal_due(&app.app).await.unwrap(), 1);
    assert_eq!(domain::review::reveal_due(&app.app).await.unwrap(), 0);
    assert_eq!((on_profile(&app, &deal.freelancer).await, told(&app, &deal.freelancer).await), (1, 1));
    // Nobody answers a review that they have read with one of their own.
    let late = app.mutate(&deal.freelancer.token, CREATE, words(&deal, 1.0)).await;
    assert_eq!(errors(&late), ["contractId:EXPIRED"]);
    app.finish().await;
}

/// Review: the reveal is due by the clock alone.
#[tokio::test]
async fn the_scheduler_shows_what_is_due() {
    let app = TestApp::start().await;
    let deal = done(&app).await;
    review(&app, &deal.client, &deal, 5.0).await;
    app.advance(Duration::days(15));
    app.drain().await;
    assert_eq!(on_profile(&app, &deal.freelancer).await, 1);
    app.finish().await;
}

/// Review: 1.0-5.0 by 0.5, with scores for skill, quality, communication, deadline, cooperation.
#[tokio::test]
async fn rule_review_scores_are_1_to_5_by_half() {
    let app = TestApp::start().await;
    let deal = done(&app).await;
    for field in ["rating", "skill", "quality", "communication", "deadline", "cooperation"] {
        for bad in [0.0, 0.5, 0.9, 4.3, 4.75, 5.1, 5.5, -1.0, 45.0, 1e300] {
            let mut input = words(&deal, 4.0);
            input["scores"][field] = json!(bad);
            let payload = app.mutate(&deal.client.token, CREATE, input).await;
            assert_eq!(errors(&payload), [format!("scores.{field}:OUT_OF_RANGE")], "{bad}");
        }
    }
    let mut input = words(&deal, 1.0);
    input["scores"]["cooperation"] = json!(5.0);
    let payload = ok(app.mutate(&deal.client.token, CREATE, input).await);
    assert_eq!(payload["review"]["rating"], 1.0);
    assert_eq!(payload["review"]["scores"]["cooperation"], 5.0);
    let id = &payload["review"]["id"];
    for good in [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0] {
        let input = json!({ "reviewId": id, "scores": scores(good), "comment": "Good to work with." });
        assert_eq!(ok(app.mutate(&deal.client.token, UPDATE, input).await)["review"]["rating"], good);
    }
    app.finish().await;
}

/// Review: one a direction.
#[tokio::test(flavor = "multi_thread")]
async fn rule_one_review_a_direction_also_at_the_same_moment() {
    let app = TestApp::start().await;
    let deal = done(&app).await;
    let input = || words(&deal, 4.0);
    let (one, two) = tokio::join!(
        app.mutate(&deal.client.token, CREATE, input()),
        app.mutate(&deal.client.token, CREATE, input()),
    );
    let mut outcomes = [errors(&one), errors(&two)];
    outcomes.sort();
    assert_eq!(outcomes, [vec![], vec!["contractId:ILLEGAL_STATE".to_owned()]]);
    assert_eq!(on_contract(&app, &deal.client, &deal).await, [4.0]);
    app.finish().await;
}

/// Review: both sides at the same moment: both are in, and both are shown.
#[tokio::test(flavor = "multi_thread")]
async fn both_sides_at_the_same_moment_are_both_shown() {
    let app = TestApp::start().await;
    let deal = done(&app).await;
    let (one, two) = tokio::join!(
        app.mutate(&deal.client.token, CREATE, words(&deal, 4.0)),
        app.mutate(&deal.freelancer.token, CREATE, words(&deal, 2.0)),
    );
    assert_eq!((errors(&one).len(), errors(&two).len()), (0, 0));
    assert_eq!((on_profile(&app, &deal.freelancer).await, on_profile(&app, &deal.client).await), (1, 1));
    app.finish().await;
}

/// Review: between the parties of a COMPLETED or TERMINATED-after-payment contract.
#[tokio::test(flavor = "multi_thread")]
async fn rule_reviews_are_between_the_parties_of_an_ended_contract() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let early = app.mutate(&deal.client.token, CREATE, words(&deal, 4.0)).await;
    assert_eq!(errors(&early), ["contractId:ILLEGAL_STATE"]);
    assert!(text(&early["userErrors"][0]["message"]).contains("ACTIVE"), "{early}");
    let olga = app.client("olga").await;
    assert_eq!(errors(&app.mutate(&olga.token, CREATE, words(&deal, 4.0)).await), ["contractId:NOT_FOUND"]);
    let end = "mutation($input: ContractTerminateInput!) { contractTerminate(input: $input) {
        contract { status } userErrors { field code message } } }";
    let input = json!({ "contractId": deal.contract, "reason": "We changed our minds." });
    ok(app.mutate(&deal.client.token, end, input).await);
    let unpaid = app.mutate(&deal.client.token, CREATE, words(&deal, 4.0)).await;
    assert_eq!(errors(&unpaid), ["contractId:ILLEGAL_STATE"]);

    let paid = app.deal_of("clio", "frank", &[30, 70]).await;
    app.paid(&paid, &paid.milestones[0]).await;
    let input = json!({ "contractId": paid.contract, "reason": "The rest can wait." });
    ok(app.mutate(&paid.client.token, end, input).await);
    for person in [&paid.client, &paid.freelancer] {
        ok(app.mutate(&person.token, CREATE, words(&paid, 4.0)).await);
    }
    app.finish().await;
}

/// Review: editable until shown; one public answer.
#[tokio::test]
async fn rule_a_review_is_editable_until_shown_and_answered_once() {
    let app = TestApp::start().await;
    let deal = done(&app).await;
    let id = review(&app, &deal.client, &deal, 4.0).await;
    let change =
        |rating: f64| json!({ "reviewId": id, "scores": scores(rating), "comment": "Changed my mind." });
    ok(app.mutate(&deal.client.token, UPDATE, change(2.0)).await);
    assert_eq!(
        errors(&app.mutate(&deal.freelancer.token, UPDATE, change(5.0)).await),
        ["reviewId:NOT_FOUND"]
    );
    review(&app, &deal.freelancer, &deal, 5.0).await;
    assert_eq!(
        errors(&app.mutate(&deal.client.token, UPDATE, change(1.0)).await),
        ["reviewId:ILLEGAL_STATE"]
    );
    assert_eq!(on_contract(&app, &deal.client, &deal).await, [2.0, 5.0]);

    let reply = |text: &str| json!({ "reviewId": id, "answer": text });
    assert_eq!(
        errors(&app.mutate(&deal.client.token, ANSWER, reply("Me again.")).await),
        ["reviewId:NOT_FOUND"]
    );
    let thanks = ok(app.mutate(&deal.freelancer.token, ANSWER, reply("Thank you.")).await);
    assert_eq!(thanks["review"]["answer"], "Thank you.");
    assert_eq!(
        errors(&app.mutate(&deal.freelancer.token, ANSWER, reply("And more.")).await),
        ["reviewId:ILLEGAL_STATE"]
    );
    app.finish().await;
}

/// A profile's rating is the mean of what is shown, and lists count it.
#[tokio::test]
async fn a_rating_is_the_mean_of_what_is_shown() {
    use domain::entities::{UserId, user};
    use sea_orm::EntityTrait;
    let app = TestApp::start().await;
    let deal = done(&app).await;
    review(&app, &deal.client, &deal, 4.5).await;
    review(&app, &deal.freelancer, &deal, 1.5).await;
    let row = |someone: &Someone| {
        let id: UserId = someone.id.parse().unwrap();
        user::Entity::find_by_id(id).one(app.app.db.reader())
    };
    let (freelancer, client) = (row(&deal.freelancer).await.unwrap(), row(&deal.client).await.unwrap());
    assert_eq!(freelancer.map(|row| (row.rating, row.review_count)), Some((450, 1)));
    assert_eq!(client.map(|row| (row.rating, row.review_count)), Some((150, 1)));
    app.finish().await;
}
