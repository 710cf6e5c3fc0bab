//! What becomes of a scheduler in which nobody decides any more.

use super::asked::led;
use crate::service::broken;
use platefarm_model::Code;
use std::time::Duration;
use tokio::task::JoinSet;

/// It is no zombie that says "ok": whoever waits for its end hears why, and probes hear that it is gone.
#[tokio::test]
async fn an_owner_that_breaks_off_is_missed() {
    let (desk, mut owners) = led().await;
    assert!(desk.lives());
    desk.ready().await.unwrap();
    let seen = desk.look::<()>(|_| panic!("planned")).await;
    assert_eq!(seen.unwrap_err().code, Code::StoreFailed);
    let why = tokio::time::timeout(Duration::from_secs(60), broken(&mut owners)).await;
    assert_eq!(why.expect("it is heard").code, Code::Internal);
    assert!(!desk.lives());
    assert!(desk.ready().await.is_err());
}

/// An end in good order is the scheduler's own.
#[tokio::test]
async fn an_owner_that_ends_in_good_order_is_not_missed() {
    let mut owners = JoinSet::new();
    owners.spawn(async {});
    let why = tokio::time::timeout(Duration::from_millis(50), broken(&mut owners)).await;
    assert!(why.is_err(), "{why:?}");
}
