use super::*;
use crate::fixture::{CHAIN, StillChain, app, app_with};

#[test]
fn numbers_pass_between_chain_and_database_or_are_a_bug() {
    assert_eq!(stored(0).unwrap(), 0);
    assert_eq!(stored(17).unwrap(), 17);
    assert_eq!(stored(i64::MAX.unsigned_abs()).unwrap(), i64::MAX);
    assert!(matches!(stored(i64::MAX.unsigned_abs() + 1), Err(Error::Bug(_))));
    assert_eq!(height(0).unwrap(), 0);
    assert_eq!(height(17).unwrap(), 17);
    assert!(matches!(height(-1), Err(Error::Bug(_))));
}

#[tokio::test]
async fn chain_and_pace_are_those_of_the_settings() {
    let app = app().await;
    assert_eq!(chain_id(&app).unwrap(), CHAIN);
    assert_eq!(poll(&app), Duration::seconds(1));
    let odd = app_with(StillChain::default(), |it| it.chain_poll = std::time::Duration::MAX).await;
    assert_eq!(poll(&odd), Duration::seconds(5));
}
