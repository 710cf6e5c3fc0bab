//! The container file: held against hadolint, against the tree that it builds
//! from, and against the chart that runs it. It is not built here: that takes
//! a container engine and a registry.

use super::read;
use crate::harness::{World, root, text, tools_python};
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

const FILE: &str = "deploy/container/Dockerfile";
/// Says that the tests may go without, on a machine that cannot have hadolint.
const OPT_OUT: &str = "PLATEFARM_NO_HADOLINT_TESTS";

/// What is let into the build, by its ignore file: everything out, then these in.
fn let_in() -> Vec<String> {
    let ignore = read(&format!("{FILE}.dockerignore"));
    let mut lines = ignore.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    assert_eq!(lines.next(), Some("*"), "nothing is in that is not named");
    lines.filter_map(|line| line.strip_prefix('!')).map(str::to_owned).collect()
}

fn is_in(path: &Path, let_in: &[String]) -> bool {
    let_in.iter().any(|entry| path.starts_with(entry))
}

/// Files that git has, which is what a build in CI sees.
fn tracked() -> Vec<PathBuf> {
    let output = Command::new("git")
        .args(["ls-files", "-co", "--exclude-standard"])
        .current_dir(root())
        .output();
    let output = output.expect("git");
    text(&output.stdout).lines().map(PathBuf::from).collect()
}

#[test]
fn hadolint_has_nothing_to_say() {
    let Some(python) = tools_python(OPT_OUT) else { return };
    let hadolint = python.with_file_name("hadolint");
    let output =
        Command::new(&hadolint).arg(root().join(FILE)).output().expect("cargo xtask setup");
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

/// What goes into the build is a workspace that cargo takes, and holds every file that the program includes.
#[test]
fn what_is_let_in_is_enough_to_build_from() {
    let (world, let_in) = (World::new(), let_in());
    let inside: Vec<PathBuf> = tracked().into_iter().filter(|path| is_in(path, &let_in)).collect();
    for path in inside
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "rs" || e == "toml" || e == "lock"))
    {
        let to = world.path("src").join(path);
        std::fs::create_dir_all(to.parent().expect("a folder")).unwrap();
        std::fs::copy(root().join(path), to).unwrap();
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--locked", "--format-version", "1"])
        .current_dir(world.path("src"))
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{}", text(&output.stderr));

    let there: BTreeSet<&PathBuf> = inside.iter().collect();
    for path in inside.iter().filter(|path| path.extension().is_some_and(|e| e == "rs")) {
        let source = std::fs::read_to_string(root().join(path)).unwrap();
        let included =
            ["include_str!(\"", "include_bytes!(\""].iter().flat_map(|m| source.split(m).skip(1));
        for target in included.filter_map(|rest| rest.split('"').next()) {
            let target = plain(&path.parent().expect("a folder").join(target));
            let ours = path.components().any(|part| part.as_os_str() == "tests")
                || path.ends_with("tests.rs")
                || there.contains(&target);
            assert!(ours, "{} includes {}, which is not let in", path.display(), target.display());
        }
    }
}

/// A path without its `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

#[test]
fn the_file_names_what_there_is() {
    let (file, let_in) = (read(FILE), let_in());
    for line in file.lines().filter(|line| line.starts_with("COPY ") && !line.contains("--from=")) {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        let [sources @ .., _] = words.as_slice() else { panic!("{line}") };
        for source in sources.iter().filter(|source| **source != ".") {
            assert!(root().join(source).exists(), "{source} is not there");
            assert!(is_in(Path::new(source), &let_in), "{source} is not let in");
        }
    }
    let toolchain = read("Cargo.toml");
    let rust = toolchain.split("rust-version = \"").nth(1).and_then(|rest| rest.split('"').next());
    assert!(
        file.contains(&format!("ARG RUST={}", rust.expect("a version"))),
        "the compiler is another"
    );
    let icd: serde_json::Value =
        serde_json::from_str(&read("deploy/container/nvidia_headless.json")).unwrap();
    assert_eq!(icd["ICD"]["library_path"], "libEGL_nvidia.so.0");
}

/// Nobody in it is root, and the chart runs it as whom it was made for.
#[test]
fn it_runs_as_nobody_in_particular() {
    let file = read(FILE);
    let users: Vec<&str> = file.lines().filter_map(|line| line.strip_prefix("USER ")).collect();
    let user = users.last().expect("a user").split(':').next().expect("an id");
    assert!(
        user.parse::<u32>().is_ok_and(|id| id >= 1000),
        "{user}: Kubernetes wants a number that is not root's"
    );
    let helpers = read("deploy/helm/platefarm/templates/_helpers.tpl");
    assert!(helpers.contains(&format!("runAsUser: {user}")), "the chart runs it as another");
    assert!(file.contains("ENTRYPOINT [\"/usr/local/bin/platefarm\"]"));
}
