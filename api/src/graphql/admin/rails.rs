//! Money that the platform moves between its own holdings.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    payment::circle,
    policy::{self, Action},
};

use crate::{
    error::{UserError, answer},
    graphql::{
        enums::PaymentRail,
        scalars::{Money, MoneyInput},
        support::{actor, app, parse_id},
    },
};

/// Money that was moved between the treasury on the chain and the balance at Circle.
#[derive(SimpleObject)]
pub struct TreasuryMove {
    /// Where it was.
    pub from: PaymentRail,
    /// Where it is now.
    pub to: PaymentRail,
    /// How much.
    pub amount: Money,
    /// What proves it: a transaction's hash, or Circle's id of the transfer.
    pub reference: String,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}

impl From<circle::TreasuryMove> for TreasuryMove {
    fn from(moved: circle::TreasuryMove) -> Self {
        Self {
            from: moved.from.into(),
            to: moved.to.into(),
            amount: moved.amount.into(),
            reference: moved.reference,
            recorded_at: moved.recorded_at,
        }
    }
}

/// What was moved.
#[derive(Debug, InputObject)]
pub struct TreasuryMoveInput {
    /// Where it was.
    pub from: PaymentRail,
    /// Where it is now: the other one.
    pub to: PaymentRail,
    /// How much; at most what the books have where it was.
    pub amount: MoneyInput,
    /// What proves it, 1 to 255 characters: from CHAIN the hash of the transaction, whose block has to be final by every node; from CIRCLE
    /// its id of the transfer. Each move is recorded once, whoever does.
    pub reference: String,
    /// To CHAIN: what arrived there, `una_...`, as `unallocatedDeposits` lists it, of just this amount; it is ASSIGNED then. To CIRCLE:
    /// leave it out.
    pub unallocated_id: Option<ID>,
    /// A UUID, new for each intent: a repeat with the same key answers alike and records nothing again.
    pub idempotency_key: String,
}

/// The recorded move, or why there is none.
#[derive(SimpleObject)]
pub struct TreasuryMovePayload {
    /// The move; null when something has to be mended first.
    pub treasury_move: Option<TreasuryMove>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// Recording moves.
#[derive(Default)]
pub(super) struct RailsMutation;

#[Object]
impl RailsMutation {
    /// Records that money was moved between the treasury on the chain and the balance at Circle, which somebody has done
    /// there: the books follow, and nothing is sent. From CHAIN: pause outgoing payments, move, wait until it is final, record, resume.
    /// A payout that is signed in between fails by the move's nonce, and moves nothing. For admins.
    async fn treasury_move(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What was moved.")] input: TreasuryMoveInput,
    ) -> Result<TreasuryMovePayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let result = async {
            // Who may not hears that first, whatever they give.
            policy::authorise(actor, Action::Administer, "", "treasury")?;
            let amount = input.amount.parse("amount")?;
            let rails = (input.from.into(), input.to.into());
            let arrived = input.unallocated_id.map(|id| parse_id("unallocatedId", &id)).transpose()?;
            let said = circle::Said { amount, arrived, reference: &input.reference };
            circle::record_move(app, actor, rails, said, &input.idempotency_key).await
        };
        let (moved, user_errors) = answer(result.await)?;
        Ok(TreasuryMovePayload { treasury_move: moved.map(Into::into), user_errors })
    }
}
