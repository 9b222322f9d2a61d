use entities::chain_transaction;

use super::*;
use crate::{
    App,
    fixture::{
        CHAIN, app,
        rows::{self, address, id, signed as signature, store},
    },
};

/// Books with these nonces, each of a payment, and a counter.
async fn with(nonces: &[(u128, i64)], counters: &[(i64, i64)]) -> App {
    let app = app().await;
    for (place, (payment, nonce)) in (1..).zip(nonces) {
        let row = signature(id(*payment), *nonce);
        let row = chain_transaction::Model { id: id(place), hash: format!("0x{place}"), ..row };
        store(&app, row).await;
    }
    for (place, (chain_id, next_nonce)) in (1..).zip(counters) {
        let counter =
            chain_nonce::Model { address: address(place), chain_id: *chain_id, next_nonce: *next_nonce };
        store(&app, counter).await;
    }
    app
}

async fn is(signed: &[(u128, i64)], counters: &[(i64, i64)], figure: &str, problems: &[&str]) {
    let app = with(signed, counters).await;
    let check = nonces(app.db.reader()).await.unwrap();
    assert_eq!((check.name, check.figure.as_str()), ("nonces", figure), "{signed:?}");
    assert_eq!(check.problems, problems, "{signed:?}");
}

fn pay(number: u128) -> PaymentId {
    id(number)
}

#[tokio::test]
async fn each_nonce_is_signed_once_and_the_counter_stands_behind_the_last() {
    let next = |nonce| [(CHAIN, nonce)];
    is(&[], &[], "none signed", &[]).await;
    is(&[(1, 4)], &next(5), "next is 5", &[]).await;
    // Twice under the same nonce: a stuck one was replaced.
    is(&[(1, 4), (2, 5), (2, 5), (3, 6)], &next(7), "next is 7", &[]).await;
}

#[tokio::test]
async fn what_is_wrong_with_nonces_shows() {
    let next = |nonce| [(CHAIN, nonce)];
    let behind = "the next nonce is 6, and the last one signed Some(4)";
    is(&[(1, 4)], &next(6), "next is 6", &[behind]).await;
    let before = "the next nonce is 4, and the last one signed Some(4)";
    is(&[(1, 4)], &next(4), "next is 4", &[before]).await;
    is(&[], &next(0), "next is 0", &["the next nonce is 0, and the last one signed None"]).await;
    is(&[(1, 4), (2, 8)], &next(9), "next is 9", &["nonces 5 to 7: never signed"]).await;
    is(&[(1, 4), (2, 6)], &next(7), "next is 7", &["nonces 5 to 5: never signed"]).await;
    let several = format!("nonce 4: of several payments, {:?}", BTreeSet::from([pay(1), pay(2)]));
    is(&[(1, 4), (2, 4)], &next(5), "next is 5", &[&several]).await;
    let under = format!("{}: signed under several nonces, {{4, 5}}", pay(1));
    is(&[(1, 4), (1, 5)], &next(6), "next is 6", &[&under]).await;
}

#[tokio::test]
async fn each_chain_has_a_counter_and_a_changed_key_a_second_one() {
    let without = format!("chain {CHAIN}: signatures without a counter of nonces");
    is(&[(1, 4)], &[], "none signed", &[&without]).await;
    // The counter is of another chain, where nothing was signed.
    let nothing = "the next nonce is 3, and the last one signed None";
    is(&[(1, 4)], &[(1, 3)], "next is 3", &[nothing, &without]).await;
    // Which of two counters counted what, the rows do not say.
    is(&[(1, 4), (2, 9)], &[(CHAIN, 5), (CHAIN, 10)], "none signed", &[]).await;
}

#[tokio::test]
async fn what_is_on_its_way_over_the_chain_is_signed_and_what_waits_is_not() {
    use PaymentKind::{Deposit, Release, Return};
    use PaymentStatus::{Completed, Confirming, OnHold, Queued, Submitted};
    let app = app().await;
    let payments = [
        // As it should be.
        (1, Release, Submitted, true),
        (2, Return, Confirming, true),
        (3, Release, Queued, false),
        (4, Release, OnHold, false),
        (5, Release, Completed, true),
        // A deposit is signed by somebody else.
        (6, Deposit, Confirming, false),
        // Not so.
        (7, Release, Submitted, false),
        (8, Return, Confirming, false),
        (9, Release, Queued, true),
        (10, Release, OnHold, true),
    ];
    for (number, kind, status, is_signed) in payments {
        store(&app, rows::payment(number, kind, status, 1)).await;
        if is_signed {
            store(&app, signature(id(number), 0)).await;
        }
    }
    // Circle signs for itself.
    let circle = rows::payment(11, Release, Submitted, 1);
    store(&app, payment::Model { rail: PaymentRail::Circle, ..circle }).await;
    let check = signed(app.db.reader()).await.unwrap();
    let mut problems = check.problems.clone();
    problems.sort_unstable();
    let missing = |number| format!("{}: on its way without a signature", pay(number));
    let early = |number| format!("{}: waits, and is signed all the same", pay(number));
    assert_eq!(problems, [missing(7), missing(8), early(9), early(10)]);
    assert_eq!((check.name, check.figure.as_str()), ("signatures", "5"));
}
