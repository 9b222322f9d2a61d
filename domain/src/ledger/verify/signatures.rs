//! What the treasury signed: each nonce once, none left out, and one for each intent, or for a move that an administrator
//! recorded.

use std::collections::{BTreeMap, BTreeSet};

use entities::{
    ChainTransactionStatus, PaymentId, PaymentKind, PaymentRail, PaymentStatus, chain_nonce,
    chain_transaction, payment, treasury_move,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, QueryTrait,
};

use super::Check;
use crate::error::Result;

/// What was signed under a nonce.
#[derive(Default)]
struct Signed {
    payments: BTreeSet<PaymentId>,
    /// Those whose bytes the chain may still take, or took.
    standing: BTreeSet<PaymentId>,
}

/// A nonce belongs to one payment and a payment to one nonce; the counter stands behind the last, and none is left out:
/// the chain would wait for it for ever. A move that was recorded has a nonce too, which the counter passes; a payout that was signed
/// under it before is superseded.
pub(super) async fn nonces(db: &impl ConnectionTrait) -> Result<Check> {
    use chain_transaction::Column;
    let rows: Vec<(i64, i64, PaymentId, ChainTransactionStatus)> = chain_transaction::Entity::find()
        .select_only()
        .columns([Column::ChainId, Column::Nonce, Column::PaymentId, Column::Status])
        .into_tuple()
        .all(db)
        .await?;
    let mut by_nonce: BTreeMap<i64, BTreeMap<i64, Signed>> = BTreeMap::new();
    let mut by_payment: BTreeMap<PaymentId, BTreeSet<i64>> = BTreeMap::new();
    for (chain, nonce, payment, status) in rows {
        let signed = by_nonce.entry(chain).or_default().entry(nonce).or_default();
        signed.payments.insert(payment);
        if status != ChainTransactionStatus::Superseded {
            signed.standing.insert(payment);
        }
        by_payment.entry(payment).or_default().insert(nonce);
    }
    let mut problems = Vec::new();
    for (payment, nonces) in &by_payment {
        if nonces.len() > 1 {
            problems.push(format!("{payment}: signed under several nonces, {nonces:?}"));
        }
    }
    let counters = chain_nonce::Entity::find().all(db).await?;
    let chains: BTreeSet<_> =
        by_nonce.keys().copied().chain(counters.iter().map(|row| row.chain_id)).collect();
    let mut last = None;
    for chain in chains {
        // Once the key was changed, two count on the same chain, and the rows do not say which.
        let [counter] = counters.iter().filter(|row| row.chain_id == chain).collect::<Vec<_>>()[..] else {
            if !counters.iter().any(|row| row.chain_id == chain) {
                problems.push(format!("chain {chain}: signatures without a counter of nonces"));
            }
            continue;
        };
        let signed = by_nonce.remove(&chain).unwrap_or_default();
        for (nonce, Signed { payments, .. }) in &signed {
            if payments.len() > 1 {
                problems.push(format!("nonce {nonce}: of several payments, {payments:?}"));
            }
        }
        let moves = moved(db, counter).await?;
        for (nonce, count) in &moves {
            if *count > 1 {
                problems.push(format!("nonce {nonce}: of {count} recorded moves"));
            }
            let standing = signed.get(nonce).map(|signed| &signed.standing);
            if let Some(standing) = standing.filter(|standing| !standing.is_empty()) {
                problems
                    .push(format!("nonce {nonce}: of a recorded move, and not superseded of {standing:?}"));
            }
        }
        if moves.contains_key(&counter.next_nonce) {
            problems.push(format!("the next nonce is {}, and a recorded move used it", counter.next_nonce));
        }
        let mut used: BTreeSet<i64> = signed.keys().copied().collect();
        if let Some(first) = used.first().copied() {
            // The counter began with a payout, and moves beyond it have their turn when what comes before is known.
            used.extend(moves.keys().copied().filter(|nonce| (first..counter.next_nonce).contains(nonce)));
        }
        for (before, after) in used.iter().zip(used.iter().skip(1)) {
            if before + 1 != *after {
                problems.push(format!("nonces {} to {}: never signed", before + 1, after - 1));
            }
        }
        let newest = used.last().copied();
        if newest.map(|nonce| nonce + 1) != Some(counter.next_nonce) {
            problems.push(format!(
                "the next nonce is {}, and the last one signed {newest:?}",
                counter.next_nonce
            ));
        }
        last = Some(counter.next_nonce);
    }
    let figure = last.map_or_else(|| "none signed".to_owned(), |next| format!("next is {next}"));
    Ok(Check::new("nonces", figure, problems))
}

/// How often recorded moves used each nonce of a counter's key.
async fn moved(db: &impl ConnectionTrait, counter: &chain_nonce::Model) -> Result<BTreeMap<i64, usize>> {
    use treasury_move::Column;
    let nonces: Vec<Option<i64>> = treasury_move::Entity::find()
        .select_only()
        .column(Column::Nonce)
        .filter(Column::Sender.eq(counter.address.as_str()))
        .filter(Column::ChainId.eq(counter.chain_id))
        .into_tuple()
        .all(db)
        .await?;
    let mut moves = BTreeMap::new();
    for nonce in nonces.into_iter().flatten() {
        *moves.entry(nonce).or_default() += 1;
    }
    Ok(moves)
}

/// What is on its way over the chain is signed, and what waits is not.
pub(super) async fn signed(db: &impl ConnectionTrait) -> Result<Check> {
    use payment::Column;
    let signed = || {
        chain_transaction::Entity::find()
            .select_only()
            .column(chain_transaction::Column::PaymentId)
            .into_query()
    };
    let outgoing = || {
        payment::Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Kind.ne(PaymentKind::Deposit))
            .filter(Column::Rail.eq(PaymentRail::Chain))
    };
    let on_its_way = [PaymentStatus::Submitted, PaymentStatus::Confirming];
    let missing: Vec<PaymentId> = outgoing()
        .filter(Column::Status.is_in(on_its_way))
        .filter(Column::Id.not_in_subquery(signed()))
        .into_tuple()
        .all(db)
        .await?;
    let early: Vec<PaymentId> = outgoing()
        .filter(Column::Status.is_in([PaymentStatus::Queued, PaymentStatus::OnHold]))
        .filter(Column::Id.in_subquery(signed()))
        .into_tuple()
        .all(db)
        .await?;
    let mut problems: Vec<_> =
        missing.iter().map(|id| format!("{id}: on its way without a signature")).collect();
    problems.extend(early.iter().map(|id| format!("{id}: waits, and is signed all the same")));
    let count: u64 = chain_transaction::Entity::find().count(db).await?;
    Ok(Check::new("signatures", count.to_string(), problems))
}

#[cfg(test)]
mod tests;
