//! What is wanted and offered: projects, bids, invitations, and what people remember.

use chrono::{DateTime, Utc};
use domain::entities::{
    Availability, BudgetType, ExperienceLevel, InvitationStatus, ProjectStatus, ProposalStatus, UserId,
    invitation, project, project_skill, proposal, proposed_milestone, saved_freelancer, saved_project,
};

use super::{Fate, half, some};
use crate::seed::bulk::{
    Ground,
    dice::{Dice, whole},
    words::{LETTERS, OWNERS, PARTS, THINGS, TODAY, WISHES},
    write::Rows,
};

pub(super) fn post(
    rows: &mut Rows,
    ground: &Ground<'_>,
    dice: &mut Dice,
    client: UserId,
    posted: DateTime<Utc>,
    fate: Fate,
) -> project::Model {
    let (thing, slug) = dice.pick(&THINGS);
    let least = dice.between(2, 40) * 50;
    let status = match fate {
        Fate::Paid => ProjectStatus::Completed,
        Fate::Running => ProjectStatus::InProgress,
        Fate::Open => ProjectStatus::Open,
        Fate::Any => match dice.below(4) {
            0 => ProjectStatus::OnHold,
            1 => ProjectStatus::Expired,
            2 => ProjectStatus::Cancelled,
            _ => ProjectStatus::Open,
        },
        Fate::Draft => ProjectStatus::Draft,
    };
    let category = ground.categories.iter().find(|(known, _)| known == slug).or(ground.categories.first());
    let project = project::Model {
        id: dice.id(posted),
        client_id: client,
        title: format!("{thing} for {}", dice.pick(&OWNERS)),
        description: format!("{} {} {}", dice.pick(&TODAY), dice.pick(&WISHES), dice.pick(&WISHES)),
        category_id: category.map_or_else(|| dice.id(posted), |(_, id)| *id),
        budget_type: BudgetType::Fixed,
        budget_min: whole(least),
        budget_max: whole(least * 2),
        experience_level: [ExperienceLevel::Entry, ExperienceLevel::Intermediate, ExperienceLevel::Expert]
            [(dice.next() % 3) as usize],
        status,
        version: 1,
        published_at: (fate != Fate::Draft).then_some(posted),
        active_at: posted,
        expiry_warned_at: None,
        cancel_reason: None,
        created_at: posted,
        updated_at: posted,
    };
    for (position, skill) in (1..).zip(some(dice, ground.skills, 3)) {
        rows.project_skills.push(project_skill::Model { project_id: project.id, skill_id: skill, position });
    }
    rows.projects.push(project.clone());
    project
}

/// Three of the four bid, the first of them with a plan of two parts.
pub(super) fn bid(
    rows: &mut Rows,
    dice: &mut Dice,
    project: &project::Model,
    freelancers: &[UserId],
    fate: Fate,
) -> Vec<proposal::Model> {
    if fate == Fate::Draft {
        return Vec::new();
    }
    let mut bids = Vec::new();
    for (place, freelancer) in some(dice, freelancers, 3).into_iter().enumerate() {
        let at = dice.later(project.created_at, 2, 70);
        let status = match (fate, project.status, place) {
            (Fate::Paid | Fate::Running, _, 0) => ProposalStatus::Accepted,
            (Fate::Paid | Fate::Running, ..) | (_, ProjectStatus::Cancelled, _) => ProposalStatus::Rejected,
            (_, _, 1) => ProposalStatus::Shortlisted,
            _ => ProposalStatus::Submitted,
        };
        let bid = proposal::Model {
            id: dice.id(at),
            project_id: project.id,
            freelancer_id: freelancer,
            status,
            cover_letter: format!("{} {}", dice.pick(&LETTERS), dice.pick(&LETTERS)),
            // Even, so that it has two equal halves.
            bid: whole(dice.between(1, 40) * 50 + 100),
            estimated_hours: None,
            availability: Availability::Immediate,
            version: 1,
            created_at: at,
            updated_at: at,
        };
        if place == 0 {
            let (first, second) = dice.pick(&PARTS);
            for (position, title) in [(1, first), (2, second)] {
                rows.proposed_milestones.push(proposed_milestone::Model {
                    id: dice.id(at),
                    proposal_id: bid.id,
                    position,
                    title: (*title).to_owned(),
                    amount: half(bid.bid),
                    due_at: None,
                });
            }
        }
        rows.proposals.push(bid.clone());
        bids.push(bid);
    }
    bids
}

/// The client asks one freelancer for a bid and remembers another, who remembers the project.
pub(super) fn saved(
    rows: &mut Rows,
    dice: &mut Dice,
    client: UserId,
    invited: UserId,
    project: &project::Model,
    remembered: UserId,
) {
    let at = dice.later(project.created_at, 1, 2);
    let has_bid =
        rows.proposals.iter().any(|row| row.project_id == project.id && row.freelancer_id == invited);
    rows.invitations.push(invitation::Model {
        id: dice.id(at),
        project_id: project.id,
        client_id: client,
        freelancer_id: invited,
        status: if has_bid { InvitationStatus::Accepted } else { InvitationStatus::Pending },
        message: "Would you have time for this?".to_owned(),
        version: 1,
        answered_at: None,
        created_at: at,
        updated_at: at,
    });
    rows.saved_freelancers.push(saved_freelancer::Model {
        user_id: client,
        freelancer_id: remembered,
        created_at: at,
        saved_micros: at.timestamp_micros(),
    });
    rows.saved_projects.push(saved_project::Model {
        user_id: remembered,
        project_id: project.id,
        created_at: at,
        saved_micros: at.timestamp_micros(),
    });
}
