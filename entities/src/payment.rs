//! `payments`: money on its way: a deposit, or an intent to pay out.

use sea_orm::entity::prelude::*;

use crate::{
    enums::{PaymentKind, PaymentRail, PaymentStatus},
    ids::{ContractId, DisputeId, MilestoneId, PaymentId, UserId},
    money::Usdc,
};

/// Money on its way: a deposit, or an intent to pay out.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payments")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PaymentId,
    /// What for.
    pub kind: PaymentKind,
    /// Where in its life.
    pub status: PaymentStatus,
    /// What it travels on.
    pub rail: PaymentRail,
    /// Of which contract.
    pub contract_id: Option<ContractId>,
    /// Of which milestone.
    pub milestone_id: Option<MilestoneId>,
    /// Whose money it is.
    pub payer_id: Option<UserId>,
    /// Who gets it.
    pub payee_id: Option<UserId>,
    /// Who asked for it; empty for the system.
    pub started_by: Option<UserId>,
    /// The gross.
    pub amount: Usdc,
    /// The platform's part.
    pub fee: Usdc,
    /// What the payee gets: gross less fee.
    pub net: Usdc,
    /// Why, in the words of who asked (refunds).
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// Where to, fixed at signing, lower-case hex.
    pub destination: Option<String>,
    /// Where a deposit is to be sent, lower-case hex.
    pub deposit_address: Option<String>,
    /// A deposit's deadline, in block time.
    pub expires_at: Option<DateTimeUtc>,
    /// Blocks until it counts, the block itself included; empty for a deposit whose block has to be final.
    pub required_confirmations: Option<i32>,
    /// Why it is held or waits.
    pub hold_reason: Option<String>,
    /// Why it failed.
    pub failure_reason: Option<String>,
    /// The deposit that it refunds, returns or passes on.
    pub linked_payment_id: Option<PaymentId>,
    /// The failed payment in whose place it came. One takes the place of each at the most.
    #[sea_orm(unique)]
    pub retry_of: Option<PaymentId>,
    /// The administrator who holds it back, until one lets it go.
    pub held_by: Option<UserId>,
    /// The administrator who approved it, where its amount needs one.
    pub approved_by: Option<UserId>,
    /// The administrator who sent it elsewhere last.
    pub redirected_by: Option<UserId>,
    /// The gross of the whole decision that it is a part of; empty when it is all of it.
    pub decision_total: Option<Usdc>,
    /// The dispute whose resolution it carries out.
    pub dispute_id: Option<DisputeId>,
    /// Raised by each change of state.
    pub version: i32,
    /// Raised by each wake-up: part of the job's key.
    pub look: i32,
    /// When it wants to be looked at next; empty when it is done.
    pub due_at: Option<DateTimeUtc>,
    /// When.
    pub created_at: DateTimeUtc,
    /// When last changed.
    pub updated_at: DateTimeUtc,
    /// When it ended well.
    pub completed_at: Option<DateTimeUtc>,
    /// A deposit's: when all that it was credited for was final on the chain. Until then it is looked at.
    pub final_at: Option<DateTimeUtc>,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
