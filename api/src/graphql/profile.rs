//! Changing one's profile: a field that is left out stays, null empties it.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use domain::account::{self, ProfileUpdate, SkillLevel};

use super::{
    enums::Availability,
    scalars::MoneyInput,
    support::{actor, app, parse_id},
    user::User,
};
use crate::error::{UserError, answer};

/// What to change of your profile. A field that is left out stays as it is; null empties it.
#[derive(Debug, InputObject)]
pub struct ProfileUpdateInput {
    /// One line about you, up to 120 characters.
    pub headline: MaybeUndefined<String>,
    /// More about you, up to 5,000 characters.
    pub bio: MaybeUndefined<String>,
    /// A freelancer's rate, 1 to 1,000 USDC an hour.
    pub hourly_rate: MaybeUndefined<MoneyInput>,
    /// When a freelancer can start.
    pub availability: MaybeUndefined<Availability>,
    /// Where you are, up to 120 characters.
    pub location: MaybeUndefined<String>,
    /// Your time zone, an IANA name such as "Europe/Vienna".
    pub time_zone: MaybeUndefined<String>,
    /// A freelancer's skills, all of them: what is not named goes. Up to 50.
    pub skills: MaybeUndefined<Vec<UserSkillInput>>,
}

/// How well you know a skill.
#[derive(Debug, InputObject)]
pub struct UserSkillInput {
    /// Which skill.
    pub skill_id: ID,
    /// How well, from 1 (knows about it) to 5 (masters it).
    pub proficiency: i32,
    /// For how many years, 0 to 60.
    pub years: i32,
}

/// A changed profile.
#[derive(Debug, SimpleObject)]
pub struct ProfileUpdatePayload {
    /// You, as you are now.
    pub user: Option<User>,
    /// What you can mend; empty when it worked.
    pub user_errors: Vec<UserError>,
}

impl ProfileUpdateInput {
    /// As the domain takes it; a problem when an id or an amount is none.
    fn parse(self) -> domain::Result<ProfileUpdate> {
        let hourly_rate = match change(self.hourly_rate) {
            Some(Some(rate)) => Some(Some(rate.parse("hourlyRate")?)),
            other => other.map(|_| None),
        };
        let skills = change(self.skills).map(Option::unwrap_or_default).map(levels).transpose()?;
        Ok(ProfileUpdate {
            headline: change(self.headline),
            bio: change(self.bio),
            hourly_rate,
            availability: change(self.availability).map(|given| given.map(Into::into)),
            location: change(self.location),
            time_zone: change(self.time_zone),
            skills,
        })
    }
}

fn levels(skills: Vec<UserSkillInput>) -> domain::Result<Vec<SkillLevel>> {
    let level = |(index, input): (usize, UserSkillInput)| {
        Ok(SkillLevel {
            skill_id: parse_id(&format!("skills.{index}.skillId"), &input.skill_id)?,
            proficiency: input.proficiency,
            years: input.years,
        })
    };
    skills.into_iter().enumerate().map(level).collect()
}

/// A field that can be left out, emptied or given.
pub(super) fn change<T>(given: MaybeUndefined<T>) -> Option<Option<T>> {
    match given {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}

/// What can be done with one's own profile.
#[derive(Debug, Default)]
pub struct UserMutation;

#[Object]
impl UserMutation {
    /// Changes your profile. A field that is left out stays as it is; null empties it.
    async fn profile_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: ProfileUpdateInput,
    ) -> async_graphql::Result<ProfileUpdatePayload> {
        let updated = match input.parse() {
            Ok(input) => account::profile_update(app(ctx)?, actor(ctx)?, input).await,
            Err(error) => Err(error),
        };
        let (user, user_errors) = answer(updated)?;
        Ok(ProfileUpdatePayload { user: user.map(User), user_errors })
    }
}
