//! Portfolios: the work that freelancers show.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{entities::portfolio_item, portfolio};

use super::{
    profile::change,
    support::{actor, app, parse_id, parse_ids},
    upload::{Image, pictures_of},
    user::User,
};
use crate::{
    error::{UserError, answer},
    loaders::load,
};

/// A piece of work that a freelancer shows. Everybody sees it.
#[derive(Debug, Clone)]
pub struct PortfolioItem(pub portfolio_item::Model);

/// A piece of work that a freelancer shows. Everybody sees it.
#[Object]
impl PortfolioItem {
    /// Which one, `pfi_...`.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Whose work it is.
    async fn user(&self, ctx: &Context<'_>) -> Result<User> {
        load(ctx, self.0.user_id).await.map(User)
    }

    /// What it is, in a line.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// More about it; may be empty.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// Where it can be seen, an https address.
    async fn link(&self) -> Option<&str> {
        self.0.link.as_deref()
    }

    /// Pictures of it, in the order in which they were uploaded; at most 10.
    #[graphql(complexity = "2 + 5 * child_complexity")]
    async fn images(&self, ctx: &Context<'_>) -> Result<Vec<Image>> {
        pictures_of(ctx, self.0.id).await
    }

    /// When it was added.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// A piece of work to show.
#[derive(Debug, InputObject)]
pub struct PortfolioItemCreateInput {
    /// What it is, in a line: 1 to 200 characters.
    pub title: String,
    /// More about it, up to 5,000 characters.
    #[graphql(default)]
    pub description: String,
    /// Where it can be seen: an https address, up to 2,000 characters.
    pub link: Option<String>,
    /// Pictures of it: your own uploads for PORTFOLIO_IMAGE, READY, at most 10.
    pub upload_ids: Option<Vec<ID>>,
}

/// What to change of a piece of work. A field that is left out stays as it is.
#[derive(Debug, InputObject)]
pub struct PortfolioItemUpdateInput {
    /// One of your own, `pfi_...`.
    pub portfolio_item_id: ID,
    /// What it is, in a line: 1 to 200 characters.
    pub title: Option<String>,
    /// More about it, up to 5,000 characters.
    pub description: Option<String>,
    /// Where it can be seen: an https address, up to 2,000 characters; null: nowhere.
    pub link: MaybeUndefined<String>,
    /// Its pictures, all of them, at most 10: those it has already and your own uploads for PORTFOLIO_IMAGE, READY.
    /// What is not named is deleted.
    pub upload_ids: Option<Vec<ID>>,
}

/// Which piece of work to take out.
#[derive(Debug, InputObject)]
pub struct PortfolioItemDeleteInput {
    /// One of your own, `pfi_...`.
    pub portfolio_item_id: ID,
}

/// The piece of work after the change, or why there was none.
#[derive(Debug, SimpleObject)]
pub struct PortfolioItemPayload {
    /// The piece of work; null when something has to be mended first.
    pub portfolio_item: Option<PortfolioItem>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

impl PortfolioItemPayload {
    fn of(result: domain::Result<portfolio_item::Model>) -> Result<Self> {
        let (item, user_errors) = answer(result)?;
        Ok(Self { portfolio_item: item.map(PortfolioItem), user_errors })
    }
}

/// What was taken out, or why nothing was.
#[derive(Debug, SimpleObject)]
pub struct PortfolioItemDeletePayload {
    /// The id that it had; null when something has to be mended first.
    pub portfolio_item_id: Option<ID>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

impl PortfolioItemCreateInput {
    fn parse(self) -> domain::Result<portfolio::New> {
        Ok(portfolio::New {
            upload_ids: parse_ids("uploadIds", &self.upload_ids.unwrap_or_default())?,
            title: self.title,
            description: self.description,
            link: self.link,
        })
    }
}

impl PortfolioItemUpdateInput {
    fn parse(self) -> domain::Result<portfolio::Change> {
        Ok(portfolio::Change {
            upload_ids: self.upload_ids.map(|ids| parse_ids("uploadIds", &ids)).transpose()?,
            title: self.title,
            description: self.description,
            link: change(self.link),
        })
    }
}

/// Changing one's portfolio.
#[derive(Debug, Default)]
pub struct PortfolioMutation;

#[Object]
impl PortfolioMutation {
    /// Shows one more piece of work: at most 50. For freelancers with a proven e-mail address.
    async fn portfolio_item_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The piece of work.")] input: PortfolioItemCreateInput,
    ) -> Result<PortfolioItemPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        PortfolioItemPayload::of(async { portfolio::create(app, actor, input.parse()?).await }.await)
    }

    /// Changes a piece of work that you show.
    async fn portfolio_item_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and what.")] input: PortfolioItemUpdateInput,
    ) -> Result<PortfolioItemPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("portfolioItemId", &input.portfolio_item_id);
        PortfolioItemPayload::of(async { portfolio::update(app, actor, id?, input.parse()?).await }.await)
    }

    /// Takes a piece of work out of your portfolio, for good. Its pictures are deleted.
    async fn portfolio_item_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: PortfolioItemDeleteInput,
    ) -> Result<PortfolioItemDeletePayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("portfolioItemId", &input.portfolio_item_id);
        let (gone, user_errors) = answer(async { portfolio::delete(app, actor, id?).await }.await)?;
        Ok(PortfolioItemDeletePayload {
            portfolio_item_id: gone.map(|id| id.to_string().into()),
            user_errors,
        })
    }
}
