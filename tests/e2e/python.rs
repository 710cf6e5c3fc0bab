//! The examples of the documentation, run as they are written; that in Python
//! with stubs made from our protos by the tools of others.

use crate::harness::{
    Running, World, copy_clip, free_address, root, s, text, tools_python, wait_until,
};
use std::path::PathBuf;
use std::process::Command;

#[path = "../../examples/client.rs"]
#[expect(dead_code, reason = "its main function is for people")]
mod client;
#[path = "../../examples/pull.rs"]
#[expect(dead_code, reason = "its main function is for people")]
mod pull;

/// Says that the tests may go without, on a machine that cannot have it.
const OPT_OUT: &str = "PLATEFARM_NO_PYTHON_TESTS";

/// A Python with the stubs that the tools of others make of our protos; none, where the tests go without.
fn python(world: &World) -> Option<Command> {
    let python = tools_python(OPT_OUT)?;
    let stubs = world.path("stubs");
    std::fs::create_dir_all(&stubs).unwrap();
    let protos = std::fs::read_dir(root().join("proto/platefarm/v1")).unwrap().flatten();
    let made = Command::new(&python)
        .args(["-m", "grpc_tools.protoc", "-I", s(&root().join("proto"))])
        .arg(format!("--python_out={}", s(&stubs)))
        .arg(format!("--grpc_python_out={}", s(&stubs)))
        .args(protos.map(|entry| entry.path()))
        .output()
        .expect("Python starts");
    assert!(made.status.success(), "cargo xtask setup? {}", text(&made.stderr));
    let mut command = Command::new(&python);
    command.env("PYTHONPATH", &stubs);
    Some(command)
}

/// A farm with a library, and what a pull of the fixtures needs: `clips.json`, and where it goes.
fn farm_for_pulls(world: &World) -> (String, [Running; 2], PathBuf) {
    let media = world.path("media");
    copy_clip("beachball", &media.join("A001"));
    copy_clip("colorchart", &media.join("chart"));
    let clips = world.path("clips.json");
    std::fs::write(&clips, world.json(&["inspect", s(&media)]).to_string()).unwrap();
    let address = free_address();
    let url = format!("http://{address}");
    let store = format!("sqlite:{}", s(&world.path("farm.db")));
    let library = format!("sqlite:{}", s(&world.path("clips.db")));
    let scheduler = ["scheduler", "--listen", &address, "--store", &store];
    let scheduler = world.start(&[&scheduler[..], &["--library-store", &library]].concat());
    wait_until("the scheduler answers", || {
        world.run(&["jobs", "list", "--farm", &url]).status.success().then_some(())
    });
    let worker = world.start(&["worker", "--farm", &url, "--backend", "cpu"]);
    (url, [scheduler, worker], clips)
}

#[test]
fn a_service_in_python_submits_follows_and_reads_errors() {
    let world = World::new();
    let Some(mut python) = python(&world) else { return };
    let address = free_address();
    let url = format!("http://{address}");
    let store = format!("sqlite:{}", s(&world.path("farm.db")));
    let _scheduler = world.start(&["scheduler", "--listen", &address, "--store", &store]);
    wait_until("the scheduler answers", || {
        world.run(&["jobs", "list", "--farm", &url]).status.success().then_some(())
    });
    let _worker = world.start(&["worker", "--farm", &url, "--backend", "cpu"]);
    let ran = python
        .arg(root().join("examples/python/client.py"))
        .arg("atlas")
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

#[test]
fn a_service_in_python_pulls_plates_of_the_library() {
    let world = World::new();
    let Some(mut python) = python(&world) else { return };
    let (url, _farm, clips) = farm_for_pulls(&world);
    let fixtures = root().join("tests/fixtures/pull");
    let out = world.path("out");
    let ran = python
        .arg(root().join("examples/python/pull.py"))
        .args(["atlas", s(&clips), s(&fixtures.join("cut.edl")), s(&fixtures.join("show.fdl"))])
        .arg(&out)
        .env("PLATEFARM_FARM", &url)
        .output()
        .unwrap();
    let said = text(&ran.stdout);
    assert!(ran.status.success(), "{said}\n{}", text(&ran.stderr));
    assert!(said.contains("added 2 new, 0 unchanged"), "{said}");
    assert!(said.contains("found A001_C001 A001 01:00:00:00 8"), "{said}");
    // As `expected.json` beside the list derives them.
    for plate in [
        "plate BB_010_PL01_v001 1001 1008 A001_C001",
        "plate BB_020_PL01_v001 1001 1005 A001_C001",
        "plate CC_010_PL01_v001 1001 1001 colorchart",
        "plate PF_CUT_050_PL01_v001 1001 1005 A001_C001",
        "settled with 20 done and 0 failed",
    ] {
        assert!(said.contains(plate), "{plate} in {said}");
    }
    assert!(said.contains("refused INVALID_ARGUMENT F0508"), "{said}");
    assert!(out.join("report.json").exists(), "{said}");
}

/// The service and the command line go one way: the same plan, by the same rules.
#[test]
fn a_service_in_rust_pulls_what_the_command_line_would() {
    let world = World::new();
    let (url, _farm, clips) = farm_for_pulls(&world);
    let fixtures = root().join("tests/fixtures/pull");
    let (edl, fdl) = (fixtures.join("cut.edl"), fixtures.join("show.fdl"));
    let out = world.path("out");
    let files = pull::Files { clips: &clips, edl: &edl, fdl: &fdl, out_dir: s(&out) };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pulled = runtime.block_on(pull::run(&url, "atlas", files)).unwrap();
    assert_eq!(pulled.clips, 2);
    assert!(pulled.once, "the same pull is the same job");
    assert!(out.join("report.json").exists());
    let library = format!("sqlite:{}", s(&world.path("clips.db")));
    let planned = world.json(&[
        "pull",
        "--dry-run",
        "--library",
        "--library-store",
        &library,
        "--edl",
        s(&edl),
        "--fdl",
        s(&fdl),
        "--template",
        "VFX_PULL",
        "--handles",
        "2",
        "--show",
        "atlas",
        "--out",
        s(&world.path("elsewhere")),
    ]);
    let asked: serde_json::Value = serde_json::from_str(&pulled.plan_json).unwrap();
    let essence = |plan: &serde_json::Value| -> Vec<serde_json::Value> {
        let plates = plan["plates"].as_array().expect("plates").iter();
        plates
            .map(|p| {
                serde_json::json!([p["name"], p["frames"], p["clip"], p["matched"], p["recipe"]])
            })
            .collect()
    };
    assert_eq!(essence(&asked), essence(&planned));
    for part in ["rejected", "skipped", "defaulted", "delivery", "estimate", "name"] {
        assert_eq!(asked[part], planned[part], "{part}");
    }
    // All but that it looks at no media.
    let notes = asked["notes"].as_array().unwrap().iter();
    let notes: Vec<_> = notes.filter(|note| note["code"] != "F0263").cloned().collect();
    assert_eq!(serde_json::Value::from(notes), planned["notes"]);
    let frames: i64 = pulled.plates.iter().map(|(_, first, last)| last - first + 1).sum();
    assert_eq!(pulled.frames, frames as u64 + 1, "every frame, and the package");
}
