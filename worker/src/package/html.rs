//! The report as a page: one file that opens anywhere, with nothing to fetch.
//! What needs a person's eye comes first: is it whole, what is missing and why.

mod gate;
mod text;

use super::report::{Failure, PackageReport, PlateReport};
use crate::render::StageTotal;
use platefarm_model::pull::{Candidate, Rejected};
use platefarm_model::{Code, Fault};
use std::fmt::{self, Write as _};
use text::{Esc, utc};
pub(crate) use text::{base64, bytes};

const STYLE: &str = include_str!("page.css");

/// A picture of a plate on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Thumbnail {
    /// Its frame number.
    pub(crate) frame: i64,
    /// What the lines over it are; empty when there are none.
    pub(crate) legend: String,
    /// Size in pixels.
    pub(crate) size: [u32; 2],
    /// The PNG file; empty when it lies beside the page.
    pub(crate) png: Vec<u8>,
    /// Where it lies, relative to the page.
    pub(crate) file: Option<String>,
}

impl Thumbnail {
    /// What the page shows: the picture itself, or its file.
    fn source(&self) -> String {
        let embedded = || format!("data:image/png;base64,{}", base64(&self.png));
        self.file.clone().unwrap_or_else(embedded)
    }
}

/// The page. `thumbnails` are per plate, in the report's order.
#[must_use]
pub(crate) fn page(report: &PackageReport, thumbnails: &[Vec<Thumbnail>]) -> String {
    let mut html = String::with_capacity(64 * 1024);
    write_page(&mut html, report, thumbnails).expect("a String takes what is written to it");
    html
}

fn write_page(
    html: &mut String,
    report: &PackageReport,
    thumbnails: &[Vec<Thumbnail>],
) -> fmt::Result {
    write!(
        html,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{} \u{2013} pull report</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
        Esc(&report.name)
    )?;
    write_header(html, report)?;
    gate::write(html, report)?;
    write_problems(html, report)?;
    write_faults(html, "Notes on the pull", &report.notes)?;
    write_defaults(html, &report.defaulted)?;
    write_stages(html, &report.stages)?;
    if !report.plates.is_empty() {
        html.push_str("<h2>Plates</h2>\n");
    }
    for (i, plate) in report.plates.iter().enumerate() {
        write_plate(html, plate, thumbnails.get(i).map_or(&[], Vec::as_slice))?;
    }
    write_footer(html, report)?;
    html.push_str("</main>\n</body>\n</html>\n");
    Ok(())
}

fn plate_badge(plate: &PlateReport) -> &'static str {
    match (plate.complete, plate.short().next()) {
        (true, None) => "<span class=\"badge good\">COMPLETE</span>",
        (true, Some(_)) => "<span class=\"badge bad\">SHORT OF MEDIA</span>",
        (false, _) => "<span class=\"badge bad\">INCOMPLETE</span>",
    }
}

fn write_header(html: &mut String, report: &PackageReport) -> fmt::Result {
    let totals = report.totals;
    write!(
        html,
        "<header><div><p class=\"dim\">{}</p><h1>{}</h1></div>{}</header>\n<section class=\"tiles\">",
        Esc(&report.show),
        Esc(&report.name),
        gate::badge(report)
    )?;
    let settings = &report.settings;
    for (value, label) in [
        (format!("{} of {}", totals.plates_whole, totals.events), "events delivered whole"),
        (format!("{} of {}", totals.frames_delivered, totals.frames), "frames"),
        (bytes(totals.bytes), "of pictures"),
        (format!("{} fps", report.rate), "rate of the edit"),
        (settings.color.clone(), "linear, half float"),
        (settings.debayer.clone(), "debayer"),
        (settings.hot_pixels.clone(), "hot pixels"),
        (settings.highlights.clone(), "highlights"),
        (settings.compression.clone(), "compression"),
    ] {
        write!(html, "<div><b>{}</b><span>{label}</span></div>", Esc(&value))?;
    }
    html.push_str("</section>\n");
    Ok(())
}

fn write_problems(html: &mut String, report: &PackageReport) -> fmt::Result {
    let broken: Vec<_> = report.plates.iter().filter(|p| !p.complete).collect();
    if broken.is_empty() && report.rejected.is_empty() {
        return Ok(());
    }
    html.push_str("<h2>What is missing</h2>\n<div class=\"card\">\n");
    for plate in broken {
        write!(
            html,
            "<h3>{}</h3><p class=\"dim\">missing {} of {} frames: {}</p>",
            Esc(&plate.name),
            plate.missing.len(),
            plate.frames.len(),
            plate.missing
        )?;
        for Failure { frames, fault, .. } in &plate.failures {
            write_fault(html, fault, true, Some(&format!("frame {frames}")))?;
        }
    }
    for Rejected { event, fault, candidates } in &report.rejected {
        let title = match event {
            Some(e) => format!(
                "Event {} (line {}): reel {}, source {} \u{2013} {}",
                e.number, e.line, e.reel, e.source_in, e.source_out
            ),
            None => "A line of the edit list".into(),
        };
        write!(html, "<h3>{}</h3>", Esc(&title))?;
        write_fault(html, fault, true, None)?;
        write_candidates(html, candidates)?;
    }
    html.push_str("</div>\n");
    Ok(())
}

