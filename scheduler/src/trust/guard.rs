//! The layer before every call: what HTTP says is handed to the [`Gate`],
//! and what the gate says becomes a gRPC status.

use super::caller::Caller;
use super::deadline;
use super::gate::{Gate, Shown};
use super::journal::Ticket;
use super::skim::Method;
use super::streams::Held;
use super::table::{self, Rule};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use platefarm_model::{Code, Fault, Outcome};
use platefarm_proto::convert::{from_status, to_status};
use platefarm_proto::dial::hash_hex;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Body as _;
use tonic::transport::server::{TcpConnectInfo, TlsConnectInfo};
use tower::{Layer, Service};

/// How long a question may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(30);
/// What gRPC puts before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// Puts the gate before a service.
#[derive(Clone)]
pub(crate) struct GuardLayer(pub(super) Arc<Gate>);

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard { inner, gate: Arc::clone(&self.0) }
    }
}

/// A service behind the gate.
#[derive(Clone)]
pub(crate) struct Guard<S> {
    inner: S,
    gate: Arc<Gate>,
}

impl<S> Service<Request<Body>> for Guard<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The clone that is kept has not been polled; the one that was polled is used.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        let gate = Arc::clone(&self.gate);
        let begun = Instant::now();
        let deadline = deadline::of(request.headers(), begun.into());
        let method = table::rule(request.uri().path()).map_or("unknown", |rule| rule.method);
        Box::pin(async move {
            let answered = async {
                Ok::<_, S::Error>(match pass(&gate, request).await {
                    // What nobody waits for is not begun.
                    Ok((_, pass)) if deadline::is_over(deadline) => ended(pass, late()).await,
                    Ok((request, pass)) if pass.ticket.is_some() => {
                        let work = async move {
                            let response = inner.call(request).await?;
                            Ok::<_, S::Error>(ended(pass, response).await)
                        };
                        match carried(work).await {
                            Ok(response) => response?,
                            Err(fault) => to_status(&fault).into_http(),
                        }
                    }
                    Ok((request, pass)) => ended(pass, inner.call(request).await?).await,
                    Err(status) => status.into_http(),
                })
            };
            let response = match deadline {
                Some(at) => {
                    tokio::time::timeout_at(at, answered).await.unwrap_or_else(|_| Ok(late()))
                }
                None => answered.await,
            }?;
            gate.metrics.called(method, outcome(&response), begun.elapsed());
            Ok(response)
        })
    }
}

/// The answer to a call whose deadline has passed.
fn late() -> Response<Body> {
    to_status(&deadline::passed()).into_http()
}

/// What is written down is carried out to its end, and that is written down
/// too, though whoever asked may have hung up meanwhile.
///
/// # Errors
/// [`Code::Internal`]: it panicked.
pub(crate) async fn carried<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Outcome<T> {
    let broke = |e| Fault::new(Code::Internal, "what was asked broke off").because(&e);
    tokio::spawn(work).await.map_err(broke)
}

/// A call that may go on.
struct Pass {
    ticket: Option<Ticket>,
    stream: Option<Held>,
}

/// Lets a request in, with its caller, or says why not.
async fn pass(gate: &Arc<Gate>, request: Request<Body>) -> Result<(Request<Body>, Pass), Status> {
    let path = request.uri().path();
    let rule = table::rule(path).ok_or_else(|| {
        Status::new(tonic::Code::Unimplemented, format!("{path} is not served here"))
    })?;
    let known = gate.protos.method(rule.method);
    let method = known.ok_or_else(|| Status::internal("a rule for what the protos do not have"))?;
    let shown = shown(&request, gate.tokens);
    let status = |fault: Fault| to_status(&fault);
    let Some(caller) = gate.admit(rule, &shown).await.map_err(status)? else {
        let request = request.map(|body| bounded(body, rule.most_bytes));
        return Ok((request, Pass { ticket: None, stream: None }));
    };
    let (mut request, ticket) =
        question(gate, rule, method, &caller, &shown, request).await.map_err(status)?;
    let mut stream = None;
    // Who need not say who they are, on their own machine, is not held to anything.
    if method.answers_in_a_stream && !caller.token.is_empty() {
        let (heard, held) = Held::begin(gate, &caller, request).map_err(status)?;
        (request, stream) = (heard, Some(held));
    }
    request.extensions_mut().insert(caller);
    Ok((request, Pass { ticket, stream }))
}

