//! What hangs below projects, contracts and people, written as rows: the way to it is tested elsewhere.

use domain::entities::{
    AmendmentStatus, DisputeKind, DisputeStatus, InvitationStatus, UserId, contract_amendment, dispute,
    invitation, portfolio_item, review, saved_freelancer, saved_project,
};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};

use crate::support::{Deal, Someone, TestApp};

async fn insert<E>(app: &TestApp, row: E::Model)
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: ActiveModelTrait<Entity = E>,
{
    E::insert(row.into_active_model()).exec_without_returning(app.app.db.writer()).await.unwrap();
}

fn id(someone: &Someone) -> UserId {
    someone.id.parse().unwrap()
}

/// An invitation to bid on a project, and who remembers what.
pub(super) async fn about_project(app: &TestApp, client: &Someone, freelancer: &Someone, project: &str) {
    let now = app.app.clock.now();
    let (client_id, freelancer_id, project_id) = (id(client), id(freelancer), project.parse().unwrap());
    let row = invitation::Model {
        id: app.app.clock.new_id(),
        project_id,
        client_id,
        freelancer_id,
        status: InvitationStatus::Accepted,
        message: "Would you?".to_owned(),
        version: 2,
        answered_at: Some(now),
        created_at: now,
        updated_at: now,
    };
    insert::<invitation::Entity>(app, row).await;
    let saved_micros = now.timestamp_micros();
    let saved = saved_project::Model { user_id: freelancer_id, project_id, saved_micros, created_at: now };
    insert::<saved_project::Entity>(app, saved).await;
}

/// A change that came to nothing, a dispute that was withdrawn, and what the parties say of each other.
pub(super) async fn about_contract(app: &TestApp, deal: &Deal) {
    let (clock, now) = (&app.app.clock, app.app.clock.now());
    let contract_id = deal.contract.parse().unwrap();
    let (client_id, freelancer_id) = (id(&deal.client), id(&deal.freelancer));
    for _ in 0..2 {
        let amendment = contract_amendment::Model {
            id: clock.new_id(),
            contract_id,
            proposed_by: client_id,
            status: AmendmentStatus::Rejected,
            reason: "More for less.".to_owned(),
            description: None,
            end_at: None,
            amount_before: domain::money::Usdc(600_000_000),
            amount: domain::money::Usdc(500_000_000),
            version: 2,
            answered_at: Some(now),
            created_at: now,
            updated_at: now,
        };
        insert::<contract_amendment::Entity>(app, amendment).await;
    }
    let quarrel = dispute::Model {
        id: clock.new_id(),
        contract_id,
        milestone_id: deal.milestones[1].parse().unwrap(),
        opened_by: client_id,
        kind: DisputeKind::Scope,
        status: DisputeStatus::Withdrawn,
        description: "Was this part of it?".to_owned(),
        taken_by: None,
        auto_release_at: None,
        escalation_note: None,
        resolved_by: None,
        resolution: None,
        refund_amount: None,
        release_amount: None,
        ends_contract: false,
        version: 2,
        taken_at: None,
        escalated_at: None,
        ended_at: Some(now),
        created_at: now,
        updated_at: now,
    };
    insert::<dispute::Entity>(app, quarrel).await;
    for (author_id, subject_id) in [(client_id, freelancer_id), (freelancer_id, client_id)] {
        let row = review::Model {
            id: clock.new_id(),
            contract_id,
            author_id,
            subject_id,
            rating: 45,
            skill: 45,
            quality: 45,
            communication: 45,
            deadline: 45,
            cooperation: 45,
            comment: "Good to work with.".to_owned(),
            answer: None,
            answered_at: None,
            reveal_at: now,
            shown_at: Some(now),
            version: 2,
            created_at: now,
            updated_at: now,
        };
        insert::<review::Entity>(app, row).await;
    }
    for _ in 0..2 {
        let item = portfolio_item::Model {
            id: clock.new_id(),
            user_id: freelancer_id,
            title: "A shop".to_owned(),
            description: "With lamps.".to_owned(),
            link: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        insert::<portfolio_item::Entity>(app, item).await;
    }
    let saved_micros = now.timestamp_micros();
    let saved = saved_freelancer::Model { user_id: client_id, freelancer_id, saved_micros, created_at: now };
    insert::<saved_freelancer::Entity>(app, saved).await;
}
