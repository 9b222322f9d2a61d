//! What a proposed amendment says, held against the contract: pure, so that each rule is tested by itself.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entities::{AmendmentChangeKind, ContractId, MilestoneId, MilestoneStatus, Usdc, contract, milestone};

use crate::{
    App,
    check::Check,
    error::{Code, Result},
    proposal::PlannedMilestone,
};

/// How many milestones a contract has at the most, those included that were dropped.
pub const MOST_MILESTONES: usize = 100;

/// A change that a party proposes.
#[derive(Debug, Clone)]
pub struct NewAmendment {
    /// Of which contract: ACTIVE, and the actor's.
    pub contract_id: ContractId,
    /// Why, 1 to 1,000 characters.
    pub reason: String,
    /// The contract's new description, 10 to 10,000 characters.
    pub description: Option<String>,
    /// The contract's new planned end: after its beginning.
    pub end_at: Option<DateTime<Utc>>,
    /// New milestones.
    pub add: Vec<PlannedMilestone>,
    /// PENDING milestones that become something else.
    pub change: Vec<MilestoneChange>,
    /// PENDING milestones that are dropped.
    pub remove: Vec<MilestoneId>,
}

/// What a milestone becomes. What is empty stays.
#[derive(Debug, Clone)]
pub struct MilestoneChange {
    /// Which.
    pub milestone_id: MilestoneId,
    /// 1 to 255 characters.
    pub title: Option<String>,
    /// More than nothing.
    pub amount: Option<Usdc>,
    /// When it is due.
    pub due_at: Option<DateTime<Utc>>,
}

/// One line of an amendment, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) kind: AmendmentChangeKind,
    pub(super) milestone: Option<MilestoneId>,
    pub(super) title: Option<String>,
    pub(super) amount: Option<Usdc>,
    pub(super) due_at: Option<DateTime<Utc>>,
}

/// What an amendment comes to: only what becomes different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) description: Option<String>,
    pub(super) end_at: Option<DateTime<Utc>>,
    pub(super) lines: Vec<Line>,
    /// The contract's amount once it is accepted.
    pub(super) amount: Usdc,
}

/// Holds what the input says by itself against the limits, and trims it.
pub(super) fn check(input: &mut NewAmendment) -> Result<()> {
    let mut check = Check::new();
    input.reason = check.text("reason", &input.reason, 1..=1_000);
    if let Some(description) = &mut input.description {
        *description = check.text("description", description, 10..=10_000);
    }
    check.time("endAt", input.end_at);
    let few = input.add.len() <= MOST_MILESTONES;
    check.ensure(few, "add", Code::LimitReached, format!("Give at most {MOST_MILESTONES} milestones."));
    for (index, new) in input.add.iter_mut().enumerate() {
        new.title = check.line(&format!("add.{index}.title"), &new.title, 1..=255);
        positive(&mut check, &format!("add.{index}.amount"), new.amount);
        check.time(&format!("add.{index}.dueAt"), new.due_at);
    }
    for (index, change) in input.change.iter_mut().enumerate() {
        if let Some(title) = &mut change.title {
            *title = check.line(&format!("change.{index}.title"), title, 1..=255);
        }
        if let Some(amount) = change.amount {
            positive(&mut check, &format!("change.{index}.amount"), amount);
        }
        check.time(&format!("change.{index}.dueAt"), change.due_at);
    }
    check.done()
}

fn positive(check: &mut Check, field: &str, amount: Usdc) {
    check.ensure(amount.is_positive(), field, Code::OutOfRange, "Give more than 0.");
}

