//! What has to hold at any moment, looked at from outside: the rows as they lie in the database, and the chain as anybody
//! sees it over RPC. Nothing here calls the code that is on trial, so that an error there is not made here again.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::LazyLock,
};

use domain::{
    App,
    entities::{
        ChainTransactionStatus, ChainTransferStatus, LedgerAccountId, LedgerTransferId, LedgerTransferKind,
        PaymentId, PaymentKind, PaymentRail, PaymentStatus, chain_nonce, chain_transaction, chain_transfer,
        circle_payout, ledger_account, ledger_posting, ledger_transfer, payment, treasury_move,
    },
    queue::{self, JobFilter, JobState},
};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement};
use serde_json::{Value, json};

/// What the treasury paid out, by transaction: to whom, how much.
type Sent = BTreeMap<String, Vec<(String, i64)>>;

/// Everything that was read, once for all checks.
struct Books {
    payments: Vec<payment::Model>,
    signed: Vec<chain_transaction::Model>,
    arrived: Vec<chain_transfer::Model>,
    ordered: Vec<circle_payout::Model>,
    nonces: Vec<chain_nonce::Model>,
    moves: Vec<treasury_move::Model>,
    accounts: HashMap<LedgerAccountId, ledger_account::Model>,
    transfers: HashMap<LedgerTransferId, ledger_transfer::Model>,
    postings: Vec<ledger_posting::Model>,
    /// What the jobs are about, and where in their life.
    jobs: HashMap<String, String>,
}

/// Everything that does not hold; nothing, as it should be. `rested`: everything that is due was worked on.
pub async fn violations(app: &App, rpc_url: &str, rested: bool) -> Vec<String> {
    let books = Books::read(app).await;
    let mut wrong = Vec::new();
    books.transfers_sum_to_zero(&mut wrong);
    books.escrow_is_deposits_less_payouts(&mut wrong);
    books.payments_are_in_legal_states(&mut wrong);
    books.what_is_final_is_booked(&mut wrong);
    books.costs_are_booked_with_their_payouts(&mut wrong);
    books.nonces_are_whole(&mut wrong);
    books.payments_want_what_their_state_wants(&mut wrong);
    let sent = logs(app, rpc_url, Direction::Out).await;
    books.what_went_out_was_meant_to(&sent, &mut wrong);
    let received = logs(app, rpc_url, Direction::In).await;
    books.what_counts_is_on_the_chain(&received, &mut wrong);
    if rested {
        books.what_is_due_has_a_job(app, &mut wrong);
        for state in [JobState::Ready, JobState::Running] {
            let filter = JobFilter { state: Some(state), ..JobFilter::default() };
            let left = queue::count(app, &filter).await.unwrap();
            expect(left == 0, &mut wrong, || format!("{left} jobs are {state:?} after all was done"));
        }
    }
    wrong
}

fn expect(holds: bool, wrong: &mut Vec<String>, what: impl FnOnce() -> String) {
    if !holds {
        wrong.push(what());
    }
}

impl Books {
    async fn read(app: &App) -> Self {
        let db = app.db.reader();
        let accounts = ledger_account::Entity::find().all(db).await.unwrap();
        let transfers = ledger_transfer::Entity::find().all(db).await.unwrap();
        let table = if db.get_database_backend() == DbBackend::Postgres { "apalis.jobs" } else { "Jobs" };
        let sql = format!("SELECT idempotency_key, status FROM {table} WHERE idempotency_key IS NOT NULL");
        let jobs = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
        Self {
            payments: payment::Entity::find().all(db).await.unwrap(),
            signed: chain_transaction::Entity::find().all(db).await.unwrap(),
            arrived: chain_transfer::Entity::find().all(db).await.unwrap(),
            ordered: circle_payout::Entity::find().all(db).await.unwrap(),
            nonces: chain_nonce::Entity::find().all(db).await.unwrap(),
            moves: treasury_move::Entity::find().all(db).await.unwrap(),
            accounts: accounts.into_iter().map(|row| (row.id, row)).collect(),
            transfers: transfers.into_iter().map(|row| (row.id, row)).collect(),
            postings: ledger_posting::Entity::find().all(db).await.unwrap(),
            jobs: jobs
                .iter()
                .map(|row| (row.try_get("", "idempotency_key").unwrap(), row.try_get("", "status").unwrap()))
                .collect(),
        }
    }

