//! Skills, and the people of the demo.

use domain::{
    App,
    account::{self, ProfileUpdate, Registration, SkillLevel},
    entities::{Role, SkillId, Usdc, category, skill, user},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, QueryFilter as _,
    sea_query::{Expr, OnConflict},
};
use secrecy::SecretString;

use super::{
    Plan, acting,
    content::{SKILLS, skill_named},
    find,
};
use crate::seed::Result;

/// The addresses to sign in with.
pub(super) const CLIENT: &str = "client@demo.example";
pub(super) const FREELANCER: &str = "freelancer@demo.example";
pub(super) const ADMIN: &str = "admin@demo.example";

/// The people of the demo.
pub(super) struct Cast {
    /// Whose projects and contracts the examples use.
    pub(super) client: user::Model,
    /// Another client.
    pub(super) publisher: user::Model,
    /// Who works on the client's contracts.
    pub(super) freelancer: user::Model,
    /// Another freelancer.
    pub(super) designer: user::Model,
    /// And another.
    pub(super) writer: user::Model,
}

/// Somebody to register.
pub(super) struct Newcomer<'a> {
    pub(super) email: &'a str,
    pub(super) name: &'a str,
    pub(super) role: Role,
    pub(super) headline: &'a str,
    pub(super) bio: &'a str,
    /// USDC an hour; freelancers only.
    pub(super) rate: Option<i64>,
    /// Skills with proficiency and years; freelancers only.
    pub(super) skills: &'a [(&'a str, i32, i32)],
}

/// The skills, made where they are missing, in the order of [`SKILLS`].
pub(super) async fn skills(app: &App) -> Result<Vec<SkillId>> {
    let categories = category::Entity::find().all(app.db.reader()).await?;
    let rows = SKILLS.iter().map(|(name, slug)| skill::ActiveModel {
        id: Set(app.clock.new_id()),
        name: Set((*name).to_owned()),
        name_key: Set(name.to_lowercase()),
        category_id: Set(categories
            .iter()
            .find(|category| category.slug == *slug)
            .map(|category| category.id)),
        verified_at: Set(Some(app.clock.now())),
        deleted_at: Set(None),
        created_at: Set(app.clock.now()),
    });
    let once = OnConflict::column(skill::Column::NameKey).do_nothing().to_owned();
    skill::Entity::insert_many(rows).on_conflict(once).exec_without_returning(app.db.writer()).await?;
    let known = skill::Entity::find().all(app.db.reader()).await?;
    let of_name =
        |name: &str| known.iter().find(|skill| skill.name_key == name.to_lowercase()).map(|skill| skill.id);
    SKILLS
        .iter()
        .map(|(name, _)| of_name(name).ok_or_else(|| format!("the skill {name} is gone").into()))
        .collect()
}

/// The demo's people, and whether anybody was registered just now.
pub(super) async fn cast(app: &App, plan: &Plan, skills: &[SkillId]) -> Result<(Cast, bool)> {
    let mut new = false;
    let mut person = async |newcomer: Newcomer<'_>| -> Result<user::Model> {
        let (person, registered) = ensure(app, &plan.password, skills, &newcomer).await?;
        new |= registered;
        Ok(person)
    };
    let client = person(Newcomer {
        email: CLIENT,
        name: "Clara Weiss",
        role: Role::Client,
        headline: "Runs a pottery studio",
        bio: "Two kilns, four wheels, and a shop that should sell while we throw.",
        rate: None,
        skills: &[],
    })
    .await?;
    let publisher = person(Newcomer {
        email: "publisher@demo.example",
        name: "Harbour Press",
        role: Role::Client,
        headline: "A small publisher of field guides",
        bio: "Nine titles, one warehouse, and readers who write letters.",
        rate: None,
        skills: &[],
    })
    .await?;
    let freelancer = person(Newcomer {
        email: FREELANCER,
        name: "Felix Okafor",
        role: Role::Freelancer,
        headline: "Full-stack developer for small shops",
        bio: "Twelve years of shops, bookings and payments. I hand over code that the next person can read.",
        rate: Some(55),
        skills: &[("Rust", 5, 6), ("TypeScript", 4, 9), ("PostgreSQL", 4, 10), ("GraphQL", 4, 5)],
    })
    .await?;
    let designer = person(Newcomer {
        email: "designer@demo.example",
        name: "Noor Haddad",
        role: Role::Freelancer,
        headline: "Brand and interface design",
        bio: "From the first sketch to the last favicon, with accessible colours.",
        rate: Some(48),
        skills: &[("Interface design", 5, 8), ("Illustration", 5, 11), ("TypeScript", 2, 2)],
    })
    .await?;
    let writer = person(Newcomer {
        email: "writer@demo.example",
        name: "Mateo Rossi",
        role: Role::Freelancer,
        headline: "Short texts about made things",
        bio: "I write what stands beside a bowl in a shop: what it is, how it was made, and why one wants it.",
        rate: Some(38),
        skills: &[("Copy editing", 5, 7), ("Translation", 4, 6)],
    })
    .await?;
    let admin = person(Newcomer {
        email: ADMIN,
        name: "Ada Moreau",
        role: Role::Client,
        headline: "Keeps MegiLance running",
        bio: "",
        rate: None,
        skills: &[],
    })
    .await?;
    account::grant_admin(app, &admin.email).await?;
    Ok((Cast { client, publisher, freelancer, designer, writer }, new))
}

/// A person who is registered, proven and described; and whether they were registered just now.
pub(super) async fn ensure(
    app: &App,
    password: &SecretString,
    skills: &[SkillId],
    newcomer: &Newcomer<'_>,
) -> Result<(user::Model, bool)> {
    let known =
        user::Entity::find().filter(user::Column::EmailKey.eq(newcomer.email)).one(app.db.reader()).await?;
    let (person, registered) = match known {
        Some(person) => (person, false),
        None => {
            let registration = Registration {
                email: newcomer.email.to_owned(),
                password: password.clone(),
                display_name: newcomer.name.to_owned(),
                role: newcomer.role,
                user_agent: Some("megilance seed".to_owned()),
            };
            (account::register(app, registration).await?.user, true)
        }
    };
    if person.email_verified_at.is_some() && person.headline.is_some() {
        return Ok((person, registered));
    }
    // Nobody reads these mailboxes: the proof is taken for granted.
    user::Entity::update_many()
        .col_expr(user::Column::EmailVerifiedAt, Expr::value(app.clock.now()))
        .filter(user::Column::Id.eq(person.id))
        .filter(user::Column::EmailVerifiedAt.is_null())
        .exec(app.db.writer())
        .await?;
    let person = find(app, person.id).await?;
    account::profile_update(app, &acting(&person), profile(newcomer, skills)?).await?;
    Ok((find(app, person.id).await?, registered))
}

fn profile(newcomer: &Newcomer<'_>, skills: &[SkillId]) -> Result<ProfileUpdate> {
    let works = newcomer.role == Role::Freelancer;
    let levels = newcomer.skills.iter().map(|(name, proficiency, years)| {
        Ok(SkillLevel { skill_id: skill_named(skills, name)?, proficiency: *proficiency, years: *years })
    });
    let levels = levels.collect::<Result<Vec<_>>>()?;
    Ok(ProfileUpdate {
        headline: Some(Some(newcomer.headline.to_owned())),
        bio: Some(Some(newcomer.bio.to_owned())),
        hourly_rate: works.then(|| newcomer.rate.and_then(Usdc::whole)),
        skills: works.then_some(levels),
        ..Default::default()
    })
}
