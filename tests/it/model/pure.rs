//! The same steps by the real state machines, the real division of fees and a ledger in memory: no database, no chain, so
//! that there can be very many.

use std::collections::BTreeMap;

use domain::{
    Error, Result, contract,
    entities::{
        ContractId, ContractStatus, MilestoneId, MilestoneStatus, PaymentKind, PaymentRail, PaymentStatus,
        UserId,
    },
    ledger::Account,
    milestone,
    money::{Split, Usdc},
    payment::state::{Step, next},
};
use uuid::Uuid;

use super::plan::{BONUS, Op, Picture};

/// The fee, in basis points.
const FEE: i32 = 1_000;
const CLIENT: UserId = UserId(Uuid::from_u128(1));
const FREELANCER: UserId = UserId(Uuid::from_u128(2));
const CONTRACT: ContractId = ContractId(Uuid::from_u128(3));
const TREASURY: Account = Account::Treasury(PaymentRail::Chain);

#[derive(Debug, Clone)]
struct Milestone {
    amount: Usdc,
    status: MilestoneStatus,
    returns_to: Option<MilestoneStatus>,
}

#[derive(Debug, Clone)]
struct Deposit {
    milestone: Option<usize>,
    amount: Usdc,
    status: PaymentStatus,
    arrived: Vec<Usdc>,
}

#[derive(Debug, Clone)]
pub(super) struct Pure {
    contract: ContractStatus,
    milestones: Vec<Milestone>,
    deposits: Vec<Deposit>,
    ledger: BTreeMap<String, i64>,
    wallets: BTreeMap<Uuid, i64>,
    recent: bool,
}

impl Pure {
    pub(super) fn begin(milestones: &[u32]) -> Self {
        let milestone = |usdc: &u32| Milestone {
            amount: Usdc::whole(i64::from(*usdc)).unwrap(),
            status: MilestoneStatus::Pending,
            returns_to: None,
        };
        Self {
            contract: ContractStatus::Active,
            milestones: milestones.iter().map(milestone).collect(),
            deposits: Vec::new(),
            ledger: BTreeMap::new(),
            wallets: BTreeMap::new(),
            recent: false,
        }
    }

    /// Takes a step, with an amount where it takes one, or leaves everything as it was. Whether it was allowed.
    pub(super) fn take(&mut self, op: Op, amount: i64) -> bool {
        let mut after = self.clone();
        if after.step(op, Usdc(amount)).is_err() {
            return false;
        }
        after.conclude();
        *self = after;
        true
    }

    pub(super) fn look(&self) -> Picture {
        let milestones = self.milestones.iter().enumerate();
        let milestones =
            milestones.map(|(i, it)| (it.status.as_str().to_owned(), self.owed(escrow(i)).micro())).collect();
        // What is nobody's is owed to nobody, and what left the wallets is there.
        assert_eq!(self.owed(Account::Payable(CLIENT)), Usdc::ZERO);
        assert_eq!(self.owed(Account::Payable(FREELANCER)), Usdc::ZERO);
        let waiting: i64 = self.open().flat_map(|at| &self.deposits[at].arrived).map(|sum| sum.micro()).sum();
        let wallets: i64 = self.wallets.values().sum();
        assert_eq!(
            -self.owed(TREASURY).micro() + waiting,
            -wallets,
            "the treasury has what the wallets have not"
        );
        let wallet = |user: UserId| self.wallets.get(&user.0).copied().unwrap_or(0);
        Picture {
            contract: self.contract.as_str().to_owned(),
            milestones,
            client: wallet(CLIENT),
            freelancer: wallet(FREELANCER),
            fees: self.owed(Account::Fees).micro(),
            unallocated: self.owed(Account::Unallocated).micro(),
        }
    }

    fn owed(&self, account: Account) -> Usdc {
        Usdc(-self.ledger.get(&account.key()).copied().unwrap_or(0))
    }

    fn post(&mut self, lines: &[(Account, Usdc)]) {
        assert_eq!(Usdc::sum(lines.iter().map(|(_, amount)| *amount)), Ok(Usdc::ZERO), "{lines:?}");
        for (account, amount) in lines {
            *self.ledger.entry(account.key()).or_default() += amount.micro();
        }
    }

    fn turn(&mut self, i: usize, step: milestone::state::Step) -> Result<()> {
        let it = &mut self.milestones[i];
        it.status = milestone::state::next(it.status, step, it.returns_to)?;
        Ok(())
    }

    fn active(&self) -> Result<()> {
        if self.contract == ContractStatus::Active { Ok(()) } else { Err(no()) }
    }

