//! What is to be done to a clip's pixels: values that `standards` computes,
//! jobs carry, and `shaders` runs.

use crate::FrameRange;
pub use crate::color::recipe::{ColorFile, ColorRecipe, ColorStep, OutputColor};
use crate::repair::Repairs;
use serde::{Deserialize, Serialize};

/// Which form of the image operations runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// The GPU when the machine has a real one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU, software drivers included; an error when there is none.
    Gpu,
}

/// Reconstruction filter of the resample. Kernels are normalised, separable,
/// and widened by the scale per axis when they shrink the picture. Names are
/// those of OpenImageIO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// Windowed sinc, 3 lobes: sharp, with some overshoot. The default when shrinking.
    #[default]
    Lanczos3,
    /// Mitchell-Netravali (1/3, 1/3): little overshoot. The default when enlarging.
    Mitchell,
    /// Catmull-Rom: interpolating cubic. Also known as `keys`.
    CatmullRom,
    /// The window of Blackman and Harris, 3 pixels wide: soft, no overshoot.
    BlackmanHarris,
    /// Linear interpolation.
    Triangle,
    /// Keys' cubic with a = 0, a smooth step from pixel to pixel: no overshoot.
    Cubic,
    /// The mean over the area that a delivered pixel covers, exactly.
    Box,
}

impl Filter {
    /// Every filter, in the order help lists them.
    pub const ALL: &[Self] = &[
        Self::Lanczos3,
        Self::Mitchell,
        Self::CatmullRom,
        Self::BlackmanHarris,
        Self::Triangle,
        Self::Cubic,
        Self::Box,
    ];

    /// Its name on the command line, in recipes and in headers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lanczos3 => "lanczos3",
            Self::Mitchell => "mitchell",
            Self::CatmullRom => "catmull-rom",
            Self::BlackmanHarris => "blackman-harris",
            Self::Triangle => "triangle",
            Self::Cubic => "cubic",
            Self::Box => "box",
        }
    }
}

/// How a debayer reconstructs the missing colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Debayer {
    /// Adaptive residual interpolation, after Kiku et al. 2016: the one for plates.
    #[default]
    Ri,
    /// Ratio-corrected, four directions: fast.
    Rcd,
    /// Malvar, He, Cutler 2004: 5x5 gradient-corrected linear, for previews.
    Mhc,
    /// Two by two photosites to one pixel: half the size, nothing guessed.
    Superpixel,
}

impl Debayer {
    /// Every debayer, in the order help lists them.
    pub const ALL: &[Self] = &[Self::Ri, Self::Rcd, Self::Mhc, Self::Superpixel];

    /// Its name on the command line and in headers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ri => "ri",
            Self::Rcd => "rcd",
            Self::Mhc => "mhc",
            Self::Superpixel => "superpixel",
        }
    }

    /// Version of our form of it; grows when its output changes.
    #[must_use]
    pub const fn version(self) -> u32 {
        match self {
            Self::Ri | Self::Mhc => 2,
            Self::Rcd | Self::Superpixel => 1,
        }
    }
}

/// Where the delivered raster lies over the source picture: one affine map,
/// `delivered = scale * source + offset` in pixel-edge coordinates (pixel
/// centres at +0.5), source coordinates counted from the top left of the
/// clip's delivered crop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Framing {
    /// Size of the source picture that this was made for, in pixels.
    pub source_size: [u32; 2],
    /// Delivered size (FDL canvas of the template), in pixels.
    pub size: [u32; 2],
    /// Scale per axis, not 0; a negative one mirrors the picture on that axis.
    pub scale: [f64; 2],
    /// Offset per axis, in delivered pixels.
    pub offset: [f64; 2],
    /// First column, first row, end column, end row (exclusive) that hold picture; the rest is black.
    pub content: [u32; 4],
    /// Pixel aspect ratio of the delivered raster.
    pub pixel_aspect: f64,
    /// Filter; `None` chooses by the scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// Whether a delivered value may not leave the range of the source pixels
    /// that it is made of: no ringing, and a little less sharpness.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub antiring: bool,
}

