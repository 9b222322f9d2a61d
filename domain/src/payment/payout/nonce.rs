//! Nonces of the treasury that are no payout's: an administrator who moves money to the other rail signs with the treasury's key
//! outside of us, and what is signed under the same nonce the chain never takes.

use entities::{chain_nonce, treasury_move};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::{App, Tx, error::Result, payment::numbers::chain_id};

/// Which nonces recorded moves used, from the counter's next one on, in their order.
pub(crate) async fn used_by_moves(
    conn: &impl ConnectionTrait,
    counter: &chain_nonce::Model,
) -> Result<Vec<i64>> {
    use treasury_move::Column;
    let nonces: Vec<Option<i64>> = treasury_move::Entity::find()
        .select_only()
        .column(Column::Nonce)
        // The nonces of a key that was changed are not this one's.
        .filter(Column::Sender.eq(counter.address.as_str()))
        .filter(Column::ChainId.eq(counter.chain_id))
        .filter(Column::Nonce.gte(counter.next_nonce))
        .order_by_asc(Column::Nonce)
        .into_tuple()
        .all(conn)
        .await?;
    Ok(nonces.into_iter().flatten().collect())
}

/// The first nonce from `next` on that is not among these, which are in their order. One that nobody recorded is never passed,
/// whatever comes after it: no slip and no node that lies moves the counter further than there are moves.
pub(super) fn past(used: &[i64], next: i64) -> i64 {
    used.iter().fold(next, |next, nonce| if *nonce == next { next + 1 } else { next })
}

/// Lets our counter pass the moves that stand next to it. It stays locked until the transaction ends: who signs a payout meanwhile
/// waits, and then knows of the move.
pub(in crate::payment) async fn pass_moves(app: &App, tx: &Tx) -> Result<()> {
    let id = (app.chain.treasury().to_string(), chain_id(app)?);
    // Without one it starts where the chain is by the first payout.
    let Some(counter) = chain_nonce::Entity::find_by_id(id).lock_exclusive().one(&**tx).await? else {
        return Ok(());
    };
    let next = past(&used_by_moves(&**tx, &counter).await?, counter.next_nonce);
    if next != counter.next_nonce {
        tracing::info!(from = counter.next_nonce, to = next, "the counter of nonces passes recorded moves");
        let mut change: chain_nonce::ActiveModel = counter.into();
        change.next_nonce = Set(next);
        change.update(&**tx).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fixture::{
            CHAIN, app, noon,
            rows::{address, id, store},
        },
        payment::payout::take_nonce,
    };
    use entities::{PaymentRail, Usdc};

    /// A recorded move of somebody's on a chain.
    async fn moved(app: &App, number: u128, sender: Option<u8>, chain_id: i64, nonce: i64) {
        let row = treasury_move::Model {
            id: id(number),
            from_rail: PaymentRail::Chain,
            to_rail: PaymentRail::Circle,
            amount: Usdc(1),
            reference: format!("0x{number:064x}"),
            block_number: Some(1),
            sender: sender.map(address),
            chain_id: sender.map(|_| chain_id),
            nonce: sender.map(|_| nonce),
            recorded_by: id(1),
            recorded_at: noon(),
        };
        store(app, row).await;
    }

    /// Somebody's counter.
    async fn counter(app: &App, of: u8, chain_id: i64, next_nonce: i64) {
        store(app, chain_nonce::Model { address: address(of), chain_id, next_nonce }).await;
    }

    async fn next_of(app: &App, of: u8, chain_id: i64) -> Option<i64> {
        let row =
            chain_nonce::Entity::find_by_id((address(of), chain_id)).one(app.db.reader()).await.unwrap();
        row.map(|row| row.next_nonce)
    }

    /// What is given to a payout, where the chain would have the counter start at `first`.
    async fn taken(app: &App, first: u64) -> u64 {
        let tx = app.db.begin().await.unwrap();
        let nonce = take_nonce(app, &tx, first).await.unwrap();
        tx.commit().await.unwrap();
        nonce
    }

    async fn pass(app: &App) {
        let tx = app.db.begin().await.unwrap();
        pass_moves(app, &tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    #[test]
    fn what_is_used_is_passed_and_nothing_else() {
        for (used, next, first) in [
            (&[][..], 5, 5),
            (&[5], 5, 6),
            (&[5, 6, 7], 5, 8),
            (&[5, 7], 5, 6),
            (&[6, 7], 5, 5),
            (&[i64::MAX], 5, 5),
            (&[4, 5, 5, 6], 5, 7),
        ] {
            assert_eq!(past(used, next), first, "{used:?}");
        }
    }

    #[tokio::test]
    async fn the_counter_passes_the_moves_next_to_it_in_whatever_order_they_come() {
        let app = app().await;
        counter(&app, 0x11, CHAIN, 5).await;
        moved(&app, 1, Some(0x11), CHAIN, 6).await;
        pass(&app).await;
        assert_eq!(next_of(&app, 0x11, CHAIN).await, Some(5), "nobody recorded 5");
        moved(&app, 2, Some(0x11), CHAIN, 5).await;
        moved(&app, 3, Some(0x11), CHAIN, 9).await;
        moved(&app, 4, Some(0x11), CHAIN, 2).await;
        pass(&app).await;
        assert_eq!(next_of(&app, 0x11, CHAIN).await, Some(7), "nobody recorded 7 and 8");
    }

    #[tokio::test]
    async fn what_somebody_else_signed_or_on_another_chain_moves_no_counter() {
        let app = app().await;
        counter(&app, 0x11, CHAIN, 5).await;
        counter(&app, 0x12, CHAIN, 5).await;
        moved(&app, 1, Some(0x12), CHAIN, 5).await;
        moved(&app, 2, Some(0x11), CHAIN + 1, 5).await;
        moved(&app, 3, None, CHAIN, 5).await;
        pass(&app).await;
        assert_eq!(next_of(&app, 0x11, CHAIN).await, Some(5));
        assert_eq!(next_of(&app, 0x12, CHAIN).await, Some(5), "it is no key of ours");
    }

    /// The move was recorded, and the transaction before it was nobody's to record.
    #[tokio::test]
    async fn a_payout_is_never_given_what_a_move_used() {
        let app = app().await;
        moved(&app, 1, Some(0x11), CHAIN, 3).await;
        pass(&app).await;
        assert_eq!(next_of(&app, 0x11, CHAIN).await, None, "no payout yet, no counter");
        moved(&app, 2, Some(0x11), CHAIN, 5).await;
        moved(&app, 3, Some(0x11), CHAIN, 6).await;
        // A node that lags names the move's own.
        assert_eq!(taken(&app, 3).await, 4);
        assert_eq!(next_of(&app, 0x11, CHAIN).await, Some(7), "5 and 6 are gone");
        assert_eq!(taken(&app, 3).await, 7);
        assert_eq!(taken(&app, 3).await, 8);
    }
}