    /// How often a payment was booked in a way.
    fn booked(&self, payment: PaymentId, kind: LedgerTransferKind) -> usize {
        self.transfers.values().filter(|row| row.payment_id == Some(payment) && row.kind == kind).count()
    }

    /// (i) Each transfer sums to zero, and each posting belongs to one.
    fn transfers_sum_to_zero(&self, wrong: &mut Vec<String>) {
        let mut sums: HashMap<LedgerTransferId, i128> = HashMap::new();
        for posting in &self.postings {
            *sums.entry(posting.transfer_id).or_default() += i128::from(posting.amount.micro());
            expect(self.transfers.contains_key(&posting.transfer_id), wrong, || {
                format!("posting {} has no transfer", posting.id.0)
            });
        }
        for (id, transfer) in &self.transfers {
            let sum = sums.get(id);
            expect(sum == Some(&0), wrong, || format!("transfer {} sums to {sum:?}", transfer.key));
        }
    }

    /// (ii) What lies with a milestone, or with a contract for a bonus, is what was paid in less what was paid out or is on its
    /// way. What was paid out of a deposit that a reorg undid is made up for by the loss account.
    fn escrow_is_deposits_less_payouts(&self, wrong: &mut Vec<String>) {
        let mut owed: BTreeMap<String, i128> = BTreeMap::new();
        for row in &self.payments {
            let place = match (row.milestone_id, row.contract_id) {
                (Some(milestone), _) => format!("ESCROW:{milestone}"),
                (None, Some(contract)) => format!("ESCROW:{contract}"),
                (None, None) => continue,
            };
            let amount = i128::from(row.amount.micro());
            let change = match (row.kind, row.status) {
                (PaymentKind::Deposit, PaymentStatus::Completed) => amount,
                // A return is of what came beside the deposit.
                (PaymentKind::Deposit | PaymentKind::Return, _) | (_, PaymentStatus::Failed) => 0,
                _ => -amount,
            };
            *owed.entry(place).or_default() += change;
        }
        let mut held: BTreeMap<String, i128> = BTreeMap::new();
        for posting in &self.postings {
            let account = &self.accounts[&posting.account_id];
            if !account.key.starts_with("ESCROW:") {
                continue;
            }
            let credit = -i128::from(posting.amount.micro());
            let lost = self.transfers.get(&posting.transfer_id).map(|row| row.kind)
                == Some(LedgerTransferKind::LossRecorded);
            if lost {
                *owed.entry(account.key.clone()).or_default() += credit;
            }
            *held.entry(account.key.clone()).or_default() += credit;
        }
        let places: BTreeSet<&String> = owed.keys().chain(held.keys()).collect();
        for place in places {
            let (should, is) = (owed.get(place).unwrap_or(&0), held.get(place).unwrap_or(&0));
            expect(should == is, wrong, || format!("{place} holds {is} micro-USDC instead of {should}"));
            expect(*is >= 0, wrong, || format!("{place} holds {is} micro-USDC: less than nothing"));
        }
    }

    /// (iii) Every transfer from the treasury is the one successful transfer of one payment, of its amount and to its
    /// destination; and every payout that is complete has one.
    fn what_went_out_was_meant_to(&self, sent: &Sent, wrong: &mut Vec<String>) {
        let by_hash: HashMap<&str, &chain_transaction::Model> =
            self.signed.iter().map(|row| (row.hash.as_str(), row)).collect();
        let payments: HashMap<PaymentId, &payment::Model> =
            self.payments.iter().map(|row| (row.id, row)).collect();
        let mut paid: HashMap<PaymentId, Vec<&str>> = HashMap::new();
        let mut by_hand = 0;
        for (hash, transfers) in sent {
            let Some(signed) = by_hash.get(hash.as_str()) else {
                by_hand += transfers.iter().map(|(_, amount)| amount).sum::<i64>();
                continue;
            };
            let payment = payments[&signed.payment_id];
            let meant = [(payment.destination.clone().unwrap_or_default(), payment.net.micro())];
            expect(transfers[..] == meant, wrong, || {
                format!("{} is to pay {meant:?}, and {hash} paid {transfers:?}", payment.id)
            });
            let goes = matches!(
                payment.status,
                PaymentStatus::Submitted | PaymentStatus::Confirming | PaymentStatus::Completed
            );
            expect(goes, wrong, || {
                format!("{} is {} and was paid by {hash}", payment.id, payment.status.as_str())
            });
            paid.entry(payment.id).or_default().push(hash);
        }
        let moved = self.moved_off_the_chain();
        expect(by_hand == moved, wrong, || {
            format!("the treasury paid {by_hand} micro-USDC that nobody signed, and {moved} were moved")
        });
        for (id, hashes) in &paid {
            expect(hashes.len() == 1, wrong, || format!("{id} was paid by all of {hashes:?}"));
        }
        for row in self.payments.iter().filter(|row| is_chain_payout(row)) {
            // The rows of a large demo market tell of payouts that never were, and of no destination.
            let made_up = row.destination.is_none() && !self.signed.iter().any(|it| it.payment_id == row.id);
            let complete = row.status == PaymentStatus::Completed && !made_up;
            expect(!complete || paid.contains_key(&row.id), wrong, || {
                format!("{} is COMPLETED, and the chain shows no transfer of it", row.id)
            });
        }
    }

