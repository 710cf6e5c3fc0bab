//! What is done to many jobs at once, on the command line and on the dashboard,
//! and jobs that are waited for together.

use crate::browser::{self, Browser};
use crate::dashboard::{DESK, FITS, PHONE, enter, picture};
use crate::harness::{World, s, text, wait_until};
use crate::served::{Served, noop, token};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// Jobs in a state, by id.
fn found(farm: &Served, more: &[&str]) -> Vec<u64> {
    let list = farm.json(&[&["jobs", "list", "--limit", "0"][..], more].concat());
    let jobs = list["jobs"].as_array().unwrap();
    jobs.iter().rev().map(|job| job["id"].as_u64().unwrap()).collect()
}

fn steered(list: &Value) -> Vec<u64> {
    list["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_u64().unwrap()).collect()
}

#[test]
fn a_filter_is_counted_confirmed_and_steers_what_it_changes() {
    let farm = Served::start(&[]);
    // One after the other, so that their ids are known.
    for (name, show) in [("a", "atlas"), ("b", "zeus"), ("c", "atlas"), ("d", "zeus")] {
        farm.submit([noop(name, show, 1, 10, 1)]);
    }
    // Nobody is there to say yes: nothing is done, and how many it would be is said.
    let refused = farm.fails("F0011", &["jobs", "cancel", "--show", "atlas"]);
    let said = refused["message"].as_str().unwrap();
    assert!(said.contains("2 jobs of 1 show, 20 frames") && said.contains("j1 a"), "{said}");
    assert_eq!(found(&farm, &["--state", "cancelled"]), [0u64; 0]);

    let paused = farm.json(&["jobs", "pause", "--show", "atlas", "--yes"]);
    assert_eq!(steered(&paused), [3, 1], "newest first, as lists are");
    assert_eq!(paused["jobs"][0]["terms"]["paused"], true, "{paused}");
    let again = farm.json(&["jobs", "pause", "--all", "--yes"]);
    assert_eq!(steered(&again), [4, 2], "what is held already is left alone");
    assert_eq!(steered(&farm.json(&["jobs", "resume", "--find", "zeus", "--yes"])), [4, 2]);
    let raised = farm.json(&["jobs", "priority", "--state", "pending", "--class", "urgent", "-y"]);
    assert_eq!(steered(&raised).len(), 4, "{raised}");
    assert_eq!(raised["jobs"][0]["terms"]["class"], "urgent");
    assert_eq!(steered(&farm.json(&["jobs", "cancel", "--show", "zeus", "--yes"])), [4, 2]);
    // What was cancelled comes back only where it is meant.
    assert_eq!(steered(&farm.json(&["jobs", "retry", "--all", "--yes"])), [0u64; 0]);
    let back = farm.json(&["jobs", "retry", "--state", "cancelled", "--find", "d", "--yes"]);
    assert_eq!(steered(&back), [4]);
    assert_eq!(found(&farm, &["--state", "cancelled"]), [2]);
    // Ids and a filter are two ways to say it, and neither is everything.
    for bad in [&["jobs", "cancel", "j1", "--show", "atlas"][..], &["jobs", "cancel"]] {
        assert_eq!(farm.world.run(bad).status.code(), Some(2), "{bad:?}");
    }
}

/// A person at a terminal is asked, and anything but yes is no.
#[test]
fn a_person_at_a_terminal_is_asked() {
    let farm = Served::start(&[]);
    farm.submit((0..30).map(|i| noop(&format!("shot_{i:02}"), "atlas", 1, 10, 1)));
    // `script` (bsdutils) gives the program a terminal of its own.
    let ask = |answer: &str| {
        let program = farm.world.platefarm(&[]).get_program().to_owned();
        let line = format!("{} jobs cancel --show atlas --farm {}", s(program.as_ref()), farm.url);
        let mut script = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("script");
        let mut keys = script.stdin.take().unwrap();
        keys.write_all(format!("{answer}\n").as_bytes()).unwrap();
        let output = script.wait_with_output().unwrap();
        drop(keys);
        (text(&output.stdout), output.status.code())
    };
    let (said, code) = ask("n");
    assert!(said.contains("30 jobs of 1 show") && said.contains("and 18 more"), "{said}");
    assert!(said.contains("Cancel them? [y/N]") && said.contains("F0011"), "{said}");
    assert_eq!((code, found(&farm, &["--state", "cancelled"]).len()), (Some(2), 0), "{said}");
    let (said, code) = ask("y");
    assert_eq!((code, found(&farm, &["--state", "cancelled"]).len()), (Some(0), 30), "{said}");
}

/// Each is in the audit log by itself; another's show stays another's.
#[test]
fn each_of_many_is_written_down() {
    let world = World::new();
    let admin = token(&world, "ada", "admin", &[]);
    token(&world, "sue", "submitter", &["--show", "atlas"]);
    let farm = Served::of(world, &["--require-tokens"]);
    let sue = farm.world.path("sue");
    let shows = ["atlas", "zeus"];
    farm.submit_as(&admin, (0..40).map(|i| noop(&format!("s{i}"), shows[i % 2], 1, 4, 1)));
    let list = farm.says(&["jobs", "list", "--token-file", s(&sue)]);
    assert!(list.contains(" BY ") && list.contains(" ada "), "whose they are: {list}");
    let count =
        |by: &[&str]| farm.json_as("sue", &[&["jobs", "list"], by].concat())["found"].as_u64();
    let by = [&["--by", "ada"][..], &["--by", "ad"], &["--find", "ADA"]].map(count);
    assert_eq!(by, [Some(20), Some(0), Some(20)], "whole names, or a part");
    let paused = farm.json_as("sue", &["jobs", "pause", "--all", "-y"]);
    assert_eq!(steered(&paused).len(), 20, "those of her show");
    wait_until("each is written down with its end", || {
        let log = farm.json_as("ada", &["audit", "--who", "sue", "--limit", "100"]);
        let of = |it: &&Value| it["action"] == "Farm/ControlJob" && it["outcome"] == "ok";
        let log = log["entries"].as_array().unwrap();
        let subjects: std::collections::BTreeSet<&str> =
            log.iter().filter(of).filter_map(|it| it["subject"].as_str()).collect();
        (subjects.len() == 20).then_some(())
    });
}

/// Several are followed to their ends over the event log, and the worst end is the exit code.
#[test]
fn jobs_are_waited_for_together() {
    let farm = Served::start(&[]);
    for name in ["a", "b", "c"] {
        farm.submit([noop(name, "atlas", 2, 30, 5)]);
    }
    // Held, so that it has not ended by itself when it is cancelled.
    farm.json(&["jobs", "pause", "j3"]);
    let watching = farm.world.platefarm(&["jobs", "watch", "j1", "j2", "--farm", &farm.url]);
    let mut watching = { watching }.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _worker = farm.worker("rack-7", &["--slots", "2"]);
    let status = watching.wait().unwrap();
    assert!(status.success(), "both are done");
    let ended = farm.json(&["jobs", "watch", "j1", "j2"]);
    assert_eq!(steered(&ended), [1, 2], "in the order asked, also when they have ended");
    let sums: Vec<_> = ended["jobs"].as_array().unwrap().iter().collect();
    assert!(sums.iter().all(|job| job["phase"] == "done" && job["frames_done"] == 60), "{ended}");
    farm.json(&["jobs", "cancel", "j3"]);
    assert_eq!(found(&farm, &["--state", "cancelled"]), [3]);
    // There is nothing left to end: no error, and it is told.
    let late = farm.world.run(&["jobs", "cancel", "j1", "j2.1", "j3", "--farm", &farm.url]);
    let said = text(&late.stderr);
    assert!(late.status.success(), "{said}");
    assert!(said.contains("j1 had ended before (done)") && said.contains("j2.1 had"), "{said}");
    assert!(!said.contains("j3 had"), "it is cancelled: {said}");
    assert_eq!(farm.json(&["jobs", "show", "j1"])["phase"], "done");
    farm.fails("F0523", &["jobs", "pause", "j1"]);
    // Whichever is named first.
    farm.fails("F0507", &["jobs", "watch", "j1", "j3"]);
    farm.fails("F0507", &["jobs", "watch", "j3", "j1"]);
    farm.fails("F0503", &["jobs", "watch", "j1", "j99"]);
}

/// Chosen with keys, on a desk; with a finger, on a phone.
#[test]
fn jobs_are_chosen_and_steered_on_the_dashboard() {
    if browser::none_here() {
        return;
    }
    let world = World::new();
    let roles = ["admin", "operator", "viewer"];
    let [admin, operator, viewer] = roles.map(|role| token(&world, role, role, &[]));
    let farm = Served::of(world, &["--require-tokens"]);
    let shows = ["atlas", "zeus"];
    farm.submit_as(&admin, (0..250).map(|i| noop(&format!("shot_{i:03}"), shows[i % 2], 1, 24, 1)));
    let of = |state: &[&str]| {
        let list = ["jobs", "list", "--limit", "0"];
        farm.json_as("admin", &[&list[..], state].concat())["jobs"].as_array().unwrap().clone()
    };
    let mut browser = Browser::open();
    browser.size(DESK.0, DESK.1);
    enter(&mut browser, &farm.site("/jobs"), &viewer);
    browser.until_it_says("250 of 250 jobs");
    assert_eq!(browser.evaluate("document.querySelector('.choose')"), Some(Value::Null));

    let mut browser = Browser::open();
    browser.size(DESK.0, DESK.1);
    enter(&mut browser, &farm.site("/jobs?show=atlas"), &operator);
    browser.until_it_says("125 of 250 jobs");
    browser.tab_to("input.choose");
    browser.press(&[" "]);
    browser.until_it_says("1 job chosen");
    browser.press(&["ArrowDown", " "]);
    browser.until_it_says("2 jobs chosen");
    picture(&mut browser, "jobs-chosen.png");
    press(&mut browser, "[data-many=pause]");
    browser.until("document.getElementById('sure').open");
    browser.until_it_says("Pause these 2 jobs?");
    picture(&mut browser, "jobs-chosen-sure.png");
    browser.press(&["Enter"]);
    browser.until_it_says("2 jobs paused");
    let held = |job: &&Value| job["terms"]["paused"] == true;
    assert_eq!(of(&[]).iter().filter(held).count(), 2);

    // All that fit, though the list shows a part of them.
    browser.press(&["/"]);
    browser.tab_to("#choose-all");
    browser.press(&[" "]);
    browser.until_it_says("100 jobs chosen");
    press(&mut browser, "#choose-found");
    browser.until_it_says("125 jobs chosen");
    browser.until_it_says("Resume 2");
    press(&mut browser, "[data-many=cancel]");
    browser.until_it_says("Cancel these 125 jobs?");
    browser.press(&["Enter"]);
    browser.until("!document.getElementById('sure').open");
    assert!(of(&["--state", "cancelled"]).is_empty(), "a key too many takes it back");
    press(&mut browser, "[data-many=cancel]");
    browser.until("document.getElementById('sure').open");
    browser.press(&["Tab", "Enter"]);
    browser.until_it_says("125 jobs cancelled");
    let ended = of(&["--state", "cancelled"]);
    assert!(
        ended.len() == 125 && ended.iter().all(|job| job["show"] == "atlas"),
        "{}",
        ended.len()
    );
    browser.until("document.querySelector('.chosen') === null");

    browser.size(PHONE.0, PHONE.1);
    browser.go(&farm.site("/jobs?show=zeus"));
    let zeus = "[...document.querySelectorAll('td')].some((td) => td.textContent === 'zeus')";
    browser.until(&format!("{zeus} && document.querySelector('input.choose') !== null"));
    browser.evaluate("document.querySelector('input.choose').click()");
    browser.until_it_says("1 job chosen");
    browser.until(FITS);
    picture(&mut browser, "jobs-chosen-phone.png");
    // Another question forgets what was chosen for the last.
    browser.go(&farm.site("/jobs?show=atlas"));
    browser.until("document.querySelector('.chosen') === null");
    browser.is_content_but_for("401");

    wait_until("each is written down with its end", || {
        let log = farm.json_as("admin", &["audit", "--who", "operator", "--limit", "500"]);
        let done = |it: &&Value| it["action"] == "Farm/ControlJob" && it["outcome"] == "ok";
        let count = log["entries"].as_array().unwrap().iter().filter(done).count();
        (count == 2 + 125).then_some(())
    });
}

/// More than a token may ask at once: the page waits for the farm as the command line does, and leaves none out.
#[test]
fn more_are_steered_on_the_dashboard_than_may_be_asked_at_once() {
    if browser::none_here() {
        return;
    }
    let world = World::new();
    let operator = token(&world, "operator", "operator", &[]);
    // Nobody need show a word here; whoever does is held to it.
    let farm = Served::of(world, &[]);
    farm.submit((0..1400).map(|i| noop(&format!("shot_{i:04}"), "atlas", 1, 2, 1)));
    let mut browser = Browser::open();
    browser.size(DESK.0, DESK.1);
    browser.go(&farm.site("/jobs"));
    browser.until_it_says("1,400 of 1,400 jobs");
    let word = format!("sessionStorage.setItem('platefarm-token', {})", json!(operator));
    browser.evaluate(&word);
    browser.go("about:blank");
    browser.until("location.href === 'about:blank'");
    browser.go(&farm.site("/jobs"));
    browser.until_it_says("1,400 of 1,400 jobs");
    browser.evaluate("document.getElementById('choose-all').click()");
    browser.until_it_says("100 jobs chosen");
    browser.evaluate("document.getElementById('choose-found').click()");
    browser.until_it_says("1,400 jobs chosen");
    browser.evaluate("document.querySelector('[data-many=pause]').click()");
    browser.until_it_says("Pause these 1,400 jobs?");
    browser.evaluate("document.getElementById('sure-yes').click()");
    browser.until_it_says("1,400 jobs paused");
    browser.until("document.getElementById('trouble').textContent === ''");
    browser.is_content_but_for("429");
    let jobs = farm.json(&["jobs", "list", "--limit", "0"])["jobs"].as_array().unwrap().clone();
    let held = jobs.iter().filter(|job| job["terms"]["paused"] == true).count();
    assert_eq!((held, jobs.len()), (1400, 1400));
}

/// From the second question of deeds on the page is refused more often than one question is asked again. Its short
/// waits are shorter.
const BUSY: &str = "(() => {
    const [ask, later] = [window.fetch, window.setTimeout];
    let asked = 0;
    const busy = () => new Response('F0605: too many: calls of one token\\n', { status: 429 });
    const full = (path) => path === '/api/deeds' && ++asked > 1 && asked < 40;
    window.setTimeout = (then, ms) => later(then, ms > 2000 ? ms : ms / 20);
    window.fetch = async (path, options) => full(path) ? busy() : ask(path, options);
})()";

