//! What there is to act on: everything is the client's and the freelancer's of one contract.

use entities::{
    AmendmentStatus, Availability, BudgetType, DisputeKind, DisputeStatus, ExperienceLevel, InvitationStatus,
    PaymentKind, PaymentStatus, ProjectStatus, ProposalStatus, UploadPurpose, UploadStatus, Usdc, UserId,
    contract, contract_amendment, dispute, invitation, payment, portfolio_item, project, proposal, review,
    unallocated_deposit, upload,
};

use crate::fixture::{
    noon,
    rows::{self, client, freelancer, id},
};

pub(super) struct Things {
    pub(super) upload: upload::Model,
    pub(super) portfolio_item: portfolio_item::Model,
    pub(super) project: project::Model,
    pub(super) unpublished_project: project::Model,
    pub(super) project_of_freelancer: project::Model,
    pub(super) proposal: proposal::Model,
    pub(super) invitation: invitation::Model,
    pub(super) contract: contract::Model,
    pub(super) amendment_by_client: contract_amendment::Model,
    pub(super) amendment_by_freelancer: contract_amendment::Model,
    pub(super) review: review::Model,
    pub(super) hidden_review: review::Model,
    /// The client's: paid and started by them.
    pub(super) payment: payment::Model,
    /// To the freelancer.
    pub(super) payout: payment::Model,
    /// Sent to another wallet by somebody who was the client once and is an administrator now.
    pub(super) redirected: payment::Model,
    pub(super) payment_of_nobody: payment::Model,
    pub(super) unallocated: unallocated_deposit::Model,
    pub(super) unallocated_of_nobody: unallocated_deposit::Model,
    pub(super) dispute_by_client: dispute::Model,
    pub(super) dispute_by_freelancer: dispute::Model,
}

impl Things {
    pub(super) fn new() -> Self {
        let payment = rows::payment(1, PaymentKind::Deposit, PaymentStatus::AwaitingFunds, 1);
        let payout = rows::payment(2, PaymentKind::Release, PaymentStatus::Queued, 1);
        let unallocated = rows::unallocated(&rows::transfer(1, 1, None));
        Self {
            upload: upload(),
            portfolio_item: portfolio_item(),
            project: project(client()),
            unpublished_project: project::Model { published_at: None, ..project(client()) },
            project_of_freelancer: project(freelancer()),
            proposal: proposal(),
            invitation: invitation(),
            contract: rows::contract(),
            amendment_by_client: amendment(client()),
            amendment_by_freelancer: amendment(freelancer()),
            review: review::Model { shown_at: Some(noon()), ..review() },
            hidden_review: review(),
            payment_of_nobody: payment::Model { payer_id: None, ..payment.clone() },
            payment: payment::Model { started_by: Some(client()), ..payment },
            redirected: payment::Model { redirected_by: Some(client()), ..payout.clone() },
            payout,
            unallocated_of_nobody: unallocated_deposit::Model { user_id: None, ..unallocated.clone() },
            unallocated,
            dispute_by_client: dispute(client()),
            dispute_by_freelancer: dispute(freelancer()),
        }
    }
}

fn upload() -> upload::Model {
    upload::Model {
        id: id(1),
        owner_id: client(),
        purpose: UploadPurpose::ProjectFile,
        filename: "plan.pdf".to_owned(),
        content_type: "application/pdf".to_owned(),
        byte_size: 1_000,
        status: UploadStatus::Ready,
        rejection_reason: None,
        object_key: "uploads/1".to_owned(),
        etag: None,
        attached_to: None,
        version: 0,
        look: 0,
        due_at: None,
        created_at: noon(),
        updated_at: noon(),
    }
}

fn portfolio_item() -> portfolio_item::Model {
    portfolio_item::Model {
        id: id(1),
        user_id: freelancer(),
        title: "A web shop".to_owned(),
        description: "With a basket.".to_owned(),
        link: None,
        version: 0,
        created_at: noon(),
        updated_at: noon(),
    }
}

fn project(client_id: UserId) -> project::Model {
    project::Model {
        id: id(10),
        client_id,
        title: "A web shop".to_owned(),
        description: "With a basket.".to_owned(),
        category_id: id(1),
        budget_type: BudgetType::Fixed,
        budget_min: Usdc(100_000_000),
        budget_max: Usdc(500_000_000),
        experience_level: ExperienceLevel::Expert,
        status: ProjectStatus::Open,
        version: 0,
        published_at: Some(noon()),
        active_at: noon(),
        expiry_warned_at: None,
        cancel_reason: None,
        created_at: noon(),
        updated_at: noon(),
    }
}

fn proposal() -> proposal::Model {
    proposal::Model {
        id: id(11),
        project_id: id(10),
        freelancer_id: freelancer(),
        status: ProposalStatus::Submitted,
        cover_letter: "I have built many shops.".to_owned(),
        bid: Usdc(500_000_000),
        estimated_hours: None,
        availability: Availability::Immediate,
        version: 0,
        created_at: noon(),
        updated_at: noon(),
    }
}

fn invitation() -> invitation::Model {
    invitation::Model {
        id: id(12),
        project_id: id(10),
        client_id: client(),
        freelancer_id: freelancer(),
        status: InvitationStatus::Pending,
        message: "Would you?".to_owned(),
        version: 0,
        answered_at: None,
        created_at: noon(),
        updated_at: noon(),
    }
}

fn amendment(proposed_by: UserId) -> contract_amendment::Model {
    contract_amendment::Model {
        id: id(13),
        contract_id: rows::contract().id,
        proposed_by,
        status: AmendmentStatus::Proposed,
        reason: "More to do.".to_owned(),
        description: None,
        end_at: None,
        amount_before: Usdc(500_000_000),
        amount: Usdc(600_000_000),
        version: 0,
        answered_at: None,
        created_at: noon(),
        updated_at: noon(),
    }
}

/// By the client, on the freelancer; not shown yet.
fn review() -> review::Model {
    review::Model {
        id: id(14),
        contract_id: rows::contract().id,
        author_id: client(),
        subject_id: freelancer(),
        rating: 450,
        skill: 5,
        quality: 4,
        communication: 5,
        deadline: 4,
        cooperation: 5,
        comment: "A good shop.".to_owned(),
        answer: None,
        answered_at: None,
        reveal_at: noon(),
        shown_at: None,
        version: 0,
        created_at: noon(),
        updated_at: noon(),
    }
}

fn dispute(opened_by: UserId) -> dispute::Model {
    dispute::Model {
        id: id(15),
        contract_id: rows::contract().id,
        milestone_id: id(1),
        opened_by,
        kind: DisputeKind::Quality,
        status: DisputeStatus::Open,
        description: "The basket is empty.".to_owned(),
        taken_by: None,
        escalation_note: None,
        resolved_by: None,
        resolution: None,
        refund_amount: None,
        release_amount: None,
        ends_contract: false,
        auto_release_at: None,
        version: 0,
        taken_at: None,
        escalated_at: None,
        ended_at: None,
        created_at: noon(),
        updated_at: noon(),
    }
}
