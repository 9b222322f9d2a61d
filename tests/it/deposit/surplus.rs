//! A surplus that is too small to go back by itself, when its deposit is undone.

use domain::{entities::PaymentRail, ledger::Account, money::Usdc};

use super::{asked, balance, escrow, look, send, signed, state};
use crate::support::TestApp;

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
