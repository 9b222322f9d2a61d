//! How much the caller may still ask for.

use async_graphql::{Context, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::App;

use crate::http;

/// How much you may still ask for. A request beyond it is answered `RATE_LIMITED`, with `retryAfter` in seconds.
#[derive(Debug, Clone, Copy, SimpleObject)]
pub struct RateLimit {
    /// Requests that you may send in a minute, all at once if you like.
    limit: i32,
    /// Requests that you may send now. This one is taken off already.
    remaining: i32,
    /// When you may send `limit` requests again, if you send none until then.
    reset_at: DateTime<Utc>,
}

/// Reads of the caller's own limits.
#[derive(Default)]
pub struct RateLimitQuery;

#[Object]
impl RateLimitQuery {
    /// How much you may still ask for: as the person who is signed in, else as your address.
    async fn rate_limit(&self, ctx: &Context<'_>) -> Result<RateLimit> {
        let whole = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        // Without the HTTP layer before it, nothing is limited.
        let known = ctx.data_opt::<http::RateLimit>().copied();
        let now = ctx.data::<App>()?.clock.now();
        Ok(known.map_or(RateLimit { limit: i32::MAX, remaining: i32::MAX, reset_at: now }, |known| {
            RateLimit {
                limit: whole(known.limit),
                remaining: whole(known.remaining),
                reset_at: known.reset_at,
            }
        }))
    }
}
