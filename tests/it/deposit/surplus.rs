//! A surplus that is too small to go back by itself, when its deposit is undone.

use domain::{entities::PaymentRail, ledger::Account, money::Usdc};
use serde_json::json;

use super::{
    asked, balance, escrow, look, send, signed, state,
    unallocated::{give_back, set_aside},
};
use crate::support::{TestApp, errors, new_key, ok, text};

const TREASURY: Account = Account::Treasury(PaymentRail::Chain);

/// It is undone with the deposit, and set aside anew with the next credit.
#[tokio::test(flavor = "multi_thread")]
async fn a_small_surplus_is_undone_with_its_deposit() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let milestone = &deal.milestones[0];
    let (id, treasury) = asked(&app, &deal, milestone).await;
    let raw = signed(&app, &deal.client, &treasury, 100_400_000).await;
    send(&app, &raw).await;
    look(&app, 2).await;
    let credited = [(TREASURY, Usdc(100_400_000)), (Account::Unallocated, Usdc(-400_000))];
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    for (account, booked) in credited {
        assert_eq!(balance(&app, account).await, booked);
    }

    app.reorg(3).await;
    look(&app, 1).await;
    look(&app, 1).await;
    assert_eq!(state(&app, &deal, &id).await, "AWAITING_FUNDS");
    for account in [TREASURY, Account::Unallocated] {
        assert_eq!(balance(&app, account).await, Usdc::ZERO, "{account:?}");
    }
    assert_eq!(escrow(&app, milestone).await, Usdc::ZERO);
    app.books_agree().await;

    send(&app, &raw).await;
    look(&app, 3).await;
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    assert_eq!(escrow(&app, milestone).await, Usdc(100_000_000));
    for (account, booked) in credited {
        assert_eq!(balance(&app, account).await, booked);
    }
    app.finish().await;
}

/// Lost with its deposit, which was passed on: what is not there is sent back to nobody, until it is there again.
#[tokio::test(flavor = "multi_thread")]
async fn a_small_surplus_of_what_was_lost_is_not_given_back() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    let milestone = &deal.milestones[0];
    let (id, treasury) = asked(&app, &deal, milestone).await;
    let raw = signed(&app, &deal.client, &treasury, 100_400_000).await;
    send(&app, &raw).await;
    look(&app, 2).await;
    app.submit(&deal, milestone).await;
    let money = text(&set_aside(&app, &admin, json!({})).await[0]["id"]);
    ok(app.approve(&deal, milestone, &new_key()).await);
    app.reorg(3).await;
    look(&app, 1).await;
    look(&app, 1).await;
    assert_eq!(balance(&app, Account::Loss).await, Usdc(100_400_000));
    let payload = give_back(&app, &admin, &money, &new_key()).await;
    assert_eq!(errors(&payload), ["unallocatedId:ILLEGAL_STATE"], "{payload}");
    app.books_agree().await;

    send(&app, &raw).await;
    look(&app, 3).await;
    look(&app, 0).await;
    assert_eq!(balance(&app, Account::Loss).await, Usdc::ZERO);
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    ok(give_back(&app, &admin, &money, &new_key()).await);
    app.finish().await;
}
