//! Amendments: a change of a contract that one party proposes to the other.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    amendment::{self as amendments, MilestoneChange, NewAmendment},
    entities::{amendment_change, contract_amendment},
    proposal::PlannedMilestone,
};

use super::{
    contract::Contract,
    enums::{AmendmentChangeKind, AmendmentStatus},
    milestone::Milestone,
    scalars::{Money, MoneyInput},
    support::{actor, app, parse_id, parse_ids},
    user::User,
};
use crate::{
    error::{UserError, answer},
    loaders::{ChangesOf, load, load_or_default},
};

/// A change of a contract that one party proposes to the other. It is in force once the other accepts it.
pub struct Amendment(pub contract_amendment::Model);

/// A change of a contract that one party proposes to the other. It is in force once the other accepts it.
#[Object]
impl Amendment {
    /// The amendment's id, `amd_...`.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The contract that it changes.
    async fn contract(&self, ctx: &Context<'_>) -> Result<Contract> {
        load(ctx, self.0.contract_id).await.map(Contract)
    }

    /// Who proposes it; the other party answers.
    async fn proposed_by(&self, ctx: &Context<'_>) -> Result<User> {
        load(ctx, self.0.proposed_by).await.map(User)
    }

    /// Where it is in its life.
    async fn status(&self) -> AmendmentStatus {
        self.0.status.into()
    }

    /// Why, in the words of who proposes it.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// The contract's new description; null when that stays.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// The contract's new planned end; null when that stays.
    async fn end_at(&self) -> Option<DateTime<Utc>> {
        self.0.end_at
    }

    /// What the contract came to when this was proposed.
    async fn amount_before(&self) -> Money {
        self.0.amount_before.into()
    }

    /// What the contract comes to once this is accepted: the sum of its milestones.
    async fn amount(&self) -> Money {
        self.0.amount.into()
    }

    /// What it does to the milestones, in order.
    #[graphql(complexity = "1 + 5 * child_complexity")]
    async fn changes(&self, ctx: &Context<'_>) -> Result<Vec<AmendmentChange>> {
        Ok(load_or_default(ctx, ChangesOf(self.0.id)).await?.into_iter().map(AmendmentChange).collect())
    }

    /// When it was accepted, rejected or withdrawn; null until then.
    async fn answered_at(&self) -> Option<DateTime<Utc>> {
        self.0.answered_at
    }

    /// When it was proposed.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// One line of an amendment: a milestone that is added, changed or dropped.
pub struct AmendmentChange(pub amendment_change::Model);

/// One line of an amendment: a milestone that is added, changed or dropped.
#[Object]
impl AmendmentChange {
    /// What it does.
    async fn kind(&self) -> AmendmentChangeKind {
        self.0.kind.into()
    }

    /// The milestone that is changed or dropped, as it is now; null for one that is added.
    async fn milestone(&self, ctx: &Context<'_>) -> Result<Option<Milestone>> {
        let Some(id) = self.0.milestone_id else { return Ok(None) };
        load(ctx, id).await.map(|row| Some(Milestone(row)))
    }

    /// The title that it gives; null when that stays.
    async fn title(&self) -> Option<&str> {
        self.0.title.as_deref()
    }

    /// The amount that it gives, gross; null when that stays.
    async fn amount(&self) -> Option<Money> {
        self.0.amount.map(Money::from)
    }

    /// The due date that it gives; null when that stays.
    async fn due_at(&self) -> Option<DateTime<Utc>> {
        self.0.due_at
    }

