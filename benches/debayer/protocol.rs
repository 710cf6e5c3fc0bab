//! In what form a debayer gets a picture and in what form it is judged.
//!
//! Each protocol takes the same display-encoded truth (IEC 61966-2-1), makes a
//! mosaic of it, and brings what comes back into the encoding of the truth.

use crate::contestants::Contestant;
use crate::support::Result;
use platefarm_model::raw::Bayer;
use platefarm_shaders::debayer::Mosaic;
use platefarm_shaders::ops::resample::picture::Picture;

/// What sensor values are multiplied by for a white that is equal in all channels: about a daylight's.
pub(crate) const GAINS: [f32; 3] = [2.0, 1.0, 1.6];
/// Electrons of noise of a read, at every gain.
const READ_NOISE: f32 = 3.0;

/// One way to put the question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Protocol {
    /// The mosaic is display-encoded, as in the literature. A debayer that
    /// encodes by itself gets the same mosaic in linear light instead.
    Classic,
    /// The mosaic is in linear light.
    Linear,
    /// In linear light and not white-balanced; balanced afterwards.
    Unbalanced,
    /// In linear light with the noise of a sensor that holds this many electrons at white.
    Noisy(f32),
}

/// All that are printed.
pub(crate) const PROTOCOLS: &[(&str, Protocol)] = &[
    ("classic", Protocol::Classic),
    ("linear", Protocol::Linear),
    ("unbalanced", Protocol::Unbalanced),
    ("low-iso", Protocol::Noisy(40_000.0)),
    ("high-iso", Protocol::Noisy(1_500.0)),
];

impl Protocol {
    /// What it is, for a person.
    pub(crate) fn says(self) -> String {
        match self {
            Self::Classic => "display-encoded mosaic".into(),
            Self::Linear => "mosaic in linear light, judged display-encoded".into(),
            Self::Unbalanced => format!("linear, white balance {GAINS:?} applied afterwards"),
            Self::Noisy(electrons) => {
                format!("linear, {electrons} electrons at white, {READ_NOISE} of read noise")
            }
        }
    }

    /// What `contestant` makes of `truth`, display-encoded and within 0 to 1.
    pub(crate) fn answer(self, contestant: &mut Contestant, truth: &Picture) -> Result<Picture> {
        if self == Self::Classic && !contestant.encodes() {
            return Ok(contestant.debayer(&mosaic_of(truth))?.map(|v| v.clamp(0.0, 1.0)));
        }
        let linear = truth.map(decoded);
        let mut answer = match self {
            Self::Classic | Self::Linear => contestant.debayer(&mosaic_of(&linear))?,
            Self::Unbalanced => {
                let sensor = linear.scaled(GAINS.map(|gain| 1.0 / gain));
                contestant.debayer(&mosaic_of(&sensor))?.scaled(GAINS)
            }
            Self::Noisy(electrons) => {
                let mut mosaic = mosaic_of(&linear);
                let mut noise = Noise(1);
                for v in &mut mosaic.sites {
                    let light = *v * electrons;
                    *v += noise.normal() * (light + READ_NOISE * READ_NOISE).sqrt() / electrons;
                }
                contestant.debayer(&mosaic)?
            }
        };
        answer.planes.iter_mut().flatten().for_each(|v| *v = encoded(v.clamp(0.0, 1.0)));
        Ok(answer)
    }
}

/// What the benches do with whole pictures.
pub(crate) trait Pictures {
    /// `f` of every value.
    fn map(&self, f: impl Fn(f32) -> f32) -> Self;
    /// Every plane times its gain.
    fn scaled(&self, gains: [f32; 3]) -> Self;
    /// The means of two by two pixels.
    fn halved(&self) -> Self;
}

impl Pictures for Picture {
    fn map(&self, f: impl Fn(f32) -> f32) -> Self {
        let planes = self.planes.each_ref().map(|plane| plane.iter().map(|v| f(*v)).collect());
        Self { planes, ..*self }
    }

    fn scaled(&self, gains: [f32; 3]) -> Self {
        let mut scaled = self.clone();
        for (plane, gain) in scaled.planes.iter_mut().zip(gains) {
            plane.iter_mut().for_each(|v| *v *= gain);
        }
        scaled
    }

    fn halved(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let planes = self.planes.each_ref().map(|plane| {
            let pixel = |i: usize| {
                let at = 2 * (i / width) * self.width + 2 * (i % width);
                let next = at + self.width;
                (plane[at] + plane[at + 1] + plane[next] + plane[next + 1]) * 0.25
            };
            (0..width * height).map(pixel).collect()
        });
        Self { width, height, planes }
    }
}

/// The photosites of a picture behind an RGGB filter.
pub(crate) fn mosaic_of(picture: &Picture) -> Mosaic {
    let (width, height) = (picture.width, picture.height);
    let site = |i: usize| {
        let color = Bayer::Rggb.color((i / width) as u32, (i % width) as u32);
        picture.planes[color as usize][i]
    };
    let sites = (0..width * height).map(site).collect();
    Mosaic { width, height, bayer: Bayer::Rggb, sites }
}

/// Linear light to display-encoded, IEC 61966-2-1.
pub(crate) fn encoded(v: f32) -> f32 {
    if v <= 0.003_130_8 { 12.92 * v } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 }
}

/// Display-encoded to linear light.
pub(crate) fn decoded(v: f32) -> f32 {
    if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
}

/// Random numbers that are the same every time (Marsaglia's xorshift32).
pub(crate) struct Noise(pub(crate) u32);

impl Noise {
    /// Evenly within 0 to 1.
    pub(crate) fn uniform(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (self.0 >> 8) as f32 / (1 << 24) as f32
    }

    /// Mean 0, variance 1: the sum of twelve, which ends at 6 as no real sensor does, and no bench needs more.
    pub(crate) fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.uniform()).sum::<f32>() - 6.0
    }
}
