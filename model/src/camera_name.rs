//! What the names that cameras give to clips say: which unit shot it, on which
//! roll, as which take of the roll.
//!
//! Patterns (C is the camera's letter, R the roll, N the clip):
//!
//! | maker | pattern | example |
//! |---|---|---|
//! | ARRI (classic), Sony CineAlta | `C RRR C NNN _ date ...` | `A004C010_20100610_R1JL` |
//! | ARRI (ALEXA 35 and later) | `C _ RRRR C NNN _ date _ time _ id` | `A_0079C015_241112_160227_h1EHP` |
//! | RED | `C RRR _ P NNN _ date id` | `A001_C066_0303LZ` |
//! | Canon Cinema EOS | `C _ RRRR C NNN ...`, `C RRR C NNN ...` | `A_0001C001X220101_000146XX_CANON` |
//! | Blackmagic | `C RRR _ date _ C NNN` | `A001_04190112_C102` |
//!
//! Source: the makers' user manuals.

/// A clip's name, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CameraName<'a> {
    /// Letter of the camera unit: `A`; later cameras have two.
    pub letter: &'a str,
    /// Number of the roll.
    pub roll: u32,
    /// Number of the clip on the roll.
    pub clip: u32,
}

impl<'a> CameraName<'a> {
    /// Understands a name of a known pattern; `None` for any other.
    #[must_use]
    pub fn parse(name: &'a str) -> Option<Self> {
        let letters = name.bytes().take_while(u8::is_ascii_uppercase).count();
        if !(1..=2).contains(&letters) {
            return None;
        }
        let (letter, rest) = name.split_at(letters);
        let (roll, rest) = digits(rest.strip_prefix('_').unwrap_or(rest), 3..=4)?;
        let rest = rest.strip_prefix('_').unwrap_or(rest);
        // Blackmagic puts month, day, hour and minute between.
        let rest = match digits(rest, 8..=8) {
            Some((_, after)) => after.strip_prefix('_')?,
            None => rest,
        };
        // C for the clip; D follows when 999 are full; L and R are a stereo pair's.
        let (clip, rest) = digits(rest.strip_prefix(['C', 'D', 'L', 'R'])?, 3..=3)?;
        let ends = rest.chars().next().is_none_or(|c| !c.is_ascii_digit());
        ends.then_some(Self { letter, roll, clip })
    }
}

/// A number of so many digits at the beginning, and what follows it.
fn digits(text: &str, count: std::ops::RangeInclusive<usize>) -> Option<(u32, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    if !count.contains(&length) {
        return None;
    }
    let (number, rest) = text.split_at(length);
    Some((number.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names from manuals and from real cameras' files.
    #[test]
    fn names_of_known_cameras_are_understood() {
        for (name, letter, roll, clip) in [
            ("A004C010_20100610_R1JL", "A", 4, 10),
            ("B001C001_180327_R1ZA", "B", 1, 1),
            ("A_0079C015_241112_160227_h1EHP", "A", 79, 15),
            ("AB_0079C015_241112_160227_h1EHP", "AB", 79, 15),
            ("A001_C066_0303LZ", "A", 1, 66),
            ("A001_C066_0303LZ_001", "A", 1, 66),
            ("D001C005_210716AG", "D", 1, 5),
            ("A_0001C001X220101_000146XX_CANON", "A", 1, 1),
            ("A001_04190112_C102", "A", 1, 102),
            ("A001_C001", "A", 1, 1),
        ] {
            assert_eq!(CameraName::parse(name), Some(CameraName { letter, roll, clip }), "{name}");
        }
    }

    #[test]
    fn other_names_say_nothing() {
        for name in [
            "",
            "C0001",
            "IMG_0001",
            "ABC001C001",
            "a001c001",
            "A001",
            "A001C1",
            "A001C0011",
            "É001C001",
            "clip",
            "A01C001",
        ] {
            assert_eq!(CameraName::parse(name), None, "{name}");
        }
    }
}
