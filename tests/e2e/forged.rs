//! Packages that were changed and sealed again, so that their ASC MHL holds.
//! Each is damaged in one way, and its own report is made to fit, so that only
//! what follows from the frames and documents themselves is left to tell. What
//! nothing there betrays is looked at twice more: with the report's true
//! hashes, and held against the report that was kept elsewhere.

use crate::damage::{
    OTHER, PLATE, copy, each, edit, frame, package, pixels, rehash, replace, report, seal, set_int,
    set_text, verdict,
};
use crate::harness::{World, s};
use exr::prelude::*;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

struct Forgery {
    what: &'static str,
    damage: fn(&Path),
    /// The check that it belongs to, and the frames that it names.
    check: &'static str,
    frames: &'static str,
    /// Whether that check sees it without the kept report, after the package's own was made to fit.
    plain: bool,
}

const ALL: &str = "1001-1006";

const fn forgery(
    what: &'static str,
    check: &'static str,
    frames: &'static str,
    damage: fn(&Path),
) -> Forgery {
    Forgery { what, damage, check, frames, plain: true }
}

impl Forgery {
    /// One that nothing in the package betrays.
    const fn perfect(self) -> Self {
        Self { plain: false, ..self }
    }
}

fn beside(dir: &Path, ending: &str) -> PathBuf {
    dir.join(PLATE).join(format!("{PLATE}.{ending}"))
}

/// The picture two columns narrower.
fn crop(image: &mut FlatImage) {
    let layer = &mut image.layer_data[0];
    let width = layer.size.0 - 2;
    for channel in &mut layer.channel_data.list {
        if let FlatSamples::F16(values) = &mut channel.sample_data {
            let rows = values.chunks(layer.size.0);
            *values = rows.flat_map(|row| &row[..width]).copied().collect();
        }
    }
    layer.size.0 = width;
    image.attributes.display_window.size.0 = width;
}

fn to_float(image: &mut FlatImage) {
    for channel in &mut image.layer_data[0].channel_data.list {
        if let FlatSamples::F16(values) = &channel.sample_data {
            let values = values.iter().map(|v| v.to_f32()).collect();
            channel.sample_data = FlatSamples::F32(values);
        }
    }
}

/// The pixels of a frame under the header of the next.
fn freeze(dir: &Path) {
    let before = read_all_flat_layers_from_file(frame(dir, 1003)).expect("a frame");
    edit(&frame(dir, 1004), |image| {
        image.layer_data[0].channel_data = before.layer_data[0].channel_data.clone();
    });
}

fn shift_numbers(dir: &Path) {
    for number in (1001..=1006).rev() {
        std::fs::rename(frame(dir, number), frame(dir, number + 1)).expect("renamed");
    }
}

fn rename_plate(dir: &Path) {
    let to = dir.join("BB_011_PL01_v001");
    std::fs::rename(dir.join(PLATE), &to).expect("renamed");
    for number in 1001..=1006 {
        let [from, to] =
            [PLATE, "BB_011_PL01_v001"].map(|name| to.join(format!("{name}.{number}.exr")));
        std::fs::rename(from, to).expect("renamed");
    }
}

/// The frame of every canvas a tenth narrower.
fn narrow(dir: &Path) {
    let path = dir.join("framing/show.fdl");
    let mut fdl: Value =
        serde_json::from_slice(&std::fs::read(&path).expect("an FDL")).expect("JSON");
    for context in fdl["contexts"].as_array_mut().expect("contexts") {
        for canvas in context["canvases"].as_array_mut().expect("canvases") {
            for decision in canvas["framing_decisions"].as_array_mut().into_iter().flatten() {
                let width = decision["dimensions"]["width"].as_f64().expect("a width");
                decision["dimensions"]["width"] = json!((width * 0.45).round() * 2.0);
            }
        }
    }
    std::fs::write(path, serde_json::to_vec(&fdl).expect("JSON")).expect("the FDL");
}

