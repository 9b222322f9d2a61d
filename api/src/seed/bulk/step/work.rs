//! What was agreed, and what both sides said of it.

use domain::{
    contract::ANSWER_WITHIN,
    entities::{ContractStatus, MilestoneStatus, contract, milestone, project, proposal, review},
    review::OPEN_FOR,
};

use super::half;
use crate::seed::bulk::{
    FOUNDERS_FEE,
    dice::Dice,
    words::{PARTS, PRAISE},
    write::Rows,
};

/// The contract on a proposal, accepted the next day, over its two parts.
pub(super) fn agree(
    rows: &mut Rows,
    dice: &mut Dice,
    project: &project::Model,
    winner: &proposal::Model,
    paid: bool,
) -> (contract::Model, Vec<milestone::Model>) {
    let offered = dice.later(winner.created_at, 4, 60);
    let accepted = dice.later(offered, 2, 40);
    let ended = paid.then(|| dice.later(accepted, 24 * 14, 24 * 40));
    let contract = contract::Model {
        id: dice.id(offered),
        project_id: project.id,
        proposal_id: winner.id,
        client_id: project.client_id,
        freelancer_id: winner.freelancer_id,
        status: if paid { ContractStatus::Completed } else { ContractStatus::Active },
        description: "As described and as proposed, in two parts.".to_owned(),
        amount: winner.bid,
        fee_schedule: FOUNDERS_FEE,
        start_at: Some(accepted),
        end_at: None,
        lapses_at: offered + ANSWER_WITHIN,
        version: 1,
        accepted_at: Some(accepted),
        ended_at: ended,
        end_reason: None,
        ended_by: None,
        paused_at: None,
        created_at: offered,
        updated_at: ended.unwrap_or(accepted),
    };
    let (first, second) = dice.pick(&PARTS);
    let milestones: Vec<_> = [(1, first), (2, second)]
        .into_iter()
        .map(|(position, title)| milestone::Model {
            id: dice.id(offered),
            contract_id: contract.id,
            position,
            title: (*title).to_owned(),
            amount: half(winner.bid),
            status: if paid { MilestoneStatus::Paid } else { MilestoneStatus::Pending },
            returns_to: None,
            due_at: None,
            auto_release_at: None,
            release_reminded_at: None,
            version: 1,
            created_at: offered,
            updated_at: ended.unwrap_or(offered),
        })
        .collect();
    rows.contracts.push(contract.clone());
    rows.milestones.extend(milestones.iter().cloned());
    (contract, milestones)
}

/// Both sides of an ended contract about each other, most of it good.
pub(super) fn praise(rows: &mut Rows, dice: &mut Dice, contract: &contract::Model) {
    let ended = contract.ended_at.unwrap_or(contract.updated_at);
    for (author, subject) in
        [(contract.client_id, contract.freelancer_id), (contract.freelancer_id, contract.client_id)]
    {
        let at = dice.later(ended, 1, 100);
        let mut score = || i32::try_from(30 + 5 * dice.below(5)).unwrap_or(50);
        let (rating, skill, quality) = (score(), score(), score());
        let (communication, deadline, cooperation) = (score(), score(), score());
        rows.reviews.push(review::Model {
            id: dice.id(at),
            contract_id: contract.id,
            author_id: author,
            subject_id: subject,
            rating,
            skill,
            quality,
            communication,
            deadline,
            cooperation,
            comment: (*dice.pick(&PRAISE)).to_owned(),
            answer: None,
            answered_at: None,
            reveal_at: ended + OPEN_FOR,
            shown_at: Some(at),
            version: 1,
            created_at: at,
            updated_at: at,
        });
    }
}
