//! The same steps as people take them: through the API, with the chain and the jobs behind it.

use chrono::Duration;
use domain::ledger::{self, Account};
use serde_json::json;

use super::plan::{BONUS, Op, Picture};
use crate::support::{CONFIRMATIONS, Deal, Someone, TestApp, errors, new_key, text};

/// What the client has at first, in micro-USDC: more than any sequence sends.
const PURSE: i64 = 1_000_000_000;

pub(super) struct World {
    app: TestApp,
    deal: Deal,
    admin: Someone,
}

impl World {
    pub(super) async fn begin(milestones: &[u32]) -> Self {
        let app = TestApp::start().await;
        let deal = app.deal(milestones).await;
        let admin = app.admin().await;
        app.evm.mint_and_fund(&deal.client.address(), PURSE.unsigned_abs()).unwrap();
        app.mine(3).await;
        Self { app, deal, admin }
    }

    pub(super) async fn end(self) {
        self.app.finish().await;
    }

    /// Takes a step, with an amount where it takes one. Whether it was allowed.
    pub(super) async fn take(&self, op: Op, amount: i64) -> bool {
        let (app, deal) = (&self.app, &self.deal);
        let milestone = |i: usize| deal.milestones[i].as_str();
        let usdc = |micro: i64| domain::money::Usdc(micro).to_decimal().to_string();
        let payload = match op {
            Op::Fund(i) => app.fund(deal, milestone(i), &new_key()).await,
            Op::Pay(..) => {
                self.pay(amount).await;
                self.settle().await;
                return true;
            }
            Op::PayInVain(_) => {
                self.pay(amount).await;
                app.mine(1).await;
                app.reorg(2).await;
                // So that what is sent next is another transaction, and not this one again.
                app.evm.pay(&deal.client.address(), &deal.client.address(), 1).await.unwrap();
                self.settle().await;
                return true;
            }
            Op::Submit(i) => app.try_submit(deal, milestone(i)).await,
            Op::RequestChanges(i) => {
                let input = json!({ "milestoneId": milestone(i), "feedback": "The colours are wrong." });
                self.app.call(&deal.client.token, "milestoneRequestChanges", "milestone { id }", input).await
            }
            Op::Approve(i) => app.approve(deal, milestone(i), &new_key()).await,
            Op::Refund(i, _) => app.refund(deal, milestone(i), Some(&usdc(amount)), &new_key()).await,
            Op::Dispute(i, _) => {
                let why = json!({ "milestoneId": milestone(i), "kind": "QUALITY", "description": "It is not what we agreed on." });
                let opened = self.app.call(&deal.client.token, "disputeOpen", "dispute { id }", why).await;
                if !errors(&opened).is_empty() {
                    return false;
                }
                let dispute = text(&opened["dispute"]["id"]);
                let taken = self.app.call(
                    &self.admin.token,
                    "disputeTake",
                    "dispute { id }",
                    json!({ "disputeId": dispute }),
                );
                assert_eq!(errors(&taken.await), Vec::<String>::new());
                let decision = json!({
                    "disputeId": dispute, "refundAmount": { "amount": usdc(amount) }, "idempotencyKey": new_key(),
                    "resolution": "Both sides are right in part.",
                });
                self.app.call(&self.admin.token, "disputeResolve", "dispute { id }", decision).await
            }
            Op::Bonus => {
                let input = json!({
                    "contractId": deal.contract, "amount": { "amount": usdc(BONUS) }, "idempotencyKey": new_key(),
                });
                self.app.call(&deal.client.token, "contractBonus", "payment { id }", input).await
            }
            Op::Wait => {
                app.advance(Duration::hours(25));
                self.settle().await;
                return true;
            }
            Op::Terminate => {
                app.on_contract(
                    &deal.client.token,
                    "contractTerminate",
                    deal,
                    json!({ "reason": "We part." }),
                )
                .await
            }
        };
        self.settle().await;
        errors(&payload).is_empty()
    }

    /// What can be seen now.
    pub(super) async fn look(&self) -> Picture {
        let (app, deal) = (&self.app, &self.deal);
        let seen = app.contract_of(deal, "status milestones { id status }").await;
        let mut milestones = Vec::new();
        for row in seen["milestones"].as_array().unwrap() {
            let escrow = Account::Escrow(text(&row["id"]).parse().unwrap());
            milestones.push((text(&row["status"]), self.owed(escrow).await));
        }
        Picture {
            contract: text(&seen["status"]),
            milestones,
            client: app.usdc_of(&deal.client.address()).await - PURSE,
            freelancer: app.usdc_of(&deal.freelancer.address()).await,
            fees: self.owed(Account::Fees).await,
            unallocated: self.owed(Account::Unallocated).await,
        }
    }

    async fn owed(&self, account: Account) -> i64 {
        -ledger::balance(self.app.app.db.reader(), account).await.unwrap().micro()
    }

    async fn pay(&self, amount: i64) {
        let treasury = self.app.app.chain.treasury().to_string();
        self.app.evm.pay(&self.deal.client.address(), &treasury, amount.unsigned_abs()).await.unwrap();
    }

    /// Until what came is counted, what follows from it is paid out, and what that ends has ended.
    async fn settle(&self) {
        for _ in 0..6 {
            self.app.mine(u64::from(CONFIRMATIONS) + 1).await;
        }
        self.app.books_agree().await;
    }
}
