//! Keeping the skills: for admins.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use domain::{entities::skill, skill as skills};

use super::Skill;
use crate::{
    error::{UserError, answer},
    graphql::support::{actor, app, parse_id},
};

/// A skill to be.
#[derive(Debug, InputObject)]
pub struct SkillCreateInput {
    /// Its name: 1 to 100 characters, unique whatever their case.
    pub name: String,
    /// The field of work it belongs to; none in particular when left out.
    pub category_id: Option<ID>,
}

/// What to change of a skill. A field that is left out stays as it is.
#[derive(Debug, InputObject)]
pub struct SkillUpdateInput {
    /// Which one, `skl_...`.
    pub skill_id: ID,
    /// Its name: 1 to 100 characters, unique whatever their case.
    pub name: Option<String>,
    /// The field of work it belongs to; null: none in particular.
    pub category_id: MaybeUndefined<ID>,
}

/// Which skill to confirm.
#[derive(Debug, InputObject)]
pub struct SkillVerifyInput {
    /// Which one, `skl_...`.
    pub skill_id: ID,
    /// True confirms it, false takes that back.
    #[graphql(default = true)]
    pub verified: bool,
}

/// Which skill to withdraw.
#[derive(Debug, InputObject)]
pub struct SkillDeleteInput {
    /// Which one, `skl_...`.
    pub skill_id: ID,
}

/// Which skill to bring back.
#[derive(Debug, InputObject)]
pub struct SkillRestoreInput {
    /// Which one, `skl_...`.
    pub skill_id: ID,
}

/// The skill after the change, or why there was none.
#[derive(Debug, SimpleObject)]
pub struct SkillPayload {
    /// The skill; null when something has to be mended first.
    pub skill: Option<Skill>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

impl SkillPayload {
    fn of(result: domain::Result<skill::Model>) -> Result<Self> {
        let (skill, user_errors) = answer(result)?;
        Ok(Self { skill: skill.map(Skill), user_errors })
    }
}

impl SkillCreateInput {
    fn parse(self) -> domain::Result<skills::New> {
        let category_id = self.category_id.map(|id| parse_id("categoryId", &id)).transpose()?;
        Ok(skills::New { name: self.name, category_id })
    }
}

impl SkillUpdateInput {
    fn parse(self) -> domain::Result<skills::Change> {
        let category_id = match self.category_id {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(id) => Some(Some(parse_id("categoryId", &id)?)),
        };
        Ok(skills::Change { name: self.name, category_id })
    }
}

/// Keeping the skills.
#[derive(Debug, Default)]
pub struct SkillMutation;

#[Object]
impl SkillMutation {
    /// Makes a skill that profiles and projects may name; `skillVerify` confirms it. For admins.
    async fn skill_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The skill.")] input: SkillCreateInput,
    ) -> Result<SkillPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        SkillPayload::of(async { skills::create(app, actor, input.parse()?).await }.await)
    }

    /// Changes a skill's name or its category. For admins.
    async fn skill_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and what.")] input: SkillUpdateInput,
    ) -> Result<SkillPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("skillId", &input.skill_id);
        SkillPayload::of(async { skills::update(app, actor, id?, input.parse()?).await }.await)
    }

    /// Confirms that a skill is what people call it, or takes that back. Doing it again changes nothing. For admins.
    async fn skill_verify(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and whether.")] input: SkillVerifyInput,
    ) -> Result<SkillPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("skillId", &input.skill_id);
        SkillPayload::of(async { skills::verify(app, actor, id?, input.verified).await }.await)
    }

    /// Withdraws a skill: nobody can name it anew, and profiles no longer show it. Doing it again changes nothing.
    /// For admins.
    async fn skill_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: SkillDeleteInput,
    ) -> Result<SkillPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("skillId", &input.skill_id);
        SkillPayload::of(async { skills::delete(app, actor, id?).await }.await)
    }

    /// Brings a withdrawn skill back, also to the profiles that had it. Doing it again changes nothing. For admins.
    async fn skill_restore(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: SkillRestoreInput,
    ) -> Result<SkillPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("skillId", &input.skill_id);
        SkillPayload::of(async { skills::restore(app, actor, id?).await }.await)
    }
}
