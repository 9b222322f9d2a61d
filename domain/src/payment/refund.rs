//! How money goes back to who paid: to their wallets, the newest first, and to none more than came from it.

use entities::{
    ChainTransferStatus, MilestoneId, PaymentId, PaymentKind, PaymentStatus, UnallocatedStatus, Usdc,
    chain_transfer, payment, unallocated_deposit,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};

use super::{NewPayment, credit::back_to_senders, open_part, reserve, state::FINAL};
use crate::{App, Error, Tx, error::Result, money::Split, wallet};

/// Queues a refund of a milestone: one payment for each wallet that something goes back to. All of them are of one decision over
/// `decided`, gross, which may be more than the refund. The milestone is locked.
pub(crate) async fn open(
    app: &App,
    tx: &Tx,
    whole: NewPayment,
    decided: Usdc,
) -> Result<Vec<payment::Model>> {
    let milestone = whole.milestone.ok_or_else(|| Error::bug("a refund of no milestone"))?;
    let mut opened = Vec::new();
    for (wallet, amount) in divided(&**tx, milestone, whole.split.gross, None).await? {
        let part = NewPayment { split: Split::without_fee(amount), destination: wallet, ..whole.clone() };
        let payment = open_part(app, tx, part, decided).await?;
        reserve(app, tx, &payment).await?;
        opened.push(payment);
    }
    Ok(opened)
}

/// Whether another part of a refund that somebody gave is still under way. The milestone is locked.
pub(super) async fn goes_on(tx: &Tx, milestone: MilestoneId) -> Result<bool> {
    let parts = payment::Entity::find()
        .filter(payment::Column::MilestoneId.eq(milestone))
        .filter(payment::Column::Kind.eq(PaymentKind::Refund))
        .filter(payment::Column::DisputeId.is_null())
        .filter(payment::Column::Status.is_not_in(FINAL));
    Ok(parts.count(&**tx).await? > 0)
}

/// The wallet of a refund that was queued without one, if a single wallet can take it.
pub(super) async fn wallet_of(app: &App, refund: &payment::Model) -> Result<Option<String>> {
    let Some(milestone) = refund.milestone_id else { return Ok(None) };
    let parts = divided(app.db.reader(), milestone, refund.amount, Some(refund.id)).await?;
    Ok(match parts.as_slice() {
        [(wallet, _)] => wallet.clone(),
        _ => None,
    })
}

/// What goes back to which wallet; to none where nobody knows whom it came from, which an admin has to look at. `but` does
/// not count as given back yet.
async fn divided(
    conn: &impl ConnectionTrait,
    milestone: MilestoneId,
    amount: Usdc,
    but: Option<PaymentId>,
) -> Result<Vec<(Option<String>, Usdc)>> {
    let on_milestone = payment::Entity::find()
        .filter(payment::Column::MilestoneId.eq(milestone))
        .order_by_asc(payment::Column::Id)
        .all(conn)
        .await?;
    let deposits = on_milestone.iter().filter(|row| row.kind == PaymentKind::Deposit);
    let deposits: Vec<_> = deposits.filter(|row| row.status == PaymentStatus::Completed).collect();
    let arrived = chain_transfer::Entity::find()
        .filter(chain_transfer::Column::PaymentId.is_in(deposits.iter().map(|row| row.id)))
        .filter(chain_transfer::Column::Status.eq(ChainTransferStatus::Credited))
        .order_by_asc(chain_transfer::Column::BlockNumber)
        .order_by_asc(chain_transfer::Column::LogIndex)
        .all(conn)
        .await?;
    // The newest first.
    let mut wallets: Vec<(String, Usdc)> = Vec::new();
    for deposit in deposits.iter().rev() {
        let came: Vec<_> = arrived.iter().filter(|row| row.payment_id == Some(deposit.id)).cloned().collect();
        let (assigned, payout_wallet) = assigned_to(conn, deposit).await?;
        let surplus = Usdc::sum(came.iter().map(|row| row.amount))?.plus(assigned)?.minus(deposit.amount)?;
        let returned = back_to_senders(&came, surplus)?.by_sender;
        for row in arrived.iter().rev().filter(|row| row.payment_id == Some(deposit.id)) {
            let wallet = row.from_address.as_str();
            match wallets.iter_mut().find(|(known, _)| *known == wallet) {
                Some((_, paid)) => *paid = paid.plus(row.amount)?,
                None => wallets.push((wallet.to_owned(), row.amount)),
            }
        }
        if let Some(wallet) = payout_wallet {
            match wallets.iter_mut().find(|(known, _)| *known == wallet) {
                Some((_, paid)) => *paid = paid.plus(assigned)?,
                None => wallets.push((wallet, assigned)),
            }
        }
        for (sender, sum) in &returned {
            if let Some((_, paid)) = wallets.iter_mut().find(|(known, _)| known == sender) {
                *paid = paid.minus(*sum)?;
            }
        }
    }
    let given = on_milestone.iter().filter(|row| {
        row.kind == PaymentKind::Refund && row.status != PaymentStatus::Failed && Some(row.id) != but
    });
    let given: Vec<_> = given.collect();
    let (mut parts, mut left) = (Vec::new(), amount);
    for (wallet, paid) in wallets {
        let back = given.iter().filter(|row| row.destination.as_deref() == Some(wallet.as_str()));
        let part = Ord::min(paid.minus(Usdc::sum(back.map(|row| row.amount))?)?, left);
        if part.is_positive() {
            left = left.minus(part)?;
            parts.push((Some(wallet), part));
        }
    }
    if left.is_positive() {
        parts.push((None, left));
    }
    Ok(parts)
}

/// What an admin assigned to a deposit, and the wallet that it goes back to: the payer's payout wallet, since nobody says that
/// the wallet that sent it is theirs. While they have none it is nobody's.
async fn assigned_to(
    conn: &impl ConnectionTrait,
    deposit: &payment::Model,
) -> Result<(Usdc, Option<String>)> {
    let assigned = unallocated_deposit::Entity::find()
        .filter(unallocated_deposit::Column::PaymentId.eq(deposit.id))
        .filter(unallocated_deposit::Column::Status.eq(UnallocatedStatus::Assigned))
        .all(conn)
        .await?;
    let Some(payer) = deposit.payer_id.filter(|_| !assigned.is_empty()) else {
        return Ok((Usdc::ZERO, None));
    };
    let wallet = wallet::payout_wallet(conn, payer).await?;
    Ok((Usdc::sum(assigned.iter().map(|row| row.amount))?, wallet.map(|wallet| wallet.address)))
}

#[cfg(test)]
mod tests;
