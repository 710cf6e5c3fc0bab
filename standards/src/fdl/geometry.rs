//! Applying a canvas template: pure numbers, in f64, in an order that is kept
//! because a rounding may hang on the last bit.
//!
//! There are two official behaviours. [`Dialect::Main`] follows the
//! specification (section 7.4) and the Committee's current document: only the
//! new raster's size is rounded, at the end. [`Dialect::V1_0_2`] does what the
//! released library of that version does, which rounds every size and anchor
//! right after scaling; it is here to agree with tools built on it.

pub use super::round::Snap;

use super::model::{
    Canvas, CanvasTemplate, FitMethod, FramingDecision, Horizontal, Rounding, Vertical, WholeSize,
};
use platefarm_model::{Code, Fault, Outcome, limits};

/// Which official behaviour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// The specification's.
    #[default]
    Main,
    /// That of the released library 1.0.2.
    V1_0_2,
}

impl Dialect {
    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::V1_0_2 => "v1.0.2",
        }
    }
}

type Pair = [f64; 2];

/// What a template makes of a source. Lengths are pixels of the new canvas.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// New pixels per source pixel, in y; in x times source squeeze over new squeeze.
    pub scale_factor: f64,
    /// Size of the whole preserved part after scaling, before cropping.
    pub scaled_bounding_box: [f64; 2],
    /// Where the top left of the preserved part lies in the new canvas.
    pub content_translation: [f64; 2],
    /// Squeeze of the new canvas.
    pub anamorphic_squeeze: f64,
    /// Size of the new canvas.
    pub canvas_dimensions: [u32; 2],
    /// Size of its part that holds picture.
    pub effective_dimensions: [u32; 2],
    /// Where that part begins.
    pub effective_anchor_point: [f64; 2],
    /// Size of the frame.
    pub framing_dimensions: [f64; 2],
    /// Where it begins.
    pub framing_anchor_point: [f64; 2],
    /// Size and anchor of the frame with its protection, where it is kept.
    pub protection: Option<([f64; 2], [f64; 2])>,
    /// Top left of the preserved part in the source canvas, in its pixels.
    pub source_anchor: [f64; 2],
    /// Squeeze of the source canvas.
    pub source_squeeze: f64,
    /// How the size was made whole.
    pub rounding: Rounding,
}

/// A part of a canvas; all zero when it is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Part {
    size: Pair,
    anchor: Pair,
}

impl Part {
    fn present(&self) -> bool {
        self.size != [0.0; 2]
    }
}

const CANVAS: usize = 0;
const EFFECTIVE: usize = 1;
const PROTECTION: usize = 2;
const FRAMING: usize = 3;

/// Applies `template` to a framing decision of a canvas.
///
/// # Errors
/// [`Code::FdlRejected`] when the template names a part that the source lacks,
/// has a target of zero where it decides the scale, or makes a canvas or a
/// frame without area or beyond the limits.
pub fn apply(
    template: &CanvasTemplate,
    canvas: &Canvas,
    decision: &FramingDecision,
    dialect: Dialect,
    snap: Snap,
) -> Outcome<Geometry> {
    let job = Job::new(template, canvas, decision, dialect, snap)?;
    match dialect {
        Dialect::Main => job.main(),
        Dialect::V1_0_2 => job.v1_0_2(),
    }
}

/// The scale as a fraction, so that a whole ratio stays exact, and the axis that decided it.
#[derive(Clone, Copy)]
struct Scale {
    num: f64,
    den: f64,
    axis: usize,
}

struct Job<'a> {
    template: &'a CanvasTemplate,
    snap: Snap,
    rounding: Rounding,
    parts: [Part; 4],
    source_anchor: Pair,
    squeeze: [f64; 2],
    target: Pair,
    maximum: Option<Pair>,
    pad: bool,
    scale: Scale,
}

/// A crop or a padding, once it is decided.
struct Placement {
    out: Pair,
    shift: Pair,
}

