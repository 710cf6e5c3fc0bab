//! The dashboard in a real browser: what it shows by its own scripts, what
//! people do on it with nothing but keys, and how it stands with many jobs.

use crate::browser::{self, Browser};
use crate::harness::{World, s, wait_until};
use crate::served::{Served, noop, token};
use serde_json::json;
use std::path::Path;

/// Pictures for those who look: PLATEFARM_KEEP names a directory to keep them in.
pub(crate) fn picture(browser: &mut Browser, name: &str) {
    if let Some(keep) = std::env::var_os("PLATEFARM_KEEP") {
        browser.picture(&Path::new(&keep).join(name));
    }
}

pub(crate) const DESK: (u32, u32) = (1280, 900);
pub(crate) const PHONE: (u32, u32) = (390, 844);
const LIVE: &str = "document.getElementById('link').textContent === 'live'";
/// Nothing is wider than the window.
pub(crate) const FITS: &str = "document.documentElement.scrollWidth <= innerWidth";

#[test]
fn the_dashboard_shows_the_farm_as_it_is() {
    if browser::none_here() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let library = format!("sqlite:{}", s(&dir.path().join("library.db")));
    let shown = ["--pictures", "/", "--library-store", &library];
    let farm = Served::start(&shown);
    let _worker = farm.worker("rack-7", &["--slots", "2"]);
    farm.pull(&["--wait"]);
    let media = farm.world.path("media");
    farm.world.json(&["library", "add", s(&media), "--show", "atlas", "--library-store", &library]);
    let mut browser = Browser::open();
    for (size, name) in [(DESK, "desk"), (PHONE, "phone")] {
        browser.size(size.0, size.1);
        for (hash, says, page) in [
            ("/", &["is done", "atlas", "Slots at work"][..], "farm"),
            ("/jobs", &["1 of 1 jobs"], "jobs"),
            ("/jobs/1", &["Submitted", "BB_010", "frame"], "job"),
            ("/workers", &["rack-7"], "workers"),
            ("/workers/1", &["The last hour"], "worker"),
            ("/library", &["A001_C001", "Camera formats"], "library"),
            ("/setup", &["Pools", "If there were more workers"], "setup"),
            ("/activity", &["is done"], "activity"),
        ] {
            browser.go(&farm.site(hash));
            browser.until(LIVE);
            says.iter().for_each(|text| browser.until_it_says(text));
            if page == "job" {
                // The plates with their framing, from the package itself.
                browser.until("document.querySelectorAll('.plates img').length >= 4");
                browser.until("[...document.querySelectorAll('.plates img')].every((i) => i.naturalWidth > 100)");
                browser.until("document.querySelector('[title=\"frame 1001: done\"]') !== null");
            }
            assert_eq!(browser.evaluate(FITS), Some(json!(true)), "{hash} is wider than {size:?}");
            picture(&mut browser, &format!("{page}-{name}.png"));
        }
    }
    browser.is_content();
}

/// A step's frames are looked at one by one with the arrow keys: stages, file, worker.
#[test]
fn frames_are_told_in_full_to_who_walks_the_grid() {
    if browser::none_here() {
        return;
    }
    let farm = Served::start(&[]);
    farm.pull(&[]);
    std::fs::remove_file(farm.world.path("media/A001/A001_C001_000003.dng")).unwrap();
    let _worker = farm.worker("rack-7", &[]);
    let failed = farm.world.run(&["jobs", "watch", "j1", "--farm", &farm.url]);
    assert!(!failed.status.success());
    let mut browser = Browser::open();
    browser.size(DESK.0, DESK.1);
    browser.go(&farm.site("/jobs/1"));
    // Errors by cause, with what to do.
    browser.until("document.querySelector('.causes li') !== null");
    browser.until_it_says("F01");
    browser.tab_to(".grid");
    browser.press(&["ArrowRight"]);
    browser.until("document.querySelector('.told') !== null");
    browser.until("document.querySelector('.told dl.stages dt') !== null");
    browser.until_it_says("w1 rack-7");
    browser.until_it_says("xxh128");
    browser.press(&["ArrowRight", "End"]);
    browser
        .until("document.querySelector('.grid .at') === document.querySelector('.grid').lastChild");
    // Coloured by how long they took.
    browser.evaluate(
        "[...document.querySelectorAll('button')].find((b) => b.textContent === 'time').focus()",
    );
    browser.press(&["Enter"]);
    browser.until(
        "document.querySelector('.grid.times .t1, .grid.times .t0, .grid.times .t2') !== null",
    );
    browser.until_it_says("Usual ");
    // And as a log.
    browser.evaluate("document.querySelector('details summary').focus()");
    browser.press(&["Enter"]);
    browser.until("document.querySelector('details[open] tbody tr') !== null");
    picture(&mut browser, "job-errors.png");
    // A frame that was given up is tried again by itself, and the log says which it was.
    let failed = "(() => { const cell = document.querySelector('.grid i.failed'); cell.click(); \
        return cell.title.match(/frame (\\d+)/)[1]; })()";
    let failed = browser.until(failed);
    browser.until("document.querySelector('.told .fault') !== null");
    browser.evaluate("document.getElementById('main').focus()");
    press(&mut browser, "[data-deed=retry-frames]");
    browser.until("document.getElementById('notice').textContent.includes('tried again')");
    let log = farm.json(&["audit"])["entries"].to_string();
    assert!(log.contains(&format!("retry.frames: {}", failed.as_str().unwrap())), "{log}");
    browser.is_content();
}

