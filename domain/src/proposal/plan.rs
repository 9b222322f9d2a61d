//! What a bid comes to, and the milestones that it suggests.

use chrono::{DateTime, Utc};
use entities::{BudgetType, ProposalId, Usdc, proposed_milestone};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::NewProposal;
use crate::{App, Code, Tx, check::Check, error::Result};

/// How many milestones a plan holds at the most.
pub const MOST_MILESTONES: usize = 20;

/// A milestone that a proposal suggests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedMilestone {
    /// 1 to 255 characters.
    pub title: String,
    /// More than nothing.
    pub amount: Usdc,
    /// When it is due.
    pub due_at: Option<DateTime<Utc>>,
}

/// The whole price of a bid: the bid itself (fixed), or rate times hours (hourly).
pub fn price(pays: BudgetType, bid: Usdc, hours: Option<i32>) -> Result<Usdc> {
    match pays {
        BudgetType::Fixed => Ok(bid),
        BudgetType::Hourly => Ok(bid.times(hours.unwrap_or(0).into())?),
    }
}

/// Holds a bid against the limits of a project that pays so; every problem is named.
pub(super) fn check(input: &mut NewProposal, pays: BudgetType) -> Result<()> {
    let mut check = Check::new();
    input.cover_letter = check.text("coverLetter", &input.cover_letter, 50..=5_000);
    let usdc = |whole: i64| Usdc(whole * Usdc::SCALE);
    match (pays, input.estimated_hours) {
        (BudgetType::Fixed, hours) => {
            check.range("bid", input.bid, usdc(1)..=usdc(1_000_000));
            let message = "Leave it out: this project pays one price, not by the hour.";
            check.ensure(hours.is_none(), "estimatedHours", Code::Invalid, message);
        }
        (BudgetType::Hourly, hours) => {
            check.range("bid", input.bid, usdc(1)..=usdc(1_000));
            match hours {
                Some(hours) => check.range("estimatedHours", hours, 1..=10_000),
                None => check.problem(
                    "estimatedHours",
                    Code::Required,
                    "This project pays by the hour: give 1 to 10000.",
                ),
            }
        }
    }
    check_plan(&mut check, &mut input.milestones);
    check.done()?;

    if input.milestones.is_empty() {
        return Ok(());
    }
    let whole = price(pays, input.bid, input.estimated_hours)?;
    let planned = Usdc::sum(input.milestones.iter().map(|milestone| milestone.amount))?;
    let mut check = Check::new();
    let message =
        format!("The milestones come to {planned}, but the whole price is {whole}: make them equal.");
    check.ensure(planned == whole, "milestones", Code::Invalid, message);
    check.done()
}

fn check_plan(check: &mut Check, milestones: &mut [PlannedMilestone]) {
    let few = milestones.len() <= MOST_MILESTONES;
    check.ensure(
        few,
        "milestones",
        Code::LimitReached,
        format!("Give at most {MOST_MILESTONES} milestones."),
    );
    for (index, milestone) in milestones.iter_mut().enumerate() {
        milestone.title = check.line(&format!("milestones.{index}.title"), &milestone.title, 1..=255);
        check.time(&format!("milestones.{index}.dueAt"), milestone.due_at);
        let (positive, field) = (milestone.amount.is_positive(), format!("milestones.{index}.amount"));
        check.ensure(positive, &field, Code::OutOfRange, "Give more than 0.");
    }
}

/// Writes a plan's rows, numbered from 1.
pub(super) async fn store(
    app: &App,
    tx: &Tx,
    proposal_id: ProposalId,
    milestones: Vec<PlannedMilestone>,
) -> Result<()> {
    if milestones.is_empty() {
        return Ok(());
    }
    let rows = (1_i32..).zip(milestones).map(|(position, milestone)| proposed_milestone::ActiveModel {
        id: Set(app.clock.new_id()),
        proposal_id: Set(proposal_id),
        position: Set(position),
        title: Set(milestone.title),
        amount: Set(milestone.amount),
        due_at: Set(milestone.due_at),
    });
    proposed_milestone::Entity::insert_many(rows).exec_without_returning(&**tx).await?;
    Ok(())
}

