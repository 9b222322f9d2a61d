//! One payment from its mutation to its end, with one thing that goes wrong on the way.

use chrono::{DateTime, Duration, Utc};
use domain::fault::Scope;
use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::{Value, json};

use crate::support::{Deal, Someone, TestApp, new_key, ok, text};

/// After so long a dead worker's jobs are another's: three missed beats of five seconds, and the next poll.
const LEASE: Duration = Duration::seconds(20);
/// What passes between two looks, and between two blocks.
const ROUND: Duration = Duration::seconds(2);
/// Milestones of a contract, which are used up one by one.
const MILESTONES: usize = 20;

/// What is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Deposit,
    Release,
    Refund,
    /// A release that Circle pays.
    Circle,
}

/// How it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Something outside fails and may work later.
    Error,
    /// We were wrong.
    Panic,
    /// The process is gone: nothing runs to its end, nothing is told, and the job stays with a worker that is no more.
    Crash,
}

/// What goes wrong.
pub(super) struct Fault {
    pub(super) point: &'static str,
    pub(super) mode: Mode,
    /// How often the point is passed without harm before.
    pub(super) pass: u32,
}

impl Fault {
    fn actions(&self) -> String {
        let what = match self.mode {
            Mode::Error => "error",
            Mode::Panic => "panic",
            Mode::Crash => "hang",
        };
        match self.pass {
            0 => format!("1*return({what})"),
            pass => format!("{pass}*off->1*return({what})"),
        }
    }
}

/// An application on which one journey follows the other.
pub(super) struct Journey {
    app: TestApp,
    deal: Deal,
    /// Who records what is moved to Circle.
    admin: Option<Someone>,
    /// Milestones of the deal that were used.
    used: usize,
    deals: usize,
}

impl Journey {
    pub(super) async fn begin(way: Way) -> Self {
        let app = if way == Way::Circle { TestApp::start_on_circle().await } else { TestApp::start().await };
        let admin = if way == Way::Circle { Some(app.admin().await) } else { None };
        if let Some(circle) = &app.circle {
            // What each payout costs is to be booked once, too.
            circle.set_fee(250_000).unwrap();
        }
        let deal = app.deal_of("client-0", "freelancer-0", &[10; MILESTONES]).await;
        Self { app, deal, admin, used: 0, deals: 1 }
    }

    pub(super) async fn end(self) {
        self.app.finish().await;
    }

    /// Goes one way to its end, whatever happens. How many seconds of the application's time that took after the fault;
    /// `None` when the point was not passed that often.
    pub(super) async fn go(&mut self, way: Way, fault: &Fault) -> Option<i64> {
        let milestone = self.milestone().await;
        let (app, deal) = (&self.app, &self.deal);
        let (mutation, goal, by) = match way {
            Way::Deposit => ("milestoneFund", "FUNDED", &deal.client),
            Way::Release | Way::Circle => ("milestoneApprove", "PAID", &deal.client),
            Way::Refund => ("milestoneRefund", "REFUNDED", &deal.freelancer),
        };
        match way {
            Way::Deposit => {}
            Way::Release => app.submitted(deal, &milestone).await,
            Way::Circle => {
                app.submitted(deal, &milestone).await;
                to_circle(app, self.admin.as_ref().unwrap()).await;
            }
            Way::Refund => drop(app.funded(deal, &milestone).await),
        }
        let scope = Scope::new();
        scope.arm(fault.point, &fault.actions()).unwrap();
        let mut walk = Walk { app, fault, scope, hit_at: None };

        let mut input = json!({ "milestoneId": milestone, "idempotencyKey": new_key() });
        if way == Way::Refund {
            input["reason"] = json!("I cannot do it.");
        }
        let payment = walk.ask(&by.token, mutation, &input).await;
        if way == Way::Deposit {
            let treasury = text(&payment["depositAddress"]);
            app.evm.pay(&deal.client.address(), &treasury, 10_000_000).await.unwrap();
        }
        let asked = app.app.clock.now();
        while app.status_of(deal, &milestone).await != goal {
            let since = walk.hit_at.unwrap_or(asked);
            assert!(
                app.app.clock.now() - since <= LEASE * 2,
                "{way:?} is {} two leases after {:?} at {} (pass {})",
                app.status_of(deal, &milestone).await,
                fault.mode,
                fault.point,
                fault.pass,
            );
            Box::pin(walk.round()).await;
        }
        walk.scope.disarm(fault.point);
        let took = walk.hit_at.map(|at| (app.app.clock.now() - at).num_seconds());
        let paid = app.payment(by, &text(&payment["id"])).await;
        assert_eq!(paid["status"], "COMPLETED", "{} {:?}", fault.point, fault.mode);
        app.books_agree().await;
        took
    }