/// Plates are seen while they are made: nobody waits for the package, and no
/// directory has to be shown.
#[test]
fn plates_are_seen_as_they_come() {
    if browser::none_here() {
        return;
    }
    let farm = Served::start(&[]);
    farm.pull(&[]);
    // One plate is held, so the package is not made.
    farm.json(&["jobs", "pause", "j1.1"]);
    let _worker = farm.worker("rack-7", &[]);
    let mut browser = Browser::open();
    browser.size(DESK.0, DESK.1);
    browser.go(&farm.site("/jobs/1"));
    browser.until_it_says("as they come");
    // It is a picture, of the plate's shape, and not all of one colour.
    let drawn = "(() => { const img = document.querySelector('.plates img'); if (!img || !img.naturalWidth) return null; \
        const c = document.createElement('canvas'); c.width = img.naturalWidth; c.height = img.naturalHeight; \
        const to = c.getContext('2d'); to.drawImage(img, 0, 0); const data = to.getImageData(0, 0, c.width, c.height).data; \
        let least = 255, most = 0; for (let i = 1; i < data.length; i += 4) { least = Math.min(least, data[i]); most = Math.max(most, data[i]); } \
        return [c.width, c.height, most - least]; })()";
    let drawn = browser.until(drawn);
    let numbers: Vec<u64> = drawn.as_array().unwrap().iter().filter_map(|n| n.as_u64()).collect();
    assert!(numbers[0] <= 320 && numbers[1] <= 180 && numbers[2] > 100, "{drawn}");
    picture(&mut browser, "job-as-it-comes.png");
    assert_eq!(farm.json(&["jobs", "show", "j1"])["steps"][1]["paused"], true);
    browser.is_content();
}

#[test]
fn people_steer_with_keys_alone_and_only_where_they_may() {
    if browser::none_here() {
        return;
    }
    let world = World::new();
    let roles = [("ada", "admin"), ("olga", "operator"), ("vera", "viewer"), ("rack", "worker")];
    let [admin, operator, viewer, _] = roles.map(|(name, role)| token(&world, name, role, &[]));
    let farm = Served::of(world, &["--require-tokens"]);
    let asked = |args: &[&str]| farm.json_as("ada", args);
    farm.submit_as(&admin, [noop("comp", "atlas", 2, 4000, 50)]);
    let _worker = farm.worker("rack-7", &["--token-file", s(&farm.world.path("rack"))]);

    // A viewer enters with the keys, sees everything and finds nothing to press.
    let mut browser = Browser::open();
    browser.size(DESK.0, DESK.1);
    enter(&mut browser, &farm.site("/jobs/1"), &viewer);
    browser.until("document.querySelector('.grid') !== null");
    assert_eq!(browser.evaluate("document.querySelectorAll('[data-deed]').length"), Some(json!(0)));
    browser.is_content_but_for("401");

    let mut browser = Browser::open();
    browser.size(DESK.0, DESK.1);
    enter(&mut browser, &farm.site("/jobs/1"), &operator);
    press(&mut browser, "main > .deeds [data-deed=pause]");
    browser.until("document.querySelector('main > .deeds [data-deed=resume]') !== null");
    assert_eq!(asked(&["jobs", "show", "j1"])["terms"]["paused"], true);
    press(&mut browser, "main > .deeds [data-deed=resume]");
    browser.until("document.querySelector('main > .deeds [data-deed=pause]') !== null");

    press(&mut browser, "main > .deeds [data-deed=priority]");
    browser.until("document.getElementById('sure').open");
    picture(&mut browser, "job-priority.png");
    browser.press(&["u", "Tab"]);
    browser.write("7");
    browser.press(&["Enter"]);
    browser.until("!document.getElementById('sure').open");
    browser.until_it_says("urgent 7");
    let job = asked(&["jobs", "show", "j1"]);
    assert_eq!((&job["terms"]["class"], &job["priority"]), (&json!("urgent"), &json!(7)));

    // What destroys is asked about, and a key too many takes it back.
    press(&mut browser, "main > .deeds [data-deed=cancel]");
    browser.until("document.getElementById('sure').open");
    browser.press(&["Enter"]);
    browser.until("!document.getElementById('sure').open");
    assert_ne!(asked(&["jobs", "show", "j1"])["phase"], "cancelled");
    press(&mut browser, "main > .deeds [data-deed=cancel]");
    browser.until("document.getElementById('sure').open");
    browser.press(&["Tab", "Enter"]);
    browser.until("document.querySelector('main > .deeds [data-deed=retry]') !== null");
    assert_eq!(asked(&["jobs", "show", "j1"])["phase"], "cancelled");

    browser.go(&farm.site("/workers/1"));
    press(&mut browser, "[data-deed=quarantine]");
    browser.until("document.getElementById('sure').open");
    browser.write("smells of smoke");
    browser.press(&["Enter"]);
    browser.until_it_says("smells of smoke");
    browser.until("document.querySelector('[data-deed=resume]') !== null");
    let worker = asked(&["workers", "show", "w1"]);
    assert_eq!(worker["quarantine"]["reason"], "smells of smoke", "{worker}");
    browser.is_content_but_for("401");

    // All of it is in the log, under the name of who did it.
    let log = asked(&["audit", "--who", "olga"]);
    let log = log["entries"].as_array().unwrap();
    let of = |action: &str| log.iter().filter(|it| it["action"] == action).count();
    assert_eq!((of("Farm/ControlJob"), of("Farm/ControlWorker")), (4, 1), "{log:?}");
}

