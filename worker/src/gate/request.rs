//! What was asked for, as far as the gate holds a package against it. Made of
//! a package's own report; a package of others has none, and what then can be
//! checked is what must hold for any.

use crate::package::{PackageReport, PlateReport};
use platefarm_model::{Fault, FrameRange, FrameRate, FrameSet};
use std::collections::BTreeMap;

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// Where it stands: `report.json`; empty when nothing is known.
    pub from: String,
    /// The plates.
    pub plates: Vec<PlateRequest>,
    /// Sidecars that must be there, relative to the package.
    pub sidecars: Vec<String>,
    /// Hashes of their content, by their names.
    pub documents: BTreeMap<String, String>,
    /// Movies of the plates.
    pub movies: Vec<MovieRequest>,
    /// Directory of thumbnails, where they are files.
    pub thumbnails: Option<String>,
    /// What the request itself says is missing.
    pub missing: Vec<String>,
}

/// What was asked of one movie.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MovieRequest {
    /// Its file, relative to the package.
    pub file: String,
    /// The plate that it is of.
    pub plate: String,
    /// How many pictures it has: those of the plate's frames that are there.
    pub frames: u64,
    /// Pictures per second.
    pub rate: Option<FrameRate>,
    /// Size of its pictures, where the spec says one.
    pub size: Option<[u32; 2]>,
}

/// What was asked of one plate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlateRequest {
    /// Its name: that of its directory and of its files.
    pub name: String,
    /// Its frames.
    pub frames: Option<FrameRange>,
    /// Digits of a frame number.
    pub padding: usize,
    /// Size in pixels.
    pub size: Option<[u32; 2]>,
    /// Colour of the pixels.
    pub color: String,
    /// EXR compression.
    pub compression: String,
    /// Debayer and its version, `ri v1`; empty for media that needs none.
    pub debayer: String,
    /// Index within the clip of the first frame.
    pub source_first: i64,
    /// Timecode of the first and the last frame, as text.
    pub timecodes: Option<[String; 2]>,
    /// Rate of the clip.
    pub rate: Option<FrameRate>,
    /// Reel of the clip.
    pub reel: Option<String>,
    /// Name of the clip.
    pub clip: String,
    /// Maker and model of the camera.
    pub camera: Option<String>,
    /// What was done about hot pixels and highlights, as headers say it; empty where it is not known.
    pub repairs: [String; 2],
    /// Whose the pictures are, where somebody wants it said.
    pub owner: Option<String>,
    /// Whether the edit holds one picture.
    pub freeze: bool,
    /// Whether black, flat and frozen pictures are meant.
    pub allow_suspect: bool,
    /// Whether the media is a sensor's, whose noise makes every frame another.
    pub sensor: bool,
    /// Whether an FDL decided the framing.
    pub framed: bool,
    /// Frames that were taken over from an earlier delivery, headers and all.
    pub reused: FrameSet,
    /// What the media lacks of the frames that the event shows.
    pub short: Vec<Fault>,
    /// Hashes of its files, by their number.
    pub hashes: BTreeMap<i64, String>,
}

impl PlateRequest {
    /// Everything it asks for, as text by which two can be compared.
    fn said(&self) -> Vec<(&'static str, String)> {
        let hashes: String =
            self.hashes.iter().map(|(frame, hash)| format!("{frame}{hash}")).collect();
        vec![
            ("frames", self.frames.map_or_else(String::new, |frames| frames.to_string())),
            ("digits of a frame number", self.padding.to_string()),
            ("size", self.size.map_or_else(String::new, |[w, h]| format!("{w}x{h}"))),
            ("colour", self.color.clone()),
            ("compression", self.compression.clone()),
            ("debayer", self.debayer.clone()),
            ("hot pixels and highlights", self.repairs.join(", ")),
            ("first source frame", self.source_first.to_string()),
            ("timecode", self.timecodes.as_ref().map_or_else(String::new, |all| all.join(" - "))),
            ("rate", self.rate.map_or_else(String::new, |rate| rate.to_string())),
            ("reel", self.reel.clone().unwrap_or_default()),
            ("clip", self.clip.clone()),
            ("camera", self.camera.clone().unwrap_or_default()),
            ("owner", self.owner.clone().unwrap_or_default()),
            ("sensor", self.sensor.to_string()),
            ("pictures that are meant to be black or frozen", self.allow_suspect.to_string()),
            ("a held picture", self.freeze.to_string()),
            ("framing by an FDL", self.framed.to_string()),
            ("hashes of frames", platefarm_media::hash::xxh128(hashes.as_bytes())),
        ]
    }
}

