//! Demo data, made by the same services that people use.
//!
//! Every step looks first whether its thing is there, and moves things forward only: run again, also after a kill in
//! the middle, it adds what is missing and touches nothing else.

mod bulk;
mod content;
mod days;
mod market;
#[cfg(feature = "dev")]
pub mod money;
mod people;

use std::{collections::BTreeMap, error::Error};

use domain::{
    Actor, App, Clock, Person,
    entities::{Role, SessionId, UserId, user},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use secrecy::SecretString;
use uuid::Uuid;

use days::put;

/// What goes wrong here is told to whoever asked for the demo.
pub type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// What the example tabs name by a placeholder: ids mostly, which differ in each database.
pub type Values = BTreeMap<&'static str, String>;

/// The password of all demo people on a laptop.
pub const PASSWORD: &str = "otter-lantern-42";
/// Who to sign in as: role and address.
pub const SIGN_INS: [(&str, &str); 3] =
    [("client", people::CLIENT), ("freelancer", people::FREELANCER), ("admin", people::ADMIN)];
/// Where demo people get their mail: a name that no mail server in the world has (RFC 2606).
const DOMAIN: &str = "@demo.example";

/// What to make.
pub struct Plan {
    /// The password of people who are not there yet.
    pub password: SecretString,
    /// 1 is the demo data; each step more adds about 150 rows of a larger market.
    pub scale: u32,
    /// What the additional ones are drawn with.
    pub seed: u64,
}

/// What is there now.
pub struct Demo {
    /// Whether anybody was registered just now.
    pub registered: bool,
    /// Rows that the larger market got just now.
    pub rows: u64,
    /// What the example tabs name.
    pub values: Values,
    #[cfg_attr(not(feature = "dev"), expect(dead_code, reason = "only `dev` has a chain to pay them on"))]
    paying: Paying,
}

/// Whose contracts are to be paid.
#[cfg_attr(not(feature = "dev"), expect(dead_code, reason = "only `dev` has a chain to pay them on"))]
struct Paying {
    people: people::Cast,
    market: market::Contracts,
    days: days::Contracts,
}

/// Refuses a database in which people have registered: demo people do not belong among them.
pub async fn refuse_real_people(app: &App) -> Result<()> {
    let real = user::Column::EmailKey.not_like(format!("%{DOMAIN}"));
    match user::Entity::find().filter(real).count(app.db.reader()).await? {
        0 => Ok(()),
        _ => Err("people have registered here: demo data is for an empty database".into()),
    }
}

/// Whether the demo's people are there, and so what they did.
pub async fn is_there(app: &App) -> Result<bool> {
    let admin = user::Entity::find().filter(user::Column::EmailKey.eq(people::ADMIN));
    Ok(admin.count(app.db.reader()).await? > 0)
}

/// Everything that needs no money.
pub async fn people_and_market(app: &App, plan: &Plan) -> Result<Demo> {
    let skills = people::skills(app).await?;
    let (people, registered) = people::cast(app, plan, &skills).await?;
    let mut values = Values::new();
    let market = market::build(app, &people, &skills, &mut values).await?;
    let days = days::build(app, &people, &skills, &mut values).await?;
    let grown = bulk::grow(app, plan, &skills).await?;
    let categories = domain::category::list(app, &domain::Actor::System, false).await?;
    put(&mut values, "category", categories.first().map(|category| category.id));
    put(&mut values, "skill", skills.first());
    Ok(Demo {
        registered: registered || grown.registered,
        rows: grown.rows,
        values,
        paying: Paying { people, market, days },
    })
}

/// The times that examples name, as they are now: a day a month ago, tomorrow, and a day next month.
pub fn times(clock: &Clock) -> Values {
    let now = clock.now();
    let days = |days| (now + chrono::Duration::days(days)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    Values::from([("month_ago", days(-30)), ("tomorrow", days(1)), ("next_month", days(30))])
}

/// The person as an actor, as if they had signed in.
fn acting(person: &user::Model) -> Actor {
    let who = Person {
        id: person.id,
        role: person.role,
        session_id: SessionId(Uuid::nil()),
        verified: person.email_verified_at.is_some(),
        suspended: person.suspended_at.is_some(),
    };
    if person.role == Role::Admin { Actor::Admin(who) } else { Actor::User(who) }
}

async fn find(app: &App, id: UserId) -> Result<user::Model> {
    Ok(domain::account::user(app, id).await?)
}
