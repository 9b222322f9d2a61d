//! The coin that payouts cost, when several are signed at once.

use domain::{
    entities::{PaymentId, Usdc},
    payment::payout,
};
use sandbox::evm::Mining;
use serde_json::json;

use super::signed;
use crate::support::{TestApp, new_key, ok, text};

/// Two at once, and coin for one: each alone sees enough, and only one signs.
#[tokio::test(flavor = "multi_thread")]
async fn payouts_at_once_do_not_share_the_coin_for_one() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 50]).await;
    let mut releases = Vec::new();
    for part in &deal.milestones {
        app.submitted(&deal, part).await;
    }
    app.evm.set_mining(Mining::Manual).unwrap();
    for part in &deal.milestones {
        releases.push(text(&ok(app.approve(&deal, part, &new_key()).await)["payment"]["id"]));
    }
    let (chain, treasury) = (&app.app.chain, app.app.chain.treasury().to_string());
    let gas = chain.transfer_gas(deal.freelancer.address().parse().unwrap(), Usdc(90_000_000)).await.unwrap();
    let cost = u128::from(gas) * u128::from(chain.gas_fees().await.unwrap().max_fee_per_gas);
    let has = async |wei: u128| app.rpc("anvil_setBalance", json!([treasury, format!("0x{wei:x}")])).await;
    has(cost * 3 / 2).await;
    let ids: Vec<PaymentId> = releases.iter().map(|id| id.parse().unwrap()).collect();
    let (one, two) = tokio::join!(payout::send(&app.app, ids[0]), payout::send(&app.app, ids[1]));
    one.unwrap();
    two.unwrap();
    let counts = [signed(&app, &releases[0]).await.len(), signed(&app, &releases[1]).await.len()];
    assert!([[1, 0], [0, 1]].contains(&counts), "{counts:?}");
    let waits = &releases[usize::from(counts[0] == 1)];
    let waiting = app.payment(&deal.client, waits).await;
    assert_eq!(waiting["status"], "QUEUED", "it is over in a moment");
    assert!(text(&waiting["failureReason"]).contains("coin for gas first"), "{waiting}");

    has(cost * 10).await;
    app.settle().await;
    app.settle().await;
    for release in &releases {
        assert_eq!(app.payment(&deal.client, release).await["status"], "COMPLETED");
    }
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 135_000_000);
    app.finish().await;
}
