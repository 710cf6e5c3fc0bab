//! What is looked for in the library: free words, and fields.
//!
//! A word is looked for anywhere in what a clip says of itself (name, path,
//! reel, camera, scene, lens, format, date); a field in its own place only.

use crate::pulls::ClipKey;
use platefarm_model::{Code, Fault, FrameRate, Outcome, Timecode};

/// Most words and fields of a search: each is looked for in every clip.
const MAX_WORDS: usize = 32;

/// A search. All of it must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Parts of anything.
    pub words: Vec<String>,
    /// Show that the clip was added for.
    pub show: Option<String>,
    /// Part of the reel.
    pub reel: Option<String>,
    /// Letter of the camera unit.
    pub camera: Option<String>,
    /// First and last day, `YYMMDD`.
    pub days: Option<[String; 2]>,
    /// First and last timecode, as they are written; a clip that has any frame between is found.
    pub timecodes: Option<[String; 2]>,
}

/// Fields that a search may name, and what they take.
pub const FIELDS: &[(&str, &str)] = &[
    ("show", "name of the show"),
    ("reel", "part of the reel"),
    ("camera", "letter of the camera unit"),
    ("date", "2026-11-30, or 2026-11-01..2026-11-30"),
    ("tc", "10:00:00:00, or 10:00:00:00-10:05:00:00"),
    ("format", "part of the camera format: model, codec, sensor mode"),
];

impl Search {
    /// Reads words and `field:value` pairs.
    ///
    /// # Errors
    /// [`Code::BadTimecode`], [`Code::BadConfig`] with the value or for too many of them;
    /// [`Code::UnknownOption`] for a field that there is not.
    pub fn parse<S: AsRef<str>>(words: &[S]) -> Outcome<Self> {
        if words.len() > MAX_WORDS {
            let message = format!("{} words are more than {MAX_WORDS}", words.len());
            return Err(Fault::new(Code::BadConfig, message).remedy("Ask for fewer words."));
        }
        let mut search = Self::default();
        for word in words {
            let word = word.as_ref();
            match word.split_once(':').filter(|(field, _)| FIELDS.iter().any(|(f, _)| f == field)) {
                Some((field, value)) => search.set(field, value)?,
                None if looks_like_a_field(word) => {
                    let field = word.split(':').next().unwrap_or_default();
                    search.set(field, "").map_err(|fault| fault.at(word.to_owned()))?;
                }
                None => search.words.push(word.to_owned()),
            }
        }
        Ok(search)
    }

    /// Sets one field.
    ///
    /// # Errors
    /// As [`Search::parse`].
    pub fn set(&mut self, field: &str, value: &str) -> Outcome<()> {
        let value = value.trim();
        match field {
            "show" => self.show = Some(value.to_owned()),
            "reel" => self.reel = Some(value.to_uppercase()),
            "camera" => self.camera = Some(value.to_uppercase()),
            "format" => self.words.push(value.to_owned()),
            "date" => {
                let (from, to) = value.split_once("..").unwrap_or((value, value));
                self.days = Some([day(from)?, day(to)?]);
            }
            "tc" => {
                let (from, to) = value.split_once('-').unwrap_or((value, value));
                // Read in the rate of each clip later; here only whether it can be read at all.
                let widest = FrameRate::new(120, 1)?;
                Timecode::parse(from, widest)?;
                Timecode::parse(to, widest)?;
                self.timecodes = Some([from.trim().to_owned(), to.trim().to_owned()]);
            }
            other => {
                let message = format!("'{other}' is no field of a search");
                let known: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
                return Err(Fault::new(Code::UnknownOption, message)
                    .remedy(format!("Choose one of {}.", known.join(", "))));
            }
        }
        Ok(())
    }

    /// Whether a clip is what the fields say that SQL does not look at.
    ///
    /// # Errors
    /// [`Code::BadTimecode`].
    pub fn holds(&self, key: &ClipKey) -> Outcome<bool> {
        let part = |wanted: &Option<String>, has: Option<&String>| {
            wanted
                .as_ref()
                .is_none_or(|wanted| has.is_some_and(|has| has.to_uppercase().contains(wanted)))
        };
        let camera = self.camera.as_ref();
        Ok(part(&self.reel, key.reel_name.as_ref())
            && camera.is_none_or(|wanted| key.letter.as_ref() == Some(wanted))
            && self.in_time(key)?)
    }

    fn in_time(&self, key: &ClipKey) -> Outcome<bool> {
        let Some([from, to]) = &self.timecodes else { return Ok(true) };
        let Some(start) = key.start else { return Ok(false) };
        let read = |text: &str| {
            let marked = if start.drop_frame {
                text.replacen(':', ";", 3).replacen(';', ":", 2)
            } else {
                text.to_owned()
            };
            Timecode::parse(&marked, start.rate).or_else(|_| Timecode::parse(text, start.rate))
        };
        // A frame number that this rate does not have is in no clip that counts in it.
        let (Ok(from), Ok(to)) = (read(from), read(to)) else { return Ok(false) };
        let day = start.frames_per_day();
        let length = i64::try_from(key.frames).unwrap_or(i64::MAX);
        let span = (to.frames - from.frames).rem_euclid(day);
        // Both are arcs of the day: they meet when one begins within the other.
        let ahead = (from.frames - start.frames).rem_euclid(day);
        let behind = (start.frames - from.frames).rem_euclid(day);
        Ok(ahead < length || behind <= span)
    }
}

