//! One step: a client with six projects, and four freelancers who bid on them.

use chrono::Duration;
use domain::{
    entities::{Role, UserId},
    money::Usdc,
};

use super::{Ground, dice::Dice, money, write::Rows};
use crate::seed::Result;

mod market;
mod people;
mod work;

use market::{bid, post, saved};
use people::{count_reviews, person};
use work::{agree, praise};

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

/// So many neighbours in a list, from anywhere in it.
fn some<T: Copy>(dice: &mut Dice, from: &[T], count: usize) -> Vec<T> {
    let start = usize::try_from(dice.next() % (from.len().max(1) as u64)).unwrap_or(0);
    from.iter().cycle().skip(start).take(count.min(from.len())).copied().collect()
}

const fn half(amount: Usdc) -> Usdc {
    Usdc(amount.0 / 2)
}
