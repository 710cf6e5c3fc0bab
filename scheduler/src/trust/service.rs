//! The `Trust` service: tokens and the audit log, for admins.

use super::book::{Book, issue};
use super::caller::Caller;
use super::gate::Now;
use crate::store::AuditPage;
use platefarm_model::trust::NewToken;
use platefarm_model::{Fault, Outcome};
use platefarm_proto::convert::to_status;
use platefarm_proto::{Trust, v1};
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// Entries of the audit log in one answer, when the question does not say.
const PAGE: u32 = 100;
/// Most of them.
const MAX_PAGE: u32 = 1000;

/// The service.
pub(crate) struct TrustService {
    pub(super) book: Arc<Book>,
    pub(super) now: Now,
}

type Answer<T> = Result<Response<T>, Status>;

fn answer<T>(outcome: Outcome<T>) -> Answer<T> {
    outcome.map(Response::new).map_err(|fault: Fault| to_status(&fault))
}

impl TrustService {
    async fn create(
        &self,
        request: Request<v1::CreateTokenRequest>,
    ) -> Outcome<v1::CreateTokenResponse> {
        let by = Caller::of(&request)?.name;
        let token = NewToken::try_from(request.into_inner())?;
        let (view, word) = issue(self.book.store(), &token, &by, (self.now)()).await?;
        self.book.refresh().await;
        let word = word.map_or_else(String::new, |word| word.expose().to_owned());
        Ok(v1::CreateTokenResponse { token: Some((&view).into()), word })
    }

    async fn tokens(&self, good_only: bool) -> Outcome<v1::ListTokensResponse> {
        self.book.note_used().await;
        let now = (self.now)();
        let rows = self.book.store().tokens().await?;
        let wanted = rows.iter().filter(|row| !good_only || row.view.is_good(now));
        Ok(v1::ListTokensResponse { tokens: wanted.map(|row| (&row.view).into()).collect() })
    }

    async fn revoke(&self, id: &str) -> Outcome<v1::RevokeTokenResponse> {
        let row = self.book.store().revoke(id, (self.now)()).await?;
        self.book.refresh().await;
        Ok(v1::RevokeTokenResponse { token: Some((&row.view).into()) })
    }

    async fn audit(&self, request: v1::ListAuditRequest) -> Outcome<v1::ListAuditResponse> {
        let page = AuditPage {
            before: Some(request.before).filter(|text| !text.is_empty()),
            who: Some(request.who).filter(|text| !text.is_empty()),
            limit: if request.limit == 0 { PAGE } else { request.limit.min(MAX_PAGE) },
        };
        let entries = self.book.store().audit(&page).await?;
        Ok(v1::ListAuditResponse { entries: entries.iter().map(Into::into).collect() })
    }
}

#[tonic::async_trait]
impl Trust for TrustService {
    async fn who_am_i(&self, request: Request<v1::WhoAmIRequest>) -> Answer<v1::WhoAmIResponse> {
        answer(Caller::of(&request).map(|caller| v1::WhoAmIResponse {
            name: caller.name,
            role: v1::Role::from(caller.role).into(),
            shows: caller.shows,
            token: caller.token,
            now_us: (self.now)().0,
        }))
    }

    async fn create_token(
        &self,
        request: Request<v1::CreateTokenRequest>,
    ) -> Answer<v1::CreateTokenResponse> {
        answer(self.create(request).await)
    }

    async fn list_tokens(
        &self,
        request: Request<v1::ListTokensRequest>,
    ) -> Answer<v1::ListTokensResponse> {
        answer(self.tokens(request.into_inner().good_only).await)
    }

    async fn revoke_token(
        &self,
        request: Request<v1::RevokeTokenRequest>,
    ) -> Answer<v1::RevokeTokenResponse> {
        answer(self.revoke(&request.into_inner().id).await)
    }

    async fn list_audit(
        &self,
        request: Request<v1::ListAuditRequest>,
    ) -> Answer<v1::ListAuditResponse> {
        answer(self.audit(request.into_inner()).await)
    }
}
