//! One step: a client with six projects, and four freelancers who bid on them.

use chrono::{DateTime, Duration, Utc};
use domain::{
    contract::ANSWER_WITHIN,
    entities::{
        Availability, BudgetType, ContractStatus, ExperienceLevel, InvitationStatus, MilestoneStatus,
        ProjectStatus, ProposalStatus, Role, UserId, contract, invitation, milestone, portfolio_item,
        project, project_skill, proposal, proposed_milestone, review, saved_freelancer, saved_project, user,
        user_skill, wallet,
    },
    review::OPEN_FOR,
};

use super::{
    FOUNDERS_FEE, Ground,
    dice::{Dice, whole},
    money,
    words::{FAMILIES, HEADLINES, LETTERS, NAMES, OWNERS, PARTS, PLACES, PRAISE, THINGS, TODAY, WISHES},
    write::Rows,
};
use crate::seed::Result;

/// What becomes of the six projects.
const FATES: [Fate; 6] = [Fate::Paid, Fate::Paid, Fate::Running, Fate::Open, Fate::Any, Fate::Draft];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Two milestones, both paid, and both sides reviewed each other.
    Paid,
    /// A contract that waits for its first deposit.
    Running,
    /// Takes proposals.
    Open,
    /// On hold, expired, cancelled, or open.
    Any,
    /// Not shown yet.
    Draft,
}

/// The address of a step's client: its presence says that the step was made.
pub(super) fn client_of(step: u32) -> String {
    format!("client-{step}@demo.example")
}

/// Everything of one step.
pub(super) fn make(rows: &mut Rows, ground: &Ground<'_>, mut dice: Dice, step: u32) -> Result<()> {
    // Up to a year ago; what is open is at most three weeks old, or the scheduler would close it at once.
    let joined = ground.until - Duration::days(i64::from(dice.between(60, 365)));
    let client = person(rows, ground, &mut dice, joined, client_of(step), Role::Client);
    let freelancers: Vec<UserId> = (1..=4)
        .map(|number| {
            let email = format!("freelancer-{step}-{number}@demo.example");
            person(rows, ground, &mut dice, joined, email, Role::Freelancer)
        })
        .collect();
    let mut accounts = money::Accounts::new(ground, joined);
    for fate in FATES {
        let posted = match fate {
            Fate::Paid => dice.later(joined, 24, 240),
            Fate::Running => dice.later(ground.until - Duration::days(40), 0, 240),
            Fate::Open | Fate::Any | Fate::Draft => dice.later(ground.until - Duration::days(21), 0, 400),
        };
        let project = post(rows, ground, &mut dice, client, posted, fate);
        let bids = bid(rows, &mut dice, &project, &freelancers, fate);
        if let (Fate::Paid | Fate::Running, Some(winner)) = (fate, bids.first()) {
            let paid = fate == Fate::Paid;
            let (contract, milestones) = agree(rows, &mut dice, &project, winner, paid);
            if paid {
                money::pay(rows, ground, &mut accounts, &mut dice, &contract, &milestones)?;
                praise(rows, &mut dice, &contract);
            }
        }
        if let (Fate::Open, [first, second, ..]) = (fate, freelancers.as_slice()) {
            saved(rows, &mut dice, client, *first, &project, *second);
        }
    }
    count_reviews(rows);
    Ok(())
}

fn person(
    rows: &mut Rows,
    ground: &Ground<'_>,
    dice: &mut Dice,
    joined: DateTime<Utc>,
    email: String,
    role: Role,
) -> UserId {
    let at = dice.later(joined, 0, 20);
    let id: UserId = dice.id(at);
    let works = role == Role::Freelancer;
    let (place, zone) = dice.pick(&PLACES);
    let headline = if works { *dice.pick(&HEADLINES) } else { "Looking for help" };
    let availability = [
        Availability::Immediate,
        Availability::OneToTwoWeeks,
        Availability::OneMonth,
        Availability::Flexible,
    ][(dice.next() % 4) as usize];
    rows.users.push(user::Model {
        id,
        email_key: email.clone(),
        email,
        password_hash: ground.password_hash.clone(),
        display_name: format!("{} {}", dice.pick(&NAMES), dice.pick(&FAMILIES)),
        role,
        headline: Some(headline.to_owned()),
        bio: works.then(|| format!("{} {}", dice.pick(&LETTERS), dice.pick(&WISHES))),
        location: Some((*place).to_owned()),
        time_zone: Some((*zone).to_owned()),
        hourly_rate: works.then(|| dice.usdc(18, 140)),
        availability: works.then_some(availability),
        rating: 0,
        review_count: 0,
        avatar_id: None,
        email_verified_at: Some(at),
        suspended_at: None,
        suspension_reason: None,
        created_at: at,
        updated_at: at,
    });
    let address: String = format!("{:016x}{:016x}{:08x}", dice.next(), dice.next(), dice.below(u32::MAX));
    rows.wallets.push(wallet::Model {
        id: dice.id(at),
        user_id: id,
        address: format!("0x{address}"),
        chain_id: ground.chain_id,
        is_payout: true,
        payouts_from: at,
        verified_at: at,
    });
    if works {
        for skill in some(dice, ground.skills, 3) {
            let (proficiency, years) = (dice.between(1, 5), dice.between(0, 20));
            rows.user_skills.push(user_skill::Model {
                user_id: id,
                skill_id: skill,
                proficiency: i32::try_from(proficiency).unwrap_or(1),
                years: i32::try_from(years).unwrap_or(0),
            });
        }
        let (thing, _) = dice.pick(&THINGS);
        rows.portfolio_items.push(portfolio_item::Model {
            id: dice.id(at),
            user_id: id,
            title: format!("{thing} for {}", dice.pick(&OWNERS)),
            description: format!("{} {}", dice.pick(&TODAY), dice.pick(&PRAISE)),
            link: None,
            version: 1,
            created_at: at,
            updated_at: at,
        });
    }
    id
}

/// So many neighbours in a list, from anywhere in it.
fn some<T: Copy>(dice: &mut Dice, from: &[T], count: usize) -> Vec<T> {
    let start = usize::try_from(dice.next() % (from.len().max(1) as u64)).unwrap_or(0);
    from.iter().cycle().skip(start).take(count.min(from.len())).copied().collect()
}

fn post(
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
fn bid(
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

const fn half(amount: domain::money::Usdc) -> domain::money::Usdc {
    domain::money::Usdc(amount.0 / 2)
}

/// The contract on a proposal, accepted the next day, over its two parts.
fn agree(
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
fn praise(rows: &mut Rows, dice: &mut Dice, contract: &contract::Model) {
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

/// What profiles say of the reviews: the step's people review nobody else.
fn count_reviews(rows: &mut Rows) {
    let mut sums: std::collections::HashMap<UserId, (i32, i32)> = std::collections::HashMap::new();
    for row in &rows.reviews {
        let sum = sums.entry(row.subject_id).or_default();
        *sum = (sum.0 + 1, sum.1 + row.rating);
    }
    for person in &mut rows.users {
        if let Some((count, tenths)) = sums.get(&person.id) {
            person.review_count = *count;
            person.rating = (tenths * 20 + count) / (count * 2);
        }
    }
}

/// The client asks one freelancer for a bid and remembers another, who remembers the project.
fn saved(
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