    /// Its place in the amendment, from 1.
    async fn position(&self) -> i32 {
        self.0.position
    }
}

/// A milestone to add to a contract.
#[derive(Debug, InputObject)]
pub struct AmendmentAddInput {
    /// What is delivered: 1 to 255 characters.
    pub title: String,
    /// What it pays, gross, more than 0.
    pub amount: MoneyInput,
    /// When it is due.
    pub due_at: Option<DateTime<Utc>>,
}

/// What a PENDING milestone becomes. What is left out stays.
#[derive(Debug, InputObject)]
pub struct AmendmentChangeInput {
    /// A PENDING milestone of the contract, `mil_...`.
    pub milestone_id: ID,
    /// Another title: 1 to 255 characters.
    pub title: Option<String>,
    /// Another amount, gross, more than 0.
    pub amount: Option<MoneyInput>,
    /// Another due date.
    pub due_at: Option<DateTime<Utc>>,
}

/// A change of a contract.
#[derive(Debug, InputObject)]
pub struct ContractAmendInput {
    /// An ACTIVE contract of yours, `ctr_...`, without a PROPOSED amendment.
    pub contract_id: ID,
    /// Why: 1 to 1,000 characters; the other party reads it.
    pub reason: String,
    /// Another description: 10 to 10,000 characters; left out, it stays.
    pub description: Option<String>,
    /// Another planned end, after the contract's beginning; left out, it stays.
    pub end_at: Option<DateTime<Utc>>,
    /// Milestones to add: a contract has at most 100 in all.
    pub add: Option<Vec<AmendmentAddInput>>,
    /// PENDING milestones to change, each once.
    pub change: Option<Vec<AmendmentChangeInput>>,
    /// PENDING milestones to drop, `mil_...`: they become CANCELLED.
    pub remove: Option<Vec<ID>>,
}

impl ContractAmendInput {
    fn parse(self) -> domain::Result<NewAmendment> {
        let added = |(index, new): (usize, AmendmentAddInput)| {
            let amount = new.amount.parse(&format!("add.{index}.amount"))?;
            Ok(PlannedMilestone { title: new.title, amount, due_at: new.due_at })
        };
        let changed = |(index, change): (usize, AmendmentChangeInput)| {
            let field = |name: &str| format!("change.{index}.{name}");
            Ok(MilestoneChange {
                milestone_id: parse_id(&field("milestoneId"), &change.milestone_id)?,
                amount: change.amount.map(|money| money.parse(&field("amount"))).transpose()?,
                title: change.title,
                due_at: change.due_at,
            })
        };
        let add = self.add.unwrap_or_default().into_iter().enumerate();
        let change = self.change.unwrap_or_default().into_iter().enumerate();
        Ok(NewAmendment {
            contract_id: parse_id("contractId", &self.contract_id)?,
            reason: self.reason,
            description: self.description,
            end_at: self.end_at,
            add: add.map(added).collect::<domain::Result<_>>()?,
            change: change.map(changed).collect::<domain::Result<_>>()?,
            remove: parse_ids("remove", &self.remove.unwrap_or_default())?,
        })
    }
}

/// Which amendment to accept.
#[derive(Debug, InputObject)]
pub struct AmendmentAcceptInput {
    /// A PROPOSED amendment that the other party proposed, `amd_...`.
    pub amendment_id: ID,
}

/// Which amendment to reject.
#[derive(Debug, InputObject)]
pub struct AmendmentRejectInput {
    /// A PROPOSED amendment that the other party proposed, `amd_...`.
    pub amendment_id: ID,
}

/// Which amendment to take back.
#[derive(Debug, InputObject)]
pub struct AmendmentWithdrawInput {
    /// A PROPOSED amendment of yours, `amd_...`.
    pub amendment_id: ID,
}

/// The amendment after the change, or why there was none.
#[derive(SimpleObject)]
pub struct AmendmentPayload {
    /// The amendment; null when something has to be mended first.
    pub amendment: Option<Amendment>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

impl AmendmentPayload {
    fn of(result: domain::Result<contract_amendment::Model>) -> Result<Self> {
        let (amendment, user_errors) = answer(result)?;
        Ok(Self { amendment: amendment.map(Amendment), user_errors })
    }
}

/// Proposing and answering changes of contracts.
#[derive(Default)]
pub struct AmendmentMutation;

#[Object]
impl AmendmentMutation {
    /// Proposes a change of an ACTIVE contract: of its description, its planned end, or its PENDING milestones.
    /// Nothing changes before the other party accepts it. For either party; one is PROPOSED at a time. The
    /// other is told.
    async fn contract_amend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which contract, and what becomes different.")] input: ContractAmendInput,
    ) -> Result<AmendmentPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        AmendmentPayload::of(async { amendments::propose(app, actor, input.parse()?).await }.await)
    }

    /// Accepts a change: all of it happens at once, and the contract's amount becomes the sum of its
    /// milestones. Refused when one of its milestones is no longer PENDING. For the party that did not propose
    /// it; the other is told.
    async fn amendment_accept(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which amendment.")] input: AmendmentAcceptInput,
    ) -> Result<AmendmentPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("amendmentId", &input.amendment_id);
        AmendmentPayload::of(async { amendments::accept(app, actor, id?).await }.await)
    }

    /// Rejects a change: the contract stays as it is. For the party that did not propose it; the other is told.
    async fn amendment_reject(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which amendment.")] input: AmendmentRejectInput,
    ) -> Result<AmendmentPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("amendmentId", &input.amendment_id);
        AmendmentPayload::of(async { amendments::reject(app, actor, id?).await }.await)
    }

    /// Takes a change back that was not answered yet. For who proposed it; the other party is told.
    async fn amendment_withdraw(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which amendment.")] input: AmendmentWithdrawInput,
    ) -> Result<AmendmentPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("amendmentId", &input.amendment_id);
        AmendmentPayload::of(async { amendments::withdraw(app, actor, id?).await }.await)
    }
}
