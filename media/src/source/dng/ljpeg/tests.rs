//! The decoder against streams made by the definition of T.81: every
//! predictor, number of components, point transform and restart interval, on
//! samples that use all of their 16 bits.

use super::open;
use platefarm_model::{Code, Outcome};
use proptest::prelude::*;

/// A decoded stream.
#[derive(Debug, PartialEq)]
struct Image {
    row_samples: usize,
    rows: usize,
    samples: Vec<u16>,
}

fn decode(data: &[u8], max_samples: usize) -> Outcome<Image> {
    let stream = open(data, max_samples)?;
    let mut samples = Vec::new();
    stream.decode(|row| samples.extend_from_slice(row))?;
    Ok(Image { row_samples: stream.row_samples, rows: stream.rows, samples })
}

/// A stream in the making.
#[derive(Clone, Debug)]
struct Stream {
    columns: usize,
    rows: usize,
    components: usize,
    precision: u8,
    predictor: u8,
    point_transform: u8,
    restart_rows: usize,
    samples: Vec<u16>,
}

impl Stream {
    /// The samples as they come back: what a point transform cuts off is lost.
    fn expected(&self) -> Vec<u16> {
        let keep = !0u16 << self.point_transform;
        self.samples.iter().map(|s| s & keep).collect()
    }

    /// By T.81, H.1.2: differences modulo 2^16 from the chosen neighbours.
    fn encode(&self) -> Vec<u8> {
        let (n, width) = (self.components, self.columns * self.components);
        let at =
            |row: usize, i: usize| i32::from(self.samples[row * width + i] >> self.point_transform);
        let mut out = self.headers();
        let mut bits: Vec<bool> = Vec::new();
        for row in 0..self.rows {
            let restart = self.restart_rows > 0 && row % self.restart_rows == 0;
            if restart && row > 0 {
                flush(&mut out, &mut bits);
                out.extend([0xFF, 0xD0 + ((row / self.restart_rows - 1) % 8) as u8]);
            }
            let first_row = row == 0 || restart;
            for i in 0..width {
                let prediction = match (first_row, i < n) {
                    (true, true) => 1 << (self.precision - self.point_transform - 1),
                    (true, false) => at(row, i - n),
                    (false, true) => at(row - 1, i),
                    (false, false) => {
                        let (a, b, c) = (at(row, i - n), at(row - 1, i), at(row - 1, i - n));
                        match self.predictor {
                            1 => a,
                            2 => b,
                            3 => c,
                            4 => a + b - c,
                            5 => a + ((b - c) >> 1),
                            6 => b + ((a - c) >> 1),
                            _ => (a + b) / 2,
                        }
                    }
                };
                let difference = (at(row, i) - prediction) as i16;
                put_difference(&mut bits, difference);
            }
        }
        flush(&mut out, &mut bits);
        out.extend([0xFF, 0xD9]);
        out
    }

    fn headers(&self) -> Vec<u8> {
        let mut out = vec![0xFF, 0xD8, 0xFF, 0xE1, 0, 4, 1, 2, 0xFF, 0xFF, 0xC4];
        // Seventeen categories with codes of five bits each, in order.
        out.extend([0, 36, 0, 0, 0, 0, 0, 17]);
        out.extend([0; 11]);
        out.extend(0..17);
        let (rows, columns) = (self.rows as u16, self.columns as u16);
        out.extend([0xFF, 0xC3, 0, 8 + 3 * self.components as u8, self.precision]);
        out.extend(rows.to_be_bytes());
        out.extend(columns.to_be_bytes());
        out.push(self.components as u8);
        (0..self.components).for_each(|c| out.extend([c as u8 + 1, 0x11, 0]));
        if self.restart_rows > 0 {
            out.extend([0xFF, 0xDD, 0, 4]);
            out.extend(((self.restart_rows * self.columns) as u16).to_be_bytes());
        }
        out.extend([0xFF, 0xDA, 0, 6 + 2 * self.components as u8, self.components as u8]);
        (0..self.components).for_each(|c| out.extend([c as u8 + 1, 0]));
        out.extend([self.predictor, 0, self.point_transform]);
        out
    }
}

