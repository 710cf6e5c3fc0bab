//! The farm itself, as operators see it.

use crate::v1;
use platefarm_model::Timestamp;
use platefarm_model::status::{Audit, Counts, FarmStatus};

impl From<&FarmStatus> for v1::GetFarmResponse {
    fn from(status: &FarmStatus) -> Self {
        let FarmStatus { leads, leader, counts, audit, certificate_until } = status;
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
        };
        assert_eq!(FarmStatus::from(v1::GetFarmResponse::from(&status)), status);
        assert_eq!(FarmStatus::from(v1::GetFarmResponse::default()), FarmStatus::default());
    }
}
