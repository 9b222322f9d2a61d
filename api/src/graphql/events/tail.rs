//! Reads the table from where it was left, gaps included.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::entities::event::{Column, Entity, Model};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use tokio::time::Instant;

/// How long a skipped id may still come: longer than any transaction of ours lives.
const PATIENCE: Duration = Duration::from_secs(60);
/// Skipped ids that are looked for at once, the newest of them.
const GAPS: usize = 500;
/// Rows of one look. What is beyond comes with the next one.
const ROWS: u64 = 500;
/// How far back a new tail looks for ids that are not there yet.
const BACK: u64 = 100;

/// A place in the table.
pub(super) struct Tail {
    started_at: DateTime<Utc>,
    /// The highest id seen; none before the first look.
    highest: Option<i64>,
    /// Ids below it that were not there, and since when.
    gaps: BTreeMap<i64, Instant>,
}

impl Tail {
    /// A tail that tells of what is written from this time on.
    pub(super) const fn starting(at: DateTime<Utc>) -> Self {
        Self { started_at: at, highest: None, gaps: BTreeMap::new() }
    }

    /// The events that are new since the last look, by rising id.
    pub(super) async fn read(&mut self, db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
        let Some(highest) = self.highest else { return self.first(db).await };
        self.gaps.retain(|_, since| since.elapsed() < PATIENCE);
        while self.gaps.len() > GAPS {
            self.gaps.pop_first();
        }
        let mut rows = Entity::find()
            .filter(Column::Id.gt(highest))
            .order_by_asc(Column::Id)
            .limit(ROWS)
            .all(db)
            .await?;
        if !self.gaps.is_empty() {
            let late = Entity::find().filter(Column::Id.is_in(self.gaps.keys().copied())).all(db).await?;
            rows.extend(late);
        }
        self.note(rows.iter().map(|row| row.id));
        rows.sort_by_key(|row| row.id);
        Ok(rows)
    }

    /// The first look finds the place. Of what is there, only rows written after the start are news: those that came
    /// between the subscription and this look.
    async fn first(&mut self, db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
        let mut rows = Entity::find().order_by_desc(Column::Id).limit(BACK).all(db).await?;
        rows.reverse();
        self.highest = Some(rows.first().map_or(0, |row| row.id));
        self.note(rows.iter().map(|row| row.id));
        rows.retain(|row| row.created_at > self.started_at);
        Ok(rows)
    }

    /// Moves on over these ids: what they skip is a gap, what they fill is none any more.
    fn note(&mut self, ids: impl Iterator<Item = i64>) {
        let now = Instant::now();
        let mut ids: Vec<i64> = ids.collect();
        ids.sort_unstable();
        for id in ids {
            let highest = self.highest.unwrap_or(0);
            if id <= highest {
                self.gaps.remove(&id);
                continue;
            }
            // A jump of millions is no row that is late.
            let skipped = (highest + 1).max(id - i64::try_from(GAPS).unwrap_or(i64::MAX))..id;
            self.gaps.extend(skipped.map(|id| (id, now)));
            self.highest = Some(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(highest: i64) -> Tail {
        Tail { started_at: DateTime::UNIX_EPOCH, highest: Some(highest), gaps: BTreeMap::new() }
    }

    #[test]
    fn what_is_skipped_is_waited_for() {
        let mut tail = tail(3);
        tail.note([4, 7, 8].into_iter());
        assert_eq!(tail.gaps.keys().copied().collect::<Vec<_>>(), [5, 6]);
        assert_eq!(tail.highest, Some(8));
        tail.note([9, 6].into_iter());
        assert_eq!(tail.gaps.keys().copied().collect::<Vec<_>>(), [5]);
        assert_eq!(tail.highest, Some(9));
    }

    #[test]
    fn a_jump_is_not_kept() {
        let mut tail = tail(3);
        tail.note([i64::MAX - 1].into_iter());
        assert_eq!(tail.gaps.len(), GAPS);
    }
}