/// Where others ask by the same token, a question finds no room for long: it is waited for as what it asks for is.
#[test]
fn steering_many_does_not_break_off_where_a_question_finds_no_room() {
    if browser::none_here() {
        return;
    }
    let farm = Served::start(&[]);
    farm.submit((0..150).map(|i| noop(&format!("shot_{i:03}"), "atlas", 1, 2, 1)));
    let mut browser = Browser::open();
    browser.size(DESK.0, DESK.1);
    browser.go(&farm.site("/jobs"));
    browser.until_it_says("150 of 150 jobs");
    browser.evaluate(BUSY);
    browser.evaluate("document.getElementById('choose-all').click()");
    browser.until_it_says("100 jobs chosen");
    browser.evaluate("document.getElementById('choose-found').click()");
    browser.until_it_says("150 jobs chosen");
    browser.evaluate("document.querySelector('[data-many=pause]').click()");
    browser.until_it_says("Pause these 150 jobs?");
    browser.evaluate("document.getElementById('sure-yes').click()");
    let refused = "document.getElementById('trouble').textContent";
    let done = "document.getElementById('notice').textContent.includes('jobs paused')";
    browser.until(&format!("{refused} !== '' || {done}"));
    assert_eq!(browser.evaluate(refused), Some(json!("")));
    let jobs = farm.json(&["jobs", "list", "--limit", "0"])["jobs"].as_array().unwrap().clone();
    let held = jobs.iter().filter(|job| job["terms"]["paused"] == true).count();
    assert_eq!((held, jobs.len()), (150, 150));
}

/// Goes to a button from the search, to which `/` leads from anywhere, and presses it.
fn press(browser: &mut Browser, selector: &str) {
    browser.until(&format!("document.querySelector({}) !== null", json!(selector)));
    browser.press(&["/"]);
    browser.until("document.activeElement.id === 'find'");
    browser.tab_to(selector);
    browser.press(&["Enter"]);
}
