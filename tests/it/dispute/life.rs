//! From its opening to its end, as its parties see it.

use chrono::{DateTime, Duration, Utc};
use domain::entities::{DisputeId, dispute};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};

use super::{WHY, call, look, open, paid_out, simply, states, taken};
use crate::{
    market::told,
    support::{TestApp, errors, new_key, ok, text},
    upload::{File, get, look as look_at_upload, ready},
};

/// Dispute: description >=10.
#[tokio::test(flavor = "multi_thread")]
async fn rule_dispute_description_has_at_least_10_characters() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let milestone = &deal.milestones[0];
    app.funded(&deal, milestone).await;
    let describe = async |length: usize| {
        let input = json!({ "milestoneId": milestone, "kind": "SCOPE", "description": "x".repeat(length) });
        call(&app, &deal.client, "disputeOpen", input).await
    };
    assert_eq!(errors(&describe(9).await), ["description:TOO_SHORT"]);
    assert_eq!(errors(&describe(5_001).await), ["description:TOO_LONG"]);
    for length in [10, 5_000] {
        let dispute = ok(describe(length).await)["dispute"].clone();
        assert_eq!(text(&dispute["description"]).len(), length);
        ok(simply(&app, &deal.client, "disputeWithdraw", &text(&dispute["id"])).await);
    }
    app.finish().await;
}

/// Dispute: 7 kinds (QUALITY, DEADLINE, PAYMENT, SCOPE, COMMUNICATION, FRAUD, OTHER).
#[tokio::test(flavor = "multi_thread")]
async fn rule_dispute_has_seven_kinds() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    app.funded(&deal, &deal.milestones[0]).await;
    for kind in ["QUALITY", "DEADLINE", "PAYMENT", "SCOPE", "COMMUNICATION", "FRAUD", "OTHER"] {
        let input = json!({ "milestoneId": deal.milestones[0], "kind": kind, "description": WHY });
        let dispute = ok(call(&app, &deal.freelancer, "disputeOpen", input).await)["dispute"].clone();
        assert_eq!((&dispute["kind"], &dispute["status"]), (&json!(kind), &json!("OPEN")));
        ok(simply(&app, &deal.freelancer, "disputeWithdraw", &text(&dispute["id"])).await);
    }
    let query = "mutation($input: DisputeOpenInput!) { disputeOpen(input: $input) { userErrors { code } } }";
    let input = json!({ "milestoneId": deal.milestones[0], "kind": "NOISE", "description": WHY });
    let answer = app.gql(&deal.client.token, query, json!({ "input": input })).await;
    assert!(answer["errors"][0]["message"].as_str().is_some_and(|m| m.contains("NOISE")), "{answer}");
    app.finish().await;
}

/// Dispute: one open a contract.
#[tokio::test(flavor = "multi_thread")]
async fn rule_dispute_is_one_open_a_contract() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 50]).await;
    for milestone in &deal.milestones {
        app.funded(&deal, milestone).await;
    }
    let first = text(&ok(open(&app, &deal.client, &deal.milestones[0]).await)["dispute"]["id"]);
    for milestone in &deal.milestones {
        let second = open(&app, &deal.freelancer, milestone).await;
        assert_eq!(errors(&second), ["milestoneId:ILLEGAL_STATE"]);
        let message = text(&second["userErrors"][0]["message"]);
        assert_eq!(message, "The contract is DISPUTED; it cannot become DISPUTED from there.");
    }
    // The database refuses it too, whoever asks.
    let id: DisputeId = first.parse().unwrap();
    let row = dispute::Entity::find_by_id(id).one(app.app.db.reader()).await.unwrap().unwrap();
    let mut twin = row.into_active_model().reset_all();
    twin.id = Set(app.app.clock.new_id());
    assert!(twin.insert(app.app.db.writer()).await.is_err());

    ok(simply(&app, &deal.client, "disputeWithdraw", &first).await);
    let second = text(&ok(open(&app, &deal.freelancer, &deal.milestones[1]).await)["dispute"]["id"]);
    let query = "query($id: ID!) { contract(id: $id) { dispute { id } disputes { totalCount nodes { id status } } } }";
    let seen = app.gql(&deal.client.token, query, json!({ "id": deal.contract })).await;
    assert_eq!(
        seen["data"]["contract"],
        json!({ "dispute": { "id": second }, "disputes": { "totalCount": 2, "nodes": [
            { "id": second, "status": "OPEN" }, { "id": first, "status": "WITHDRAWN" } ] } })
    );
    app.finish().await;
}