impl Framing {
    /// The source as it is: a bit-exact copy.
    #[must_use]
    pub fn identity(width: u32, height: u32, pixel_aspect: f64) -> Self {
        Self {
            source_size: [width, height],
            size: [width, height],
            scale: [1.0; 2],
            offset: [0.0; 2],
            content: [0, 0, width, height],
            pixel_aspect,
            filter: None,
            antiring: false,
        }
    }

    /// The same raster seen in a mirror: `[across, down]`. Twice is once none.
    #[must_use]
    pub fn flipped(mut self, axes: [bool; 2]) -> Self {
        for axis in [0, 1].into_iter().filter(|axis| axes[*axis]) {
            let size = self.size[axis];
            self.scale[axis] = -self.scale[axis];
            self.offset[axis] = f64::from(size) - self.offset[axis];
            let [first, end] = [self.content[axis], self.content[axis + 2]];
            self.content[axis] = size.saturating_sub(end);
            self.content[axis + 2] = size.saturating_sub(first);
        }
        self
    }

    /// The axes on which it mirrors the picture: `[across, down]`.
    #[must_use]
    pub fn flips(&self) -> [bool; 2] {
        self.scale.map(|scale| scale < 0.0)
    }

    /// The filter that runs: the one asked for, else lanczos3 when both axes keep or shrink, mitchell when one enlarges.
    #[must_use]
    pub fn effective_filter(&self) -> Filter {
        self.filter.unwrap_or(if self.enlarges() { Filter::Mitchell } else { Filter::Lanczos3 })
    }

    /// Whether it enlarges the picture on an axis.
    #[must_use]
    pub fn enlarges(&self) -> bool {
        self.scale.iter().any(|s| s.abs() > 1.0 + 1e-9)
    }
}

/// EXR compression of a plate. DWAA and DWAB are lossy, the others are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// No compression.
    None,
    /// Deflate, one row at a time.
    Zips,
    /// Deflate, 16 rows at a time. The default of plates.
    #[default]
    Zip,
    /// Wavelet and Huffman, 32 rows at a time; good on grain.
    Piz,
    /// Cosine transform, 32 rows at a time. Lossy.
    Dwaa,
    /// Cosine transform, 256 rows at a time. Lossy.
    Dwab,
}

impl Compression {
    /// Every compression, in the order help lists them.
    pub const ALL: &[Self] =
        &[Self::None, Self::Zips, Self::Zip, Self::Piz, Self::Dwaa, Self::Dwab];

    /// How much DWAA and DWAB lose: OpenEXR's default.
    pub const DWA_LEVEL: f32 = 45.0;

    /// Its name on the command line and in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Zips => "zips",
            Self::Zip => "zip",
            Self::Piz => "piz",
            Self::Dwaa => "dwaa",
            Self::Dwab => "dwab",
        }
    }

    /// What a person is told of it: its name, and whether it loses something.
    #[must_use]
    pub fn label(self) -> String {
        let lossy = self.lossy_level().map(|level| format!(" (lossy, level {level})"));
        self.name().to_owned() + &lossy.unwrap_or_default()
    }

    /// How much it loses, as OpenEXR counts `dwaCompressionLevel`; `None` when nothing.
    #[must_use]
    pub const fn lossy_level(self) -> Option<f32> {
        match self {
            Self::None | Self::Zips | Self::Zip | Self::Piz => None,
            Self::Dwaa | Self::Dwab => Some(Self::DWA_LEVEL),
        }
    }
}

/// How frames are named and numbered on delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameNaming {
    /// What stands before the frame number: `A_010_PL01_v001` makes `A_010_PL01_v001.1001.exr`.
    pub stem: String,
    /// Digits of the frame number; it grows when they do not suffice.
    pub padding: u8,
}

impl FrameNaming {
    /// File name of `frame`.
    #[must_use]
    pub fn file_name(&self, frame: i64) -> String {
        format!("{}.{:0width$}.exr", self.stem, frame, width = usize::from(self.padding))
    }
}

