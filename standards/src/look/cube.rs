//! `.cube`: one table per channel, a cube, or (Resolve) a table before a cube.
//!
//! Source: Adobe, "Cube LUT Specification" 1.0 (2013); Resolve's
//! `LUT_1D_INPUT_RANGE` and `LUT_3D_INPUT_RANGE`. Cubes are interpolated
//! tetrahedrally, red fastest in the file.

use platefarm_model::color::chain::{Chain, Link, Lut1d, Lut3d};
use platefarm_model::{Code, Fault, Outcome};
use std::sync::Arc;

const MAX_TABLE: usize = 65536;
const MAX_EDGE: usize = 256;

#[derive(Default)]
struct Header {
    table: Option<usize>,
    edge: Option<usize>,
    low: Option<[f64; 3]>,
    high: Option<[f64; 3]>,
    table_range: Option<[f64; 2]>,
    edge_range: Option<[f64; 2]>,
}

fn bad(line: usize, message: impl Into<String>) -> Fault {
    Fault::new(Code::BadLook, message).at(format!("line {line}"))
}

/// Reads a file.
///
/// # Errors
/// [`Code::BadLook`] with the line.
pub fn parse_cube(bytes: &[u8]) -> Outcome<Chain> {
    let text = String::from_utf8_lossy(bytes);
    let mut header = Header::default();
    let mut values: Vec<[f32; 3]> = Vec::new();
    let mut last = 0;
    for (i, line) in text.lines().enumerate() {
        let (number, line) = (i + 1, line.trim().trim_start_matches('\u{feff}'));
        last = number;
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let first = line.chars().next().unwrap_or(' ');
        if first.is_ascii_alphabetic() {
            keyword(&mut header, line).map_err(|message| bad(number, message))?;
            continue;
        }
        let row = floats::<3>(line).ok_or_else(|| bad(number, "not three numbers"))?;
        values.push(row.map(|v| v as f32));
        if values.len() > MAX_TABLE + MAX_EDGE * MAX_EDGE * MAX_EDGE {
            return Err(bad(number, "more values than any table has"));
        }
    }
    links(&header, &values).map_err(|message| bad(last, message))
}

/// Exactly `N` numbers that single precision has.
fn floats<const N: usize>(text: &str) -> Option<[f64; N]> {
    let all: Option<Vec<f64>> = text
        .split_whitespace()
        .map(|word| word.parse().ok().filter(|v: &f64| (*v as f32).is_finite()))
        .collect();
    all?.try_into().ok()
}

fn keyword(header: &mut Header, line: &str) -> Result<(), String> {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let size = |most: usize| {
        rest.trim()
            .parse::<usize>()
            .ok()
            .filter(|n| (2..=most).contains(n))
            .ok_or_else(|| format!("{word} is '{}', 2 to {most} expected", rest.trim()))
    };
    let numbers = || format!("{word} has not the numbers that it needs");
    // Written in capitals by its specification, and in small letters by some.
    match word.to_ascii_uppercase().as_str() {
        "TITLE" => {}
        "LUT_1D_SIZE" => header.table = Some(size(MAX_TABLE)?),
        "LUT_3D_SIZE" => header.edge = Some(size(MAX_EDGE)?),
        "DOMAIN_MIN" => header.low = Some(floats(rest).ok_or_else(numbers)?),
        "DOMAIN_MAX" => header.high = Some(floats(rest).ok_or_else(numbers)?),
        "LUT_1D_INPUT_RANGE" => header.table_range = Some(floats(rest).ok_or_else(numbers)?),
        "LUT_3D_INPUT_RANGE" => header.edge_range = Some(floats(rest).ok_or_else(numbers)?),
        _ => return Err(format!("the keyword '{word}' is not known")),
    }
    Ok(())
}

