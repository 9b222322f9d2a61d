//! Wallets, and milestones in each state: by real deposits on the sandbox's chain, through the same jobs as later.

use std::{sync::Arc, time::Duration};

use domain::{
    App, Clock,
    entities::{
        ContractId, MilestoneId, MilestoneStatus, PaymentKind, Usdc, chain_transfer, milestone, payment, user,
    },
    milestone::{self as milestones, Refund},
    payment as payments,
    ports::chain::{BlockTag, TxHash},
    queue, wallet,
};
use sandbox::evm::{Evm, Key};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Demo, Paying, Result, acting, days, days::put};

/// How often the chain is looked at here: every block is made by us.
const POLL: Duration = Duration::from_millis(20);
/// How often it is looked whether everything has settled.
const LOOKS: usize = 250;

/// How far a milestone is brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Untouched,
    Awaiting,
    Funded,
    Submitted,
    Paid,
    Refunded,
}

/// How far each milestone of a contract is brought, and the placeholder that examples have for it.
type Plan = &'static [(Stage, Option<&'static str>)];

const SHOP: Plan = &[
    (Stage::Paid, None),
    (Stage::Submitted, Some("submitted_milestone")),
    (Stage::Funded, Some("funded_milestone")),
    (Stage::Awaiting, None),
    (Stage::Untouched, Some("unfunded_milestone")),
];
const LETTERS: Plan = &[(Stage::Funded, Some("refundable_milestone")), (Stage::Refunded, None)];
const STUDIO: Plan = &[
    (Stage::Submitted, Some("day_work_to_approve")),
    (Stage::Submitted, Some("day_work_to_change")),
    (Stage::Funded, Some("day_work_to_do")),
    (Stage::Untouched, Some("day_work_to_fund")),
];
const LABELS: Plan = &[(Stage::Paid, None)];
const SENSOR: Plan = &[(Stage::Submitted, Some("day_work_unanswered"))];
const DOOR: Plan = &[(Stage::Funded, None)];

/// Where one milestone is to be brought.
struct Goal<'a> {
    milestone: MilestoneId,
    stage: Stage,
    freelancer: &'a user::Model,
    /// Whether everything that is made with it was brought there before: people may have gone on from it.
    done: bool,
}

/// Links the wallets and brings each milestone to its state, unless that was done before.
pub async fn move_money(app: &App, evm: &Evm, wallet_seed: &str, demo: &mut Demo) -> Result<()> {
    let Paying { people, market, days } = &demo.paying;
    for person in [&people.client, &people.freelancer, &people.designer] {
        link_wallet(app, wallet_seed, person).await?;
    }
    let felix = &people.freelancer;
    let examples = [(&market.shop, SHOP, felix), (&market.letters, LETTERS, felix)];
    let of_days = [
        (&days.studio, STUDIO, felix),
        (&days.labels, LABELS, felix),
        (&days.sensor, SENSOR, felix),
        (&days.door, DOOR, &people.designer),
    ];
    let mut goals = Vec::new();
    for group in [&examples[..], &of_days[..]] {
        let first = goals.len();
        for (contract, plan, freelancer) in group {
            let ids = of_contract(app, contract.as_ref().map(|contract| contract.id)).await?;
            for (milestone, (stage, name)) in ids.into_iter().zip(*plan) {
                goals.push(Goal { milestone, stage: *stage, freelancer, done: false });
                if let Some(name) = name {
                    demo.values.insert(name, milestone.to_string());
                }
            }
        }
        let done = is_done(app, &goals[first..]).await?;
        goals[first..].iter_mut().for_each(|goal| goal.done = done);
    }
    let mut settings = domain::Settings::clone(&app.settings);
    settings.chain_poll = POLL;
    let hasty = App { settings: Arc::new(settings), ..app.clone() };
    Seeder { app: &hasty, evm, client: &people.client }.bring(&goals).await?;

    if let Some(goal) = goals.iter().find(|goal| goal.stage == Stage::Awaiting) {
        put(&mut demo.values, "awaiting_payment", newest_deposit(app, goal.milestone).await?.map(|it| it.id));
    }
    if let Some(door) = &days.door {
        put(&mut demo.values, "day_dispute", days::dispute_drawings(app, &people.client, door.id).await?);
    }
    Ok(())
}

