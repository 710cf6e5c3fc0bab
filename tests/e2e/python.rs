//! The examples of the documentation, run as they are written; that in Python
//! with stubs made from our protos by the tools of others.

use crate::harness::{World, free_address, root, s, text, wait_until};
use std::path::PathBuf;
use std::process::Command;

#[path = "../../examples/client.rs"]
#[expect(dead_code, reason = "its main function is for people")]
mod client;

/// Says that the tests may go without, on a machine that cannot have it.
const OPT_OUT: &str = "PLATEFARM_NO_PYTHON_TESTS";

#[test]
fn a_service_in_python_submits_follows_and_reads_errors() {
    if std::env::var_os(OPT_OUT).is_some_and(|value| value == "1") {
        return;
    }
    let python = root().join("target/tools/python/bin/python3");
    let python = std::env::var_os("PLATEFARM_TOOLS_PYTHON").map_or(python, PathBuf::from);
    let world = World::new();
    let stubs = world.path("stubs");
    std::fs::create_dir_all(&stubs).unwrap();
    let protos = std::fs::read_dir(root().join("proto/platefarm/v1")).unwrap().flatten();
    let made = Command::new(&python)
        .args(["-m", "grpc_tools.protoc", "-I", s(&root().join("proto"))])
        .arg(format!("--python_out={}", s(&stubs)))
        .arg(format!("--grpc_python_out={}", s(&stubs)))
        .args(protos.map(|entry| entry.path()))
        .output();
    let made =
        made.unwrap_or_else(|e| panic!("no Python: cargo xtask setup, or set {OPT_OUT}=1: {e}"));
    assert!(made.status.success(), "cargo xtask setup? {}", text(&made.stderr));

    let address = free_address();
    let url = format!("http://{address}");
    let store = format!("sqlite:{}", s(&world.path("farm.db")));
    let _scheduler = world.start(&["scheduler", "--listen", &address, "--store", &store]);
    wait_until("the scheduler answers", || {
        world.run(&["jobs", "list", "--farm", &url]).status.success().then_some(())
    });
    let _worker = world.start(&["worker", "--farm", &url, "--backend", "cpu"]);
    let ran = Command::new(&python)
        .arg(root().join("examples/python/client.py"))
        .arg("atlas")
        .env("PYTHONPATH", &stubs)
        .env("PLATEFARM_FARM", &url)
        .output()
        .unwrap();
    let said = text(&ran.stdout);
    assert!(ran.status.success(), "{said}\n{}", text(&ran.stderr));
    assert!(said.contains("48/48") && said.contains("done 48"), "{said}");
    let told = "told job.submitted to job.done with 48 frames, 48 of them different";
    assert!(said.contains(told), "{said}");
    assert!(said.contains("refused OUT_OF_RANGE F0515"), "{said}");
    assert!(said.contains("refused NOT_FOUND F0503"), "{said}");
}

#[test]
fn a_service_in_rust_submits_and_follows_through_a_restart() {
    let world = World::new();
    let address = free_address();
    let url = format!("http://{address}");
    let store = format!("sqlite:{}", s(&world.path("farm.db")));
    let scheduler = ["scheduler", "--listen", &address, "--store", &store];
    let mut first = world.start(&scheduler);
    let answers = || {
        wait_until("the scheduler answers", || {
            world.run(&["jobs", "list", "--farm", &url]).status.success().then_some(())
        });
    };
    answers();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let at = url.clone();
    let told =
        runtime.spawn(async move { client::run(&at, "atlas").await.map_err(|e| e.to_string()) });
    wait_until("the job is there", || {
        let jobs = world.json(&["jobs", "list", "--farm", &url]);
        (jobs["jobs"].as_array().unwrap().len() == 1).then_some(())
    });
    first.kill();
    let _second = world.start(&scheduler);
    answers();
    let _worker = world.start(&["worker", "--farm", &url, "--backend", "cpu"]);
    let mut told = runtime.block_on(told).unwrap().unwrap();
    told.frames.sort_unstable();
    assert_eq!(told.end, "job.done");
    assert_eq!(told.frames, (1001..=1048).collect::<Vec<i64>>(), "each once, and none is missing");
}