impl Request {
    /// What a report says was asked for.
    #[must_use]
    pub fn of(report: &PackageReport) -> Self {
        let whole = report.plates.iter().filter(|plate| !plate.complete);
        let missing = whole.map(|plate| format!("{} lacks frames {}", plate.name, plate.missing));
        let rejected = report.rejected.iter().map(|one| format!("no plate: {}", one.fault));
        Self {
            from: "report.json".into(),
            missing: missing.chain(rejected).collect(),
            plates: report.plates.iter().map(|plate| Self::plate(report, plate)).collect(),
            sidecars: report.sidecars.clone(),
            documents: report.documents.clone(),
            movies: report.plates.iter().flat_map(|plate| Self::movies(report, plate)).collect(),
            thumbnails: report.thumbnails.clone(),
        }
    }

    /// The movies of a plate that were delivered.
    fn movies(report: &PackageReport, plate: &PlateReport) -> Vec<MovieRequest> {
        let asked = report.delivery.movies.iter();
        let movies = asked.map(|movie| {
            let [head, tail] = if movie.cut_handles { plate.handles } else { [0, 0] };
            let from = plate.frames.first() + i64::from(head);
            let to = plate.frames.last() - i64::from(tail);
            let shown = plate.files.iter().filter(|file| (from..=to).contains(&file.frame));
            MovieRequest {
                file: movie.file_of(&plate.name),
                plate: plate.name.clone(),
                frames: shown.count() as u64,
                rate: Some(plate.source.rate.unwrap_or(report.rate)),
                size: movie.size,
            }
        });
        movies.filter(|movie| report.sidecars.contains(&movie.file)).collect()
    }

    /// What another request says otherwise, with the plate that it is about.
    #[must_use]
    pub fn apart(&self, other: &Self) -> Vec<(Option<&str>, String)> {
        let mut apart = Vec::new();
        for plate in &self.plates {
            let Some(theirs) = other.plates.iter().find(|theirs| theirs.name == plate.name) else {
                apart.push((Some(plate.name.as_str()), "the report knows no such plate".into()));
                continue;
            };
            let both = plate.said().into_iter().zip(theirs.said());
            for ((what, mine), (_, theirs)) in
                both.filter(|((_, mine), (_, theirs))| mine != theirs)
            {
                let message = format!("{what}: the report says {theirs}, {mine} was asked for");
                apart.push((Some(&plate.name), message));
            }
        }
        let known = |name: &String| self.plates.iter().any(|plate| plate.name == *name);
        let more = other.plates.iter().map(|plate| &plate.name).filter(|name| !known(name));
        apart.extend(more.map(|name| (None, format!("the report has a plate '{name}' more"))));
        for (what, mine, theirs) in [
            ("missing", &self.missing, &other.missing),
            ("sidecars", &self.sidecars, &other.sidecars),
        ] {
            if mine != theirs {
                apart.push((None, format!("{what}: the report does not say what was delivered")));
            }
        }
        if self.documents != other.documents {
            apart.push((None, "the report has other hashes of sidecars".into()));
        }
        apart
    }

    fn plate(report: &PackageReport, plate: &PlateReport) -> PlateRequest {
        let settings = &report.settings;
        let repairs = [&settings.hot_pixels, &settings.highlights];
        let sensor = plate.source.sensor;
        PlateRequest {
            name: plate.name.clone(),
            frames: Some(plate.frames),
            padding: report.delivery.naming.padding.into(),
            size: Some(plate.size),
            color: settings.color.clone(),
            compression: settings.compression.split(' ').next().unwrap_or_default().into(),
            debayer: if sensor { settings.debayer.clone() } else { String::new() },
            repairs: repairs.map(|one| if sensor { one.clone() } else { String::new() }),
            clip: plate.source.clip.clone(),
            camera: plate.source.camera.clone(),
            owner: report.delivery.headers.owner.clone(),
            freeze: plate.retime.as_ref().is_some_and(|retime| retime.speed == 0.0),
            allow_suspect: report.delivery.picture.allow_suspect,
            source_first: plate.source.indices.first(),
            timecodes: plate.source.timecodes.clone(),
            rate: plate.source.rate,
            reel: plate.source.reel.clone(),
            sensor,
            framed: settings.fdl.is_some(),
            reused: plate.reused.clone(),
            short: plate.short().cloned().collect(),
            hashes: plate.files.iter().map(|file| (file.frame, file.xxh128.clone())).collect(),
        }
    }
}
