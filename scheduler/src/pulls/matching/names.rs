//! Names as they are compared.
//!
//! A name travels through many hands: systems add directories and endings,
//! lose separators, cut, and append what they made of the file. Each form here
//! takes away a little more, and the rule that uses it says how much.

use platefarm_model::camera_name::CameraName;
use unicode_normalization::UnicodeNormalization;

/// Endings that name a kind of file, not a clip.
const EXTENSIONS: &[&str] = &[
    "ARX", "ARI", "AVI", "BRAW", "CINE", "CRM", "DNG", "DPX", "EXR", "JPEG", "JPG", "MKV", "MOV",
    "MP4", "MTS", "MXF", "PNG", "R3D", "RDC", "RDM", "RMF", "TIF", "TIFF", "WAV",
];

/// What systems append to the names of copies that they make.
const COPIES: &[&str] = &[
    "_PROXY",
    "_PROXIES",
    "_H264",
    "_H265",
    "_HEVC",
    "_PRORES",
    "_DNXHD",
    "_DNXHR",
    "_TRANSCODE",
    ".SUB",
    ".NEW",
];

/// As it is, but for directory, file ending and case.
pub(super) fn plain(name: &str) -> String {
    let file = name.trim().trim_end_matches(['/', '\\']);
    let file = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let mut upper: String = if file.is_ascii() {
        file.to_ascii_uppercase()
    } else {
        file.nfc().flat_map(char::to_uppercase).collect()
    };
    if let Some((stem, ending)) = upper.rsplit_once('.')
        && EXTENSIONS.contains(&ending)
    {
        upper.truncate(stem.len());
    }
    upper
}

/// Without what copies append, and without separators; from a [`plain`] name.
pub(super) fn normal(plain: &str) -> String {
    without_copies(plain).chars().filter(|c| !is_separator(*c)).collect()
}

fn is_separator(c: char) -> bool {
    matches!(c, '_' | '-' | '.') || c.is_whitespace()
}

/// The name of what was copied: without `_proxy`, `.new.01`, `_v2`, and the
/// segment number that RED gives to the files of one clip.
fn without_copies(plain: &str) -> &str {
    let mut name = plain;
    loop {
        let shorter = COPIES
            .iter()
            .find_map(|copy| name.strip_suffix(copy))
            .or_else(|| numbered(name, ".NEW.", 2))
            .or_else(|| numbered(name, ".SUB.", 2))
            .or_else(|| numbered(name, "_V", 3))
            // The rest must still be a clip: `A001_C001` has its number at the end.
            .or_else(|| numbered(name, "_", 3).filter(|rest| CameraName::parse(rest).is_some()));
        match shorter {
            Some(rest) if !rest.is_empty() => name = rest,
            _ => return name,
        }
    }
}

/// What stands before `mark` and at most `most` digits at the end.
fn numbered<'a>(name: &'a str, mark: &str, most: usize) -> Option<&'a str> {
    let rest = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = name.len() - rest.len();
    (1..=most).contains(&digits).then(|| rest.strip_suffix(mark)).flatten()
}

/// Camera letter, roll and clip, where the name follows a maker's pattern.
pub(super) fn camera(plain: &str) -> Option<(String, u32, u32)> {
    CameraName::parse(plain).map(|name| (name.letter.to_owned(), name.roll, name.clip))
}

/// Whether two [`normal`] names differ by one slip of a typist or of a reader
/// of labels: a character too many or too few, two that changed places, or one
/// that looks like the other. A digit or a letter in another's place is no
/// slip: it is another roll, clip or camera, and those run at the same time.
pub(super) fn one_slip(a: &str, b: &str) -> bool {
    const SHORTEST: usize = 6;
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().min(b.len()) < SHORTEST || a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let same = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let (rest_a, rest_b) = (&a[same..], &b[same..]);
    match (rest_a, rest_b) {
        (longer, shorter) if longer.len() == shorter.len() + 1 => longer[1..] == *shorter,
        (shorter, longer) if longer.len() == shorter.len() + 1 => longer[1..] == *shorter,
        ([x, rest_x @ ..], [y, rest_y @ ..]) => {
            (look_alike(*x, *y) && rest_x == rest_y)
                || (rest_x.first() == Some(y)
                    && rest_y.first() == Some(x)
                    && rest_x.get(1..) == rest_y.get(1..))
        }
        _ => false,
    }
}

fn look_alike(x: char, y: char) -> bool {
    const PAIRS: &[(char, char)] =
        &[('0', 'O'), ('0', 'Q'), ('1', 'I'), ('1', 'L'), ('5', 'S'), ('8', 'B'), ('2', 'Z')];
    PAIRS.iter().any(|(a, b)| (*a, *b) == (x, y) || (*b, *a) == (x, y))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal_of(name: &str) -> String {
        normal(&plain(name))
    }

    #[test]
    fn names_are_compared_without_what_systems_add() {
        for name in [
            "A001C003_240101_R1AB",
            "a001c003-240101-r1ab.MOV",
            "/vol/cards/A001/A001C003_240101_R1AB.mxf",
            r"S:\cards\A001C003_240101_R1AB.R3D",
            " A001 C003 240101 R1AB ",
            "A001C003_240101_R1AB_proxy.mov",
            "A001C003_240101_R1AB.new.01",
            "A001C003_240101_R1AB_H264_v2.mp4",
        ] {
            assert_eq!(normal_of(name), "A001C003240101R1AB", "{name}");
        }
        // What follows a dot is only cut when it names a kind of file.
        assert_ne!(normal_of("ZZ100_501.LAY3.01"), normal_of("ZZ100_501.LAY3.02"));
        assert_eq!(normal_of("___"), "");
        assert_eq!(plain("A001R3D"), "A001R3D");
        assert_eq!(plain("dir/A001_C001.0001"), "A001_C001.0001");
        // Composed and decomposed are one name.
        assert_eq!(plain("re\u{301}el"), plain("r\u{e9}el"));
    }

    #[test]
    fn segments_of_a_clip_are_the_clip_and_clips_of_a_roll_are_not_the_roll() {
        assert_eq!(normal_of("A001_C066_0303LZ_001.R3D"), normal_of("A001_C066_0303LZ"));
        assert_ne!(normal_of("A001_C001"), normal_of("A001_C002"));
        assert_eq!(normal_of("SHOT_010"), "SHOT010");
    }

    #[test]
    fn a_slip_is_no_other_roll() {
        for (a, b) in [
            ("A001C0032401", "A00IC0032401"),
            ("A001C003", "A001CO03"),
            ("A001C003", "A0O1C003"),
            ("BEACHBALL", "BEACHBAL"),
            ("BEACHBALL", "BAECHBALL"),
            ("BEACHBALL", "BEACHHBALL"),
        ] {
            assert!(one_slip(a, b) && one_slip(b, a), "{a} {b}");
        }
        for (a, b) in [
            ("A001C003", "A001C004"),
            ("A001C003", "B001C003"),
            ("A001", "A00I"),
            ("A001C003", "A001C003"),
            ("BEACHBALL", "BEACHBA"),
            ("BEACHBALL", "BAECHBLAL"),
        ] {
            assert!(!one_slip(a, b) && !one_slip(b, a), "{a} {b}");
        }
    }
}
