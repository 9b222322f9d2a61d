//! Reorgs before and after the credit, shallow and deep, and after the money was passed on.

use domain::{
    entities::{MilestoneId, MilestoneStatus, PaymentId, PaymentRail, PaymentStatus, milestone, payment},
    ledger::{self, Account},
    money::Usdc,
    settings::LargeDeposits,
};
use sea_orm::EntityTrait;
use serde_json::json;

use super::{
    asked, balance, credited, escrow, look, send, sign, signed, state,
    unallocated::{give_back, set_aside},
};
use crate::support::{TestApp, errors, new_key, ok, proxy::Fault, text};

const TREASURY: Account = Account::Treasury(PaymentRail::Chain);

/// The most confirmations, and the deepest reorg.
const MOST: u32 = 13;
const DEEPEST: u64 = 12;

/// Deposits of one to thirteen USDC, each with as many confirmations, that are always mined in one block.
struct Grid {
    app: TestApp,
    /// What each of them is paid by.
    raws: Vec<String>,
    payments: Vec<PaymentId>,
    milestones: Vec<MilestoneId>,
}

impl Grid {
    async fn start() -> Self {
        let usdc = |count: u32| Usdc(i64::from(count) * Usdc::SCALE);
        let tiers = (1..=MOST).map(|count| (usdc(count), count)).collect();
        let app = TestApp::start_with(|settings| {
            settings.large_deposits = LargeDeposits { tiers, finalized_from: None };
        })
        .await;
        let deal = app.deal(&(1..=MOST).collect::<Vec<_>>()).await;
        let all = (1..=u64::from(MOST)).sum::<u64>() * 1_000_000;
        app.evm.mint_and_fund(&deal.client.address(), all).unwrap();
        app.evm.mine(1).unwrap();
        let (mut raws, mut payments) = (Vec::new(), Vec::new());
        for (nonce, milestone) in (0..).zip(&deal.milestones) {
            let (payment, treasury) = asked(&app, &deal, milestone).await;
            raws.push(sign(&app, &deal.client, &treasury, (nonce + 1) * 1_000_000, nonce));
            payments.push(payment.parse().unwrap());
        }
        let milestones = deal.milestones.iter().map(|id| id.parse().unwrap()).collect();
        Self { app, raws, payments, milestones }
    }

    /// All of them in one block.
    async fn pay(&self) {
        self.app.rpc("evm_setAutomine", json!([false])).await;
        for raw in &self.raws {
            send(&self.app, raw).await;
        }
        self.app.evm.mine(1).unwrap();
        self.app.rpc("evm_setAutomine", json!([true])).await;
    }

    /// Each deposit and its milestone are in these states, and the escrow holds what was credited and nothing else.
    async fn require(&self, what: &str, state: impl Fn(u32) -> (PaymentStatus, MilestoneStatus)) {
        let db = self.app.app.db.reader();
        let rows = payment::Entity::find().all(db).await.unwrap();
        let parts = milestone::Entity::find().all(db).await.unwrap();
        let held = ledger::escrow(db, self.milestones.iter().copied()).await.unwrap();
        for (count, (payment, milestone)) in (1..).zip(self.payments.iter().zip(&self.milestones)) {
            let row = rows.iter().find(|row| row.id == *payment).unwrap();
            let part = parts.iter().find(|row| row.id == *milestone).unwrap();
            let (status, expected) = state(count);
            assert_eq!(row.required_confirmations, i32::try_from(count).ok());
            assert_eq!((row.status, part.status), (status, expected), "{count} confirmations, {what}");
            let credited = status == PaymentStatus::Completed;
            assert_eq!(row.completed_at.is_some(), credited, "{count} confirmations, {what}");
            let held = held.iter().find(|(id, _)| id == milestone).map_or(Usdc::ZERO, |(_, held)| *held);
            let right = if credited { row.amount } else { Usdc::ZERO };
            assert_eq!(held, right, "wrongly credited: {count} confirmations, {what}");
        }
        self.app.books_agree().await;
    }
}

/// At 1 to 13 confirmations, undone 1 to 12 blocks deep: whatever was credited is taken back, and credited once when the same
/// transaction is there again. One world for all, because what was undone is waited for again.
#[tokio::test(flavor = "multi_thread")]
async fn no_depth_and_no_number_of_confirmations_credits_wrongly() {
    let grid = Grid::start().await;
    let app = &grid.app;
    for depth in 1..=DEEPEST {
        grid.pay().await;
        look(app, depth - 1).await;
        grid.require(&format!("{depth} deep"), |count| match depth >= u64::from(count) {
            true => (PaymentStatus::Completed, MilestoneStatus::Funded),
            false => (PaymentStatus::Confirming, MilestoneStatus::Funding),
        })
        .await;
        app.reorg(depth).await;
        look(app, 1).await;
        look(app, 1).await;
        let undone = format!("undone {depth} deep");
        grid.require(&undone, |_| (PaymentStatus::AwaitingFunds, MilestoneStatus::Funding)).await;
        assert_eq!(balance(app, TREASURY).await, Usdc::ZERO, "{undone}");
    }
    grid.pay().await;
    look(app, u64::from(MOST) - 1).await;
    grid.require("in the end", |_| (PaymentStatus::Completed, MilestoneStatus::Funded)).await;
    assert_eq!(balance(app, TREASURY).await, Usdc(91_000_000));
    assert_eq!(balance(app, Account::Loss).await, Usdc::ZERO);
    grid.app.finish().await;
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

/// A node of another chain shows none of ours, which says nothing of ours.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_another_chain_undoes_nothing() {
    let (app, proxy) = TestApp::start_behind_proxy().await;
    let deal = app.deal(&[100]).await;
    let milestone = &deal.milestones[0];
    let (id, _) = credited(&app, &deal, milestone).await;
    app.reorg(3).await;
    proxy.set("eth_chainId", Fault::Lie(json!("0x1")));
    for _ in 0..2 {
        app.advance(chrono::Duration::minutes(10));
        look(&app, 1).await;
    }
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    assert_eq!(escrow(&app, milestone).await, Usdc(100_000_000));
    proxy.cure();
    app.advance(chrono::Duration::minutes(10));
    look(&app, 1).await;
    assert_eq!(state(&app, &deal, &id).await, "AWAITING_FUNDS");
    assert_eq!(escrow(&app, milestone).await, Usdc::ZERO);
    app.finish().await;
}

