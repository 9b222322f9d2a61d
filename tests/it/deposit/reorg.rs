//! Reorgs before and after the credit, shallow and deep, and after the money was passed on.

use domain::{entities::PaymentRail, ledger::Account, money::Usdc, settings::LargeDeposits};
use serde_json::json;

use super::{asked, balance, escrow, look, send, signed, state};
use crate::support::{TestApp, new_key, ok, text};

const TREASURY: Account = Account::Treasury(PaymentRail::Chain);

/// At 1 to 4 confirmations, undone 1 to 6 blocks deep: whatever was credited is taken back, and credited once when the same
/// transaction is there again.
#[tokio::test(flavor = "multi_thread")]
async fn no_depth_and_no_number_of_confirmations_credits_wrongly() {
    for confirmations in 1..=4_u32 {
        let app = TestApp::start_with(|settings| settings.confirmations = confirmations).await;
        for depth in 1..=6_u64 {
            let names = [format!("c{confirmations}{depth}"), format!("f{confirmations}{depth}")];
            let deal = app.deal_of(&names[0], &names[1], &[100]).await;
            let milestone = &deal.milestones[0];
            let (id, treasury) = asked(&app, &deal, milestone).await;
            let raw = signed(&app, &deal.client, &treasury, 100_000_000).await;
            let before = balance(&app, TREASURY).await;
            send(&app, &raw).await;
            look(&app, depth - 1).await;
            let credited = depth >= u64::from(confirmations);
            let expected = if credited { "COMPLETED" } else { "CONFIRMING" };
            assert_eq!(state(&app, &deal, &id).await, expected, "{confirmations} {depth}");

            app.reorg(depth).await;
            look(&app, 1).await;
            look(&app, 1).await;
            let undone = app.payment(&deal.client, &id).await;
            let told = (&undone["status"], &undone["received"]["amount"], &undone["completedAt"]);
            let gone = (&json!("AWAITING_FUNDS"), &json!("0.00"), &json!(null));
            assert_eq!(told, gone, "{confirmations} {depth}");
            assert_eq!(app.status_of(&deal, milestone).await, "FUNDING");
            assert_eq!(escrow(&app, milestone).await, Usdc::ZERO);
            assert_eq!(balance(&app, TREASURY).await, before);
            app.books_agree().await;

            send(&app, &raw).await;
            look(&app, u64::from(confirmations)).await;
            assert_eq!(state(&app, &deal, &id).await, "COMPLETED", "{confirmations} {depth}");
            assert_eq!(app.status_of(&deal, milestone).await, "FUNDED");
            assert_eq!(escrow(&app, milestone).await, Usdc(100_000_000));
            app.books_agree().await;
        }
        assert_eq!(balance(&app, Account::Loss).await, Usdc::ZERO);
        app.finish().await;
    }
}

/// Both are told, handed-in work waits for the money again, and the deadline is a new one.
#[tokio::test(flavor = "multi_thread")]
async fn an_undone_deposit_has_a_new_deadline_and_is_told() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let milestone = &deal.milestones[0];
    let (id, treasury) = asked(&app, &deal, milestone).await;
    let raw = signed(&app, &deal.client, &treasury, 100_000_000).await;
    send(&app, &raw).await;
    look(&app, 2).await;
    app.submit(&deal, milestone).await;
    app.reorg(3).await;
    look(&app, 1).await;
    assert_eq!(app.status_of(&deal, milestone).await, "FUNDING");
    for person in [&deal.client, &deal.freelancer] {
        let mails = app.mails(&person.email);
        assert!(mails.iter().any(|mail| mail.subject == "The deposit for Part 1 was undone"));
    }
    // Nobody pays again: it expires by itself.
    app.advance(chrono::Duration::hours(25));
    look(&app, 5).await;
    look(&app, 5).await;
    assert_eq!(state(&app, &deal, &id).await, "EXPIRED");
    assert_eq!(app.status_of(&deal, milestone).await, "PENDING");
    app.finish().await;
}

/// Mined again at once and as deep: nobody notices.
#[tokio::test(flavor = "multi_thread")]
async fn a_moved_deposit_that_is_as_deep_stays_credited() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let milestone = &deal.milestones[0];
    let (id, treasury) = asked(&app, &deal, milestone).await;
    let raw = signed(&app, &deal.client, &treasury, 100_000_000).await;
    send(&app, &raw).await;
    look(&app, 2).await;
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    app.reorg(3).await;
    send(&app, &raw).await;
    look(&app, 2).await;
    look(&app, 0).await;
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    assert_eq!(app.status_of(&deal, milestone).await, "FUNDED");
    let mails = app.mails(&deal.client.email);
    assert_eq!(mails.iter().filter(|mail| mail.subject.contains("undone")).count(), 0);
    app.finish().await;
}

/// Mined again, but not as deep: it counts once it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_moved_deposit_that_is_less_deep_counts_later() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let milestone = &deal.milestones[0];
    let (id, treasury) = asked(&app, &deal, milestone).await;
    let raw = signed(&app, &deal.client, &treasury, 100_000_000).await;
    send(&app, &raw).await;
    look(&app, 2).await;
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    app.reorg(3).await;
    send(&app, &raw).await;
    look(&app, 0).await;
    look(&app, 0).await;
    assert_eq!(state(&app, &deal, &id).await, "CONFIRMING");
    assert_eq!(escrow(&app, milestone).await, Usdc::ZERO);
    look(&app, 2).await;
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    assert_eq!(escrow(&app, milestone).await, Usdc(100_000_000));
    app.finish().await;
}

