use std::sync::Arc;

use sea_orm::EntityTrait;

use super::*;
use crate::fixture::{CHAIN, StillChain, app, app_with, noon, rows::store};

/// Final up to the block 190 of 200, which is so much older.
fn stays_behind(by: Duration) -> StillChain {
    StillChain { head: Some(200), finalized: Some(190), final_lag: by, ..StillChain::default() }
}

async fn nodes(first: StillChain, second: Option<StillChain>) -> (App, Depth) {
    let mut app = app_with(first, |_| ()).await;
    if let Some(second) = second {
        app.witness = Some(Arc::new(second));
    }
    let depth = Depth::now(&app).await.unwrap();
    (app, depth)
}

#[tokio::test]
async fn a_final_block_that_stays_behind_is_said_where_one_is_needed_and_hinders_nothing_else() {
    let (hour, second) = (Duration::hours(1), Duration::seconds(1));
    let well = || stays_behind(Duration::minutes(13));
    for (of_first, of_second, said) in [
        (well(), None, None),
        (stays_behind(hour), None, None),
        (stays_behind(hour + second), None, Some(NOT_FINAL)),
        (well(), Some(stays_behind(hour)), None),
        (well(), Some(stays_behind(hour + second)), Some(NOT_FINAL)),
        (stays_behind(hour + second), Some(well()), Some(NOT_FINAL)),
    ] {
        let (app, depth) = nodes(of_first, of_second).await;
        assert_eq!(trouble(&app, &depth, true).await, said);
        assert_eq!(trouble(&app, &depth, false).await, None);
        assert_eq!(hindrance(&depth), None);
    }
}

#[tokio::test]
async fn a_second_node_that_is_silent_is_the_greater_trouble() {
    let silent = StillChain { down: true, ..StillChain::default() };
    let (app, depth) = nodes(stays_behind(Duration::hours(2)), Some(silent)).await;
    for needs_final in [false, true] {
        assert_eq!(trouble(&app, &depth, needs_final).await, Some(SILENT));
    }
    assert_eq!(hindrance(&depth), Some(SILENT));
}

#[tokio::test]
async fn who_heard_that_large_deposits_wait_hears_once_more_when_all_of_them_do() {
    let app = app().await;
    let begun = chain_cursor::Model {
        chain_id: CHAIN,
        scanned_block: 200,
        block_hash: String::new(),
        first_block: 100,
        trouble: None,
        trouble_since: None,
        trouble_told_at: None,
        look: 0,
        due_at: None,
        updated_at: noon(),
    };
    store(&app, begun).await;
    let find = async || {
        let row = chain_cursor::Entity::find_by_id(CHAIN).one(app.db.reader()).await;
        row.unwrap().unwrap()
    };
    // After so many minutes: what is wrong, since when, and when it was told.
    for (minute, wrong, since, told) in [
        (0, Some(NOT_FINAL), Some(0), None),
        (5, Some(NOT_FINAL), Some(0), Some(5)),
        (6, Some(NOT_FINAL), Some(0), Some(5)),
        (7, Some(SILENT), Some(7), Some(5)),
        (11, Some(SILENT), Some(7), Some(5)),
        (12, Some(SILENT), Some(7), Some(12)),
        // What is less is no news.
        (13, Some(NOT_FINAL), Some(7), Some(12)),
        (14, None, None, None),
        // A blink of the second node is told to nobody, and the end is, whatever was wrong last.
        (20, Some(NOT_FINAL), Some(20), None),
        (25, Some(NOT_FINAL), Some(20), Some(25)),
        (26, Some(SILENT), Some(26), Some(25)),
        (27, Some(NOT_FINAL), Some(26), Some(25)),
        (40, Some(NOT_FINAL), Some(26), Some(25)),
        (41, Some(SILENT), Some(41), Some(25)),
        (42, None, None, None),
    ] {
        let at = |minute| noon() + Duration::minutes(minute);
        app.clock.advance(at(minute) - app.clock.now());
        let row = find().await;
        let tx = app.db.begin().await.unwrap();
        keep(&app, &tx, &row, wrong).await.unwrap();
        tx.commit().await.unwrap();
        let row = find().await;
        let said = (row.trouble.as_deref(), row.trouble_since, row.trouble_told_at);
        assert_eq!(said, (wrong, since.map(at), told.map(at)), "{minute}");
    }
}
