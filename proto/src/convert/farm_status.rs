//! The farm itself, as operators see it.

use crate::v1;
use platefarm_model::Timestamp;
use platefarm_model::status::{Audit, ClassLoad, Counts, FarmStatus, Load};

impl From<&FarmStatus> for v1::GetFarmResponse {
    fn from(status: &FarmStatus) -> Self {
        let FarmStatus { leads, leader, counts, audit, certificate_until, load } = status;
        Self {
            leads: *leads,
            leader: leader.clone().unwrap_or_default(),
            leases: counts.leases,
            granted: counts.granted,
            duplicates: counts.duplicates,
            refused: counts.refused,
            lost: counts.lost,
            expired: counts.expired,
            audit: Some(v1::Audit {
                looks: audit.looks,
                jobs: audit.jobs,
                broken: audit.broken,
                first: audit.first.clone().unwrap_or_default(),
                lowered: audit.lowered.clone(),
            }),
            certificate_until_us: certificate_until.map_or(0, |at| at.0),
            load: load.as_ref().map(Into::into),
        }
    }
}

impl From<&Load> for v1::Load {
    fn from(load: &Load) -> Self {
        let class = |of: &ClassLoad| v1::ClassLoad {
            class: of.class.to_string(),
            workers: of.workers,
            slots: of.slots,
            at_work: of.at_work,
        };
        Self {
            jobs_running: load.jobs_running,
            jobs_waiting: load.jobs_waiting,
            frames_left: load.frames_left,
            frames_a_minute: load.frames_a_minute,
            classes: load.classes.iter().map(class).collect(),
        }
    }
}

impl From<v1::Load> for Load {
    fn from(wire: v1::Load) -> Self {
        // A class that a later version knows is none of ours.
        let class = |of: v1::ClassLoad| {
            let class = of.class.parse().ok()?;
            Some(ClassLoad { class, workers: of.workers, slots: of.slots, at_work: of.at_work })
        };
        Self {
            jobs_running: wire.jobs_running,
            jobs_waiting: wire.jobs_waiting,
            frames_left: wire.frames_left,
            frames_a_minute: wire.frames_a_minute,
            classes: wire.classes.into_iter().filter_map(class).collect(),
        }
    }
}

impl From<v1::GetFarmResponse> for FarmStatus {
    fn from(wire: v1::GetFarmResponse) -> Self {
        let text = |text: String| (!text.is_empty()).then_some(text);
        let audit = wire.audit.unwrap_or_default();
        Self {
            leads: wire.leads,
            leader: text(wire.leader),
            counts: Counts {
                leases: wire.leases,
                granted: wire.granted,
                duplicates: wire.duplicates,
                refused: wire.refused,
                lost: wire.lost,
                expired: wire.expired,
            },
            audit: Audit {
                looks: audit.looks,
                jobs: audit.jobs,
                broken: audit.broken,
                first: text(audit.first),
                lowered: audit.lowered,
            },
            certificate_until: Some(wire.certificate_until_us).filter(|us| *us != 0).map(Timestamp),
            load: wire.load.map(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_of_a_farm_travels_unchanged() {
        let status = FarmStatus {
            leads: true,
            leader: Some("http://a:1".into()),
            counts: Counts {
                leases: 1,
                granted: 2,
                duplicates: 3,
                refused: 4,
                lost: 5,
                expired: 6,
            },
            audit: Audit {
                looks: 7,
                jobs: 8,
                broken: 9,
                first: Some("j1".into()),
                lowered: vec!["limit 'a': 2 of 1 are taken".into()],
            },
            certificate_until: Some(Timestamp(10)),
            load: Some(Load {
                jobs_running: 11,
                jobs_waiting: 12,
                frames_left: 13,
                frames_a_minute: Some(0),
                classes: vec![ClassLoad {
                    class: platefarm_model::farm::WorkerClass::Gpu,
                    workers: 14,
                    slots: 15,
                    at_work: 16,
                }],
            }),
        };
        assert_eq!(FarmStatus::from(v1::GetFarmResponse::from(&status)), status);
        assert_eq!(FarmStatus::from(v1::GetFarmResponse::default()), FarmStatus::default());
    }
}
