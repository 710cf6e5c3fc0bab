//! The gate: a good package passes, and every way in which packages are known
//! to be sent back is seen and named.

use crate::damage::{
    PLATE, copy, edit, frame, package, pixels, pull, rehash, replace, seal, set_int, set_text,
    verdict,
};
use crate::harness::{World, copy_clip, s};
use exr::prelude::*;
use serde_json::Value;
use std::path::Path;

type Damage = (&'static str, fn(&Path), &'static str, &'static str);

/// What is done to a good package, and the check and the frames that must be named.
const DAMAGES: &[Damage] = &[
    (
        "first frame lost",
        |d| std::fs::remove_file(frame(d, 1001)).expect("gone"),
        "frame-range",
        "1001",
    ),
    (
        "last frame lost",
        |d| std::fs::remove_file(frame(d, 1006)).expect("gone"),
        "frame-range",
        "1006",
    ),
    (
        "middle frame lost",
        |d| std::fs::remove_file(frame(d, 1003)).expect("gone"),
        "frame-range",
        "1003",
    ),
    (
        "one frame too many",
        |d| {
            std::fs::copy(frame(d, 1006), frame(d, 1007)).map(drop).expect("a copy");
        },
        "frame-range",
        "1007",
    ),
    (
        "a frame twice",
        |d| {
            let double = d.join(PLATE).join(format!("{PLATE}.01003.exr"));
            std::fs::copy(frame(d, 1003), double).map(drop).expect("a copy");
        },
        "frame-range",
        "",
    ),
    (
        "padding of another show",
        |d| {
            let to = d.join(PLATE).join(format!("{PLATE}.01003.exr"));
            std::fs::rename(frame(d, 1003), to).expect("renamed");
        },
        "naming",
        "1003",
    ),
    (
        "a blank in a name",
        |d| {
            let to = d.join(PLATE).join("BB 010_PL01_v001.1003.exr");
            std::fs::rename(frame(d, 1003), to).expect("renamed");
        },
        "naming",
        "",
    ),
    (
        "another shot's name",
        |d| {
            for number in 1001..=1006 {
                let to = d.join(PLATE).join(format!("BB_020_PL01_v001.{number}.exr"));
                std::fs::rename(frame(d, number), to).expect("renamed");
            }
        },
        "naming",
        "1001-1006",
    ),
    (
        "directory renamed",
        |d| {
            std::fs::rename(d.join(PLATE), d.join("BB_010_PL01_v002")).expect("renamed");
        },
        "naming",
        "1001-1006",
    ),
    (
        "a frame of another size",
        |d| {
            edit(&frame(d, 1004), |image| {
                let layer = &mut image.layer_data[0];
                let width = layer.size.0 - 2;
                for channel in &mut layer.channel_data.list {
                    if let FlatSamples::F16(values) = &mut channel.sample_data {
                        *values = values
                            .chunks(layer.size.0)
                            .flat_map(|row| &row[..width])
                            .copied()
                            .collect();
                    }
                }
                layer.size.0 = width;
            })
        },
        "size",
        "1004",
    ),
    (
        "picture moved in its window",
        |d| {
            edit(&frame(d, 1004), |image| {
                image.layer_data[0].attributes.layer_position = Vec2(4, 0);
            })
        },
        "size",
        "1004",
    ),
    (
        "float channels",
        |d| {
            edit(&frame(d, 1002), |image| {
                for channel in &mut image.layer_data[0].channel_data.list {
                    if let FlatSamples::F16(values) = &channel.sample_data {
                        channel.sample_data =
                            FlatSamples::F32(values.iter().map(|v| v.to_f32()).collect());
                    }
                }
            })
        },
        "channels",
        "1002",
    ),
    (
        "blue lost",
        |d| {
            edit(&frame(d, 1002), |image| {
                image.layer_data[0].channel_data.list.remove(0);
            })
        },
        "channels",
        "1002",
    ),
    (
        "channels of a layer",
        |d| {
            edit(&frame(d, 1002), |image| {
                for channel in &mut image.layer_data[0].channel_data.list {
                    channel.name = Text::from(format!("beauty.{}", channel.name).as_str());
                }
            })
        },
        "channels",
        "1002",
    ),
    (
        "lossy compression",
        |d| {
            edit(&frame(d, 1005), |image| {
                image.layer_data[0].encoding.compression = Compression::B44;
            })
        },
        "compression",
        "1005",
    ),
    (
        "primaries of Rec.709",
        |d| {
            edit(&frame(d, 1001), |image| {
                image.attributes.chromaticities = Some(attribute::Chromaticities {
                    red: Vec2(0.64, 0.33),
                    green: Vec2(0.30, 0.60),
                    blue: Vec2(0.15, 0.06),
                    white: Vec2(0.3127, 0.3290),
                });
            })
        },
        "color",
        "1001",
    ),
    (
        "colour id of ACEScg",
        |d| set_text(&frame(d, 1001), "colorInteropID", "lin_ap1_scene"),
        "color",
        "1001",
    ),
    (
        "container flag on ZIP",
        |d| set_int(&frame(d, 1001), "acesImageContainerFlag", 1),
        "color",
        "1001",
    ),
    (
        "timecode one frame off",
        |d| {
            edit(&frame(d, 1003), |image| {
                if let Some(code) = &mut image.attributes.time_code {
                    code.frame += 1;
                }
            })
        },
        "timecode",
        "1003",
    ),
    (
        "timecode lost",
        |d| edit(&frame(d, 1003), |image| image.attributes.time_code = None),
        "timecode",
        "1003",
    ),
    (
        "whole plate one frame off",
        |d| {
            for number in 1001..=1006 {
                edit(&frame(d, number), |image| {
                    if let Some(code) = &mut image.attributes.time_code {
                        code.frame += 1;
                    }
                });
            }
        },
        "timecode",
        "1001",
    ),
    (
        "another rate",
        |d| {
            edit(&frame(d, 1002), |image| {
                image.layer_data[0].attributes.frames_per_second = Some((25, 1));
            })
        },
        "rate",
        "1002",
    ),
    (
        "rate lost",
        |d| {
            edit(&frame(d, 1002), |image| {
                image.layer_data[0].attributes.frames_per_second = None;
            })
        },
        "rate",
        "1002",
    ),
    ("frame counter wrong", |d| set_int(&frame(d, 1004), "imageCounter", 1005), "header", "1004"),
    (
        "empty text",
        |d| {
            edit(&frame(d, 1004), |image| {
                image.layer_data[0].attributes.owner = Some(Text::from(""));
            });
        },
        "header",
        "1004",
    ),
    ("another reel", |d| set_text(&frame(d, 1004), "reelName", "B002"), "header", "1004"),
    (
        "another debayer for one frame",
        |d| set_text(&frame(d, 1005), "platefarm:debayer", "rcd"),
        "decode",
        "1005",
    ),
    (
        "another version of it",
        |d| set_int(&frame(d, 1005), "platefarm:debayerVersion", 9),
        "decode",
        "1005",
    ),
    (
        "another white balance",
        |d| {
            edit(&frame(d, 1005), |image| {
                let attributes = &mut image.layer_data[0].attributes.other;
                attributes.insert(
                    Text::from("platefarm:whiteBalance"),
                    AttributeValue::FloatVec3((2.0, 1.0, 1.5)),
                );
            })
        },
        "decode",
        "1005",
    ),
    (
        "another framing for one frame",
        |d| set_text(&frame(d, 1005), "platefarm:offset", "1 0"),
        "decode",
        "1005",
    ),
    (
        "source frames off by one",
        |d| {
            for number in 1001..=1006 {
                let index = i32::try_from(number - 1001 + 1).expect("small") + 1;
                set_int(&frame(d, number), "platefarm:sourceFrame", index);
            }
        },
        "decode",
        "1001-1006",
    ),
    (
        "AMF lost",
        |d| std::fs::remove_file(d.join(format!("{PLATE}/{PLATE}.amf"))).expect("gone"),
        "amf",
        "",
    ),
    (
        "AMF of other frames",
        |d| replace(&d.join(format!("{PLATE}/{PLATE}.amf")), "max=\"1006\"", "max=\"1048\""),
        "amf",
        "",
    ),
    (
        "AMF with nothing applied",
        |d| {
            replace(
                &d.join(format!("{PLATE}/{PLATE}.amf")),
                "applied=\"true\"",
                "applied=\"false\"",
            )
        },
        "amf",
        "",
    ),
    (
        "AMF of another clip",
        |d| replace(&d.join(format!("{PLATE}/{PLATE}.amf")), PLATE, "XX_010_PL01_v001"),
        "amf",
        "",
    ),
    (
        "CLF changed behind the AMF",
        |d| replace(&d.join(format!("{PLATE}/{PLATE}.clf")), "</ProcessList>", "</ProcessList>\n"),
        "amf",
        "",
    ),
    ("FDL lost", |d| std::fs::remove_file(d.join("framing/show.fdl")).expect("gone"), "fdl", ""),
    (
        "FDL that cannot be read",
        |d| std::fs::write(d.join("framing/show.fdl"), "{").expect("written"),
        "fdl",
        "",
    ),
    (
        "FDL lost from a header",
        |d| {
            edit(&frame(d, 1006), |image| {
                image.layer_data[0].attributes.other.remove(&Text::from("ascFramingDecisionList"));
            })
        },
        "fdl",
        "1006",
    ),
    (
        "colour decision without numbers",
        |d| replace(&d.join(format!("{PLATE}/{PLATE}.cc")), "1.1 1 0.9", "1.1 one"),
        "grade",
        "",
    ),
    ("black frame", |d| pixels(&frame(d, 1003), |v| *v = f16::ZERO), "picture", "1003"),
    (
        "frozen frame",
        |d| std::fs::copy(frame(d, 1003), frame(d, 1004)).map(drop).expect("a copy"),
        "picture",
        "1004",
    ),
    (
        "values that are no numbers",
        |d| pixels(&frame(d, 1003), |v| *v = if v.to_f32() > 0.05 { f16::NAN } else { *v }),
        "readable",
        "1003",
    ),
    (
        "pixels graded",
        |d| pixels(&frame(d, 1003), |v| *v = f16::from_f32(v.to_f32() * 0.5)),
        "readable",
        "1003",
    ),
    (
        "a frame cut short",
        |d| {
            let bytes = std::fs::read(frame(d, 1002)).expect("a frame");
            std::fs::write(frame(d, 1002), &bytes[..bytes.len() / 2]).expect("half of it");
        },
        "readable",
        "1002",
    ),
    (
        "a byte turned",
        |d| {
            let mut bytes = std::fs::read(frame(d, 1002)).expect("a frame");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x10;
            std::fs::write(frame(d, 1002), bytes).expect("the frame");
        },
        "seal",
        "",
    ),
    (
        "a frame rendered again",
        |d| {
            let image = read_all_flat_layers_from_file(frame(d, 1002)).expect("a frame");
            image.write().to_file(frame(d, 1002)).expect("the frame");
        },
        "hash",
        "1002",
    ),
    (
        "pull list lost",
        |d| std::fs::remove_file(d.join("edit/pull_list.csv")).expect("gone"),
        "complete",
        "",
    ),
    (
        "a file added",
        |d| std::fs::write(d.join("edit/notes.txt"), "late").expect("written"),
        "seal",
        "",
    ),
    ("the seal lost", |d| std::fs::remove_dir_all(d.join("ascmhl")).expect("gone"), "seal", ""),
    (
        "the report changed",
        |d| replace(&d.join("report.json"), "\"gate\",", "\"gale\","),
        "seal",
        "",
    ),
];

#[test]
fn every_damage_is_named() {
    let world = World::new();
    let good = package(&world, 1);
    let report: Value =
        serde_json::from_slice(&std::fs::read(good.join("report.json")).expect("a report"))
            .expect("JSON");
    assert_eq!(report["released"], true, "{}", report["gate"]);
    let clean = verdict(&world, &good, &[]);
    assert_eq!(
        (&clean["result"], clean["verdict"]["findings"].as_array().map(Vec::len)),
        (&Value::from("pass"), Some(0)),
        "{clean:#}"
    );
    let mut unseen = Vec::new();
    for (i, (what, damage, check, frames)) in DAMAGES.iter().enumerate() {
        let dir = world.path(&format!("damaged-{i}"));
        copy(&good, &dir);
        damage(&dir);
        let found = verdict(&world, &dir, &[]);
        let findings = found["verdict"]["findings"].as_array().cloned().unwrap_or_default();
        let named = findings.iter().any(|finding| {
            finding["check"] == *check
                && finding["severity"] == "failure"
                && (frames.is_empty() || finding["frames"].as_str() == Some(frames))
                && finding["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty())
        });
        if !named || found["result"] != "fail" {
            let said: Vec<String> = findings
                .iter()
                .map(|f| format!("{} {} {}", f["check"], f["frames"], f["fault"]["message"]))
                .collect();
            unseen.push(format!("{what}: wanted {check} {frames}, said {said:#?}"));
        }
        let _ = std::fs::remove_dir_all(&dir);
    }
    assert!(unseen.is_empty(), "{} of {}:\n{}", unseen.len(), DAMAGES.len(), unseen.join("\n"));
}

/// Plates without a report, a seal or a record of ours: what can be checked is.
#[test]
fn packages_of_others_are_checked_as_far_as_they_say_something() {
    let world = World::new();
    let dir = world.path("theirs/SH010_v003");
    std::fs::create_dir_all(&dir).expect("a directory");
    for number in 1001..=1004 {
        let shade = number as f32 / 1000.0;
        let pixel = move |at: Vec2<usize>| {
            let noise = (at.0 * 7 + at.1 * 13) as f32 / 1000.0;
            (f16::from_f32(shade + noise), f16::from_f32(noise), f16::from_f32(shade))
        };
        let mut image = Image::from_channels((64, 32), SpecificChannels::rgb(pixel));
        image.attributes.chromaticities = None;
        image.layer_data.encoding = Encoding {
            compression: Compression::ZIP16,
            blocks: Blocks::ScanLines,
            line_order: LineOrder::Increasing,
        };
        image.write().to_file(dir.join(format!("SH010_v003.{number}.exr"))).expect("a frame");
    }
    let whole = verdict(&world, &world.path("theirs"), &[]);
    assert_eq!(whole["result"], "pass", "{whole:#}");
    assert_eq!(whole["verdict"]["against"], "");
    let skipped: Vec<&str> = whole["verdict"]["not_checked"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["check"].as_str())
        .collect();
    for check in ["complete", "seal", "frame-range", "decode", "amf", "fdl"] {
        assert!(skipped.contains(&check), "{check} in {skipped:?}");
    }
    for check in ["color", "complete"] {
        assert_eq!(severity(&whole, check), "warning", "{whole:#}");
    }
    std::fs::remove_file(dir.join("SH010_v003.1002.exr")).expect("gone");
    let holed = verdict(&world, &world.path("theirs"), &[]);
    assert_eq!(holed["result"], "fail", "{holed:#}");
    let mut failed = holed["verdict"]["findings"].as_array().expect("a list").iter();
    let first = failed.find(|finding| finding["severity"] == "failure").expect("a failure");
    assert_eq!(first["frames"], "1002", "{holed:#}");
}

/// How much the finding of a check matters.
fn severity<'v>(found: &'v Value, check: &str) -> &'v Value {
    let mut all = found["verdict"]["findings"].as_array().expect("a list").iter();
    all.find(|finding| finding["check"] == check).map_or(&Value::Null, |one| &one["severity"])
}