/// The last frame taken out, and out of the order.
fn shorten(dir: &Path) {
    std::fs::remove_file(frame(dir, 1006)).expect("gone");
    replace(&beside(dir, "amf"), "max=\"1006\"", "max=\"1005\"");
    report(dir, |report| {
        let plate = &mut report["plates"][0];
        plate["frames"] = json!("1001-1005");
        plate["files"].as_array_mut().expect("files").pop();
        plate["source"]["timecodes"][1] = json!("01:00:00:05");
    });
}

const FORGERIES: &[Forgery] = &[
    forgery("a frame lost in the middle", "frame-range", "1003", |d| {
        std::fs::remove_file(frame(d, 1003)).expect("gone");
    }),
    forgery("the last frame lost", "frame-range", "1006", |d| {
        std::fs::remove_file(frame(d, 1006)).expect("gone");
    }),
    forgery("a frame too many at the end", "frame-range", "1007", |d| {
        std::fs::copy(frame(d, 1006), frame(d, 1007)).map(drop).expect("a copy");
    }),
    forgery("a frame too many at the head", "frame-range", "1000", |d| {
        std::fs::copy(frame(d, 1001), frame(d, 1000)).map(drop).expect("a copy");
    }),
    forgery("all numbers one on", "frame-range", "1001", shift_numbers),
    forgery("data window moved", "size", "1004", |d| {
        edit(&frame(d, 1004), |image| {
            image.layer_data[0].attributes.layer_position = Vec2(4, 0);
        });
    }),
    forgery("display window larger", "size", ALL, |d| {
        each(d, |image| image.attributes.display_window.size.0 += 8);
    }),
    forgery("two columns cut off", "size", ALL, |d| each(d, crop)),
    forgery("a channel of another name", "channels", "1002", |d| {
        edit(&frame(d, 1002), |image| {
            image.layer_data[0].channel_data.list[2].name = Text::from("Red");
        });
    }),
    forgery("float where half was asked for", "channels", ALL, |d| each(d, to_float)),
    forgery("a channel lost", "channels", ALL, |d| {
        each(d, |image| {
            image.layer_data[0].channel_data.list.remove(0);
        });
    }),
    forgery("another compression", "compression", ALL, |d| {
        each(d, |image| image.layer_data[0].encoding.compression = Compression::PIZ);
    }),
    forgery("chromaticities taken out", "color", ALL, |d| {
        each(d, |image| image.attributes.chromaticities = None);
    }),
    forgery("chromaticities of Rec.709", "color", ALL, |d| {
        each(d, |image| {
            image.attributes.chromaticities = Some(attribute::Chromaticities {
                red: Vec2(0.64, 0.33),
                green: Vec2(0.30, 0.60),
                blue: Vec2(0.15, 0.06),
                white: Vec2(0.3127, 0.3290),
            });
        });
    }),
    forgery("the colour's id taken out", "color", ALL, |d| {
        each(d, |image| {
            image.layer_data[0].attributes.other.remove(&Text::from("colorInteropID"));
        });
    }),
    forgery("container flag on ZIP", "color", "1001", |d| {
        set_int(&frame(d, 1001), "acesImageContainerFlag", 1);
    }),
    forgery("timecode one frame off, throughout", "timecode", "1001", |d| {
        each(d, |image| {
            image.attributes.time_code.as_mut().expect("a timecode").frame += 1;
        });
    }),
    forgery("another rate", "rate", ALL, |d| {
        each(d, |image| image.layer_data[0].attributes.frames_per_second = Some((25, 1)));
    }),
    forgery("another reel", "header", ALL, |d| {
        (1001..=1006).for_each(|n| set_text(&frame(d, n), "reelName", "B002"));
    }),
    forgery("another clip", "header", ALL, |d| {
        (1001..=1006).for_each(|n| set_text(&frame(d, n), "platefarm:clipName", "B002_C001"));
    }),
    forgery("another camera", "header", ALL, |d| {
        (1001..=1006).for_each(|n| set_text(&frame(d, n), "cameraModel", "Model 9"));
    }),
    forgery("frame counter taken out", "header", "1004", |d| {
        edit(&frame(d, 1004), |image| {
            image.layer_data[0].attributes.other.remove(&Text::from("imageCounter"));
        });
    }),
    forgery("highlights of one frame made otherwise", "decode", "1005", |d| {
        set_text(&frame(d, 1005), "platefarm:highlights", "rebuild v9");
    }),
    forgery("another debayer throughout", "decode", ALL, |d| {
        (1001..=1006).for_each(|n| set_text(&frame(d, n), "platefarm:debayer", "rcd"));
    }),
    forgery("a black frame", "picture", "1003", |d| pixels(&frame(d, 1003), |v| *v = f16::ZERO)),
    forgery("a frozen frame", "picture", "1004", freeze),
    forgery("values that are no numbers", "picture", "1003", |d| {
        pixels(&frame(d, 1003), |v| *v = if v.to_f32() > 0.05 { f16::NAN } else { *v });
    }),
    forgery("a header that lies about its range", "readable", "1003", |d| {
        edit(&frame(d, 1003), |image| {
            let high = AttributeValue::FloatVec3((1.0, 1.0, 1.0));
            image.layer_data[0].attributes.other.insert(Text::from("platefarm:pixelsMax"), high);
        });
    }),
    forgery("a frame cut short", "readable", "1002", |d| {
        let bytes = std::fs::read(frame(d, 1002)).expect("a frame");
        std::fs::write(frame(d, 1002), &bytes[..bytes.len() / 2]).expect("half of it");
    }),
    forgery("the AMF of another plate", "amf", "", |d| {
        let other = d.join(OTHER).join(format!("{OTHER}.amf"));
        std::fs::copy(other, beside(d, "amf")).map(drop).expect("a copy");
    }),
    forgery("an AMF with another input transform", "amf", "", |d| {
        let id = "urn:ampas:aces:transformId:v2.0:CSC.Arri.LogC4_to_ACES.a2.v1";
        let to = format!("<aces:transformId>{id}</aces:transformId>");
        replace(&beside(d, "amf"), &format!("<aces:file>{PLATE}.clf</aces:file>"), &to);
    }),
    forgery("an AMF that says nothing is baked", "amf", "", |d| {
        replace(&beside(d, "amf"), "applied=\"true\"", "applied=\"false\"");
    }),
    forgery("an AMF with another view", "amf", "", |d| {
        replace(&beside(d, "amf"), "</aces:amfInfo>", "</aces:amfInfo>\n<!-- another -->");
    })
    .perfect(),
    forgery("an FDL with another frame", "fdl", "", narrow),
    forgery("the FDL lost", "fdl", "", |d| {
        std::fs::remove_file(d.join("framing/show.fdl")).expect("gone");
    }),
    forgery("a colour decision changed", "grade", "", |d| {
        replace(&beside(d, "cc"), "1.1 1 0.9", "1.2 1 0.9");
    }),
    forgery("a colour decision changed in both files", "grade", "", |d| {
        replace(&beside(d, "cc"), "1.1 1 0.9", "1.2 1 0.9");
        replace(&beside(d, "cdl"), "1.1 1 0.9", "1.2 1 0.9");
    })
    .perfect(),
    forgery("the plate renamed", "naming", ALL, rename_plate),
    forgery("the order made shorter, and the plate with it", "frame-range", "1006", shorten)
        .perfect(),
    forgery("the order changed", "request", "", |d| {
        report(d, |report| report["delivery"]["picture"]["allow_suspect"] = json!(true));
    })
    .perfect(),
    forgery("an empty sidecar", "sidecars", "", |d| {
        std::fs::write(d.join("edit/pull_list.csv"), "").expect("written");
    }),
    forgery("another edit list", "sidecars", "", |d| {
        replace(&d.join("edit/gate.edl"), "01:00:00:06", "01:00:00:05");
    })
    .perfect(),
    forgery("a file among the frames", "sidecars", "", |d| {
        std::fs::write(d.join(PLATE).join("notes.txt"), "late").expect("written");
    }),
];

