//! Figures over known data: what is counted, in which bucket, and how many buckets there may be.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chrono::{DateTime, Utc};
use domain::entities::{
    Availability, BudgetType, CategoryId, ContractId, ContractStatus, DisputeId, DisputeKind, DisputeStatus,
    ExperienceLevel, MilestoneStatus, PaymentId, PaymentKind, PaymentRail, PaymentStatus, ProjectId,
    ProjectStatus, ProposalId, ProposalStatus, Role, Usdc, UserId, contract, dispute, milestone, payment,
    project, proposal, user,
};
use domain::{
    Actor, App, Db,
    analytics::{Interval, Period, analytics},
};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};

use crate::support::{TestApp, text};

const QUERY: &str = "query($input: AnalyticsInput!) { analytics(input: $input) {
    total { ...all } buckets { startAt figures { ...all } } } }
    fragment all on AnalyticsFigures { clientSignUps freelancerSignUps projectsPublished proposals
    contractsAccepted contractsRunning gmv { amount } fees { amount } refunds { amount } timeToHireHours
    disputesOpened disputeRate }";

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

async fn ask(app: &TestApp, token: &str, from: &str, to: &str, interval: &str) -> Value {
    let input = json!({ "input": { "from": from, "to": to, "interval": interval } });
    app.gql(token, QUERY, input).await
}

/// Rows written as they are at the end, at known times.
struct Rows<'a>(&'a TestApp, CategoryId);

impl Rows<'_> {
    fn id<I: From<uuid::Uuid>>(&self) -> I {
        self.0.app.clock.new_id()
    }

    async fn insert<E>(&self, row: E::Model)
    where
        E: EntityTrait,
        E::Model: IntoActiveModel<E::ActiveModel>,
        E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
    {
        let row = row.into_active_model().reset_all();
        E::insert(row).exec_without_returning(self.0.app.db.writer()).await.unwrap();
    }

    async fn user(&self, role: Role, time: &str) -> UserId {
        let (id, time): (UserId, _) = (self.id(), at(time));
        self.insert::<user::Entity>(user::Model {
            id,
            email: format!("{id}@example.com"),
            email_key: format!("{id}@example.com"),
            password_hash: "none".to_owned(),
            display_name: "somebody".to_owned(),
            role,
            headline: None,
            bio: None,
            location: None,
            time_zone: None,
            hourly_rate: None,
            availability: None,
            rating: 0,
            review_count: 0,
            avatar_id: None,
            email_verified_at: Some(time),
            suspended_at: None,
            suspension_reason: None,
            created_at: time,
            updated_at: time,
        })
        .await;
        id
    }

    async fn project(&self, client_id: UserId, published: Option<&str>) -> ProjectId {
        // Of now, so that no project expires meanwhile.
        let (id, time) = (self.id(), self.0.app.clock.now());
        self.insert::<project::Entity>(project::Model {
            id,
            client_id,
            title: "A project".to_owned(),
            description: "Described.".to_owned(),
            category_id: self.1,
            budget_type: BudgetType::Fixed,
            budget_min: Usdc(1),
            budget_max: Usdc(2),
            experience_level: ExperienceLevel::Entry,
            status: if published.is_some() { ProjectStatus::Open } else { ProjectStatus::Draft },
            version: 1,
            published_at: published.map(at),
            active_at: time,
            expiry_warned_at: None,
            cancel_reason: None,
            created_at: time,
            updated_at: time,
        })
        .await;
        id
    }

    async fn proposal(&self, project_id: ProjectId, freelancer_id: UserId, time: &str) -> ProposalId {
        let (id, time) = (self.id(), at(time));
        self.insert::<proposal::Entity>(proposal::Model {
            id,
            project_id,
            freelancer_id,
            status: ProposalStatus::Accepted,
            cover_letter: "Let me.".to_owned(),
            bid: Usdc(1),
            estimated_hours: None,
            availability: Availability::Immediate,
            version: 1,
            created_at: time,
            updated_at: time,
        })
        .await;
        id
    }

    /// A project, a proposal and a contract: published, accepted (if it was), ended (if it did).
    async fn contract(
        &self,
        people: (UserId, UserId),
        times: (&str, Option<&str>, Option<&str>),
    ) -> ContractId {
        let ((client_id, freelancer_id), (published, accepted, ended)) = (people, times);
        let project_id = self.project(client_id, Some(published)).await;
        let proposal_id = self.proposal(project_id, freelancer_id, published).await;
        let (id, time) = (self.id(), at(published));
        self.insert::<contract::Entity>(contract::Model {
            id,
            project_id,
            proposal_id,
            client_id,
            freelancer_id,
            status: ContractStatus::Completed,
            description: "As described.".to_owned(),
            amount: Usdc(1),
            fee_schedule: 1,
            start_at: None,
            end_at: None,
            lapses_at: time,
            version: 1,
            accepted_at: accepted.map(at),
            ended_at: ended.map(at),
            end_reason: None,
            ended_by: None,
            paused_at: None,
            created_at: time,
            updated_at: time,
        })
        .await;
        id
    }

    async fn payment(&self, kind: PaymentKind, status: PaymentStatus, sum: (i64, i64), done: Option<&str>) {
        let (id, time): (PaymentId, _) = (self.id(), at("2026-01-01T00:00:00Z"));
        self.insert::<payment::Entity>(payment::Model {
            id,
            kind,
            status,
            rail: PaymentRail::Chain,
            contract_id: None,
            milestone_id: None,
            payer_id: None,
            payee_id: None,
            started_by: None,
            amount: Usdc(sum.0),
            fee: Usdc(sum.1),
            net: Usdc(sum.0 - sum.1),
            reason: None,
            destination: None,
            deposit_address: None,
            expires_at: None,
            required_confirmations: None,
            hold_reason: None,
            failure_reason: None,
            linked_payment_id: None,
            dispute_id: None,
            retry_of: None,
            held_by: None,
            approved_by: None,
            redirected_by: None,
            decision_total: None,
            version: 1,
            look: 0,
            due_at: None,
            created_at: time,
            updated_at: time,
            completed_at: done.map(at),
            final_at: None,
        })
        .await;
    }

    async fn dispute(&self, contract_id: ContractId, opened_by: UserId, time: &str) {
        let time = at(time);
        let milestone = milestone::Model {
            id: self.id(),
            contract_id,
            position: 1,
            title: "A part".to_owned(),
            amount: Usdc(1),
            status: MilestoneStatus::Paid,
            returns_to: None,
            due_at: None,
            auto_release_at: None,
            release_reminded_at: None,
            version: 1,
            created_at: time,
            updated_at: time,
        };
        let (id, milestone_id): (DisputeId, _) = (self.id(), milestone.id);
        self.insert::<milestone::Entity>(milestone).await;
        self.insert::<dispute::Entity>(dispute::Model {
            id,
            contract_id,
            milestone_id,
            opened_by,
            kind: DisputeKind::Quality,
            status: DisputeStatus::Withdrawn,
            description: "Not good enough.".to_owned(),
            taken_by: None,
            auto_release_at: None,
            escalation_note: None,
            resolved_by: None,
            resolution: None,
            refund_amount: None,
            release_amount: None,
            ends_contract: false,
            version: 1,
            taken_at: None,
            escalated_at: None,
            ended_at: Some(time),
            created_at: time,
            updated_at: time,
        })
        .await;
    }
}

