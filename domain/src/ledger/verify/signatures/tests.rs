use entities::{Usdc, chain_transaction};

use super::*;
use crate::{
    App,
    fixture::{
        CHAIN, app, noon,
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

/// Recorded moves that the key of the counter signed, or another.
async fn moves(app: &App, moves: &[(u8, i64)]) {
    for (number, (key, nonce)) in (1..).zip(moves) {
        let row = treasury_move::Model {
            id: id(number),
            from_rail: PaymentRail::Chain,
            to_rail: PaymentRail::Circle,
            amount: Usdc(1),
            reference: format!("0x{number:064x}"),
            block_number: Some(1),
            sender: Some(address(*key)),
            chain_id: Some(CHAIN),
            nonce: Some(*nonce),
            recorded_by: id(1),
            recorded_at: noon(),
        };
        store(app, row).await;
    }
}

/// Payments signed under these nonces, moves, and the counter's next one: what is wrong with them.
async fn beside(signed: &[(u128, i64)], moved: &[(u8, i64)], next: i64, problems: &[&str]) {
    let app = with(signed, &[(CHAIN, next)]).await;
    moves(&app, moved).await;
    let check = nonces(app.db.reader()).await.unwrap();
    assert_eq!(check.problems, problems, "{signed:?} {moved:?} {next}");
}

#[tokio::test]
async fn a_recorded_move_has_a_nonce_too() {
    // Between payouts, as the last, and several.
    beside(&[(1, 4), (2, 6)], &[(1, 5)], 7, &[]).await;
    beside(&[(1, 4)], &[(1, 6), (1, 5)], 7, &[]).await;
    // Before the counter began, and where its turn has not come.
    beside(&[(1, 4)], &[(1, 1)], 5, &[]).await;
    beside(&[(1, 4)], &[(1, 6), (1, 9)], 5, &[]).await;
}

#[tokio::test]
async fn a_counter_that_went_on_without_a_move_shows() {
    let behind =
        |next: i64, last: i64| format!("the next nonce is {next}, and the last one signed Some({last})");
    beside(&[(1, 4)], &[(1, 5)], 7, &[&behind(7, 5)]).await;
    beside(&[(1, 4)], &[(1, 6)], 6, &["the next nonce is 6, and a recorded move used it", &behind(6, 4)])
        .await;
    beside(&[(1, 4)], &[(1, 6)], 7, &["nonces 5 to 5: never signed"]).await;
    beside(&[(1, 4)], &[(1, 5)], 5, &["the next nonce is 5, and a recorded move used it"]).await;
    beside(&[(1, 4)], &[(1, 5), (1, 5)], 6, &["nonce 5: of 2 recorded moves"]).await;
    // Another key's moves explain nothing of this one's counter.
    beside(&[(1, 4)], &[(2, 5)], 6, &[&behind(6, 4)]).await;
    // Nor does a move without a payout start a counter.
    let none = "the next nonce is 6, and the last one signed None";
    beside(&[], &[(1, 5)], 6, &[none]).await;
}

#[tokio::test]
async fn a_payout_gives_its_nonce_to_a_move_only_superseded() {
    use ChainTransactionStatus::{Broadcast, Final, Reverted, Superseded};
    for (status, fine) in [(Superseded, true), (Broadcast, false), (Final, false), (Reverted, false)] {
        let app = with(&[(1, 4), (3, 6)], &[(CHAIN, 7)]).await;
        let signed = chain_transaction::Model { status, ..signature(id(2), 5) };
        store(&app, chain_transaction::Model { id: id(9), ..signed }).await;
        moves(&app, &[(1, 5)]).await;
        let wrong =
            format!("nonce 5: of a recorded move, and not superseded of {:?}", BTreeSet::from([pay(2)]));
        let wanted = if fine { Vec::new() } else { vec![wrong] };
        assert_eq!(nonces(app.db.reader()).await.unwrap().problems, wanted, "{status:?}");
    }
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
