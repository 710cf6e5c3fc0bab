//! What is set up and changed from the dashboard with nothing but keys: terms of
//! jobs, labels, pools, limits and shares. What is refused is told in its form.

use crate::browser::{self, Browser};
use crate::dashboard::{DESK, FITS, PHONE, enter, picture, press};
use crate::harness::{Running, World, s};
use crate::served::{Served, noop, token};
use serde_json::{Value, json};

const OPEN: &str = "document.getElementById('sure').open";
const CLOSED: &str = "!document.getElementById('sure').open";

/// Goes to a button that asks first, from the beginning of the page, and presses it.
fn form(browser: &mut Browser, selector: &str) {
    browser.until(CLOSED);
    browser.evaluate("document.getElementById('main').focus()");
    press(browser, selector);
    browser.until(OPEN);
}

/// Says yes to what is asked.
fn yes(browser: &mut Browser) {
    browser.tab_to("#sure-yes");
    browser.press(&["Enter"]);
    browser.until(CLOSED);
}

/// Fills the form's fields in, the first of which has the focus, and sends it.
fn fill(browser: &mut Browser, values: &[&str]) {
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            browser.press(&["Tab"]);
        }
        browser.write(value);
    }
    browser.press(&["Enter"]);
}

/// A farm with two jobs and a worker, and the words of those who steer it.
fn begin() -> (Served, Running, [String; 2]) {
    let world = World::new();
    let roles = [("ada", "admin"), ("olga", "operator"), ("sue", "submitter"), ("rack", "worker")];
    let [admin, operator, submitter, _] = roles.map(|(name, role)| token(&world, name, role, &[]));
    let farm = Served::of(world, &["--require-tokens"]);
    // One after the other, so that their ids are known.
    for (name, show) in [("comp", "atlas"), ("roto", "zeus")] {
        farm.submit_as(&admin, [noop(name, show, 1, 4000, 50)]);
    }
    let worker = farm.worker("rack-7", &["--token-file", s(&farm.world.path("rack"))]);
    (farm, worker, [operator, submitter])
}

#[test]
fn what_the_command_line_changes_is_changed_on_the_page() {
    if browser::none_here() {
        return;
    }
    let (farm, _worker, [operator, submitter]) = begin();
    let mut browser = Browser::open();
    browser.size(DESK.0, DESK.1);
    enter(&mut browser, &farm.site("/jobs/1"), &operator);
    terms_of_a_job(&farm, &mut browser);
    a_job_is_forgotten(&farm, &mut browser);

    browser.go(&farm.site("/workers/1"));
    browser.until_it_says("rack-7");
    form(&mut browser, "[data-deed=label]");
    fill(&mut browser, &["nvme fast"]);
    browser.until(CLOSED);
    browser.until_it_says("nvme");
    let labels = farm.json_as("ada", &["workers", "show", "w1"])["labels"].to_string();
    assert!(labels.contains("nvme") && labels.contains("fast"), "{labels}");

    what_is_set_up(&farm, &mut browser);
    on_a_phone(&farm, &mut browser);
    // Who has to say who they are is refused once, and what closes a circle once.
    browser.is_content_but_for("a status of 4");

    // Who only submits steers jobs, and finds nothing else to press.
    let mut browser = Browser::open();
    browser.size(DESK.0, DESK.1);
    enter(&mut browser, &farm.site("/setup"), &submitter);
    browser.until_it_says("If there were more workers");
    let none = "document.querySelectorAll('[data-deed], [data-new]').length === 0";
    assert_eq!(browser.evaluate(none), Some(json!(true)));
    browser.go(&farm.site("/workers/1"));
    browser.until_it_says("The last hour");
    assert_eq!(browser.evaluate(none), Some(json!(true)));
    browser.go(&farm.site("/jobs/1"));
    browser.until("document.querySelector('main > .deeds [data-deed=depend]') !== null");
    browser.is_content_but_for("401");

    let log = farm.json_as("ada", &["audit", "--who", "olga"])["entries"].clone();
    for action in ["ControlJob", "ForgetJob", "ControlWorker", "SetShare", "SetPool", "SetLimit"] {
        let of = |it: &Value| it["action"] == format!("Farm/{action}");
        assert!(log.as_array().unwrap().iter().any(of), "{action} is not in the log: {log}");
    }
}

/// Until `answerShows()`, what the page asks of the library is not answered.
const SLOW_LIBRARY: &str = "(() => {
    const ask = window.fetch;
    const answered = new Promise((then) => { window.answerShows = () => { then(); }; });
    window.fetch = async (path, options) => {
        if (path === '/api/shows') await answered;
        return ask(path, options);
    };
})()";

#[test]
fn what_is_set_up_does_not_wait_for_the_library() {
    if browser::none_here() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let library = format!("sqlite:{}", s(&dir.path().join("library.db")));
    let farm = Served::start(&["--library-store", &library]);
    let mut browser = Browser::open();
    browser.size(DESK.0, DESK.1);
    browser.go(&farm.site("/jobs"));
    browser.until("document.querySelector('main h1') !== null");
    browser.evaluate(SLOW_LIBRARY);
    browser.evaluate("location.hash = '#/setup'");
    browser.until_it_says("If there were more workers");
    let pulls = "[...document.querySelectorAll('main h2')].some((it) => it.textContent.startsWith('Pulls'))";
    assert_eq!(browser.evaluate(pulls), Some(json!(false)));
    browser.evaluate("answerShows()");
    browser.until(pulls);
}

