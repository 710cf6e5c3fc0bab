//! Ways in: wrong words, ended words, too much, and what is written down.

use super::walk::call;
use super::{Farm, code, fault, job, new, now};
use crate::store::AuditPage;
use crate::trust::{Limits, Rate, issue};
use platefarm_model::farm::{Control, PriorityClass, Target};
use platefarm_model::trust::{NewToken, Role};
use platefarm_model::{Code, JobId, Secret, Timestamp};
use platefarm_proto::v1;

async fn whoami(farm: &Farm, word: Option<&Secret>) -> Result<v1::WhoAmIResponse, tonic::Status> {
    let answer = farm.trust(word).await.who_am_i(v1::WhoAmIRequest {}).await;
    answer.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn words_that_are_not_good_open_nothing() {
    let farm = Farm::start().await;
    assert_eq!(code(whoami(&farm, None).await), Code::NotAuthenticated);
    let (view, good) = farm.token(Role::Viewer, &["atlas"]).await;
    let me = whoami(&farm, Some(&good)).await.unwrap();
    assert_eq!((me.name.as_str(), me.token.as_str()), ("viewer", view.id.as_str()));
    assert_eq!(me.shows, ["atlas"]);
    assert!(
        (now().0 - me.now_us).abs() < 60_000_000,
        "the clock that tokens end by: {}",
        me.now_us
    );
    // Near misses: its id, its hash, one digit more, less, or other.
    let word = good.expose();
    let last = if word.ends_with('0') { '1' } else { '0' };
    let hash = platefarm_proto::dial::hash_hex(word.as_bytes());
    for bad in [
        view.id.clone(),
        hash.clone(),
        format!("pfk_{hash}"),
        format!("{word}0"),
        word[..word.len() - 1].to_owned(),
        format!("{}{last}", &word[..word.len() - 1]),
        word.to_uppercase(),
    ] {
        assert_eq!(
            code(whoami(&farm, Some(&Secret::new(bad.clone()))).await),
            Code::BadToken,
            "{bad}"
        );
    }
    let channel = farm.channel().await;
    let who = "platefarm.v1.Trust/WhoAmI";
    for header in ["", "Bearer", "Bearer ", "Basic cm9vdDo=", &format!("Token {word}")] {
        assert_eq!(
            call(&channel, who, Some(header), vec![]).await,
            Some(Code::BadToken),
            "{header}"
        );
    }
}

#[tokio::test]
async fn a_token_ends_when_it_expires_or_is_revoked() {
    let farm = Farm::start().await;
    let long_ago = Timestamp(now().0 - 3_600_000_000);
    let short = NewToken { lifetime_s: Some(60), ..new(Role::Viewer, &[]) };
    let (view, word) = issue(&farm.store, &short, "test", long_ago).await.unwrap();
    let expired = fault(whoami(&farm, word.as_ref()).await);
    assert_eq!(expired.code, Code::BadToken);
    assert!(expired.message.contains(&view.id) && expired.message.contains("expired"), "{expired}");

    let mut admin = farm.trust(Some(&farm.admin)).await;
    let request: v1::CreateTokenRequest = (&new(Role::Operator, &[])).into();
    let made = admin.create_token(request).await.unwrap().into_inner();
    let word = Secret::new(made.word);
    assert!(whoami(&farm, Some(&word)).await.is_ok(), "good at once");
    let id = made.token.unwrap().id;
    admin.revoke_token(v1::RevokeTokenRequest { id: id.clone() }).await.unwrap();
    let revoked = fault(whoami(&farm, Some(&word)).await);
    assert!(revoked.message.contains("revoked"), "{revoked}");
    let listed = admin.list_tokens(v1::ListTokensRequest { good_only: true }).await.unwrap();
    assert!(listed.into_inner().tokens.iter().all(|t| t.id != id && t.id != view.id));
    let listed = admin.list_tokens(v1::ListTokensRequest { good_only: false }).await.unwrap();
    assert_eq!(listed.into_inner().tokens.len(), 3);
}

#[tokio::test]
async fn who_guesses_is_not_listened_to_for_long() {
    let strangers = Rate { per_second: 0.001, burst: 5.0 };
    let farm = Farm::with(Limits { strangers, ..Limits::default() }).await;
    let guess = Secret::new("pfk_guess");
    let mut codes = Vec::new();
    for _ in 0..8 {
        codes.push(code(whoami(&farm, Some(&guess)).await));
    }
    assert_eq!(codes[..5], [Code::BadToken; 5]);
    assert_eq!(codes[5..], [Code::TooMuch; 3]);
    // Those who are known do not pay for a stranger at their address.
    assert!(whoami(&farm, Some(&farm.admin)).await.is_ok());
}

#[tokio::test]
async fn one_caller_asks_only_so_much() {
    let people = Rate { per_second: 0.001, burst: 4.0 };
    let farm = Farm::with(Limits { people, streams: 2, ..Limits::default() }).await;
    let (_, word) = farm.token(Role::Viewer, &[]).await;
    for _ in 0..4 {
        whoami(&farm, Some(&word)).await.unwrap();
    }
    assert_eq!(code(whoami(&farm, Some(&word)).await), Code::TooMuch);
    let (_, other) = farm.token(Role::Viewer, &[]).await;
    assert!(whoami(&farm, Some(&other)).await.is_ok(), "another is not held to it");
}

#[tokio::test]
async fn one_caller_holds_only_so_many_streams() {
    let farm = Farm::with(Limits { streams: 2, ..Limits::default() }).await;
    let mut client = farm.farm(&farm.admin).await;
    let id = client.submit_job(job("atlas", "n")).await.unwrap().into_inner().job;
    let watch = || v1::WatchJobRequest { job: id };
    let mut first = client.watch_job(watch()).await.unwrap().into_inner();
    let second = client.watch_job(watch()).await.unwrap();
    assert_eq!(code(client.watch_job(watch()).await), Code::TooMuch);
    // One that is over makes room: the job is settled, and the stream ends.
    client.cancel_job(v1::CancelJobRequest { job: id }).await.unwrap();
    while first.message().await.unwrap().is_some() {}
    drop(second);
    let again = async {
        while client.watch_job(watch()).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), again).await.expect("room again");
}