/// Links a wallet to a person who has none. Its key follows from the folder's secret: a start that was cut off finds
/// the same one again.
async fn link_wallet(app: &App, seed: &str, person: &user::Model) -> Result<()> {
    if !wallet::of_user(app.db.reader(), person.id).await?.is_empty() {
        return Ok(());
    }
    let key = Key::new(&Sha256::digest(format!("{seed}:{}", person.email_key)).into())?;
    let actor = acting(person);
    let message = wallet::link_begin(app, &actor, &key.address()).await?;
    wallet::link_complete(app, &actor, &message, &key.sign_message(&message)?).await?;
    Ok(())
}

async fn of_contract(app: &App, contract: Option<ContractId>) -> Result<Vec<MilestoneId>> {
    let Some(contract) = contract else { return Ok(Vec::new()) };
    let rows = milestones::of_contracts(app.db.reader(), &[contract]).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Whether these were brought where they should be: the last step pays and refunds.
async fn is_done(app: &App, goals: &[Goal<'_>]) -> Result<bool> {
    let mut done = !goals.is_empty();
    for goal in goals {
        done &= match goal.stage {
            Stage::Paid => status(app, goal.milestone).await? == MilestoneStatus::Paid,
            Stage::Refunded => status(app, goal.milestone).await? == MilestoneStatus::Refunded,
            _ => true,
        };
    }
    Ok(done)
}

async fn status(app: &App, id: MilestoneId) -> Result<MilestoneStatus> {
    let row = milestone::Entity::find_by_id(id).one(app.db.reader()).await?;
    Ok(row.ok_or("a milestone is gone")?.status)
}

async fn newest_deposit(app: &App, id: MilestoneId) -> Result<Option<payment::Model>> {
    Ok(payment::Entity::find()
        .filter(payment::Column::MilestoneId.eq(id))
        .filter(payment::Column::Kind.eq(PaymentKind::Deposit))
        .order_by_desc(payment::Column::Id)
        .one(app.db.reader())
        .await?)
}

struct Seeder<'a> {
    app: &'a App,
    evm: &'a Evm,
    client: &'a user::Model,
}

impl Seeder<'_> {
    /// The last step pays and refunds: where that is done everything before it was done, and people may have gone on
    /// from there. Only a deposit that ran out of time is asked for again, for the example that watches one.
    async fn bring(&self, goals: &[Goal<'_>]) -> Result<()> {
        // No address is given out before the scanner knows from where on to read.
        payments::scan::start(self.app).await?;
        for goal in goals {
            let wanted =
                if goal.done { goal.stage == Stage::Awaiting } else { goal.stage >= Stage::Awaiting };
            if wanted && self.status(goal.milestone).await? == MilestoneStatus::Pending {
                match milestones::fund(self.app, &acting(self.client), goal.milestone, &self.key()).await {
                    // People may have paused, disputed or ended its contract meanwhile.
                    Ok(_) | Err(domain::Error::Rejected { .. }) => (),
                    Err(error) => return Err(error.into()),
                }
            }
        }
        let goals: Vec<_> = goals.iter().filter(|goal| !goal.done).collect();
        if goals.is_empty() {
            return Ok(());
        }
        // A start that was cut off may have left jobs in the hands of nobody.
        queue::release(self.app, "drain").await?;
        for goal in goals.iter().filter(|goal| goal.stage > Stage::Awaiting) {
            if self.status(goal.milestone).await? == MilestoneStatus::Funding {
                self.deposit(goal.milestone).await?;
            }
        }
        let beyond = |least| goals.iter().filter(move |goal| goal.stage >= least).map(|goal| goal.milestone);
        self.settle(beyond(Stage::Funded).collect(), |status| status != MilestoneStatus::Funding).await?;
        for goal in &goals {
            let funded = self.status(goal.milestone).await? == MilestoneStatus::Funded;
            match goal.stage {
                Stage::Submitted | Stage::Paid if funded => self.submit(goal).await?,
                Stage::Refunded if funded => self.refund(goal).await?,
                _ => (),
            }
        }
        for goal in goals.iter().filter(|goal| goal.stage == Stage::Paid) {
            if self.status(goal.milestone).await? == MilestoneStatus::Submitted {
                milestones::approve(self.app, &acting(self.client), goal.milestone, &self.key()).await?;
            }
        }
        let ended = |status| matches!(status, MilestoneStatus::Paid | MilestoneStatus::Refunded);
        self.settle(beyond(Stage::Paid).collect(), ended).await
    }

    fn key(&self) -> String {
        self.app.clock.new_id::<Uuid>().to_string()
    }

    async fn status(&self, id: MilestoneId) -> Result<MilestoneStatus> {
        status(self.app, id).await
    }

    async fn submit(&self, goal: &Goal<'_>) -> Result<()> {
        let note = "Done as agreed. The preview link and how to deploy it are in the repository's README.";
        milestones::submit(self.app, &acting(goal.freelancer), goal.milestone, note, &[]).await?;
        Ok(())
    }

    async fn refund(&self, goal: &Goal<'_>) -> Result<()> {
        let reason = "We found that the old account can be exported: this part is not needed.";
        let key = self.key();
        let ask = Refund { milestone: goal.milestone, amount: None, reason, key: &key };
        milestones::refund(self.app, &acting(goal.freelancer), ask).await?;
        Ok(())
    }

    /// Pays a milestone's deposit, unless an earlier start did, and reports the transaction.
    async fn deposit(&self, id: MilestoneId) -> Result<()> {
        let deposit = newest_deposit(self.app, id).await?.ok_or("a deposit is gone")?;
        let arrived = chain_transfer::Entity::find().filter(chain_transfer::Column::PaymentId.eq(deposit.id));
        if arrived.one(self.app.db.reader()).await?.is_some() {
            // Seen before a start that was cut off, and about to be confirmed.
            return Ok(());
        }
        let wallets = wallet::of_user(self.app.db.reader(), self.client.id).await?;
        let from = &wallets.first().ok_or("the client has no wallet")?.address;
        let hash = match self.paid_already(from, deposit.amount).await? {
            Some(hash) => hash.to_string(),
            None => {
                let micro = u64::try_from(deposit.amount.micro())?;
                let treasury = self.app.chain.treasury().to_string();
                self.evm.pay(from, &treasury, micro).await?
            }
        };
        payments::report_transaction(self.app, &acting(self.client), deposit.id, &hash).await?;
        Ok(())
    }

    /// A transfer of exactly this amount that pays nothing yet.
    async fn paid_already(&self, from: &str, amount: Usdc) -> Result<Option<TxHash>> {
        let head = self.app.chain.block(BlockTag::Latest).await?.ok_or("the chain has no block")?;
        for transfer in self.app.chain.deposits(0, head.number).await? {
            let hash = transfer.transaction_hash;
            if transfer.amount != Some(amount) || transfer.from.to_string() != from {
                continue;
            }
            let seen = chain_transfer::Entity::find()
                .filter(chain_transfer::Column::TransactionHash.eq(hash.to_string()))
                .one(self.app.db.reader())
                .await?;
            if seen.is_none() {
                return Ok(Some(hash));
            }
        }
        Ok(None)
    }

    /// Makes blocks and runs jobs until all of these milestones are where they should be.
    async fn settle(&self, ids: Vec<MilestoneId>, there: impl Fn(MilestoneStatus) -> bool) -> Result<()> {
        self.evm.mine(u64::from(self.app.settings.confirmations))?;
        for _ in 0..LOOKS {
            // A round's time stands still: on a busy machine the next looks would be due before the round is over, and
            // it would go on until `drain` takes it to be going in circles.
            let round = App { clock: Clock::frozen(self.app.clock.now()), ..self.app.clone() };
            jobs::drain(&round).await?;
            let mut waiting = false;
            for id in &ids {
                waiting |= !there(self.status(*id).await?);
            }
            if !waiting {
                return Ok(());
            }
            self.evm.mine(1)?;
            tokio::time::sleep(POLL).await;
        }
        Err("the demo's payments do not settle: the log says why".into())
    }
}
