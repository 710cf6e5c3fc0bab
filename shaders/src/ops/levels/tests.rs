//! Black, white and linearisation by their definition in the DNG specification.

use super::*;
use crate::twin::Trial;
use fearless_simd::Level;
use std::sync::Arc;

fn run(tables: &LevelTables, samples: &[u16], y: usize) -> Vec<f32> {
    let mut even = vec![0.0; samples.len().div_ceil(2)];
    let mut odd = vec![0.0; samples.len() / 2];
    let with = cpu::RowLevels {
        linear: &tables.linear,
        column_black: &tables.column_black[y % 2],
        row_black: tables.row_black[y],
        scale: [tables.scale[y % 2 * 2], tables.scale[y % 2 * 2 + 1]],
    };
    cpu::row(Level::new(), samples, with, &mut even, &mut odd);
    (0..samples.len()).map(|x| if x % 2 == 0 { even[x / 2] } else { odd[x / 2] }).collect()
}

fn levels_with_everything(width: u32, height: u32) -> Levels {
    Levels {
        linearization: (0..300).map(|i: u32| (i * i / 4).min(65_535) as u16).collect(),
        black: [64.0, 65.5, 63.25, 70.0],
        white: [15_000.0, 15_100.0, 14_900.0, 15_200.0],
        black_delta_h: (0..width).map(|x| x as f32 * 0.03 - 0.5).collect(),
        black_delta_v: (0..height).map(|y| y as f32 * -0.07).collect(),
    }
}

/// All samples from 0 past the table's end, with and without a table, every site.
pub(super) fn trials() -> Vec<Trial> {
    let width = 331_u32;
    let full = levels_with_everything(width, 4);
    let flat = Levels::flat(256.0, 4095.0);
    let mut trials = Vec::new();
    for (name, levels) in [("table and deltas", full), ("flat", flat)] {
        let tables = LevelTables::new(&levels, width, 4).unwrap();
        for y in 0..4 {
            let samples: Vec<u16> = (0..width).map(|x| (x * 13 + y * 7) as u16).collect();
            let mut params =
                vec![tables.linear.len() as u32, tables.row_black[y as usize].to_bits()];
            params.extend(&[0, 1].map(|x: usize| tables.scale[y as usize % 2 * 2 + x].to_bits()));
            let mut input: Vec<u32> = samples.iter().map(|s| u32::from(*s)).collect();
            input.extend(tables.column_black[y as usize % 2].iter().map(|v| v.to_bits()));
            input.extend(tables.linear.iter().map(|v| v.to_bits()));
            let expected = run(&tables, &samples, y as usize);
            trials.push(Trial {
                name: format!("{name}, row {y}"),
                probe: format!(
                    "fn linear_code(i: u32) -> f32 {{ return bitcast<f32>(input[{}u + i]); }}
                    fn probe(i: u32) -> u32 {{
                        let linear = linearize(input[i], params[0]);
                        return bitcast<u32>(levels(linear, bitcast<f32>(input[{width}u + i]),
                            bitcast<f32>(params[1]), bitcast<f32>(params[2u + (i & 1u)])));
                    }}",
                    2 * width
                ),
                params,
                input,
                expected: expected.iter().map(|v| v.to_bits()).collect(),
                floats: Some(vec![1.0; expected.len()]),
            });
        }
    }
    trials
}

#[test]
fn black_is_zero_white_is_one_and_nothing_is_clamped() {
    let tables = LevelTables::new(&Levels::flat(64.0, 1023.0), 5, 1).unwrap();
    let out = run(&tables, &[64, 1023, 0, 2047, 543], 0);
    let expected = [0.0, 1.0, -64.0 / 959.0, 1983.0 / 959.0, 479.0 / 959.0];
    for (a, b) in out.iter().zip(expected) {
        assert!((a - b).abs() < 3e-7, "{a} is not {b}");
    }
}

#[test]
fn every_site_has_its_own_black_and_deltas_add_up() {
    let levels = levels_with_everything(6, 4);
    let tables = LevelTables::new(&levels, 6, 4).unwrap();
    for y in 0..4_usize {
        let out = run(&tables, &[200; 6], y);
        for (x, got) in out.into_iter().enumerate() {
            let site = y % 2 * 2 + x % 2;
            let black = |y: usize, x: usize| {
                f64::from(levels.black[site])
                    + f64::from(levels.black_delta_h[x])
                    + f64::from(levels.black_delta_v[y])
            };
            // Of this site's columns and rows, the last column and the first row are the blackest.
            let blackest = black(y % 2, 4 + x % 2);
            let expected = (10_000.0 - black(y, x)) / (f64::from(levels.white[site]) - blackest);
            assert!((f64::from(got) - expected).abs() < 1e-6, "{x},{y}: {got} is not {expected}");
        }
    }
}

#[test]
fn a_sample_past_the_table_takes_its_last_entry() {
    let levels = Levels { linearization: Arc::from([0, 10, 100]), ..Levels::flat(0.0, 100.0) };
    let tables = LevelTables::new(&levels, 4, 1).unwrap();
    for (got, expected) in run(&tables, &[1, 2, 3, 65_535], 0).into_iter().zip([0.1, 1.0, 1.0, 1.0])
    {
        assert!((got - expected).abs() < 1e-7, "{got} is not {expected}");
    }
}

#[test]
fn levels_that_make_no_sense_are_refused() {
    for (black, white) in [(100.0, 100.0), (100.0, 50.0), (0.0, f32::NAN), (f32::INFINITY, 1.0)] {
        let fault = LevelTables::new(&Levels::flat(black, white), 4, 4).unwrap_err();
        assert_eq!(fault.code, Code::BadRecipe);
    }
    let levels = Levels { black_delta_h: Arc::from([1.0]), ..Levels::flat(0.0, 1.0) };
    assert_eq!(
        LevelTables::new(&levels, 4, 4).unwrap_err().place.as_deref(),
        Some("black_delta_h")
    );
}
