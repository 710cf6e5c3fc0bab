//! Every name of OpenColorIO's built-in ACES configs, of all versions: what it
//! means there it means here, by the values that OpenColorIO 2.6.0 makes of
//! three pixels, or it is refused with the reason.

use platefarm_model::Code;
use platefarm_model::color::chain::Chain;
use platefarm_model::color::name;
use platefarm_model::recipe::Backend;
use platefarm_shaders::color::Converter;

const NAMES: &str = include_str!("../../../model/tests/fixtures/color/ocio_names.tsv");

/// Words of the reason, by what a name is instead of a transform of colour.
const REASONS: &[(&str, &str)] = &[
    ("!look", "a look"),
    ("!curve", "a curve without primaries"),
    ("!role", "another space in another config"),
    ("!xyz", "CIE XYZ"),
    ("!scale", "brightness of the Rec.709 output"),
    ("!data", "no colour"),
];

fn numbers(text: &str) -> Vec<f32> {
    text.split_whitespace().map(|v| v.parse().expect("a number")).collect()
}

/// Whether a chain takes pixels where they should go, within `bound` of a value of at least 0.1.
fn leads(name: &str, chain: &Chain, from: &[f32], to: &[f32], bound: f32) {
    let mut pixels = from.to_vec();
    Converter::new(chain, Backend::Cpu).unwrap().run(&mut pixels).unwrap();
    for (got, expected) in pixels.iter().zip(to) {
        let off = (got - expected).abs() / expected.abs().max(0.1);
        assert!(off <= bound, "{name}: {from:?} gives {pixels:?}, not {to:?}: off by {off}");
    }
}

#[test]
fn every_name_of_the_configs_is_what_it_is_there_or_refused_with_the_reason() {
    let mut lines = NAMES.lines().skip(1);
    let pixels = numbers(lines.next().expect("pixels").trim_start_matches('#'));
    let (mut asked, mut refused) = (0, 0);
    for line in lines {
        let [name, kind, made] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        if let Some((_, reason)) = REASONS.iter().find(|(known, _)| *known == kind) {
            let fault = name::resolve(name).expect_err(name);
            assert_eq!(fault.code, Code::UnknownTransform, "{name}");
            assert!(fault.message.contains(reason) && fault.remedy.is_some(), "{fault:?}");
            refused += 1;
            continue;
        }
        let codes = numbers(made);
        assert_eq!(codes.len(), pixels.len(), "{line}");
        let named = name::resolve(name).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        leads(name, &named.from_aces().unwrap(), &pixels, &codes, 2e-4);
        // Views have their own tests of the way back, on pixels that are within them.
        if kind != "view" {
            leads(name, &named.to_aces().unwrap(), &codes, &pixels, 1e-3);
        }
        asked += 1;
    }
    assert_eq!((asked, refused), (332, 73));
}

/// What we write into headers ourselves is understood.
#[test]
fn the_interop_ids_of_headers_are_names() {
    let mut seen = 0;
    for entry in name::catalog().into_iter().filter(|entry| entry.to) {
        let meaning = name::resolve(&entry.name).unwrap().meaning();
        let Some(id) = meaning.interop_id else { continue };
        let by_id = name::resolve(id).unwrap_or_else(|fault| panic!("{id}: {fault}"));
        assert_eq!(by_id.meaning().interop_id, Some(id), "{}", entry.name);
        if entry.kind == "space" {
            assert_eq!(by_id.name(), entry.name);
        }
        seen += 1;
    }
    assert!(seen > 60, "{seen}");
}
