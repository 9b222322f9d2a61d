//! Reading the list against a Circle that lists what each test wants.

use std::sync::Mutex;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use entities::Usdc;
use uuid::Uuid;

use super::*;
use crate::{
    fixture::{
        noon,
        rows::{id, ordered},
    },
    ports::{
        chain::Address,
        circle::{CircleError, PublicKey, Recipient},
    },
};

type Page = Result<Vec<Payout>, CircleError>;

/// Answers by where the page begins, and remembers what it was asked.
struct Lists<F> {
    page: F,
    asked: Mutex<Vec<(DateTime<Utc>, Option<String>)>>,
}

impl<F: Fn(Option<&str>) -> Page + Send + Sync> Lists<F> {
    fn new(page: F) -> Self {
        Self { page, asked: Mutex::default() }
    }

    async fn walked(&self) -> Result<Vec<String>, String> {
        let like = walk(self, &order()).await?;
        Ok(like.into_iter().map(|payout| payout.id).collect())
    }
}

#[async_trait]
impl<F: Fn(Option<&str>) -> Page + Send + Sync> Circle for Lists<F> {
    async fn payouts(&self, since: DateTime<Utc>, after: Option<&str>) -> Page {
        self.asked.lock().unwrap().push((since, after.map(str::to_owned)));
        (self.page)(after)
    }

    async fn recipient_create(&self, _: Uuid, _: &str, _: Address) -> Result<Recipient, CircleError> {
        unreachable!()
    }

    async fn recipient(&self, _: &str) -> Result<Recipient, CircleError> {
        unreachable!()
    }

    async fn payout_create(&self, _: Uuid, _: &str, _: Usdc) -> Result<Payout, CircleError> {
        unreachable!()
    }

    async fn payout(&self, _: &str) -> Result<Payout, CircleError> {
        unreachable!()
    }

    async fn balance(&self) -> Result<Usdc, CircleError> {
        unreachable!()
    }

    fn known_key(&self, _: Uuid) -> Option<PublicKey> {
        unreachable!()
    }

    async fn public_key(&self, _: Uuid) -> Result<PublicKey, CircleError> {
        unreachable!()
    }
}

/// To `r1`, 90 USDC, which Circle calls `p0`.
fn order() -> circle_payout::Model {
    circle_payout::Model { circle_id: Some("p0".to_owned()), ..ordered(id(1), Usdc::ZERO) }
}

fn payout(id: &str, micro: Option<i64>, recipient: Option<&str>) -> Payout {
    Payout {
        id: id.to_owned(),
        status: PayoutStatus::Pending,
        error_code: None,
        amount: micro.map(Usdc),
        recipient: recipient.map(str::to_owned),
        fee: None,
    }
}

fn down() -> CircleError {
    CircleError::Transient { reason: "down".to_owned(), retry_after: None }
}

#[tokio::test]
async fn what_could_be_it_is_found_on_every_page() {
    let whole = Some(90_000_000);
    let circle = Lists::new(|after| {
        Ok(match after {
            None => vec![payout("a", whole, Some("r1")), payout("b", whole, Some("r2"))],
            Some("b") => vec![payout("c", Some(90_000_001), Some("r1"))],
            Some("c") => {
                vec![payout("d", None, Some("r1")), payout("e", whole, None), payout("f", None, None)]
            }
            // Its own id, whatever else it says.
            Some("f") => vec![payout("p0", Some(1), Some("r2"))],
            _ => vec![],
        })
    });
    assert_eq!(circle.walked().await.unwrap(), ["a", "d", "e", "f", "p0"]);
    let asked = circle.asked.lock().unwrap().clone();
    assert!(asked.iter().all(|(since, _)| *since == noon() - BEFORE), "{asked:?}");
    let after: Vec<_> = asked.iter().map(|(_, after)| after.as_deref()).collect();
    assert_eq!(after, [None, Some("b"), Some("c"), Some("f"), Some("p0")]);
}

#[tokio::test]
async fn a_list_that_is_not_read_to_its_end_says_nothing() {
    for breaks_at in [None, Some("a"), Some("b")] {
        let circle = Lists::new(|after| match after {
            _ if after == breaks_at => Err(down()),
            None => Ok(vec![payout("a", Some(90_000_000), Some("r1"))]),
            Some("a") => Ok(vec![payout("b", Some(1), Some("r1"))]),
            _ => Ok(vec![]),
        });
        assert_eq!(circle.walked().await.unwrap_err(), "circle: down", "{breaks_at:?}");
    }
    // The same page again, whatever is asked for.
    let circle = Lists::new(|_| Ok(vec![payout("a", Some(1), Some("r1")), payout("b", Some(1), Some("r1"))]));
    assert!(circle.walked().await.unwrap_err().contains("again and again"));
    // More than anybody reads.
    let circle = Lists::new(|after| {
        let number: usize = after.map_or(0, |after| after.parse().unwrap());
        Ok(vec![payout(&(number + 1).to_string(), Some(1), Some("r1"))])
    });
    assert!(circle.walked().await.unwrap_err().contains("more than 100 pages"));
    assert_eq!(circle.asked.lock().unwrap().len(), PAGES);
}

#[tokio::test]
async fn the_last_page_that_is_read_may_be_the_end() {
    let circle = Lists::new(|after| {
        let number: usize = after.map_or(0, |after| after.parse().unwrap());
        let last = number + 1 == PAGES;
        Ok(if last { vec![] } else { vec![payout(&(number + 1).to_string(), Some(1), Some("r1"))] })
    });
    assert_eq!(circle.walked().await.unwrap(), [""; 0]);
}
