//! The list of payouts, newest first and page by page, as Circle's collections are.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::DateTime;
use serde::Deserialize;

use super::account::{Account, Payout};
use super::{Shared, answer, server};

/// How many payouts are on a page, unless a client wants fewer.
pub(super) const PAGE: usize = 50;

/// Which payouts somebody wants to see.
#[derive(Debug)]
struct Wanted {
    destination: Option<String>,
    status: Option<String>,
    /// The first moment, and the last, in Unix milliseconds.
    from: Option<i64>,
    to: Option<i64>,
    /// After and before these payouts, which are not wanted themselves.
    after: Option<String>,
    before: Option<String>,
}

impl Wanted {
    fn is(&self, row: &Payout) -> bool {
        let created = i64::try_from(row.created).unwrap_or(i64::MAX);
        self.destination.as_ref().is_none_or(|id| *id == row.recipient)
            && self.status.as_ref().is_none_or(|status| *status == row.status)
            && self.from.is_none_or(|from| created >= from)
            && self.to.is_none_or(|to| created <= to)
    }
}

impl Account {
    /// A page of what is wanted, newest first; of what was made in the same moment, the last. `None` when it begins or ends at a
    /// payout that there never was.
    fn page(&self, wanted: &Wanted, most: usize) -> Option<Vec<Payout>> {
        let place = |id: &String| self.payouts.iter().rev().position(|row| row.id == *id);
        let after = match &wanted.after {
            Some(id) => place(id)? + 1,
            None => 0,
        };
        let before = match &wanted.before {
            Some(id) => place(id)?,
            None => self.payouts.len(),
        };
        let all = self.payouts.iter().rev().take(before).skip(after).filter(|row| wanted.is(row));
        // What comes before a payout is what is next to it.
        let surplus = match &wanted.before {
            Some(_) => all.clone().count().saturating_sub(most),
            None => 0,
        };
        Some(all.skip(surplus).take(most).cloned().collect())
    }
}

/// The same as it comes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    destination: Option<String>,
    status: Option<String>,
    from: Option<String>,
    to: Option<String>,
    page_after: Option<String>,
    page_before: Option<String>,
    page_size: Option<usize>,
}

/// A page of them.
pub(super) async fn payouts(State(shared): State<Arc<Shared>>, Query(page): Query<Page>) -> Response {
    let moment = |location: &'static str, text: Option<String>| match text {
        None => Ok(None),
        Some(text) => match DateTime::parse_from_rfc3339(&text) {
            Ok(at) => Ok(Some(at.timestamp_millis())),
            Err(_) => Err(Box::new(answer::invalid(location, "not an ISO 8601 date and time"))),
        },
    };
    let (from, to) = match (moment("from", page.from), moment("to", page.to)) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(refusal), _) | (_, Err(refusal)) => return *refusal,
    };
    let most = shared.page.load(Ordering::Relaxed).min(page.page_size.unwrap_or(PAGE));
    if most == 0 {
        return answer::invalid("pageSize", "pageSize must be at least 1");
    }
    let wanted = Wanted {
        destination: page.destination,
        status: page.status,
        from,
        to,
        after: page.page_after,
        before: page.page_before,
    };
    server::change(shared, move |account, _| match account.page(&wanted, most) {
        Some(rows) => answer::data(StatusCode::OK, &rows.iter().map(answer::payout).collect()),
        None => answer::invalid("pageAfter", "no such payout"),
    })
    .await
}