/// Dispute: It freezes the milestone at once.
#[tokio::test(flavor = "multi_thread")]
async fn rule_dispute_freezes_the_milestone_at_once() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 50]).await;
    // What is not yet funded cannot be disputed.
    assert_eq!(errors(&open(&app, &deal.client, &deal.milestones[1]).await), ["milestoneId:ILLEGAL_STATE"]);
    let milestone = &deal.milestones[0];
    app.submitted(&deal, milestone).await;
    let dispute = ok(open(&app, &deal.client, milestone).await)["dispute"].clone();
    assert_eq!(dispute["milestone"], json!({ "id": milestone, "status": "DISPUTED", "autoReleaseAt": null }));
    assert_eq!(states(&app, &deal).await, ("DISPUTED".to_owned(), vec!["DISPUTED".into(), "PENDING".into()]));

    let submit = "mutation($input: MilestoneSubmitInput!) { milestoneSubmit(input: $input) {
        userErrors { field code message } } }";
    let note = json!({ "milestoneId": milestone, "note": "Once more." });
    let change = "mutation($input: MilestoneRequestChangesInput!) { milestoneRequestChanges(input: $input) {
        userErrors { field code message } } }";
    let feedback = json!({ "milestoneId": milestone, "feedback": "More." });
    let refused = [
        app.mutate(&deal.freelancer.token, submit, note).await,
        app.mutate(&deal.client.token, change, feedback).await,
        app.approve(&deal, milestone, &new_key()).await,
        app.refund(&deal, milestone, None, &new_key()).await,
        app.fund(&deal, &deal.milestones[1], &new_key()).await,
    ];
    for payload in &refused {
        assert_eq!(errors(payload), ["milestoneId:ILLEGAL_STATE"], "{payload}");
    }
    app.finish().await;
}

/// Milestone: Submitted and unanswered for 14 days: released automatically; a dispute stops it.
#[tokio::test(flavor = "multi_thread")]
async fn rule_dispute_stops_the_automatic_release() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let milestone = &deal.milestones[0];
    app.submitted(&deal, milestone).await;
    app.advance(Duration::days(10));
    let dispute = text(&ok(open(&app, &deal.freelancer, milestone).await)["dispute"]["id"]);
    app.advance(Duration::days(4) - Duration::seconds(1));
    app.drain().await;
    assert_eq!(app.status_of(&deal, milestone).await, "DISPUTED");
    app.advance(Duration::seconds(2));
    app.drain().await;
    assert_eq!(app.status_of(&deal, milestone).await, "DISPUTED");

    // Withdrawn, it has the time that was left, however long the dispute took.
    app.advance(Duration::days(20));
    let withdrawn = ok(simply(&app, &deal.freelancer, "disputeWithdraw", &dispute).await);
    let milestone = &withdrawn["dispute"]["milestone"];
    assert_eq!(milestone["status"], "SUBMITTED");
    let releases: DateTime<Utc> = text(&milestone["autoReleaseAt"]).parse().unwrap();
    // Minutes went by while it was funded: to the second it is what stood there before.
    let left = releases - app.app.clock.now();
    assert_eq!(left, Duration::days(4));
    // A second before it is over nothing has happened; then it is released.
    let milestone = &deal.milestones[0];
    app.advance(Duration::days(4) - Duration::seconds(1));
    app.drain().await;
    assert_eq!(app.status_of(&deal, milestone).await, "SUBMITTED");
    app.advance(Duration::minutes(10));
    paid_out(&app).await;
    assert_eq!(app.status_of(&deal, milestone).await, "PAID");
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 90_000_000);
    app.finish().await;
}

/// Where it was, it goes back to; who opened it, and only they, withdraw it.
#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_dispute_leaves_everything_where_it_was() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let (admin, milestone) = (app.admin().await, &deal.milestones[0]);
    app.funded(&deal, milestone).await;
    let dispute = taken(&app, &deal, &admin, milestone).await;
    let other = simply(&app, &deal.freelancer, "disputeWithdraw", &dispute).await;
    assert_eq!(errors(&other), [":FORBIDDEN"]);
    let withdrawn = ok(simply(&app, &deal.client, "disputeWithdraw", &dispute).await);
    assert_eq!(withdrawn["dispute"]["status"], "WITHDRAWN");
    assert!(withdrawn["dispute"]["endedAt"].is_string());
    assert_eq!(
        withdrawn["dispute"]["milestone"],
        json!({ "id": milestone, "status": "FUNDED", "autoReleaseAt": null })
    );
    assert_eq!(states(&app, &deal).await, ("ACTIVE".to_owned(), vec!["FUNDED".into()]));
    let again = simply(&app, &deal.client, "disputeWithdraw", &dispute).await;
    assert_eq!(errors(&again), ["disputeId:ILLEGAL_STATE"]);
    // Everybody concerned was told, the admin at its opening and at its end.
    for person in [&deal.client, &deal.freelancer, &admin] {
        let told = told(&app, &person.token).await;
        let told: Vec<_> = told.iter().filter(|kind| kind.starts_with("DISPUTE_")).collect();
        assert_eq!(told, ["DISPUTE_OPENED", "DISPUTE_RESOLVED"]);
    }

    // The work goes on, to its end.
    let submit = "mutation($input: MilestoneSubmitInput!) { milestoneSubmit(input: $input) {
        milestone { status } userErrors { field code message } } }";
    ok(app
        .mutate(&deal.freelancer.token, submit, json!({ "milestoneId": milestone, "note": "Done." }))
        .await);
    ok(app.approve(&deal, milestone, &new_key()).await);
    paid_out(&app).await;
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 90_000_000);
    app.finish().await;
}

