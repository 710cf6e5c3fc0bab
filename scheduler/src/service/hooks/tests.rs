//! Webhooks against a real HTTP server: signed, in order, again until they are
//! taken, through a restart of the scheduler, and nowhere that is not allowed.

use super::{HookSettings, sign};
use crate::service::Config;
use crate::service::tests::{Running, noop, sqlite, submit};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use platefarm_model::{Code, Secret};
use platefarm_proto::convert::from_status;
use platefarm_proto::{EventsClient, v1};
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What came to an address.
#[derive(Clone, Default)]
struct Inbox {
    taken: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    /// Deliveries that are refused before one is taken.
    refuse: Arc<Mutex<u32>>,
}

async fn receive(State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut refuse = inbox.refuse.lock().unwrap();
    if *refuse > 0 {
        *refuse -= 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let body = String::from_utf8(body.to_vec()).unwrap();
    inbox.taken.lock().unwrap().push((headers, body));
    StatusCode::NO_CONTENT
}

impl Inbox {
    /// Serves it; its address.
    async fn open(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?key=s3cret", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(receive)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    async fn has(&self, count: usize) -> Vec<(HeaderMap, Value)> {
        let wait = async {
            while self.taken.lock().unwrap().len() < count {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait).await.expect("deliveries");
        let taken = self.taken.lock().unwrap().clone();
        taken.into_iter().map(|(h, body)| (h, serde_json::from_str(&body).unwrap())).collect()
    }
}

fn config(place: &crate::store::Place) -> Config {
    let mut config = Config::new(place.clone());
    config.hooks = HookSettings {
        allow: vec!["127.0.0.1".into()],
        first_pause: Duration::from_millis(20),
        ..HookSettings::default()
    };
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_sent_until_they_are_taken_and_none_is_lost_at_a_restart() {
    let (_dir, place) = sqlite();
    let inbox = Inbox::default();
    let url = inbox.open().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let http = free.local_addr().unwrap();
    drop(free);
    let running = Running::with(Config { http: Some(http), ..config(&place) }).await;
    let mut farm = running.farm().await;
    let mut events = EventsClient::new(running.channel().await);
    submit(&mut farm, &noop("before", 1)).await;
    let request = v1::AddWebhookRequest { url, filter: None };
    let made = events.add_webhook(request).await.unwrap().into_inner();
    let (hook, secret) = (made.webhook.unwrap(), Secret::new(made.secret));
    let listed = events.list_webhooks(v1::ListWebhooksRequest {}).await.unwrap().into_inner();
    for shown in [&hook.url, &listed.webhooks[0].url] {
        assert!(shown.ends_with("/hook"), "what follows may open something: {shown}");
    }

    *inbox.refuse.lock().unwrap() = 3;
    let first = submit(&mut farm, &noop("a", 1)).await.job;
    let taken = inbox.has(1).await;
    assert_eq!(*inbox.refuse.lock().unwrap(), 0, "it was tried again");
    let (headers, body) = &taken[0];
    assert_eq!(body["type"], "job.submitted");
    assert_eq!(
        (&body["data"]["job"], &body["data"]["show"]),
        (&Value::from(first), &"test".into())
    );
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(text("webhook-id"), format!("evt_{}", body["data"]["cursor"]));
    let seconds: i64 = text("webhook-timestamp").parse().unwrap();
    let raw = inbox.taken.lock().unwrap()[0].1.clone();
    let signature = sign::signature(&secret, &text("webhook-id"), seconds, &raw).unwrap();
    assert_eq!(text("webhook-signature"), signature);

    // The address is away, the scheduler dies and starts again: nothing is lost, nothing comes twice.
    *inbox.refuse.lock().unwrap() = u32::MAX;
    let jobs =
        [submit(&mut farm, &noop("b", 1)).await.job, submit(&mut farm, &noop("c", 1)).await.job];
    let troubled = async {
        loop {
            let list = events.list_webhooks(v1::ListWebhooksRequest {}).await.unwrap().into_inner();
            if list.webhooks[0].failures > 1 {
                return list.webhooks[0].clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let troubled = tokio::time::timeout(Duration::from_secs(60), troubled).await.unwrap();
    assert!(troubled.trouble.contains("503"), "{troubled:?}");
    let metrics = reqwest::get(format!("http://{http}/metrics")).await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let value = |name: &str, labels: &str| {
        let line = metrics.lines().find(|line| line.starts_with(&format!("{name}{{{labels}}}")));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u32>().ok()).unwrap_or_default()
    };
    let of = format!("hook=\"{}\"", hook.id);
    assert!(value("platefarm_webhook_failures", &of) > 1, "{metrics}");
    let tries = |outcome: &str| {
        value("platefarm_webhook_deliveries_total", &format!("{of},outcome=\"{outcome}\""))
    };
    assert!(tries("taken") == 1 && tries("failed") > 4, "{metrics}");
    running.kill().await;
    *inbox.refuse.lock().unwrap() = 0;
    let running = Running::with(config(&place)).await;
    let taken = inbox.has(3).await;
    let told: Vec<u64> =
        taken[1..].iter().map(|(_, b)| b["data"]["job"].as_u64().unwrap()).collect();
    assert_eq!(told, jobs);

    let mut events = EventsClient::new(running.channel().await);
    let gone =
        events.remove_webhook(v1::RemoveWebhookRequest { id: hook.id.clone() }).await.unwrap();
    assert_eq!(gone.into_inner().webhook.unwrap().id, hook.id);
    let again = events.remove_webhook(v1::RemoveWebhookRequest { id: hook.id }).await.unwrap_err();
    assert_eq!(from_status(&again).code, Code::UnknownHook);
    submit(&mut running.farm().await, &noop("d", 1)).await;
    running.stop().await.unwrap();
    assert_eq!(inbox.taken.lock().unwrap().len(), 3);
}

#[test]
fn only_hosts_that_are_allowed_are_sent_to() {
    let allow = ["hooks.example.com", "10.0.0.9:8080", "*.studio.lan"].map(str::to_owned).into();
    let settings = HookSettings { allow, ..HookSettings::default() };
    for good in [
        "https://hooks.example.com/a?b=c",
        "https://HOOKS.example.com:8443/",
        "http://10.0.0.9:8080/x",
        "https://a.b.studio.lan",
    ] {
        assert_eq!(settings.check(good), Ok(()), "{good}");
    }
    for bad in [
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.9/x",
        "https://evilstudio.lan/",
        "https://studio.lan/",
        "https://hooks.example.com.evil.net/",
        "http://localhost:7878/",
        "http://[::1]/",
    ] {
        assert_eq!(settings.check(bad).unwrap_err().code, Code::HookAddress, "{bad}");
    }
    for bad in [
        "",
        "x",
        "/a",
        "file:///etc/passwd",
        "ftp://hooks.example.com/",
        "https://me:pw@hooks.example.com/",
    ] {
        let fault = settings.check(bad).unwrap_err();
        assert_eq!(fault.code, Code::BadSpec, "{bad}");
    }
    let fault = settings.check("https://user:pw@hooks.example.com/p?key=s3cret").unwrap_err();
    let said = format!("{fault:?}");
    assert!(!said.contains("s3cret") && !said.contains(":pw"), "{said}");
    let none = HookSettings::default().check("https://hooks.example.com/").unwrap_err();
    assert!(none.message.contains("no host is"), "{none}");
}
