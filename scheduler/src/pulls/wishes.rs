//! What is said of a delivery beside its spec, by a command line or a service.

use super::delivery::Layers;
use platefarm_model::recipe::OutputColor;
use platefarm_model::{Code, Fault, Outcome};
use toml::Value;

/// Settings that go before the spec's. What is not said is none.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Frames to add before and after each event.
    pub handles: Option<u32>,
    /// What becomes of a shot that the edit uses more than once.
    pub repeated: Option<String>,
    /// Template of a plate's name.
    pub naming: Option<String>,
    /// Colour of the markers that name shots.
    pub marker_color: Option<String>,
    /// Name of the debayer.
    pub debayer: Option<String>,
    /// Name of the compression.
    pub compression: Option<String>,
    /// Name of the resample's filter.
    pub filter: Option<String>,
    /// Id of the FDL's canvas template.
    pub template: Option<String>,
    /// Id of the framing intent.
    pub intent: Option<String>,
    /// Colour of the output; ACES2065-1 says nothing.
    pub color: OutputColor,
    /// Whether a plate may be larger than its source.
    pub allow_upres: bool,
    /// Whether black, flat and frozen pictures of camera media are meant.
    pub allow_suspect: bool,
    /// Whether resampled values stay within the range of what they are made of.
    pub antiring: bool,
    /// Without an FDL: the size into which the full source is fitted.
    pub container: Option<[u32; 2]>,
}

impl Wishes {
    /// Lays them over a spec. `from` says whose they are, with their mistakes.
    ///
    /// # Errors
    /// [`Code::BadDelivery`] for a value that its setting cannot have.
    pub fn lay(&self, from: &str, layers: &mut Layers) -> Outcome<()> {
        let texts = [
            ("picture.debayer", &self.debayer),
            ("picture.compression", &self.compression),
            ("picture.filter", &self.filter),
            ("picture.template", &self.template),
            ("picture.intent", &self.intent),
            ("repeated", &self.repeated),
            ("naming.plate", &self.naming),
            ("naming.marker_color", &self.marker_color),
        ];
        for (key, value) in texts {
            if let Some(value) = value {
                layers.set(from, key, value.clone())?;
            }
        }
        if !self.color.is_aces() {
            let written = Value::try_from(&self.color)
                .map_err(|e| Fault::new(Code::Internal, "a colour is not TOML").because(&e))?;
            layers.set(from, "picture.color", written)?;
        }
        if let Some(handles) = self.handles {
            layers.set(from, "handles", i64::from(handles))?;
        }
        if self.allow_upres {
            layers.set(from, "picture.allow_upres", true)?;
        }
        if self.allow_suspect {
            layers.set(from, "picture.allow_suspect", true)?;
        }
        if self.antiring {
            layers.set(from, "picture.antiring", true)?;
        }
        if let Some(size) = self.container {
            let size: Vec<Value> = size.iter().map(|side| i64::from(*side).into()).collect();
            layers.set(from, "picture.container", size)?;
        }
        Ok(())
    }
}
