//! The quick start, run as it stands in the book, and the examples of other pages that need nothing.

use crate::harness::{World, free_address, root, s, text};
use std::process::Command;

/// Its shell blocks in their order, each command with an end where it fails.
fn script(page: &str) -> String {
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_quick_start_does_what_it_says() {
    let world = World::new();
    let page = std::fs::read_to_string(root().join("docs/quickstart.md")).expect("the page");
    let bin = world.path("bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_platefarm"), bin.join("platefarm")).unwrap();
    for folder in ["testclips", "tests"] {
        std::os::unix::fs::symlink(root().join(folder), world.path(folder)).unwrap();
    }
    // The ports of the page may be somebody's here.
    let (farm, pages) = (free_address(), free_address());
    let script = script(&page).replace("127.0.0.1:17878", &farm).replace("127.0.0.1:17880", &pages);
    assert!(script.matches("platefarm pull").count() >= 3, "{script}");
    // A farm that is there before it is asked for something, and gone at the end.
    let whole = format!(
        "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n{}",
        script.replace(
            "export PLATEFARM_FARM",
            "until (exec 3<>/dev/tcp/${WAIT_FOR/:/\\/}) 2>/dev/null; do read -rt 0.05 <> <(:) || :; done\nexport PLATEFARM_FARM"
        )
    );
    let path = format!("{}:{}", s(&bin), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("bash")
        .args(["-c", &whole])
        .current_dir(world.path(""))
        .env("PATH", path)
        .env("WAIT_FOR", &farm)
        .env("XDG_STATE_HOME", world.path("state"))
        .env("NO_COLOR", "1")
        .env_remove("PLATEFARM_TOKEN")
        .output()
        .expect("bash");
    let said = format!("{}\n{}", text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{said}");
    for made in ["plates/turnover_01/report.html", "plates/turnover_02/report.html", "plates/test"]
    {
        assert!(world.path(made).exists(), "no {made}: {said}");
    }
}

/// Commands of the other pages that need no file and no farm.
const ALONE: &[&str] = &[
    "platefarm color list",
    "platefarm color explain",
    "platefarm validate --list",
    "platefarm explain",
    "platefarm edl show tests/",
    "platefarm inspect testclips/",
];

/// That a command is taken is the program's own test (`src/cli/documented.rs`); these are run.
#[test]
fn examples_that_need_nothing_else_do_what_they_say() {
    let world = World::new();
    let pages = std::fs::read_dir(root().join("docs")).expect("the book").flatten();
    let mut ran = 0;
    for path in pages.map(|entry| entry.path()).filter(|p| p.extension().is_some_and(|e| e == "md"))
    {
        let page = std::fs::read_to_string(&path).expect("a page");
        for line in script(&page).lines().map(str::trim) {
            // What goes on in the next line is not whole.
            if line.ends_with('\\') || !ALONE.iter().any(|command| line.starts_with(command)) {
                continue;
            }
            let line = line.replacen("platefarm", env!("CARGO_BIN_EXE_platefarm"), 1);
            let output = Command::new("bash")
                .args(["-euo", "pipefail", "-c", &line])
                .current_dir(root())
                .env("XDG_STATE_HOME", world.path("state"))
                .output()
                .expect("bash");
            let said = format!("{}\n{}", text(&output.stdout), text(&output.stderr));
            assert!(output.status.success(), "{}: {line}\n{said}", path.display());
            assert!(!output.stdout.is_empty(), "{}: {line} says nothing", path.display());
            ran += 1;
        }
    }
    assert!(ran >= 5, "{ran} examples were run");
}
