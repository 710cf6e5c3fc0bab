//! Streams that are open when their caller's token ends.

use super::{Farm, code, job, now};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use platefarm_model::Code;
use platefarm_model::trust::Role;
use platefarm_proto::convert::from_status;
use platefarm_proto::keda::ScaledObjectRef;
use platefarm_proto::keda::external_scaler_client::ExternalScalerClient;
use platefarm_proto::{EventsClient, v1};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::codegen::{Body as _, Service};
use tonic::{Status, Streaming};

/// What a stream is ended with, whatever it says before.
async fn end<T>(mut stream: Streaming<T>) -> Result<(), Status> {
    let ended = async {
        loop {
            match stream.message().await {
                Ok(Some(_)) => {}
                other => return other.map(drop),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("it ends")
}

#[tokio::test]
async fn open_streams_end_with_their_token() {
    let farm = Farm::start().await;
    let mut admin = farm.farm(&farm.admin).await;
    let id = admin.submit_job(job("atlas", "n")).await.unwrap().into_inner().job;
    let watch = || v1::WatchJobRequest { job: id };
    let kept = admin.watch_job(watch()).await.unwrap().into_inner();

    let (viewer, word) = farm.token(Role::Viewer, &[]).await;
    let dial = farm.dial(Some(&word));
    let watched = farm.farm(&word).await.watch_job(watch()).await.unwrap().into_inner();
    let mut events = EventsClient::with_interceptor(farm.channel().await, dial.bearer().unwrap());
    let events = events.watch_events(v1::WatchEventsRequest::default()).await.unwrap().into_inner();
    let mut keda =
        ExternalScalerClient::with_interceptor(farm.channel().await, dial.bearer().unwrap());
    let active = keda.stream_is_active(ScaledObjectRef::default()).await.unwrap().into_inner();

    let (worker, mut work, number) = farm.worker().await;
    let (say, said) = mpsc::channel(4);
    let first = v1::SessionRequest { worker: number, ..Default::default() };
    say.send(first).await.unwrap();
    let session = work.session(ReceiverStream::new(said)).await.unwrap().into_inner();

    for view in [&viewer, &worker] {
        farm.store.revoke(&view.id, now()).await.unwrap();
    }
    let ended = tokio::join!(end(watched), end(events), end(active), end(session));
    for ended in [ended.0, ended.1, ended.2, ended.3] {
        assert_eq!(code(ended), Code::BadToken);
    }
    // What the worker says now is not heard, and the one who is good still is told.
    tokio::time::timeout(Duration::from_secs(20), say.closed()).await.expect("nobody listens");
    admin.cancel_job(v1::CancelJobRequest { job: id }).await.unwrap();
    end(kept).await.unwrap();
}

/// gRPC's "Trailers-Only": a refusal is the head of an answer that has nothing else.
#[tokio::test]
async fn a_stream_that_is_refused_is_over_with_its_head() {
    let farm = Farm::start().await;
    let mut channel = farm.channel().await;
    // A message of three bytes, not compressed: its field 1 is the varint 999.
    let question = Bytes::from_static(b"\0\0\0\0\x03\x08\xe7\x07");
    let request = Request::post(format!("{}/platefarm.v1.Farm/WatchJob", farm.url))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("authorization", format!("Bearer {}", farm.admin.expose()))
        .body(Body::new(Full::new(question)))
        .unwrap();
    std::future::poll_fn(|cx| channel.poll_ready(cx)).await.unwrap();
    let response = channel.call(request).await.unwrap();
    let status = Status::from_header_map(response.headers()).expect("in the head");
    assert_eq!(from_status(&status).code, Code::UnknownJob);
    assert!(response.body().is_end_stream(), "and nothing follows");
}
