//! How money goes back to who paid: to their wallets, the newest first, and to none more than came from it.

use entities::{
    ChainTransferStatus, MilestoneId, PaymentId, PaymentKind, PaymentStatus, Usdc, chain_transfer, payment,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, sea_query::ExprTrait};

use super::{NewPayment, open_outgoing, reserve, state::FINAL};
use crate::{App, Error, Tx, error::Result, money::Split};

/// Queues a refund of a milestone: one payment for each wallet that something goes back to. The milestone is locked.
pub(crate) async fn open(app: &App, tx: &Tx, whole: NewPayment) -> Result<Vec<payment::Model>> {
    let milestone = whole.milestone.ok_or_else(|| Error::bug("a refund of no milestone"))?;
    let mut opened = Vec::new();
    for (wallet, amount) in divided(tx, milestone, whole.split.gross).await? {
        let part = NewPayment { split: Split::without_fee(amount), destination: wallet, ..whole.clone() };
        let payment = open_outgoing(app, tx, part).await?;
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

/// What goes back to which wallet; to none where nobody knows whom it came from, which an admin has to look at.
async fn divided(tx: &Tx, milestone: MilestoneId, amount: Usdc) -> Result<Vec<(Option<String>, Usdc)>> {
    let deposits = payment::Entity::find()
        .filter(payment::Column::MilestoneId.eq(milestone))
        .filter(payment::Column::Kind.eq(PaymentKind::Deposit))
        .filter(payment::Column::Status.eq(PaymentStatus::Completed))
        .all(&**tx)
        .await?;
    let deposits: Vec<PaymentId> = deposits.into_iter().map(|row| row.id).collect();
    let arrived = chain_transfer::Entity::find()
        .filter(chain_transfer::Column::PaymentId.is_in(deposits.iter().copied()))
        .filter(chain_transfer::Column::Status.eq(ChainTransferStatus::Credited))
        .order_by_desc(chain_transfer::Column::BlockNumber)
        .order_by_desc(chain_transfer::Column::LogIndex)
        .all(&**tx)
        .await?;
    // Refunds are of the milestone; a surplus that went back is of its deposit.
    let sent_back = payment::Entity::find()
        .filter(payment::Column::Kind.is_in([PaymentKind::Refund, PaymentKind::Return]))
        .filter(payment::Column::Status.ne(PaymentStatus::Failed))
        .filter(
            payment::Column::MilestoneId
                .eq(milestone)
                .or(payment::Column::LinkedPaymentId.is_in(deposits.iter().copied())),
        )
        .all(&**tx)
        .await?;
    let mut wallets: Vec<(&str, Usdc)> = Vec::new();
    for row in &arrived {
        match wallets.iter_mut().find(|(wallet, _)| *wallet == row.from_address) {
            Some((_, paid)) => *paid = paid.plus(row.amount)?,
            None => wallets.push((&row.from_address, row.amount)),
        }
    }
    let (mut parts, mut left) = (Vec::new(), amount);
    for (wallet, paid) in wallets {
        let back = sent_back.iter().filter(|row| row.destination.as_deref() == Some(wallet));
        let part = Ord::min(paid.minus(Usdc::sum(back.map(|row| row.amount))?)?, left);
        if part.is_positive() {
            left = left.minus(part)?;
            parts.push((Some(wallet.to_owned()), part));
        }
    }
    if left.is_positive() {
        parts.push((None, left));
    }
    Ok(parts)
}
