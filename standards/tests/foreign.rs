//! Looks and ACES metadata files as they should not be: whatever bytes come,
//! a reader reads or refuses, with a code and a place, and neither panics nor
//! runs on. And as they may be: what is written in any legal clothes is read
//! as it was meant.

use platefarm_model::color::chain::{Chain, Link};
use platefarm_model::{Code, Fault};
use platefarm_standards::amf::{self, Amf, Found};
use platefarm_standards::clf::Clf;
use platefarm_standards::look::{self, parse_cdl, parse_cube};
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

/// Longer seeds take long and teach little.
const LONGEST: u64 = 12_000;

/// Files of a folder of fixtures, by their extensions.
fn seeds(folder: &str, extensions: &[&str]) -> Vec<(String, Vec<u8>)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let mut all: Vec<(String, Vec<u8>)> = fs::read_dir(&dir)
        .unwrap_or_else(|e| panic!("{}: {e}", dir.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
            extensions.contains(&extension) && fs::metadata(path).unwrap().len() < LONGEST
        })
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(&path).unwrap())
        })
        .collect();
    all.sort();
    assert!(!all.is_empty(), "{}", dir.display());
    all
}

static LOOKS: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let clf = ["", "/illegal", "/smpte_only", "/pre-smpte_only"];
    let mut all: Vec<_> = clf.iter().flat_map(|f| seeds(&format!("clf{f}"), &["clf"])).collect();
    all.extend(seeds("look", &["cube", "cdl", "cc", "ccc"]));
    all
});
static AMFS: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| seeds("amf", &["amf"]));

/// Words that readers stumble over.
const WORDS: &[&str] = &[
    "NaN",
    "-inf",
    "1e999",
    "-1",
    "0",
    "99999999999999999999999",
    "1e-320",
    "",
    " ",
    "<",
    "/>",
    "&#0;",
    "&amp;",
    "<!--",
    "]]>",
    "\0",
    "\u{feff}",
    "dim=\"4000000000 4000000000 4000000000 3\"",
    "LUT_3D_SIZE 256\n",
    "applied=\"maybe\"",
    "../../../etc/passwd",
    "urn:ampas:aces:transformId:v2.0:",
];

/// A change: what, where (in parts of the file), how much, and with what.
#[derive(Clone, Debug)]
struct Damage {
    kind: u8,
    at: f64,
    length: f64,
    word: usize,
    byte: u8,
}

fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let one = (0..5_u8, 0.0..1.0_f64, 0.0..0.3_f64, 0..WORDS.len(), any::<u8>());
    let one =
        one.prop_map(|(kind, at, length, word, byte)| Damage { kind, at, length, word, byte });
    prop::collection::vec(one, 1..5)
}

fn damaged(seed: &[u8], damages: &[Damage]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for damage in damages {
        if bytes.is_empty() {
            break;
        }
        let at = (damage.at * bytes.len() as f64) as usize;
        let end = (at + (damage.length * bytes.len() as f64) as usize).min(bytes.len());
        match damage.kind {
            0 => bytes[at] = damage.byte,
            1 => drop(bytes.drain(at..end)),
            2 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            // Over the word that stands there.
            3 => {
                let ends = |b: &u8| matches!(b, b' ' | b'\n' | b'"' | b'<' | b'>');
                let from = bytes[..at].iter().rposition(ends).map_or(0, |i| i + 1);
                let to = bytes[at..].iter().position(ends).map_or(bytes.len(), |i| at + i);
                bytes.splice(from..to, WORDS[damage.word].bytes());
            }
            _ => bytes.splice(at..at, WORDS[damage.word].bytes()).for_each(drop),
        }
    }
    bytes
}

/// A refusal that helps: it has a code of its kind, and says something.
fn helps(fault: &Fault, codes: &[Code]) {
    assert!(codes.contains(&fault.code), "{fault}");
    assert!(!fault.message.is_empty() && fault.message.len() < 2000, "{fault}");
}