    /// What administrators recorded to have moved from the chain to another rail.
    fn moved_off_the_chain(&self) -> i64 {
        let moves = self.postings.iter().filter(|posting| {
            self.transfers[&posting.transfer_id].kind == LedgerTransferKind::TreasuryMoved
                && self.accounts[&posting.account_id].key == "TREASURY:CHAIN"
        });
        moves.map(|posting| -posting.amount.micro()).filter(|amount| *amount > 0).sum()
    }

    /// (iii) from the other side: what was credited or set aside came, and as much.
    fn what_counts_is_on_the_chain(&self, received: &Sent, wrong: &mut Vec<String>) {
        for row in &self.arrived {
            if !matches!(row.status, ChainTransferStatus::Credited | ChainTransferStatus::Unallocated) {
                continue;
            }
            let came = received
                .get(&row.transaction_hash)
                .is_some_and(|transfers| transfers.contains(&(row.from_address.clone(), row.amount.micro())));
            expect(came, wrong, || {
                format!(
                    "{} of {} counts, and the chain has no such transfer",
                    row.amount, row.transaction_hash
                )
            });
        }
    }

    /// (iv) Each kind of payment knows some states only.
    fn payments_are_in_legal_states(&self, wrong: &mut Vec<String>) {
        use PaymentStatus as S;
        for row in &self.payments {
            let legal: &[S] = match row.kind {
                PaymentKind::Deposit => &[S::AwaitingFunds, S::Confirming, S::Completed, S::Expired],
                _ => &[S::Queued, S::OnHold, S::Submitted, S::Confirming, S::Completed, S::Failed],
            };
            expect(legal.contains(&row.status), wrong, || {
                format!("{}: a {} cannot be {}", row.id, row.kind.as_str(), row.status.as_str())
            });
            let parts = row.fee.plus(row.net);
            expect(parts == Ok(row.amount), wrong, || format!("{}: fee and net are not the gross", row.id));
            let done = row.completed_at.is_some();
            expect(row.status != S::Completed || done, wrong, || format!("{}: complete since never", row.id));
        }
    }