/// Deletes a plan's rows.
pub(super) async fn remove(tx: &Tx, proposal_id: ProposalId) -> Result<()> {
    let rows = proposed_milestone::Entity::delete_many();
    rows.filter(proposed_milestone::Column::ProposalId.eq(proposal_id)).exec(&**tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use entities::{Availability, ProjectId};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::Error;

    fn bid(bid: Usdc, hours: Option<i32>, plan: &[i64]) -> NewProposal {
        NewProposal {
            project_id: ProjectId(Uuid::nil()),
            cover_letter: "x".repeat(50),
            bid,
            estimated_hours: hours,
            availability: Availability::Flexible,
            milestones: plan
                .iter()
                .map(|micro| PlannedMilestone {
                    title: "Part".to_owned(),
                    amount: Usdc(*micro),
                    due_at: None,
                })
                .collect(),
            upload_ids: Vec::new(),
        }
    }

    fn fields(result: Result<()>) -> Vec<String> {
        match result {
            Ok(()) => Vec::new(),
            Err(Error::Rejected { problems }) => problems.into_iter().map(|p| p.field.join(".")).collect(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_bid_keeps_to_its_limits() {
        use BudgetType::{Fixed, Hourly};
        let usdc = |whole: i64| Usdc(whole * Usdc::SCALE);
        for (pays, amount, hours, wrong) in [
            (Fixed, usdc(1), None, vec![]),
            (Fixed, usdc(1_000_000), None, vec![]),
            (Fixed, Usdc(999_999), None, vec!["bid"]),
            (Fixed, Usdc(1_000_000_000_001), None, vec!["bid"]),
            (Fixed, usdc(1), Some(1), vec!["estimatedHours"]),
            (Hourly, usdc(1), Some(1), vec![]),
            (Hourly, usdc(1_000), Some(10_000), vec![]),
            (Hourly, Usdc(1_000_000_001), Some(10_000), vec!["bid"]),
            (Hourly, usdc(1), Some(0), vec!["estimatedHours"]),
            (Hourly, usdc(1), Some(10_001), vec!["estimatedHours"]),
            (Hourly, usdc(1), None, vec!["estimatedHours"]),
        ] {
            assert_eq!(
                fields(check(&mut bid(amount, hours, &[]), pays)),
                wrong,
                "{pays:?} {amount} {hours:?}"
            );
        }
    }

    #[test]
    fn a_plan_makes_the_whole_price_to_the_micro() {
        let five = Usdc(5 * Usdc::SCALE);
        assert_eq!(fields(check(&mut bid(five, None, &[2_000_000, 3_000_000]), BudgetType::Fixed)), [""; 0]);
        assert_eq!(
            fields(check(&mut bid(five, None, &[2_000_000, 2_999_999]), BudgetType::Fixed)),
            ["milestones"]
        );
        assert_eq!(fields(check(&mut bid(five, Some(3), &[15_000_000]), BudgetType::Hourly)), [""; 0]);
        assert_eq!(
            fields(check(&mut bid(five, None, &[5_000_000, 0]), BudgetType::Fixed)),
            ["milestones.1.amount"]
        );
        assert_eq!(
            fields(check(&mut bid(Usdc(21_000_000), None, &[1_000_000; 21]), BudgetType::Fixed)),
            ["milestones"]
        );
    }

    proptest! {
        #[test]
        fn only_the_exact_sum_passes(parts in prop::collection::vec(1..1_000_000_000_i64, 1..20), off in -3..3_i64) {
            let sum: i64 = parts.iter().sum();
            prop_assume!((1_000_000..=1_000_000_000_000).contains(&(sum + off)));
            let result = check(&mut bid(Usdc(sum + off), None, &parts), BudgetType::Fixed);
            prop_assert_eq!(result.is_ok(), off == 0);
        }
    }
}