/// Passed on already: the platform bears it, everybody concerned is told, and takes it back when the transfer is there again.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_passed_on_is_a_loss_until_it_comes_again() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    let milestone = &deal.milestones[0];
    let (id, treasury) = asked(&app, &deal, milestone).await;
    let raw = signed(&app, &deal.client, &treasury, 100_000_000).await;
    send(&app, &raw).await;
    look(&app, 2).await;
    app.submit(&deal, milestone).await;
    // Approved, but the payout has not been signed when the chain turns.
    let release = text(&ok(app.approve(&deal, milestone, &new_key()).await)["payment"]["id"]);
    app.reorg(3).await;
    look(&app, 1).await;
    look(&app, 1).await;
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    assert_eq!(app.status_of(&deal, milestone).await, "APPROVED");
    assert_eq!(balance(&app, Account::Loss).await, Usdc(100_000_000));
    assert_eq!(balance(&app, TREASURY).await, Usdc::ZERO);
    assert_eq!(state(&app, &deal, &release).await, "ON_HOLD");
    for person in [&deal.client, &deal.freelancer, &admin] {
        let mails = app.mails(&person.email);
        let told = mails.iter().filter(|mail| mail.subject.contains("was undone after it was passed on"));
        assert_eq!(told.count(), 1, "{}", person.email);
    }
    app.books_agree().await;

    send(&app, &raw).await;
    look(&app, 3).await;
    look(&app, 0).await;
    assert_eq!(balance(&app, Account::Loss).await, Usdc::ZERO);
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    app.finish().await;
}

/// A stray that a reorg undid is owed to nobody, and is set aside anew when it is there again.
#[tokio::test(flavor = "multi_thread")]
async fn an_unallocated_deposit_is_undone_too() {
    let app = TestApp::start().await;
    let (sender, treasury) = (app.freelancer("felix").await, app.app.chain.treasury().to_string());
    let raw = signed(&app, &sender, &treasury, 5_000_000).await;
    send(&app, &raw).await;
    look(&app, 2).await;
    // One look finds it, the next one sees that it is deep enough.
    look(&app, 0).await;
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc(-5_000_000));
    app.reorg(3).await;
    look(&app, 1).await;
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc::ZERO);
    app.books_agree().await;
    send(&app, &raw).await;
    look(&app, 3).await;
    look(&app, 0).await;
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc(-5_000_000));
    app.finish().await;
}

/// From the limit on a block has to be final; the sandbox's is two below the head. Just below it the usual number does.
#[tokio::test(flavor = "multi_thread")]
async fn large_deposits_need_a_final_block() {
    let app = TestApp::start_with(|settings| {
        settings.confirmations = 1;
        settings.large_deposits =
            LargeDeposits { tiers: vec![(Usdc(90_000_000), 2)], finalized_from: Some(Usdc(100_000_000)) };
    })
    .await;
    let deal = app.deal(&[89, 99, 100]).await;
    let mut payments = Vec::new();
    for (milestone, needed) in deal.milestones.iter().zip([json!(1), json!(2), json!(null)]) {
        let payload = ok(app.fund(&deal, milestone, &new_key()).await);
        assert_eq!(payload["payment"]["requiredConfirmations"], needed);
        payments.push(text(&payload["payment"]["id"]));
    }
    let treasury = app.app.chain.treasury().to_string();
    // The newest block holds the last of them.
    for (micro, payment, expected) in [
        (89_000_000, 0, ["COMPLETED"].as_slice()),
        (99_000_000, 1, ["CONFIRMING", "COMPLETED"].as_slice()),
        (100_000_000, 2, ["CONFIRMING", "CONFIRMING", "COMPLETED"].as_slice()),
    ] {
        app.evm.pay(&deal.client.address(), &treasury, micro).await.unwrap();
        for (blocks, expected) in expected.iter().enumerate() {
            look(&app, u64::from(blocks > 0)).await;
            assert_eq!(state(&app, &deal, &payments[payment]).await, *expected, "{micro} {blocks}");
        }
    }
    app.finish().await;
}

/// In its new block the transfer has another place, behind somebody else's: it is the same all the same, and counted once.
#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_changes_its_place_is_counted_once() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let (id, treasury) = asked(&app, &deal, &deal.milestones[0]).await;
    let first = signed(&app, &deal.freelancer, &treasury, 5_000_000).await;
    let raw = signed(&app, &deal.client, &treasury, 100_000_000).await;
    let hash = send(&app, &raw).await;
    look(&app, 2).await;
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    app.reorg(3).await;
    app.rpc("evm_setAutomine", json!([false])).await;
    send(&app, &first).await;
    send(&app, &raw).await;
    app.evm.mine(1).unwrap();
    app.rpc("evm_setAutomine", json!([true])).await;
    let receipt = app.rpc("eth_getTransactionReceipt", json!([hash])).await;
    assert_eq!(receipt["logs"][0]["logIndex"], "0x1", "{receipt}");
    look(&app, 2).await;
    look(&app, 0).await;
    let deposit = app.payment(&deal.client, &id).await;
    assert_eq!((&deposit["status"], &deposit["received"]["amount"]), (&json!("COMPLETED"), &json!("100.00")));
    assert_eq!(deposit["transfers"].as_array().unwrap().len(), 1, "{deposit}");
    assert_eq!(app.usdc_of(&deal.client.address()).await, 0);
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc(-5_000_000));
    app.finish().await;
}
