//! Fraud reports: who reads them, about what, and what they come to.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chrono::Duration;
use domain::{
    Actor, App, Db,
    entities::{
        DisputeKind, DisputeStatus, MilestoneId, ProjectId, ProposalId, Usdc, UserId, dispute, project,
        proposal, session, user,
    },
    fraud,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};

use crate::support::{Deal, TestApp, ok, text};

const REPORT: &str = "query($id: ID!) { fraudReport(subjectId: $id) {
    subject { __typename id } score band signals { kind points detail } } }";

async fn report(app: &TestApp, token: &str, id: &str) -> Value {
    let answer = app.gql(token, REPORT, json!({ "id": id })).await;
    assert!(answer.get("errors").is_none(), "{answer:#}");
    answer["data"]["fraudReport"].clone()
}

async fn refusal(app: &TestApp, token: &str, id: &str) -> String {
    text(&app.gql(token, REPORT, json!({ "id": id })).await["errors"][0]["extensions"]["code"])
}

/// The signals of a report, as `KIND points`.
fn signals(report: &Value) -> Vec<String> {
    let signals = report["signals"].as_array().unwrap_or_else(|| panic!("{report:#}"));
    assert!(signals.iter().all(|signal| !text(&signal["detail"]).is_empty()), "{report:#}");
    signals.iter().map(|signal| format!("{} {}", text(&signal["kind"]), signal["points"])).collect()
}

/// Writes a row as it is.
async fn insert<E>(app: &TestApp, row: E::Model)
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
{
    let row = row.into_active_model().reset_all();
    E::insert(row).exec_without_returning(app.app.db.writer()).await.unwrap();
}

/// Signs somebody in with so many programs at once.
async fn sign_in_from(app: &TestApp, user_id: UserId, programs: usize) {
    let now = app.app.clock.now();
    for program in 0..programs {
        let row = session::Model {
            id: app.app.clock.new_id(),
            user_id,
            refresh_hash: format!("{user_id} {program}"),
            previous_refresh_hash: None,
            user_agent: Some(format!("program {program}")),
            expires_at: now + Duration::days(1),
            revoked_at: None,
            created_at: now,
            refreshed_at: now,
        };
        insert::<session::Entity>(app, row).await;
    }
}

