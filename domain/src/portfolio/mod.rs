//! Portfolios: the work that freelancers show, with pictures. Everybody sees it.

use entities::{PortfolioItemId, Role, UploadId, UploadPurpose, UserId, portfolio_item};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, ModelTrait,
    PaginatorTrait, QueryFilter, QuerySelect,
};
use url::Url;

use crate::{
    Actor, App, Tx, account,
    check::Check,
    error::{Code, Error, Result},
    page::{Below, List},
    policy::{self, Action, authorise},
    upload,
};

/// How many pieces of work one freelancer shows at the most.
pub const MOST_ITEMS: u64 = 50;
/// The longest link, in characters: what browsers take everywhere.
const LONGEST_LINK: usize = 2_000;

/// A piece of work to show.
#[derive(Debug, Clone)]
pub struct New {
    /// 1 to 200 characters.
    pub title: String,
    /// Up to 5,000 characters.
    pub description: String,
    /// Where it can be seen: an https address.
    pub link: Option<String>,
    /// Pictures of it: own uploads for PORTFOLIO_IMAGE, READY, at most [`upload::MOST_A_THING`].
    pub upload_ids: Vec<UploadId>,
}

/// What to change of it: `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// 1 to 200 characters.
    pub title: Option<String>,
    /// Up to 5,000 characters.
    pub description: Option<String>,
    /// Where it can be seen; `Some(None)`: nowhere.
    pub link: Option<Option<String>>,
    /// Its pictures, all of them: what is not named is deleted.
    pub upload_ids: Option<Vec<UploadId>>,
}

/// What freelancers show, the newest first, for everybody.
pub fn of_users() -> Below<portfolio_item::Entity> {
    use portfolio_item::{Column, Entity};
    List::by_id(Entity::find(), Column::Id, true).below([Column::UserId])
}

/// Shows one more piece of work.
pub async fn create(app: &App, actor: &Actor, input: New) -> Result<portfolio_item::Model> {
    let user_id = policy::enter(actor, &[Role::Freelancer])?.id;
    let mut check = Check::new();
    let title = title(&mut check, &input.title);
    let description = description(&mut check, &input.description);
    let link = input.link.and_then(|given| link(&mut check, &given));
    check.done()?;
    let now = app.clock.now();
    let item = portfolio_item::Model {
        id: app.clock.new_id(),
        user_id,
        title,
        description,
        link,
        version: 1,
        created_at: now,
        updated_at: now,
    };

    let tx = app.db.begin().await?;
    // Locked so that two at once are counted one after the other.
    account::locked(&tx, user_id).await?;
    require_room(&tx, user_id).await?;
    portfolio_item::Entity::insert(item.clone().into_active_model()).exec_without_returning(&*tx).await?;
    attach(app, &tx, actor, &item, &input.upload_ids).await?;
    tx.commit().await?;
    Ok(item)
}

/// Changes a piece of work.
pub async fn update(
    app: &App,
    actor: &Actor,
    id: PortfolioItemId,
    input: Change,
) -> Result<portfolio_item::Model> {
    policy::enter(actor, &[Role::Freelancer])?;
    let tx = app.db.begin().await?;
    let item = locked(&tx, actor, id).await?;
    let mut check = Check::new();
    let title = input.title.map(|given| title(&mut check, &given));
    let description = input.description.map(|given| description(&mut check, &given));
    let link = input.link.map(|given| given.and_then(|given| link(&mut check, &given)));
    check.done()?;
    let change = portfolio_item::ActiveModel {
        id: Set(id),
        title: Set(title.unwrap_or(item.title)),
        description: Set(description.unwrap_or(item.description)),
        link: Set(link.unwrap_or(item.link)),
        version: Set(item.version + 1),
        updated_at: Set(app.clock.now()),
        ..Default::default()
    };
    let item = change.update(&*tx).await?;
    if let Some(uploads) = input.upload_ids {
        let gone = "It was taken out of the portfolio.";
        upload::give_up(app, &tx, &id.to_string(), &uploads, gone).await?;
        attach(app, &tx, actor, &item, &uploads).await?;
    }
    tx.commit().await?;
    Ok(item)
}

/// Takes a piece of work out, for good: its pictures are deleted by a job of the same transaction.
pub async fn delete(app: &App, actor: &Actor, id: PortfolioItemId) -> Result<PortfolioItemId> {
    policy::enter(actor, &[Role::Freelancer])?;
    let tx = app.db.begin().await?;
    let item = locked(&tx, actor, id).await?;
    upload::give_up(app, &tx, &id.to_string(), &[], "The portfolio item was deleted.").await?;
    item.delete(&*tx).await?;
    tx.commit().await?;
    Ok(id)
}

async fn attach(
    app: &App,
    tx: &Tx,
    actor: &Actor,
    item: &portfolio_item::Model,
    uploads: &[UploadId],
) -> Result<()> {
    let (purpose, subject) = (UploadPurpose::PortfolioImage, item.id.to_string());
    upload::attach(app, tx, actor, purpose, uploads, &subject, "uploadIds").await
}

/// A piece of the actor's own work, locked.
async fn locked(tx: &Tx, actor: &Actor, id: PortfolioItemId) -> Result<portfolio_item::Model> {
    let item = portfolio_item::Entity::find_by_id(id).lock_exclusive().one(&**tx).await?;
    let item = item.ok_or_else(|| Error::not_found("portfolioItemId", "portfolio item"))?;
    authorise(actor, Action::PortfolioChange(&item), "portfolioItemId", "portfolio item")?;
    Ok(item)
}

async fn require_room(tx: &Tx, user: UserId) -> Result<()> {
    let shown = portfolio_item::Entity::find().filter(portfolio_item::Column::UserId.eq(user));
    if shown.count(&**tx).await? < MOST_ITEMS {
        return Ok(());
    }
    let message = format!("A portfolio has at most {MOST_ITEMS} items: delete one first.");
    Err(Error::rejected("", Code::LimitReached, message))
}

fn title(check: &mut Check, given: &str) -> String {
    check.line("title", given, 1..=200)
}

fn description(check: &mut Check, given: &str) -> String {
    check.text("description", given, 0..=5_000)
}

/// An https address that a page can link to; an empty one is none.
fn link(check: &mut Check, given: &str) -> Option<String> {
    let given = check.line("link", given, 0..=LONGEST_LINK);
    if given.is_empty() {
        return None;
    }
    // Without a name and a password in it: they would be shown to everybody.
    let link = Url::parse(&given).ok().filter(|link| {
        link.scheme() == "https" && link.has_host() && link.username().is_empty() && link.password().is_none()
    });
    let message = "Give an address that begins with https://, such as https://example.com/work.";
    check.ensure(link.is_some(), "link", Code::Invalid, message);
    link.map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_https_and_holds_no_secret() {
        let kept = |given: &str| {
            let mut check = Check::new();
            let kept = link(&mut check, given);
            check.done().map(|()| kept)
        };
        assert_eq!(kept(" https://example.com/a b ").unwrap().as_deref(), Some("https://example.com/a%20b"));
        assert_eq!(kept("  ").unwrap(), None);
        for bad in [
            "http://example.com",
            "javascript:alert(1)",
            "example.com",
            "https://",
            "https://ann:secret@example.com",
            "https://exa\nmple.com",
        ] {
            assert!(kept(bad).is_err(), "{bad}");
        }
    }
}