#[tokio::test]
async fn questions_that_are_too_large_or_torn_are_refused() {
    let farm = Farm::start().await;
    let channel = farm.channel().await;
    let word = format!("Bearer {}", farm.admin.expose());
    let cancel = "platefarm.v1.Farm/CancelJob";
    // Also where nothing but the handler reads the question, and where nobody has to say who they are.
    let looks = [
        (cancel, Some(word.as_str())),
        ("platefarm.v1.Farm/ListJobs", Some(word.as_str())),
        ("grpc.health.v1.Health/Check", None),
    ];
    for (method, who) in looks {
        let large = call(&channel, method, who, vec![0x12; 2 * 1024 * 1024]).await;
        assert_eq!(large, Some(Code::TooMuch), "{method}");
    }
    for torn in [vec![0x0a], vec![0x08], vec![0x0b, 0x0b], vec![0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]]
    {
        let (_, scoped) = farm.token(Role::Admin, &["atlas"]).await;
        let scoped = format!("Bearer {}", scoped.expose());
        assert_eq!(
            call(&channel, cancel, Some(&scoped), torn.clone()).await,
            Some(Code::BadSpec),
            "{torn:?}"
        );
    }
    let nowhere = call(&channel, "platefarm.v1.Farm/DropTables", Some(&word), vec![]).await;
    assert_eq!(nowhere, Some(Code::StoreVersion), "what the table does not have is not served");
}

