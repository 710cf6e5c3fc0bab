//! What people do from the page, by role, by show and with its line in the log.

use super::Farm;
use crate::store::AuditPage;
use crate::trust::{Limits, Rate, Settings};
use platefarm_model::Secret;
use platefarm_model::trust::Role;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// What people do on the page is what they do on the command line: by role,
/// by show, and in the log under their name.
#[tokio::test]
async fn deeds_pass_the_gate_of_the_grpc_side() {
    let farm = Farm::start().await;
    let (mine, other) = (farm.submit("atlas").await, farm.submit("zeus").await);
    let viewer = Farm::token(&farm.store, Role::Viewer, &[]).await;
    let narrow = Farm::token(&farm.store, Role::Submitter, &["atlas"]).await;
    let operator = Farm::token(&farm.store, Role::Operator, &[]).await;
    let pause = |job: u64| format!("{{\"deed\":\"jobs pause\",\"on\":[\"j{job}\"]}}");
    let path = "/api/deeds";
    assert_eq!(farm.post(path, None, &pause(mine)).await.status, 401);
    assert_eq!(farm.post(path, Some(&viewer), &pause(mine)).await.status, 403);
    let refused = farm.post(path, Some(&narrow), &pause(other)).await;
    assert!(refused.status == 403 && refused.body.contains("F0604"), "{}", refused.body);
    assert_eq!(farm.post(path, Some(&narrow), &pause(mine)).await.status, 200);
    let job = farm.get(&format!("/api/jobs/{mine}"), Some(&viewer)).await.body;
    assert!(job.contains("\"paused\":true"), "{job}");
    let raise = format!(
        "{{\"deed\":\"jobs priority\",\"on\":[\"j{other}.0\"],\"with\":{{\"class\":\"urgent\",\"number\":\"7\"}}}}"
    );
    assert_eq!(farm.post(path, Some(&operator), &raise).await.status, 200);
    let gone = farm.post(path, Some(&operator), &pause(99)).await;
    assert!(gone.status == 404 && gone.body.contains("F0503"), "{}", gone.body);
    for bad in [
        "",
        "{}",
        "[1]",
        "{\"deed\":\"jobs explode\",\"on\":[\"j1\"]}",
        "{\"deed\":\"jobs pause\",\"on\":[]}",
        "{\"deed\":\"jobs pause\",\"on\":[\"j1\"],\"with\":{\"frames\":\"1\"}}",
        "{\"deed\":\"jobs limit\",\"on\":[\"j1\"],\"with\":{\"tasks\":\"many\"}}",
    ] {
        let status = farm.post(path, Some(&operator), bad).await.status;
        assert!((400..500).contains(&status), "{bad}: {status}");
    }
    let drain = "{\"deed\":\"workers drain\",\"on\":[\"w1\"]}";
    assert_eq!(farm.post(path, Some(&narrow), drain).await.status, 403);
    assert_eq!(farm.post(path, Some(&operator), drain).await.status, 404);

    let page = AuditPage { before: None, who: None, limit: 100 };
    let wanted =
        [("viewer", "F0603"), ("submitter", "F0604"), ("submitter", "ok"), ("operator", "ok")];
    for (who, outcome) in wanted {
        let found = async {
            loop {
                let entries = farm.store.audit(&page).await.unwrap();
                let mut of = entries.iter().filter(|it| it.who == who);
                if of.any(|it| {
                    it.action == "Farm/ControlJob" && it.outcome.as_deref() == Some(outcome)
                }) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(30), found).await.expect(outcome);
    }
}

/// The deeds that a caller is offered.
async fn offered(farm: &Farm, token: &Secret) -> Vec<serde_json::Value> {
    let me = farm.get("/api/me", Some(token)).await.body;
    let me: serde_json::Value = serde_json::from_str(&me).unwrap();
    me["deeds"].as_array().unwrap().clone()
}

/// A deed with a form that is filled in, as a question of the page.
fn filled(deed: &serde_json::Value, job: u64) -> String {
    let fields = deed["fields"].as_array().unwrap().iter();
    let with: serde_json::Map<String, serde_json::Value> = fields
        .map(|field| {
            let name = field["name"].as_str().unwrap();
            let value = match (name, field["kind"].as_str().unwrap()) {
                ("on", _) => "j1",
                (_, "class") => "urgent",
                (_, "moment") => "2030-01-01T00:00Z",
                (_, "known") => "",
                _ => "1001",
            };
            (name.to_owned(), value.into())
        })
        .collect();
    let on = match deed["verb"].as_str().unwrap().split_once(' ').unwrap().0 {
        "jobs" => format!("j{job}"),
        "workers" => "w1".to_owned(),
        "shows" => "atlas".to_owned(),
        _ => "night".to_owned(),
    };
    serde_json::json!({ "deed": deed["verb"], "on": [on], "with": with }).to_string()
}

/// Who is offered a deed may do it, and who is not is refused by the same rule.
#[tokio::test]
async fn every_deed_is_offered_and_refused_by_role() {
    let farm = Farm::start().await;
    let all = offered(&farm, &farm.admin).await;
    assert!(all.len() > 15, "{all:?}");
    let tokens = [
        (Role::Viewer, &[][..], "F0603"),
        (Role::Submitter, &[], "F0603"),
        (Role::Operator, &[], ""),
        (Role::Operator, &["atlas"], "F0604"),
        (Role::Submitter, &["zeus"], "F0603"),
    ];
    for (role, shows, code) in tokens {
        let token = Farm::token(&farm.store, role, shows).await;
        let mine = offered(&farm, &token).await;
        // Of its own, since the deeds end with forgetting it.
        let job = farm.submit("atlas").await;
        for deed in &all {
            let answer = farm.post("/api/deeds", Some(&token), &filled(deed, job)).await;
            let about = format!("{role} of {shows:?}, {}: {}", deed["verb"], answer.body);
            let refused = |code: &str| answer.status == 403 && answer.body.starts_with(code);
            match (mine.contains(deed), shows) {
                (false, _) => assert!(refused(code), "{about}"),
                (true, ["zeus"]) => assert!(refused("F0604"), "{about}"),
                (true, _) => assert_ne!(answer.status, 403, "{about}"),
            }
        }
        let rooms = |room: &str| {
            let of = |deed: &&serde_json::Value| deed["verb"].as_str().unwrap().starts_with(room);
            mine.iter().filter(of).count()
        };
        match (role, shows) {
            (Role::Viewer, _) => assert!(mine.is_empty()),
            (Role::Operator, []) => assert_eq!(mine.len(), all.len()),
            // What is the whole farm's is not for a token of shows.
            _ => {
                let of_shows = usize::from(role == Role::Operator);
                assert_eq!(rooms("shows "), of_shows, "what holds for their pulls: {mine:?}");
                assert_eq!(rooms("jobs ") + of_shows, mine.len(), "{mine:?}");
                assert!(mine.len() >= 9, "{mine:?}");
            }
        }
    }
}

/// What is set up on the page is there for all, and what is wrong is told with what to do.
#[tokio::test]
async fn what_is_set_up_is_seen_and_taken_away() {
    let farm = Farm::start().await;
    let job = farm.submit("atlas").await;
    let operator = Farm::token(&farm.store, Role::Operator, &[]).await;
    let does = async |deed: &str, on: &str, with: serde_json::Value| {
        let asked = serde_json::json!({ "deed": deed, "on": [on], "with": with }).to_string();
        farm.post("/api/deeds", Some(&operator), &asked).await
    };
    let settings = async || -> serde_json::Value {
        let answer = farm.get("/api/settings", Some(&operator)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    };
    let form = |text: &str| serde_json::from_str(text).unwrap();
    assert_eq!(does("limits set", "nuke", form(r#"{"count":"4"}"#)).await.status, 200);
    let pool = form(r#"{"labels":"fast nvme","reserve":"2"}"#);
    assert_eq!(does("pools set", "night", pool).await.status, 200);
    let share = form(r#"{"weight":"3","guarantee":"1","ceiling":"9","highest_class":"urgent"}"#);
    assert_eq!(does("shows set", "atlas", share).await.status, 200);
    let set = settings().await;
    assert_eq!(set["limits"][0]["count"], 4, "{set}");
    assert_eq!(set["pools"][0]["labels"], serde_json::json!(["fast", "nvme"]), "{set}");
    assert_eq!(set["shares"][0]["share"]["ceiling"], 9, "{set}");
    assert_eq!(set["shares"][0]["own"], true, "{set}");
    let less = form(r#"{"guarantee":"5","ceiling":"2","highest_class":"normal"}"#);
    let less = does("shows set", "atlas", less).await;
    let (told, remedy) = less.body.split_once('\n').unwrap();
    assert!(less.status == 400 && told.starts_with("F0508"), "{}", less.body);
    assert!(remedy.contains("ceiling to at least the guarantee"), "{}", less.body);
    assert_eq!(does("limits remove", "nuke", form("{}")).await.status, 200);
    assert_eq!(settings().await["limits"], serde_json::json!([]));
    assert_eq!(does("shows remove", "atlas", form("{}")).await.status, 200);
    let set = settings().await;
    let bare = &set["shares"][0];
    assert_eq!((&bare["show"], &bare["own"]), (&"atlas".into(), &false.into()), "{bare}");
    let narrow = Farm::token(&farm.store, Role::Viewer, &["atlas"]).await;
    assert_eq!(farm.get("/api/settings", Some(&narrow)).await.status, 403);
    let would = farm.get("/api/whatif?workers=2&class=gpu", Some(&operator)).await;
    assert!(would.status == 200 && would.body.contains("\"busy_workers\":2"), "{}", would.body);

    // A job waits for no other in a circle; what has ended can be forgotten, and nothing else.
    let id = format!("j{job}");
    let circle = does("jobs depend", &id, serde_json::json!({ "on": id })).await;
    assert!(circle.status == 400 && circle.body.starts_with("F0522"), "{}", circle.body);
    assert_eq!(does("jobs forget", &id, form("{}")).await.status, 400);
    assert_eq!(does("jobs cancel", &id, form("{}")).await.status, 200);
    assert_eq!(does("jobs forget", &id, form("{}")).await.status, 200);
    assert_eq!(farm.get(&format!("/api/jobs/{job}"), Some(&operator)).await.status, 404);
}

/// The page asks for no class that its caller may not ask for on the command line.
#[tokio::test]
async fn the_page_keeps_to_the_highest_class_of_a_show() {
    let farm = Farm::start().await;
    let job = farm.submit("atlas").await;
    let submitter = Farm::token(&farm.store, Role::Submitter, &[]).await;
    let narrow = Farm::token(&farm.store, Role::Operator, &["atlas"]).await;
    let operator = Farm::token(&farm.store, Role::Operator, &[]).await;
    let does = async |token: &Secret, deed: &str, on: &str, with: serde_json::Value| {
        let asked = serde_json::json!({ "deed": deed, "on": [on], "with": with }).to_string();
        farm.post("/api/deeds", Some(token), &asked).await
    };
    let highest = serde_json::json!({ "highest_class": "normal" });
    assert_eq!(does(&operator, "shows set", "atlas", highest).await.status, 200);
    let raise = async |token: &Secret, class: &str| {
        let with = serde_json::json!({ "class": class, "number": "7" });
        does(token, "jobs priority", &format!("j{job}"), with).await
    };
    for token in [&submitter, &narrow] {
        let refused = raise(token, "urgent").await;
        assert!(refused.status == 403 && refused.body.starts_with("F0603"), "{}", refused.body);
        for class in ["normal", "background", ""] {
            assert_eq!(raise(token, class).await.status, 200, "{class}");
        }
    }
    assert_eq!(raise(&operator, "urgent").await.status, 200);
    // What is not said of a job stays, be it above what they may ask for.
    assert_eq!(raise(&submitter, "").await.status, 200);
    let view = farm.get(&format!("/api/jobs/{job}"), Some(&operator)).await.body;
    let view: serde_json::Value = serde_json::from_str(&view).unwrap();
    assert_eq!(view["terms"]["class"], "urgent", "{view}");
}

/// What holds for the pulls of a show is seen by who sees it, and set by who runs it.
#[tokio::test]
async fn what_holds_for_the_pulls_of_a_show_is_set() {
    let farm = Farm::stocked().await;
    let operator = Farm::token(&farm.store, Role::Operator, &["atlas"]).await;
    let viewer = Farm::token(&farm.store, Role::Viewer, &["zeus"]).await;
    let set = async |show: &str, with: serde_json::Value| {
        let asked =
            serde_json::json!({ "deed": "shows defaults", "on": [show], "with": with }).to_string();
        farm.post("/api/deeds", Some(&operator), &asked).await
    };
    let shows = async |token: &Secret| -> serde_json::Value {
        let answer = farm.get("/api/shows", Some(token)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    };
    let both = serde_json::json!({ "spec": "review", "rate": "23.976" });
    assert_eq!(set("atlas", both).await.status, 200);
    let mut wanted = serde_json::json!({ "shows": [{
        "show": "atlas", "choices": 0,
        "defaults": { "show": "atlas", "rate": "24000/1001", "spec": "review" },
    }] });
    assert_eq!(shows(&operator).await, wanted);
    assert_eq!(shows(&viewer).await, serde_json::json!({ "shows": [] }));
    assert_eq!(set("atlas", serde_json::json!({ "spec": "" })).await.status, 200);
    wanted["shows"][0]["defaults"].as_object_mut().unwrap().remove("spec");
    assert_eq!(shows(&operator).await, wanted, "what was not said stays");
    let refused = set("zeus", serde_json::json!({ "spec": "review" })).await;
    assert!(refused.status == 403 && refused.body.starts_with("F0604"), "{}", refused.body);
    let refused = set("atlas", serde_json::json!({ "spec": "no-such" })).await;
    assert!(refused.status == 400 && refused.body.contains("whole path"), "{}", refused.body);
    let bare = Farm::start().await;
    let none = bare.get("/api/shows", Some(&bare.admin)).await;
    assert_eq!((none.status, none.body.as_str()), (200, r#"{"shows":null}"#));
}

/// Many at once: each by its own right, and one that refuses keeps no other from it.
#[tokio::test]
async fn many_are_steered_at_once() {
    let farm = Farm::start().await;
    let (mine, other) = (farm.submit("atlas").await, farm.submit("zeus").await);
    let narrow = Farm::token(&farm.store, Role::Submitter, &["atlas"]).await;
    let path = "/api/deeds";
    let asked =
        format!("{{\"deed\":\"jobs pause\",\"on\":[\"j{mine}\",\"j{other}\",\"j99\",\"x\"]}}");
    let answer = farm.post(path, Some(&narrow), &asked).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let said: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(said["done"], serde_json::json!([format!("j{mine}")]), "{said}");
    let refused = said["refused"].as_array().unwrap();
    let why = |target: &str| {
        let of = refused.iter().find(|it| it["target"] == target).unwrap();
        of["message"].as_str().unwrap()[..5].to_owned()
    };
    assert_eq!((why(&format!("j{other}")).as_str(), why("x").as_str()), ("F0604", "F0004"));
    assert_eq!(refused.len(), 3, "{said}");
    let many: Vec<String> = (0..501).map(|i| format!("\"j{i}\"")).collect();
    let too_many = format!("{{\"deed\":\"jobs pause\",\"on\":[{}]}}", many.join(","));
    assert_eq!(farm.post(path, Some(&farm.admin), &too_many).await.status, 429);
}

/// Many at once are as many calls: a question of the page is no way around the rate.
#[tokio::test]
async fn each_of_many_counts_as_a_call() {
    let people = Rate { per_second: 0.001, burst: 8.0 };
    let limits = Limits { people, ..Limits::default() };
    let farm = Farm::trusting(Settings { tokens: true, limits, ..Settings::default() }).await;
    let job = farm.submit("atlas").await;
    let operator = Farm::token(&farm.store, Role::Operator, &[]).await;
    let on = vec![format!("j{job}"); 20];
    let asked = serde_json::json!({ "deed": "jobs priority", "on": on, "with": { "number": "3" } });
    let answer = farm.post("/api/deeds", Some(&operator), &asked.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let said: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let refused = said["refused"].as_array().unwrap();
    // The question is one of the eight itself.
    assert_eq!((said["done"].as_array().unwrap().len(), refused.len()), (7, 13), "{said}");
    assert!(refused.iter().all(|it| it["message"].as_str().unwrap().starts_with("F0605")));
}

/// A page that is closed in the middle of a deed leaves no deed without an end in the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deed_is_carried_out_though_its_page_is_closed() {
    let farm = Farm::start().await;
    let job = farm.submit("atlas").await;
    let operator = Farm::token(&farm.store, Role::Operator, &[]).await;
    for round in 0..40 {
        let body = format!(
            "{{\"deed\":\"jobs priority\",\"on\":[\"j{job}\"],\"with\":{{\"number\":\"{round}\"}}}}"
        );
        let mut stream = TcpStream::connect(farm.http).await.unwrap();
        let head = format!(
            "POST /api/deeds HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            operator.expose(),
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // Some hang up before it is begun, some in the middle.
        tokio::time::sleep(std::time::Duration::from_micros(150 * round)).await;
    }
    let page = AuditPage { before: None, who: Some("operator".into()), limit: 100 };
    let ended = async {
        loop {
            let entries = farm.store.audit(&page).await.unwrap();
            if !entries.is_empty() && entries.iter().all(|entry| entry.outcome.is_some()) {
                return entries;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let ended = tokio::time::timeout(std::time::Duration::from_secs(30), ended).await;
    assert!(ended.expect("every deed has an end").len() > 5);
}
