//! One's public profile.

use std::collections::HashSet;

use entities::{Availability, Role, SkillId, Usdc, UserId, skill, user, user_skill};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::locked;
use crate::{
    Actor, App, Tx,
    check::Check,
    error::{Code, Error, Result},
    policy::{Action, authorise},
    search,
};

/// The most skills on a profile.
const MOST_SKILLS: usize = 50;

/// What to change: `None` leaves a field as it is, `Some(None)` empties it.
#[derive(Debug, Clone, Default)]
pub struct ProfileUpdate {
    /// Up to 120 characters.
    pub headline: Option<Option<String>>,
    /// Up to 5,000 characters.
    pub bio: Option<Option<String>>,
    /// A freelancer's rate, 1 to 1,000 USDC an hour.
    pub hourly_rate: Option<Option<Usdc>>,
    /// When a freelancer can start.
    pub availability: Option<Option<Availability>>,
    /// Up to 120 characters.
    pub location: Option<Option<String>>,
    /// An IANA name such as `Europe/Vienna`.
    pub time_zone: Option<Option<String>>,
    /// A freelancer's skills, all of them: what is not named goes.
    pub skills: Option<Vec<SkillLevel>>,
}

/// How well somebody knows a skill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SkillLevel {
    /// Which.
    pub skill_id: SkillId,
    /// 1 to 5.
    pub proficiency: i32,
    /// 0 to 60.
    pub years: i32,
}

/// Changes the actor's own profile.
pub async fn profile_update(app: &App, actor: &Actor, input: ProfileUpdate) -> Result<user::Model> {
    authorise(actor, Action::OwnAccount, "", "account")?;
    let mut check = Check::new();
    check_work(&mut check, actor, &input);
    let change = ChangedFields {
        headline: line(&mut check, "headline", input.headline, 120),
        bio: input
            .bio
            .map(|bio| bio.map(|bio| check.text("bio", &bio, 0..=5_000)).filter(|bio| !bio.is_empty())),
        location: line(&mut check, "location", input.location, 120),
        time_zone: line(&mut check, "timeZone", input.time_zone, 64),
    };
    if let Some(Some(name)) = &change.time_zone {
        check.ensure(
            name.parse::<chrono_tz::Tz>().is_ok(),
            "timeZone",
            Code::Invalid,
            "Give an IANA time zone such as \"Europe/Vienna\".",
        );
    }
    check.done()?;

    let tx = app.db.begin().await?;
    let person = locked(&tx, actor.signed_in()?.id).await?;
    let now = app.clock.now();
    let row = user::ActiveModel {
        id: Set(person.id),
        headline: Set(change.headline.unwrap_or(person.headline)),
        bio: Set(change.bio.unwrap_or(person.bio)),
        location: Set(change.location.unwrap_or(person.location)),
        time_zone: Set(change.time_zone.unwrap_or(person.time_zone)),
        hourly_rate: Set(input.hourly_rate.unwrap_or(person.hourly_rate)),
        availability: Set(input.availability.unwrap_or(person.availability)),
        updated_at: Set(now),
        ..Default::default()
    };
    let person = row.update(&*tx).await?;
    search::index_person(&*tx, &person).await?;
    if let Some(skills) = input.skills {
        replace_skills(&tx, person.id, &skills).await?;
    }
    tx.commit().await?;
    Ok(person)
}

struct ChangedFields {
    headline: Option<Option<String>>,
    bio: Option<Option<String>>,
    location: Option<Option<String>>,
    time_zone: Option<Option<String>>,
}

/// A field of one line: trimmed, checked, and emptied when nothing is left of it.
fn line(
    check: &mut Check,
    field: &str,
    change: Option<Option<String>>,
    most: usize,
) -> Option<Option<String>> {
    change.map(|text| text.map(|text| check.line(field, &text, 0..=most)).filter(|text| !text.is_empty()))
}

/// The part of a profile that offers work.
fn check_work(check: &mut Check, actor: &Actor, input: &ProfileUpdate) {
    let client = actor.person().is_some_and(|person| person.role == Role::Client);
    for (field, given) in [
        ("hourlyRate", input.hourly_rate.is_some()),
        ("availability", input.availability.is_some()),
        ("skills", input.skills.is_some()),
    ] {
        check.ensure(!(client && given), field, Code::Forbidden, "This needs the role FREELANCER.");
    }
    if let Some(Some(rate)) = input.hourly_rate {
        check.range("hourlyRate", rate, Usdc(Usdc::SCALE)..=Usdc(1_000 * Usdc::SCALE));
    }
    let Some(skills) = &input.skills else { return };
    check.ensure(
        skills.len() <= MOST_SKILLS,
        "skills",
        Code::LimitReached,
        format!("Give at most {MOST_SKILLS} skills."),
    );
    let mut seen = HashSet::new();
    for (index, level) in skills.iter().enumerate() {
        check.range(&format!("skills.{index}.proficiency"), level.proficiency, 1..=5);
        check.range(&format!("skills.{index}.years"), level.years, 0..=60);
        check.ensure(
            seen.insert(level.skill_id),
            &format!("skills.{index}.skillId"),
            Code::Invalid,
            "Name each skill once.",
        );
    }
}

async fn replace_skills(tx: &Tx, user: UserId, skills: &[SkillLevel]) -> Result<()> {
    let known: HashSet<SkillId> = skill::Entity::find()
        .filter(skill::Column::Id.is_in(skills.iter().map(|level| level.skill_id)))
        .filter(skill::Column::DeletedAt.is_null())
        .all(&**tx)
        .await?
        .into_iter()
        .map(|skill| skill.id)
        .collect();
    if let Some(index) = skills.iter().position(|level| !known.contains(&level.skill_id)) {
        return Err(Error::rejected(
            &format!("skills.{index}.skillId"),
            Code::NotFound,
            "There is no such skill.",
        ));
    }
    user_skill::Entity::delete_many().filter(user_skill::Column::UserId.eq(user)).exec(&**tx).await?;
    if skills.is_empty() {
        return Ok(());
    }
    let rows = skills.iter().map(|level| user_skill::ActiveModel {
        user_id: Set(user),
        skill_id: Set(level.skill_id),
        proficiency: Set(level.proficiency),
        years: Set(level.years),
    });
    user_skill::Entity::insert_many(rows).exec_without_returning(&**tx).await?;
    Ok(())
}
