//! What one person may use of a day's budget that is there for all.

use chrono::{DateTime, Utc};
use entities::{UserId, assistant_share};
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel, sea_query::OnConflict};

use crate::error::Result;

/// A person may use so many parts of a hundred.
const PERCENT: i64 = 10;
/// Of a small budget they may use as much as one page of matches can need.
const LEAST: i64 = 256;

/// What a person may use of a budget.
fn of(budget: i64) -> i64 {
    (budget / 100).saturating_mul(PERCENT).max(LEAST)
}

/// What a person has used with so many units more, of the budget that begins anew at this moment; nothing when that is more than
/// one person may.
pub(super) async fn with(
    conn: &impl ConnectionTrait,
    user_id: UserId,
    (budget, units): (i64, i64),
    resets_at: DateTime<Utc>,
) -> Result<Option<assistant_share::Model>> {
    let row = assistant_share::Entity::find_by_id(user_id).one(conn).await?;
    // What is left of another day counts no more.
    let before = row.filter(|row| row.resets_at == resets_at).map_or(0, |row| row.used);
    let used = before.saturating_add(units);
    Ok((used <= of(budget)).then_some(assistant_share::Model { user_id, used, resets_at }))
}

/// Writes it down. The service's meter is locked.
pub(super) async fn write(conn: &impl ConnectionTrait, row: assistant_share::Model) -> Result<()> {
    use assistant_share::Column;
    let anew = OnConflict::column(Column::UserId).update_columns([Column::Used, Column::ResetsAt]).to_owned();
    let insert = assistant_share::Entity::insert(row.into_active_model());
    insert.on_conflict(anew).exec_without_returning(conn).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::*;
    use crate::fixture::{
        app, noon,
        rows::{client, freelancer},
    };

    #[test]
    fn a_share_is_a_tenth_and_at_least_a_page() {
        for (budget, share) in
            [(0, 256), (2_569, 256), (2_700, 270), (50_000, 5_000), (i64::MAX, i64::MAX / 100 * 10)]
        {
            assert_eq!(of(budget), share, "{budget}");
        }
    }

    #[tokio::test]
    async fn a_share_is_used_to_the_last_and_is_a_persons_and_a_days() {
        let app = app().await;
        let (today, tomorrow) = (noon() + Duration::hours(12), noon() + Duration::hours(36));
        let take = async |who, units, resets_at| {
            let row = with(app.db.reader(), who, (5_000, units), resets_at).await.unwrap();
            if let Some(row) = row.clone() {
                write(app.db.writer(), row).await.unwrap();
            }
            row.map(|row| row.used)
        };
        assert_eq!(take(client(), 300, today).await, Some(300));
        assert_eq!(take(client(), 201, today).await, None);
        assert_eq!(take(freelancer(), 500, today).await, Some(500));
        assert_eq!(take(client(), 200, today).await, Some(500));
        assert_eq!(take(client(), 1, today).await, None);
        assert_eq!(take(client(), i64::MAX, today).await, None);
        assert_eq!(take(client(), 1, tomorrow).await, Some(1));
    }
}