/// Mined again at once and as deep: nobody notices.
#[tokio::test(flavor = "multi_thread")]
async fn a_moved_deposit_that_is_as_deep_stays_credited() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let milestone = &deal.milestones[0];
    let (id, raw) = credited(&app, &deal, milestone).await;
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
    let (id, raw) = credited(&app, &deal, milestone).await;
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
    // It is watched again, until its new block is final.
    look(&app, 3).await;
    look(&app, 0).await;
    let row = payment::Entity::find_by_id(id.parse::<PaymentId>().unwrap()).one(app.app.db.reader()).await;
    let row = row.unwrap().unwrap();
    assert!(row.final_at.is_some() && row.due_at.is_none(), "{row:?}");
    app.finish().await;
}

/// What came too much was too little for both senders to go back. Mined again in another order it would be divided otherwise;
/// but what is undone is what was posted.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_posted_is_reversed_and_not_what_would_be_posted_now() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let milestone = &deal.milestones[0];
    let mut other = app.register("carla-two", "CLIENT").await;
    other.token.clone_from(&deal.client.token);
    app.link(&other).await;
    let (id, treasury) = asked(&app, &deal, milestone).await;
    let much = signed(&app, &deal.client, &treasury, 100_700_000).await;
    let little = signed(&app, &other, &treasury, 500_000).await;
    send(&app, &much).await;
    send(&app, &little).await;
    look(&app, 2).await;
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc(-1_200_000));
    // Both are gone, and there again the other way round, not as deep.
    app.reorg(4).await;
    send(&app, &little).await;
    send(&app, &much).await;
    look(&app, 0).await;
    look(&app, 0).await;
    assert_eq!(state(&app, &deal, &id).await, "CONFIRMING");
    assert_eq!((escrow(&app, milestone).await, balance(&app, TREASURY).await), (Usdc::ZERO, Usdc::ZERO));
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc::ZERO);
    app.books_agree().await;
    look(&app, 3).await;
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    assert_eq!(escrow(&app, milestone).await, Usdc(100_000_000));
    app.settle().await;
    assert_eq!(app.usdc_of(&deal.client.address()).await, 1_200_000);
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

/// A stray that a reorg moved is decided on once it is as deep again in its new block, and not one block sooner.
#[tokio::test(flavor = "multi_thread")]
async fn a_moved_stray_is_decided_on_when_it_is_deep_again() {
    let app = TestApp::start().await;
    let (sender, admin) = (app.freelancer("felix").await, app.admin().await);
    let treasury = app.app.chain.treasury().to_string();
    let raw = signed(&app, &sender, &treasury, 5_000_000).await;
    send(&app, &raw).await;
    look(&app, 2).await;
    look(&app, 0).await;
    let money = text(&set_aside(&app, &admin, json!({})).await[0]["id"]);
    app.reorg(3).await;
    send(&app, &raw).await;
    for blocks in [0, 1] {
        look(&app, blocks).await;
        look(&app, 0).await;
        let early = give_back(&app, &admin, &money, &new_key()).await;
        assert_eq!(errors(&early), ["unallocatedId:ILLEGAL_STATE"], "{blocks}");
    }
    look(&app, 1).await;
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc(-5_000_000));
    ok(give_back(&app, &admin, &money, &new_key()).await);
    app.settle().await;
    app.advance(chrono::Duration::minutes(11));
    app.settle().await;
    assert_eq!(app.usdc_of(&sender.address()).await, 5_000_000);
    app.finish().await;
}

/// A large deposit that came in small pieces and was lost: each piece is regained as deep as the whole had to be.
#[tokio::test(flavor = "multi_thread")]
async fn a_piece_of_what_was_lost_is_as_deep_as_its_deposit_before_it_is_regained() {
    let app = TestApp::start_with(|settings| {
        settings.large_deposits = LargeDeposits { tiers: vec![(Usdc(100_000_000), 8)], finalized_from: None };
    })
    .await;
    let deal = app.deal(&[100]).await;
    let milestone = &deal.milestones[0];
    let (id, treasury) = asked(&app, &deal, milestone).await;
    app.evm.mint_and_fund(&deal.client.address(), 100_000_000).unwrap();
    app.evm.mine(1).unwrap();
    let raws = [0, 1].map(|nonce| sign(&app, &deal.client, &treasury, 50_000_000, nonce));
    for raw in &raws {
        send(&app, raw).await;
    }
    look(&app, 7).await;
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    app.submit(&deal, milestone).await;
    ok(app.approve(&deal, milestone, &new_key()).await);
    app.reorg(9).await;
    look(&app, 1).await;
    look(&app, 1).await;
    assert_eq!(balance(&app, Account::Loss).await, Usdc(100_000_000));
    for raw in &raws {
        send(&app, raw).await;
    }
    // Seven and six deep, then eight and seven, then nine and eight.
    for (blocks, lost) in [(5, 100_000_000), (1, 50_000_000), (1, 0)] {
        look(&app, blocks).await;
        look(&app, 0).await;
        assert_eq!(balance(&app, Account::Loss).await, Usdc(lost), "{blocks}");
    }
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
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
