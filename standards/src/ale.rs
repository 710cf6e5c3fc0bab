//! Avid Log Exchange: a table of clips, tab after tab.
//!
//! A log has no record times. Its clips are laid one behind the other from
//! zero, which is what a pull of whole clips wants and what is said about it.
//!
//! Source: Avid Log Specifications (ALE), appendix of the Media Composer guide.

use crate::editlist::{Cdl, EditList, Event, Format, Span, bounded};
use crate::edl;
use platefarm_model::{Code, Fault, FrameRate, Outcome, Timecode, limits};

/// Most columns of a log; the largest that are met have some hundreds.
const MAX_COLUMNS: usize = 4096;

/// Reads a log. `rate` counts where neither the heading nor a clip says one.
///
/// # Errors
/// [`Code::BadEditList`] when it has no columns or no rate; [`Code::TooLarge`]
/// beyond [`limits::MAX_EDL_BYTES`].
pub fn parse(bytes: &[u8], rate: Option<FrameRate>) -> Outcome<EditList> {
    bounded(bytes, limits::MAX_EDL_BYTES)?;
    let (text, encoding) = edl::decode(bytes);
    let mut log = Log::default();
    let mut list = EditList { encoding, ..EditList::new(Format::Ale, FrameRate::FPS_24) };
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut rows = Vec::new();
    for (i, line) in text.split('\n').enumerate() {
        if let Some(row) = log.take(line) {
            rows.push((i + 1, row));
        }
    }
    if log.columns.is_empty() {
        return Err(Fault::new(Code::BadEditList, "the log names no columns")
            .remedy("Export the bin as ALE again; it has Heading, Column and Data."));
    }
    let own = log.heading("FPS").and_then(|text| text.parse().ok());
    let Some(rate) = own.or(rate) else {
        return Err(Fault::new(Code::BadEditList, "the log names no FPS").remedy("Give --rate."));
    };
    list.rate = rate;
    let mut now = Timecode { frames: 0, rate, drop_frame: false };
    for (line, row) in rows {
        match log.event(line, &row, now) {
            Ok(mut event) => {
                now = event.record.end;
                match log.cdl(&row) {
                    Ok(cdl) => event.cdl = cdl,
                    Err(why) => list.warnings.push(unreadable(line, &row, &why)),
                }
                list.events.push(event);
            }
            Err(why) => list.problems.push(unreadable(line, &row, &why)),
        }
    }
    for (i, event) in list.events.iter_mut().enumerate() {
        event.number = format!("{:03}", i + 1);
    }
    Ok(list)
}

fn unreadable(line: usize, row: &[String], why: &str) -> Fault {
    let message = format!("'{}' cannot be read: {why}", edl::printable(&row.join(" ")));
    Fault::new(Code::BadEdlLine, message).at(format!("line {line}"))
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Part {
    #[default]
    Before,
    Heading,
    Column,
    Data,
}

#[derive(Default)]
struct Log {
    part: Part,
    heading: Vec<(String, String)>,
    columns: Vec<String>,
    commas: bool,
}

impl Log {
    /// Takes a line; a row of the table comes out.
    fn take(&mut self, line: &str) -> Option<Vec<String>> {
        let bare = line.trim_matches(|c: char| c.is_whitespace() || c.is_control());
        for (word, part) in
            [("Heading", Part::Heading), ("Column", Part::Column), ("Data", Part::Data)]
        {
            if bare.eq_ignore_ascii_case(word) && self.part != part {
                self.part = part;
                return None;
            }
        }
        if bare.is_empty() {
            return None;
        }
        match self.part {
            Part::Before => {}
            Part::Heading => {
                // A key and its value on each line; some have all of them on one.
                let words: Vec<&str> = match bare.contains('\t') {
                    true => bare.split('\t').map(str::trim).collect(),
                    false => bare.splitn(2, ' ').map(str::trim).collect(),
                };
                for pair in words.chunks(2) {
                    let value = pair.get(1).copied().unwrap_or_default();
                    self.commas |= pair[0] == "FIELD_DELIM" && value.eq_ignore_ascii_case("commas");
                    self.heading.push((pair[0].to_owned(), value.to_owned()));
                }
            }
            Part::Column if self.columns.is_empty() => {
                self.columns = self.fields(line).take(MAX_COLUMNS).collect();
            }
            Part::Column => {}
            Part::Data => return Some(self.fields(line).take(MAX_COLUMNS).collect()),
        }
        None
    }

    fn fields<'l>(&self, line: &'l str) -> impl Iterator<Item = String> + use<'l> {
        let mark = if self.commas { ',' } else { '\t' };
        line.split(mark).map(|field| field.trim().to_owned())
    }

    fn heading(&self, key: &str) -> Option<&str> {
        let entry = self.heading.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
        entry.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The first of these columns that the row fills.
    fn value<'r>(&self, row: &'r [String], names: &[&str]) -> Option<&'r str> {
        names.iter().find_map(|name| {
            let at = self.columns.iter().position(|column| column.eq_ignore_ascii_case(name))?;
            row.get(at).map(String::as_str).filter(|text| !text.is_empty())
        })
    }

    fn event(&self, line: usize, row: &[String], now: Timecode) -> Result<Event, String> {
        let own = self.value(row, &["FPS"]).and_then(|text| text.parse().ok());
        let rate: FrameRate = own.unwrap_or(now.rate);
        let time = |name: &str| {
            let text = self.value(row, &[name]).ok_or_else(|| format!("it has no {name}"))?;
            Timecode::parse(text, rate).map_err(|fault| fault.message)
        };
        let (start, end) = (time("Start")?, time("End"));
        let text = |names: &[&str]| self.value(row, names).map(str::to_owned);
        let end = match end {
            Ok(end) => end,
            // A log may say how long a clip is in place of where it ends.
            Err(why) => start.plus(time("Duration").map_err(|_| why)?.frames),
        };
        let source = Span { start, end, ..Span::of(start, end.frames - start.frames) };
        let frames = source.frames().max(0);
        Ok(Event {
            line,
            reel: text(&["Tape", "Reel", "Reel Name", "Camroll"]).unwrap_or_default(),
            track: text(&["Tracks"]).unwrap_or_else(|| "V".into()),
            record: Span::of(now, frames),
            source,
            clip_name: text(&["Name", "Clip Name"]),
            source_file: text(&["Source File", "Source File Name", "Source Path"]),
            umid: text(&["UMID", "Source UMID"]),
            ..Event::default()
        })
    }

    fn cdl(&self, row: &[String]) -> Result<Option<Cdl>, String> {
        let sop = self.value(row, &["ASC_SOP"]).map(edl::sop).transpose()?;
        let saturation = self
            .value(row, &["ASC_SAT"])
            .map(|text| text.parse().map_err(|_| format!("'{text}' is not a saturation")))
            .transpose()?;
        let cdl = Cdl { sop, saturation };
        Ok((cdl != Cdl::default()).then_some(cdl))
    }
}