#[tokio::test]
async fn what_people_do_is_written_down_and_what_workers_do_is_not() {
    let farm = Farm::start().await;
    let mut admin = farm.farm(&farm.admin).await;
    let id = admin.submit_job(job("zeus", "night")).await.unwrap().into_inner().job;
    let (view, word) = farm.token(Role::Submitter, &["atlas"]).await;
    let mut narrow = farm.farm(&word).await;
    assert_eq!(code(narrow.cancel_job(v1::CancelJobRequest { job: id }).await), Code::OutsideShow);
    assert_eq!(code(admin.cancel_job(v1::CancelJobRequest { job: 999 }).await), Code::UnknownJob);
    admin.cancel_job(v1::CancelJobRequest { job: id }).await.unwrap();
    admin.list_jobs(v1::ListJobsRequest::default()).await.unwrap();
    let (_, word) = farm.token(Role::Viewer, &[]).await;
    let mut viewer = farm.farm(&word).await;
    assert_eq!(code(viewer.cancel_job(v1::CancelJobRequest { job: id }).await), Code::NotAllowed);
    let channel = farm.channel().await;
    let (_, worker) = farm.token(Role::Worker, &[]).await;
    let worker = format!("Bearer {}", worker.expose());
    call(&channel, "platefarm.v1.Work/Register", Some(&worker), vec![]).await;

    let mut trust = farm.trust(Some(&farm.admin)).await;
    let read = async |trust: &mut platefarm_proto::TrustClient<_>| {
        let request = v1::ListAuditRequest::default();
        trust.list_audit(request).await.unwrap().into_inner().entries
    };
    // Outcomes follow their entries; nothing else is waited for.
    let entries = loop {
        let entries = read(&mut trust).await;
        if entries.iter().all(|e| !e.outcome.is_empty()) {
            break entries;
        }
    };
    let said: Vec<_> = entries
        .iter()
        .rev()
        .map(|e| (e.who.as_str(), e.action.as_str(), e.subject.as_str(), e.outcome.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            ("admin", "Farm/SubmitJob", "show zeus", "ok"),
            ("submitter", "Farm/CancelJob", "", "F0604"),
            ("admin", "Farm/CancelJob", "j999", "F0503"),
            ("admin", "Farm/CancelJob", &format!("j{id}"), "ok"),
            ("viewer", "Farm/CancelJob", "", "F0603"),
        ]
    );
    assert!(entries[3].detail.contains(&format!("job: {id}")), "{:?}", entries[3]);
    assert_eq!(entries[3].token, view.id);
    assert!(entries.iter().all(|e| e.from.starts_with("127.0.0.1:")));
    assert!(entries.windows(2).all(|w| w[0].id > w[1].id && w[0].at_us >= w[1].at_us));
}

/// What is refused is written down, and is no way to fill the disk.
#[tokio::test]
async fn of_many_refused_tries_some_are_written_down() {
    let refusals = Rate { per_second: 0.001, burst: 3.0 };
    let farm = Farm::with(Limits { refusals, ..Limits::default() }).await;
    let (viewer, word) = farm.token(Role::Viewer, &[]).await;
    let mut looks = farm.farm(&word).await;
    let (narrow, word) = farm.token(Role::Submitter, &["atlas"]).await;
    let mut submits = farm.farm(&word).await;
    for _ in 0..8 {
        assert_eq!(code(looks.submit_job(job("atlas", "n")).await), Code::NotAllowed);
        assert_eq!(code(submits.submit_job(job("zeus", "n")).await), Code::OutsideShow);
    }
    let page = AuditPage { before: None, who: None, limit: 100 };
    let entries = farm.store.audit(&page).await.unwrap();
    for (token, outcome) in [(viewer.id, "F0603"), (narrow.id, "F0604")] {
        let of: Vec<_> = entries.iter().filter(|entry| entry.token == token).collect();
        assert_eq!(of.len(), 3, "{entries:?}");
        assert!(of.iter().all(|entry| entry.outcome.as_deref() == Some(outcome)));
    }
    submits.submit_job(job("atlas", "n")).await.expect("what is theirs goes on");
}

