//! What a task deals with, batch after batch.

use std::fmt::Display;

use crate::error::{Error, Result};

/// How many things are looked up at once.
pub const BATCH: u64 = 100;

/// Deals with everything that is due: `find` gives the next [`BATCH`] ids in an order that stays, after so many that are
/// to be left out; `deal` deals with one, in a transaction of its own, and says whether there was something to do. One that
/// fails keeps no other from its turn; the first failure is told when all had theirs.
///
/// # Errors
///
/// When nothing can be found, or something could not be dealt with.
pub async fn each<Id, Find, Found, Deal, Dealt>(find: Find, deal: Deal) -> Result<u64>
where
    Id: Copy + Display,
    Find: Fn(u64) -> Found,
    Found: Future<Output = Result<Vec<Id>>>,
    Deal: Fn(Id) -> Dealt,
    Dealt: Future<Output = Result<bool>>,
{
    let (mut dealt, mut left, mut failed): (u64, u64, Option<Error>) = (0, 0, None);
    loop {
        let batch = find(left).await?;
        let last = (batch.len() as u64) < BATCH;
        for id in batch {
            match deal(id).await {
                Ok(true) => dealt += 1,
                Ok(false) => left += 1,
                Err(error) => {
                    tracing::warn!(%id, %error, "left for the next time");
                    left += 1;
                    failed.get_or_insert(error);
                }
            }
        }
        if last {
            return failed.map_or(Ok(dealt), Err);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn what_fails_is_told_and_keeps_nothing_else_waiting() {
        let due: Mutex<Vec<u64>> = Mutex::new((0..450).collect());
        let find = |left: u64| {
            let due = due.lock().unwrap();
            let batch = due.iter().skip(usize::try_from(left).unwrap()).take(100).copied().collect();
            async move { Ok(batch) }
        };
        let deal = |id: u64| {
            let stuck = id.is_multiple_of(3);
            if !stuck {
                due.lock().unwrap().retain(|other| *other != id);
            }
            async move { if stuck { Err(Error::bug(format!("stuck at {id}"))) } else { Ok(true) } }
        };
        let error = each(find, deal).await.unwrap_err();
        assert_eq!(error.to_string(), "bug: stuck at 0");
        assert_eq!(due.lock().unwrap().len(), 150, "every third is left");
    }
}