impl<'a> Job<'a> {
    /// Steps 1 to 4: which parts take part, where they begin, and the scale.
    fn new(
        template: &'a CanvasTemplate,
        canvas: &Canvas,
        decision: &FramingDecision,
        dialect: Dialect,
        snap: Snap,
    ) -> Outcome<Self> {
        let source = source_parts(canvas, decision);
        let fit = template.fit_source;
        for (key, layer) in [
            ("fit_source", Some(fit)),
            ("preserve_from_source_canvas", template.preserve_from_source_canvas),
        ] {
            if let Some(layer) = layer.filter(|layer| !source[*layer as usize].present()) {
                let (what, owner) = (layer.name(), &decision.id);
                return Err(rejected(
                    template,
                    format!("{key} names {what}, which '{owner}' on canvas '{}' lacks", canvas.id),
                ));
            }
        }
        let preserve = template.preserve_from_source_canvas;
        let outermost = preserve.map_or(fit, |p| p.min(fit)) as usize;
        let mut parts = [Part::default(); 4];
        parts[outermost..].copy_from_slice(&source[outermost..]);
        let source_anchor = source[preserve.unwrap_or(fit) as usize].anchor;
        let reference = parts.iter().find(|part| part.present()).copied().unwrap_or_default();
        if !parts[CANVAS].present() {
            parts[CANVAS].size = reference.size;
        }
        if !parts[EFFECTIVE].present() {
            parts[EFFECTIVE] = reference;
        }
        for part in &mut parts[EFFECTIVE..] {
            part.anchor = per_axis(|i| (part.anchor[i] - source_anchor[i]).max(0.0));
        }
        let source_squeeze = canvas.anamorphic_squeeze.filter(|s| *s > 0.0).unwrap_or(1.0);
        let target_squeeze = match template.target_anamorphic_squeeze {
            s if s > 0.0 => s,
            _ => source_squeeze,
        };
        let fit_size = parts[fit as usize].size;
        let target: Pair = template.target_dimensions.into();
        let scale = scale(
            template,
            [fit_size[0] * source_squeeze, fit_size[1]],
            [target[0] * target_squeeze, target[1]],
        )?;
        let default = match dialect {
            Dialect::Main => Rounding::DEFAULT,
            Dialect::V1_0_2 => Rounding::DEFAULT_V1_0_2,
        };
        Ok(Self {
            template,
            snap,
            rounding: template.round.unwrap_or(default),
            parts,
            source_anchor,
            squeeze: [source_squeeze, target_squeeze],
            target,
            maximum: template.maximum_dimensions.map(Into::into),
            pad: template.pad_to_maximum == Some(true),
            scale,
        })
    }

    /// Steps 5 to 10 by the specification.
    fn main(mut self) -> Outcome<Geometry> {
        let ([from, to], Scale { num, den, .. }) = (self.squeeze, self.scale);
        let resize = |v: Pair| [(v[0] * from * num) / (den * to), (v[1] * num) / den];
        self.scale_parts(resize)?;
        let bounding_box = self.parts[CANVAS].size;
        let placement = self.place();
        self.crop(&placement);
        let grown = self.make_whole();
        let shift = per_axis(|i| placement.shift[i] + grown[i] / 2.0);
        self.finish(num / den, bounding_box, shift)
    }

    /// Steps 5 to 10 as the released library 1.0.2 has them.
    fn v1_0_2(mut self) -> Outcome<Geometry> {
        if self.target.contains(&0.0) {
            return Err(rejected(self.template, "version 1.0.2 knows no target of 0"));
        }
        let ([from, to], Scale { num, den, .. }) = (self.squeeze, self.scale);
        let factor = num / den;
        let (rounding, snap) = (self.rounding, self.snap);
        self.scale_parts(|v| rounding.both([v[0] * from * factor / to, v[1] * factor], snap))?;
        let bounding_box = self.parts[CANVAS].size;
        let placement = self.place();
        self.crop(&placement);
        // A crop may leave half a pixel; that library counts it as a whole one.
        let effective = &mut self.parts[EFFECTIVE].size;
        *effective = effective.map(|v| snap.of(v).ceil());
        self.finish(factor, bounding_box, placement.shift)
    }