/// A resolved or open dispute on a deal that the client opened. It is written as it is: no money moves.
async fn quarrel(app: &TestApp, deal: &Deal, kind: DisputeKind, status: DisputeStatus, split: (i64, i64)) {
    let now = app.app.clock.now();
    let milestone_id: MilestoneId = deal.milestones[0].parse().unwrap();
    let resolved = status == DisputeStatus::Resolved;
    let row = dispute::Model {
        id: app.app.clock.new_id(),
        contract_id: deal.contract.parse().unwrap(),
        milestone_id,
        opened_by: deal.client.id.parse().unwrap(),
        kind,
        status,
        description: "Nothing of it works.".to_owned(),
        taken_by: None,
        escalation_note: None,
        resolved_by: None,
        resolution: resolved.then(|| "So it shall be.".to_owned()),
        refund_amount: resolved.then_some(Usdc(split.0)),
        release_amount: resolved.then_some(Usdc(split.1)),
        ends_contract: false,
        auto_release_at: None,
        version: 1,
        taken_at: None,
        escalated_at: None,
        ended_at: resolved.then_some(now),
        created_at: now,
        updated_at: now,
    };
    insert::<dispute::Entity>(app, row).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_administrators_read_reports_of_what_is_there() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    // Who may not read any hears so first, whatever the id.
    for id in [deal.client.id.as_str(), &deal.contract, "no id at all"] {
        assert_eq!(refusal(&app, "", id).await, "UNAUTHENTICATED", "{id}");
        assert_eq!(refusal(&app, &deal.client.token, id).await, "FORBIDDEN", "{id}");
        assert_eq!(refusal(&app, &deal.freelancer.token, id).await, "FORBIDDEN", "{id}");
    }
    for id in [deal.contract.as_str(), &deal.milestones[0], "no id at all", "usr_1", ""] {
        assert_eq!(refusal(&app, &admin.token, id).await, "INVALID_ID", "{id}");
    }
    for kind in ["usr", "prj", "ppl"] {
        let nobody = format!("{kind}_{}", "0".repeat(32));
        assert_eq!(refusal(&app, &admin.token, &nobody).await, "NOT_FOUND", "{nobody}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_subject_has_its_signals_and_half_of_its_owners() {
    let app = TestApp::start().await;
    let admin = app.admin().await.token;
    let raw = app.register("raw", "CLIENT").await;
    let (carla, felix) = (app.client("carla").await, app.freelancer("felix").await);
    let of_raw = report(&app, &admin, &raw.id).await;
    assert_eq!(signals(&of_raw), ["EMAIL_UNPROVEN 20", "ACCOUNT_NEW 20", "NO_WALLET 10"]);
    assert_eq!(of_raw["subject"], json!({ "__typename": "User", "id": raw.id }));
    assert_eq!((&of_raw["score"], &of_raw["band"]), (&json!(50), &json!("MEDIUM")));

    let project = app.project(&carla).await;
    let of_project = report(&app, &admin, &project).await;
    assert_eq!(signals(&of_project), ["ACCOUNT_NEW 10"]);
    assert_eq!(of_project["subject"], json!({ "__typename": "Project", "id": project }));
    assert!(text(&of_project["signals"][0]["detail"]).starts_with("Its client: "), "{of_project}");
    assert_eq!((&of_project["score"], &of_project["band"]), (&json!(10), &json!("LOW")));

    let proposal = app.proposal(&felix, &project, &[100]).await;
    let of_proposal = report(&app, &admin, &proposal).await;
    assert_eq!(signals(&of_proposal), ["SENT_AT_ONCE 10", "ACCOUNT_NEW 10"]);
    assert_eq!(of_proposal["subject"], json!({ "__typename": "Proposal", "id": proposal }));
    assert_eq!((&of_proposal["score"], &of_proposal["band"]), (&json!(20), &json!("LOW")));

    // The same text once more is no habit yet; from the third time on it is, whoever posts it.
    app.project(&carla).await;
    assert_eq!(signals(&report(&app, &admin, &project).await), ["ACCOUNT_NEW 10"]);
    let olga = app.client("olga").await;
    let third = app.project(&olga).await;
    for project in [&project, &third] {
        assert_eq!(signals(&report(&app, &admin, project).await), ["REPEATED_TEXT 20", "ACCOUNT_NEW 10"]);
    }
    let later = [&third, &app.project(&olga).await].map(String::clone);
    app.advance(Duration::seconds(10));
    for project in &later {
        app.proposal(&felix, project, &[49]).await;
    }
    let repeated = app.proposal(&app.freelancer("fritz").await, &third, &[20_000]).await;
    let of_repeated = report(&app, &admin, &repeated).await;
    assert_eq!(signals(&of_repeated), ["REPEATED_TEXT 20", "HIGH_BID 20", "ACCOUNT_NEW 10"]);
    // A week later nobody is new.
    app.advance(Duration::days(7));
    assert_eq!(signals(&report(&app, &admin, &carla.id).await), Vec::<String>::new());
    app.drain().await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_did_is_counted() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await.token);
    app.advance(Duration::days(7));
    app.drain().await;
    let (client, freelancer): (UserId, UserId) =
        (deal.client.id.parse().unwrap(), deal.freelancer.id.parse().unwrap());
    // Once is a quarrel.
    quarrel(&app, &deal, DisputeKind::Quality, DisputeStatus::Resolved, (51, 49)).await;
    quarrel(&app, &deal, DisputeKind::Fraud, DisputeStatus::Withdrawn, (0, 0)).await;
    quarrel(&app, &deal, DisputeKind::Quality, DisputeStatus::Resolved, (50, 50)).await;
    assert_eq!(signals(&report(&app, &admin, &deal.freelancer.id).await), Vec::<String>::new());
    quarrel(&app, &deal, DisputeKind::Fraud, DisputeStatus::Resolved, (100, 0)).await;
    let of_freelancer = report(&app, &admin, &deal.freelancer.id).await;
    assert_eq!(signals(&of_freelancer), ["FRAUD_DISPUTES 30", "DISPUTES_LOST 20"]);
    assert_eq!(signals(&report(&app, &admin, &deal.client.id).await), Vec::<String>::new());

    // Three offers taken back, by a client who signs in from everywhere.
    for time in 0..3 {
        assert_eq!(signals(&report(&app, &admin, &deal.client.id).await), Vec::<String>::new(), "{time}");
        let project = app.project(&deal.client).await;
        let proposal = app.proposal(&deal.freelancer, &project, &[100]).await;
        let contract = app.offer(&deal.client, &proposal).await;
        let retract = "mutation($input: ContractRetractInput!) { contractRetract(input: $input) {
            contract { status } userErrors { field code message } } }";
        ok(app.mutate(&deal.client.token, retract, json!({ "contractId": contract })).await);
    }
    sign_in_from(&app, client, 4).await;
    assert_eq!(signals(&report(&app, &admin, &deal.client.id).await), ["MANY_CANCELLED 10"]);

    // Twenty proposals within a day are diligence, one more is not. Three were sent already.
    let open: ProjectId = app.project(&deal.client).await.parse().unwrap();
    let db = app.app.db.writer();
    let open = project::Entity::find_by_id(open).one(db).await.unwrap().unwrap();
    let bid: ProposalId = app.proposal(&deal.freelancer, &open.id.to_string(), &[100]).await.parse().unwrap();
    let bid = proposal::Entity::find_by_id(bid).one(db).await.unwrap().unwrap();
    assert_eq!(bid.freelancer_id, freelancer);
    for number in 5..=21 {
        let of_freelancer = signals(&report(&app, &admin, &deal.freelancer.id).await);
        assert!(!of_freelancer.contains(&"MANY_PROPOSALS 20".to_owned()), "{number}: {of_freelancer:?}");
        let project = project::Model { id: app.app.clock.new_id(), ..open.clone() };
        let proposal = proposal::Model { id: app.app.clock.new_id(), project_id: project.id, ..bid.clone() };
        insert::<project::Entity>(&app, project).await;
        insert::<proposal::Entity>(&app, proposal).await;
    }
    let of_freelancer = report(&app, &admin, &deal.freelancer.id).await;
    assert_eq!(signals(&of_freelancer), ["MANY_PROPOSALS 20", "FRAUD_DISPUTES 30", "DISPUTES_LOST 20"]);

    // A suspension is over, and not forgotten.
    let suspend =
        "mutation($input: UserSuspendInput!) { userSuspend(input: $input) { userErrors { message } } }";
    let restore =
        "mutation($input: UserRestoreInput!) { userRestore(input: $input) { userErrors { message } } }";
    ok(app.mutate(&admin, suspend, json!({ "userId": deal.client.id, "reason": "x" })).await);
    ok(app.mutate(&admin, restore, json!({ "userId": deal.client.id })).await);
    let of_client = report(&app, &admin, &deal.client.id).await;
    assert_eq!(signals(&of_client), ["MANY_CANCELLED 10", "SUSPENDED 30"], "once suspended, always told");
    app.drain().await;
    app.finish().await;
}