    /// A milestone that nobody has touched.
    async fn milestone(&mut self) -> String {
        if self.used == MILESTONES {
            let (client, freelancer) =
                (format!("client-{}", self.deals), format!("freelancer-{}", self.deals));
            self.deal = self.app.deal_of(&client, &freelancer, &[10; MILESTONES]).await;
            (self.used, self.deals) = (0, self.deals + 1);
        }
        self.used += 1;
        self.deal.milestones[self.used - 1].clone()
    }
}

/// Ten USDC are moved to Circle, and recorded.
async fn to_circle(app: &TestApp, admin: &Someone) {
    let treasury = app.app.chain.treasury().to_string();
    let there = "0x00000000000000000000000000000000c14c1e00";
    let hash = app.evm.pay(&treasury, there, 10_000_000).await.unwrap();
    app.make_final();
    app.circle.as_ref().unwrap().fund(10_000_000).unwrap();
    let record = "mutation($input: TreasuryMoveInput!) { treasuryMove(input: $input) {
        userErrors { field code message } } }";
    let input = json!({ "from": "CHAIN", "to": "CIRCLE", "amount": { "amount": "10" }, "reference": hash,
        "idempotencyKey": new_key() });
    ok(app.mutate(&admin.token, record, input).await);
}

/// A journey under way.
struct Walk<'a> {
    app: &'a TestApp,
    fault: &'a Fault,
    scope: Scope,
    /// When it went wrong.
    hit_at: Option<DateTime<Utc>>,
}

impl Walk<'_> {
    /// Does something that may go wrong; `None` when the process died over it.
    async fn dare<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let crash = self.fault.mode == Mode::Crash;
        let done = tokio::select! {
            biased;
            () = self.scope.hit(), if crash => None,
            done = self.scope.run(work) => Some(done),
        };
        if self.hit_at.is_none() && self.scope.hits() > 0 {
            self.hit_at = Some(self.app.app.clock.now());
        }
        done
    }

    /// Calls a money mutation, again with the same key until it is answered; gives its payment.
    async fn ask(&mut self, token: &str, mutation: &str, input: &Value) -> Value {
        let type_name = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let query = format!(
            "mutation($input: {type_name}!) {{ {mutation}(input: $input) {{
                payment {{ id depositAddress }} userErrors {{ field code message }} }} }}"
        );
        for _ in 0..3 {
            let app = self.app;
            let variables = json!({ "input": input });
            let Some(answer) = self.dare(app.gql(token, &query, variables)).await else { continue };
            let payload = &answer["data"][mutation];
            if payload["payment"].is_object() {
                assert_eq!(payload["userErrors"], json!([]), "{answer}");
                return payload["payment"].clone();
            }
            assert!(answer.to_string().contains("INTERNAL"), "{mutation}: {answer}");
        }
        panic!("{mutation} is not answered, with {} armed", self.fault.point);
    }

    /// The next block, and everything that is due by then.
    async fn round(&mut self) {
        let app = self.app;
        app.evm.mine(1).unwrap();
        app.advance(ROUND);
        match self.dare(Box::pin(jobs::drain(&app.app))).await {
            Some(drained) => assert!(drained.is_ok(), "{drained:?}"),
            None => self.take_over().await,
        }
    }

    /// What another worker does once the dead one has been silent long enough.
    async fn take_over(&self) {
        self.app.advance(LEASE);
        let db = self.app.app.db.writer();
        let jobs = if db.get_database_backend() == DbBackend::Postgres { "apalis.jobs" } else { "Jobs" };
        let sql = format!(
            "UPDATE {jobs} SET status = 'Pending', lock_by = NULL, lock_at = NULL, attempts = attempts + 1
             WHERE status IN ('Queued', 'Running')"
        );
        let taken = db.execute_unprepared(&sql).await.unwrap().rows_affected();
        assert_eq!(taken, 1, "the one job that the dead worker held");
    }
}
