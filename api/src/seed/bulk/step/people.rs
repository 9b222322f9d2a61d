//! Who is there: people, what they know and show, and what their reviews make of them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::entities::{Availability, Role, UserId, portfolio_item, user, user_skill, wallet};

use super::some;
use crate::seed::bulk::{
    Ground,
    dice::Dice,
    words::{FAMILIES, HEADLINES, LETTERS, NAMES, OWNERS, PLACES, PRAISE, THINGS, TODAY, WISHES},
    write::Rows,
};

pub(super) fn person(
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

/// What profiles say of the reviews: the step's people review nobody else.
pub(super) fn count_reviews(rows: &mut Rows) {
    let mut sums: HashMap<UserId, (i32, i32)> = HashMap::new();
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