    fn scale_parts(&mut self, resize: impl Fn(Pair) -> Pair) -> Outcome<()> {
        // Far beyond any picture, and far inside what f64 counts exactly.
        const SANE: f64 = 1e9;
        for part in &mut self.parts {
            *part = Part { size: resize(part.size), anchor: resize(part.anchor) };
            let [width, height] = part.size;
            if ![width, height, part.anchor[0], part.anchor[1]].iter().all(|v| v.abs() < SANE) {
                let message = format!("a part would be {width:e} by {height:e} pixels");
                return Err(rejected(self.template, message));
            }
        }
        Ok(())
    }

    /// Steps 6 and 7: size of the new canvas, and how far the content moves in it.
    fn place(&self) -> Placement {
        let whole = self.parts[CANVAS].size;
        let fit = self.parts[self.template.fit_source as usize];
        let align = alignment(self.template);
        let mut placement = Placement { out: [0.0; 2], shift: [0.0; 2] };
        for i in 0..2 {
            let maximum = self.maximum.map(|maximum| maximum[i]);
            let cropped = maximum.is_some_and(|maximum| whole[i] > maximum);
            let out = maximum.filter(|_| self.pad || cropped).unwrap_or(whole[i]);
            let free = i != self.scale.axis && self.target[i] == 0.0 && !cropped;
            let target = if free { whole[i] } else { self.target[i] };
            let overflow = whole[i] - out;
            placement.out[i] = out;
            if overflow == 0.0 && !self.pad {
                continue;
            }
            let centred = self.pad || align[i] == 0.5;
            let gap = if centred { (out - target) / 2.0 } else { 0.0 };
            let mut shift = gap + (target - fit.size[i]) * align[i] - fit.anchor[i];
            if !self.pad && overflow > 0.0 {
                shift = shift.clamp(-overflow, 0.0);
            }
            placement.shift[i] = shift;
        }
        placement
    }

    /// Steps 8 and 9: the parts within the new canvas.
    fn crop(&mut self, placement: &Placement) {
        self.parts[CANVAS].size = placement.out;
        for part in &mut self.parts[EFFECTIVE..] {
            let moved = per_axis(|i| part.anchor[i] + placement.shift[i]);
            part.anchor = moved.map(|v| v.max(0.0));
            if part.present() {
                part.size = per_axis(|i| {
                    let cut = part.size[i] - (-moved[i]).max(0.0);
                    cut.min(placement.out[i] - part.anchor[i]).max(0.0)
                });
            }
        }
        self.nest(EFFECTIVE, CANVAS);
        if self.parts[PROTECTION].present() {
            self.nest(PROTECTION, EFFECTIVE);
            self.nest(FRAMING, PROTECTION);
        } else {
            self.nest(FRAMING, EFFECTIVE);
        }
    }

    fn nest(&mut self, inner: usize, outer: usize) {
        let outer = self.parts[outer].size;
        let inner = &mut self.parts[inner].size;
        *inner = per_axis(|i| inner[i].min(outer[i]));
    }

    /// Step 9b: the canvas and its effective part become whole; returns what
    /// the canvas gained. The effective part slides before it shrinks, the
    /// frames inside shrink.
    fn make_whole(&mut self) -> Pair {
        let exact = self.parts[CANVAS].size;
        let canvas = self.rounding.both(exact, self.snap);
        let grown = per_axis(|i| canvas[i] - exact[i]);
        self.parts[CANVAS].size = canvas;
        for part in &mut self.parts[EFFECTIVE..] {
            part.anchor = per_axis(|i| part.anchor[i] + grown[i] / 2.0);
        }
        let snap = self.snap;
        let effective = &mut self.parts[EFFECTIVE];
        let whole = effective.size.map(|v| snap.of(v).ceil());
        let size = per_axis(|i| whole[i].min(canvas[i]));
        effective.anchor = per_axis(|i| {
            let centred = effective.anchor[i] - (whole[i] - effective.size[i]) / 2.0;
            centred.clamp(0.0, canvas[i] - size[i])
        });
        effective.size = size;
        for part in &mut self.parts[PROTECTION..] {
            part.anchor = per_axis(|i| part.anchor[i].clamp(0.0, canvas[i]));
            part.size = per_axis(|i| part.size[i].min(canvas[i] - part.anchor[i]).min(size[i]));
        }
        grown
    }

