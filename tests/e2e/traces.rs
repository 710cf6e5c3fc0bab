//! Traces from submission to frame, received as a collector receives them.

use crate::harness::{World, free_address, s, wait_until};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use platefarm_model::FrameRange;
use platefarm_model::job::{JobSpec, StepKind, StepSpec};
use platefarm_proto::{FarmClient, v1};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tonic::{Request, Response, Status};

/// A collector: the service that sent a span, and the span.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<(String, Span)>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for of_service in request.into_inner().resource_spans {
            let resource = of_service.resource.unwrap_or_default();
            let name = resource.attributes.into_iter().find(|a| a.key == "service.name");
            let name = match name.and_then(|a| a.value?.value) {
                Some(Value::StringValue(name)) => name,
                _ => String::new(),
            };
            let spans = of_service.scope_spans.into_iter().flat_map(|scope| scope.spans);
            self.0.lock().unwrap().extend(spans.map(|span| (name.clone(), span)));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn facts(span: &Span) -> BTreeMap<String, String> {
    let text = |value: Value| match value {
        Value::StringValue(text) => text,
        Value::DoubleValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let fact = |a: &opentelemetry_proto::tonic::common::v1::KeyValue| {
        Some((a.key.clone(), text(a.value.clone()?.value?)))
    };
    span.attributes.iter().filter_map(fact).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

#[test]
fn a_trace_goes_from_the_caller_to_every_frame() {
    let world = World::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let collector = Collector::default();
    let (otlp, address) = (free_address(), free_address());
    let (otlp_url, url) = (format!("http://{otlp}"), format!("http://{address}"));
    let service = TraceServiceServer::new(collector.clone());
    runtime.spawn(
        tonic::transport::Server::builder().add_service(service).serve(otlp.parse().unwrap()),
    );
    let store = format!("sqlite:{}", s(&world.path("farm.db")));
    let scheduler = ["scheduler", "--listen", &address, "--store", &store, "--otlp", &otlp_url];
    let mut scheduler = world.start(&scheduler);
    wait_until("the scheduler answers", || {
        world.run(&["jobs", "list", "--farm", &url]).status.success().then_some(())
    });
    let worker = ["worker", "--farm", &url, "--backend", "cpu", "--name", "n", "--otlp", &otlp_url];
    let mut worker = world.start(&worker);
    let step = StepSpec {
        name: "frames".into(),
        kind: StepKind::Noop { millis_per_frame: 2 },
        frames: FrameRange::of_len(1001, 24),
        after: vec![],
        max_attempts: 3,
        terms: Default::default(),
    };
    let spec = JobSpec {
        name: "traced".into(),
        show: "atlas".into(),
        priority: 0,
        terms: Default::default(),
        idempotency_key: None,
        steps: vec![step],
    };
    let job = runtime.block_on(async {
        let mut farm = FarmClient::connect(url.clone()).await.unwrap();
        let mut request = Request::new(v1::SubmitJobRequest { job: Some((&spec).into()) });
        let context = format!("00-{TRACE}-{PARENT}-01");
        request.metadata_mut().insert("traceparent", context.parse().unwrap());
        farm.submit_job(request).await.unwrap().into_inner().job
    });
    let job = format!("j{job}");
    world.json(&["jobs", "watch", &job, "--farm", &url]);
    // What is left is sent when they end.
    assert!(worker.ends("TERM").success());
    assert!(scheduler.ends("TERM").success());
    let spans = collector.0.lock().unwrap().clone();
    assert!(spans.iter().all(|(_, span)| hex(&span.trace_id) == TRACE), "one trace");
    let named = |name: &str| -> Vec<&(String, Span)> {
        spans.iter().filter(|(_, span)| span.name == name).collect()
    };
    let submits = named("submit");
    let [(service, submit)] = submits[..] else { panic!("{submits:?}") };
    assert_eq!(
        (service.as_str(), hex(&submit.parent_span_id)),
        ("platefarm-scheduler", PARENT.into())
    );
    assert_eq!(
        (facts(submit)["show"].as_str(), facts(submit)["job.name"].as_str()),
        ("atlas", "traced")
    );
    let tasks: BTreeSet<Vec<u8>> = named("task")
        .into_iter()
        .map(|(service, task)| {
            assert_eq!(service, "platefarm-worker");
            assert_eq!(task.parent_span_id, submit.span_id);
            assert_eq!((&facts(task)["job"], facts(task)["worker"].as_str()), (&job, "n"));
            task.span_id.clone()
        })
        .collect();
    let mut frames: Vec<String> = named("frame")
        .into_iter()
        .map(|(_, frame)| {
            assert!(tasks.contains(&frame.parent_span_id), "below its task");
            assert!(frame.start_time_unix_nano <= frame.end_time_unix_nano);
            assert_eq!(facts(frame)["step"], format!("{job}.0"));
            facts(frame)["frame"].clone()
        })
        .collect();
    frames.sort();
    assert_eq!(frames, (1001..=1024).map(|frame| frame.to_string()).collect::<Vec<_>>());
}
