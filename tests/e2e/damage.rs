//! A good package, and hands that change it: frames read whole and written
//! whole as another program would, documents edited, and all of it sealed
//! again as if nothing had been.

use crate::harness::{World, copy_clip, root, s, tree};
use exr::prelude::*;
use platefarm_media::hash::xxh128;
use serde_json::Value;
use std::path::{Path, PathBuf};

pub(crate) const PLATE: &str = "BB_010_PL01_v001";
/// The second plate, where there is one.
pub(crate) const OTHER: &str = "BB_020_PL01_v001";

/// An edit of so many shots of one clip, with a colour decision.
fn list(shots: usize) -> String {
    let shot = |i: usize| {
        format!(
            "{:03}  A001 V C 01:00:00:02 01:00:00:06 01:00:00:{:02} 01:00:00:{:02}\n\
             * FROM CLIP NAME: A001_C001\n* LOC: 01:00:00:{:02} RED BB_{:02}0\n\
             * ASC_SOP (1.{i} 1.0 0.9)(0.01 0 -0.01)(1 1 1.1)\n* ASC_SAT 0.9\n",
            i,
            4 * (i - 1),
            4 * i,
            4 * (i - 1),
            i
        )
    };
    format!("TITLE: GATE\n{}", (1..=shots).map(shot).collect::<String>())
}

/// The arguments of a pull of `shots` plates, six frames each, from the camera files in `media`.
pub(crate) fn pull(world: &World, shots: usize) -> Vec<String> {
    let edl = world.path("gate.edl");
    std::fs::write(&edl, list(shots)).expect("a list");
    let fdl = root().join("tests/fixtures/pull/show.fdl");
    let (media, out) = (world.path("media"), world.path("out"));
    let args = [
        "pull",
        "--local",
        "--edl",
        s(&edl),
        "--media",
        s(&media),
        "--fdl",
        s(&fdl),
        "--template",
        "VFX_PULL",
        "--handles",
        "1",
        "--out",
        s(&out),
        "--show",
        "gate",
        "--backend",
        "cpu",
        "--debayer",
        "mhc",
        "--spec",
        "vfx-plate",
    ];
    args.map(str::to_owned).to_vec()
}

/// A pull of plates of six frames.
pub(crate) fn package(world: &World, shots: usize) -> PathBuf {
    copy_clip("beachball", &world.path("media/A001"));
    let args = pull(world, shots);
    let summary = world.json(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(summary["phase"], "done", "{summary}");
    world.path("out")
}

pub(crate) fn verdict(world: &World, dir: &Path, more: &[&str]) -> Value {
    let output = world.run(&[&["validate", s(dir), "--json"], more].concat());
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)))
}

pub(crate) fn copy(from: &Path, to: &Path) {
    for file in tree(from) {
        let target = to.join(&file);
        std::fs::create_dir_all(target.parent().expect("a parent")).expect("a directory");
        std::fs::copy(from.join(&file), target).expect("a copy");
    }
}

pub(crate) fn frame(dir: &Path, number: i64) -> PathBuf {
    dir.join(PLATE).join(format!("{PLATE}.{number}.exr"))
}

/// Changes a frame as another program would: read whole, written whole.
pub(crate) fn edit(path: &Path, change: impl FnOnce(&mut FlatImage)) {
    let mut image = read_all_flat_layers_from_file(path).expect("a frame");
    change(&mut image);
    image.write().to_file(path).expect("a frame again");
}

/// Changes every frame of the plate.
pub(crate) fn each(dir: &Path, change: impl Fn(&mut FlatImage)) {
    (1001..=1006).for_each(|number| edit(&frame(dir, number), &change));
}

fn set(path: &Path, name: &str, value: AttributeValue) {
    edit(path, |image| {
        image.layer_data[0].attributes.other.insert(Text::from(name), value);
    });
}

pub(crate) fn set_text(path: &Path, name: &str, value: &str) {
    set(path, name, AttributeValue::Text(Text::from(value)));
}

pub(crate) fn set_int(path: &Path, name: &str, value: i32) {
    set(path, name, AttributeValue::I32(value));
}

pub(crate) fn replace(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).expect("a document");
    assert!(text.contains(from), "{} does not say {from}: {text}", path.display());
    std::fs::write(path, text.replace(from, to)).expect("the document");
}

/// Every half of a frame is what `change` makes of it.
pub(crate) fn pixels(path: &Path, change: impl Fn(&mut f16)) {
    edit(path, |image| {
        for channel in &mut image.layer_data[0].channel_data.list {
            if let FlatSamples::F16(values) = &mut channel.sample_data {
                values.iter_mut().for_each(&change);
            }
        }
    });
}

/// A report with what `change` makes of it.
pub(crate) fn report(dir: &Path, change: impl FnOnce(&mut Value)) {
    let path = dir.join("report.json");
    let text = std::fs::read(&path).expect("a report");
    let mut report = serde_json::from_slice(&text).expect("JSON");
    change(&mut report);
    std::fs::write(path, serde_json::to_vec_pretty(&report).expect("JSON")).expect("the report");
}

/// The package's own report, with the hashes of what lies there now.
pub(crate) fn rehash(dir: &Path) {
    let now = |name: &str| Some(Value::from(xxh128(&std::fs::read(dir.join(name)).ok()?)));
    report(dir, |report| {
        for plate in report["plates"].as_array_mut().expect("plates") {
            for file in plate["files"].as_array_mut().expect("files") {
                if let Some(hash) = now(file["file"].as_str().expect("a name")) {
                    file["xxh128"] = hash;
                }
            }
        }
        for (name, known) in report["documents"].as_object_mut().expect("hashes of sidecars") {
            if let Some(hash) = now(name) {
                *known = hash;
            }
        }
    });
}

/// Throws the seal away and makes another, by our own tool.
pub(crate) fn seal(world: &World, dir: &Path) {
    std::fs::remove_dir_all(dir.join("ascmhl")).expect("there was a seal");
    let output = world.run(&["mhl", "create", s(dir)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