/// Names that would steer a terminal, or end a line of the log, are refused, and do neither in the log.
#[tokio::test]
async fn no_name_in_the_log_steers_a_terminal() {
    let farm = Farm::start().await;
    let mut admin = farm.farm(&farm.admin).await;
    let bad = "atlas\n\u{1b}[2J";
    assert_eq!(code(admin.submit_job(job(bad, "n")).await), Code::BadSpec);
    let mut steps = job("atlas", "n");
    steps.job.as_mut().unwrap().steps[0].name = bad.into();
    assert_eq!(code(admin.submit_job(steps).await), Code::BadSpec);
    let page = AuditPage { before: None, who: None, limit: 100 };
    let mut entries = farm.store.audit(&page).await.unwrap();
    entries.retain(|entry| entry.action == "Farm/SubmitJob");
    assert_eq!(entries.len(), 2, "{entries:?}");
    for entry in entries {
        let texts = [&entry.who, &entry.subject, &entry.detail];
        assert!(texts.iter().all(|text| !text.chars().any(char::is_control)), "{entry:?}");
    }
}

/// Nor is a long name, which is refused after it is written down.
#[tokio::test]
async fn the_log_has_no_more_of_a_name_than_a_name_may_have() {
    let farm = Farm::start().await;
    let mut admin = farm.farm(&farm.admin).await;
    // Two bytes each, and 255 is an odd number.
    admin.submit_job(job(&"é".repeat(10_000), "n")).await.unwrap_err();
    let page = AuditPage { before: None, who: None, limit: 100 };
    let entries = farm.store.audit(&page).await.unwrap();
    let entry = entries.iter().find(|entry| entry.action == "Farm/SubmitJob").unwrap();
    assert_eq!(entry.subject, format!("show {}", "é".repeat(127)));
}

/// Workers are the whole farm's; what they have in hand is of a show.
#[tokio::test]
async fn workers_are_seen_without_what_they_do_for_other_shows() {
    let farm = Farm::start().await;
    let mut admin = farm.farm(&farm.admin).await;
    admin.submit_job(job("zeus", "n")).await.unwrap();
    let (_, mut work, worker) = farm.worker().await;
    let taken = work.acquire(v1::AcquireRequest { worker, wait_ms: 5000 }).await.unwrap();
    assert!(taken.into_inner().lease.is_some());
    for (shows, held) in [(&[][..], 1), (&["zeus"][..], 1), (&["atlas"][..], 0)] {
        let (_, word) = farm.token(Role::Viewer, shows).await;
        let list = farm.farm(&word).await.list_workers(v1::ListWorkersRequest {}).await;
        let workers = list.unwrap().into_inner().workers;
        assert_eq!((workers.len(), workers[0].leases.len()), (1, held), "{shows:?}");
    }
}

/// A class that takes capacity from all shows is not everybody's to ask for, where a show has a highest.
#[tokio::test]
async fn submitters_keep_to_the_highest_class_of_their_show() {
    let farm = Farm::start().await;
    let mut admin = farm.farm(&farm.admin).await;
    let (_, word) = farm.token(Role::Submitter, &[]).await;
    let mut submitter = farm.farm(&word).await;
    let urgent = |show| {
        let mut request = job(show, "n");
        let terms = request.job.as_mut().unwrap().terms.get_or_insert_default();
        terms.set_class(v1::PriorityClass::Urgent);
        request
    };
    submitter.submit_job(urgent("atlas")).await.expect("as long as nobody says otherwise");
    let highest_class = v1::PriorityClass::Normal.into();
    let share = v1::Share { weight: Some(1), highest_class, ..Default::default() };
    let set = v1::SetShareRequest { show: "atlas".into(), share: Some(share) };
    admin.set_share(set).await.unwrap();
    assert_eq!(code(submitter.submit_job(urgent("atlas")).await), Code::NotAllowed);
    submitter.submit_job(urgent("zeus")).await.expect("that is another show's");
    let id = submitter.submit_job(job("atlas", "n")).await.unwrap().into_inner().job;
    let raise = Control::Priority { class: Some(PriorityClass::Urgent), priority: None };
    let raise = || v1::ControlJobRequest::from((Target::Job(JobId(id)), &raise));
    assert_eq!(code(submitter.control_job(raise()).await), Code::NotAllowed);
    // Who runs some shows takes nothing from the others either.
    let (_, word) = farm.token(Role::Operator, &["atlas"]).await;
    let refused = fault(farm.farm(&word).await.control_job(raise()).await);
    assert_eq!(refused.code, Code::NotAllowed);
    let remedy = refused.remedy.unwrap();
    assert!(remedy.contains("shows set 'atlas' --highest-class urgent"), "{remedy}");
    let (_, word) = farm.token(Role::Operator, &[]).await;
    farm.farm(&word).await.control_job(raise()).await.expect("who runs the farm may");
    admin.submit_job(urgent("atlas")).await.unwrap();
}

