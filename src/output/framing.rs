//! Framing for people at a terminal: what is wrong in a list, what it holds,
//! and what a template makes of a canvas.

use super::style;
use super::table::{self, Align};
use platefarm_model::Fault;
use platefarm_standards::fdl::{Applied, Canvas, Fdl, Point, Reading, Size};

/// What is wrong and what is doubtful, each with its id and its JSON pointer.
pub(super) fn verdict(file: &str, reading: &Reading) {
    let line = |word: String, fault: &Fault| {
        let place = fault.place.as_deref().unwrap_or("/");
        let id = reading.id_at(fault).map(|id| format!(" ({id})")).unwrap_or_default();
        println!("{word} {}{id}\n  {}", style::strong(place), fault.message);
        if let Some(cause) = &fault.cause {
            println!("  {}", style::dim(cause));
        }
    };
    reading.errors.iter().for_each(|fault| line(style::state("failed"), fault));
    reading.warnings.iter().for_each(|fault| line(style::dim("warning"), fault));
    if reading.errors.is_empty() {
        let count = match reading.warnings.len() {
            0 => "no warnings".to_owned(),
            1 => "1 warning".to_owned(),
            many => format!("{many} warnings"),
        };
        println!("{file} is a valid ASC FDL, {count}");
    }
}

/// To a thousandth of a pixel; the JSON has every digit.
fn short([a, b]: [f64; 2]) -> [f64; 2] {
    [a, b].map(|v| (v * 1000.0).round() / 1000.0)
}

fn both(size: impl Into<[f64; 2]>) -> String {
    let [w, h] = short(size.into());
    format!("{w} x {h}")
}

fn placed(size: impl Into<[f64; 2]>, at: impl Into<[f64; 2]>) -> String {
    let [x, y] = short(at.into());
    format!("{} at {x}, {y}", both(size))
}

/// Intents, canvases with their parts, templates.
pub(super) fn document(fdl: &Fdl) {
    println!("{}  {}", style::strong(&fdl.uuid), fdl.fdl_creator.as_deref().unwrap_or_default());
    let default = fdl.default_framing_intent.as_deref();
    for intent in &fdl.framing_intents {
        let aspect = intent.aspect_ratio;
        let seen = f64::from(aspect.width) / f64::from(aspect.height);
        println!(
            "intent {}  {}:{} ({seen:.3}), protection {}{}",
            style::strong(&intent.id),
            aspect.width,
            aspect.height,
            intent.protection.unwrap_or(0.0),
            if default == Some(intent.id.as_str()) { ", the default" } else { "" }
        );
    }
    let mut rows = Vec::new();
    for (context, canvas) in fdl.canvases() {
        canvas_rows(context.label.as_deref().unwrap_or_default(), canvas, &mut rows);
    }
    let header = [
        ("CONTEXT", Align::Left),
        ("ID", Align::Key),
        ("PART", Align::Left),
        ("PIXELS", Align::Left),
    ];
    table::print(&header, &rows);
    for template in &fdl.canvas_templates {
        let target = template.target_dimensions;
        println!(
            "template {}  {} into {}, {}",
            style::strong(&template.id),
            template.fit_source.name(),
            both(target),
            template.label.as_deref().unwrap_or("no label")
        );
    }
}

fn canvas_rows(context: &str, canvas: &Canvas, rows: &mut Vec<Vec<String>>) {
    let mut row = |context: &str, id: &str, part: &str, pixels: String| {
        rows.push([context, id, part, &pixels].map(str::to_owned).to_vec());
    };
    let squeeze = canvas.anamorphic_squeeze.unwrap_or(1.0);
    let whole = both(canvas.dimensions);
    let whole = if squeeze == 1.0 { whole } else { format!("{whole}, squeeze {squeeze}") };
    row(context, &canvas.id, "canvas", whole);
    let origin = Point { x: 0.0, y: 0.0 };
    if let Some(size) = canvas.effective_dimensions {
        let at = canvas.effective_anchor_point.unwrap_or(origin);
        row("", "", "effective", placed(size, at));
    }
    for decision in &canvas.framing_decisions {
        if let Some(size) = decision.protection_dimensions {
            let at = decision.protection_anchor_point.unwrap_or(origin);
            row("", &decision.id, "protection", placed(size, at));
        }
        row("", &decision.id, "framing", placed(decision.dimensions, decision.anchor_point));
    }
}

/// The delivered raster and its parts.
pub(super) fn geometry(applied: &Applied) {
    let g = &applied.geometry;
    println!(
        "{} of canvas {} by template {} gives canvas {}",
        style::strong(&applied.framing_decision),
        applied.canvas,
        applied.template,
        style::strong(&applied.new_canvas)
    );
    let mut rows = vec![
        ("canvas", both(g.canvas_dimensions.map(f64::from))),
        ("effective", placed(g.effective_dimensions.map(f64::from), g.effective_anchor_point)),
    ];
    rows.extend(g.protection.map(|(size, at)| ("protection", placed(size, at))));
    rows.push(("framing", placed(Size::from(g.framing_dimensions), g.framing_anchor_point)));
    rows.push(("content", placed(g.scaled_bounding_box, g.content_translation)));
    rows.push(("scale", format!("{}", g.scale_factor)));
    if g.anamorphic_squeeze != 1.0 {
        rows.push(("squeeze", format!("{}", g.anamorphic_squeeze)));
    }
    for (name, value) in rows {
        println!("  {name:<11}{value}");
    }
}