/// What the caller shows of themselves.
fn shown(request: &Request<Body>, must: bool) -> Shown {
    let tls = request.extensions().get::<TlsConnectInfo<TcpConnectInfo>>();
    let tcp = request.extensions().get::<TcpConnectInfo>();
    let certificate = tls.and_then(TlsConnectInfo::peer_certs);
    let header = request.headers().get(http::header::AUTHORIZATION);
    Shown {
        authorization: header.map(|value| value.to_str().unwrap_or("?").to_owned()),
        certificate: certificate.and_then(|chain| chain.first().map(|cert| hash_hex(cert))),
        from: tcp
            .or_else(|| tls.map(TlsConnectInfo::get_ref))
            .and_then(TcpConnectInfo::remote_addr),
        must,
    }
}

/// Reads the question where it has to be judged or written down. It goes on as it came.
async fn question(
    gate: &Gate,
    rule: &Rule,
    method: &Method,
    caller: &Caller,
    shown: &Shown,
    request: Request<Body>,
) -> Outcome<(Request<Body>, Option<Ticket>)> {
    let (head, body) = request.into_parts();
    // Only what a person's token may be too narrow for, or answers for, is read here.
    if method.asks_in_a_stream {
        // Each of its messages is bounded by the decoder; the stream has no end.
        return Ok((Request::from_parts(head, body), None));
    }
    if caller.shows.is_empty() && !rule.audited {
        return Ok((Request::from_parts(head, bounded(body, rule.most_bytes)), None));
    }
    let bytes = read(body, rule.most_bytes).await?;
    let message = message(&bytes)?;
    let judged = gate.judge(rule, method, caller, &message).await;
    let ticket = gate.write_down(rule, method, caller, shown, &message, &judged).await?;
    judged?;
    Ok((Request::from_parts(head, Body::new(Full::new(bytes))), ticket))
}

async fn read(body: Body, most: usize) -> Outcome<Bytes> {
    let collected = Limited::new(body, most.saturating_add(PREFIX)).collect();
    let collected = tokio::time::timeout(ARRIVAL, collected)
        .await
        .map_err(|_| Fault::new(Code::Timeout, "the question did not arrive in time"))?;
    collected.map(http_body_util::Collected::to_bytes).map_err(|e| {
        if e.is::<LengthLimitError>() {
            return too_long(most);
        }
        Fault::new(Code::BadSpec, "the question did not arrive whole")
    })
}

/// A question that the handler reads: one that is too long ends there with its code.
fn bounded(body: Body, most: usize) -> Body {
    let told = move |error: Box<dyn std::error::Error + Send + Sync>| {
        if error.is::<LengthLimitError>() { to_status(&too_long(most)).into() } else { error }
    };
    Body::new(Limited::new(body, most.saturating_add(PREFIX)).map_err(told))
}

fn too_long(most: usize) -> Fault {
    Fault::new(Code::TooMuch, format!("a question of more than {most} bytes"))
}

/// The one message in a gRPC body.
fn message(body: &Bytes) -> Outcome<Bytes> {
    let bad = |why: &str| Fault::new(Code::BadSpec, format!("the question {why}"));
    let prefix = body.get(..PREFIX).ok_or_else(|| bad("is empty"))?;
    if prefix[0] != 0 {
        return Err(bad("is compressed, which is not offered"));
    }
    let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
    if body.len() - PREFIX != length {
        return Err(bad("is not as long as it says"));
    }
    Ok(body.slice(PREFIX..))
}

/// `ok`, or the code of the refusal. An error of a handler is in the headers,
/// since there is no answer before it.
fn outcome(response: &Response<Body>) -> &'static str {
    match Status::from_header_map(response.headers()) {
        Some(status) if status.code() != tonic::Code::Ok => from_status(&status).code.text(),
        _ => "ok",
    }
}

/// Writes down how it ended, and holds on to a stream until its answer is over.
async fn ended(pass: Pass, response: Response<Body>) -> Response<Body> {
    if let Some(ticket) = pass.ticket {
        ticket.end(outcome(&response)).await;
    }
    match pass.stream {
        // A refusal is over with its head, and stays so: what has no body gets none.
        Some(held) if !response.body().is_end_stream() => response.map(|body| held.answer(body)),
        _ => response,
    }
}