    fn step(&mut self, op: Op, amount: Usdc) -> Result<()> {
        use milestone::state::Step as Turn;
        match op {
            Op::Fund(i) => {
                self.active()?;
                self.turn(i, Turn::Fund)?;
                self.ask(Some(i), self.milestones[i].amount);
                Ok(())
            }
            Op::Pay(..) => self.arrive(amount),
            Op::PayInVain(_) => self.come_and_go(amount),
            Op::Submit(i) => self.turn(i, Turn::Submit),
            Op::RequestChanges(i) => self.turn(i, Turn::RequestChanges),
            Op::Approve(i) => {
                self.turn(i, Turn::Approve)?;
                let split = Split::of(self.owed(escrow(i)), FEE)?;
                self.pay_out(PaymentKind::Release, escrow(i), FREELANCER, split)?;
                self.turn(i, Turn::Released)
            }
            Op::Refund(i, _) => {
                self.milestones[i].returns_to = Some(self.milestones[i].status);
                self.turn(i, Turn::StartRefund)?;
                self.pay_out(PaymentKind::Refund, escrow(i), CLIENT, Split::without_fee(amount))?;
                let left = self.owed(escrow(i)).is_positive();
                self.turn(i, if left { Turn::RefundEnded } else { Turn::Refunded })
            }
            Op::Dispute(i, _) => self.resolve(i, amount),
            Op::Bonus => {
                if !matches!(self.contract, ContractStatus::Active | ContractStatus::Completed) {
                    return Err(no());
                }
                self.ask(None, Usdc(BONUS));
                Ok(())
            }
            Op::Wait => self.wait(),
            Op::Terminate => self.terminate(),
        }
    }

    fn ask(&mut self, milestone: Option<usize>, amount: Usdc) {
        let status = PaymentStatus::AwaitingFunds;
        self.deposits.push(Deposit { milestone, amount, status, arrived: Vec::new() });
    }

    /// The deposits that wait, the oldest first.
    fn open(&self) -> impl Iterator<Item = usize> {
        let waits = move |at: &usize| self.deposits[*at].status == PaymentStatus::AwaitingFunds;
        (0..self.deposits.len()).filter(waits)
    }

    fn chosen(&self, amount: Usdc) -> Result<Option<usize>> {
        for at in self.open() {
            let deposit = &self.deposits[at];
            if deposit.amount.minus(Usdc::sum(deposit.arrived.iter().copied())?)? == amount {
                return Ok(Some(at));
            }
        }
        Ok(self.open().next())
    }

    fn look_at(&mut self, at: usize, step: Step) -> Result<()> {
        let deposit = &mut self.deposits[at];
        deposit.status = next(PaymentKind::Deposit, deposit.status, step)?;
        Ok(())
    }

    fn arrive(&mut self, amount: Usdc) -> Result<()> {
        *self.wallets.entry(CLIENT.0).or_default() -= amount.micro();
        let Some(at) = self.chosen(amount)? else {
            return self.set_aside(amount, self.recent);
        };
        self.deposits[at].arrived.push(amount);
        let Deposit { milestone, amount, ref arrived, .. } = self.deposits[at];
        let received = Usdc::sum(arrived.iter().copied())?;
        if received < amount {
            return Ok(());
        }
        self.look_at(at, Step::Seen)?;
        self.look_at(at, Step::Credit)?;
        self.recent = true;
        let held = milestone.map_or(Account::Bonus(CONTRACT), escrow);
        self.post(&[(TREASURY, amount), (held, amount.negated()?)]);
        self.set_aside(received.minus(amount)?, true)?;
        match milestone {
            Some(i) => self.turn(i, milestone::state::Step::Credited),
            None => self.pay_out(PaymentKind::Bonus, held, FREELANCER, Split::of(amount, FEE)?),
        }
    }

    /// Seen in a block that is gone before it counts.
    fn come_and_go(&mut self, amount: Usdc) -> Result<()> {
        let Some(at) = self.chosen(amount)? else { return Ok(()) };
        let whole = Usdc::sum(self.deposits[at].arrived.iter().copied())?.plus(amount)?;
        if whole >= self.deposits[at].amount {
            self.look_at(at, Step::Seen)?;
            self.look_at(at, Step::Reorg)?;
        }
        Ok(())
    }

