//! Tokens and the audit log.

use super::needed;
use crate::v1;
use platefarm_model::trust::{AuditEntry, NewToken, Role, TokenKind, TokenView};
use platefarm_model::{Code, Fault, Outcome, Timestamp};

impl From<Role> for v1::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Submitter => Self::Submitter,
            Role::Operator => Self::Operator,
            Role::Worker => Self::Worker,
            Role::Admin => Self::Admin,
        }
    }
}

/// The role that a message names.
///
/// # Errors
/// [`Code::BadSpec`] when it names none that this version knows.
pub fn role(wire: i32) -> Outcome<Role> {
    let known = match v1::Role::try_from(wire) {
        Ok(v1::Role::Viewer) => Some(Role::Viewer),
        Ok(v1::Role::Submitter) => Some(Role::Submitter),
        Ok(v1::Role::Operator) => Some(Role::Operator),
        Ok(v1::Role::Worker) => Some(Role::Worker),
        Ok(v1::Role::Admin) => Some(Role::Admin),
        Ok(v1::Role::Unspecified) | Err(_) => None,
    };
    known.ok_or_else(|| Fault::new(Code::BadSpec, format!("{wire} is not a role")).at("role"))
}

/// 0 is how the wire says that a time is not there.
fn time(micros: i64) -> Option<Timestamp> {
    (micros != 0).then_some(Timestamp(micros))
}

fn micros(time: Option<Timestamp>) -> i64 {
    time.map_or(0, |t| t.0)
}

impl From<&NewToken> for v1::CreateTokenRequest {
    fn from(token: &NewToken) -> Self {
        Self {
            name: token.name.clone(),
            role: v1::Role::from(token.role).into(),
            shows: token.shows.clone(),
            lifetime_s: token.lifetime_s.unwrap_or(0),
            certificate: token.certificate.clone().unwrap_or_default(),
        }
    }
}

impl TryFrom<v1::CreateTokenRequest> for NewToken {
    type Error = Fault;

    fn try_from(wire: v1::CreateTokenRequest) -> Outcome<Self> {
        let token = Self {
            name: wire.name,
            role: role(wire.role)?,
            shows: wire.shows,
            lifetime_s: (wire.lifetime_s != 0).then_some(wire.lifetime_s),
            certificate: Some(wire.certificate.to_ascii_lowercase()).filter(|c| !c.is_empty()),
        };
        token.check()?;
        Ok(token)
    }
}

impl From<&TokenView> for v1::TokenView {
    fn from(token: &TokenView) -> Self {
        Self {
            id: token.id.clone(),
            name: token.name.clone(),
            kind: token.kind.name().into(),
            role: v1::Role::from(token.role).into(),
            shows: token.shows.clone(),
            created_us: token.created.0,
            created_by: token.created_by.clone(),
            expires_us: micros(token.expires),
            revoked_us: micros(token.revoked),
            used_us: micros(token.used),
        }
    }
}

impl TryFrom<v1::TokenView> for TokenView {
    type Error = Fault;

    fn try_from(wire: v1::TokenView) -> Outcome<Self> {
        let kinds = [TokenKind::Word, TokenKind::Certificate];
        let kind = kinds.into_iter().find(|kind| kind.name() == wire.kind);
        Ok(Self {
            kind: needed(kind, "token.kind")?,
            role: role(wire.role)?,
            created: Timestamp(wire.created_us),
            expires: time(wire.expires_us),
            revoked: time(wire.revoked_us),
            used: time(wire.used_us),
            id: wire.id,
            name: wire.name,
            shows: wire.shows,
            created_by: wire.created_by,
        })
    }
}

impl From<&AuditEntry> for v1::AuditEntry {
    fn from(entry: &AuditEntry) -> Self {
        Self {
            id: entry.id.clone(),
            at_us: entry.at.0,
            who: entry.who.clone(),
            token: entry.token.clone(),
            role: v1::Role::from(entry.role).into(),
            from: entry.from.clone(),
            action: entry.action.clone(),
            subject: entry.subject.clone(),
            detail: entry.detail.clone(),
            outcome: entry.outcome.clone().unwrap_or_default(),
        }
    }
}

impl TryFrom<v1::AuditEntry> for AuditEntry {
    type Error = Fault;

    fn try_from(wire: v1::AuditEntry) -> Outcome<Self> {
        Ok(Self {
            role: role(wire.role)?,
            at: Timestamp(wire.at_us),
            outcome: Some(wire.outcome).filter(|text| !text.is_empty()),
            id: wire.id,
            who: wire.who,
            token: wire.token,
            from: wire.from,
            action: wire.action,
            subject: wire.subject,
            detail: wire.detail,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_tokens_and_entries_travel() {
        for each in Role::ALL {
            assert_eq!(role(v1::Role::from(each).into()).unwrap(), each);
        }
        assert_eq!(role(0).unwrap_err().code, Code::BadSpec);
        assert_eq!(role(77).unwrap_err().code, Code::BadSpec);
        let new = NewToken {
            name: "nuke".into(),
            role: Role::Submitter,
            shows: vec!["atlas".into()],
            lifetime_s: None,
            certificate: Some("0f".repeat(32)),
        };
        assert_eq!(NewToken::try_from(v1::CreateTokenRequest::from(&new)).unwrap(), new);
        let view = TokenView {
            id: "0123456789ab".into(),
            name: "nuke".into(),
            kind: TokenKind::Word,
            role: Role::Viewer,
            shows: vec![],
            created: Timestamp(5),
            created_by: "root".into(),
            expires: Some(Timestamp(9)),
            revoked: None,
            used: Some(Timestamp(7)),
        };
        assert_eq!(TokenView::try_from(v1::TokenView::from(&view)).unwrap(), view);
        let entry = AuditEntry {
            id: "a".into(),
            at: Timestamp(3),
            who: "ann".into(),
            token: "0123".into(),
            role: Role::Operator,
            from: "10.0.0.1:4".into(),
            action: "Farm/CancelJob".into(),
            subject: "j12".into(),
            detail: "job: 12".into(),
            outcome: None,
        };
        assert_eq!(AuditEntry::try_from(v1::AuditEntry::from(&entry)).unwrap(), entry);
    }
}
