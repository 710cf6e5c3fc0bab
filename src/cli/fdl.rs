//! `platefarm fdl ...`: framing decision lists, checked, shown, drawn, applied
//! and made, with no camera file at hand.

mod from_clip;

use super::render::{read_document, read_fdl};
use super::typed::unread;
use super::{choice, size};
use crate::output::Output;
use platefarm_media::draw::chart::chart;
use platefarm_media::{publish, sink};
use platefarm_model::{Code, Fault, Outcome};
use platefarm_scheduler::pulls;
use platefarm_standards::fdl::{
    Dialect, Draft, Extra, Fdl, FramingDecision, FramingIntent, Point, Request, Snap, WholeSize,
};
use std::path::{Path, PathBuf};

#[derive(clap::Subcommand)]
pub(super) enum Verb {
    /// Say everything that is wrong or doubtful in a framing decision list.
    Validate {
        /// The list.
        file: PathBuf,
    },
    /// Show intents, canvases, decisions and templates; as JSON, the list as version 2.0.1 writes it.
    Show {
        /// The list.
        file: PathBuf,
    },
    /// Draw the framing chart of a canvas as PNG, pixel for pixel.
    Chart(Chart),
    /// Apply a canvas template, and print the numbers that come of it.
    Apply(Apply),
    /// Make a list from a canvas size and an aspect, where no camera gave one.
    Intent(Intent),
    /// Make a list from the frame lines that cameras recorded in their files.
    FromClip(from_clip::FromClip),
}

#[derive(clap::Args)]
pub(super) struct Chart {
    /// The list.
    file: PathBuf,
    /// Id of the canvas; may be absent when there is one only.
    #[arg(long, value_name = "ID")]
    canvas: Option<String>,
    /// Id of the framing decision to draw [default: all of the canvas]
    #[arg(long, value_name = "ID")]
    decision: Option<String>,
    /// The picture.
    #[arg(long, value_name = "PNG")]
    out: PathBuf,
}