fn terms_of_a_job(farm: &Served, browser: &mut Browser) {
    let terms = || farm.json_as("ada", &["jobs", "show", "j1"])["terms"].clone();
    // A time is said by the clock of whoever looks.
    form(browser, "main > .deeds [data-deed=deadline]");
    browser.evaluate("document.querySelector('[name=when]').value = '2030-01-02T03:04'");
    yes(browser);
    browser.until_it_says("Wanted by");
    let wanted = browser.evaluate("String(new Date('2030-01-02T03:04').getTime() * 1000)");
    assert_eq!(Some(json!(terms()["deadline"].to_string())), wanted);
    form(browser, "main > .deeds [data-deed=deadline]");
    let shown = browser.evaluate("document.querySelector('[name=when]').value");
    assert_eq!(shown, Some(json!("2030-01-02T03:04")), "the form has what it is now");
    browser.evaluate("document.querySelector('[name=when]').value = ''");
    yes(browser);
    assert!(terms().get("deadline").is_none(), "{}", terms());

    form(browser, "main > .deeds [data-deed=limit]");
    fill(browser, &["2"]);
    browser.until(CLOSED);
    assert_eq!(terms()["max_tasks"], 2);

    // What is refused is told where it was asked, with what to do, and what was typed stays.
    form(browser, "main > .deeds [data-deed=depend]");
    fill(browser, &["j1"]);
    browser.until_it_says("F0522");
    browser.until_it_says("Take away the dependency that closes the loop");
    picture(browser, "job-depend-refused.png");
    let typed = "document.getElementById('sure').open && document.querySelector('[name=on]').value";
    assert_eq!(browser.evaluate(typed), Some(json!("j1")));
    browser.evaluate("document.querySelector('[name=on]').select()");
    fill(browser, &["j2"]);
    browser.until(CLOSED);
    browser
        .until("[...document.querySelectorAll('dt')].some((dt) => dt.textContent === 'Waits for')");
    assert_eq!(terms()["after"][0]["on"], "j2");
    form(browser, "main > .deeds [data-deed=depend]");
    browser.tab_to("[name=not_on]");
    browser.press(&["j"]);
    yes(browser);
    assert!(terms().get("after").is_none(), "{}", terms());
}

fn a_job_is_forgotten(farm: &Served, browser: &mut Browser) {
    browser.go(&farm.site("/jobs/2"));
    browser.until_it_says("roto");
    form(browser, "main > .deeds [data-deed=cancel]");
    browser.press(&["Tab", "Enter"]);
    form(browser, "main > .deeds [data-deed=forget]");
    browser.press(&["Enter"]);
    browser.until(CLOSED);
    assert_eq!(farm.json_as("ada", &["jobs", "show", "j2"])["phase"], "cancelled", "taken back");
    form(browser, "main > .deeds [data-deed=forget]");
    browser.press(&["Tab", "Enter"]);
    browser.until("location.hash === '#/jobs'");
    browser.until_it_says("1 of 1 jobs");
    let word = farm.world.path("ada");
    farm.fails("F0503", &["jobs", "show", "j2", "--token-file", s(&word)]);
}

fn what_is_set_up(farm: &Served, browser: &mut Browser) {
    browser.go(&farm.site("/setup"));
    browser.until_it_says("If there were more workers");
    form(browser, "[data-new=limits]");
    fill(browser, &["nuke", "4"]);
    browser.until(CLOSED);
    browser.until("document.querySelector('[aria-label=Limits] [data-deed=remove]') !== null");
    form(browser, "[data-new=pools]");
    fill(browser, &["night", "nvme"]);
    browser.until(CLOSED);
    browser.until("document.querySelector('[aria-label=Pools] [data-deed=remove]') !== null");
    let pools = farm.json_as("ada", &["pools", "list"])["pools"].clone();
    assert_eq!((&pools[0]["name"], &pools[0]["workers"]), (&json!("night"), &json!(1)), "{pools}");
    // Weight, guarantee, ceiling: what is there already is written over.
    form(browser, "[aria-label=Shows] [data-deed=set]");
    fill(browser, &["3", "1", "9"]);
    browser.until(CLOSED);
    let shows = farm.json_as("ada", &["shows", "list"])["shows"].clone();
    let share = &shows[0]["share"];
    let is = (&share["weight"], &share["guarantee"], &share["ceiling"]);
    assert_eq!(is, (&json!(3), &json!(1), &json!(9)), "{shows}");
    browser.tab_to("#whatif button");
    browser.press(&["Enter"]);
    browser.until_it_says("would get");
    picture(browser, "setup.png");
    form(browser, "[aria-label=Limits] [data-deed=remove]");
    browser.press(&["Tab", "Enter"]);
    browser.until(CLOSED);
    assert_eq!(farm.json_as("ada", &["limits", "list"])["limits"], json!([]));
}

fn on_a_phone(farm: &Served, browser: &mut Browser) {
    browser.size(PHONE.0, PHONE.1);
    browser.until(FITS);
    picture(browser, "setup-phone.png");
    browser.go(&farm.site("/jobs/1"));
    browser.until("document.querySelector('main > .deeds [data-deed=depend]') !== null");
    browser.until(FITS);
    picture(browser, "job-deeds-phone.png");
    browser.evaluate("document.querySelector('main > .deeds [data-deed=depend]').click()");
    browser.until(OPEN);
    let fits = "(() => { const at = document.getElementById('sure').getBoundingClientRect(); return at.left >= 0 && at.right <= innerWidth; })()";
    browser.until(fits);
    picture(browser, "job-depend-phone.png");
}
