//! Laws that hold for whatever template on whatever canvas: the parts nest, the
//! sizes are what was asked for, a template that was applied has nothing left
//! to do, and a mirrored picture gives a mirrored result.

use platefarm_standards::fdl::geometry::apply;
use platefarm_standards::fdl::{
    Canvas, CanvasTemplate, Dialect, Even, Extra, Fdl, FitMethod, FramingDecision, Geometry,
    Horizontal, Layer, Request, RoundMode, Rounding, Snap, Vertical, WholeSize,
};
use proptest::prelude::*;
use serde_json::json;

/// A canvas whose parts nest, with one decision, and a template for it.
#[derive(Clone, Debug)]
struct Scene {
    canvas: Canvas,
    decision: FramingDecision,
    template: CanvasTemplate,
}

impl Scene {
    fn apply(&self) -> Option<Geometry> {
        self.apply_as(Dialect::Main)
    }

    fn apply_as(&self, dialect: Dialect) -> Option<Geometry> {
        apply(&self.template, &self.canvas, &self.decision, dialect, Snap::Near).ok()
    }

    /// The scene in a document, as it would be read.
    fn document(&self) -> Fdl {
        let mut canvas = self.canvas.clone();
        canvas.framing_decisions = vec![self.decision.clone()];
        let document = json!({
            "uuid": "11111111-2222-4333-8444-555555555555", "version": {"major": 2, "minor": 0},
            "framing_intents": [{"id": "F", "aspect_ratio": {"width": 16, "height": 9}}],
            "contexts": [{"canvases": [canvas]}], "canvas_templates": [self.template],
        });
        Fdl::parse(&serde_json::to_vec(&document).unwrap()).unwrap()
    }
}

/// A part within another: a share of its size and of the room that is left, in
/// quarters of pixels, so that mirroring is exact.
fn inside(outer: ([f64; 2], [f64; 2]), size: [f64; 2], place: [f64; 2]) -> ([f64; 2], [f64; 2]) {
    let quarters = |v: f64| (v * 4.0).floor() / 4.0;
    let size = [0, 1].map(|i| quarters(outer.0[i] * size[i]).max(0.25));
    let anchor = [0, 1].map(|i| outer.1[i] + quarters((outer.0[i] - size[i]) * place[i]));
    (size, anchor)
}

fn layer() -> impl Strategy<Value = Layer> {
    prop::sample::select(&Layer::ALL[..])
}

fn share() -> impl Strategy<Value = f64> {
    prop_oneof![Just(1.0), 0.3..1.0_f64]
}

prop_compose! {
    fn template()(
        target in prop::array::uniform2(200..5000_u32),
        squeeze in prop_oneof![Just(0.0), Just(1.0), Just(2.0)],
        fit_source in layer(),
        fit_method in prop::sample::select(vec![
            FitMethod::Width, FitMethod::Height, FitMethod::FitAll, FitMethod::Fill]),
        across in prop::sample::select(vec![Horizontal::Left, Horizontal::Center, Horizontal::Right]),
        down in prop::sample::select(vec![Vertical::Top, Vertical::Center, Vertical::Bottom]),
        preserve in prop::option::of(layer()),
        maximum in prop::option::of(prop::array::uniform2(0..800_u32)),
        pad: bool,
        even: bool,
        mode in prop::sample::select(vec![RoundMode::Up, RoundMode::Down, RoundMode::Round]),
    ) -> CanvasTemplate {
        let whole = |[width, height]: [u32; 2]| WholeSize { width, height };
        CanvasTemplate {
            label: None,
            id: "T".into(),
            target_dimensions: whole(target),
            target_anamorphic_squeeze: squeeze,
            fit_source,
            fit_method,
            alignment_method_horizontal: Some(across),
            alignment_method_vertical: Some(down),
            preserve_from_source_canvas: preserve,
            maximum_dimensions: maximum.map(|more| whole([0, 1].map(|i| target[i] + more[i]))),
            pad_to_maximum: Some(pad && maximum.is_some()),
            round: Some(Rounding { even: if even { Even::Even } else { Even::Whole }, mode }),
            extra: Extra::new(),
        }
    }
}

