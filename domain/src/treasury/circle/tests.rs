//! What a balance at Circle means beside the books.

use entities::LedgerTransferKind;

use super::*;
use crate::{
    fixture::{
        StillCircle, app, post,
        rows::{id, ordered, payment, store},
        told, usdc,
    },
    ports::circle::Payout,
};

/// Whatever of what is under way was taken off, and whichever of the moves has come.
#[test]
fn a_move_explains_just_what_it_moved() {
    let (there, range) = (Usdc(100), (Usdc(150), Usdc(160)));
    let made_good_by = |amounts: &[i64]| {
        let amounts: Vec<_> = amounts.iter().copied().map(Usdc).collect();
        between(there, range, &amounts).unwrap()
    };
    for amount in [50, 55, 60] {
        assert_eq!(made_good_by(&[7, amount]), Some(Usdc(amount)));
    }
    assert_eq!(made_good_by(&[20, 35]), Some(Usdc(55)), "together");
    for other in [&[][..], &[49], &[61], &[30, 31], &[1_000]] {
        assert_eq!(made_good_by(other), None, "{other:?}");
    }
}

/// More are under way than Circle is asked about: what their fees can explain is no difference, and a micro-USDC more is.
#[tokio::test]
async fn what_many_payouts_may_have_cost_is_not_missing() {
    let app = app().await;
    let (books, each, one) = (usdc(10_000), usdc(90), usdc(1));
    let lines = [(Account::Treasury(PaymentRail::Circle), books), (Account::Unallocated, usdc(-10_000))];
    post(&app, LedgerTransferKind::TreasuryMoved, None, &lines).await;
    let count = u128::try_from(MOST_ASKED).unwrap() + 1;
    for number in 1..=count {
        let row = payment(number, PaymentKind::Release, PaymentStatus::Confirming, 1);
        store(&app, payment::Model { rail: PaymentRail::Circle, fee: usdc(10), net: each, ..row }).await;
        let order = ordered(id(number), Usdc::ZERO);
        store(&app, circle_payout::Model { status: Some("pending".to_owned()), ..order }).await;
    }
    let all = |amount: Usdc, count: usize| Usdc::sum(std::iter::repeat_n(amount, count)).unwrap();
    let low = books.minus(all(each, MOST_ASKED + 1)).unwrap();
    // What those that are asked for took, and the most that the one that is not can have.
    let told_low = low.minus(all(one, MOST_ASKED)).unwrap();
    let lowest = told_low.minus(most(each)).unwrap();
    let compared = async |balance: Usdc| {
        let payout = move |id: &str| Ok(Payout { fee: Some(one), ..told(id, Some(each), Some("r1")) });
        let circle =
            StillCircle { balance: Some(balance), payout: Box::new(payout), ..StillCircle::default() };
        compare(&app, &circle).await.unwrap()
    };
    let unclear = AtCircle::Not("too much is under way to ask for the fee of each payout".to_owned());
    let holds = |there, expected, slack| AtCircle::Holds { there, expected, slack };
    for (there, expected) in [
        (low, holds(low, low, (Usdc::ZERO, books.minus(low).unwrap()))),
        (told_low, holds(told_low, told_low, (Usdc::ZERO, books.minus(told_low).unwrap()))),
        (Usdc(told_low.micro() - 1), unclear.clone()),
        (lowest, unclear),
        (
            Usdc(lowest.micro() - 1),
            holds(Usdc(lowest.micro() - 1), lowest, (Usdc::ZERO, books.minus(lowest).unwrap())),
        ),
    ] {
        assert_eq!(compared(there).await, expected, "{there}");
    }
}