/// Whether the check that a forgery belongs to names it.
fn named(forgery: &Forgery, found: &Value) -> bool {
    let findings = found["verdict"]["findings"].as_array().cloned().unwrap_or_default();
    assert!(findings.iter().all(|f| f["check"] != "seal"), "the new seal holds: {found:#}");
    findings.iter().any(|finding| {
        finding["check"] == forgery.check
            && finding["severity"] == "failure"
            && (forgery.frames.is_empty() || finding["frames"] == forgery.frames)
            && finding["fault"]["code"].as_str().is_some_and(|code| code.starts_with('F'))
            && finding["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty())
    })
}

fn said(found: &Value) -> String {
    let findings = found["verdict"]["findings"].as_array().cloned().unwrap_or_default();
    let line = |f: &Value| format!("{} {} {}", f["check"], f["frames"], f["fault"]["message"]);
    findings.iter().map(line).collect::<Vec<_>>().join("\n    ")
}

#[test]
fn a_new_seal_hides_nothing() {
    let world = World::new();
    let good = package(&world, 2);
    let kept = world.path("kept.json");
    std::fs::copy(good.join("report.json"), &kept).expect("a copy");
    for against in [&kept, &good] {
        let clean = verdict(&world, &good, &["--against", s(against)]);
        assert_eq!(clean["result"], "pass", "{clean:#}");
        assert_eq!(clean["verdict"]["findings"], json!([]), "{clean:#}");
        assert!(clean["verdict"]["against"].as_str().is_some_and(|a| a.ends_with(".json")));
    }
    let mut wrong = Vec::new();
    for (i, forgery) in FORGERIES.iter().enumerate() {
        let dir = world.path(&format!("forged-{i}"));
        copy(&good, &dir);
        (forgery.damage)(&dir);
        if !forgery.plain {
            seal(&world, &dir);
            let own = verdict(&world, &dir, &[]);
            // Where the report itself was what was forged it cannot know.
            if named(forgery, &own) == forgery.what.starts_with("the order") {
                wrong.push(format!("{}, by its own report:\n    {}", forgery.what, said(&own)));
            }
        }
        rehash(&dir);
        seal(&world, &dir);
        let plain = verdict(&world, &dir, &[]);
        if named(forgery, &plain) != forgery.plain {
            wrong.push(format!("{}, by a report made to fit:\n    {}", forgery.what, said(&plain)));
        }
        // What is seen with a report that was made to fit is seen with a true one.
        if !forgery.plain {
            let against = verdict(&world, &dir, &["--against", s(&kept)]);
            if !named(forgery, &against) || against["result"] != "fail" {
                wrong.push(format!("{}, by the kept one:\n    {}", forgery.what, said(&against)));
            }
        }
        let _ = std::fs::remove_dir_all(&dir);
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), FORGERIES.len(), wrong.join("\n"));
}

#[test]
fn what_a_package_is_held_against_is_a_report() {
    let world = World::new();
    let dir = world.path("theirs");
    std::fs::create_dir_all(&dir).expect("a directory");
    let lost = world.fails("F0101", &["validate", s(&dir), "--against", s(&dir)]);
    assert!(lost["place"].as_str().is_some_and(|place| place.ends_with("report.json")), "{lost}");
    let foreign = dir.join("report.json");
    std::fs::write(&foreign, "{\"made_by\": \"another tool\"}").expect("written");
    world.fails("F0105", &["validate", s(&dir), "--against", s(&foreign)]);
    std::fs::write(&foreign, "no JSON").expect("written");
    world.fails("F0105", &["validate", s(&dir), "--against", s(&foreign)]);
}