/// A package that has lost what was asked for, and is sealed again so, is not taken for somebody
/// else's; frames that were taken out of one are, with a warning.
#[test]
fn a_pull_without_its_report_does_not_pass() {
    let world = World::new();
    let good = package(&world, 1);
    let foreign: fn(&Path) = |report| std::fs::write(report, "{}").expect("written");
    let lost: fn(&Path) = |report| std::fs::remove_file(report).expect("gone");
    for (i, damage) in [lost, foreign].into_iter().enumerate() {
        let dir = world.path(&format!("orphan-{i}"));
        copy(&good, &dir);
        damage(&dir.join("report.json"));
        seal(&world, &dir);
        let found = verdict(&world, &dir, &[]);
        assert_eq!(found["result"], "fail", "{found:#}");
        assert_eq!(severity(&found, "complete"), "failure", "{found:#}");
    }
    let plate = world.path("handed-on");
    copy(&good.join(PLATE), &plate.join(PLATE));
    let found = verdict(&world, &plate, &[]);
    assert_eq!(found["result"], "pass", "{found:#}");
    assert_eq!(severity(&found, "complete"), "warning", "{found:#}");
}

/// A movie that lacks pictures, or broke off, under a report and a seal that were made to fit.
#[test]
fn a_movie_is_held_against_its_plate() {
    let world = World::new();
    copy_clip("beachball", &world.path("media/A001"));
    let mut args = pull(&world, 1);
    let spec = args.iter().position(|arg| arg == "--spec").expect("a spec");
    args[spec + 1] = "review".to_owned();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    assert_eq!(world.json(&args)["phase"], "done");
    let good = world.path("out");
    let whole = verdict(&world, &good, &[]);
    assert_eq!(whole["verdict"]["findings"], serde_json::json!([]), "{whole:#}");
    let movie = format!("review/{PLATE}.mp4");
    let shorten: fn(&Path) = |movie| {
        let whole = movie.with_extension("whole.mp4");
        std::fs::rename(movie, &whole).expect("renamed");
        let mut ffmpeg = std::process::Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-i", s(&whole), "-frames:v", "5", s(movie)]);
        assert!(ffmpeg.status().expect("FFmpeg").success());
        std::fs::remove_file(whole).expect("gone");
    };
    let cut: fn(&Path) = |movie| {
        let bytes = std::fs::read(movie).expect("a movie");
        std::fs::write(movie, &bytes[..bytes.len() - 100]).expect("most of it");
    };
    for (i, damage) in [shorten, cut].into_iter().enumerate() {
        let dir = world.path(&format!("movie-{i}"));
        copy(&good, &dir);
        damage(&dir.join(&movie));
        rehash(&dir);
        seal(&world, &dir);
        let found = verdict(&world, &dir, &[]);
        assert_eq!(severity(&found, "movie"), "failure", "{found:#}");
    }
}