/// The stateless function: one clip, a frame range, and everything that
/// decides the pixels and their names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RenderSpec {
    /// The clip: a file of it, or its directory, as [`crate::clip::ClipInfo::path`] has it.
    pub source: String,
    /// Name of the clip inside `source`, where a directory holds several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_name: Option<String>,
    /// Index within the clip (from 0) of the frame that is delivered as the first frame of the step.
    pub source_first: i64,
    /// Frames to deliver, by their delivered numbers.
    pub frames: FrameRange,
    /// Directory that receives the frames.
    pub out_dir: String,
    /// Their names.
    pub naming: FrameNaming,
    /// Debayer.
    #[serde(default)]
    pub debayer: Debayer,
    /// What is mended before it.
    #[serde(default, skip_serializing_if = "Repairs::is_none")]
    pub repairs: Repairs,
    /// Framing; `None` delivers the clip's own crop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub framing: Option<Framing>,
    /// Input transform and looks that go into the pixels.
    #[serde(default, skip_serializing_if = "ColorRecipe::is_empty")]
    pub color: ColorRecipe,
    /// Colour of the output.
    #[serde(default)]
    pub color_out: OutputColor,
    /// Compression of the output.
    #[serde(default)]
    pub compression: Compression,
    /// Form of the image operations.
    #[serde(default)]
    pub backend: Backend,
    /// The FDL to carry in the header (JSON), with the delivered canvas in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fdl_json: Option<String>,
    /// What somebody wants said in the header.
    #[serde(default, skip_serializing_if = "HeaderTexts::is_empty")]
    pub headers: HeaderTexts,
    /// Frames that an earlier delivery has: taken over where they are still what their hash says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reuse: Vec<ReusedFrame>,
}

/// Texts of a header that nothing but a person can know. What is not given is not written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeaderTexts {
    /// Whose the pictures are: OpenEXR's `owner`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// OpenEXR's `comments`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments: Option<String>,
}

impl HeaderTexts {
    /// Whether nobody wants anything said.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.owner.is_none() && self.comments.is_none()
    }
}

/// A frame of an earlier delivery that is the same picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReusedFrame {
    /// Its number in the new plate.
    pub frame: i64,
    /// Its file, absolute.
    pub file: String,
    /// XXH128 of the file, 32 hex digits.
    pub xxh128: String,
}

impl RenderSpec {
    /// Index within the clip of the picture that is delivered as `frame`.
    #[must_use]
    pub const fn source_index(&self, frame: i64) -> i64 {
        self.source_first + (frame - self.frames.first())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_have_one_name() {
        for filter in Filter::ALL.iter().copied() {
            assert_eq!(serde_json::to_value(filter).unwrap(), filter.name());
        }
    }

    #[test]
    fn lossy_compressions_say_so() {
        for compression in Compression::ALL.iter().copied() {
            assert_eq!(serde_json::to_value(compression).unwrap(), compression.name());
            let lossy = compression.name().starts_with("dwa");
            assert_eq!(compression.label().contains("(lossy, level 45)"), lossy);
        }
        assert_eq!(Compression::default().label(), "zip");
    }

    #[test]
    fn a_flip_takes_every_point_to_its_mirror_image() {
        let framing = Framing {
            size: [100, 60],
            scale: [0.5, 0.25],
            offset: [-7.5, 2.0],
            content: [3, 0, 90, 57],
            ..Framing::identity(400, 200, 1.0)
        };
        let flipped = framing.clone().flipped([true, false]);
        assert_eq!(flipped.flips(), [true, false]);
        let at = |f: &Framing, axis: usize, x: f64| f.scale[axis] * x + f.offset[axis];
        for x in [0.0, 17.0, 400.0] {
            assert_eq!(at(&flipped, 0, x), 100.0 - at(&framing, 0, x));
            assert_eq!(at(&flipped, 1, x), at(&framing, 1, x));
        }
        assert_eq!(flipped.content, [10, 0, 97, 57]);
        assert_eq!(flipped.effective_filter(), Filter::Lanczos3);
        assert_eq!(flipped.flipped([true, false]), framing);
    }

    #[test]
    fn recipes_from_before_antiring_are_read() {
        let mut old = serde_json::to_value(Framing::identity(4, 3, 1.0)).unwrap();
        assert!(old.get("antiring").is_none());
        old["filter"] = "catmull-rom".into();
        let framing: Framing = serde_json::from_value(old).unwrap();
        assert_eq!((framing.filter, framing.antiring), (Some(Filter::CatmullRom), false));
    }
}