fn put_difference(bits: &mut Vec<bool>, difference: i16) {
    let magnitude = i32::from(difference).unsigned_abs();
    let category = u32::BITS - magnitude.leading_zeros();
    let mut put =
        |value: u32, count: u32| bits.extend((0..count).rev().map(|i| value >> i & 1 == 1));
    put(category, 5);
    if category < 16 {
        let value = if difference < 0 { i32::from(difference) - 1 } else { difference.into() };
        put(value as u32 & ((1 << category) - 1), category);
    }
}

fn flush(out: &mut Vec<u8>, bits: &mut Vec<bool>) {
    while !bits.len().is_multiple_of(8) {
        bits.push(true);
    }
    for byte in bits.chunks(8) {
        let byte = byte.iter().fold(0, |acc, bit| acc << 1 | u8::from(*bit));
        out.push(byte);
        if byte == 0xFF {
            out.push(0);
        }
    }
    bits.clear();
}

fn streams() -> impl Strategy<Value = Stream> {
    let shape = (1usize..24, 1usize..9, 1usize..=4, 1u8..=7, 0usize..4, 2u8..=16);
    shape.prop_flat_map(|(columns, rows, components, predictor, restart_rows, precision)| {
        let limit = ((1u32 << precision) - 1) as u16;
        let count = columns * rows * components;
        let value = prop_oneof![Just(0), Just(limit), 0..=limit, Just(limit / 2)];
        (prop::collection::vec(value, count), 0..precision.min(4)).prop_map(
            move |(samples, point_transform)| Stream {
                columns,
                rows,
                components,
                precision,
                predictor,
                point_transform,
                restart_rows,
                samples,
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_form_comes_back(stream in streams()) {
        let image = decode(&stream.encode(), 1 << 20).unwrap();
        prop_assert_eq!(image, Image {
            row_samples: stream.columns * stream.components,
            rows: stream.rows,
            samples: stream.expected(),
        });
    }

    /// Whatever is done to a stream: an answer or a fault, never a panic; and a cut is never a picture.
    #[test]
    fn damage_is_a_fault(stream in streams(), cut in 0.0f64..1.0, at in any::<prop::sample::Index>(), with in any::<u8>()) {
        let mut bytes = stream.encode();
        let keep = ((bytes.len() - 2) as f64 * cut) as usize;
        let whole = decode(&bytes[..bytes.len() - 2], 1 << 20);
        prop_assert!(whole.is_ok(), "the end marker may be missing");
        if let Ok(image) = decode(&bytes[..keep], 1 << 20) {
            // Only padding of the last byte was cut.
            prop_assert_eq!(image.samples, stream.expected());
        }
        let at = at.index(bytes.len());
        bytes[at] = with;
        let _ = decode(&bytes, 1 << 20);
    }
}

fn sample() -> Stream {
    Stream {
        columns: 8,
        rows: 4,
        components: 1,
        precision: 12,
        predictor: 1,
        point_transform: 0,
        restart_rows: 2,
        samples: (0..32).map(|i| i * 100).collect(),
    }
}

#[test]
fn other_kinds_of_jpeg_are_refused_by_name() {
    for (marker, name) in [(0xC0, "baseline"), (0xC2, "progressive"), (0xCB, "arithmetic")] {
        let mut bytes = sample().encode();
        let at = bytes.windows(2).position(|w| w == [0xFF, 0xC3]).unwrap();
        bytes[at + 1] = marker;
        let fault = decode(&bytes, 1 << 20).unwrap_err();
        assert_eq!(fault.code, Code::UnsupportedFeature);
        assert!(fault.message.contains(name), "{fault}");
    }
}

#[test]
fn a_wrong_restart_marker_is_damage() {
    let mut bytes = sample().encode();
    let at = bytes.windows(2).position(|w| w == [0xFF, 0xD0]).unwrap();
    bytes[at + 1] = 0xD5;
    assert_eq!(decode(&bytes, 1 << 20).unwrap_err().code, Code::BadStructure);
}

#[test]
fn a_stream_larger_than_its_place_is_refused_before_it_is_decoded() {
    assert_eq!(decode(&sample().encode(), 31).unwrap_err().code, Code::BadStructure);
    let mut huge = sample();
    (huge.columns, huge.rows) = (65_535, 65_535);
    huge.restart_rows = 0;
    let mut bytes = huge.headers();
    bytes.extend([0; 100]);
    assert_eq!(decode(&bytes, usize::MAX).unwrap_err().code, Code::TruncatedFile);
}