/// The clips between which a person has to choose.
fn write_candidates(html: &mut String, candidates: &[Candidate]) -> fmt::Result {
    if candidates.is_empty() {
        return Ok(());
    }
    html.push_str(
        "<div class=\"scroll\"><table><tr><th>Candidate</th><th>Timecode</th><th>Rule</th>\
         <th class=\"num\">Score</th></tr>",
    );
    for candidate in candidates {
        let timecodes = candidate.timecodes.as_ref();
        let timecodes = timecodes.map_or_else(String::new, |[a, b]| format!("{a} \u{2013} {b}"));
        write!(
            html,
            "<tr><td class=\"mono\">{}{}</td><td>{}</td><td>{}</td><td class=\"num\">{:.2}</td></tr>",
            Esc(&candidate.path),
            if candidate.gone { " (gone)" } else { "" },
            Esc(&timecodes),
            Esc(&candidate.rule),
            candidate.score
        )?;
    }
    html.push_str("</table></div>\n");
    Ok(())
}

/// Settings that nobody gave.
fn write_defaults(html: &mut String, defaulted: &[String]) -> fmt::Result {
    if defaulted.is_empty() {
        return Ok(());
    }
    html.push_str("<h2>Taken by default</h2>\n<div class=\"card mono\">");
    for setting in defaulted {
        write!(html, "{}<br>", Esc(setting))?;
    }
    html.push_str("</div>\n");
    Ok(())
}

fn write_faults(html: &mut String, title: &str, faults: &[Fault]) -> fmt::Result {
    if faults.is_empty() {
        return Ok(());
    }
    write!(html, "<h2>{title}</h2>\n<div class=\"card\">")?;
    for fault in faults {
        write_fault(html, fault, fault.code == Code::FramesShort, None)?;
    }
    html.push_str("</div>\n");
    Ok(())
}

fn write_fault(html: &mut String, fault: &Fault, error: bool, what: Option<&str>) -> fmt::Result {
    write!(
        html,
        "<div class=\"fault{}\"><p><b>{}</b> {}{}",
        if error { " err" } else { "" },
        fault.code,
        what.map(|w| format!("{}: ", Esc(w))).unwrap_or_default(),
        Esc(&fault.message)
    )?;
    if let Some(place) = &fault.place {
        write!(html, " <span class=\"dim\">[{}]</span>", Esc(place))?;
    }
    html.push_str("</p>");
    if let Some(cause) = &fault.cause {
        write!(html, "<p class=\"dim\">{}</p>", Esc(cause))?;
    }
    writeln!(html, "<p class=\"dim\">{}</p></div>", Esc(fault.remedy_text()))
}

fn write_stages(html: &mut String, stages: &[StageTotal]) -> fmt::Result {
    if stages.is_empty() {
        return Ok(());
    }
    html.push_str("<h2>Time per frame and stage</h2>\n<div class=\"card\">");
    write_stage_table(html, stages)?;
    html.push_str("</div>\n");
    Ok(())
}

fn write_stage_table(html: &mut String, stages: &[StageTotal]) -> fmt::Result {
    let longest = stages.iter().map(StageTotal::mean_ms).fold(f64::MIN_POSITIVE, f64::max);
    html.push_str(
        "<table class=\"stages\"><tr><th>Stage</th><th class=\"num\">Mean</th><th class=\"num\">Slowest</th>\
         <th class=\"num\">Frames</th><th style=\"width:50%\"></th></tr>",
    );
    for stage in stages {
        write!(
            html,
            "<tr><td>{}</td><td class=\"num\">{:.1} ms</td><td class=\"num\">{:.1} ms</td>\
             <td class=\"num\">{}</td><td><span class=\"bar\" style=\"width:{:.1}%\"></span></td></tr>",
            Esc(&stage.stage),
            stage.mean_ms(),
            stage.slowest_ms,
            stage.frames,
            100.0 * stage.mean_ms() / longest
        )?;
    }
    html.push_str("</table>");
    Ok(())
}

