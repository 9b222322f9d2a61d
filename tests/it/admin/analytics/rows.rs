//! What the figures are over: rows at known times.

use domain::entities::{
    Availability, BudgetType, CategoryId, ContractId, ContractStatus, DisputeId, DisputeKind, DisputeStatus,
    ExperienceLevel, MilestoneStatus, PaymentId, PaymentKind, PaymentRail, PaymentStatus, ProjectId,
    ProjectStatus, ProposalId, ProposalStatus, Role, Usdc, UserId, contract, dispute, milestone, payment,
    project, proposal, user,
};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use serde_json::json;

use super::at;
use crate::support::{TestApp, text};

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
pub(super) async fn known() -> (TestApp, String) {
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