/// Fraud report: each signal with its points, capped at 100.
#[tokio::test(flavor = "multi_thread")]
async fn rule_a_fraud_report_is_the_sum_of_its_signals_capped_at_100() {
    let app = TestApp::start().await;
    let admin = app.admin().await.token;
    let raw = app.register("raw", "FREELANCER").await;
    let id: UserId = raw.id.parse().unwrap();
    let score = async || {
        let found = report(&app, &admin, &raw.id).await;
        let points =
            found["signals"].as_array().unwrap().iter().map(|signal| signal["points"].as_i64().unwrap());
        (points.sum::<i64>(), found["score"].as_i64().unwrap())
    };
    assert_eq!(score().await, (50, 50));
    let change =
        user::ActiveModel { id: Set(id), rating: Set(199), review_count: Set(3), ..Default::default() };
    change.update(app.app.db.writer()).await.unwrap();
    assert_eq!(score().await, (70, 70));
    let change =
        user::ActiveModel { id: Set(id), suspended_at: Set(Some(app.app.clock.now())), ..Default::default() };
    change.update(app.app.db.writer()).await.unwrap();
    assert_eq!(score().await, (100, 100));
    sign_in_from(&app, id, 5).await;
    assert_eq!(score().await, (110, 100));
    app.drain().await;
    app.finish().await;
}