prop_compose! {
    fn scene()(
        size in prop::array::uniform2(300..9000_u32),
        squeeze in prop::sample::select(vec![1.0, 1.25, 2.0]),
        shares in prop::array::uniform6(share()),
        places in prop::array::uniform6(0.0..=1.0_f64),
        template in template(),
    ) -> Scene {
        let whole = |v: [f64; 2]| WholeSize { width: v[0] as u32, height: v[1] as u32 };
        let canvas = (size.map(f64::from), [0.0; 2]);
        let mut effective = inside(canvas, [shares[0], shares[1]], [places[0], places[1]]);
        effective.0 = effective.0.map(f64::floor);
        let protection = inside(effective, [shares[2], shares[3]], [places[2], places[3]]);
        let frame = inside(protection, [shares[4], shares[5]], [places[4], places[5]]);
        Scene {
            canvas: Canvas {
                label: None,
                id: "C".into(),
                source_canvas_id: "C".into(),
                dimensions: whole(canvas.0),
                effective_dimensions: Some(whole(effective.0)),
                effective_anchor_point: Some(effective.1.into()),
                photosite_dimensions: None,
                physical_dimensions: None,
                anamorphic_squeeze: Some(squeeze),
                framing_decisions: Vec::new(),
                extra: Extra::new(),
            },
            decision: FramingDecision {
                label: None,
                id: "C-F".into(),
                framing_intent_id: "F".into(),
                dimensions: frame.0.into(),
                anchor_point: frame.1.into(),
                protection_dimensions: Some(protection.0.into()),
                protection_anchor_point: Some(protection.1.into()),
                extra: Extra::new(),
            },
            template,
        }
    }
}

/// Size and anchor of each part of a result, from the outside in.
fn parts(g: &Geometry) -> Vec<([f64; 2], [f64; 2])> {
    let mut all = vec![
        (g.canvas_dimensions.map(f64::from), [0.0; 2]),
        (g.effective_dimensions.map(f64::from), g.effective_anchor_point),
    ];
    all.extend(g.protection);
    all.push((g.framing_dimensions, g.framing_anchor_point));
    all
}

/// A part seen in a mirror that stands on the axis of its canvas.
fn mirrored(part: ([f64; 2], [f64; 2]), canvas: [f64; 2], axis: usize) -> ([f64; 2], [f64; 2]) {
    let (size, mut anchor) = part;
    anchor[axis] = canvas[axis] - size[axis] - anchor[axis];
    (size, anchor)
}

fn close(a: ([f64; 2], [f64; 2]), b: ([f64; 2], [f64; 2])) -> bool {
    (0..2).all(|i| (a.0[i] - b.0[i]).abs() < 1e-6 && (a.1[i] - b.1[i]).abs() < 1e-6)
}

impl Scene {
    fn mirrored(&self, axis: usize) -> Self {
        let mut other = self.clone();
        let canvas: [f64; 2] = self.canvas.dimensions.into();
        let turn = |size: [f64; 2], anchor: [f64; 2]| mirrored((size, anchor), canvas, axis).1;
        let effective = self.canvas.effective_dimensions.unwrap().into();
        let at = self.canvas.effective_anchor_point.unwrap().into();
        other.canvas.effective_anchor_point = Some(turn(effective, at).into());
        let protection = self.decision.protection_dimensions.unwrap().into();
        let at = self.decision.protection_anchor_point.unwrap().into();
        other.decision.protection_anchor_point = Some(turn(protection, at).into());
        let (frame, at) = (self.decision.dimensions.into(), self.decision.anchor_point.into());
        other.decision.anchor_point = turn(frame, at).into();
        let template = &mut other.template;
        if axis == 0 {
            template.alignment_method_horizontal =
                template.alignment_method_horizontal.map(|align| match align {
                    Horizontal::Left => Horizontal::Right,
                    Horizontal::Center => Horizontal::Center,
                    Horizontal::Right => Horizontal::Left,
                });
        } else {
            template.alignment_method_vertical =
                template.alignment_method_vertical.map(|align| match align {
                    Vertical::Top => Vertical::Bottom,
                    Vertical::Center => Vertical::Center,
                    Vertical::Bottom => Vertical::Top,
                });
        }
        other
    }
}

/// The laws speak of something: most scenes have a result, and every way to
/// get to one is among them.
#[test]
fn the_scenes_are_of_every_kind() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut results, mut cropped, mut padded, mut anamorphic) = (0, 0, 0, 0);
    for _ in 0..500 {
        let scene = scene().new_tree(&mut runner).unwrap().current();
        let Some(g) = scene.apply() else { continue };
        results += 1;
        let exact = g.canvas_dimensions.map(f64::from);
        cropped += usize::from((0..2).any(|i| g.scaled_bounding_box[i] > exact[i] + 1.0));
        padded += usize::from((0..2).any(|i| g.scaled_bounding_box[i] < exact[i] - 2.0));
        anamorphic += usize::from(g.source_squeeze != g.anamorphic_squeeze);
    }
    assert!(results > 400, "{results}");
    assert!(cropped.min(padded).min(anamorphic) > 50, "{cropped} {padded} {anamorphic}");
}