/// What was read can be planned with: tables have their entries.
fn sound(chain: &Chain) {
    for link in &chain.0 {
        match link {
            Link::Lut1d(lut) => assert_eq!(lut.values.len(), 3 * lut.length),
            Link::Lut3d(lut) => assert_eq!(lut.values.len(), 3 * lut.size.pow(3)),
            Link::Matrix { matrix, offset } => {
                let all = matrix.as_flattened().iter().chain(offset);
                assert!(all.into_iter().all(|v| v.is_finite()), "{link:?}");
            }
            Link::Cdl(cdl) => {
                let all = [cdl.slope, cdl.offset, cdl.power].concat();
                assert!(all.iter().all(|v| v.is_finite()), "{link:?}");
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn damaged_looks_are_read_or_refused(which in any::<prop::sample::Index>(), damages in damages()) {
        let (name, seed) = which.get(&LOOKS);
        let bytes = damaged(seed, &damages);
        match look::parse(name, &bytes, None) {
            Ok(chain) => sound(&chain),
            Err(fault) => helps(&fault, &[Code::BadLook, Code::TooLarge]),
        }
        // A file that has another's name is refused as well as a damaged one.
        let _ = (Clf::parse(&bytes).is_ok(), parse_cube(&bytes).is_ok(), parse_cdl(&bytes).is_ok());
    }

    #[test]
    fn damaged_metadata_is_read_or_refused(
        which in any::<prop::sample::Index>(),
        damages in damages(),
        file in any::<prop::sample::Index>(),
    ) {
        let (_, seed) = which.get(&AMFS);
        let bytes = damaged(seed, &damages);
        let find = |name: &str| {
            let bytes = damaged(&file.get(&LOOKS).1, &damages);
            Ok(Found { path: format!("/looks/{name}"), bytes })
        };
        match Amf::parse(&bytes) {
            Ok(amf) => {
                let _ = amf.resolve(&find);
                prop_assert!(amf::validate(&bytes).is_ok());
            }
            Err(fault) => helps(&fault, &[Code::BadAmf, Code::TooLarge]),
        }
    }

    /// A cube is what its numbers say, whatever stands between them.
    #[test]
    fn cubes_are_read_in_any_clothes(
        edge in 2..6_usize,
        values in prop::collection::vec(-4.0..16.0_f32, 3 * 125),
        low in prop::array::uniform3(-2.0..0.0_f64),
        high in prop::array::uniform3(0.5..4.0_f64),
        windows in any::<bool>(),
        tabs in any::<bool>(),
        comments in any::<bool>(),
    ) {
        let triple = |v: [f64; 3]| v.map(|v| v.to_string()).join(" ");
        let mut text = format!("TITLE \"a cube\"\nLUT_3D_SIZE {edge}\nDOMAIN_MIN {}\nDOMAIN_MAX {}\n", triple(low), triple(high));
        for (i, row) in values.as_chunks::<3>().0.iter().take(edge.pow(3)).enumerate() {
            if comments && i % 3 == 0 {
                text += "\n# between the rows\n";
            }
            text += &format!("{} {}  {}\n", row[0], row[1], row[2]);
        }
        if tabs {
            text = text.replace("  ", "\t");
        }
        if windows {
            text = text.replace('\n', "\r\n");
        }
        let chain = parse_cube(text.as_bytes()).unwrap();
        let [Link::Lut3d(cube)] = &chain.0[..] else { panic!("{chain:?}") };
        prop_assert_eq!((cube.size, cube.domain), (edge, [low, high]));
        for r in 0..edge {
            for g in 0..edge {
                for b in 0..edge {
                    // Red is fastest in a file, blue in a chain.
                    let (row, entry) = ((b * edge + g) * edge + r, (r * edge + g) * edge + b);
                    prop_assert_eq!(&cube.values[3 * entry..][..3], &values[3 * row..][..3]);
                }
            }
        }
    }

    /// The numbers of a correction come through, in both spellings.
    #[test]
    fn corrections_are_read_in_both_spellings(
        slope in prop::array::uniform3(0.0..4.0_f64),
        offset in prop::array::uniform3(-1.0..1.0_f64),
        power in prop::array::uniform3(0.1..4.0_f64),
        saturation in 0.0..2.0_f64,
        old in any::<bool>(),
    ) {
        let triple = |v: [f64; 3]| v.map(|v| v.to_string()).join(" ");
        let (sop, sat) = if old { ("ASC_SOP", "ASC_SAT") } else { ("SOPNode", "SatNode") };
        let text = format!(
            "<ColorCorrection id=\"x\"><{sop}><Slope>{}</Slope><Offset>{}</Offset><Power>{}</Power></{sop}>\
             <{sat}><Saturation>{saturation}</Saturation></{sat}></ColorCorrection>",
            triple(slope), triple(offset), triple(power)
        );
        let all = parse_cdl(text.as_bytes()).unwrap();
        prop_assert_eq!(all[0].id.as_deref(), Some("x"));
        let cdl = all[0].cdl;
        prop_assert_eq!((cdl.slope, cdl.offset, cdl.power, cdl.saturation), (slope, offset, power, saturation));
    }
}
