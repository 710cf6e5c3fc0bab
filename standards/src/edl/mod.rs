//! Edit decision lists of the CMX 3600 family, as editing systems write them.
//!
//! There is no standard, only dialects: reels of 8, 32 or 129 columns, reels
//! with blanks, remarks with and without a star, drop frame by mark or by
//! header, five encodings. The reader is therefore written from the right: the
//! last four words of an event are its times, what stands before them is the
//! transition and the track, and the reel is what is left. It never gives up on
//! a list: a line that cannot be read becomes a problem with its number, and
//! everything else is kept. Remarks under an event that cannot be read are its
//! own: no other event gets its name, speed or grade.
//!
//! Reading is apart from the meaning of a list (which media an event needs),
//! which `scheduler::pulls` decides.
//!
//! Sources: the CMX 3600 edit decision list format as described in the Avid
//! EDL Manager and GVG documentation; the dialects that real systems write.

mod line;
mod remark;
mod text;

pub(crate) use remark::sop;
pub(crate) use text::{decode, printable};

use crate::editlist::{EditList, Event, Format, KeyRole, Span, Transition, bounded};
use platefarm_model::{Code, Fault, FrameRate, Outcome, Timecode, limits};

/// Reads an edit list whose timecodes count at `rate`.
///
/// What cannot be read is in [`EditList::problems`] and [`EditList::warnings`];
/// everything else is kept.
///
/// # Errors
/// [`Code::TooLarge`] beyond [`limits::MAX_EDL_BYTES`].
pub fn parse(bytes: &[u8], rate: FrameRate) -> Outcome<EditList> {
    bounded(bytes, limits::MAX_EDL_BYTES)?;
    let (text, encoding) = text::decode(bytes);
    let mut edl = EditList { encoding, ..EditList::new(Format::Edl, rate) };
    let mut reader = Reader {
        rate,
        marks: text::marks_drop_frame(&text),
        drop: false,
        split: None,
        lost: Lost::No,
    };
    for (number, line) in text::lines(&text) {
        if let Err(why) = reader.read(&mut edl, number, line) {
            edl.problems.push(unreadable(number, line, &why));
            // What stands around it is its own, and not that of the events beside it.
            (reader.split, reader.lost) = (None, Lost::Event);
        }
    }
    Ok(edl)
}

fn unreadable(number: usize, line: &str, why: &str) -> Fault {
    let message = format!("'{}' cannot be read: {why}", text::printable(line));
    Fault::new(Code::BadEdlLine, message).at(format!("line {number}"))
}

/// What is said once of the remarks of an event that could not be read.
fn under_lost(number: usize) -> Fault {
    let message = "what stands from here to the next event belongs to the line above, which cannot be read: it is given to no other event";
    Fault::new(Code::BadEdlLine, message)
        .at(format!("line {number}"))
        .remedy("Correct the event's line.")
}

/// What the lines above mean for the line in hand.
struct Reader {
    rate: FrameRate,
    /// The list marks drop frame by `;`, so that `:` means non-drop, whatever `FCM` says.
    marks: bool,
    /// The last `FCM` said drop frame.
    drop: bool,
    /// A `SPLIT:` that waits for its event.
    split: Option<String>,
    /// Whether the event that the lines in hand stand under could not be read.
    lost: Lost,
}

/// What became of the event line above.
#[derive(Clone, Copy, PartialEq)]
enum Lost {
    No,
    /// It could not be read.
    Event,
    /// Nor is what stands under it, which was said.
    Told,
}

/// Why a line cannot be read: lower case, no full stop.
type Why = String;

impl Reader {
    fn read(&mut self, edl: &mut EditList, number: usize, line: &str) -> Result<(), Why> {
        if let Some(title) = remark::value_of(line, "TITLE:") {
            if edl.title.is_empty() && edl.events.is_empty() {
                edl.title = title.to_owned();
                return Ok(());
            }
        } else if let Some(mode) = remark::value_of(line, "FCM:") {
            self.drop = mode.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("DROP"));
            edl.frame_code_modes.push((number, mode.to_owned()));
            return Ok(());
        } else if let Some(split) = remark::value_of(line, "SPLIT:") {
            self.split = Some(split.split_whitespace().collect::<Vec<_>>().join(" "));
            return Ok(());
        } else if let Some(words) = line::split(line)? {
            let event = self.event(number, &words)?;
            edl.events.push(event);
            self.lost = Lost::No;
            return Ok(());
        }
        if self.lost != Lost::No {
            if self.lost == Lost::Event {
                edl.warnings.push(under_lost(number));
            }
            self.lost = Lost::Told;
            return Ok(());
        }
        match edl.events.last_mut() {
            None => edl.remarks.push(remark::without_stars(line).to_owned()),
            Some(event) => {
                if let Err(why) = remark::attach(event, line) {
                    edl.warnings.push(unreadable(number, line, &why));
                }
            }
        }
        Ok(())
    }

    fn event(&mut self, number: usize, words: &line::Words<'_>) -> Result<Event, Why> {
        let [a, b, c, d] = words.times;
        let times = [self.time(a)?, self.time(b)?, self.time(c)?, self.time(d)?];
        let doubt = times.iter().find_map(|time| time.doubt.as_ref());
        let span = |i: usize| Span {
            start: times[i].at,
            end: times[i + 1].at,
            start_text: words.times[i].to_owned(),
            end_text: words.times[i + 1].to_owned(),
        };
        Ok(Event {
            line: number,
            number: words.number.to_owned(),
            reel: words.reel.to_owned(),
            track: words.track.to_owned(),
            transition: words.transition,
            source: span(0),
            record: span(2),
            split: self.split.take(),
            doubt: doubt.map(|why| {
                Fault::new(Code::BadEdlLine, why.clone())
                    .at(format!("line {number}"))
                    .remedy("Read the list at its own rate (--rate), or correct the line.")
            }),
            ..Event::default()
        })
    }

    /// A timecode, or a frame count where there is no colon.
    fn time(&self, text: &str) -> Result<Time, Why> {
        if text.bytes().all(|b| b.is_ascii_digit()) {
            let frames = text.parse().map_err(|_| format!("'{text}' is not a frame number"))?;
            let at = Timecode { frames, rate: self.rate, drop_frame: false };
            return Ok(Time { at, doubt: None });
        }
        let header = self.drop && !self.marks && self.rate.timebase().is_multiple_of(30);
        let text = if header { text.replacen(':', ";", 3) } else { text.to_owned() };
        match Timecode::parse(&text, self.rate) {
            Ok(at) => Ok(Time { at, doubt: None }),
            Err(fault) => {
                let at = beyond(&text, self.rate).ok_or_else(|| fault.message.clone())?;
                Ok(Time { at, doubt: Some(fault.message) })
            }
        }
    }
}

/// A time, and why it may not be what it says.
struct Time {
    at: Timecode,
    doubt: Option<Why>,
}

/// A timecode whose frame number is at or above the timebase: the list was
/// made at another rate. It is counted on, so that the event can be shown.
fn beyond(text: &str, rate: FrameRate) -> Option<Timecode> {
    let (head, frames) = text.rsplit_once([':', ';', '.'])?;
    let mark = text.as_bytes()[head.len()];
    let second = Timecode::parse(&format!("{head}{}00", char::from(mark)), rate).ok()?;
    let frames: i64 = frames.parse().ok().filter(|frames| *frames < 1000)?;
    Some(second.plus(frames))
}