/// Holds a checked input against the contract and its milestones (all of them).
pub(super) fn draft(
    app: &App,
    input: NewAmendment,
    contract: &contract::Model,
    milestones: &[milestone::Model],
) -> Result<Draft> {
    let by_id: HashMap<_, _> = milestones.iter().map(|row| (row.id, row)).collect();
    let mut check = Check::new();
    let mut named = HashSet::new();
    // A PENDING milestone of this contract, named for the first time; `None` with a problem otherwise.
    let mut find = |check: &mut Check, id: MilestoneId, field: &str| {
        let Some(row) = by_id.get(&id).copied() else {
            check.problem(
                field,
                Code::NotFound,
                "There is no such milestone, or it is not of this contract.",
            );
            return None;
        };
        check.ensure(named.insert(id), field, Code::Invalid, "Name each milestone once.");
        let pending = row.status == MilestoneStatus::Pending;
        check.ensure(pending, field, Code::IllegalState, not_pending(row));
        Some(row)
    };

    let touches = !(input.add.is_empty() && input.change.is_empty() && input.remove.is_empty());
    let mut lines: Vec<Line> = Vec::new();
    let mut amounts: HashMap<MilestoneId, Usdc> = milestones
        .iter()
        .filter(|row| row.status != MilestoneStatus::Cancelled)
        .map(|row| (row.id, row.amount))
        .collect();
    for (index, change) in input.change.into_iter().enumerate() {
        let Some(row) = find(&mut check, change.milestone_id, &format!("change.{index}.milestoneId")) else {
            continue;
        };
        let line = Line {
            kind: AmendmentChangeKind::Change,
            milestone: Some(row.id),
            title: change.title.filter(|title| *title != row.title),
            amount: change.amount.filter(|amount| *amount != row.amount),
            due_at: change.due_at.filter(|due| Some(*due) != row.due_at),
        };
        let real = line.title.is_some() || line.amount.is_some() || line.due_at.is_some();
        check.ensure(real, &format!("change.{index}"), Code::Invalid, "Give what becomes different.");
        amounts.insert(row.id, line.amount.unwrap_or(row.amount));
        lines.push(line);
    }
    for (index, id) in input.remove.into_iter().enumerate() {
        let Some(row) = find(&mut check, id, &format!("remove.{index}")) else { continue };
        amounts.remove(&row.id);
        lines.push(Line {
            kind: AmendmentChangeKind::Remove,
            milestone: Some(row.id),
            title: None,
            amount: None,
            due_at: None,
        });
    }
    let many = milestones.len() + input.add.len();
    check.ensure(many <= MOST_MILESTONES, "add", Code::LimitReached, format!(
        "A contract has at most {MOST_MILESTONES} milestones, those included that were dropped; this would make {many}."
    ));
    let added = input.add.iter().map(|new| new.amount);
    let amount = Usdc::sum(amounts.values().copied().chain(added))?;
    let left = "Something has to be left to pay: the contract would come to 0.";
    check.ensure(amount.is_positive(), "remove", Code::OutOfRange, left);
    lines.extend(input.add.into_iter().map(|new| Line {
        kind: AmendmentChangeKind::Add,
        milestone: None,
        title: Some(new.title),
        amount: Some(new.amount),
        due_at: new.due_at,
    }));

    let description = input.description.filter(|text| *text != contract.description);
    let end_at = input.end_at.filter(|end| Some(*end) != contract.end_at);
    let start = contract.start_at.or(contract.accepted_at).unwrap_or(contract.created_at);
    let in_order = end_at.is_none_or(|end| end > Ord::max(start, app.clock.now()));
    let message = "Give a time after the contract's beginning, and after now.";
    check.ensure(in_order, "endAt", Code::OutOfRange, message);
    let real = touches || description.is_some() || end_at.is_some();
    check.ensure(real, "", Code::Invalid, "Nothing becomes different: change something.");
    check.done()?;
    Ok(Draft { description, end_at, lines, amount })
}

/// Why a milestone cannot be changed or dropped.
pub(super) fn not_pending(row: &milestone::Model) -> String {
    format!(
        "Milestone {}, \"{}\", is {}; only one that is PENDING can be changed or dropped.",
        row.position,
        row.title,
        row.status.as_str()
    )
}
