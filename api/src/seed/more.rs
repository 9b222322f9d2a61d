//! More of everything, for lists that have pages.

use domain::{
    App,
    entities::{BudgetType, ExperienceLevel, Role, SkillId},
};

use super::{
    Plan,
    content::{OTHER_LETTER, Posting, SKILLS},
    market,
    people::{self, Newcomer},
};
use crate::Result;

/// Projects that each step adds.
const PROJECTS: usize = 10;

const NAMES: [&str; 12] =
    ["Amara", "Bruno", "Chiara", "Daniyar", "Elif", "Farid", "Greta", "Hana", "Ivo", "Jomo", "Katya", "Luis"];
const FAMILIES: [&str; 10] =
    ["Abebe", "Berg", "Castro", "Dubois", "Eriksen", "Fontana", "Gupta", "Horvat", "Ito", "Jansen"];
/// What is wanted, for whom, and in which category.
const THINGS: [(&str, &str); 8] = [
    ("Website", "web"),
    ("Inventory app", "mobile"),
    ("Sales report", "data"),
    ("Logo", "design"),
    ("Product texts", "writing"),
    ("Search campaign", "marketing"),
    ("Product film", "video"),
    ("Filing system", "other"),
];
const OWNERS: [&str; 10] = [
    "a bakery",
    "a bicycle workshop",
    "a choir",
    "a plant nursery",
    "a dentist",
    "a cinema",
    "a sailing school",
    "a second-hand bookshop",
    "a brewery",
    "a youth hostel",
];

/// A reproducible source of choices: SplitMix64, as published by Steele, Lea and Flood.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number from 0 up to, not including, this one.
    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        from.get(self.below(from.len())).copied()
    }
}

/// The steps beyond the first; whether anybody was registered just now.
pub(super) async fn grow(app: &App, plan: &Plan, skills: &[SkillId]) -> Result<bool> {
    let mut registered = false;
    for step in 2..=plan.scale {
        // Each step has its own dice, so that a larger scale begins with what a smaller one made.
        let dice = Dice(plan.seed ^ (u64::from(step) << 32));
        registered |= group(app, plan, skills, step, dice).await?;
    }
    Ok(registered)
}

/// A client with projects, and two freelancers with proposals on some of them.
async fn group(app: &App, plan: &Plan, skills: &[SkillId], step: u32, mut dice: Dice) -> Result<bool> {
    let mut people = Vec::new();
    let mut registered = false;
    for (kind, role) in [("client", Role::Client), ("ada", Role::Freelancer), ("bo", Role::Freelancer)] {
        let name =
            format!("{} {}", dice.pick(&NAMES).unwrap_or_default(), dice.pick(&FAMILIES).unwrap_or_default());
        let (skill, _) = dice.pick(&SKILLS).unwrap_or(("Rust", "web"));
        let rate = i64::try_from(25 + dice.below(60)).ok();
        let email = format!("{kind}-{step}@demo.example");
        let works = role == Role::Freelancer;
        let levels = [(skill, 4, 5)];
        let newcomer = Newcomer {
            email: &email,
            name: &name,
            role,
            headline: if works { skill } else { "Looking for help" },
            bio: "",
            rate,
            skills: if works { &levels } else { &[] },
        };
        let (person, new) = people::ensure(app, &plan.password, skills, &newcomer).await?;
        registered |= new;
        people.push(person);
    }
    let [client, ada, bo] = people.as_slice() else { return Ok(registered) };
    for number in 1..=PROJECTS {
        let (thing, category) = dice.pick(&THINGS).unwrap_or(("Website", "web"));
        let owner = dice.pick(&OWNERS).unwrap_or("a bakery");
        let least = i64::try_from(100 * (1 + dice.below(20))).unwrap_or(100);
        let posting = Posting {
            title: format!("{thing} for {owner}, {step}.{number}").into(),
            description: "We know what we want and not how to get there. Tell us how you would go about it, what you \
                need from us, and when we would see the first piece.",
            category,
            skills: &[],
            pays: BudgetType::Fixed,
            budget: (least, least * 2),
            level: ExperienceLevel::Intermediate,
        };
        let project = market::post(app, client, skills, &posting).await?;
        for freelancer in [ada, bo] {
            if dice.below(3) == 0 {
                market::bid(app, &project, freelancer, OTHER_LETTER, &[("Everything", least + 50)]).await?;
            }
        }
    }
    Ok(registered)
}
