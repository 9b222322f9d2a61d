//! `circle_payouts`: what Circle is asked to pay: stored before it is asked.

use sea_orm::entity::prelude::*;

use crate::{ids::PaymentId, money::Usdc};

/// What Circle is asked to pay: stored before it is asked, and never changed but by its answers.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "circle_payouts")]
pub struct Model {
    /// For which intent: one order each.
    #[sea_orm(primary_key, auto_increment = false)]
    pub payment_id: PaymentId,
    /// What it is asked for with, each time.
    #[sea_orm(unique)]
    pub idempotency_key: Uuid,
    /// Circle's id of the address that it goes to.
    pub recipient_id: String,
    /// How much.
    pub amount: Usdc,
    /// Circle's id of the payout; empty before Circle has answered.
    #[sea_orm(unique)]
    pub circle_id: Option<String>,
    /// Circle's word for where it stood when last asked.
    pub status: Option<String>,
    /// Circle's word for why it failed.
    pub error_code: Option<String>,
    /// What Circle took for it beside the amount, as it is booked since it is complete.
    pub fee: Usdc,
    /// Since when Circle has not known the payout by the id that it gave; empty when it does.
    pub missing_since: Option<DateTimeUtc>,
    /// What was wrong with the last asking, if anything.
    #[sea_orm(column_type = "Text", nullable)]
    pub trouble: Option<String>,
    /// How often Circle was asked for it.
    pub asks: i32,
    /// Until when an asking whose answer nobody heard may still come to Circle; empty when each was answered.
    pub doubt_until: Option<DateTimeUtc>,
    /// When.
    pub created_at: DateTimeUtc,
    /// When last asked.
    pub updated_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
