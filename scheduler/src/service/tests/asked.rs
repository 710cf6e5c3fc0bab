//! Questions that cost much hold up nobody who asks little.

use super::noop;
use crate::core::{Command, Policy, Study};
use crate::service::desk::Desk;
use crate::service::owner::Owner;
use crate::service::role::{Role, Roles};
use crate::store::memory::MemoryStore;
use platefarm_model::Code;
use platefarm_model::explain::WhatIf;
use platefarm_model::farm::WorkerClass;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A farm of its own, and who decides in it, until the desk and its copies are gone.
pub(super) async fn led() -> (Desk, JoinSet<()>) {
    let (close, closing) = watch::channel(false);
    let store = MemoryStore::default();
    let (leading, owner) = Owner::open(store, Policy::default(), closing).await.unwrap();
    let desk = Desk::new(Roles::of(Role::Leads(leading)));
    let mut owners = JoinSet::new();
    owners.spawn(async move {
        owner.run().await;
        drop(close);
    });
    (desk, owners)
}

fn imagined(workers: u32, slots: u32) -> WhatIf {
    WhatIf { workers, class: WorkerClass::Cpu, slots, traits: Default::default() }
}

#[tokio::test]
async fn while_a_study_is_worked_out_the_farm_goes_on() {
    let (desk, _owners) = led().await;
    desk.ask(Command::Submit(Box::new(noop("k", 8)))).await.unwrap();
    let (begin, begun) = tokio::sync::oneshot::channel::<()>();
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let long = desk.study(imagined(2, 1), Vec::new(), move |study| {
        begin.send(()).unwrap();
        let went = gone.recv_timeout(Duration::from_secs(60)).is_ok();
        (went, study.what_if())
    });
    let other = async {
        begun.await.unwrap();
        desk.ask(Command::Submit(Box::new(noop("l", 1)))).await.unwrap();
        go.send(()).unwrap();
    };
    let (long, ()) = tokio::join!(long, other);
    let (went, would) = long.unwrap();
    assert!(went, "nobody was answered meanwhile");
    // Of eight frames two would be in hand. The step that waits for them has nothing to take yet.
    assert_eq!((would.busy_workers, would.tasks, would.frames_left), (2, 2, 6));
}

/// Neither number alone is too large.
#[tokio::test]
async fn more_slots_than_can_be_imagined_are_refused() {
    let (desk, _owners) = led().await;
    let fault = desk.study(imagined(100_000, 4_096), Vec::new(), Study::what_if).await.unwrap_err();
    assert_eq!((fault.code, fault.place.as_deref()), (Code::BadSpec, Some("slots")));
    for possible in [imagined(100_000, 10), imagined(256, 4_096)] {
        desk.study(possible, Vec::new(), Study::what_if).await.unwrap();
    }
}
