//! The report as a page: one file that opens anywhere, with nothing to fetch.
//! What needs a person's eye comes first: is it whole, what is missing and why.

use super::report::{Failure, PackageReport, PlateReport};
use crate::render::StageTotal;
use platefarm_model::pull::Rejected;
use platefarm_model::{Fault, Timestamp};
use std::fmt::{self, Write as _};

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
    /// The PNG file.
    pub(crate) png: Vec<u8>,
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
    write_problems(html, report)?;
    write_faults(html, "Notes on the pull", &report.notes)?;
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

fn badge(complete: bool) -> &'static str {
    if complete {
        "<span class=\"badge good\">COMPLETE</span>"
    } else {
        "<span class=\"badge bad\">INCOMPLETE</span>"
    }
}

fn write_header(html: &mut String, report: &PackageReport) -> fmt::Result {
    let totals = report.totals;
    write!(
        html,
        "<header><div><p class=\"dim\">{}</p><h1>{}</h1></div>{}</header>\n<section class=\"tiles\">",
        Esc(&report.show),
        Esc(&report.name),
        badge(report.complete)
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
    for Rejected { event, fault } in &report.rejected {
        let title = match event {
            Some(e) => format!(
                "Event {} (line {}): reel {}, source {} \u{2013} {}",
                e.number, e.line, e.reel, e.source_in, e.source_out
            ),
            None => "A line of the edit list".into(),
        };
        write!(html, "<h3>{}</h3>", Esc(&title))?;
        write_fault(html, fault, true, None)?;
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
        write_fault(html, fault, false, None)?;
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
        "<table><tr><th>Stage</th><th class=\"num\">Mean</th><th class=\"num\">Slowest</th>\
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
        badge(plate.complete)
    )?;
    if !thumbnails.is_empty() {
        html.push_str("<div class=\"thumbs\">");
        for thumb in thumbnails {
            write!(
                html,
                "<figure><img alt=\"{} frame {}\" width=\"{}\" height=\"{}\" \
                 title=\"{}\" src=\"data:image/png;base64,{}\"><figcaption>{}</figcaption></figure>",
                Esc(&plate.name),
                thumb.frame,
                thumb.size[0],
                thumb.size[1],
                Esc(&thumb.legend),
                base64(&thumb.png),
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
        write_fault(html, note, false, None)?;
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
    let facts = [
        ("Frames", format!("{} ({})", plate.frames, plate.frames.len())),
        ("Handles", format!("{} head, {} tail", plate.handles[0], plate.handles[1])),
        ("Size", format!("{} \u{d7} {}", plate.size[0], plate.size[1])),
        ("Event", format!("{} (line {}){from_clip}", event.number, event.line)),
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
        ("Matched by", plate.match_rule.clone()),
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
            "<div><dt>Replaced values</dt><dd class=\"warn\">{} not finite</dd></div>",
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

/// Text that stands in HTML, in elements and in quoted attributes.
struct Esc<'a>(&'a str);

impl fmt::Display for Esc<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// A size that people read: decimal units, as disks are sold.
pub(crate) fn bytes(count: u64) -> String {
    let mut value = count as f64;
    let mut unit = "B";
    for next in ["kB", "MB", "GB", "TB"] {
        if value < 1000.0 {
            break;
        }
        (value, unit) = (value / 1000.0, next);
    }
    if unit == "B" { format!("{count} B") } else { format!("{value:.1} {unit}") }
}

/// A moment as `2026-11-21 14:05:09 UTC`.
fn utc(at: Timestamp) -> String {
    let seconds = at.0.div_euclid(1_000_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {h:02}:{m:02}:{s:02} UTC")
}

/// Year, month and day of a count of days since 1970-01-01, in the proleptic
/// Gregorian calendar. Years are counted from March so that the leap day is
/// the last of a year, and in eras of 400 years, which are all alike.
fn civil(days: i64) -> (i64, i64, i64) {
    let from_march_0000 = days + 719_468;
    let (era, day) = (from_march_0000.div_euclid(146_097), from_march_0000.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let january_on = i64::from(month >= 10);
    (era * 400 + year + january_on, month + 3 - 12 * january_on, of_month)
}

/// RFC 4648 base64, with padding.
fn base64(data: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(data.len().div_ceil(3) * 4);
    for chunk in data.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i) & 63) as usize];
            text.push(if i <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648, section 10.
    #[test]
    fn base64_is_the_rfcs() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    /// Values from `date -u -d @...`.
    #[test]
    fn moments_are_written_as_people_read_them() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_709_251_199, "2024-02-29 23:59:59 UTC"),
            (1_798_761_600, "2027-01-01 00:00:00 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(utc(Timestamp(seconds * 1_000_000)), text);
        }
    }

    #[test]
    fn sizes_are_decimal() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1000), "1.0 kB");
        assert_eq!(bytes(49_800_000), "49.8 MB");
    }

    #[test]
    fn foreign_text_stays_text() {
        assert_eq!(Esc("<b a='x'>&\"").to_string(), "&lt;b a=&#39;x&#39;&gt;&amp;&quot;");
    }
}