#[tokio::test]
async fn a_farm_that_nobody_could_enter_does_not_start() {
    use crate::service::{Config, bind, serve};
    use crate::store::Place;
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::new(Place::Sqlite(dir.path().join("farm.db")));
    config.trust.tokens = true;
    let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let refused = serve(listener, config.clone(), std::future::pending()).await.unwrap_err();
    assert_eq!(refused.code, Code::NobodyCanEnter);
    let far = bind("0.0.0.0:0".parse().unwrap()).await.unwrap_err();
    assert_eq!(far.code, Code::OpenListener);
}

/// Whoever hangs up in the middle of a call leaves no entry without an end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_caller_hangs_up_has_an_end_in_the_log() {
    let farm = Farm::start().await;
    let mut client = farm.farm(&farm.admin).await;
    for i in 0..40 {
        let mut request = tonic::Request::new(job("atlas", "n"));
        request.set_timeout(std::time::Duration::from_micros(300 + 150 * i));
        drop(client.submit_job(request).await);
    }
    let page = AuditPage { before: None, who: None, limit: 100 };
    let ended = async {
        loop {
            let entries = farm.store.audit(&page).await.unwrap();
            if !entries.is_empty() && entries.iter().all(|entry| entry.outcome.is_some()) {
                return entries.len();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let ended = tokio::time::timeout(std::time::Duration::from_secs(30), ended).await;
    assert!(ended.expect("every call has an end") > 5);
}

/// As a client of another make sends it: ours would give up by itself, and hear nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_deadline_has_passed_is_told_so_and_not_carried_out() {
    use prost::Message as _;
    let farm = Farm::start().await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let ask = async |timeout: &str, name: &str| {
        let message = job("atlas", name).encode_to_vec();
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        let sent = http
            .post(format!("{}/platefarm.v1.Farm/SubmitJob", farm.url))
            .bearer_auth(farm.admin.expose())
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("grpc-timeout", timeout)
            .body([&[0][..], &length, &message].concat());
        let answer = sent.send().await.unwrap();
        let said = |name| answer.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
        // An answer that is no error says so behind its message.
        (said("grpc-status").map(|code| code.parse::<i32>().unwrap()), said("grpc-message"))
    };
    for timeout in ["0n", "1n", "1u", "0S"] {
        let (status, message) = ask(timeout, "late").await;
        assert_eq!(status, Some(tonic::Code::DeadlineExceeded as i32), "{timeout}: {message:?}");
        assert!(message.unwrap().starts_with(Code::Timeout.text()));
    }
    assert_eq!(ask("20S", "in time").await.0, None);
    assert_eq!(ask("soon", "without a deadline").await.0, None, "what cannot be read says nothing");
    let mut client = farm.farm(&farm.admin).await;
    let jobs = client.list_jobs(v1::ListJobsRequest::default()).await.unwrap().into_inner().jobs;
    let names: Vec<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["without a deadline", "in time"]);
}
