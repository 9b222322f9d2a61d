//! What the treasury signed: each nonce once, none left out, and one for each intent.

use std::collections::{BTreeMap, BTreeSet};

use entities::{PaymentId, PaymentKind, PaymentRail, PaymentStatus, chain_nonce, chain_transaction, payment};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, QueryTrait,
};

use super::Check;
use crate::error::Result;

/// A nonce belongs to one payment and a payment to one nonce; the counter stands behind the last, and none is left out:
/// the chain would wait for it for ever.
pub(super) async fn nonces(db: &impl ConnectionTrait) -> Result<Check> {
    use chain_transaction::Column;
    let rows: Vec<(i64, i64, PaymentId)> = chain_transaction::Entity::find()
        .select_only()
        .columns([Column::ChainId, Column::Nonce, Column::PaymentId])
        .into_tuple()
        .all(db)
        .await?;
    let mut by_nonce: BTreeMap<i64, BTreeMap<i64, BTreeSet<PaymentId>>> = BTreeMap::new();
    let mut by_payment: BTreeMap<PaymentId, BTreeSet<i64>> = BTreeMap::new();
    for (chain, nonce, payment) in rows {
        by_nonce.entry(chain).or_default().entry(nonce).or_default().insert(payment);
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
        let used = by_nonce.remove(&chain).unwrap_or_default();
        for (nonce, payments) in &used {
            if payments.len() > 1 {
                problems.push(format!("nonce {nonce}: of several payments, {payments:?}"));
            }
        }
        for (before, after) in used.keys().zip(used.keys().skip(1)) {
            if before + 1 != *after {
                problems.push(format!("nonces {} to {}: never signed", before + 1, after - 1));
            }
        }
        let newest = used.keys().next_back().copied();
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
