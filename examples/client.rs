//! A service that submits work to a farm and follows it by its events, in Rust.
//!
//! ```sh
//! cargo run --example client -- http://127.0.0.1:7878 atlas
//! ```

use platefarm_model::code::Owner;
use platefarm_proto::convert::from_status;
use platefarm_proto::{EventsClient, FarmClient, v1};
use tonic::transport::Channel;

/// What came of the work.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// How the job ended.
    pub(crate) end: String,
    /// Frames that were done, in the order in which they were told.
    pub(crate) frames: Vec<i64>,
}

/// Hands in frames of no work for `show`, and follows them to their end.
///
/// # Errors
/// Those of the connection, and the farm's, with their stable codes.
pub(crate) async fn run(url: &str, show: &str) -> Result<Told, Box<dyn std::error::Error>> {
    let channel = Channel::from_shared(url.to_owned())?.connect().await?;
    let mut events = EventsClient::new(channel.clone());
    // The cursor before anything of ours happens. Keep it, and nothing is missed.
    let mut now = events.watch_events(v1::WatchEventsRequest::default()).await?.into_inner();
    let mut cursor = now.message().await?.map_or(0, |answer| answer.cursor);
    drop(now);

    let step = v1::StepSpec {
        name: "nothing".into(),
        kind: "noop".into(),
        frames: Some(v1::FrameRange { first: 1001, last: 1048 }),
        spec_json: r#"{"millis_per_frame": 1}"#.into(),
        ..Default::default()
    };
    let job = v1::JobSpec {
        name: "from rust".into(),
        show: show.into(),
        // The same key is accepted once: a submission that was not answered may be sent again.
        idempotency_key: format!("from rust {cursor}"),
        steps: vec![step],
        ..Default::default()
    };
    let mut farm = FarmClient::new(channel);
    let submitted = farm.submit_job(v1::SubmitJobRequest { job: Some(job) }).await;
    let job = submitted.map_err(|status| from_status(&status).to_string())?.into_inner().job;

    let filter = v1::EventFilter { jobs: vec![job], ..Default::default() };
    let mut told = Told::default();
    loop {
        let request = v1::WatchEventsRequest {
            after: Some(cursor),
            filter: Some(filter.clone()),
            ..Default::default()
        };
        let mut stream = match events.watch_events(request).await {
            Ok(stream) => stream.into_inner(),
            Err(status) => {
                let fault = from_status(&status);
                if fault.owner() != Owner::Farm {
                    return Err(fault.to_string().into());
                }
                // The farm is away for a moment: go on from the cursor.
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                continue;
            }
        };
        while let Ok(Some(answer)) = stream.message().await {
            for event in answer.events {
                told.frames.extend(event.frames.iter().flat_map(|run| run.first..=run.last));
                if matches!(event.kind.as_str(), "job.done" | "job.failed" | "job.cancelled") {
                    told.end = event.kind;
                    return Ok(told);
                }
            }
            cursor = answer.cursor;
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let url = args.next().unwrap_or_else(|| "http://127.0.0.1:7878".into());
    let told = run(&url, &args.next().unwrap_or_else(|| "show".into())).await?;
    println!("{} with {} frames", told.end, told.frames.len());
    Ok(())
}