    /// What came without need goes back, or waits for somebody to see to it.
    fn set_aside(&mut self, amount: Usdc, may: bool) -> Result<()> {
        if may && amount.micro() >= Usdc::SCALE {
            self.post(&[(TREASURY, amount), (Account::Payable(CLIENT), amount.negated()?)]);
            self.pay_out(PaymentKind::Return, Account::Payable(CLIENT), CLIENT, Split::without_fee(amount))
        } else {
            self.post(&[(TREASURY, amount), (Account::Unallocated, amount.negated()?)]);
            Ok(())
        }
    }

    /// From being queued to being final.
    fn pay_out(&mut self, kind: PaymentKind, from: Account, to: UserId, split: Split) -> Result<()> {
        if !split.gross.is_positive() || split.gross > self.owed(from) {
            return Err(no());
        }
        let payable = Account::Payable(to);
        if kind != PaymentKind::Return {
            self.post(&[
                (from, split.gross),
                (Account::Fees, split.fee.negated()?),
                (payable, split.net.negated()?),
            ]);
        }
        let mut status = PaymentStatus::Queued;
        // On hold and on again, and once out of a block: neither may matter.
        for step in
            [Step::Hold, Step::Resume, Step::Sign, Step::Mine, Step::Reorg, Step::Mine, Step::Complete]
        {
            status = next(kind, status, step)?;
        }
        assert_eq!(status, PaymentStatus::Completed);
        self.post(&[(payable, split.net), (TREASURY, split.net.negated()?)]);
        *self.wallets.entry(to.0).or_default() += split.net.micro();
        Ok(())
    }

    fn resolve(&mut self, i: usize, back: Usdc) -> Result<()> {
        use contract::state::{Step as Move, next as moved};
        use milestone::state::Step as Turn;
        self.contract = moved(self.contract, Move::Dispute)?;
        self.milestones[i].returns_to = Some(self.milestones[i].status);
        self.turn(i, Turn::Freeze)?;
        let rest = self.owed(escrow(i)).minus(back)?;
        if back.is_positive() {
            self.pay_out(PaymentKind::Refund, escrow(i), CLIENT, Split::without_fee(back))?;
        }
        if rest.is_positive() {
            self.pay_out(PaymentKind::Release, escrow(i), FREELANCER, Split::of(rest, FEE)?)?;
        }
        self.turn(
            i,
            match (back.is_positive(), rest.is_positive()) {
                (false, _) => Turn::ResolvePaid,
                (_, false) => Turn::ResolveRefunded,
                _ => Turn::ResolveSplit,
            },
        )?;
        self.contract = moved(self.contract, Move::Settle)?;
        Ok(())
    }

    fn wait(&mut self) -> Result<()> {
        for at in self.open().collect::<Vec<_>>() {
            self.look_at(at, Step::Expire)?;
            let received = Usdc::sum(std::mem::take(&mut self.deposits[at].arrived))?;
            self.set_aside(received, true)?;
            if let Some(i) = self.deposits[at].milestone {
                self.turn(i, milestone::state::Step::DepositExpired)?;
            }
        }
        self.recent = false;
        Ok(())
    }

    /// Whether a bonus is on its way, and not only promised.
    fn bonus_arrives(&self) -> bool {
        self.open().any(|at| {
            let deposit = &self.deposits[at];
            deposit.milestone.is_none() && deposit.arrived.iter().any(|sum| sum.micro() >= Usdc::SCALE)
        })
    }

    fn terminate(&mut self) -> Result<()> {
        use MilestoneStatus::{Cancelled, Paid, Pending, Refunded, Split};
        self.contract = contract::state::next(self.contract, contract::state::Step::Terminate)?;
        let settled = |it: &Milestone| matches!(it.status, Pending | Paid | Refunded | Split | Cancelled);
        if !self.milestones.iter().all(settled) || self.bonus_arrives() {
            return Err(no());
        }
        for i in 0..self.milestones.len() {
            if self.milestones[i].status == Pending {
                self.turn(i, milestone::state::Step::Cancel)?;
            }
        }
        Ok(())
    }

    fn conclude(&mut self) {
        use MilestoneStatus::{Cancelled, Paid, Refunded, Split};
        let ended = |it: &Milestone| matches!(it.status, Paid | Refunded | Split | Cancelled);
        let paid = |it: &Milestone| matches!(it.status, Paid | Split);
        let done = self.milestones.iter().all(ended) && self.milestones.iter().any(paid);
        if self.contract == ContractStatus::Active && done && !self.bonus_arrives() {
            self.contract = contract::state::next(self.contract, contract::state::Step::Complete).unwrap();
        }
    }
}

fn escrow(i: usize) -> Account {
    Account::Escrow(MilestoneId(Uuid::from_u128(10 + i as u128)))
}

fn no() -> Error {
    Error::bug("not now")
}
