//! The dashboard in a real browser: what it shows, by its own scripts.

use crate::harness::{World, copy_clip, free_address, root, s, text, wait_until};
use std::process::Command;

/// Says that the tests may go without, on a machine that cannot have one.
const OPT_OUT: &str = "PLATEFARM_NO_BROWSER_TESTS";

/// The page as it stands after its scripts have run for a while of the browser's own time.
fn page(world: &World, url: &str, size: &str, picture: Option<&str>) -> String {
    let profile = world.path("profile");
    let mut browser = Command::new("chromium");
    browser
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        .args(["--virtual-time-budget=4000", "--hide-scrollbars"])
        .arg(format!("--user-data-dir={}", s(&profile)))
        .arg(format!("--window-size={size}"));
    match picture {
        Some(name) => browser.arg(format!("--screenshot={}", s(&world.path(name)))),
        None => browser.arg("--dump-dom"),
    };
    let output = browser.arg(url).output();
    let output = output.unwrap_or_else(|e| {
        panic!("no chromium: apt-get install chromium, or set {OPT_OUT}=1: {e}")
    });
    text(&output.stdout)
}

#[test]
fn the_dashboard_shows_the_farm_as_it_is() {
    if std::env::var_os(OPT_OUT).is_some_and(|value| value == "1") {
        return;
    }
    let world = World::new();
    let (grpc, http) = (free_address(), free_address());
    let url = format!("http://{grpc}");
    let store = format!("sqlite:{}", s(&world.path("farm.db")));
    let args = ["scheduler", "--listen", &grpc, "--http", &http, "--store", &store];
    let _scheduler = world.start(&args);
    wait_until("the scheduler answers", || {
        world.run(&["jobs", "list", "--farm", &url]).status.success().then_some(())
    });
    let _worker = world.start(&["worker", "--farm", &url, "--name", "rack-7", "--backend", "cpu"]);
    let media = world.path("media");
    copy_clip("beachball", &media.join("A001"));
    copy_clip("colorchart", &media.join("chart"));
    let fixtures = root().join("tests/fixtures/pull");
    let (edl, fdl, out) = (fixtures.join("cut.edl"), fixtures.join("show.fdl"), world.path("out"));
    world.json(&[
        "pull",
        "--edl",
        s(&edl),
        "--fdl",
        s(&fdl),
        "--template",
        "VFX_PULL",
        "--handles",
        "1",
        "--media",
        s(&media),
        "--out",
        s(&out),
        "--show",
        "atlas",
        "--farm",
        &url,
        "--wait",
    ]);
    let site = |hash: &str| format!("http://{http}/#{hash}");
    let farm = page(&world, &site("/"), "1280,900", None);
    assert!(farm.contains(">live<"), "the stream is heard: {farm}");
    assert!(farm.contains("is done") && farm.contains("atlas"), "{farm}");
    let workers = page(&world, &site("/workers"), "1280,900", None);
    assert!(workers.contains("rack-7"), "{workers}");
    let jobs = page(&world, &site("/jobs"), "390,844", None);
    assert!(jobs.contains("1 of 1 jobs"), "{jobs}");
    let job = page(&world, &site("/jobs/1"), "1280,900", None);
    assert!(job.contains("class=\"grid\"") && job.contains("frame 1001: done"), "{job}");
    // Pictures for those who look: PLATEFARM_KEEP names a directory to keep them in.
    if let Some(keep) = std::env::var_os("PLATEFARM_KEEP") {
        for (hash, size, name) in [
            ("/", "1280,900", "farm.png"),
            ("/", "390,844", "farm-phone.png"),
            ("/jobs", "1280,900", "jobs.png"),
            ("/jobs", "390,844", "jobs-phone.png"),
            ("/jobs/1", "1280,900", "job.png"),
            ("/workers", "390,844", "workers-phone.png"),
        ] {
            page(&world, &site(hash), size, Some(name));
            std::fs::copy(world.path(name), std::path::Path::new(&keep).join(name)).unwrap();
        }
    }
}
