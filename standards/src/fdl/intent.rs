//! A framing decision from an intent: where an aspect with its protection lies
//! on a canvas, and a whole document made from nothing but those.
//!
//! The specification gives no algorithm. This one follows the Committee's
//! library (fit, round, protect, round, centre) but for three things in which
//! that library makes frames that nobody meant: aspects are compared as they
//! are seen, so an anamorphic canvas is right; the frame is centred in the
//! effective part, wherever that lies; and rounding never carries a frame out
//! of the part around it.

use super::geometry::Snap;
use super::model::{
    Canvas, CanvasTemplate, Context, Even, Extra, Fdl, FitMethod, FramingDecision, FramingIntent,
    Layer, Point, RoundMode, Rounding, Size, Version, WholeSize,
};
use platefarm_model::{Code, Fault, Outcome};

impl FramingIntent {
    /// Places the intent on a canvas: the largest frame of its aspect in the
    /// effective part is its protection, and the share of `protection` less is
    /// the frame. Sizes are rounded, anchors may lie on half pixels.
    ///
    /// # Errors
    /// [`Code::FdlRejected`] when the protection leaves no frame, or the frame
    /// would be less than a pixel.
    pub fn place_on(&self, canvas: &Canvas, rounding: Rounding) -> Outcome<FramingDecision> {
        let rejected = |what: String| {
            Fault::new(
                Code::FdlRejected,
                format!("framing intent '{}' on canvas '{}': {what}", self.id, canvas.id),
            )
        };
        let share = self.protection.unwrap_or(0.0);
        if !(0.0..1.0).contains(&share) {
            return Err(rejected(format!("a protection of {share} leaves no frame")));
        }
        let (room, origin) = match canvas.effective_dimensions {
            Some(size) => (size.into(), canvas.effective_anchor_point.map_or([0.0; 2], Into::into)),
            None => (canvas.dimensions.into(), [0.0; 2]),
        };
        let squeeze = canvas.anamorphic_squeeze.filter(|s| *s > 0.0).unwrap_or(1.0);
        let outer = whole(rounding, inscribed(self.aspect_ratio, room, squeeze), room);
        let protected = share > 0.0;
        let frame = match protected {
            true => whole(rounding, outer.map(|side| side * (1.0 - share)), outer),
            false => outer,
        };
        if frame.iter().any(|side| *side < 1.0) {
            return Err(rejected(format!("the frame would be {} by {}", frame[0], frame[1])));
        }
        let centred = |size: [f64; 2]| -> Point {
            [0, 1].map(|i| origin[i] + (room[i] - size[i]) / 2.0).into()
        };
        Ok(FramingDecision {
            label: self.label.clone(),
            id: format!("{}-{}", canvas.id, self.id),
            framing_intent_id: self.id.clone(),
            dimensions: Size::from(frame),
            anchor_point: centred(frame),
            protection_dimensions: protected.then(|| Size::from(outer)),
            protection_anchor_point: protected.then(|| centred(outer)),
            extra: Extra::new(),
        })
    }
}

/// The largest box of an aspect, as it is seen, in a room of squeezed pixels.
fn inscribed(aspect: WholeSize, room: [f64; 2], squeeze: f64) -> [f64; 2] {
    let [across, down]: [f64; 2] = aspect.into();
    if across * room[1] >= room[0] * squeeze * down {
        [room[0], room[0] * squeeze * down / across]
    } else {
        [room[1] * across / (down * squeeze), room[1]]
    }
}

/// Rounds a size; where that leaves the part around it, to the largest that does not.
fn whole(rounding: Rounding, size: [f64; 2], around: [f64; 2]) -> [f64; 2] {
    [0, 1].map(|i| {
        let rounded = rounding.round(size[i], Snap::Near);
        if rounded <= around[i] {
            return rounded;
        }
        Rounding { mode: RoundMode::Down, ..rounding }.round(around[i], Snap::Near)
    })
}

/// What a document is made from when there is none yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Id of the canvas.
    pub canvas_id: String,
    /// Size of the canvas: that of the media.
    pub canvas: WholeSize,
    /// Factor that stretches x for viewing.
    pub squeeze: f64,
    /// The part that holds picture, with its anchor, where that is not all of it.
    pub effective: Option<(WholeSize, Point)>,
    /// What is meant.
    pub intent: FramingIntent,
    /// Delivered size: adds a template that fits the frame into it, keeps what
    /// is around it as far as it fits, and pads with black.
    pub deliver: Option<WholeSize>,
    /// UUID of the document.
    pub uuid: String,
}

impl Draft {
    /// How sizes become whole: even ones, the nearest. Camera makers' frame lines do so.
    pub const ROUNDING: Rounding = Rounding { even: Even::Even, mode: RoundMode::Round };
    /// Id of the template that [`Self::deliver`] adds.
    pub const TEMPLATE: &str = "DELIVERY";

    /// The document.
    ///
    /// # Errors
    /// As [`FramingIntent::place_on`]; [`Code::BadFdl`] when what was given
    /// makes no valid document.
    pub fn document(self) -> Outcome<Fdl> {
        let mut canvas = Canvas {
            label: None,
            id: self.canvas_id.clone(),
            source_canvas_id: self.canvas_id,
            dimensions: self.canvas,
            effective_dimensions: self.effective.map(|(size, _)| size),
            effective_anchor_point: self.effective.map(|(_, anchor)| anchor),
            photosite_dimensions: None,
            physical_dimensions: None,
            anamorphic_squeeze: Some(self.squeeze),
            framing_decisions: Vec::new(),
            extra: Extra::new(),
        };
        canvas.framing_decisions.push(self.intent.place_on(&canvas, Self::ROUNDING)?);
        let document = Fdl {
            uuid: self.uuid,
            version: Version::WRITTEN,
            fdl_creator: Some(concat!("platefarm ", env!("CARGO_PKG_VERSION")).to_owned()),
            default_framing_intent: Some(self.intent.id.clone()),
            framing_intents: vec![self.intent],
            contexts: vec![Context {
                label: Some("Source".into()),
                context_creator: None,
                clip_id: None,
                canvases: vec![canvas],
                extra: Extra::new(),
            }],
            canvas_templates: self.deliver.map(delivery).into_iter().collect(),
            extra: Extra::new(),
        };
        // What was typed may be beyond what the schema allows; the reader knows it all.
        Fdl::parse(document.to_json()?.as_bytes())
    }
}

/// The template that fits a frame into a size.
pub(super) fn delivery(size: WholeSize) -> CanvasTemplate {
    CanvasTemplate {
        label: Some(format!("Frame fitted into {} by {}", size.width, size.height)),
        id: Draft::TEMPLATE.into(),
        target_dimensions: size,
        target_anamorphic_squeeze: 1.0,
        fit_source: Layer::Framing,
        fit_method: FitMethod::FitAll,
        alignment_method_horizontal: None,
        alignment_method_vertical: None,
        preserve_from_source_canvas: Some(Layer::Canvas),
        maximum_dimensions: Some(size),
        pad_to_maximum: Some(true),
        round: Some(Draft::ROUNDING),
        extra: Extra::new(),
    }
}
