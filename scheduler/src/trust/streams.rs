//! Calls that stay open. A stream may last for weeks, and who may have it may
//! change meanwhile: its caller's card is looked at again and again, and the
//! stream ends when the card does, whatever its handler is about.

use super::caller::Caller;
use super::gate::Gate;
use futures_util::StreamExt;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, BodyStream, StreamBody};
use platefarm_model::Outcome;
use platefarm_model::trust::Role;
use platefarm_proto::convert::to_status;
use std::sync::{Arc, OnceLock};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tonic::body::Body;

/// A stream that was let in.
pub(super) struct Held {
    /// Its place among those that its caller may hold.
    place: Option<OwnedSemaphorePermit>,
    gate: Arc<Gate>,
    token: String,
    /// Gone when the answer is over.
    answering: oneshot::Sender<()>,
}

impl Held {
    /// Lets `caller` hold one more. What they say on it is heard as long as they are answered.
    ///
    /// # Errors
    /// `F0605`.
    pub(super) fn begin(
        gate: &Arc<Gate>,
        caller: &Caller,
        request: Request<Body>,
    ) -> Outcome<(Request<Body>, Self)> {
        // A fleet may share a token; its streams are as many as its workers.
        let place = match caller.role {
            Role::Worker => None,
            _ => Some(gate.stream(caller)?),
        };
        let (answering, over) = oneshot::channel::<()>();
        let request = request.map(|body| {
            let heard = BodyStream::new(body).take_until(over);
            Body::new(StreamBody::new(heard))
        });
        let token = caller.token.clone();
        Ok((request, Self { place, gate: Arc::clone(gate), token, answering }))
    }

    /// The answer, until it is over or the caller's card is no longer good: then that is its end.
    pub(super) fn answer(self, body: Body) -> Body {
        let Self { place, gate, token, answering } = self;
        let ended = Arc::new(OnceLock::new());
        let why = Arc::clone(&ended);
        let cut = async move {
            let _answering = answering;
            let fault = gate.end_of(&token).await;
            tracing::info!(%fault, "an open stream is ended");
            let _ = ended.set(fault);
        };
        let last = async move {
            let _place = place;
            let status = to_status(why.get()?);
            let mut trailers = HeaderMap::new();
            Some(status.add_header(&mut trailers).map(|()| trailers))
        };
        let frames = BodyStream::new(body).take_until(cut);
        Body::new(StreamBody::new(frames).with_trailers(last))
    }
}
