//! Camera formats: what must be set up once for all clips that a camera shot
//! the same way.
//!
//! A new format begins where camera letter, camera model, sensor mode, codec
//! or lens squeeze differs (Netflix Partner Help 45080688426003, "VFX Pulls:
//! Camera Format Cards"). What is not known is a value of its own, so a clip
//! never joins a format by being silent.

use crate::clip::ClipInfo;
use crate::schema::{self, MISSING};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// What makes a camera format the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FormatKey {
    /// Letter of the camera unit.
    #[serde(with = "or_missing")]
    pub camera_letter: Option<String>,
    /// Maker and model.
    #[serde(with = "or_missing")]
    pub camera_model: Option<String>,
    /// Sensor mode by name, or the size of the active area.
    #[serde(with = "or_missing")]
    pub sensor_mode: Option<String>,
    /// Codec by name, or file format and compression.
    #[serde(with = "or_missing")]
    pub codec: Option<String>,
    /// Lens squeeze as a decimal number.
    #[serde(with = "or_missing")]
    pub lens_squeeze: Option<String>,
}

/// Unknown values as the word that the schema has for them.
mod or_missing {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        value: &Option<String>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(value.as_deref().unwrap_or(MISSING))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<String>, D::Error> {
        let text = String::deserialize(from)?;
        Ok((text != MISSING).then_some(text))
    }
}

impl FormatKey {
    /// The format of a clip.
    #[must_use]
    pub fn of(clip: &ClipInfo) -> Self {
        let shown = |name: &str| {
            schema::field(name).and_then(|field| field.of(clip)).map(|value| value.to_string())
        };
        Self {
            camera_letter: shown("cameraLetter"),
            camera_model: clip.camera.name(),
            sensor_mode: shown("sensorMode"),
            codec: shown("codec"),
            lens_squeeze: shown("lensSqueeze"),
        }
    }

    /// The values under their names, in the order in which people read them.
    #[must_use]
    pub const fn values(&self) -> [(&'static str, &Option<String>); 5] {
        [
            ("cameraLetter", &self.camera_letter),
            ("cameraModel", &self.camera_model),
            ("sensorMode", &self.sensor_mode),
            ("codec", &self.codec),
            ("lensSqueeze", &self.lens_squeeze),
        ]
    }
}

/// A camera format and the clips that have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FormatCard {
    /// What makes it.
    #[serde(flatten)]
    pub key: FormatKey,
    /// Encoding and gamut of its clips, where they agree: what an input transform starts from.
    #[serde(with = "or_missing")]
    pub color_space: Option<String>,
    /// How many clips.
    pub clip_count: usize,
    /// Their names, as they were met.
    pub clips: Vec<String>,
}

/// The formats among `clips`, ordered by their values.
#[must_use]
pub fn cards<'a>(clips: impl IntoIterator<Item = &'a ClipInfo>) -> Vec<FormatCard> {
    let mut cards: BTreeMap<FormatKey, FormatCard> = BTreeMap::new();
    for clip in clips {
        let (key, color_space) = (FormatKey::of(clip), clip.color_name());
        let card = cards.entry(key.clone()).or_insert_with(|| FormatCard {
            key,
            color_space: color_space.clone(),
            clip_count: 0,
            clips: Vec::new(),
        });
        if card.color_space != color_space {
            card.color_space = None;
        }
        card.clip_count += 1;
        card.clips.push(clip.identity.clip_name.clone());
    }
    cards.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Identity;

    fn clip(name: &str, change: impl FnOnce(&mut ClipInfo)) -> ClipInfo {
        let mut clip = ClipInfo {
            identity: Identity { clip_name: name.into(), ..Identity::default() },
            ..ClipInfo::default()
        };
        clip.camera.model = Some("Alexa LF".into());
        clip.picture.codec = Some("ARRIRAW".into());
        clip.picture.sensor_mode = Some("Open Gate".into());
        clip.lens.squeeze = Some(1.0);
        change(&mut clip);
        clip
    }

    /// Each of the five makes a new format; nothing else does.
    #[test]
    fn formats_part_where_one_of_the_five_differs() {
        let clips = [
            clip("A001C001_200101_R1AA", |_| {}),
            clip("A001C002_200101_R1AA", |c| c.camera.iso_speed = Some(1600.0)),
            clip("B001C001_200101_R1AA", |_| {}),
            clip("A001C003_200101_R1AA", |c| c.camera.model = Some("Alexa 35".into())),
            clip("A001C004_200101_R1AA", |c| c.picture.sensor_mode = Some("16:9".into())),
            clip("A001C005_200101_R1AA", |c| c.picture.codec = Some("ProRes 4444".into())),
            clip("A001C006_200101_R1AA", |c| c.lens.squeeze = Some(1.8)),
            clip("A001C007_200101_R1AA", |c| c.lens.squeeze = None),
        ];
        let cards = cards(&clips);
        assert_eq!(cards.len(), 7);
        let two = cards.iter().find(|card| card.clip_count == 2).unwrap();
        assert_eq!(two.clips, ["A001C001_200101_R1AA", "A001C002_200101_R1AA"]);
        assert_eq!(two.key.lens_squeeze.as_deref(), Some("1"));
        let json =
            serde_json::to_value(cards.iter().find(|c| c.key.lens_squeeze.is_none())).unwrap();
        assert_eq!(json["lensSqueeze"], "Missing");
        assert_eq!(json["cameraLetter"], "A");
        let back: FormatCard = serde_json::from_value(json).unwrap();
        assert_eq!(back.key.lens_squeeze, None);
    }
}
