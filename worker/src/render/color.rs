//! A recipe's colour made ready for pixels: names looked up, files read and
//! held against their hashes, and which side of the resample each goes on.

use platefarm_model::color::chain::Chain;
use platefarm_model::color::{IDENTITY, recipe::ColorFile};
use platefarm_model::raw::{Layout, RgbLayout, RgbSamples};
use platefarm_model::recipe::{ColorStep, RenderSpec};
use platefarm_model::{Code, Fault, Outcome, limits};
use platefarm_shaders::PlateColor;
use platefarm_standards::look;
use std::path::Path;
use std::sync::Arc;

/// The colour of a step.
#[derive(Clone, Debug, Default)]
pub(super) struct Colors {
    /// Whether the recipe says what the clip's codes are, and not the clip's reader.
    codes: bool,
    /// What the image operations do.
    pub(super) plate: PlateColor,
}

impl Colors {
    /// Resolves the colour of `spec`.
    ///
    /// # Errors
    /// Those of names; [`Code::FileNotFound`], [`Code::HashMismatch`], [`Code::BadLook`] of files.
    pub(super) fn of(spec: &RenderSpec) -> Outcome<Self> {
        let chain = |steps: &[ColorStep]| -> Outcome<Chain> {
            let mut chain = Chain::default();
            for step in steps {
                chain = chain.then(step.chain(&read)?);
            }
            Ok(chain)
        };
        let before = chain(&spec.color.input).map_err(|f| f.within("input transform"))?;
        let looks = chain(&spec.color.looks).map_err(|f| f.within("look"))?;
        let after = looks.then(spec.color_out.chain(&read)?);
        Ok(Self { codes: !spec.color.input.is_empty(), plate: PlateColor { before, after } })
    }

    /// Whether the clip's own word about its colours is not asked for.
    pub(super) fn takes_codes(&self) -> bool {
        self.codes
    }

    /// The layout as the image operations take it: as codes, 0 to 1, where the
    /// recipe says what they are.
    pub(super) fn layout(&self, layout: &Layout) -> Outcome<Layout> {
        match layout {
            Layout::Rgb(rgb) if self.codes => Ok(Layout::Rgb(Arc::new(as_codes(rgb)))),
            Layout::Mosaic(_) if self.codes => Err(Fault::new(
                Code::BadRecipe,
                "an input transform is given for camera raw, which is developed by the camera's own numbers",
            )
            .at("color.input")
            .remedy("Leave the input transform out.")),
            _ => Ok(layout.clone()),
        }
    }
}

/// The same samples, with nothing said of what they mean.
fn as_codes(layout: &RgbLayout) -> RgbLayout {
    let last = layout.curve.len().saturating_sub(1);
    let curve: Arc<[f32]> = match layout.samples {
        RgbSamples::U16 => {
            (0..=last).map(|code| (code as f64 / last.max(1) as f64) as f32).collect()
        }
        RgbSamples::F16 | RgbSamples::F32 => Arc::from([]),
    };
    // Without a curve of their own, codes of 16 bits are over 65535 already.
    let curve = if layout.curve.is_empty() { Arc::from([]) } else { curve };
    RgbLayout { curve, to_aces: IDENTITY, ..layout.clone() }
}

/// The chain of a file that has the hash of the recipe.
fn read(file: &ColorFile) -> Outcome<Chain> {
    let path = Path::new(&file.path);
    let unreadable = |e: std::io::Error| {
        let gone = e.kind() == std::io::ErrorKind::NotFound;
        let code = if gone { Code::FileNotFound } else { Code::FileUnreadable };
        Fault::new(code, "the look cannot be read").at(file.path.clone()).because(&e)
    };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > limits::MAX_DOCUMENT_BYTES {
        let message = format!("{size} bytes are too many for a look");
        return Err(Fault::new(Code::TooLarge, message).at(file.path.clone()));
    }
    look::parse_sealed(file, &std::fs::read(path).map_err(unreadable)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::raw::Rect;

    fn layout(samples: RgbSamples, curve: &[f32]) -> RgbLayout {
        let crop = Rect::of_size(4, 2);
        let to_aces = [[2.0; 3]; 3];
        RgbLayout { width: 4, height: 2, samples, crop, curve: curve.into(), to_aces }
    }

    #[test]
    fn codes_have_no_meaning_of_their_own() {
        let ten_bits: Vec<f32> = (0..1024).map(|i| (i * i) as f32).collect();
        let codes = as_codes(&layout(RgbSamples::U16, &ten_bits));
        assert_eq!((codes.curve.len(), codes.curve[0], codes.curve[1023]), (1024, 0.0, 1.0));
        assert_eq!(codes.curve[512], (512.0_f64 / 1023.0) as f32);
        assert_eq!(codes.to_aces, IDENTITY);
        for samples in [RgbSamples::U16, RgbSamples::F16, RgbSamples::F32] {
            assert!(as_codes(&layout(samples, &[])).curve.is_empty());
        }
        let halves = as_codes(&layout(RgbSamples::F16, &vec![0.5; 65536]));
        assert!(halves.curve.is_empty());
    }
}
