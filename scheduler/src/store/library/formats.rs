//! Camera formats, and what people set for them.
//!
//! What a person says of a format (which encoding its pixels have, how its
//! lens squeezes, which template frames it) holds for every clip of that
//! format, those that come later too, until it is taken back
//! (Netflix Partner Help 45080688426003, "VFX Pulls: Camera Format Cards").

use super::rows::{self, Of, format_text};
use super::{Library, failed};
use crate::pulls::ClipKey;
use platefarm_model::clip::ClipInfo;
use platefarm_model::format::{FormatCard, FormatKey};
use platefarm_model::{Code, Fault, Outcome};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use std::collections::HashMap;

/// What a person set for a format.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Override {
    /// Encoding and gamut of the pixels: a name that `platefarm color list` has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// Anamorphic squeeze of the lens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub squeeze: Option<f64>,
    /// Id of the FDL's canvas template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Why, for whoever wonders later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Override {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What holds when this is set where something was: what it does not say stays.
    fn over(&self, before: Self) -> Self {
        let said = self.clone();
        Self {
            color: said.color.or(before.color),
            squeeze: said.squeeze.or(before.squeeze),
            template: said.template.or(before.template),
            note: said.note.or(before.note),
        }
    }
}

/// A format, its clips, and what a person set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Card {
    /// Its id, by which it is set: `f1a2b3c4`.
    pub id: String,
    /// What the clips say.
    #[serde(flatten)]
    pub card: FormatCard,
    /// What a person set.
    #[serde(skip_serializing_if = "Override::is_empty")]
    pub set: Override,
}

/// All that people set.
#[derive(Clone, Debug, Default)]
pub struct Overrides(HashMap<String, Override>);

impl Overrides {
    /// Applies what was set for the clip's format, and says so.
    pub fn apply(&self, clip: &mut ClipInfo) {
        let format = format_text(&FormatKey::of(clip));
        let Some(set) = self.0.get(&format) else { return };
        let mut said = Vec::new();
        if let Some(color) = &set.color {
            said.push(format!("colour '{color}'"));
            clip.color_space = Some(color.clone());
            clip.primaries_assumed = false;
            clip.vendor.insert(COLOR.into(), color.clone());
        }
        if let Some(squeeze) = set.squeeze {
            said.push(format!("squeeze {squeeze}"));
            clip.lens.squeeze = Some(squeeze);
            clip.picture.pixel_aspect = squeeze;
        }
        if let Some(template) = &set.template {
            said.push(format!("template '{template}'"));
            clip.vendor.insert(TEMPLATE.into(), template.clone());
        }
        if !said.is_empty() {
            let message = format!("set by a person for this camera format: {}", said.join(", "));
            clip.notes.push(Fault::new(Code::Defaulted, message).at(clip.path.clone()).remedy(
                "Nothing, if it still holds; `platefarm library formats` shows and changes it.",
            ));
        }
    }
}

/// Under this name a clip carries the template that was set for its format.
pub const TEMPLATE: &str = "platefarm.template";
/// Likewise the encoding of its pixels.
pub const COLOR: &str = "platefarm.color";

/// A short id of a format.
fn id(format: &str) -> String {
    format!("f{:08x}", twox_hash::XxHash3_64::oneshot(format.as_bytes()) as u32)
}

impl Library {
    pub(super) async fn overrides(&self) -> Outcome<Overrides> {
        let cannot = |e: sqlx::Error| failed("read the library", &self.place, &e);
        let rows = sqlx::query("SELECT format, settings FROM format_overrides")
            .fetch_all(&self.pool)
            .await
            .map_err(cannot)?;
        let mut all = HashMap::new();
        for row in rows {
            let (format, settings): (String, String) =
                (row.try_get(0).map_err(cannot)?, row.try_get(1).map_err(cannot)?);
            all.insert(format, rows::parse(&settings, "settings")?);
        }
        Ok(Overrides(all))
    }

