//! Reading the list against a Circle that lists what each test wants.

use std::sync::{Arc, Mutex};

use entities::Usdc;

use super::*;
use crate::{
    fixture::{
        StillCircle, down, noon,
        rows::{id, ordered},
        told,
    },
    ports::circle::CircleError,
};

type Page = Result<Vec<Payout>, CircleError>;
type Asked = Arc<Mutex<Vec<(Span, Option<String>)>>>;

/// Answers by where the page begins, and remembers what it was asked.
struct Lists {
    circle: StillCircle,
    asked: Asked,
}

impl Lists {
    fn new(page: impl Fn(Option<&str>) -> Page + Send + Sync + 'static) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        let list = move |made, after: Option<&str>| {
            heard.lock().unwrap().push((made, after.map(str::to_owned)));
            page(after)
        };
        Self { circle: StillCircle { list: Box::new(list), ..StillCircle::default() }, asked }
    }

    async fn walked(&self) -> Result<Vec<String>, String> {
        let like = walk(&self.circle, &order(), noon()).await?;
        Ok(like.into_iter().map(|payout| payout.id).collect())
    }
}

/// To `r1`, 90 USDC, which Circle calls `p0`.
fn order() -> circle_payout::Model {
    circle_payout::Model { circle_id: Some("p0".to_owned()), ..ordered(id(1), Usdc::ZERO) }
}

fn payout(id: &str, micro: Option<i64>, recipient: Option<&str>) -> Payout {
    told(id, micro.map(Usdc), recipient)
}

#[tokio::test]
async fn what_could_be_it_is_found_on_every_page() {
    let whole = Some(90_000_000);
    let circle = Lists::new(move |after| {
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
    let made = Span { since: noon() - BEFORE, until: None };
    assert!(asked.iter().all(|(asked, _)| *asked == made), "{asked:?}");
    let after: Vec<_> = asked.iter().map(|(_, after)| after.as_deref()).collect();
    assert_eq!(after, [None, Some("b"), Some("c"), Some("f"), Some("p0")]);
}

#[tokio::test]
async fn a_list_that_is_not_read_to_its_end_says_nothing() {
    for breaks_at in [None, Some("a"), Some("b")] {
        let circle = Lists::new(move |after| match after {
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

/// Not all that was paid since, which on a busy account is more than anybody reads; but a week is read.
#[tokio::test]
async fn no_page_is_read_of_what_came_long_after() {
    let hours = |hours| noon() + Duration::hours(hours);
    let week = 7 * 24;
    for (doubt_until, missing_since, last) in [
        (None, None, None),
        (Some(hours(1)), None, Some(week + 1)),
        (None, Some(hours(2)), Some(week + 2)),
        (Some(hours(3)), Some(hours(2)), Some(week + 3)),
        (Some(hours(1)), Some(hours(2)), Some(week + 2)),
    ] {
        let order = circle_payout::Model { doubt_until, missing_since, ..order() };
        for now in [week + 1, week + 2, week + 3, week + 4] {
            let circle = Lists::new(|_| Ok(vec![]));
            assert!(walk(&circle.circle, &order, hours(now)).await.unwrap().is_empty());
            let asked = circle.asked.lock().unwrap().clone();
            // What has not come yet needs no end.
            let until = last.filter(|last| *last < now).map(hours);
            assert_eq!(asked, [(Span { since: noon() - BEFORE, until }, None)]);
        }
    }
}
