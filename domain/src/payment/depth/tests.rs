use std::sync::Arc;

use entities::{PaymentKind, PaymentStatus};

use super::*;
use crate::fixture::{
    StillChain, app, app_with,
    rows::{payment, transfer},
    usdc,
};

fn chain(head: u64, finalized: Option<u64>) -> StillChain {
    StillChain { head: Some(head), finalized, ..StillChain::default() }
}

async fn depth(head: u64, finalized: Option<u64>) -> Depth {
    Depth::now(&app_with(chain(head, finalized), |_| ()).await).await.unwrap()
}

#[tokio::test]
async fn final_is_what_the_chain_calls_so_or_else_what_lies_128_deep() {
    for (finalized, last) in [(Some(190), 190), (None, 73)] {
        let depth = depth(200, finalized).await;
        assert_eq!(depth.head(), &StillChain::at(200));
        assert!(depth.is_final(&transfer(1, last - 1, None)));
        assert!(depth.is_final(&transfer(1, last, None)));
        assert!(!depth.is_final(&transfer(1, last + 1, None)));
        assert!(depth.is_final_at(last) && !depth.is_final_at(last + 1));
    }
    // The chain is shorter than that.
    let young = depth(9, None).await;
    assert!(young.is_final(&transfer(1, 0, None)));
    assert!(!young.is_final(&transfer(1, 1, None)));
}

#[tokio::test]
async fn without_a_block_nothing_is_known() {
    let error = Depth::now(&app().await).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert_eq!(error.to_string(), "chain: no newest block");
    let down = StillChain { down: true, ..chain(200, None) };
    assert!(Depth::now(&app_with(down, |_| ()).await).await.is_err());
}

/// The lower of the two counts, and without the second's word there is none.
#[tokio::test]
async fn what_is_final_by_one_of_two_nodes_only_is_not() {
    let beside = async |second: StillChain| {
        let mut app = app_with(chain(200, Some(190)), |_| ()).await;
        app.witness = Some(std::sync::Arc::new(second));
        Depth::now(&app).await.unwrap()
    };
    for (second, last) in [(chain(200, Some(180)), 180), (chain(200, Some(195)), 190), (chain(200, None), 73)]
    {
        let depth = beside(second).await;
        assert!(depth.is_final_at(last) && !depth.is_final_at(last + 1), "{depth:?}");
    }
    let silent = beside(StillChain { down: true, ..chain(200, Some(190)) }).await;
    assert!(!silent.is_final_at(0));
}

#[tokio::test]
async fn a_transfer_counts_once_enough_blocks_lie_upon_it_its_own_included() {
    let depth = depth(200, Some(190)).await;
    assert!(depth.counts(&transfer(1, 198, None), Some(3)));
    assert!(!depth.counts(&transfer(1, 199, None), Some(3)));
    assert!(depth.counts(&transfer(1, 200, None), Some(1)));
    assert!(depth.counts(&transfer(1, 190, None), None));
    assert!(!depth.counts(&transfer(1, 191, None), None));
}

#[tokio::test]
async fn larger_sums_need_more_and_the_largest_have_to_be_final() {
    let app = app_with(StillChain::default(), |it| {
        it.confirmations = 3;
        it.large_deposits.tiers = vec![(usdc(100), 5), (usdc(1_000), 12)];
        it.large_deposits.finalized_from = Some(usdc(5_000));
    })
    .await;
    for (micro, wanted) in [
        (1, Some(3)),
        (99_999_999, Some(3)),
        (100_000_000, Some(5)),
        (999_999_999, Some(5)),
        (1_000_000_000, Some(12)),
        (4_999_999_999, Some(12)),
        (5_000_000_000, None),
        (5_000_000_001, None),
    ] {
        assert_eq!(needed(&app, Usdc(micro)), wanted, "{micro}");
    }
}

