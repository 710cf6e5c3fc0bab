//! Every verb that an operator steers a farm with, on the real binary.

use crate::harness::{World, copy_clip, root, s, text, wait_until};
use crate::served::{Served, noop, token};
use serde_json::{Value, json};

fn strs(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

fn ids(list: &Value) -> Vec<u64> {
    list["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_u64().unwrap()).collect()
}

#[test]
fn jobs_are_found_and_steered() {
    let farm = Served::start(&[]);
    let long = "a_name_that_is_much_longer_than_any_terminal_is_wide_and_says_nothing_at_all";
    farm.submit([noop("comp", "atlas", 2, 40, 1)]);
    farm.submit([noop("roto", "zeus", 1, 20, 1)]);
    farm.submit([noop(long, "atlas", 1, 10, 1)]);

    // Newest first, by what they are.
    assert_eq!(ids(&farm.json(&["jobs", "list"])), [3, 2, 1]);
    assert_eq!(ids(&farm.json(&["jobs", "list", "--show", "atlas"])), [3, 1]);
    assert_eq!(ids(&farm.json(&["jobs", "list", "--find", "ROT"])), [2]);
    assert_eq!(ids(&farm.json(&["jobs", "list", "--state", "pending", "--limit", "1"])), [3]);
    assert_eq!(farm.json(&["jobs", "list", "--limit", "1"])["found"], 3);
    assert_eq!(farm.json(&["jobs", "list", "--state", "done", "--state", "failed"])["found"], 0);

    // Tables fit, and what is cut says so.
    let show = "a_show_of_thirty_and_one_letter";
    farm.json(&["shows", "set", show, "--warm-cpu", "2", "--ceiling", "90"]);
    let verbs = [
        &["jobs", "list"][..],
        &["jobs", "show", "j3"],
        &["frames", "list", "j1"],
        &["farm", "events"],
        &["jobs", "logs", "j1"],
        &["shows", "list"],
    ];
    assert!(farm.says(&["shows", "list"]).contains(show), "a name is whole");
    for verb in verbs {
        let said = farm.says(verb);
        // A name alone may be longer than any line.
        assert!(
            said.lines()
                .filter(|line| !line.ends_with(long))
                .all(|line| line.chars().count() <= 80),
            "{verb:?}:\n{said}"
        );
        assert!(!said.contains('\x1b'), "no colour without a terminal: {said}");
    }
    assert!(farm.says(&["jobs", "list"]).contains('…'));

    let paused = farm.json(&["jobs", "pause", "j1"]);
    assert_eq!(paused["terms"]["paused"], true, "{paused}");
    assert_eq!(ids(&farm.json(&["jobs", "list", "--state", "paused"])), [1]);
    assert!(farm.says(&["jobs", "list", "--state", "paused"]).contains("paused"));
    let log = farm.json(&["audit"]);
    assert_eq!(log["entries"][0]["subject"], "j1", "{log}");
    assert_eq!(log["entries"][0]["detail"], "target.job: 1, pause", "{log}");
    let why = farm.json(&["jobs", "explain", "j1"]);
    assert!(why["groups"][0]["reasons"].to_string().contains("paused"), "{why}");
    farm.json(&["jobs", "resume", "j1"]);
    let raised = farm.json(&["jobs", "priority", "j1", "--class", "urgent", "--number", "-5"]);
    assert_eq!((&raised["terms"]["class"], &raised["priority"]), (&json!("urgent"), &json!(-5)));
    let step = farm.json(&["jobs", "priority", "j1.1", "--class", "background"]);
    assert_eq!(step["steps"][1]["level"], json!(["background", -5]), "{step}");
    assert!(farm.json(&["jobs", "deadline", "j1", "+2h"])["terms"]["deadline"].is_i64());
    assert!(farm.json(&["jobs", "start", "j1", "--at", "+1m"])["terms"]["start_after"].is_i64());
    assert_eq!(farm.json(&["jobs", "limit", "j1", "--tasks", "2"])["terms"]["max_tasks"], 2);
    let after = farm.json(&["jobs", "depend", "j3", "--on", "j2"]);
    assert_eq!(after["steps"][0]["phase"], "blocked", "{after}");
    let free = farm.json(&["jobs", "depend", "j3", "--not-on", "j2"]);
    assert_eq!(free["steps"][0]["phase"], "pending", "{free}");

    // Several at once; one that refuses keeps no other from it.
    let cancelled = farm.json(&["jobs", "cancel", "j2", "j3"]);
    assert_eq!(ids(&cancelled), [2, 3]);
    assert_eq!(farm.json(&["jobs", "list", "--state", "cancelled"])["found"], 2);
    let output = farm.world.run(&["jobs", "retry", "j99", "j2", "--farm", &farm.url]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("F0503"), "{}", text(&output.stderr));
    assert_eq!(farm.json(&["jobs", "show", "j2"])["phase"], "pending", "it was taken up again");
}

/// A pull says its place among others and what its workers must have when it is handed in.
#[test]
fn a_pull_says_what_it_asks_of_the_farm() {
    let farm = Served::start(&[]);
    let (media, out) = (farm.world.path("media"), farm.world.path("out"));
    copy_clip("beachball", &media);
    let edl = root().join("tests/fixtures/pull/cut.edl");
    let pull = |more: &[&str]| {
        let args = ["pull", "--edl", s(&edl), "--media", s(&media), "--out", s(&out)];
        let args = [&args[..], &["--handles", "0", "--farm", &farm.url], more].concat();
        args.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    farm.world.fails("F0520", &strs(&pull(&["--pool", "nowhere"])));
    farm.world.fails("F0008", &strs(&pull(&["--limit", "resolve"])));
    farm.json(&["pools", "set", "fast", "--label", "nvme"]);
    farm.json(&["limits", "set", "resolve", "2"]);
    farm.submit([noop("first", "atlas", 1, 1, 1)]);
    let asked = [
        "--class",
        "urgent",
        "--priority",
        "-3",
        "--deadline",
        "+2h",
        "--max-tasks",
        "4",
        "--after",
        "j1",
        "--pool",
        "fast",
        "--limit",
        "resolve=1",
        "--memory",
        "64",
        "--frame-limit",
        "600",
    ];
    let job = format!("j{}", farm.world.json(&strs(&pull(&asked)))["job"]);
    let view = farm.json(&["jobs", "show", &job]);
    let terms = &view["terms"];
    assert_eq!((&terms["class"], &view["priority"]), (&json!("urgent"), &json!(-3)), "{view}");
    assert_eq!((&terms["max_tasks"], terms["deadline"].is_i64()), (&json!(4), true), "{view}");
    // Handed in again it is the same job, which keeps its terms; that is said.
    let again = farm.world.run(&strs(&pull(&["--class", "normal", "--priority", "-3"])));
    let said = text(&again.stderr);
    assert!(again.status.success() && said.contains("F0526"), "{said}");
    assert!(said.contains("keeps its terms: class urgent and not normal"), "{said}");
    let worker = farm.worker("slow", &[]);
    let why = |word: &str| {
        wait_until("it waits for what it asked for", || {
            let why = farm.json(&["jobs", "explain", &job]).to_string();
            why.contains(word).then_some(())
        });
    };
    why("not in pool 'fast'");
    farm.json(&["workers", "label", "w1", "--add", "nvme"]);
    let watched = farm.json(&["jobs", "watch", &job]);
    assert_eq!(watched["phase"], "done", "{watched}");
    drop(worker);
}

#[test]
fn frames_tasks_and_workers_are_seen_and_steered() {
    let farm = Served::start(&[]);
    farm.submit([noop("comp", "atlas", 1, 400, 25)]);
    let mut worker = farm.worker("rack-7", &["--slots", "2", "--label", "rack=7"]);
    let tasks = wait_until("a task is in hand", || {
        let tasks = farm.json(&["tasks", "list"])["tasks"].clone();
        tasks.as_array().is_some_and(|tasks| !tasks.is_empty()).then_some(tasks)
    });
    assert_eq!(tasks[0]["worker_name"], "rack-7", "{tasks}");
    assert_eq!(farm.json(&["tasks", "list", "--job", "j9"])["tasks"], json!([]));
    let shown = farm.json(&["workers", "show", "w1"]);
    assert_eq!((&shown["name"], &shown["slots"]), (&json!("rack-7"), &json!(2)));
    assert_eq!(farm.json(&["workers", "list", "--label", "rack=7"])["workers"][0]["id"], 1);
    assert_eq!(farm.json(&["workers", "list", "--state", "lost"])["workers"], json!([]));

    let done = wait_until("a frame is done", || {
        let done = farm.json(&["frames", "list", "j1", "--state", "done", "--limit", "0"]);
        (done["found"].as_u64() > Some(0)).then(|| done["frames"][0].clone())
    });
    assert_eq!((&done["worker"], &done["worker_name"]), (&json!(1), &json!("rack-7")), "{done}");
    let frame = done["frame"].as_i64().unwrap().to_string();
    assert_eq!(farm.json(&["frames", "show", "j1", &frame])["state"], "done");
    let log = farm.json(&["jobs", "logs", "j1.0", "--frames", &frame]);
    assert_eq!(log["frames"].as_array().map(Vec::len), Some(1), "{log}");
    assert!(farm.says(&["jobs", "logs", "j1"]).contains("w1 rack-7"));
    // A step that there is not has not just no frames.
    for verb in [["jobs", "logs"], ["frames", "list"], ["frames", "publish"]] {
        farm.fails("F0524", &[&verb[..], &["j1.9"]].concat());
    }
    assert_eq!(farm.json(&["jobs", "errors", "j1"])["causes"], json!([]));

    // A filter is asked about, and told; names do as ids do.
    let by_pool = ["workers", "drain", "--label", "rack=7", "--reason", "a new kernel"];
    let refused = farm.fails("F0011", &by_pool);
    assert!(refused["message"].as_str().unwrap().contains("w1 rack-7"), "{refused}");
    let dry = farm.json(&[&by_pool[..], &["--dry-run"]].concat());
    assert_eq!(
        (&dry["workers"][0]["id"], &dry["workers"][0]["state"]),
        (&json!(1), &json!("alive"))
    );
    farm.fails("F0518", &["workers", "drain", "w1", "rack-8"]);
    assert_eq!(farm.json(&["workers", "show", "rack-7"])["state"], "alive", "nothing was done");
    farm.json(&[&by_pool[..], &["--yes"]].concat());
    assert!(farm.says(&["workers", "show", "w1"]).contains("drained: a new kernel"));
    assert!(farm.says(&["farm", "nodes"]).contains("draining: a new kernel"));
    wait_until("it has finished what it had", || {
        let worker = farm.json(&["workers", "show", "w1"]);
        (worker["state"] == "draining" && worker["leases"] == json!([])).then_some(())
    });
    let why = farm.json(&["workers", "quarantine", "w1", "--reason", "smells of smoke"]);
    assert_eq!(why["workers"][0]["quarantine"]["reason"], "smells of smoke", "{why}");
    assert!(farm.says(&["workers", "show", "w1"]).contains("smells of smoke"));
    assert!(farm.says(&["farm", "nodes"]).contains("rack-7"));
    farm.json(&["workers", "resume", "w1"]);
    let labelled = farm.json(&["workers", "label", "w1", "--add", "fast", "--remove", "rack=7"]);
    let labels = labelled["workers"][0]["labels"].to_string();
    assert!(labels.contains("fast") && !labels.contains("rack=7"), "{labels}");

    assert_eq!(farm.json(&["pools", "set", "quick", "--label", "fast"])["pools"][0]["workers"], 1);
    assert_eq!(farm.json(&["workers", "list", "--pool", "quick"])["workers"][0]["id"], 1);
    assert_eq!(farm.json(&["pools", "remove", "quick"])["pools"], json!([]));
    assert_eq!(farm.json(&["limits", "set", "nuke", "4"])["limits"][0]["count"], 4);
    assert_eq!(farm.json(&["limits", "remove", "nuke"])["limits"], json!([]));
    // What is not said stays, and what changes is told.
    farm.json(&["pools", "set", "night", "--label", "fast"]);
    let night = farm.json(&["pools", "set", "night", "--reserve", "3"]);
    assert_eq!(night["pools"][0]["labels"], json!(["fast"]), "{night}");
    let args = ["pools", "set", "night", "--reserve", "1", "--farm", &farm.url];
    let said = text(&farm.world.run(&args).stderr);
    assert!(said.contains("pool 'night': reserve 3 → 1"), "{said}");
    farm.json(&["pools", "remove", "night"]);
    let share = farm.json(&["shows", "set", "atlas", "--weight", "3", "--ceiling", "9"]);
    assert_eq!(share["shows"][0]["share"]["weight"], 3, "{share}");
    let none = farm.fails("F0508", &["shows", "set", "atlas", "--weight", "0"]);
    assert!(none["message"].as_str().unwrap().contains("a weight of 0"), "{none}");
    let low = farm.fails("F0508", &["shows", "set", "atlas", "--guarantee", "10"]);
    let told = "the ceiling of 9 is below the guarantee of 10";
    assert_eq!(low["message"], told, "{low}");
    let kept = farm.json(&["shows", "list"]);
    assert_eq!(kept["shows"][0]["share"]["weight"], 3, "{kept}");
    farm.json(&["shows", "remove", "atlas"]);
    let what_if = farm.json(&["farm", "whatif", "--workers", "3"]);
    assert!(what_if["answer"]["busy_workers"].is_u64(), "{what_if}");
    let status = farm.json(&["farm", "status"]);
    assert_eq!(status["leads"], true);
    assert!(status["load"]["jobs_running"].is_u64(), "{status}");
    assert_eq!(status["load"]["classes"][0]["class"], "cpu", "{status}");
    assert!(farm.says(&["farm", "status"]).contains("slots at work"));

    worker.kill();
    assert_eq!(farm.json(&["workers", "remove", "w1"])["workers"], json!([]));
    // Whoever names what is not there is told so, and not that the farm will mend it.
    farm.fails("F0518", &["workers", "show", "w1"]);
    farm.fails("F0518", &["workers", "remove", "w9"]);
    farm.fails("F0518", &["workers", "label", "w9", "--add", "nvme"]);
    farm.fails("F0519", &["shows", "remove", "zzz"]);
    farm.fails("F0520", &["pools", "remove", "zzz"]);
    farm.fails("F0521", &["limits", "remove", "zzz"]);
    farm.json(&["jobs", "cancel", "j1"]);
    farm.fails("F0507", &["jobs", "watch", "j1"]);
}

/// A frame whose file is gone is told by its cause, and in the log with where and why.
#[test]
fn what_went_wrong_is_told_by_cause() {
    let farm = Served::start(&[]);
    farm.pull(&[]);
    std::fs::remove_file(farm.world.path("media/A001/A001_C001_000003.dng")).unwrap();
    let _worker = farm.worker("rack-7", &[]);
    let output = farm.world.run(&["jobs", "watch", "j1", "--farm", &farm.url]);
    assert!(!output.status.success(), "a frame is missing");
    let causes = farm.json(&["jobs", "errors", "j1"])["causes"].clone();
    // The package is a step, too, and says that it is not whole.
    let of_media = |cause: &&Value| cause["fault"]["code"] != "F0513";
    let media: Vec<_> = causes.as_array().unwrap().iter().filter(of_media).collect();
    assert_eq!(media.len(), 1, "{causes}");
    let frames = media[0]["frames"].as_u64().unwrap();
    assert!(frames >= 2, "two plates have the frame: {causes}");
    assert!(media[0]["remedy"].as_str().is_some_and(|text| !text.is_empty()), "{causes}");
    assert_eq!(media[0]["workers"], json!([1]), "{causes}");
    let said = farm.says(&["jobs", "errors", "j1"]);
    assert!(said.contains(&format!("{frames} frames")) && said.contains("remedy"), "{said}");
    let log = farm.json(&["jobs", "logs", "j1", "--failed"]);
    let log = log["frames"].as_array().unwrap();
    assert!(log.iter().all(|line| line["state"] == "failed" && line["worker"] == 1), "{log:?}");
    assert!(farm.says(&["jobs", "logs", "j1"]).contains("process"), "stages are timed");
}

/// What cannot be read is told as every other error: code, value, place, remedy, exit code 2.
#[test]
fn what_is_typed_wrong_is_told_as_any_error() {
    let farm = Served::start(&[]);
    for (code, args) in [
        ("F0004", &["jobs", "show", "x12"][..]),
        ("F0004", &["jobs", "pause", "j1.x"]),
        ("F0518", &["workers", "show", "jane"]),
        ("F0001", &["jobs", "list", "--nonsense"]),
    ] {
        let error = farm.fails(code, args);
        assert!(error["message"].as_str().is_some_and(|text| text.contains('\'')), "{error}");
        let output = farm.world.run(&[args, &["--farm", &farm.url]].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
    let output = farm.world.run(&["jobs", "show", "x12"]);
    let said = text(&output.stderr);
    assert!(said.contains("F0004: 'x12' is not an id [JOB]"), "{said}");
    assert!(said.contains("remedy: Write it as j12."), "{said}");
    // Options of farms are shown where there is one, and understood everywhere.
    let help = |verb: &[&str]| text(&farm.world.run(&[verb, &["--help"]].concat()).stdout);
    assert!(help(&["jobs", "list"]).contains("--farm"));
    for verb in [&["inspect"][..], &["render"], &["mhl", "verify"], &["explain"], &["up"]] {
        let said = help(verb);
        assert!(!said.contains("--farm") && !said.contains("--token-file"), "{verb:?}: {said}");
    }
    assert!(help(&["scheduler"]).contains("--plaintext"));
    assert!(farm.world.run(&["explain", "F0004", "--farm", &farm.url]).status.success());
}

/// What has ended is let go of, and no id comes back.
#[test]
fn jobs_that_ended_are_forgotten() {
    let farm = Served::start(&[]);
    farm.submit([noop("one", "atlas", 1, 5, 1)]);
    farm.submit([noop("two", "zeus", 1, 5, 1)]);
    let refused = farm.fails("F0508", &["jobs", "forget", "j1"]);
    assert!(refused["message"].to_string().contains("j1 has not ended"), "{refused}");
    farm.fails("F0001", &["jobs", "forget", "j1", "--finished-before", "30d"]);
    farm.fails("F0008", &["jobs", "forget", "--finished-before", "yesterday"]);
    farm.json(&["jobs", "cancel", "j1", "j2"]);
    let nothing: [u64; 0] = [];
    assert_eq!(ids(&farm.json(&["jobs", "forget", "--finished-before", "1d"])), nothing);
    let of_zeus = ["jobs", "forget", "--finished-before", "0s", "--show", "zeus", "--yes"];
    let unsaid = farm.fails("F0011", &of_zeus[..of_zeus.len() - 1]);
    assert!(unsaid["message"].to_string().contains("forget 1 job of 1 show"), "{unsaid}");
    assert_eq!(ids(&farm.json(&of_zeus)), [2]);
    assert_eq!(ids(&farm.json(&["jobs", "forget", "j1"])), [1]);
    farm.fails("F0503", &["jobs", "forget", "j1"]);
    assert_eq!(farm.json(&["jobs", "list"])["found"], 0);
    farm.submit([noop("three", "atlas", 1, 5, 1)]);
    assert_eq!(ids(&farm.json(&["jobs", "list"])), [3]);
    // Many at a time, and one that refuses keeps none of the others.
    farm.submit((0..60).map(|i| noop(&format!("n{i}"), "many", 1, 5, 1)));
    farm.json(&["jobs", "cancel", "--show", "many", "--yes"]);
    let named: Vec<String> = (4..=63).map(|id| format!("j{id}")).collect();
    let named = named.iter().map(String::as_str);
    let all: Vec<&str> = ["jobs", "forget", "j3"].into_iter().chain(named).collect();
    let refused = farm.fails("F0508", &all);
    assert!(refused["message"].to_string().contains("j3 has not ended"), "{refused}");
    assert_eq!(ids(&farm.json(&["jobs", "list", "--limit", "0"])), [3]);
}

/// What a show may have and what holds for its pulls is found in one place, and said there.
#[test]
fn a_show_is_seen_set_and_taken_back_in_one_place() {
    let world = World::new();
    let store = format!("sqlite:{}", s(&world.path("library.db")));
    let farm = Served::of(world, &["--library-store", &store]);
    farm.json(&["shows", "set", "atlas", "--weight", "3", "--ceiling", "9"]);
    let fdl = farm.world.path("show.fdl");
    std::fs::write(&fdl, "{}").unwrap();
    let rate = ["shows", "defaults", "atlas", "--rate", "23.976"];
    let set = farm.json(&[&rate[..], &["--spec", "review", "--fdl", s(&fdl)]].concat());
    let wanted = json!({ "show": "atlas", "rate": "24000/1001", "spec": "review", "fdl": s(&fdl) });
    assert_eq!(set["defaults"], wanted, "{set}");
    let page = farm.json(&["shows", "show", "atlas"]);
    assert_eq!(page, set);
    assert_eq!((&page["share"]["weight"], &page["share"]["ceiling"]), (&json!(3), &json!(9)));
    assert_eq!((&page["tasks"], &page["choices"]), (&json!(0), &json!(0)));
    // A pull that is planned over the same library takes them.
    let same = farm.world.json(&["library", "shows", "atlas", "--library-store", &store]);
    assert_eq!(same["shows"][0]["defaults"], wanted, "{same}");

    let args = ["shows", "defaults", "atlas", "--spec", "editorial", "--clear", "rate"];
    let said = farm.world.run(&[&args[..], &["--clear", "fdl", "--farm", &farm.url]].concat());
    let told = text(&said.stderr);
    assert!(
        told.contains("show 'atlas': rate 24000/1001 → none, spec review → editorial"),
        "{told}"
    );
    let left = farm.json(&["shows", "show", "atlas"]);
    assert_eq!(left["defaults"], json!({ "show": "atlas", "spec": "editorial" }), "{left}");
    let shown = farm.says(&["shows", "show", "atlas"]);
    for line in
        ["ceiling    9 tasks", "class      up to urgent", "spec       editorial", "fdl        -"]
    {
        assert!(shown.contains(line), "{shown}");
    }
    farm.fails("F0008", &["shows", "defaults", "atlas", "--spec", "no-such"]);
    // Nothing is said of a show that nobody spoke of.
    let other = farm.json(&["shows", "show", "zeus"]);
    assert_eq!((&other["share"]["weight"], &other["defaults"]["spec"]), (&json!(1), &json!(null)));
    let audit = farm.json(&["audit"]).to_string();
    assert!(audit.contains("Library/SetShow"), "{audit}");

    // Without a library there is a share, and nothing that could hold for pulls.
    let bare = Served::start(&[]);
    bare.json(&["shows", "set", "atlas", "--weight", "2"]);
    let page = bare.json(&["shows", "show", "atlas"]);
    assert_eq!((&page["share"]["weight"], page.get("defaults")), (&json!(2), None), "{page}");
    assert!(bare.says(&["shows", "show", "atlas"]).contains("no library"));
    bare.fails("F0111", &["shows", "defaults", "atlas", "--spec", "review"]);
}

/// Who is for a show says what holds for it, though its share is not theirs to see.
#[test]
fn what_holds_for_a_show_is_set_by_who_is_for_it() {
    let world = World::new();
    token(&world, "ada", "admin", &[]);
    token(&world, "olga", "operator", &["--show", "atlas"]);
    let store = format!("sqlite:{}", s(&world.path("library.db")));
    let farm = Served::of(world, &["--require-tokens", "--library-store", &store]);
    let set = farm.json_as("olga", &["shows", "defaults", "atlas", "--spec", "review"]);
    assert_eq!(set["defaults"], json!({ "show": "atlas", "spec": "review" }), "{set}");
    assert_eq!((&set["show"], set.get("share")), (&json!("atlas"), None), "{set}");
    assert_eq!(farm.json_as("olga", &["shows", "show", "atlas"]), set);
    let word = farm.world.path("olga");
    let shown = farm.says(&["shows", "show", "atlas", "--token-file", s(&word)]);
    assert!(shown.contains("the whole farm's to see"), "{shown}");
    farm.fails("F0604", &["shows", "show", "zeus", "--token-file", s(&word)]);
    let whole = farm.json_as("ada", &["shows", "show", "atlas"]);
    assert_eq!((&whole["share"]["weight"], &whole["defaults"]), (&json!(1), &set["defaults"]));
}
