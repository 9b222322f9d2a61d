//! DataLoaders: many rows of a kind by one statement.
//!
//! A field below a list never asks the database itself: it loads by a key, and the keys of a level are read
//! together (see [`Turns`]). A connection below a list goes by `graphql::connection::connect_below`.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_graphql::{
    Context,
    dataloader::{DataLoader, Loader},
};
use domain::{
    App, Error,
    entities::{
        CategoryId, ContractId, DisputeId, LedgerTransferId, MilestoneId, PaymentId, ProjectId, ProposalId,
        SkillId, UploadId, UserId, category, contract, dispute, ledger_transfer, milestone, payment, project,
        proposal, skill, upload, user,
    },
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::error::fault;

mod below;
mod disputes;
mod files;
mod jobs;
mod market;
mod matching;
mod money;
mod people;
mod seen;
mod turn;

pub use below::{Asked, Count};
pub use disputes::{DisputeOn, EscrowOf, EvidenceIn, PaymentsBy};
pub use files::FilesOf;
pub use jobs::{JobCountAbout, JobNamed, JobsAbout};
pub use market::{
    ChangesOf, ContractOf, MilestonesOf, PlanOf, ProposalCountOf, ReviewsOf, SkillsOf, load_if_any,
    load_or_default,
};
pub use matching::{FreelancersFor, ProjectsFor};

pub use money::{ArrivedFor, ChainHead, EscrowOn, PaidOn, PaymentsOn, SignedFor, StatementOf, SubmissionOf};
pub use people::{FreelancerSavedBy, ProjectSavedBy, ProposalBy, UnreadOf, UserSkillsOf, WalletsOf};
pub use seen::{SeenFile, Visible, see, see_files};
use turn::Turn;
pub use turn::Turns;

/// How many keys a statement is given at the most: as many as both databases take as parameters, twice. What a
/// document may cost keeps a level well below it.
const MOST_AT_ONCE: usize = 10_000;

/// Loads rows by their ids. It decides nothing: who may see a row was decided by what led to it.
pub struct Rows {
    app: App,
}

impl Rows {
    /// A request's own loader, which begins its loads in the request's turns.
    fn new(app: App, turn: Arc<Turn>) -> DataLoader<Self> {
        DataLoader::new(Self { app }, move |load| turn.take(load))
            // The turn is what is waited for.
            .delay(Duration::ZERO)
            .max_batch_size(MOST_AT_ONCE)
    }
}

macro_rules! by_id {
    ($($module:ident: $id:ty,)*) => {$(
        impl Loader<$id> for Rows {
            type Value = $module::Model;
            type Error = Arc<Error>;

            async fn load(&self, keys: &[$id]) -> Result<HashMap<$id, Self::Value>, Self::Error> {
                let rows = $module::Entity::find()
                    .filter($module::Column::Id.is_in(keys.iter().copied()))
                    .all(self.app.db.reader())
                    .await
                    .map_err(|error| Arc::new(error.into()))?;
                Ok(rows.into_iter().map(|row| (row.id, row)).collect())
            }
        }
    )*};
}

by_id! {
    user: UserId,
    category: CategoryId,
    skill: SkillId,
    project: ProjectId,
    proposal: ProposalId,
    contract: ContractId,
    milestone: MilestoneId,
    upload: UploadId,
    payment: PaymentId,
    dispute: DisputeId,
    ledger_transfer: LedgerTransferId,
}

/// The row of an id that another row holds: it is there, because a foreign key says so.
pub async fn load<K, V>(ctx: &Context<'_>, id: K) -> async_graphql::Result<V>
where
    K: Copy + Eq + std::hash::Hash + Send + Sync + 'static,
    V: Send + Sync + Clone + 'static,
    Rows: Loader<K, Value = V, Error = Arc<Error>>,
{
    let row = ctx.data::<DataLoader<Rows>>()?.load_one(id).await.map_err(shared)?;
    row.ok_or_else(|| fault(Error::bug("a referenced row is missing")))
}

/// The rows of some ids, in their order; those that are gone are left out.
pub async fn load_many<K, V>(ctx: &Context<'_>, ids: Vec<K>) -> async_graphql::Result<Vec<V>>
where
    K: Copy + Eq + std::hash::Hash + Send + Sync + 'static,
    V: Send + Sync + Clone + 'static,
    Rows: Loader<K, Value = V, Error = Arc<Error>>,
{
    let mut rows = ctx.data::<DataLoader<Rows>>()?.load_many(ids.iter().copied()).await.map_err(shared)?;
    Ok(ids.into_iter().filter_map(|id| rows.remove(&id)).collect())
}

/// A batch fails as one: each of its callers gets the same error, told once.
pub fn shared(error: Arc<Error>) -> async_graphql::Error {
    fault(Arc::try_unwrap(error).unwrap_or_else(|error| Error::bug(format!("in a batch: {error}"))))
}
