//! The tables and constants of ACES 2.0 against OpenColorIO's, read from what
//! it sends to a GPU, and against a derivation of the constants in f64.

use platefarm_model::color::aces2::{Output, Target};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn close(what: &str, got: f64, expected: f64, bound: f64) {
    assert!((got - expected).abs() <= bound, "{what}: {got} is not {expected}");
}

#[test]
fn tables_and_constants_are_those_of_others() {
    let text = include_str!("../fixtures/color/aces20_tables.json");
    let all: Value = serde_json::from_str(text).unwrap();
    let entries: Vec<usize> = numbers(&all["entries"]).iter().map(|v| *v as usize).collect();
    let sets = all["sets"].as_object().unwrap();
    assert_eq!(sets.len(), 16);
    for (name, set) in sets {
        let xy = numbers(&set["limit_primaries"]);
        let output = Output::new(Target {
            peak_nits: set["peak"].as_f64().unwrap(),
            primaries: [[xy[0], xy[1]], [xy[2], xy[3]], [xy[4], xy[5]]],
            white: [xy[6], xy[7]],
        });
        let tables = &output.tables;
        for (column, ours, bound) in [
            ("hue", &tables.hue, 1e-4),
            ("reach_M", &tables.reach_m, 1e-2),
            ("cusp_J", &tables.cusp_j, 1e-3),
            ("cusp_M", &tables.cusp_m, 2e-3),
            ("upper_hull_gamma_inv", &tables.upper_gamma_inverse, 4e-4),
        ] {
            for (i, expected) in entries.iter().zip(numbers(&set[column])) {
                close(&format!("{name} {column}[{i}]"), ours[*i], expected, bound);
            }
        }
        // Wherever a hue lies, the search has its entry within reach.
        for step in 0..36_000 {
            let h = f64::from(step) / 100.0;
            let entry = tables.hue.partition_point(|hue| *hue <= h) as i32 - 1;
            let off = entry - (h.floor() as i32 + 1);
            assert!((tables.search[0]..=tables.search[1]).contains(&off), "{name}: {h} {off}");
        }
        assert!(tables.search[1] - tables.search[0] <= 3, "{name}: {:?}", tables.search);
        let (t, c) = (&output.tonescale, &output.compression);
        for (key, ours) in [
            ("jmax", c.limit_j),
            ("ct", t.c_t),
            ("s2", t.s2),
            ("m2", t.m2),
            ("fwd_lim", t.forward_limit),
            ("inv_lim", t.inverse_limit),
            ("sat", c.saturation),
            ("sat_thr", c.saturation_threshold),
            ("compr", c.compression),
            ("ccs", c.norm_scale),
            ("midJ", c.mid_j),
            ("fd", c.focus_distance),
            ("lhg", c.lower_gamma_inverse),
        ] {
            let expected = set["params"][key].as_f64().unwrap();
            close(&format!("{name} {key}"), ours / expected, 1.0, 1e-12);
        }
    }
}
