//! Who may use whom. The graph is the design; a new edge is a decision, and is
//! made here.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Crates of the house that each crate may use (outside its tests).
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("standards", &["model"]),
    ("media", &["model", "standards"]),
    ("shaders", &["model"]),
    ("proto", &["model"]),
    ("scheduler", &["model", "proto", "standards"]),
    ("worker", &["model", "proto", "standards", "media", "shaders"]),
    ("testclips", &["model"]),
    ("world", &["model", "scheduler", "worker"]),
];

/// Crates from outside that only one room may use directly.
const ONLY_IN: &[(&str, &str)] = &[("wgpu", "shaders"), ("sqlx", "scheduler"), ("exr", "media")];

/// Crates from outside that a room must not even reach through others.
const NEVER_REACHES: &[(&str, &[&str])] = &[
    ("model", &["tokio", "tonic", "prost", "wgpu", "sqlx"]),
    ("standards", &["tokio", "tonic", "prost", "wgpu", "sqlx"]),
    ("shaders", &["tokio", "tonic", "prost", "sqlx"]),
    ("scheduler", &["wgpu", "exr"]),
];

struct Graph {
    /// Package name to the names that it depends on, outside tests.
    edges: BTreeMap<String, BTreeSet<String>>,
}

fn graph() -> Graph {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // Only what is built here: other systems' drivers bring other crates.
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(if cfg!(target_os = "linux") { vec!["--filter-platform", &host] } else { vec![] })
        .current_dir(super::root())
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let name_of: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|p| Some((p["id"].as_str()?, p["name"].as_str()?)))
        .collect();
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().into_iter().flatten() {
        let from = name_of[node["id"].as_str().expect("an id")];
        for dep in node["deps"].as_array().into_iter().flatten() {
            let normal =
                dep["dep_kinds"].as_array().into_iter().flatten().any(|k| k["kind"].is_null());
            if normal {
                let to = name_of[dep["pkg"].as_str().expect("an id")];
                edges.entry(from.to_owned()).or_default().insert(to.to_owned());
            }
        }
    }
    Graph { edges }
}

impl Graph {
    fn of(&self, name: &str) -> BTreeSet<String> {
        self.edges.get(name).cloned().unwrap_or_default()
    }

    fn reach(&self, from: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut next = vec![from.to_owned()];
        while let Some(name) = next.pop() {
            for dep in self.of(&name) {
                if seen.insert(dep.clone()) {
                    next.push(dep);
                }
            }
        }
        seen
    }
}

#[test]
fn rooms_use_only_what_the_design_allows() {
    let graph = graph();
    for (room, allowed) in MAY_USE {
        let allowed: BTreeSet<String> = allowed.iter().map(|a| format!("platefarm-{a}")).collect();
        let used: BTreeSet<String> = graph
            .of(&format!("platefarm-{room}"))
            .into_iter()
            .filter(|d| d.starts_with("platefarm"))
            .collect();
        let extra: Vec<_> = used.difference(&allowed).collect();
        assert!(
            extra.is_empty(),
            "{room} uses {extra:?}; tests/house/deps.rs says who may use whom"
        );
    }
}

#[test]
fn heavy_crates_stay_in_their_rooms() {
    let graph = graph();
    for (heavy, home) in ONLY_IN {
        let users: Vec<_> = graph
            .edges
            .iter()
            .filter(|(from, to)| from.starts_with("platefarm") && to.contains(*heavy))
            .map(|(from, _)| from.as_str())
            .collect();
        let allowed: &[&str] =
            if *heavy == "exr" { &["platefarm-media", "platefarm-testclips"] } else { &[] };
        for user in users {
            assert!(
                user == format!("platefarm-{home}") || allowed.contains(&user),
                "{user} uses {heavy}, which belongs to {home}"
            );
        }
    }
    for (room, never) in NEVER_REACHES {
        let reach = graph.reach(&format!("platefarm-{room}"));
        for name in *never {
            assert!(!reach.contains(*name), "{room} reaches {name}");
        }
    }
}

#[test]
fn no_second_tls_provider_and_no_copyleft_decoder() {
    let all: BTreeSet<String> = graph().reach("platefarm");
    for banned in ["aws-lc-rs", "aws-lc-sys", "openssl-sys", "native-tls", "rawler", "rawloader"] {
        assert!(!all.contains(banned), "{banned} is in the tree; see deny.toml");
    }
}

#[test]
fn sqlx_is_used_in_the_store_only() {
    for path in super::files(&["rs"]) {
        let in_store = path.starts_with("scheduler/src/store");
        if !in_store && path.starts_with("scheduler/src") {
            assert!(
                !super::text(&path).contains("sqlx::"),
                "{} speaks SQL; that is the store's",
                path.display()
            );
        }
    }
}
