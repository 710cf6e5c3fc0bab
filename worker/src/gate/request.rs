//! What was asked for, as far as the gate holds a package against it. Made of
//! a package's own report; a package of others has none, and what then can be
//! checked is what must hold for any.

use crate::package::{PackageReport, PlateReport};
use platefarm_model::{FrameRange, FrameRate};
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
    /// What the request itself says is missing.
    pub missing: Vec<String>,
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
    /// Whether the media is a sensor's, whose noise makes every frame another.
    pub sensor: bool,
    /// Whether an FDL decided the framing.
    pub framed: bool,
    /// Hashes of its files, by their number.
    pub hashes: BTreeMap<i64, String>,
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
        }
    }

    fn plate(report: &PackageReport, plate: &PlateReport) -> PlateRequest {
        let settings = &report.settings;
        PlateRequest {
            name: plate.name.clone(),
            frames: Some(plate.frames),
            padding: report.delivery.naming.padding.into(),
            size: Some(plate.size),
            color: settings.color.clone(),
            compression: settings.compression.split(' ').next().unwrap_or_default().into(),
            debayer: if plate.source.sensor { settings.debayer.clone() } else { String::new() },
            source_first: plate.source.indices.first(),
            timecodes: plate.source.timecodes.clone(),
            rate: plate.source.rate,
            reel: plate.source.reel.clone(),
            sensor: plate.source.sensor,
            framed: settings.fdl.is_some(),
            hashes: plate.files.iter().map(|file| (file.frame, file.xxh128.clone())).collect(),
        }
    }
}
