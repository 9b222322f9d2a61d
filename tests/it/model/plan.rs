//! The plain model: one contract, what its milestones and its people have. Amounts in micro-USDC.

const USDC: i64 = 1_000_000;
/// Below this nothing is sent back.
const DUST: i64 = USDC;
/// What a bonus is.
pub(super) const BONUS: i64 = 5 * USDC;

/// How much is paid, by what an open deposit misses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paid {
    Exactly,
    Half,
    Over,
    OverByDust,
}

/// How much of what is in escrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    All,
    /// 2 USDC, or all when there is no more.
    Some,
    None,
}

/// What somebody does. Everything that follows from it happens before the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Fund(usize),
    /// Sends what the deposit misses that was opened so many before the newest, more or less; where none is open, something.
    Pay(usize, Paid),
    /// The same, and the block is gone before it counts.
    PayInVain(usize),
    Submit(usize),
    RequestChanges(usize),
    Approve(usize),
    Refund(usize, Part),
    /// Opened, taken, and resolved with so much going back.
    Dispute(usize, Part),
    Bonus,
    /// A day and an hour.
    Wait,
    Terminate,
}

/// What can be seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) contract: String,
    pub(super) milestones: Vec<(String, i64)>,
    /// What client and freelancer have, by what they had at first.
    pub(super) client: i64,
    pub(super) freelancer: i64,
    pub(super) fees: i64,
    pub(super) unallocated: i64,
}

#[derive(Debug, Clone)]
struct Milestone {
    amount: i64,
    status: &'static str,
    escrow: i64,
}

/// A deposit that waits; for a milestone, or for a bonus.
#[derive(Debug, Clone)]
struct Open {
    milestone: Option<usize>,
    amount: i64,
    received: i64,
    /// Whether a single transfer was more than dust.
    weighty: bool,
}

#[derive(Debug)]
pub(super) struct Plan {
    contract: &'static str,
    milestones: Vec<Milestone>,
    /// In the order in which they were asked for.
    open: Vec<Open>,
    /// Whether a deposit was completed within the last day.
    recent: bool,
    client: i64,
    freelancer: i64,
    fees: i64,
    unallocated: i64,
    /// What the step that was taken last sends.
    pub(super) sent: i64,
}

impl Plan {
    /// The milestones' amounts, in USDC.
    pub(super) const MILESTONES: [u32; 2] = [10, 7];

    pub(super) fn new() -> Self {
        let milestone =
            |usdc: u32| Milestone { amount: i64::from(usdc) * USDC, status: "PENDING", escrow: 0 };
        Self {
            contract: "ACTIVE",
            milestones: Self::MILESTONES.map(milestone).to_vec(),
            open: Vec::new(),
            recent: false,
            client: 0,
            freelancer: 0,
            fees: 0,
            unallocated: 0,
            sent: 0,
        }
    }

    pub(super) fn picture(&self) -> Picture {
        let Self { contract, client, freelancer, fees, unallocated, .. } = *self;
        let milestones = self.milestones.iter().map(|it| (it.status.to_owned(), it.escrow)).collect();
        Picture { contract: contract.to_owned(), milestones, client, freelancer, fees, unallocated }
    }

    /// Takes a step. Whether it is allowed; then everything has followed from it.
    pub(super) fn take(&mut self, op: Op) -> bool {
        let allowed = match op {
            Op::Fund(i) => self.fund(i),
            Op::Pay(which, how) => {
                self.sent = self.amount(which, how);
                self.arrive(self.sent);
                true
            }
            Op::PayInVain(which) => {
                self.sent = self.amount(which, Paid::Exactly);
                true
            }
            Op::Submit(i) => self.turn(i, "FUNDED", "SUBMITTED"),
            Op::RequestChanges(i) => self.turn(i, "SUBMITTED", "FUNDED"),
            Op::Approve(i) => self.approve(i),
            Op::Refund(i, part) => self.refund(i, part),
            Op::Dispute(i, part) => self.dispute(i, part),
            Op::Bonus => {
                let allowed = matches!(self.contract, "ACTIVE" | "COMPLETED");
                if allowed {
                    self.open.push(Open { milestone: None, amount: BONUS, received: 0, weighty: false });
                }
                allowed
            }
            Op::Wait => {
                self.wait();
                true
            }
            Op::Terminate => self.terminate(),
        };
        self.conclude();
        allowed
    }

    fn fund(&mut self, i: usize) -> bool {
        let allowed = self.contract == "ACTIVE" && self.turn(i, "PENDING", "FUNDING");
        if allowed {
            let amount = self.milestones[i].amount;
            self.open.push(Open { milestone: Some(i), amount, received: 0, weighty: false });
        }
        allowed
    }

    fn turn(&mut self, i: usize, from: &str, to: &'static str) -> bool {
        let milestone = &mut self.milestones[i];
        let allowed = milestone.status == from;
        if allowed {
            milestone.status = to;
        }
        allowed
    }