/// Enters with a word, by keys.
pub(crate) fn enter(browser: &mut Browser, url: &str, word: &str) {
    browser.go(url);
    browser.until("document.getElementById('enter').open");
    browser.tab_to("#token");
    browser.write(word);
    browser.press(&["Enter"]);
    browser.until(LIVE);
}

/// Goes to a button with the Tab key, and presses it.
pub(crate) fn press(browser: &mut Browser, selector: &str) {
    browser.until(&format!("document.querySelector({}) !== null", json!(selector)));
    browser.tab_to(selector);
    browser.press(&["Enter"]);
}

/// Ten thousand jobs: the page stays small, whatever is looked for.
#[test]
fn ten_thousand_jobs_stay_usable() {
    if browser::none_here() {
        return;
    }
    let farm = Served::start(&[]);
    let shows = ["atlas", "zeus", "hera"];
    farm.submit((0..10_000).map(|i| noop(&format!("shot_{i:05}"), shows[i % 3], 1, 24, 1)));
    let mut browser = Browser::open();
    browser.size(DESK.0, DESK.1);
    let begun = std::time::Instant::now();
    browser.go(&farm.site("/jobs"));
    browser.until_it_says("10,000 of 10,000 jobs");
    println!("a page of 10,000 jobs is there after {:?}", begun.elapsed());
    // The newest is on top, whichever came last.
    browser.until_it_says("j10000 shot_0");
    let nodes = "document.querySelectorAll('*').length";
    let count = browser.evaluate(nodes).and_then(|n| n.as_u64()).unwrap();
    assert!(count < 2500, "{count} nodes on the page");
    // `/` goes to the search.
    let begun = std::time::Instant::now();
    browser.press(&["/"]);
    browser.until("document.activeElement.id === 'find'");
    browser.write("shot_00042");
    browser.until_it_says("1 of 10,000 jobs");
    println!("found one of 10,000 after {:?}", begun.elapsed());
    browser.until(
        "document.activeElement.id === 'find' && document.activeElement.value === 'shot_00042'",
    );
    browser.go(&farm.site("/jobs?show=zeus"));
    browser.until_it_says("3,333 of 10,000 jobs");
    browser.tab_to(".pager button:last-child");
    browser.press(&["Enter"]);
    browser.until_it_says("101–200 of 3,333 jobs");
    browser.go(&farm.site("/"));
    browser.until_it_says("Frames waiting");
    browser.until_it_says("240,000");
    picture(&mut browser, "jobs-10000.png");
    browser.is_content();
    wait_until("the farm still answers", || {
        (farm.json(&["jobs", "list", "--limit", "1"])["found"] == 10_000).then_some(())
    });
}
