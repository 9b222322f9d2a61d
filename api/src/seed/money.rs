//! Wallets, and milestones in each state: by real deposits on the sandbox's chain, through the same jobs as later.

use std::{sync::Arc, time::Duration};

use domain::{
    App, Clock,
    entities::{
        ContractId, MilestoneId, MilestoneStatus, PaymentId, PaymentKind, Usdc, chain_transfer, milestone,
        payment, user,
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

use super::{Demo, acting};
use crate::Result;

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

/// The milestones of the shop, and of the letters.
const SHOP: [Stage; 5] = [Stage::Paid, Stage::Submitted, Stage::Funded, Stage::Awaiting, Stage::Untouched];
const LETTERS: [Stage; 2] = [Stage::Funded, Stage::Refunded];

/// The milestones that the examples use, and the deposit that is waited for.
#[derive(Default)]
pub(crate) struct Money {
    pub(crate) unfunded: Option<MilestoneId>,
    pub(crate) awaiting: Option<PaymentId>,
    pub(crate) funded: Option<MilestoneId>,
    pub(crate) submitted: Option<MilestoneId>,
    pub(crate) refundable: Option<MilestoneId>,
}

/// Links the wallets and brings each milestone to its state, unless that was done before.
pub(crate) async fn move_money(app: &App, evm: &Evm, wallet_seed: &str, demo: &Demo) -> Result<Money> {
    let people = &demo.people;
    for person in [&people.client, &people.freelancer, &people.designer] {
        link_wallet(app, wallet_seed, person).await?;
    }
    let shop = of_contract(app, demo.market.shop.as_ref().map(|contract| contract.id)).await?;
    let letters = of_contract(app, demo.market.letters.as_ref().map(|contract| contract.id)).await?;
    let mut settings = domain::Settings::clone(&app.settings);
    settings.chain_poll = POLL;
    let hasty = App { settings: Arc::new(settings), ..app.clone() };
    let seeder = Seeder { app: &hasty, evm, client: &people.client, freelancer: &people.freelancer };
    let all = || shop.iter().zip(SHOP).chain(letters.iter().zip(LETTERS)).map(|(id, stage)| (*id, stage));
    seeder.bring(&all().collect::<Vec<_>>()).await?;

    let place = |list: &[MilestoneId], stages: &[Stage], stage| {
        stages.iter().position(|found| *found == stage).and_then(|place| list.get(place)).copied()
    };
    let awaiting = place(&shop, &SHOP, Stage::Awaiting);
    Ok(Money {
        unfunded: place(&shop, &SHOP, Stage::Untouched),
        awaiting: match awaiting {
            Some(id) => newest_deposit(app, id).await?.map(|deposit| deposit.id),
            None => None,
        },
        funded: place(&shop, &SHOP, Stage::Funded),
        submitted: place(&shop, &SHOP, Stage::Submitted),
        refundable: place(&letters, &LETTERS, Stage::Funded),
    })
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
    freelancer: &'a user::Model,
}

impl Seeder<'_> {
    /// The last step pays and refunds: where that is done everything before it was done, and people may have gone on
    /// from there. Only a deposit that ran out of time is asked for again, for the example that watches one.
    async fn bring(&self, plan: &[(MilestoneId, Stage)]) -> Result<()> {
        // No address is given out before the scanner knows from where on to read.
        payments::scan::start(self.app).await?;
        let mut complete = true;
        for (id, stage) in plan {
            let status = self.status(*id).await?;
            complete &= match stage {
                Stage::Paid => status == MilestoneStatus::Paid,
                Stage::Refunded => status == MilestoneStatus::Refunded,
                _ => true,
            };
        }
        for (id, stage) in plan {
            let wanted = if complete { *stage == Stage::Awaiting } else { *stage >= Stage::Awaiting };
            if wanted && self.status(*id).await? == MilestoneStatus::Pending {
                milestones::fund(self.app, &acting(self.client), *id, &self.key()).await?;
            }
        }
        if complete {
            return Ok(());
        }
        // A start that was cut off may have left jobs in the hands of nobody.
        queue::release(self.app, "drain").await?;
        for (id, stage) in plan {
            if *stage > Stage::Awaiting && self.status(*id).await? == MilestoneStatus::Funding {
                self.deposit(*id).await?;
            }
        }
        let beyond = |least: Stage| plan.iter().filter(move |(_, stage)| *stage >= least).map(|(id, _)| *id);
        self.settle(beyond(Stage::Funded).collect(), |status| status != MilestoneStatus::Funding).await?;

        for (id, stage) in plan {
            let status = self.status(*id).await?;
            match (stage, status) {
                (Stage::Submitted | Stage::Paid, MilestoneStatus::Funded) => self.submit(*id).await?,
                (Stage::Refunded, MilestoneStatus::Funded) => self.refund(*id).await?,
                _ => (),
            }
        }
        for (id, _) in plan.iter().filter(|(_, stage)| *stage == Stage::Paid) {
            if self.status(*id).await? == MilestoneStatus::Submitted {
                milestones::approve(self.app, &acting(self.client), *id, &self.key()).await?;
            }
        }
        let ended = |status| matches!(status, MilestoneStatus::Paid | MilestoneStatus::Refunded);
        self.settle(beyond(Stage::Paid).collect(), ended).await
    }

    fn key(&self) -> String {
        self.app.clock.new_id::<Uuid>().to_string()
    }

    async fn status(&self, id: MilestoneId) -> Result<MilestoneStatus> {
        let row = milestone::Entity::find_by_id(id).one(self.app.db.reader()).await?;
        Ok(row.ok_or("a milestone is gone")?.status)
    }

    async fn submit(&self, id: MilestoneId) -> Result<()> {
        let note = "Done as agreed. The preview link and how to deploy it are in the repository's README.";
        milestones::submit(self.app, &acting(self.freelancer), id, note, &[]).await?;
        Ok(())
    }

    async fn refund(&self, id: MilestoneId) -> Result<()> {
        let reason = "We found that the old account can be exported: this part is not needed.";
        let key = self.key();
        let ask = Refund { milestone: id, amount: None, reason, key: &key };
        milestones::refund(self.app, &acting(self.freelancer), ask).await?;
        Ok(())
    }

    /// Pays a milestone's deposit, unless an earlier start did, and reports the transaction.
    async fn deposit(&self, id: MilestoneId) -> Result<()> {
        let deposit = newest_deposit(self.app, id).await?.ok_or("a deposit is gone")?;
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
