//! The live auditor, with a store that lies or is slow.

use super::{Flaky, Lie, noop};
use crate::core::{Command, Policy, Reply};
use crate::service::desk::Desk;
use crate::service::owner::{Ended, Findings, Owner};
use crate::service::role::{Role, Roles};
use platefarm_model::WorkerId;
use platefarm_model::farm::{Limit, Setting, SettingKind};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A farm whose auditor looks whenever it can.
struct Farm {
    desk: Desk,
    findings: Findings,
    owner: JoinHandle<Ended>,
    _close: watch::Sender<bool>,
}

impl Farm {
    async fn on(store: &Flaky) -> Self {
        let (close, closing) = watch::channel(false);
        let (leading, mut owner) =
            Owner::open(store.clone(), Policy::default(), closing).await.unwrap();
        owner.hurry_auditor();
        let findings = leading.findings.clone();
        let desk = Desk::new(Roles::of(Role::Leads(leading)));
        Self { desk, findings, owner: tokio::spawn(owner.run()), _close: close }
    }

    async fn ask(&self, command: Command) -> Reply {
        let answer = tokio::time::timeout(Duration::from_secs(60), self.desk.ask(command)).await;
        answer.expect("an answer in time").unwrap()
    }

    async fn submit(&self, key: &str) {
        self.ask(Command::Submit(Box::new(noop(key, 2)))).await;
    }

    /// Has turns stored until the auditor has looked at one that came after this.
    async fn looked(&self, name: &str) {
        let under_way = 1;
        let enough = self.findings.read().looks + under_way + 1;
        for count in 0.. {
            let limit = Some(Setting::Limit(Limit { count }));
            self.ask(Command::Set(SettingKind::Limit, name.into(), limit)).await;
            if self.findings.read().looks >= enough {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn end(self) {
        drop(self.desk);
        self.owner.await.unwrap();
    }
}

/// It agrees with a store that tells the truth, and says where one does not.
#[tokio::test]
async fn the_auditor_holds_the_core_against_the_store() {
    let store = Flaky::default();
    let farm = Farm::on(&store).await;
    farm.submit("a").await;
    farm.ask(Command::Register {
        name: "w".into(),
        instance: "w".into(),
        slots: 1,
        backend: "cpu".into(),
        traits: Default::default(),
    })
    .await;
    let acquired = farm.ask(Command::Acquire { worker: WorkerId(1) }).await;
    assert!(matches!(acquired, Reply::Acquired(Some(_))));
    farm.submit("b").await;
    farm.looked("l").await;
    let audit = farm.findings.read();
    assert_eq!((audit.broken, audit.first.clone()), (0, None));
    assert!(audit.jobs >= 2, "{audit:?}");
    let lies: [(&str, Lie); 6] = [
        ("j1 is not", |rows| rows.jobs.values_mut().for_each(|job| job.name = "another".into())),
        ("step j1.0 is not", |rows| {
            rows.steps.values_mut().for_each(|(_, state)| state.control.paused = true);
        }),
        ("lease t", |rows| {
            rows.leases.values_mut().for_each(|lease| lease.keep = "9".parse().unwrap())
        }),
        ("lease t", |rows| rows.leases.clear()),
        ("worker w1 is not", |rows| rows.workers.values_mut().for_each(|worker| worker.slots = 9)),
        ("limit 'l' is not", |rows| rows.settings.clear()),
    ];
    for (sign, lie) in lies {
        *store.lie.lock().unwrap() = Some(lie);
        farm.looked("l").await;
        farm.findings.clear();
        farm.looked("l").await;
        let first = farm.findings.read().first.unwrap_or_default();
        assert!(
            first.contains(sign) && first.ends_with("is not stored as it is"),
            "{sign}: {first}"
        );
    }
    *store.lie.lock().unwrap() = None;
    farm.looked("l").await;
    farm.findings.clear();
    farm.looked("l").await;
    assert_eq!((farm.findings.read().first, farm.findings.read().broken), (None, 0));
    farm.end().await;
}

/// However long the store takes to be read, everybody is answered meanwhile.
#[tokio::test]
async fn the_farm_does_not_wait_for_its_auditor() {
    let store = Flaky::default();
    let farm = Farm::on(&store).await;
    let reading = store.slow.lock().await;
    for number in 0..50 {
        farm.submit(&format!("k{number}")).await;
    }
    assert_eq!(farm.findings.read().looks, 0);
    drop(reading);
    farm.looked("l").await;
    assert_eq!((farm.findings.read().first, farm.findings.read().broken), (None, 0));
    farm.end().await;
}