fn links(header: &Header, values: &[[f32; 3]]) -> Result<Chain, String> {
    let table = header.table.unwrap_or(0);
    let cube = header.edge.map_or(0, |n| n * n * n);
    if table + cube == 0 {
        return Err("neither LUT_1D_SIZE nor LUT_3D_SIZE is given".into());
    }
    if values.len() != table + cube {
        return Err(format!("{} rows of values, {} expected", values.len(), table + cube));
    }
    let domain = |range: Option<[f64; 2]>| {
        let low = range.map_or(header.low.unwrap_or([0.0; 3]), |r| [r[0]; 3]);
        let high = range.map_or(header.high.unwrap_or([1.0; 3]), |r| [r[1]; 3]);
        if (0..3).all(|i| low[i] < high[i]) {
            Ok([low, high])
        } else {
            Err(format!("the domain from {low:?} to {high:?} is empty"))
        }
    };
    let mut chain = Chain::default();
    if table > 0 {
        let [low, high] = domain(header.table_range)?;
        // One domain for the channels of a table; other ones are moved to 0..1 first.
        let scale: [f64; 3] = std::array::from_fn(|i| 1.0 / (high[i] - low[i]));
        chain.0.push(Link::Matrix {
            matrix: platefarm_model::color::diagonal(scale),
            offset: std::array::from_fn(|i| -low[i] * scale[i]),
        });
        let column = |c: usize| values[..table].iter().map(move |row| row[c]);
        chain.0.push(Link::Lut1d(Arc::new(Lut1d {
            length: table,
            values: (0..3).flat_map(column).collect(),
            domain: [0.0, 1.0],
            half_domain: false,
            hue_adjust: false,
            inverse: false,
        })));
    }
    if let Some(size) = header.edge {
        let rows = &values[table..];
        // In the file red changes fastest, in a chain blue does.
        let at = |i: usize| {
            let (r, g, b) = (i / (size * size), i / size % size, i % size);
            rows[(b * size + g) * size + r]
        };
        chain.0.push(Link::Lut3d(Arc::new(Lut3d {
            size,
            values: (0..size * size * size).flat_map(at).collect(),
            domain: domain(header.edge_range)?,
            tetrahedral: true,
            inverse: false,
        })));
    }
    Ok(chain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn red_is_fastest_in_the_file() {
        let mut text = String::from("TITLE \"t\"\n# a comment\nLUT_3D_SIZE 2\n");
        for i in 0..8 {
            text += &format!("{} {} {}\n", i & 1, i >> 1 & 1, i >> 2);
        }
        let chain = parse_cube(text.as_bytes()).unwrap();
        let Link::Lut3d(cube) = &chain.0[0] else { panic!("{chain:?}") };
        // The identity: entry (r, g, b), blue fastest, is (r, g, b).
        for i in 0..8 {
            let expected = [(i >> 2) as f32, (i >> 1 & 1) as f32, (i & 1) as f32];
            assert_eq!(cube.values[3 * i..3 * i + 3], expected);
        }
        assert!(cube.tetrahedral);
        assert_eq!(parse_cube(text.to_lowercase().as_bytes()).unwrap(), chain);
    }

    #[test]
    fn faults_name_the_line() {
        for (text, line, word) in [
            ("LUT_1D_SIZE 2\n0 0 0\n", "line 2", "2 expected"),
            ("LUT_1D_SIZE 2\n0 0 zero\n", "line 2", "three numbers"),
            ("LUT_3D_SIZE 1000\n", "line 1", "LUT_3D_SIZE"),
            ("NONSENSE 3\n", "line 1", "NONSENSE"),
            ("0 0 0\n", "line 1", "neither"),
            ("LUT_1D_SIZE 2\nDOMAIN_MAX 0 1 1\n0 0 0\n1 1 1\n", "line 4", "empty"),
        ] {
            let fault = parse_cube(text.as_bytes()).unwrap_err();
            assert_eq!(fault.place.as_deref(), Some(line), "{text}");
            assert!(fault.message.contains(word), "{text}: {fault}");
        }
    }
}