/// Evidence: by the parties, until it ends; ten files a piece; seen by the parties and by admins.
#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_for_the_parties_and_admins() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let (admin, eve) = (app.admin().await, app.client("eve").await);
    app.funded(&deal, &deal.milestones[0]).await;
    let file =
        async |by| ready(&app, by, File::new("EVIDENCE", "talk.txt", "text/plain", b"We agreed.")).await;
    let (first, second) = (file(&deal.client).await, file(&deal.freelancer).await);
    let foreign = file(&eve).await;
    let wrong = ready(&app, &deal.client, File::new("DELIVERABLE", "x.txt", "text/plain", b"x")).await;

    let opening = |uploads: &[&str]| {
        json!({ "milestoneId": deal.milestones[0], "kind": "FRAUD",
        "description": WHY, "uploadIds": uploads })
    };
    let refused = call(&app, &deal.client, "disputeOpen", opening(&[&foreign, &wrong])).await;
    assert_eq!(errors(&refused), ["uploadIds.0:NOT_FOUND", "uploadIds.1:INVALID"]);
    assert_eq!(states(&app, &deal).await, ("ACTIVE".to_owned(), vec!["FUNDED".into()]), "all or nothing");
    let opened = ok(call(&app, &deal.client, "disputeOpen", opening(&[&first])).await);
    let dispute = text(&opened["dispute"]["id"]);
    let add = |uploads: Vec<String>| json!({ "disputeId": dispute, "note": "Look.", "uploadIds": uploads });
    let many = call(&app, &deal.freelancer, "disputeAddEvidence", add(vec![second.clone(); 11])).await;
    assert_eq!(errors(&many), ["uploadIds:LIMIT_REACHED"]);
    let added = ok(call(&app, &deal.freelancer, "disputeAddEvidence", add(vec![second.clone()])).await);
    let evidence = added["dispute"]["evidence"].as_array().unwrap();
    let seen = |i: usize| (text(&evidence[i]["author"]["id"]), text(&evidence[i]["files"][0]["id"]));
    assert_eq!(evidence.len(), 2);
    assert_eq!(seen(0), (deal.client.id.clone(), first.clone()));
    assert_eq!(seen(1), (deal.freelancer.id.clone(), second.clone()));
    assert_eq!(evidence[0]["note"], WHY);

    for person in [&deal.client, &deal.freelancer, &admin] {
        let dispute = look(&app, person, &dispute).await;
        for piece in dispute["evidence"].as_array().unwrap() {
            assert_eq!(get(&piece["files"][0]["url"]).await.text().await.unwrap(), "We agreed.");
        }
    }
    assert_eq!(look(&app, &eve, &dispute).await, Value::Null);
    assert_eq!(look_at_upload(&app, &eve, &first).await, Value::Null);

    let foreign = call(&app, &eve, "disputeAddEvidence", add(vec![])).await;
    assert_eq!(errors(&foreign), ["disputeId:NOT_FOUND"]);
    let judge = call(&app, &admin, "disputeAddEvidence", add(vec![])).await;
    assert_eq!(errors(&judge), [":FORBIDDEN"]);
    let empty = json!({ "disputeId": dispute, "note": " " });
    assert_eq!(errors(&call(&app, &deal.client, "disputeAddEvidence", empty).await), ["note:REQUIRED"]);
    ok(simply(&app, &deal.client, "disputeWithdraw", &dispute).await);
    let late = call(&app, &deal.client, "disputeAddEvidence", add(vec![])).await;
    assert_eq!(errors(&late), ["disputeId:ILLEGAL_STATE"]);
    app.finish().await;
}
