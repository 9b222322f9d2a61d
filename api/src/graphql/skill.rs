//! Skills.

use async_graphql::{Context, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use domain::{entities::skill, skill as domain_skill};

use super::{
    category::Category,
    connection::{Listing, connect, list_cost, page},
    support::{actor, app, parse_id},
};
use crate::{error::fault, loaders::load};

pub mod manage;

/// Something that a freelancer can do and a project can ask for.
#[derive(Debug, Clone)]
pub struct Skill(pub skill::Model);

/// Something that a freelancer can do and a project can ask for.
#[Object]
impl Skill {
    /// Which skill.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Its name, unique whatever its case.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The field of work it belongs to; null when it belongs to none in particular.
    async fn category(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Category>> {
        match self.0.category_id {
            Some(id) => Ok(Some(Category(load(ctx, id).await?))),
            None => Ok(None),
        }
    }

    /// When an admin confirmed that it is what people call it; null before.
    async fn verified_at(&self) -> Option<DateTime<Utc>> {
        self.0.verified_at
    }

    /// When an admin withdrew it; null while profiles and projects may name it.
    async fn deleted_at(&self) -> Option<DateTime<Utc>> {
        self.0.deleted_at
    }
}

/// Which skills are wanted; everything given must hold.
#[derive(Debug, Default, InputObject)]
pub struct SkillFilter {
    /// A piece of the name, whatever its case.
    pub search: Option<String>,
    /// Only skills of this category.
    pub category_id: Option<ID>,
    /// True: only those that an admin confirmed; false: only the others.
    pub verified: Option<bool>,
    /// True: those that were withdrawn, instead of the others. For admins.
    #[graphql(default)]
    pub deleted: bool,
}

impl SkillFilter {
    fn parse(self) -> domain::Result<domain_skill::SkillFilter> {
        let category_id =
            self.category_id.as_ref().map(|id| parse_id("filter.categoryId", id)).transpose()?;
        Ok(domain_skill::SkillFilter {
            search: self.search,
            category_id,
            verified: self.verified,
            deleted: self.deleted,
        })
    }
}

/// Reads of skills.
#[derive(Debug, Default)]
pub struct SkillQuery;

#[Object]
impl SkillQuery {
    /// The skills that profiles and projects may name, in the order of their names.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn skills(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
        #[graphql(desc = "Which skills; all of them when left out.")] filter: Option<SkillFilter>,
    ) -> async_graphql::Result<Listing<Skill>> {
        let filter = filter.unwrap_or_default().parse().map_err(fault)?;
        let list = domain_skill::list(actor(ctx)?, &filter).map_err(fault)?;
        connect(app(ctx)?, list, page(first, after, last, before), Skill).await
    }
}
