//! Walking the chain: is the log what was written?

use entities::{audit_entry, audit_head};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{HEAD, chain};
use crate::{
    App,
    error::{Error, Result},
};

/// How many entries are held in memory at once.
const PAGE: u64 = 1_000;

/// What the walk found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every entry is as it was written, and none is missing.
    Whole {
        /// How many there are.
        entries: i64,
        /// The hash of the last one: kept elsewhere, it proves that nobody rewrote the whole chain.
        hash: String,
    },
    /// The first place where it is not.
    Broken {
        /// The place in the chain.
        sequence: i64,
        /// What is wrong there.
        what: &'static str,
    },
}

/// Walks the chain from its first entry to its head. Entries that come meanwhile are walked too.
pub async fn verify(app: &App) -> Result<Verdict> {
    let (mut sequence, mut hash) = (0, chain::beginning());
    loop {
        // The head is read before the page: every entry up to it is there by then.
        let head = audit_head::Entity::find_by_id(HEAD).one(app.db.reader()).await?;
        let head = head.ok_or_else(|| Error::bug("the audit log has no head"))?;
        let page = audit_entry::Entity::find()
            .filter(audit_entry::Column::Sequence.gt(sequence))
            .order_by_asc(audit_entry::Column::Sequence)
            .limit(PAGE)
            .all(app.db.reader())
            .await?;
        let read = page.len() as u64;
        for entry in page {
            if let Some(what) = wrong(&entry, sequence, &hash) {
                return Ok(Verdict::Broken { sequence: sequence + 1, what });
            }
            (sequence, hash) = (entry.sequence, entry.hash);
        }
        if read == PAGE {
            continue;
        }
        if sequence < head.sequence {
            return Ok(Verdict::Broken { sequence: sequence + 1, what: "the entry is missing" });
        }
        if sequence == head.sequence {
            if hash != head.hash {
                return Ok(Verdict::Broken { sequence, what: "the head names another hash" });
            }
            return Ok(Verdict::Whole { entries: sequence, hash });
        }
        // More came after the head was read; whoever appends moves the head in the same transaction.
        let now = audit_head::Entity::find_by_id(HEAD).one(app.db.reader()).await?;
        if now.is_none_or(|now| now.sequence < sequence) {
            return Ok(Verdict::Broken { sequence, what: "the head does not know the entry" });
        }
    }
}

/// What is wrong with the entry that follows the one with this place and hash.
fn wrong(entry: &audit_entry::Model, before: i64, hash: &str) -> Option<&'static str> {
    if entry.sequence != before + 1 {
        return Some("the entry is missing");
    }
    if entry.previous_hash != hash {
        return Some("it does not follow the entry before it");
    }
    (chain::hash(entry) != entry.hash).then_some("it is not what was written")
}
