//! Rows by the thousand: one statement for as many as a statement takes.

use domain::{
    Tx,
    entities::{
        contract, invitation, ledger_account, ledger_posting, ledger_transfer, milestone, payment,
        portfolio_item, project, project_skill, proposal, proposed_milestone, review, saved_freelancer,
        saved_project, submission, user, user_skill, wallet,
    },
};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Iterable as _};

use crate::seed::Result;

/// Values that one statement binds: SQLite takes 32,766, PostgreSQL 65,535.
const MOST_VALUES: usize = 30_000;

macro_rules! tables {
    ($($field:ident: $module:ident,)*) => {
        /// What is to be written, a table each, in the order in which rows refer to each other.
        #[derive(Default)]
        pub(super) struct Rows {
            $(pub(super) $field: Vec<$module::Model>,)*
        }

        impl Rows {
            /// Writes all of it. Units: rows.
            pub(super) async fn write(self, tx: &Tx) -> Result<u64> {
                let mut written = 0;
                $(written += insert::<$module::Entity>(tx, self.$field).await?;)*
                Ok(written)
            }
        }
    };
}

tables! {
    users: user,
    user_skills: user_skill,
    wallets: wallet,
    portfolio_items: portfolio_item,
    projects: project,
    project_skills: project_skill,
    saved_projects: saved_project,
    saved_freelancers: saved_freelancer,
    invitations: invitation,
    proposals: proposal,
    proposed_milestones: proposed_milestone,
    contracts: contract,
    milestones: milestone,
    submissions: submission,
    reviews: review,
    payments: payment,
    accounts: ledger_account,
    // A transfer is sealed by its row: its postings come first.
    postings: ledger_posting,
    transfers: ledger_transfer,
}

async fn insert<E>(tx: &Tx, rows: Vec<E::Model>) -> Result<u64>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: ActiveModelTrait<Entity = E>,
{
    let count = rows.len() as u64;
    let at_once = MOST_VALUES / E::Column::iter().count().max(1);
    let mut rows = rows.into_iter().map(IntoActiveModel::into_active_model).peekable();
    while rows.peek().is_some() {
        E::insert_many(rows.by_ref().take(at_once)).exec_without_returning(&**tx).await?;
    }
    Ok(count)
}