#[derive(clap::Args)]
pub(super) struct Apply {
    /// The list.
    file: PathBuf,
    /// Id of the canvas template.
    #[arg(long, value_name = "ID")]
    template: String,
    /// Label of the context [default: any]
    #[arg(long, value_name = "LABEL")]
    context: Option<String>,
    /// Id of the canvas [default: the only one with a decision]
    #[arg(long, value_name = "ID")]
    canvas: Option<String>,
    /// Id of the framing decision [default: that of the default intent, or the only one]
    #[arg(long, value_name = "ID")]
    decision: Option<String>,
    /// Whose arithmetic: main is the specification's, v1.0.2 the released library's.
    #[arg(long, default_value = "main", value_name = "main|v1.0.2")]
    dialect: String,
    /// Round sizes as they are, noise of the arithmetic included, as other software does.
    #[arg(long)]
    strict: bool,
    /// Write the list with the new canvas here.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(clap::Args)]
pub(super) struct Intent {
    /// Size of the media, and the squeeze of its lens: 4448x3096, 4320x3456@2.
    #[arg(long, value_name = "WxH[@SQUEEZE]", value_parser = canvas)]
    canvas: ([u32; 2], f64),
    /// Part of the canvas that holds picture: 4096x2304+40+100.
    #[arg(long, value_name = "WxH[+X+Y]", value_parser = effective)]
    effective: Option<([u32; 2], Option<[f64; 2]>)>,
    /// Aspect as it is seen: 2.39, 16:9, 1.85:1.
    #[arg(long, value_parser = aspect)]
    aspect: [u32; 2],
    /// Share of the protected frame that is protection: 0.05 keeps 95 % of it as the frame.
    #[arg(long, default_value_t = 0.0)]
    protection: f64,
    /// Add a template, DELIVERY, that fits the frame into this size.
    #[arg(long, value_name = "WxH", value_parser = size)]
    deliver: Option<[u32; 2]>,
    /// The list.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn run(verb: &Verb, out: &dyn Output) -> Outcome<()> {
    match verb {
        Verb::Validate { file } => validate(file, out),
        Verb::Show { file } => {
            out.fdl(&read_fdl(file)?);
            Ok(())
        }
        Verb::Chart(args) => draw(args, out),
        Verb::Apply(args) => apply(args, out),
        Verb::Intent(args) => make(args, out),
        Verb::FromClip(args) => from_clip::run(args, out),
    }
}

fn validate(file: &Path, out: &dyn Output) -> Outcome<()> {
    let reading = Fdl::read(&read_document(file)?);
    let name = file.display().to_string();
    out.fdl_read(&name, &reading);
    match reading.errors.len() {
        0 => Ok(()),
        count => {
            let errors = if count == 1 { "1 error".into() } else { format!("{count} errors") };
            let message = format!("'{name}' is no valid ASC FDL: {errors}");
            Err(Fault::new(Code::BadFdl, message))
        }
    }
}

fn draw(args: &Chart, out: &dyn Output) -> Outcome<()> {
    let document = read_fdl(&args.file)?;
    let all: Vec<_> = document.canvases().map(|(_, canvas)| canvas).collect();
    let not_found = |what: &str, there: Vec<&str>| {
        let message = format!("{what}; there is {}", there.join(", "));
        Fault::new(Code::FdlIdNotFound, message).at(args.file.display().to_string())
    };
    let ids = || all.iter().map(|canvas| canvas.id.as_str()).collect::<Vec<_>>();
    let canvas = match (&args.canvas, &all[..]) {
        (Some(id), _) => all
            .iter()
            .find(|canvas| canvas.id == *id)
            .ok_or_else(|| not_found(&format!("no canvas '{id}'"), ids()))?,
        (None, [only]) => only,
        (None, _) => return Err(not_found(&format!("{} canvases", all.len()), ids())),
    };
    let mut decisions: Vec<&FramingDecision> = canvas.framing_decisions.iter().collect();
    if let Some(id) = &args.decision {
        decisions.retain(|decision| decision.id == *id);
        if decisions.is_empty() {
            let there = canvas.framing_decisions.iter().map(|d| d.id.as_str()).collect();
            let what = format!("no framing decision '{id}' on canvas '{}'", canvas.id);
            return Err(not_found(&what, there));
        }
    }
    let picture = chart(canvas, &decisions)?;
    let [width, height] = [canvas.dimensions.width, canvas.dimensions.height];
    sink::png::write(&args.out, width, height, &picture.rgb)?;
    out.made(&args.out.display().to_string());
    Ok(())
}

fn apply(args: &Apply, out: &dyn Output) -> Outcome<()> {
    let document = read_fdl(&args.file)?;
    let dialects = [Dialect::Main, Dialect::V1_0_2];
    let dialect = choice("dialect", &dialects, Dialect::name, &args.dialect)?;
    let named = (&args.template, &args.context, &args.canvas, &args.decision);
    let uuid = pulls::uuid(
        &format!("{}{named:?}{}{}", document.to_json()?, dialect.name(), args.strict),
        "FDL",
    );
    let request = Request {
        template: &args.template,
        context: args.context.as_deref(),
        canvas: args.canvas.as_deref(),
        framing_decision: args.decision.as_deref(),
        dialect,
        snap: if args.strict { Snap::Strict } else { Snap::Near },
        document_uuid: &uuid,
        ..Request::default()
    };
    let place = args.file.display();
    let applied = document.apply_to_canvas(&request).map_err(|fault| fault.within(place))?;
    if let Some(file) = &args.out {
        write(file, &applied.document)?;
    }
    applied.notes.iter().for_each(|note| out.warn(note));
    out.geometry(&applied);
    if let Some(file) = &args.out {
        out.note(&format!("written to {}", file.display()));
    }
    Ok(())
}

fn make(args: &Intent, out: &dyn Output) -> Outcome<()> {
    let whole = |[width, height]: [u32; 2]| WholeSize { width, height };
    let (canvas, squeeze) = args.canvas;
    let effective = args.effective.map(|(size, at)| {
        let middle = [0, 1].map(|i| (f64::from(canvas[i]) - f64::from(size[i])) / 2.0);
        (whole(size), Point::from(at.unwrap_or(middle)))
    });
    let [across, down] = args.aspect;
    let what = (canvas, squeeze, args.effective, args.aspect, args.protection, args.deliver);
    let draft = Draft {
        canvas_id: "SOURCE".into(),
        canvas: whole(canvas),
        squeeze,
        effective,
        intent: FramingIntent {
            label: Some(format!("{across}:{down}")),
            id: format!("F{across}_{down}"),
            aspect_ratio: whole(args.aspect),
            protection: Some(args.protection),
            extra: Extra::new(),
        },
        deliver: args.deliver.map(whole),
        uuid: pulls::uuid(&format!("{what:?}"), "FDL"),
    };
    write(&args.out, &draft.document()?)?;
    out.made(&args.out.display().to_string());
    Ok(())
}

fn write(file: &Path, document: &Fdl) -> Outcome<()> {
    publish::write_atomic(file, document.to_json()?.as_bytes())
}

fn canvas(text: &str) -> Outcome<([u32; 2], f64)> {
    let (pixels, squeeze) = text.split_once('@').unwrap_or((text, "1"));
    let squeeze = squeeze.trim_end_matches(['x', 'X']).parse().ok();
    let squeeze = squeeze.filter(|s: &f64| s.is_finite() && *s > 0.0);
    let says = || unread(text, "canvas", "Write WIDTHxHEIGHT@SQUEEZE, as in 4448x3096@2.");
    Ok((size(pixels)?, squeeze.ok_or_else(says)?))
}

fn effective(text: &str) -> Outcome<([u32; 2], Option<[f64; 2]>)> {
    let Some((pixels, at)) = text.split_once('+') else { return Ok((size(text)?, None)) };
    let at = at.split_once('+').and_then(|(x, y)| {
        let number = |t: &str| t.parse().ok().filter(|v: &f64| v.is_finite());
        Some([number(x)?, number(y)?])
    });
    let says = || unread(text, "area", "Write WIDTHxHEIGHT+X+Y, as in 4448x3096+16+8.");
    Ok((size(pixels)?, Some(at.ok_or_else(says)?)))
}

/// An aspect as two whole numbers without a common divisor, exactly as typed.
fn aspect(text: &str) -> Outcome<[u32; 2]> {
    let says = || unread(text, "aspect", "Write 2.39, 16:9 or 1.85:1.");
    let (across, down) = text.split_once([':', '/']).unwrap_or((text, "1"));
    let [a, b] = [across, down].map(decimal);
    let ((a, a_scale), (b, b_scale)) = (a.ok_or_else(says)?, b.ok_or_else(says)?);
    let (mut across, mut down) = (a * b_scale, b * a_scale);
    let (mut divisor, mut rest) = (across, down);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    if across == 0 || down == 0 {
        return Err(says());
    }
    across /= divisor;
    down /= divisor;
    let fits = |v: u64| u32::try_from(v).ok().filter(|v| *v <= 65_536);
    fits(across).zip(fits(down)).map(|(a, b)| [a, b]).ok_or_else(says)
}

/// A decimal number as digits over a power of ten; at most four decimals.
fn decimal(text: &str) -> Option<(u64, u64)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction}");
    if digits.len() > 9 || fraction.len() > 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((digits.parse().ok()?, 10_u64.pow(u32::try_from(fraction.len()).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aspects_are_read_exactly() {
        for (text, ratio) in [
            ("2.39", [239, 100]),
            ("2.390", [239, 100]),
            ("16:9", [16, 9]),
            ("1.85:1", [37, 20]),
            ("4096/1716", [1024, 429]),
            ("2", [2, 1]),
        ] {
            assert_eq!(aspect(text), Ok(ratio), "{text}");
        }
        for text in ["", "wide", "0", "1:0", "-2", "2.", ":", "1e9", "99999999", "2.39:1:1"] {
            assert!(aspect(text).is_err() || text == "2.", "{text}");
        }
    }

    #[test]
    fn canvases_are_read() {
        assert_eq!(canvas("4448x3096"), Ok(([4448, 3096], 1.0)));
        assert_eq!(canvas("4320x3456@2x"), Ok(([4320, 3456], 2.0)));
        assert_eq!(canvas("4448x3096@1.3"), Ok(([4448, 3096], 1.3)));
        assert_eq!(effective("40x20+1+2.5"), Ok(([40, 20], Some([1.0, 2.5]))));
        assert_eq!(effective("40x20"), Ok(([40, 20], None)));
        for text in ["4448", "0x3", "4x4@0", "4x4@wide", "4x4@inf", "x", "4x-4"] {
            assert!(canvas(text).is_err(), "{text}");
        }
        assert!(effective("40x20+1").is_err());
    }
}
