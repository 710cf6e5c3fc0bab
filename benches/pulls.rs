//! How long a plan takes: a list of 2,000 events against 100,000 clips, from
//! memory and from a library on disk.
//!
//! `cargo xtask bench pulls [--events N] [--clips N]`

use platefarm_model::clip::{ClipInfo, Identity, Picture, Timing};
use platefarm_model::delivery::Delivery;
use platefarm_model::pull::Document;
use platefarm_model::raw::Rect;
use platefarm_model::recipe::Backend;
use platefarm_model::{FrameRate, Timecode, Timestamp};
use platefarm_scheduler::library::{Library, Of, Search};
use platefarm_scheduler::pulls::{self, BAR, Choices, ClipKey, Media, PullRequest};
use platefarm_scheduler::store::Place;
use platefarm_standards::editlist::EditList;
use platefarm_standards::edl;
use std::collections::HashMap;
use std::fmt::Write;
use std::time::Instant;

const RATE: FrameRate = FrameRate::FPS_24;

/// Rolls of 40 clips on four cameras, time of day, as weeks of shooting leave them.
fn clip(i: usize) -> ClipInfo {
    let (camera, roll, number) = (i % 4, i / 160 % 1000, i / 4 % 40 + 1);
    let day = i / 160_000;
    let letter = ['A', 'B', 'C', 'D'][camera];
    let name = format!(
        "{letter}{roll:03}C{number:03}_{:02}{:02}{:02}_R{:03X}",
        20 + day % 6,
        i / 8000 % 12 + 1,
        i / 640 % 28 + 1,
        i % 4096
    );
    let start = (i as i64 / 4 * 977) % (24 * 86_400);
    let raster = Rect::of_size(4448, 3096);
    ClipInfo {
        path: format!("/ocf/{letter}{roll:03}/{name}/{name}.mxf"),
        identity: Identity {
            clip_name: name,
            reel_name: Some(format!("{letter}{roll:03}R{:03X}", i % 4096)),
            camera_letter: Some(letter.into()),
            ..Identity::default()
        },
        timing: Timing {
            start: Some(Timecode { frames: start, rate: RATE, drop_frame: false }),
            rate: Some(RATE),
            frame_count: 720,
            ..Timing::default()
        },
        picture: Picture {
            width: 4448,
            height: 3096,
            photosites: [4448, 3096],
            active: raster,
            crop: raster,
            pixel_aspect: 1.0,
            bit_depth: 12,
            format: "ari".into(),
            compression: "none".into(),
            cfa: Some("rggb".into()),
            ..Picture::default()
        },
        ..ClipInfo::default()
    }
}

/// Nine in ten by their whole names; the rest cut, with other separators, or not there at all.
fn list(clips: &[ClipInfo], events: usize) -> EditList {
    let mut text = String::from("TITLE: BENCH\n");
    for i in 0..events {
        let clip = &clips[i * 7919 % clips.len()];
        let name = &clip.identity.clip_name;
        let reel = match i % 40 {
            0 => name[..8].to_owned(),
            1 => name.replace('_', "-"),
            2 => format!("Z{}", &name[1..]),
            3 => name.replacen("C0", "CO", 1),
            _ => name.clone(),
        };
        let at = clip.timing.start.map_or(0, |start| start.frames) + 100;
        let tc = |frames| Timecode { frames, rate: RATE, drop_frame: false };
        let _ = writeln!(
            text,
            "{:06}  {reel} V C {} {} {} {}",
            i + 1,
            tc(at),
            tc(at + 48),
            tc(86_400 + 48 * i as i64),
            tc(86_448 + 48 * i as i64)
        );
    }
    edl::parse(text.as_bytes(), RATE).expect("a list")
}

fn request<'a>(edl: &'a EditList, media: Media<'a>) -> PullRequest<'a> {
    PullRequest {
        name: "bench".into(),
        show: "bench".into(),
        edl,
        edl_document: Document { name: "bench.edl".into(), text: "".into() },
        rate: RATE,
        media,
        choices: Choices::default(),
        bar: BAR,
        fdl: None,
        fdl_name: None,
        look: None,
        delivery: Delivery::default(),
        defaulted: Vec::new(),
        previous: Vec::new(),
        documents: Vec::new(),
        out_dir: "/out".into(),
        plate_version: 1,
        backend: Backend::Cpu,
        repairs: platefarm_model::repair::Repairs::default(),
        amf: None,
        template_said: false,
        notes: Vec::new(),
        seed: "bench".into(),
        now: Timestamp(1_795_000_000_000_000),
    }
}

/// The number behind `name` on the command line.
fn argument(name: &str, default: usize) -> usize {
    let mut arguments = std::env::args().skip_while(|a| a != name).skip(1);
    arguments.next().map_or(default, |value| value.parse().expect("a number"))
}

fn seconds<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let made = work();
    println!("| {what} | {:.3} |", begun.elapsed().as_secs_f64());
    made
}

fn main() {
    let (events, count) = (argument("--events", 2000), argument("--clips", 100_000));
    println!("{events} events, {count} clips\n\n| step | seconds |\n|---|---|");
    let clips: Vec<ClipInfo> = (0..count).map(clip).collect();
    let edl = list(&clips, events);
    let whole = seconds("plan, clips in memory", || {
        pulls::plan(&request(&edl, Media::of(&clips))).expect("a plan")
    });
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let dir = tempfile::tempdir().expect("a directory");
    let library = runtime
        .block_on(Library::open(&Place::Sqlite(dir.path().join("library.db"))))
        .expect("a library");
    seconds("library: add all clips", || {
        runtime.block_on(library.add("bench", &clips)).expect("added")
    });
    let (ids, keys): (Vec<i64>, Vec<ClipKey>) = seconds("library: read all keys", || {
        runtime.block_on(library.keys(Of::Any)).expect("keys")
    });
    let some: HashMap<usize, ClipInfo> = seconds("library: match, and read what matched", || {
        let wanted: Vec<usize> =
            pulls::wanted(&edl, &keys, &Choices::default(), BAR).into_iter().collect();
        let wanted_ids: Vec<i64> = wanted.iter().map(|place| ids[*place]).collect();
        let clips = runtime.block_on(library.clips(&wanted_ids)).expect("clips");
        wanted.into_iter().zip(clips).collect()
    });
    let made = seconds("library: plan", || {
        pulls::plan(&request(&edl, Media::of_library(&keys, &some))).expect("a plan")
    });
    seconds("library: search one word", || {
        let search = Search::parse(&["c017_2"]).expect("a search");
        runtime.block_on(library.search(&search, 100)).expect("found")
    });
    let (plates, rejected) = (made.package.plates.len(), made.package.rejected.len());
    println!("\n{plates} plates, {rejected} events without a clip or with several");
    assert_eq!(plates, whole.package.plates.len());
}
