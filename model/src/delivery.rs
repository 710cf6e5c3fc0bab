//! What a delivery is to be: a delivery spec, resolved. Files that say it are
//! short, since every setting has a default; `scheduler::pulls::delivery`
//! reads them in layers and says which settings nobody gave.

use crate::recipe::{Compression, Debayer, Filter, HeaderTexts, OutputColor};
use serde::{Deserialize, Serialize};

/// A delivery spec, complete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Delivery {
    /// Name of the spec.
    pub name: String,
    /// What it is for, in a line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Frames to add before and after each event.
    pub handles: u32,
    /// What becomes of a clip that the edit uses more than once.
    pub repeated: Repeated,
    /// The pixels of a plate.
    pub picture: PictureSpec,
    /// What plates are called.
    pub naming: NamingSpec,
    /// What is said in every header.
    #[serde(skip_serializing_if = "HeaderTexts::is_empty")]
    pub headers: HeaderTexts,
    /// What stands beside the plates.
    pub sidecars: SidecarSpec,
    /// Movies of each plate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub movies: Vec<MovieSpec>,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            name: "default".into(),
            description: String::new(),
            handles: 8,
            repeated: Repeated::default(),
            picture: PictureSpec::default(),
            naming: NamingSpec::default(),
            headers: HeaderTexts::default(),
            sidecars: SidecarSpec::default(),
            movies: Vec::new(),
        }
    }
}

/// What becomes of a clip that the edit uses more than once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Repeated {
    /// A plate for each use.
    #[default]
    Each,
    /// One plate for uses of the same shot whose frames, handles included, touch or overlap.
    Once,
}

/// The pixels of a plate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PictureSpec {
    /// EXR compression.
    pub compression: Compression,
    /// Colour.
    pub color: OutputColor,
    /// Debayer.
    pub debayer: Debayer,
    /// Filter of the resample; none chooses by the scale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// Whether resampled values stay within the range of the pixels that they are made of.
    pub antiring: bool,
    /// Whether a plate may be larger than its source.
    pub allow_upres: bool,
    /// Whether black, flat and frozen pictures are meant: then they keep no package from its release.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_suspect: bool,
    /// Id of the FDL's canvas template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Id of the framing intent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// Without an FDL: the size into which the full source is fitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<[u32; 2]>,
}

/// What plates are called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NamingSpec {
    /// Template of a plate's name; see `scheduler::pulls::naming`.
    pub plate: String,
    /// Number of the first delivered frame, head handle included.
    pub first_frame: i64,
    /// Digits of a frame number.
    pub padding: u8,
    /// On a re-pull, whether a frame of the media keeps its number even where the head grew;
    /// else the first frame has the same number in every version.
    pub keep_numbers: bool,
    /// Colour of the markers that name shots; where it is not said, any marker may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker_color: Option<String>,
}

impl Default for NamingSpec {
    fn default() -> Self {
        Self {
            plate: Self::PLATE.into(),
            first_frame: 1001,
            padding: 4,
            keep_numbers: false,
            marker_color: None,
        }
    }
}

impl NamingSpec {
    /// `AGM_104_065_010_PL01_v001`: shot, plate and version (Netflix Partner Help 360055781274).
    pub const PLATE: &'static str = "{shot}_PL{plate:02}_v{version:03}";
}

/// What stands beside the plates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SidecarSpec {
    /// Colour decisions of the list as `.cc` and `.cdl`.
    pub cdl: bool,
    /// The pull list as CSV and ALE.
    pub pull_list: bool,
    /// A picture of each plate as it looks on a display, to compare colour with.
    pub stills: bool,
}

impl Default for SidecarSpec {
    fn default() -> Self {
        Self { cdl: true, pull_list: true, stills: false }
    }
}

/// A movie of each plate: for review, or as an editorial proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MovieSpec {
    /// Directory of the package that holds them.
    pub directory: String,
    /// Codec and its profile.
    pub codec: MovieCodec,
    /// Size; the picture is fitted into it, smaller or larger, and padded with black. None keeps the plate's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<[u32; 2]>,
    /// Whether plate, frame number and timecode are written into the picture.
    #[serde(default)]
    pub burn_in: bool,
    /// Whether the handles are left out.
    #[serde(default)]
    pub cut_handles: bool,
}

impl MovieSpec {
    /// File of the movie of a plate, relative to the package.
    #[must_use]
    pub fn file_of(&self, plate: &str) -> String {
        format!("{}/{plate}.{}", self.directory, self.codec.extension())
    }
}

/// Codec of a movie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MovieCodec {
    /// H.264, 8 bit 4:2:0, in MP4.
    H264,
    /// DNxHR LB, 8 bit 4:2:2, in MOV.
    DnxhrLb,
    /// DNxHR SQ, 8 bit 4:2:2, in MOV.
    DnxhrSq,
    /// DNxHR HQX, 10 bit 4:2:2, in MOV.
    DnxhrHqx,
    /// ProRes 422 Proxy, in MOV.
    ProresProxy,
    /// ProRes 422 LT, in MOV.
    ProresLt,
    /// ProRes 422 HQ, in MOV.
    ProresHq,
}

impl MovieCodec {
    /// Every codec.
    pub const ALL: &[Self] = &[
        Self::H264,
        Self::DnxhrLb,
        Self::DnxhrSq,
        Self::DnxhrHqx,
        Self::ProresProxy,
        Self::ProresLt,
        Self::ProresHq,
    ];

    /// Ending of its files.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::H264 => "mp4",
            _ => "mov",
        }
    }
}

/// What holds for all pulls of a show, where a pull does not say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShowDefaults {
    /// Name of the show.
    pub show: String,
    /// Rate of its edit lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<crate::FrameRate>,
    /// Delivery spec: a shipped profile's name, or a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<String>,
    /// Framing decision list, a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fdl: Option<String>,
    /// ACES metadata file with the show's look, a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amf: Option<String>,
}