    /// (v) Our own counter gave every nonce once, to one intent, and none is missing but those of recorded moves.
    fn nonces_are_whole(&self, wrong: &mut Vec<String>) {
        let mut given: BTreeMap<(i64, i64), BTreeSet<PaymentId>> = BTreeMap::new();
        let mut of_payment: BTreeMap<PaymentId, BTreeSet<i64>> = BTreeMap::new();
        for row in &self.signed {
            given.entry((row.chain_id, row.nonce)).or_default().insert(row.payment_id);
            of_payment.entry(row.payment_id).or_default().insert(row.nonce);
        }
        for ((_, nonce), payments) in &given {
            expect(payments.len() == 1, wrong, || format!("nonce {nonce} was given to all of {payments:?}"));
        }
        for (payment, nonces) in &of_payment {
            expect(nonces.len() == 1, wrong, || format!("{payment} has all of the nonces {nonces:?}"));
        }
        for counter in &self.nonces {
            let of_this = |sender: &Option<String>, chain: Option<i64>| {
                sender.as_ref() == Some(&counter.address) && chain == Some(counter.chain_id)
            };
            let moves: BTreeSet<i64> = self
                .moves
                .iter()
                .filter(|row| of_this(&row.sender, row.chain_id))
                .filter_map(|row| row.nonce)
                .collect();
            for row in self.signed.iter().filter(|row| row.chain_id == counter.chain_id) {
                let gone = row.status == ChainTransactionStatus::Superseded;
                expect(gone || !moves.contains(&row.nonce), wrong, || {
                    format!("nonce {} was a move's, and {} is {:?}", row.nonce, row.hash, row.status)
                });
            }
            expect(!moves.contains(&counter.next_nonce), wrong, || {
                format!("the next nonce is {}, which was a move's", counter.next_nonce)
            });
            let mut nonces: BTreeSet<i64> = given
                .keys()
                .filter(|(chain, _)| *chain == counter.chain_id)
                .map(|(_, nonce)| *nonce)
                .collect();
            if let Some(first) = nonces.first().copied() {
                nonces.extend(moves.range(first..counter.next_nonce.max(first)).copied());
            }
            let nonces: Vec<i64> = nonces.into_iter().collect();
            let whole = nonces.windows(2).all(|pair| pair[0] + 1 == pair[1]);
            expect(whole, wrong, || format!("nonces are missing between {nonces:?}"));
            let next = nonces.last().map(|last| last + 1);
            expect(next.is_none_or(|next| next == counter.next_nonce), wrong, || {
                format!("the next nonce is {}, after {:?}", counter.next_nonce, nonces.last())
            });
        }
        let counted: HashSet<i64> = self.nonces.iter().map(|row| row.chain_id).collect();
        for (chain, nonce) in given.keys() {
            expect(counted.contains(chain), wrong, || format!("nonce {nonce} comes from no counter"));
        }
    }

    /// (vi) What is under way wants to be looked at, what is final does not; signed is what was signed.
    fn payments_want_what_their_state_wants(&self, wrong: &mut Vec<String>) {
        for row in &self.payments {
            let (id, status) = (row.id, row.status.as_str());
            // A deposit that counts may be watched until its blocks are final.
            let watched = row.kind == PaymentKind::Deposit
                && row.status == PaymentStatus::Completed
                && row.final_at.is_none();
            let rests = is_final(row) || (row.held_by.is_some() && row.kind != PaymentKind::Deposit);
            expect(watched || rests == row.due_at.is_none(), wrong, || {
                format!("{id} is {status} and wants to be looked at {:?}", row.due_at)
            });
            let signed = self.signed.iter().any(|it| it.payment_id == id);
            let under_way = matches!(row.status, PaymentStatus::Submitted | PaymentStatus::Confirming);
            expect(!under_way || !is_chain_payout(row) || signed, wrong, || {
                format!("{id} is {status}, and nothing was signed for it")
            });
            let before = matches!(row.status, PaymentStatus::Queued | PaymentStatus::OnHold);
            expect(!before || !signed, wrong, || format!("{id} is {status}, and was signed already"));
        }
    }

    /// (vi) at rest: what is due has a job that is not done, so that it is not forgotten.
    fn what_is_due_has_a_job(&self, app: &App, wrong: &mut Vec<String>) {
        let now = app.clock.now();
        for row in self.payments.iter().filter(|row| row.due_at.is_some_and(|due| due <= now)) {
            let key = format!("{}:{}:{}", row.id, row.version, row.look);
            let job = self.jobs.get(&key).map(String::as_str);
            expect(job.is_some_and(|status| status != "Done"), wrong, || {
                format!("{} is {} and due, and its job is {job:?}", row.id, row.status.as_str())
            });
        }
    }

