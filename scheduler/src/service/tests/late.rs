//! What is known of frames when the leases that they were made under are struck out.

use super::{
    Running, Session, acquire, done, drain, frames, job, noop, register, report, sqlite, submit,
};
use crate::service::Config;
use platefarm_model::job::{FrameOutcome, Phase};
use platefarm_proto::{WorkClient, v1};
use std::time::Duration;
use tonic::transport::Channel;

/// Reports as a worker does that says of which step its lease was.
async fn report_late(
    work: &mut WorkClient<Channel>,
    worker: u64,
    lease: &v1::Lease,
    outcomes: &[FrameOutcome],
) -> Vec<v1::Verdict> {
    let frames = outcomes.iter().map(Into::into).collect();
    let (token, step) = (lease.token, lease.step);
    let request = v1::ReportRequest { worker, token, frames, last: None, step };
    work.report(request).await.unwrap().into_inner().verdicts().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_is_its_workers_for_as_long_as_the_job_is_kept() {
    let (_dir, place) = sqlite();
    let mut config = Config::new(place);
    config.policy.compact_ms = 0;
    let running = Running::with(config).await;
    let (mut farm, mut work) = (running.farm().await, running.work().await);
    let id = submit(&mut farm, &noop("k", 4)).await.job;
    let worker = register(&mut work, "i").await;
    let lease = acquire(&mut work, worker, 0).await.unwrap();
    let all = frames(&lease);
    let each = |verdict: v1::Verdict| vec![verdict; all.len()];
    let granted = report(&mut work, worker, lease.token, &all).await;
    assert_eq!(granted, each(v1::Verdict::Granted));
    drain(&mut work, worker).await;
    assert_eq!(job(&mut farm, id).await.phase, Phase::Done);
    // Its answer was lost, and meanwhile the leases of the job are struck out.
    let struck_out = async {
        while report(&mut work, worker, lease.token, &all).await != each(v1::Verdict::Refused) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), struck_out).await.expect("they are");
    let again = report_late(&mut work, worker, &lease, &all).await;
    assert_eq!(again, each(v1::Verdict::Duplicate), "the store knows what was accepted");
    let never = report_late(&mut work, worker, &lease, &[all[0].clone(), done(1007)]).await;
    assert_eq!(never, [v1::Verdict::Duplicate, v1::Verdict::Refused]);
    let other = v1::Lease { token: lease.token + 1, ..lease.clone() };
    let other = report_late(&mut work, worker, &other, &all).await;
    assert_eq!(other, each(v1::Verdict::Refused), "under another token nothing was");

    // The same on a session.
    let mut session = Session::open(&mut work, worker, vec![]).await;
    let reports = vec![v1::Report {
        number: 3,
        token: lease.token,
        frames: all.iter().map(Into::into).collect(),
        last: None,
        step: lease.step,
    }];
    session.say(v1::SessionRequest { reports, ..Default::default() }).await;
    let heard = session.heard.message().await.unwrap().unwrap().verdicts.remove(0);
    assert!(heard.verdicts().all(|verdict| verdict == v1::Verdict::Duplicate), "{heard:?}");

    // And who did it is still known.
    let request = v1::ListFramesRequest { job: id, ..Default::default() };
    let listed = farm.list_frames(request).await.unwrap().into_inner();
    let doer = &listed.steps[0].doers[0];
    assert_eq!((doer.worker, doer.name.as_str(), doer.token), (worker, "fake", lease.token));

    farm.forget_job(v1::ForgetJobRequest { job: id }).await.unwrap();
    let gone = report_late(&mut work, worker, &lease, &all).await;
    assert_eq!(gone, each(v1::Verdict::Refused), "a job that is forgotten is the operator's own");
    running.stop().await.unwrap();
}