/// `word:value`, which is neither a drive (`C:/cards`), an address
/// (`s3://cards`) nor a timecode: who meant a field must not be told that
/// nothing is there.
fn looks_like_a_field(word: &str) -> bool {
    word.split_once(':').is_some_and(|(field, value)| {
        field.len() > 1
            && field.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_')
            && !value.starts_with(['/', '\\'])
    })
}

/// `YYMMDD` of `2026-11-30`, `20261130` or `261130`.
fn day(text: &str) -> Outcome<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let other = text.chars().any(|c| !c.is_ascii_digit() && !matches!(c, '-' | ':' | '.' | ' '));
    match digits.len() {
        8 if !other => Ok(digits[2..].to_owned()),
        6 if !other => Ok(digits),
        _ => Err(Fault::new(Code::BadConfig, format!("'{text}' is no date"))
            .remedy("Write 2026-11-30, or 2026-11-01..2026-11-30.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(start: &str, fps: &str, frames: u64) -> ClipKey {
        let rate: FrameRate = fps.parse().unwrap();
        ClipKey {
            start: Some(Timecode::parse(start, rate).unwrap()),
            reel_name: Some("A001R1AB".into()),
            letter: Some("A".into()),
            frames,
            ..ClipKey::default()
        }
    }

    #[test]
    fn fields_are_read_from_words() {
        let search = Search::parse(&[
            "reel:a001",
            "beach",
            "date:2026-11-01..2026-11-30",
            "tc:10:00:00:00-10:01:00:00",
        ])
        .unwrap();
        assert_eq!(search.words, ["beach"]);
        assert_eq!(search.reel.as_deref(), Some("A001"));
        assert_eq!(search.days, Some(["261101".into(), "261130".into()]));
        assert_eq!(search.timecodes, Some(["10:00:00:00".into(), "10:01:00:00".into()]));
        // A colon of a path is no field.
        assert_eq!(Search::parse(&["C:/cards"]).unwrap().words, ["C:/cards"]);
        assert_eq!(Search::parse(&["s3://cards/a"]).unwrap().words, ["s3://cards/a"]);
        assert_eq!(Search::parse(&["01:00:00:00"]).unwrap().words, ["01:00:00:00"]);
        let fault = Search::parse(&["bogus:x"]).unwrap_err();
        assert_eq!((fault.code, fault.place.as_deref()), (Code::UnknownOption, Some("bogus:x")));
        assert!(fault.remedy_text().contains("reel, camera"), "{fault}");
        assert_eq!(Search::parse(&["tc:10:00"]).unwrap_err().code, Code::BadTimecode);
        assert_eq!(Search::parse(&["date:soon"]).unwrap_err().code, Code::BadConfig);
    }

    /// 48 frames at 24 from 10:00:00:00: they end before 10:00:02:00.
    #[test]
    fn clips_are_found_by_any_frame_of_a_range() {
        for (tc, found) in [
            ("10:00:00:00", true),
            ("10:00:01:23", true),
            ("10:00:02:00", false),
            ("09:59:59:23", false),
            ("09:59:00:00-10:00:00:00", true),
            ("09:59:00:00-09:59:59:23", false),
            ("10:00:01:00-10:10:00:00", true),
            ("09:00:00:00-11:00:00:00", true),
            // Over midnight, all but the clip.
            ("10:00:02:00-09:59:59:23", false),
            ("23:00:00:00-10:00:00:00", true),
        ] {
            let search = Search::parse(&[format!("tc:{tc}")]).unwrap();
            assert_eq!(search.holds(&key("10:00:00:00", "24", 48)).unwrap(), found, "{tc}");
        }
        let night = Search::parse(&["tc:00:00:00:12"]).unwrap();
        assert!(night.holds(&key("23:59:59:00", "24", 48)).unwrap());
        // A clip without timecode is in no range; frame 30 is in no clip of 24.
        assert!(!night.holds(&ClipKey::default()).unwrap());
        assert!(
            !Search::parse(&["tc:10:00:00:30"])
                .unwrap()
                .holds(&key("10:00:00:00", "24", 48))
                .unwrap()
        );
    }

    #[test]
    fn fields_must_all_hold() {
        let clip = key("10:00:00:00", "24", 48);
        for (words, found) in [
            (vec!["reel:a001", "camera:a"], true),
            (vec!["reel:a001", "camera:b"], false),
            (vec!["reel:b0"], false),
        ] {
            assert_eq!(Search::parse(&words).unwrap().holds(&clip).unwrap(), found, "{words:?}");
        }
    }
}