fn write_plate(html: &mut String, plate: &PlateReport, thumbnails: &[Thumbnail]) -> fmt::Result {
    writeln!(
        html,
        "<article class=\"card\"><div class=\"top\"><h3>{}</h3>{}</div>",
        Esc(&plate.name),
        plate_badge(plate)
    )?;
    if !thumbnails.is_empty() {
        html.push_str("<div class=\"thumbs\">");
        for thumb in thumbnails {
            write!(
                html,
                "<figure><img alt=\"{} frame {}\" width=\"{}\" height=\"{}\" \
                 title=\"{}\" loading=\"lazy\" src=\"{}\"><figcaption>{}</figcaption></figure>",
                Esc(&plate.name),
                thumb.frame,
                thumb.size[0],
                thumb.size[1],
                Esc(&thumb.legend),
                Esc(&thumb.source()),
                thumb.frame
            )?;
        }
        html.push_str("</div>\n");
    }
    write_facts(html, plate)?;
    for failure in &plate.failures {
        write_fault(html, &failure.fault, true, Some(&format!("frame {}", failure.frames)))?;
    }
    for note in &plate.notes {
        write_fault(html, note, note.code == Code::FramesShort, None)?;
    }
    if !plate.stages.is_empty() {
        html.push_str("<details><summary>Time per stage</summary><div class=\"scroll\">");
        write_stage_table(html, &plate.stages)?;
        html.push_str("</div></details>\n");
    }
    write_files(html, plate)?;
    html.push_str("</article>\n");
    Ok(())
}

fn write_facts(html: &mut String, plate: &PlateReport) -> fmt::Result {
    let (event, source) = (&plate.event, &plate.source);
    let backends =
        plate.backends.iter().map(|(b, n)| format!("{b} ({n})")).collect::<Vec<_>>().join(", ");
    let from_clip =
        event.clip_name.as_ref().map(|c| format!(", from clip {c}")).unwrap_or_default();
    let speed = plate.retime.as_ref().map_or_else(
        || "as shot".into(),
        |t| {
            format!(
                "{:.1} %, not baked: {} source frames in {}",
                t.speed * 100.0,
                t.source_frames,
                t.record_frames
            )
        },
    );
    let also: Vec<&str> = plate.also.iter().map(|e| e.number.as_str()).collect();
    let also = if also.is_empty() { String::new() } else { format!(", and {}", also.join(", ")) };
    let taken_over = match plate.reused.len() {
        0 => String::new(),
        count => format!(", {count} taken over from an earlier delivery"),
    };
    let facts = [
        ("Frames", format!("{} ({}){taken_over}", plate.frames, plate.frames.len())),
        ("Handles", format!("{} head, {} tail", plate.handles[0], plate.handles[1])),
        ("Size", format!("{} \u{d7} {}", plate.size[0], plate.size[1])),
        ("Event", format!("{} (line {}){from_clip}{also}", event.number, event.line)),
        ("Record", format!("{} \u{2013} {}", event.record_in, event.record_out)),
        ("Source of the event", format!("{} \u{2013} {}", event.source_in, event.source_out)),
        (
            "Source delivered",
            match &source.timecodes {
                Some([first, last]) => format!("{first} to {last}, both included"),
                None => "no timecode".into(),
            },
        ),
        ("Clip", format!("{}, frames {}", source.clip, source.indices)),
        ("Reel", source.reel.clone().unwrap_or_else(|| "none".into())),
        ("Matched by", plate.matched.to_string()),
        ("Speed", speed),
        ("Camera", source.camera.clone().unwrap_or_else(|| "unknown".into())),
        ("Camera file", format!("{} \u{d7} {}, {}", source.size[0], source.size[1], source.format)),
        ("Rendered by", if backends.is_empty() { "nothing yet".into() } else { backends }),
    ];
    html.push_str("<dl>");
    for (name, value) in facts {
        write!(html, "<div><dt>{name}</dt><dd>{}</dd></div>", Esc(&value))?;
    }
    if plate.non_finite > 0 {
        write!(
            html,
            "<div><dt>Replaced values</dt><dd class=\"warn\">{} that no half can hold</dd></div>",
            plate.non_finite
        )?;
    }
    html.push_str("</dl>\n");
    Ok(())
}

fn write_files(html: &mut String, plate: &PlateReport) -> fmt::Result {
    if plate.files.is_empty() {
        return Ok(());
    }
    write!(
        html,
        "<details><summary>{} files and their hashes</summary><div class=\"scroll\">\
         <table><tr><th>File</th><th class=\"num\">Size</th><th>XXH128</th></tr>",
        plate.files.len()
    )?;
    for file in &plate.files {
        write!(
            html,
            "<tr><td class=\"mono\">{}</td><td class=\"num\">{}</td><td class=\"mono\">{}</td></tr>",
            Esc(&file.file),
            bytes(file.bytes),
            Esc(&file.xxh128)
        )?;
    }
    html.push_str("</table></div></details>\n");
    Ok(())
}

fn write_footer(html: &mut String, report: &PackageReport) -> fmt::Result {
    html.push_str("<h2>Also in this package</h2>\n<div class=\"card mono\">");
    for sidecar in &report.sidecars {
        write!(html, "{}<br>", Esc(sidecar))?;
    }
    html.push_str("</div>\n<footer>");
    if let Some(written) = report.last_frame_written {
        write!(html, "Last frame written {}. ", utc(written))?;
    }
    writeln!(
        html,
        "Pictures here are shown through the ACES SDR output transform; the plates are un-graded. \
         Lines over the middle one: frame green, protection amber, effective part blue. \
         Made by {}.</footer>",
        Esc(&report.made_by)
    )
}