#[tokio::test]
async fn what_came_too_much_makes_the_whole_need_what_the_whole_sum_needs() {
    let large = |it: &mut crate::Settings| it.large_deposits.tiers = vec![(usdc(150), 10)];
    let app = app_with(chain(200, Some(150)), large).await;
    let depth = Depth::now(&app).await.unwrap();
    // 100 USDC, three blocks.
    let deposit = payment(1, PaymentKind::Deposit, PaymentStatus::AwaitingFunds, 1);
    let suffices = |blocks: &[(i64, u64)]| {
        let row = |(whole, block): &(i64, u64)| chain_transfer::Model {
            amount: usdc(*whole),
            ..transfer(1, *block, None)
        };
        let rows: Vec<_> = blocks.iter().map(row).collect();
        depth.suffices(&app, &deposit, &rows).unwrap()
    };
    assert!(suffices(&[(100, 198)]));
    assert!(!suffices(&[(100, 199)]));
    assert!(suffices(&[(60, 190), (40, 198)]));
    assert!(!suffices(&[(60, 190), (40, 199)]));
    // 50 too much: all of it has to lie ten deep.
    assert!(!suffices(&[(100, 190), (50, 192)]));
    assert!(suffices(&[(100, 190), (50, 191)]));
    assert!(!suffices(&[(150, 198)]));
    // Too much, and still less than the next tier.
    assert!(suffices(&[(149, 198)]));
    // What the deposit itself was told to need holds beside it.
    let strict = payment::Model { required_confirmations: None, ..deposit.clone() };
    let much = chain_transfer::Model { amount: usdc(150), ..transfer(1, 151, None) };
    assert!(!depth.suffices(&app, &strict, std::slice::from_ref(&much)).unwrap());
    let much = chain_transfer::Model { block_number: 150, ..much };
    assert!(depth.suffices(&app, &strict, &[much]).unwrap());
    // Exactly the sum of a tier asks for what was told when the deposit was opened, and no more.
    let lenient = payment::Model { amount: usdc(150), ..deposit };
    let exact = chain_transfer::Model { amount: usdc(150), ..transfer(1, 198, None) };
    assert!(depth.suffices(&app, &lenient, &[exact]).unwrap());
}

#[tokio::test]
async fn the_older_final_block_of_two_is_behind_and_one_that_is_counted_is_not() {
    let lagging = |lag| StillChain { final_lag: Duration::minutes(lag), ..chain(200, Some(190)) };
    for (first, second, behind) in [
        (chain(200, None), None, 0),
        (lagging(0), None, 0),
        (lagging(20), None, 20),
        (lagging(20), Some(lagging(5)), 20),
        (lagging(5), Some(lagging(90)), 90),
        (lagging(5), Some(chain(200, None)), 5),
        // Who says nothing has said nothing of its final block either.
        (lagging(5), Some(StillChain { down: true, ..lagging(90) }), 5),
    ] {
        let mut app = app_with(first, |_| ()).await;
        if let Some(second) = second {
            app.witness = Some(Arc::new(second));
        }
        assert_eq!(Depth::now(&app).await.unwrap().final_lag(), Duration::minutes(behind));
    }
}

#[tokio::test]
async fn a_piece_of_a_large_deposit_needs_what_the_whole_does() {
    let large = |it: &mut crate::Settings| {
        it.large_deposits.tiers = vec![(usdc(100), 5)];
        it.large_deposits.finalized_from = Some(usdc(5_000));
    };
    let app = app_with(chain(200, Some(150)), large).await;
    let depth = Depth::now(&app).await.unwrap();
    let counts = |whole: i64, block, needs: Option<Option<i32>>| {
        let row = chain_transfer::Model { amount: usdc(whole), ..transfer(1, block, None) };
        let deposit = needs.map(|required_confirmations| payment::Model {
            required_confirmations,
            ..payment(1, PaymentKind::Deposit, PaymentStatus::Completed, 1)
        });
        depth.counts_for(&app, &row, deposit.as_ref())
    };
    // 10 USDC by themselves, of a deposit that needs ten blocks, and of one that has to be final.
    for (needs, last) in [(None, 198), (Some(Some(10)), 191), (Some(None), 150), (Some(Some(1)), 198)] {
        assert!(counts(10, last, needs), "{needs:?}");
        assert!(!counts(10, last + 1, needs), "{needs:?}");
    }
    // What is more than its deposit, as one that came too much may be.
    assert!(counts(100, 196, Some(Some(3))));
    assert!(!counts(100, 197, Some(Some(3))));
}

/// How far apart the newest blocks are, whichever is ahead; and what counts by one node is not undone.
#[tokio::test]
async fn two_nodes_may_be_apart_and_what_counts_by_one_of_them_may_count() {
    let behind = |minutes| StillChain { head_lag: Duration::minutes(minutes), ..chain(200, None) };
    let beside = async |second: Option<StillChain>| {
        let mut app = app_with(behind(20), |_| ()).await;
        app.witness = second.map(|second| Arc::new(second) as Arc<dyn Chain>);
        Depth::now(&app).await.unwrap()
    };
    let row = |block| transfer(1, block, None);
    for (second, apart, last) in [
        (None, 0, 198),
        (Some(behind(20)), 0, 198),
        (Some(behind(50)), 30, 198),
        (Some(StillChain { head: Some(210), ..behind(5) }), 15, 208),
        (Some(StillChain { head: Some(190), ..behind(20) }), 0, 198),
    ] {
        let depth = beside(second).await;
        assert_eq!(depth.apart(), Duration::minutes(apart), "{depth:?}");
        assert!(
            depth.may_count(&row(last), Some(3)) && !depth.may_count(&row(last + 1), Some(3)),
            "{depth:?}"
        );
    }
    let silent = beside(Some(StillChain { down: true, ..behind(90) })).await;
    assert_eq!(silent.apart(), Duration::zero());
    assert!(silent.may_count(&row(200), Some(3)) && silent.may_count(&row(900), None));
}