fn doubled(size: WholeSize) -> WholeSize {
    WholeSize { width: size.width * 2, height: size.height * 2 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    /// Canvas, effective part, protection and frame nest by their sizes and
    /// all lie on the canvas; and the document that says so is valid.
    #[test]
    fn parts_nest_and_lie_on_the_canvas(scene in scene()) {
        let Some(g) = scene.apply() else { return Ok(()) };
        let parts = parts(&g);
        for pair in parts.windows(2) {
            prop_assert!((0..2).all(|i| pair[1].0[i] <= pair[0].0[i] + 1e-9), "{parts:?}");
        }
        for (size, anchor) in &parts {
            for i in 0..2 {
                prop_assert!(anchor[i] >= 0.0 && size[i] > 0.0);
                prop_assert!(anchor[i] + size[i] <= parts[0].0[i] + 1e-9, "{parts:?}");
            }
        }
        let framing = g.framing([scene.canvas.dimensions.width, scene.canvas.dimensions.height]);
        if let Some(framing) = framing {
            let [x0, y0, x1, y1] = framing.content;
            let [width, height] = framing.size;
            prop_assert!(x0 < x1 && y0 < y1 && x1 <= width && y1 <= height);
            // Without padding there is picture everywhere, but for what rounding adds at the rim.
            if scene.template.pad_to_maximum != Some(true) {
                prop_assert!(x0 <= 1 && y0 <= 1 && x1 + 1 >= width && y1 + 1 >= height);
            }
        }
    }

    /// What is written is valid, unless the published order of operations
    /// itself moved an anchor out of the part around it by its rounding.
    #[test]
    fn what_is_written_can_be_read(scene in scene()) {
        let fdl = scene.document();
        let request = Request {
            template: "T",
            document_uuid: "11111111-2222-4333-8444-555555555555",
            ..Request::default()
        };
        let Ok(applied) = fdl.apply_to_canvas(&request) else { return Ok(()) };
        let reading = Fdl::read(applied.document.to_json().unwrap().as_bytes());
        prop_assert!(reading.errors.is_empty(), "{:?}\n{:?}", reading.errors, scene.template);
    }

    /// The size is a whole or even number, that of the maximum where it pads,
    /// and never beyond the maximum by more than its rounding.
    #[test]
    fn sizes_are_what_was_asked_for(scene in scene()) {
        let Some(g) = scene.apply() else { return Ok(()) };
        let rounding = scene.template.round.unwrap();
        for i in 0..2 {
            let side = g.canvas_dimensions[i];
            prop_assert!(rounding.even == Even::Whole || side % 2 == 0);
            if let Some(maximum) = scene.template.maximum_dimensions {
                let most = rounding.round([maximum.width, maximum.height][i].into(), Snap::Near);
                let padded = scene.template.pad_to_maximum == Some(true);
                prop_assert!(f64::from(side) <= most && (!padded || f64::from(side) == most));
            }
        }
    }

    /// What is fitted meets the target on the axis that decides, and covers or
    /// stays inside of it on the other.
    #[test]
    fn the_fitted_part_meets_the_target(scene in scene()) {
        let Some(g) = scene.apply() else { return Ok(()) };
        let fit: [f64; 2] = match scene.template.fit_source {
            Layer::Canvas => scene.canvas.dimensions.into(),
            Layer::Effective => scene.canvas.effective_dimensions.unwrap().into(),
            Layer::Protection => scene.decision.protection_dimensions.unwrap().into(),
            Layer::Framing => scene.decision.dimensions.into(),
        };
        let across = g.scale_factor * g.source_squeeze / g.anamorphic_squeeze;
        let fitted = [fit[0] * across, fit[1] * g.scale_factor];
        let target: [f64; 2] = scene.template.target_dimensions.into();
        let ratio = [0, 1].map(|i| fitted[i] / target[i]);
        let is = |v: f64| (v - 1.0).abs() < 1e-9;
        prop_assert!(match scene.template.fit_method {
            FitMethod::Width => is(ratio[0]),
            FitMethod::Height => is(ratio[1]),
            FitMethod::FitAll => is(ratio[0].max(ratio[1])),
            FitMethod::Fill => is(ratio[0].min(ratio[1])),
        }, "{ratio:?}");
    }

    /// A template that fits the frame and drops the rest has done its work: on
    /// its own result it does nothing.
    #[test]
    fn a_template_that_was_applied_has_nothing_left_to_do(mut scene in scene()) {
        let template = &mut scene.template;
        template.fit_source = Layer::Framing;
        template.preserve_from_source_canvas = None;
        if template.pad_to_maximum != Some(true) {
            template.maximum_dimensions = None;
        }
        if template.fit_method == FitMethod::Fill {
            template.fit_method = FitMethod::FitAll;
        }
        // A size that is rounded down cuts the frame, and the rest is a new one.
        template.round = Some(Rounding { mode: RoundMode::Up, ..template.round.unwrap() });
        // A target that leaves no fitted width beyond the maximum: it is not cropped.
        if template.pad_to_maximum == Some(true) {
            template.fit_method = FitMethod::FitAll;
        }
        let Some(once) = scene.apply() else { return Ok(()) };
        let mut again = scene.clone();
        let [width, height] = once.canvas_dimensions;
        again.canvas.dimensions = WholeSize { width, height };
        let [width, height] = once.effective_dimensions;
        again.canvas.effective_dimensions = Some(WholeSize { width, height });
        again.canvas.effective_anchor_point = Some(once.effective_anchor_point.into());
        again.canvas.anamorphic_squeeze = Some(once.anamorphic_squeeze);
        again.decision.dimensions = once.framing_dimensions.into();
        again.decision.anchor_point = once.framing_anchor_point.into();
        let twice = again.apply().unwrap();
        prop_assert!((twice.scale_factor - 1.0).abs() < 1e-9, "{}", twice.scale_factor);
        prop_assert_eq!(twice.canvas_dimensions, once.canvas_dimensions);
        for i in 0..2 {
            prop_assert!((twice.framing_dimensions[i] - once.framing_dimensions[i]).abs() < 1e-6);
            prop_assert!(
                (twice.framing_anchor_point[i] - once.framing_anchor_point[i]).abs() < 1e-6,
                "{:?} {:?}", twice.framing_anchor_point, once.framing_anchor_point
            );
        }
    }

    /// The same picture with twice the pixels gives the same result at half the scale.
    #[test]
    fn a_source_of_twice_the_pixels_gives_the_same(scene in scene()) {
        let mut twice = scene.clone();
        twice.canvas.dimensions = doubled(scene.canvas.dimensions);
        twice.canvas.effective_dimensions = scene.canvas.effective_dimensions.map(doubled);
        let lengths = |v: [f64; 2]| v.map(|v| v * 2.0);
        let anchor = scene.canvas.effective_anchor_point.unwrap();
        twice.canvas.effective_anchor_point = Some(lengths(anchor.into()).into());
        let decision = &mut twice.decision;
        decision.dimensions = lengths(decision.dimensions.into()).into();
        decision.anchor_point = lengths(decision.anchor_point.into()).into();
        decision.protection_dimensions =
            decision.protection_dimensions.map(|v| lengths(v.into()).into());
        decision.protection_anchor_point =
            decision.protection_anchor_point.map(|v| lengths(v.into()).into());
        let (one, two) = (scene.apply(), twice.apply());
        prop_assert_eq!(one.is_some(), two.is_some());
        if let (Some(one), Some(two)) = (one, two) {
            // Powers of two are exact: not a bit may differ.
            prop_assert_eq!(two.scale_factor * 2.0, one.scale_factor);
            prop_assert_eq!(parts(&two), parts(&one));
            prop_assert_eq!(two.content_translation, one.content_translation);
        }
    }

    /// A mirrored source, aligned the other way, gives the mirrored result.
    /// Only where the published order is even-handed: what is preserved holds
    /// what is fitted; the size is not rounded down, which cuts at one end; and
    /// the maximum is the target, against which a crop aligns.
    #[test]
    fn a_mirrored_source_gives_a_mirrored_result(mut scene in scene(), axis in 0..2_usize) {
        let template = &mut scene.template;
        if template.preserve_from_source_canvas.is_some_and(|p| p > template.fit_source) {
            template.preserve_from_source_canvas = None;
        }
        template.round = Some(Rounding { mode: RoundMode::Up, ..template.round.unwrap() });
        if template.pad_to_maximum != Some(true) && template.maximum_dimensions.is_some() {
            template.maximum_dimensions = Some(template.target_dimensions);
        }
        let (one, two) = (scene.apply(), scene.mirrored(axis).apply());
        prop_assert_eq!(one.is_some(), two.is_some());
        if let (Some(one), Some(two)) = (one, two) {
            prop_assert_eq!(one.canvas_dimensions, two.canvas_dimensions);
            let canvas = one.canvas_dimensions.map(f64::from);
            for (a, b) in parts(&one).into_iter().zip(parts(&two)) {
                prop_assert!(close(mirrored(a, canvas, axis), b), "{a:?} {b:?} on {canvas:?}");
            }
        }
    }

    /// The released library's behaviour nests too, but for what it rounds up.
    #[test]
    fn the_released_dialect_stays_on_its_canvas(scene in scene()) {
        let mut scene = scene;
        scene.template.target_anamorphic_squeeze = 1.0;
        let Some(g) = scene.apply_as(Dialect::V1_0_2) else { return Ok(()) };
        let parts = parts(&g);
        for pair in parts.windows(2) {
            prop_assert!((0..2).all(|i| pair[1].0[i] <= pair[0].0[i] + 1.0), "{parts:?}");
        }
        for (_, anchor) in &parts {
            prop_assert!((0..2).all(|i| anchor[i] >= 0.0 && anchor[i] <= parts[0].0[i]));
        }
    }
}