    /// The formats of all clips, or of those of a show, and what was set for them.
    ///
    /// # Errors
    /// `F0502`.
    pub async fn formats(&self, show: Option<&str>) -> Outcome<Vec<Card>> {
        let overrides = self.overrides().await?;
        let cannot = self.cannot("read the library");
        let of = show.map_or(Of::Any, Of::Show);
        let mut cards = Vec::new();
        for (format, keys) in rows::formats(&self.pool, of).await.map_err(&cannot)? {
            let mut clips = keys.lines().map(rows::keyed).collect::<Outcome<Vec<_>>>()?;
            clips.sort_by(|(_, a), (_, b)| a.path.cmp(&b.path));
            // One description says what the format is; further ones are read of clips
            // whose keys are too old to know their colour.
            let told = clips.iter().skip(1).filter(|(_, key)| key.color.is_none());
            let first = clips.first().map(|(id, _)| *id);
            let ids: Vec<i64> = first.into_iter().chain(told.map(|(id, _)| *id)).collect();
            let texts = rows::infos(&self.pool, &ids).await.map_err(&cannot)?;
            let mut infos: HashMap<i64, ClipInfo> = HashMap::with_capacity(ids.len());
            for (id, text) in texts {
                infos.insert(id, rows::parse(&text, "info")?);
            }
            let Some(one) = first.and_then(|id| infos.get(&id)) else { continue };
            let color = |(id, key): &(i64, ClipKey)| match &key.color {
                Some(color) => Some(color.clone()).filter(|color| !color.is_empty()),
                None => infos.get(id).and_then(ClipInfo::color_name),
            };
            let color_space = clips.first().and_then(color);
            let agreed = clips.iter().all(|clip| color(clip) == color_space);
            let card = FormatCard {
                key: FormatKey::of(one),
                color_space: color_space.filter(|_| agreed),
                clip_count: clips.len(),
                clips: clips.into_iter().map(|(_, key)| key.clip_name).collect(),
            };
            let set = overrides.0.get(&format).cloned().unwrap_or_default();
            cards.push(Card { id: id(&format), card, set });
        }
        cards.sort_by(|a, b| a.card.key.cmp(&b.card.key));
        Ok(cards)
    }

    /// Sets what holds for a format, by its id, beside what was set before; an empty override
    /// takes all of it back.
    ///
    /// # Errors
    /// [`Code::UnknownOption`] when there is no such format.
    pub async fn set_format(&self, wanted: &str, set: &Override) -> Outcome<Card> {
        let cards = self.formats(None).await?;
        let known: Vec<String> = cards.iter().map(|card| card.id.clone()).collect();
        let Some(mut card) = cards.into_iter().find(|card| card.id == wanted) else {
            return Err(Fault::new(Code::UnknownOption, format!("'{wanted}' is no format"))
                .remedy(format!("Choose one of: {}.", known.join(", "))));
        };
        let cannot = self.cannot("set the format");
        let format = format_text(&card.card.key);
        let mut tx = self.alone("format_overrides").await.map_err(&cannot)?;
        let set = if set.is_empty() {
            Override::default()
        } else {
            let row = sqlx::query("SELECT settings FROM format_overrides WHERE format = $1")
                .bind(format.clone())
                .fetch_optional(&mut *tx)
                .await
                .map_err(&cannot)?;
            let before = row.map(|row| row.try_get::<String, _>(0)).transpose().map_err(&cannot)?;
            let before = before.map(|text| rows::parse(&text, "settings")).transpose()?;
            set.over(before.unwrap_or_default())
        };
        sqlx::query("DELETE FROM format_overrides WHERE format = $1")
            .bind(format.clone())
            .execute(&mut *tx)
            .await
            .map_err(&cannot)?;
        if !set.is_empty() {
            let settings = serde_json::to_string(&set)
                .map_err(|e| Fault::new(Code::Internal, "an override is not JSON").because(&e))?;
            sqlx::query("INSERT INTO format_overrides (format, settings) VALUES ($1, $2)")
                .bind(format)
                .bind(settings)
                .execute(&mut *tx)
                .await
                .map_err(&cannot)?;
        }
        tx.commit().await.map_err(&cannot)?;
        card.set = set;
        Ok(card)
    }
}
