//! Demo data, made by the same services that people use.
//!
//! Every step looks first whether its thing is there, and moves things forward only: run again, also after a kill in
//! the middle, it adds what is missing and touches nothing else.

mod bulk;
mod content;
mod market;
#[cfg(feature = "dev")]
pub(crate) mod money;
mod people;

use domain::{
    Actor, App, Person,
    entities::{CategoryId, Role, SessionId, SkillId, UserId, user},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use secrecy::SecretString;
use uuid::Uuid;

use crate::Result;

/// The password of all demo people on a laptop.
pub(crate) const PASSWORD: &str = "otter-lantern-42";
/// Who to sign in as: role and address.
pub(crate) const SIGN_INS: [(&str, &str); 3] =
    [("client", people::CLIENT), ("freelancer", people::FREELANCER), ("admin", people::ADMIN)];
/// Where demo people get their mail: a name that no mail server in the world has (RFC 2606).
const DOMAIN: &str = "@demo.example";

/// What to make.
pub(crate) struct Plan {
    /// The password of people who are not there yet.
    pub(crate) password: SecretString,
    /// 1 is the demo data; each step more adds about 150 rows of a larger market.
    pub(crate) scale: u32,
    /// What the additional ones are drawn with.
    pub(crate) seed: u64,
}

/// What is there now.
#[cfg_attr(not(feature = "dev"), expect(dead_code, reason = "only `dev` goes on from here"))]
pub(crate) struct Demo {
    /// Whether anybody was registered just now.
    pub(crate) registered: bool,
    /// Rows that the larger market got just now.
    pub(crate) rows: u64,
    pub(crate) people: people::Cast,
    pub(crate) skills: Vec<SkillId>,
    /// One that a new project may have.
    pub(crate) category: CategoryId,
    pub(crate) market: market::Market,
}

/// Refuses a database in which people have registered: demo people do not belong among them.
pub(crate) async fn refuse_real_people(app: &App) -> Result<()> {
    let real = user::Column::EmailKey.not_like(format!("%{DOMAIN}"));
    match user::Entity::find().filter(real).count(app.db.reader()).await? {
        0 => Ok(()),
        _ => Err("people have registered here: demo data is for an empty database".into()),
    }
}

/// Everything that needs no money.
pub(crate) async fn people_and_market(app: &App, plan: &Plan) -> Result<Demo> {
    let skills = people::skills(app).await?;
    let (people, registered) = people::cast(app, plan, &skills).await?;
    let market = market::build(app, &people, &skills).await?;
    let grown = bulk::grow(app, plan, &skills).await?;
    let category = domain::category::list(app, &domain::Actor::System, false)
        .await?
        .first()
        .ok_or("there are no categories")?
        .id;
    Ok(Demo {
        registered: registered || grown.registered,
        rows: grown.rows,
        people,
        skills,
        category,
        market,
    })
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
