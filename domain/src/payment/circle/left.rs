//! What left the treasury on the chain by somebody's hand: it counts once nothing undoes it, and as every node that is set shows it.

use crate::{
    App, Code,
    error::Result,
    payment::{depth::Depth, numbers::stored, transfers::confirmations, watch::mined_by, witness},
    ports::chain::{Receipt, Sender, TxHash},
};

/// A successful transaction in a final block.
pub(super) struct Left {
    pub(super) receipt: Receipt,
    pub(super) sender: Sender,
}

/// What became of looking for a transaction.
pub(super) enum Looked {
    Final(Left),
    /// It cannot be recorded, or not yet: what a person reads.
    Not(Code, String),
}

/// Looks for a transaction. How far the chain is final is asked first: that stays so, however long the rest takes.
pub(super) async fn look(app: &App, hash: TxHash) -> Result<Looked> {
    let not = |code, message: &str| Ok(Looked::Not(code, message.to_owned()));
    app.chain.verify().await?;
    let depth = Depth::now(app).await?;
    let mined = mined_by(app.chain.as_ref(), hash).await?;
    let Some((receipt, _)) = mined.filter(|(receipt, _)| receipt.succeeded) else {
        let message =
            "The chain shows no successful transaction of this hash: record it when its block is final.";
        return not(Code::Invalid, message);
    };
    if let Some(trouble) = witness::trouble(app, &depth, false).await {
        let message = format!("Nothing is recorded of the chain now, because {trouble}: try again later.");
        return not(Code::IllegalState, &message);
    }
    if !depth.is_final_at(receipt.block_number) {
        let message = match confirmations(stored(depth.head().number)?, stored(receipt.block_number)?) {
            1 => "1 confirmation".to_owned(),
            more => format!("{more} confirmations"),
        };
        let message = format!(
            "This transaction has {message} and is not final yet: record it when it is, in some minutes."
        );
        return not(Code::IllegalState, &message);
    }
    let Some(sender) = app.chain.sender(hash).await? else {
        return not(Code::IllegalState, "The node does not say who sent this transaction: try again later.");
    };
    let left = Left { receipt, sender };
    match shown_by_second(app, hash, &left).await {
        Some(true) => Ok(Looked::Final(left)),
        Some(false) => {
            let message = "The two nodes do not show the same of this transaction: try again later, and have the nodes looked at if it stays so.";
            not(Code::IllegalState, message)
        }
        None => {
            let message = "The second node does not say what it has of this transaction: try again later.";
            not(Code::IllegalState, message)
        }
    }
}

/// Whether the second node shows the same, where one is set; `None` when it does not answer.
async fn shown_by_second(app: &App, hash: TxHash, left: &Left) -> Option<bool> {
    let Some(witness) = &app.witness else { return Some(true) };
    match futures::future::try_join(mined_by(witness.as_ref(), hash), witness.sender(hash)).await {
        // What each makes of the gas is no matter of ours.
        Ok((Some((receipt, _)), Some(sender))) => Some(
            receipt.succeeded
                && receipt.block_hash == left.receipt.block_hash
                && receipt.transfers == left.receipt.transfers
                && sender == left.sender,
        ),
        Ok(_) => Some(false),
        Err(error) => {
            tracing::warn!(%error, transaction = %hash, "the second node gives no answer");
            None
        }
    }
}
