//! What is in `deploy/` is true: rules that Prometheus' own tool takes and
//! tries, metrics that exist, options that the program has.

mod board;
mod chart;
mod container;

use crate::harness::{World, root, text};
use std::collections::BTreeSet;
use std::process::Command;

/// Says that the tests may go without, on a machine that cannot have it.
const OPT_OUT: &str = "PLATEFARM_NO_PROMTOOL_TESTS";

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).expect(path)
}

/// What looks like one of our metrics.
fn metrics(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("platefarm_"))
        .collect()
}

/// Runs promtool in `dir`; nothing where it may be missing.
fn promtool(dir: &std::path::Path, arguments: &[&str]) {
    if std::env::var_os(OPT_OUT).is_some_and(|value| value == "1") {
        return;
    }
    let output =
        Command::new("promtool").args(arguments).current_dir(dir).output().unwrap_or_else(|e| {
            panic!("no promtool: apt-get install prometheus, or set {OPT_OUT}=1: {e}")
        });
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn alerts_speak_of_metrics_that_exist_and_fire_when_they_should() {
    let page = read("docs/metrics.md");
    let there = metrics(&page);
    for name in metrics(&read("deploy/prometheus/alerts.yml")) {
        assert!(there.contains(name), "{name} is in no registry; docs/metrics.md lists them");
    }
    let dir = root().join("deploy/prometheus");
    promtool(&dir, &["check", "rules", "alerts.yml"]);
    promtool(&dir, &["test", "rules", "alerts_test.yml"]);
}

#[test]
fn units_use_options_that_there_are() {
    let world = World::new();
    let user = read("deploy/systemd/platefarm.sysusers");
    assert!(user.lines().any(|line| line.starts_with("u platefarm ")), "{user}");
    for name in ["scheduler", "worker"] {
        let unit = read(&format!("deploy/systemd/platefarm-{name}.service"));
        assert!(unit.contains("User=platefarm\n"), "{unit}");
        let line =
            unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("a program");
        let help = text(&world.run(&[name, "--help"]).stdout);
        let mut words = line.split_whitespace().skip(1);
        assert_eq!(words.next(), Some(name));
        for option in words.filter(|word| word.starts_with("--")) {
            assert!(help.contains(option), "{name} has no {option}");
            // What is said on the command line, the file with its settings could not say otherwise.
            let about = help.split(&format!("{option} <")).nth(1).unwrap_or_default();
            let about = about.split("\n      --").next().unwrap_or_default();
            assert!(!about.contains("[env:"), "{name}: {option} is set for good: {about}");
        }
        // What the example sets, the program or its unit reads.
        for line in read(&format!("deploy/systemd/{name}.env.example")).lines() {
            let Some((variable, _)) = line.split_once('=').filter(|_| !line.starts_with('#'))
            else {
                continue;
            };
            let known = help.contains(&format!("[env: {variable}"));
            assert!(known || unit.contains(&format!("${variable}")), "{name} reads no {variable}");
        }
        // A directory that systemd makes is one that the program is told of.
        for (made, told) in [
            ("CacheDirectory=platefarm\n", "PLATEFARM_CACHE_DIR=/var/cache/platefarm\n"),
            ("StateDirectory=platefarm\n", "XDG_STATE_HOME=/var/lib\n"),
        ] {
            let tells = unit.contains(&format!("Environment={told}"));
            assert!(tells || !unit.contains(made), "{name}: {made} without {told}");
        }
        verified(&world, name, &unit);
    }
}

/// Holds a unit against systemd's own reader, where there is one. The program need not be where the
/// unit says it is, and the user not be there.
fn verified(world: &World, name: &str, unit: &str) {
    let there = Command::new("systemd-analyze").arg("--version").output();
    if !there.is_ok_and(|output| output.status.success()) {
        return;
    }
    let file = world.path(&format!("platefarm-{name}.service"));
    let unit = unit.replace("/usr/local/bin/platefarm", env!("CARGO_BIN_EXE_platefarm"));
    std::fs::write(&file, unit).unwrap();
    let output = Command::new("systemd-analyze").arg("verify").arg(&file).output().unwrap();
    let said = text(&output.stderr);
    let about = said.lines().filter(|line| line.contains(&format!("platefarm-{name}.service")));
    let wrong: Vec<&str> = about
        .filter(|line| {
            ["Unknown", "Failed to parse", "Invalid", "Missing"].iter().any(|w| line.contains(w))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