/// Fraud report: bands 30/60/85.
#[tokio::test(flavor = "multi_thread")]
async fn rule_fraud_reports_have_bands_that_begin_at_30_60_and_85() {
    let app = TestApp::start().await;
    let (carla, admin) = (app.client("carla").await, app.admin().await.token);
    let project = app.project(&carla).await;
    let (client_id, project_id): (UserId, ProjectId) = (carla.id.parse().unwrap(), project.parse().unwrap());
    let (mail, both) = ("Write to joe@example.com.", "Write to joe@example.com: I pay by PayPal.");
    // Every sum of points can be divided by five: these are the last below each border, and the borders.
    for (text, usdc, days, proven, rating, wanted) in [
        ("A shop.", 5_000, 7, true, 0, (0, "LOW")),
        (mail, 5_000, 1, true, 0, (25, "LOW")),
        (mail, 5_000, 0, true, 0, (30, "MEDIUM")),
        (both, 5_000, 1, false, 0, (55, "MEDIUM")),
        (both, 5_000, 0, false, 0, (60, "HIGH")),
        (both, 10_000, 0, false, 0, (80, "HIGH")),
        (both, 10_000, 1, false, 199, (85, "CRITICAL")),
    ] {
        let now = app.app.clock.now();
        let client = user::ActiveModel {
            id: Set(client_id),
            created_at: Set(now - Duration::days(days)),
            email_verified_at: Set(proven.then_some(now)),
            rating: Set(rating),
            review_count: Set(if rating > 0 { 3 } else { 0 }),
            ..Default::default()
        };
        client.update(app.app.db.writer()).await.unwrap();
        let change = project::ActiveModel {
            id: Set(project_id),
            description: Set(text.to_owned()),
            budget_max: Set(Usdc::whole(usdc).unwrap()),
            ..Default::default()
        };
        change.update(app.app.db.writer()).await.unwrap();
        let found = report(&app, &admin, &project).await;
        let seen = (found["score"].as_i64().unwrap(), found["band"].as_str().unwrap());
        assert_eq!(seen, wanted, "{found:#}");
    }
    app.drain().await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_costs_the_same_statements_whatever_it_finds() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let project = app.project(&deal.client).await;
    let proposal = app.proposal(&deal.freelancer, &project, &[100]).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let mut reader = app.app.db.reader().clone();
    let counter = asked.clone();
    reader.set_metric_callback(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let watched = App { db: Db::new(app.app.db.writer().clone(), reader), ..app.app.clone() };
    for round in 0..2 {
        for (subject, statements) in [(&deal.freelancer.id, 7), (&project, 11), (&proposal, 11)] {
            fraud::report(&watched, &Actor::System, subject).await.unwrap();
            assert_eq!(asked.swap(0, Ordering::Relaxed), statements, "{round}: {subject}");
        }
        quarrel(&app, &deal, DisputeKind::Fraud, DisputeStatus::Resolved, (100, 0)).await;
        for _ in 0..3 {
            let project = app.project(&deal.client).await;
            app.proposal(&deal.freelancer, &project, &[100]).await;
        }
    }
    app.drain().await;
    app.finish().await;
}