    /// (vii) The ledger says what the states say.
    fn what_is_final_is_booked(&self, wrong: &mut Vec<String>) {
        use LedgerTransferKind as K;
        for row in &self.payments {
            let count = |kind| i64::try_from(self.booked(row.id, kind)).unwrap();
            let is = |status| i64::from(row.status == status);
            let reserved = i64::from(row.kind != PaymentKind::Return);
            let expected: &[(&str, i64, i64)] = if row.kind == PaymentKind::Deposit {
                &[(
                    "credited",
                    count(K::DepositCredited) - count(K::DepositReversed),
                    is(PaymentStatus::Completed),
                )]
            } else {
                &[
                    ("queued", count(K::PayoutQueued), reserved),
                    (
                        "completed",
                        count(K::PayoutCompleted) - count(K::PayoutUncompleted),
                        is(PaymentStatus::Completed),
                    ),
                    ("reversed", count(K::PayoutReversed), is(PaymentStatus::Failed) * reserved),
                ]
            };
            for (what, found, wanted) in expected {
                expect(found == wanted, wrong, || {
                    let (id, kind, status) = (row.id, row.kind.as_str(), row.status.as_str());
                    format!(
                        "{id}, a {kind} that is {status}, is booked as {what} {found} times, not {wanted}"
                    )
                });
            }
        }
    }

    /// (viii) What Circle took for a payout is booked with its completion or after it, as much as its order says, and no other cost is.
    fn costs_are_booked_with_their_payouts(&self, wrong: &mut Vec<String>) {
        let mut booked: BTreeMap<PaymentId, i64> = BTreeMap::new();
        for posting in self.postings.iter().filter(|row| self.accounts[&row.account_id].key == "COSTS") {
            let transfer = self.transfers.get(&posting.transfer_id);
            let kinds = [LedgerTransferKind::PayoutCompleted, LedgerTransferKind::PayoutCostBooked];
            let costs = transfer.filter(|row| kinds.contains(&row.kind));
            match costs.and_then(|row| row.payment_id) {
                Some(payment) => *booked.entry(payment).or_default() += posting.amount.micro(),
                None => wrong.push(format!("a cost of {} belongs to no payout", posting.amount)),
            }
        }
        booked.retain(|_, cost| *cost != 0);
        let complete =
            |id| self.payments.iter().any(|row| row.id == id && row.status == PaymentStatus::Completed);
        let mut taken: BTreeMap<PaymentId, i64> = BTreeMap::new();
        for order in self.ordered.iter().filter(|order| order.fee.micro() != 0 && complete(order.payment_id))
        {
            taken.insert(order.payment_id, order.fee.micro());
        }
        expect(booked == taken, wrong, || format!("Circle took {taken:?}, and {booked:?} are booked"));
    }
}

fn is_final(row: &payment::Model) -> bool {
    matches!(row.status, PaymentStatus::Completed | PaymentStatus::Failed | PaymentStatus::Expired)
}

fn is_chain_payout(row: &payment::Model) -> bool {
    row.kind != PaymentKind::Deposit && row.rail == PaymentRail::Chain
}

enum Direction {
    In,
    Out,
}

/// The USDC transfers to or from the treasury that the chain has, by transaction: the other side and the amount.
async fn logs(app: &App, rpc_url: &str, direction: Direction) -> Sent {
    let topic =
        format!("0x{}", hex::encode(ethers_core::utils::keccak256("Transfer(address,address,uint256)")));
    let treasury = format!("0x{:0>64}", app.chain.treasury().to_string().trim_start_matches("0x"));
    let (topics, other) = match direction {
        Direction::Out => (json!([topic, treasury]), 2),
        Direction::In => (json!([topic, null, treasury]), 1),
    };
    let filter = json!([{ "address": app.chain.usdc().to_string(), "fromBlock": "0x0", "toBlock": "latest", "topics": topics }]);
    let mut found = Sent::new();
    for log in rpc(rpc_url, "eth_getLogs", filter).await.as_array().unwrap() {
        let text = |value: &Value| value.as_str().unwrap().to_lowercase();
        let party = format!("0x{}", &text(&log["topics"][other])[26..]);
        let amount = i64::from_str_radix(&text(&log["data"])[2..], 16).unwrap();
        found.entry(text(&log["transactionHash"])).or_default().push((party, amount));
    }
    found
}

/// One for all tests, because making one reads the machine's certificates. It keeps no connection: that would belong to
/// the runtime of a test that may have ended.
static HTTP: LazyLock<reqwest::Client> =
    LazyLock::new(|| reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap());

/// Asks a node, past whatever stands before it.
pub async fn rpc(url: &str, method: &str, params: Value) -> Value {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let sent = HTTP.post(url).json(&call).send().await.unwrap();
    let answer: Value = sent.json().await.unwrap();
    assert!(answer.get("error").is_none(), "{method}: {answer}");
    answer["result"].clone()
}
