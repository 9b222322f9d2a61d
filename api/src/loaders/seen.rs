//! Things by their ids, as far as an actor may see them: what `node` and `nodes` ask for.

use std::{
    collections::HashMap,
    hash::{Hash, Hasher},
    sync::Arc,
};

use async_graphql::{
    Context,
    dataloader::{DataLoader, Loader},
};
use domain::{
    Actor, Error, amendment as amendments, audit, contract as contracts, dispute as disputes,
    entities::{
        AmendmentId, AuditEntryId, CategoryId, ContractId, DisputeId, InvitationId, MilestoneId,
        NotificationId, PaymentId, PortfolioItemId, ProjectId, ProposalId, ReviewId, SkillId, UploadId,
        UserId, WalletId, audit_entry, category, contract, contract_amendment, dispute, invitation,
        milestone, notification, payment, portfolio_item, project, proposal, review, skill, upload, user,
        wallet,
    },
    invitation as invitations, milestone as milestones, notification as notifications, payment as payments,
    project as projects, proposal as proposals, review as reviews, skill as skills, upload as uploads,
    wallet as wallets,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Select};

use super::{Rows, shared};
use crate::graphql::support::actor;

/// A thing by its id, if this actor may see it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Visible<I> {
    actor: Actor,
    id: I,
}

/// A file that was loaded already, if this actor may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenFile {
    actor: Actor,
    file: upload::Model,
}

impl Hash for SeenFile {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.actor, self.file.id).hash(state);
    }
}

/// The thing with this id; none when it is not there, or when who asks may not see it.
pub async fn see<I, V>(ctx: &Context<'_>, id: I) -> async_graphql::Result<Option<V>>
where
    I: Clone + Eq + Hash + Send + Sync + 'static,
    V: Send + Sync + Clone + 'static,
    Rows: Loader<Visible<I>, Value = V, Error = Arc<Error>>,
{
    let key = Visible { actor: actor(ctx)?.clone(), id };
    ctx.data::<DataLoader<Rows>>()?.load_one(key).await.map_err(shared)
}

/// Those of some files that who asks may see, in their order.
pub async fn see_files(
    ctx: &Context<'_>,
    files: impl IntoIterator<Item = upload::Model>,
) -> async_graphql::Result<Vec<upload::Model>> {
    let actor = actor(ctx)?;
    let keys: Vec<_> = files.into_iter().map(|file| SeenFile { actor: actor.clone(), file }).collect();
    let seen = ctx.data::<DataLoader<Rows>>()?.load_many(keys.iter().cloned()).await.map_err(shared)?;
    Ok(keys.into_iter().filter(|key| seen.contains_key(key)).map(|key| key.file).collect())
}

type Loaded<K, V> = Result<HashMap<K, V>, Arc<Error>>;

macro_rules! visible {
    ($($id:ty: $module:ident, $select:expr;)*) => {$(
        impl Loader<Visible<$id>> for Rows {
            type Value = $module::Model;
            type Error = Arc<Error>;

            async fn load(&self, keys: &[Visible<$id>]) -> Loaded<Visible<$id>, Self::Value> {
                let select: fn(&Actor) -> Select<$module::Entity> = $select;
                let mut loaded = HashMap::new();
                for (actor, ids) in by_actor(keys.iter().map(|key| (&key.actor, key.id))) {
                    let rows = select(actor)
                        .filter($module::Column::Id.is_in(ids))
                        .all(self.app.db.reader())
                        .await
                        .map_err(Error::from)?;
                    let key = |id| Visible { actor: actor.clone(), id };
                    loaded.extend(rows.into_iter().map(|row| (key(row.id), row)));
                }
                Ok(loaded)
            }
        }
    )*};
}

visible! {
    // The public side of these is for everybody.
    UserId: user, |_| user::Entity::find();
    CategoryId: category, |_| category::Entity::find();
    SkillId: skill, skills::visible;
    ProjectId: project, projects::visible;
    ProposalId: proposal, proposals::visible;
    ContractId: contract, contracts::visible;
    MilestoneId: milestone, milestones::visible;
    PaymentId: payment, payments::visible;
    WalletId: wallet, wallets::visible;
    NotificationId: notification, notifications::visible;
    AuditEntryId: audit_entry, audit::visible;
    AmendmentId: contract_amendment, amendments::visible;
    DisputeId: dispute, disputes::visible;
    InvitationId: invitation, invitations::visible;
    ReviewId: review, reviews::visible;
    PortfolioItemId: portfolio_item, |_| portfolio_item::Entity::find();
}

impl Loader<Visible<UploadId>> for Rows {
    type Value = upload::Model;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[Visible<UploadId>]) -> Loaded<Visible<UploadId>, Self::Value> {
        let mut loaded = HashMap::new();
        for (actor, ids) in by_actor(keys.iter().map(|key| (&key.actor, key.id))) {
            let rows = upload::Entity::find()
                .filter(upload::Column::Id.is_in(ids))
                .all(self.app.db.reader())
                .await
                .map_err(Error::from)?;
            let seen = uploads::seen(&self.app, actor, &rows).await?;
            let key = |id| Visible { actor: actor.clone(), id };
            let rows = rows.into_iter().filter(|row| seen.contains(&row.id));
            loaded.extend(rows.map(|row| (key(row.id), row)));
        }
        Ok(loaded)
    }
}

impl Loader<SeenFile> for Rows {
    type Value = ();
    type Error = Arc<Error>;

    async fn load(&self, keys: &[SeenFile]) -> Loaded<SeenFile, ()> {
        let mut loaded = HashMap::new();
        for (actor, files) in by_actor(keys.iter().map(|key| (&key.actor, key))) {
            let seen = uploads::seen(&self.app, actor, files.iter().map(|key| &key.file)).await?;
            let seen = files.into_iter().filter(|key| seen.contains(&key.file.id));
            loaded.extend(seen.map(|key| (key.clone(), ())));
        }
        Ok(loaded)
    }
}

/// What each actor asks for: nothing is ever decided for two of them at once.
fn by_actor<'a, T>(keys: impl Iterator<Item = (&'a Actor, T)>) -> HashMap<&'a Actor, Vec<T>> {
    let mut groups: HashMap<_, Vec<_>> = HashMap::new();
    for (actor, key) in keys {
        groups.entry(actor).or_default().push(key);
    }
    groups
}