    /// Step 10: the result, when it is one.
    fn finish(self, scale_factor: f64, bounding_box: Pair, shift: Pair) -> Outcome<Geometry> {
        let [canvas, effective, protection, framing] = self.parts;
        let most = f64::from(limits::MAX_PICTURE_SIDE_PX);
        for (name, size) in
            [("canvas", canvas.size), ("effective part", effective.size), ("frame", framing.size)]
        {
            if !size.iter().all(|v| *v > 0.0 && *v <= most) {
                let message = format!("the {name} would be {} by {} pixels", size[0], size[1]);
                return Err(rejected(self.template, message));
            }
        }
        Ok(Geometry {
            scale_factor,
            scaled_bounding_box: bounding_box,
            content_translation: shift,
            anamorphic_squeeze: self.squeeze[1],
            canvas_dimensions: canvas.size.map(|v| v as u32),
            effective_dimensions: effective.size.map(|v| v as u32),
            effective_anchor_point: effective.anchor,
            framing_dimensions: framing.size,
            framing_anchor_point: framing.anchor,
            protection: protection.present().then_some((protection.size, protection.anchor)),
            source_anchor: self.source_anchor,
            source_squeeze: self.squeeze[0],
            rounding: self.rounding,
        })
    }
}

fn source_parts(canvas: &Canvas, decision: &FramingDecision) -> [Part; 4] {
    let point = |point: Option<super::model::Point>| point.map_or([0.0; 2], Into::into);
    let whole = |size: Option<WholeSize>| size.map_or([0.0; 2], Into::into);
    [
        Part { size: canvas.dimensions.into(), anchor: [0.0; 2] },
        Part {
            size: whole(canvas.effective_dimensions),
            anchor: point(canvas.effective_anchor_point),
        },
        Part {
            size: decision.protection_dimensions.map_or([0.0; 2], Into::into),
            anchor: point(decision.protection_anchor_point),
        },
        Part { size: decision.dimensions.into(), anchor: decision.anchor_point.into() },
    ]
}

fn scale(template: &CanvasTemplate, fit: Pair, target: Pair) -> Outcome<Scale> {
    let wider = target[0] / fit[0] < target[1] / fit[1];
    let axis = match template.fit_method {
        FitMethod::Width => 0,
        FitMethod::Height => 1,
        FitMethod::FitAll => usize::from(!wider),
        FitMethod::Fill => usize::from(wider),
    };
    let scale = Scale { num: target[axis], den: fit[axis], axis };
    if scale.num > 0.0 && scale.den > 0.0 {
        return Ok(scale);
    }
    let side = ["width", "height"][axis];
    Err(rejected(template, format!("its target {side} is 0, which leaves the scale open")))
}

/// Share of the free space before the content: 0, one half or 1.
fn alignment(template: &CanvasTemplate) -> Pair {
    let x = match template.alignment_method_horizontal.unwrap_or_default() {
        Horizontal::Left => 0.0,
        Horizontal::Center => 0.5,
        Horizontal::Right => 1.0,
    };
    let y = match template.alignment_method_vertical.unwrap_or_default() {
        Vertical::Top => 0.0,
        Vertical::Center => 0.5,
        Vertical::Bottom => 1.0,
    };
    [x, y]
}

fn per_axis(of: impl Fn(usize) -> f64) -> Pair {
    [of(0), of(1)]
}

fn rejected(template: &CanvasTemplate, message: impl std::fmt::Display) -> Fault {
    Fault::new(Code::FdlRejected, format!("canvas template '{}': {message}", template.id))
}