    fn amount(&self, which: usize, how: Paid) -> i64 {
        let missing = match self.open.len() {
            0 => 4 * USDC,
            count => {
                let open = &self.open[count - 1 - which % count];
                open.amount - open.received
            }
        };
        match how {
            Paid::Exactly => missing,
            Paid::Half => (missing / 2).max(1),
            Paid::Over => missing + 3 * USDC,
            Paid::OverByDust => missing + USDC / 2,
        }
    }

    /// Money arrives from the client's wallet.
    fn arrive(&mut self, amount: i64) {
        self.client -= amount;
        let exact = self.open.iter().position(|open| open.amount - open.received == amount);
        let Some(at) = exact.or((!self.open.is_empty()).then_some(0)) else {
            return self.give_back(amount, self.recent);
        };
        let open = &mut self.open[at];
        open.received += amount;
        open.weighty |= amount >= DUST;
        if open.received < open.amount {
            return;
        }
        let open = self.open.remove(at);
        self.recent = true;
        self.give_back(open.received - open.amount, true);
        match open.milestone {
            Some(i) => {
                self.milestones[i].status = "FUNDED";
                self.milestones[i].escrow = open.amount;
            }
            None => self.pay_out(open.amount),
        }
    }

    /// What came without need.
    fn give_back(&mut self, amount: i64, may: bool) {
        if may && amount >= DUST {
            self.client += amount;
        } else {
            self.unallocated += amount;
        }
    }

    fn pay_out(&mut self, gross: i64) {
        // A tenth, half a micro-USDC rounded up.
        let fee = (gross + 5) / 10;
        self.fees += fee;
        self.freelancer += gross - fee;
    }

    fn approve(&mut self, i: usize) -> bool {
        let allowed = self.turn(i, "SUBMITTED", "PAID");
        if allowed {
            let gross = std::mem::take(&mut self.milestones[i].escrow);
            self.pay_out(gross);
        }
        allowed
    }

    fn part(&self, i: usize, part: Part) -> i64 {
        let escrow = self.milestones[i].escrow;
        match part {
            Part::All => escrow,
            Part::Some => escrow.min(2 * USDC),
            Part::None => 0,
        }
    }

    fn holds(&self, i: usize) -> bool {
        matches!(self.milestones[i].status, "FUNDED" | "SUBMITTED")
    }

    fn refund(&mut self, i: usize, part: Part) -> bool {
        let allowed = self.holds(i);
        if allowed {
            let back = self.part(i, part);
            self.sent = back;
            self.client += back;
            self.milestones[i].escrow -= back;
            if self.milestones[i].escrow == 0 {
                self.milestones[i].status = "REFUNDED";
            }
        } else {
            self.sent = USDC;
        }
        allowed
    }

    fn dispute(&mut self, i: usize, part: Part) -> bool {
        let allowed = self.contract == "ACTIVE" && self.holds(i);
        if allowed {
            let back = self.part(i, part);
            self.sent = back;
            let rest = std::mem::take(&mut self.milestones[i].escrow) - back;
            self.client += back;
            self.pay_out(rest);
            self.milestones[i].status = match (back, rest) {
                (0, _) => "PAID",
                (_, 0) => "REFUNDED",
                _ => "SPLIT",
            };
        }
        allowed
    }

    /// Whatever was asked for a day ago is not asked for any more.
    fn wait(&mut self) {
        for open in std::mem::take(&mut self.open) {
            self.give_back(open.received, true);
            if let Some(i) = open.milestone {
                self.milestones[i].status = "PENDING";
            }
        }
        self.recent = false;
    }

    fn bonus_arrives(&self) -> bool {
        self.open.iter().any(|open| open.milestone.is_none() && open.weighty)
    }

    fn terminate(&mut self) -> bool {
        let settled = |it: &Milestone| matches!(it.status, "PENDING" | "PAID" | "REFUNDED" | "SPLIT");
        let allowed =
            self.contract == "ACTIVE" && self.milestones.iter().all(settled) && !self.bonus_arrives();
        if allowed {
            self.contract = "TERMINATED";
            for milestone in self.milestones.iter_mut().filter(|it| it.status == "PENDING") {
                milestone.status = "CANCELLED";
            }
        }
        allowed
    }

    /// The last thing is done.
    fn conclude(&mut self) {
        let ended = |it: &Milestone| matches!(it.status, "PAID" | "REFUNDED" | "SPLIT");
        let paid = |it: &Milestone| matches!(it.status, "PAID" | "SPLIT");
        let done = self.milestones.iter().all(ended) && self.milestones.iter().any(paid);
        if self.contract == "ACTIVE" && done && !self.bonus_arrives() {
            self.contract = "COMPLETED";
        }
    }
}