/// An app with an admin, and what happened around the turn from February to March 2025.
async fn known() -> (TestApp, String) {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let category =
        app.gql("", "{ categories { id } }", json!({})).await["data"]["categories"][0]["id"].clone();
    let rows = Rows(&app, text(&category).parse().unwrap());
    let client = rows.user(Role::Client, "2025-02-28T23:59:59.999999Z").await;
    let freelancer = rows.user(Role::Freelancer, "2025-03-01T00:00:00Z").await;
    rows.user(Role::Freelancer, "2025-03-01T00:00:00.000001Z").await;
    rows.user(Role::Admin, "2025-03-01T10:00:00Z").await;
    let people = (client, freelancer);
    rows.project(client, None).await;
    rows.project(client, Some("2025-03-02T23:59:59.5Z")).await;
    // Ran before and ends exactly when March begins; runs all the time; was never accepted.
    let old = rows.contract(
        people,
        ("2025-01-01T00:00:00Z", Some("2025-01-10T00:00:00Z"), Some("2025-03-01T00:00:00Z")),
    );
    let old = old.await;
    rows.contract(people, ("2025-01-01T00:00:00Z", Some("2025-01-01T01:00:00Z"), None)).await;
    rows.contract(people, ("2025-03-01T05:00:00Z", None, Some("2025-03-02T05:00:00Z"))).await;
    // Hired within 36.5 hours, and within 12 hours and 20 seconds: ended on the day after.
    rows.contract(people, ("2025-02-28T00:00:00Z", Some("2025-03-01T12:30:00Z"), None)).await;
    let short = rows.contract(
        people,
        ("2025-03-01T00:00:00Z", Some("2025-03-01T12:00:20.9Z"), Some("2025-03-02T00:00:00Z")),
    );
    let short = short.await;
    use PaymentKind::{Bonus, Deposit, Refund, Release, Return};
    use PaymentStatus::{Completed, Failed, Submitted};
    for (kind, status, sum, done) in [
        (Release, Completed, (100_000_000, 10_000_000), Some("2025-02-28T12:00:00Z")),
        (Release, Completed, (7, 1), Some("2025-03-01T00:00:00Z")),
        (Bonus, Completed, (50_000_000, 5_000_000), Some("2025-03-01T23:59:59.999999Z")),
        (Refund, Completed, (20_000_001, 0), Some("2025-03-02T00:00:00Z")),
        (Return, Completed, (1_000_000, 0), Some("2025-03-01T10:00:00Z")),
        (Deposit, Completed, (9_000_000, 0), Some("2025-03-01T10:00:00Z")),
        (Release, Submitted, (3_000_000, 300_000), Some("2025-03-01T10:00:00Z")),
        (Release, Failed, (3_000_000, 300_000), None),
    ] {
        rows.payment(kind, status, sum, done).await;
    }
    rows.dispute(old, client, "2025-02-28T10:00:00Z").await;
    rows.dispute(short, client, "2025-03-01T18:00:00Z").await;
    (app, admin.token)
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_by_day_are_what_happened_that_day() {
    let (app, admin) = known().await;
    let answer = ask(&app, &admin, "2025-02-28T00:00:00Z", "2025-03-04T00:00:00Z", "DAY").await;
    let money = |amount: &str| json!({ "amount": amount });
    let day = |start: &str, figures: Value| json!({ "startAt": format!("{start}T00:00:00+00:00"), "figures": figures });
    let wanted = [
        day(
            "2025-02-28",
            json!({
                "clientSignUps": 1, "freelancerSignUps": 0, "projectsPublished": 1, "proposals": 1,
                "contractsAccepted": 0, "contractsRunning": 2, "gmv": money("100.00"), "fees": money("10.00"),
                "refunds": money("0.00"), "timeToHireHours": null, "disputesOpened": 1, "disputeRate": 0.5,
            }),
        ),
        // The one that ends as the day begins is still counted: it had not ended before. 36.5 h and 12 h 20 s.
        day(
            "2025-03-01",
            json!({
                "clientSignUps": 0, "freelancerSignUps": 2, "projectsPublished": 2, "proposals": 2,
                "contractsAccepted": 2, "contractsRunning": 4, "gmv": money("50.000007"), "fees": money("5.000001"),
                "refunds": money("0.00"), "timeToHireHours": 24.25, "disputesOpened": 1, "disputeRate": 0.25,
            }),
        ),
        day(
            "2025-03-02",
            json!({
                "clientSignUps": 0, "freelancerSignUps": 0, "projectsPublished": 1, "proposals": 0,
                "contractsAccepted": 0, "contractsRunning": 3, "gmv": money("0.00"), "fees": money("0.00"),
                "refunds": money("20.000001"), "timeToHireHours": null, "disputesOpened": 0, "disputeRate": 0.0,
            }),
        ),
        // Empty, and there.
        day(
            "2025-03-03",
            json!({
                "clientSignUps": 0, "freelancerSignUps": 0, "projectsPublished": 0, "proposals": 0,
                "contractsAccepted": 0, "contractsRunning": 2, "gmv": money("0.00"), "fees": money("0.00"),
                "refunds": money("0.00"), "timeToHireHours": null, "disputesOpened": 0, "disputeRate": 0.0,
            }),
        ),
    ];
    let buckets = answer["data"]["analytics"]["buckets"].as_array().unwrap_or_else(|| panic!("{answer:#}"));
    for (found, wanted) in buckets.iter().zip(&wanted) {
        assert_eq!(found["figures"], wanted["figures"], "{}", wanted["startAt"]);
        assert_eq!(at(&text(&found["startAt"])), at(&text(&wanted["startAt"])));
    }
    assert_eq!(buckets.len(), wanted.len());
    assert_eq!(
        answer["data"]["analytics"]["total"],
        json!({
            "clientSignUps": 1, "freelancerSignUps": 2, "projectsPublished": 4, "proposals": 3,
            "contractsAccepted": 2, "contractsRunning": 4, "gmv": money("150.000007"), "fees": money("15.000001"),
            "refunds": money("20.000001"), "timeToHireHours": 24.25, "disputesOpened": 2, "disputeRate": 0.5,
        })
    );
    app.finish_made_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_by_week_and_month_begin_where_the_calendar_says() {
    let (app, admin) = known().await;
    // 2025-02-24 and 2025-03-03 are Mondays. The time begins and ends within a bucket.
    let figures = |answer: &Value, field: &str| -> Vec<(String, Value)> {
        let buckets =
            answer["data"]["analytics"]["buckets"].as_array().unwrap_or_else(|| panic!("{answer:#}"));
        let start = |bucket: &Value| at(&text(&bucket["startAt"])).format("%F").to_string();
        buckets.iter().map(|bucket| (start(bucket), bucket["figures"][field].clone())).collect()
    };
    let weeks = ask(&app, &admin, "2025-02-28T12:00:00Z", "2025-03-03T00:00:00.000001Z", "WEEK").await;
    let wanted = [
        ("2025-02-24".to_owned(), json!({ "amount": "150.000007" })),
        ("2025-03-03".to_owned(), json!({ "amount": "0.00" })),
    ];
    assert_eq!(figures(&weeks, "gmv"), wanted, "what is exactly at `from` counts");
    let weeks = ask(&app, &admin, "2025-02-28T12:00:00.000001Z", "2025-03-03T00:00:00Z", "WEEK").await;
    let wanted = [("2025-02-24".to_owned(), json!({ "amount": "50.000007" }))];
    assert_eq!(figures(&weeks, "gmv"), wanted, "what is before `from` does not");

    let months = ask(&app, &admin, "2025-01-05T00:00:00Z", "2025-03-02T00:00:00Z", "MONTH").await;
    let counts = |field| figures(&months, field).into_iter().map(|(_, n)| n).collect::<Vec<_>>();
    assert_eq!(
        figures(&months, "contractsAccepted").iter().map(|(s, _)| s.as_str()).collect::<Vec<_>>(),
        ["2025-01-01", "2025-02-01", "2025-03-01"]
    );
    assert_eq!(counts("contractsAccepted"), [1, 0, 2]);
    assert_eq!(counts("contractsRunning"), [2, 2, 4]);
    assert_eq!(counts("freelancerSignUps"), [0, 0, 2]);
    assert_eq!(counts("clientSignUps"), [0, 1, 0]);
    assert_eq!(counts("disputesOpened"), [0, 1, 1]);
    assert_eq!(
        counts("refunds"),
        [json!({ "amount": "0.00" }), json!({ "amount": "0.00" }), json!({ "amount": "0.00" })]
    );
    app.finish_made_up().await;
}

/// Analytics: at most 400 buckets.
#[tokio::test(flavor = "multi_thread")]
async fn rule_analytics_have_at_most_400_buckets() {
    let app = TestApp::start().await;
    let admin = app.admin().await.token;
    let from = "2025-01-01T00:00:00Z";
    for (interval, fits, beyond) in [
        ("DAY", "2026-02-05T00:00:00Z", "2026-02-05T00:00:00.000001Z"),
        // 2025-01-01 is in the week of Monday 2024-12-30.
        ("WEEK", "2032-08-30T00:00:00Z", "2032-08-30T00:00:01Z"),
        ("MONTH", "2058-05-01T00:00:00Z", "2058-05-01T00:00:01Z"),
    ] {
        let answer = ask(&app, &admin, from, fits, interval).await;
        let buckets = answer["data"]["analytics"]["buckets"].as_array().map(Vec::len);
        assert_eq!(buckets, Some(400), "{interval}: {}", answer["errors"]);
        let refused = ask(&app, &admin, from, beyond, interval).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "OUT_OF_RANGE", "{interval}: {refused}");
    }
    for (from, to) in [
        (from, from),
        (from, "2024-12-31T00:00:00Z"),
        ("1999-12-31T00:00:00Z", "2000-01-02T00:00:00Z"),
        (from, "+10000-01-01T00:00:00Z"),
    ] {
        let refused = ask(&app, &admin, from, to, "MONTH").await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "OUT_OF_RANGE", "{from} {to}: {refused}");
    }
    app.finish().await;
}

/// However many buckets there are, and however much is in them.
#[tokio::test(flavor = "multi_thread")]
async fn a_year_by_day_costs_as_many_statements_as_one_day() {
    let (app, _) = known().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let mut reader = app.app.db.reader().clone();
    let counter = asked.clone();
    reader.set_metric_callback(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let watched = App { db: Db::new(app.app.db.writer().clone(), reader), ..app.app.clone() };
    let mut counts = Vec::new();
    for (from, to, buckets) in [("2020-01-01", "2020-01-02", 1), ("2025-01-01", "2026-01-01", 365)] {
        let (from, to) = (at(&format!("{from}T00:00:00Z")), at(&format!("{to}T00:00:00Z")));
        let found =
            analytics(&watched, &Actor::System, Period { from, to, interval: Interval::Day }).await.unwrap();
        assert_eq!(found.buckets.len(), buckets);
        counts.push(asked.swap(0, Ordering::Relaxed));
    }
    assert_eq!(counts, [8, 8]);
    app.finish_made_up().await;
}
