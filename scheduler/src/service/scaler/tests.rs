//! KEDA's side of its contract, in the order in which KEDA calls: the client is
//! made from the contract, and follows it as an autoscaler would.

use crate::service::Config;
use crate::service::tests::{Running, acquire, frames, noop, register, report, sqlite, submit};
use platefarm_model::Code;
use platefarm_model::job::JobSpec;
use platefarm_proto::convert::from_status;
use platefarm_proto::keda::external_scaler_client::ExternalScalerClient;
use platefarm_proto::keda::{GetMetricsRequest, ScaledObjectRef};
use platefarm_proto::v1;
use std::time::Duration;
use tonic::transport::Channel;

fn object(metadata: &[(&str, &str)]) -> ScaledObjectRef {
    let text = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    ScaledObjectRef {
        name: "workers".into(),
        namespace: "farm".into(),
        // KEDA passes on what is its own, too.
        scaler_metadata: metadata
            .iter()
            .map(text)
            .chain([("scalerAddress".into(), "x".into())])
            .collect(),
    }
}

/// One poll of KEDA's: its metrics, then whether it is active.
async fn poll(keda: &mut ExternalScalerClient<Channel>, object: &ScaledObjectRef) -> (i64, bool) {
    // Answers are good for half a second; a poll of KEDA's comes later.
    tokio::time::sleep(super::FRESH).await;
    let spec = keda.get_metric_spec(object.clone()).await.unwrap().into_inner().metric_specs;
    assert_eq!((spec.len(), spec[0].target_size, spec[0].target_size_float), (1, 1, 1.0));
    let request = GetMetricsRequest {
        scaled_object_ref: Some(object.clone()),
        metric_name: spec[0].metric_name.clone(),
    };
    let values = keda.get_metrics(request).await.unwrap().into_inner().metric_values;
    assert_eq!((values.len(), &values[0].metric_name), (1, &spec[0].metric_name));
    assert_eq!(values[0].metric_value as f64, values[0].metric_value_float);
    let active = keda.is_active(object.clone()).await.unwrap().into_inner().result;
    (values[0].metric_value, active)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn capacity_follows_the_work_up_and_down_to_nothing() {
    let (_dir, place) = sqlite();
    let mut config = Config::new(place);
    config.policy.max_lease_frames = 1;
    let running = Running::with(config).await;
    let (mut farm, mut work) = (running.farm().await, running.work().await);
    let mut keda = ExternalScalerClient::new(running.channel().await);
    let cpu = object(&[]);
    assert_eq!(poll(&mut keda, &cpu).await, (0, false), "nothing is wanted");
    let mut stream = keda.stream_is_active(cpu.clone()).await.unwrap().into_inner();
    assert!(!stream.message().await.unwrap().unwrap().result, "said at once");

    submit(&mut farm, &noop("a", 6)).await;
    assert_eq!(poll(&mut keda, &cpu).await, (6, true));
    assert!(stream.message().await.unwrap().unwrap().result, "and at the change");
    assert_eq!(
        poll(&mut keda, &object(&[("slots", "4")])).await,
        (2, true),
        "six frames, four slots"
    );
    assert_eq!(poll(&mut keda, &object(&[("maxWorkers", "5")])).await, (5, true));
    assert_eq!(poll(&mut keda, &object(&[("class", "gpu")])).await, (6, true), "either would do");
    assert_eq!(
        poll(&mut keda, &object(&[("pools", "night")])).await.0,
        6,
        "a pool takes what is for all"
    );
    // Two kinds that are scaled side by side: what the first may have is not wanted twice.
    let cpus = |most| format!(r#"[{{"class":"cpu","maxWorkers":"{most}"}}]"#);
    let gpu_after = |list: &str| object(&[("class", "gpu"), ("after", list)]);
    assert_eq!(poll(&mut keda, &gpu_after(&cpus(50))).await, (0, false), "counted once");
    assert_eq!(poll(&mut keda, &gpu_after(&cpus(4))).await, (2, true), "what is beyond its most");
    let night = object(&[("pools", "night"), ("after", &cpus(4))]);
    assert_eq!(poll(&mut keda, &night).await.0, 2);
    let both = r#"[{"maxWorkers":"1"},{"pools":"night","slots":"2","maxWorkers":"2"}]"#;
    assert_eq!(poll(&mut keda, &gpu_after(both)).await.0, 1, "one, two times two, and one");

    // One comes and works: it is one of the six.
    let worker = register(&mut work, "i").await;
    assert_eq!(poll(&mut keda, &cpu).await.0, 6, "one that is there and idle is one of them");
    let lease = acquire(&mut work, worker, 0).await.unwrap();
    assert_eq!(poll(&mut keda, &cpu).await.0, 6);
    let others = poll(&mut keda, &object(&[("class", "gpu")])).await.0;
    assert_eq!(others, 5, "what is in hand is not for others");
    let beside = poll(&mut keda, &gpu_after(&cpus(3))).await.0;
    assert_eq!(beside, 3, "one of the three works, two more may come");
    // Down to the last frame in hand, and the busy one is never let go.
    report(&mut work, worker, lease.token, &frames(&lease)).await;
    for left in (0..5).rev() {
        let lease = acquire(&mut work, worker, 0).await.unwrap();
        assert_eq!(
            poll(&mut keda, &cpu).await,
            (left + 1, true),
            "{left} wait, and one is in hand"
        );
        if left > 0 {
            report(&mut work, worker, lease.token, &frames(&lease)).await;
        } else {
            // Drained with work in hand: it is still counted.
            let drain = v1::control_worker_request::Action::Drain(v1::Drain::default());
            let request = v1::ControlWorkerRequest { worker, action: Some(drain) };
            farm.control_worker(request).await.unwrap();
            assert_eq!(poll(&mut keda, &cpu).await, (1, true));
            report(&mut work, worker, lease.token, &frames(&lease)).await;
        }
    }
    // The second step has one frame, and the drained one does not take it.
    assert_eq!(poll(&mut keda, &cpu).await, (1, true), "another is wanted for it");
    let resume = v1::control_worker_request::Action::Resume(v1::Resume {});
    let request = v1::ControlWorkerRequest { worker, action: Some(resume) };
    farm.control_worker(request).await.unwrap();
    let last = acquire(&mut work, worker, 0).await.unwrap();
    report(&mut work, worker, last.token, &frames(&last)).await;
    assert_eq!(poll(&mut keda, &cpu).await, (0, false), "to nothing");
    let quiet = tokio::time::timeout(Duration::from_secs(30), stream.message()).await;
    assert!(!quiet.unwrap().unwrap().unwrap().result);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shows_and_pools_keep_workers_warm() {
    let (_dir, place) = sqlite();
    let running = Running::start(&place).await;
    let mut farm = running.farm().await;
    let mut keda = ExternalScalerClient::new(running.channel().await);
    for (show, warm_cpu) in [("atlas", 2), ("zeus", 1)] {
        let share = v1::Share { warm_cpu, warm_gpu: 4, ..Default::default() };
        farm.set_share(v1::SetShareRequest { show: show.into(), share: Some(share) })
            .await
            .unwrap();
    }
    let pool = v1::Pool { labels: vec![], reserve: 3 };
    farm.set_pool(v1::SetPoolRequest { name: "night".into(), pool: Some(pool) }).await.unwrap();
    assert_eq!(poll(&mut keda, &object(&[])).await, (3, true));
    assert_eq!(poll(&mut keda, &object(&[("class", "gpu")])).await, (8, true));
    assert_eq!(poll(&mut keda, &object(&[("pools", "night")])).await, (3, true), "its own only");
    let second = object(&[("labels", "big"), ("after", r#"[{"slots":"2"}]"#)]);
    assert_eq!(poll(&mut keda, &second).await, (0, false), "the first of its class has them");
    // Work of another show takes nothing from them, their own does.
    submit(&mut farm, &noop("a", 2)).await;
    assert_eq!(poll(&mut keda, &object(&[])).await.0, 5);
    assert_eq!(poll(&mut keda, &object(&[("pools", "night")])).await.0, 3, "they are of the pool");
    submit(&mut farm, &JobSpec { show: "atlas".into(), ..noop("b", 1) }).await;
    assert_eq!(poll(&mut keda, &object(&[])).await.0, 5, "one of two works");
    submit(&mut farm, &JobSpec { show: "zeus".into(), ..noop("c", 4) }).await;
    assert_eq!(poll(&mut keda, &object(&[])).await.0, 8, "seven frames, and one of atlas");
    assert_eq!(poll(&mut keda, &object(&[("maxWorkers", "7")])).await.0, 7);
    assert_eq!(poll(&mut keda, &object(&[("class", "gpu"), ("maxWorkers", "9")])).await.0, 9);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_set_up_wrong_is_named() {
    let (_dir, place) = sqlite();
    let running = Running::start(&place).await;
    let mut keda = ExternalScalerClient::new(running.channel().await);
    let bad = [
        ("class", "tpu"),
        ("slots", "0"),
        ("slots", "many"),
        ("maxWorkers", "-1"),
        ("after", "cpu"),
        ("after", r#"[{"class":"tpu"}]"#),
        ("after", r#"[{"after":"[]"}]"#),
    ];
    for (key, value) in bad {
        let fault = from_status(&keda.is_active(object(&[(key, value)])).await.unwrap_err());
        assert_eq!(fault.code, Code::BadConfig);
        let place = fault.place.unwrap();
        assert!(place.contains(key) && place.contains("farm/workers"), "{place}");
        let streamed = keda.stream_is_active(object(&[(key, value)])).await.unwrap_err();
        assert_eq!(from_status(&streamed).code, Code::BadConfig);
    }
    let request =
        GetMetricsRequest { scaled_object_ref: Some(object(&[])), metric_name: "s0-other".into() };
    let fault = from_status(&keda.get_metrics(request).await.unwrap_err());
    assert!(fault.remedy.unwrap().contains("platefarm-workers-cpu"));
    let mut spec = keda.stream_metric_spec(object(&[("class", "gpu")])).await.unwrap().into_inner();
    let first = spec.message().await.unwrap().unwrap();
    assert_eq!(first.metric_specs[0].metric_name, "platefarm-workers-gpu");
    running.stop().await.unwrap();
    assert!(spec.message().await.is_ok_and(|more| more.is_none()), "it ends with the scheduler");
}
