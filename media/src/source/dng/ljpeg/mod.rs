//! Lossless JPEG (ITU-T T.81, process 14, SOF3), as DNG uses it.
//!
//! Apart from DNG, because it knows nothing of it: bytes in, rows of
//! interleaved samples out. A DNG may declare any geometry for the stream so
//! long as the number of samples is right; wrapping them into tiles is the
//! business of the caller.

mod bits;
mod huffman;
mod rows;
#[cfg(test)]
mod tests;

use bits::Bits;
use huffman::Table;
use platefarm_model::{Code, Fault, Outcome};

/// A decoded stream.
#[derive(Debug, PartialEq)]
pub(super) struct Image {
    /// Samples of one row: columns times components.
    pub(super) row_samples: usize,
    /// Rows.
    pub(super) rows: usize,
    /// Rows one after the other, components interleaved.
    pub(super) samples: Vec<u16>,
}

/// What the frame header and the scan header say.
struct Frame {
    precision: u32,
    rows: usize,
    columns: usize,
    /// Identifiers of the components.
    components: Vec<u8>,
}

struct Scan {
    predictor: u8,
    point_transform: u32,
    /// Index of the Huffman table, per component.
    tables: Vec<usize>,
}

/// Decodes a stream of at most `max_samples` samples.
///
/// # Errors
/// [`Code::UnsupportedFeature`] for the other kinds of JPEG, by name; [`Code::BadStructure`] for
/// damaged headers and codes; [`Code::TruncatedFile`] when the data ends before the last row.
pub(super) fn decode(data: &[u8], max_samples: usize) -> Outcome<Image> {
    let mut reader = Segments { data, position: 0 };
    if reader.bytes(2)? != [0xFF, 0xD8] {
        return Err(bad(0, "no JPEG stream: the start of image is missing"));
    }
    let mut frame = None;
    let mut tables: [Option<Table>; 4] = [const { None }; 4];
    let mut restart_interval = 0;
    loop {
        let at = reader.position;
        let marker = reader.marker()?;
        let segment = reader.segment()?;
        match marker {
            0xC3 => frame = Some(frame_header(segment).map_err(|f| f.at(offset(at)))?),
            0xC4 => define_tables(segment, &mut tables).map_err(|f| f.at(offset(at)))?,
            0xDD => {
                let [high, low, ..] = segment else { return Err(bad(at, "short DRI segment")) };
                restart_interval = usize::from(u16::from_be_bytes([*high, *low]));
            }
            0xDA => {
                let frame = frame.ok_or_else(|| bad(at, "a scan without a frame header"))?;
                let scan = scan_header(segment, &frame).map_err(|f| f.at(offset(at)))?;
                let data = &data[reader.position..];
                return entropy(data, &frame, &scan, &tables, restart_interval, max_samples)
                    .map_err(|f| f.at(offset(reader.position)));
            }
            0xC0..=0xCF => return Err(unsupported(marker).at(offset(at))),
            0xD9 => return Err(bad(at, "the stream ends before its scan")),
            _ => {}
        }
    }
}

fn offset(position: usize) -> String {
    format!("offset {position} of the JPEG stream")
}

fn bad(position: usize, what: &str) -> Fault {
    Fault::new(Code::BadStructure, what).at(offset(position))
}

fn unsupported(marker: u8) -> Fault {
    let kind = match marker {
        0xC0 => "baseline JPEG",
        0xC1 => "extended sequential JPEG",
        0xC2 => "progressive JPEG",
        0xC9..=0xCF => "JPEG with arithmetic coding",
        _ => "hierarchical JPEG",
    };
    Fault::new(Code::UnsupportedFeature, format!("{kind} (marker FF{marker:02X}) is not read"))
}

/// The marker segments before the entropy-coded data.
struct Segments<'a> {
    data: &'a [u8],
    position: usize,
}

impl<'a> Segments<'a> {
    fn bytes(&mut self, count: usize) -> Outcome<&'a [u8]> {
        let found = self.data.get(self.position..).and_then(|rest| rest.get(..count));
        let found = found.ok_or_else(|| {
            Fault::new(Code::TruncatedFile, "the JPEG stream ends in its headers")
                .at(offset(self.position))
        })?;
        self.position += count;
        Ok(found)
    }

    fn marker(&mut self) -> Outcome<u8> {
        if self.bytes(1)? != [0xFF] {
            return Err(bad(self.position - 1, "a marker is missing"));
        }
        loop {
            // Any number of fill bytes may stand before a marker.
            match self.bytes(1)? {
                [0xFF] => {}
                bytes => return Ok(bytes[0]),
            }
        }
    }

    fn segment(&mut self) -> Outcome<&'a [u8]> {
        let length = self.bytes(2)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        self.bytes(
            length.checked_sub(2).ok_or_else(|| bad(self.position, "a segment of no length"))?,
        )
    }
}

/// SOF3 (T.81, B.2.2).
fn frame_header(segment: &[u8]) -> Outcome<Frame> {
    let fail = |what: String| Fault::new(Code::BadStructure, what);
    let [precision, r1, r0, c1, c0, count, rest @ ..] = segment else {
        return Err(fail("short frame header".into()));
    };
    let frame = Frame {
        precision: u32::from(*precision),
        rows: usize::from(u16::from_be_bytes([*r1, *r0])),
        columns: usize::from(u16::from_be_bytes([*c1, *c0])),
        components: rest.chunks_exact(3).take(usize::from(*count)).map(|c| c[0]).collect(),
    };
    if !(2..=16).contains(precision) {
        return Err(fail(format!("{precision} bits a sample in a frame header")));
    }
    if frame.rows == 0 || frame.columns == 0 {
        return Err(fail(format!("a frame of {} by {} samples", frame.columns, frame.rows)));
    }
    if frame.components.len() != usize::from(*count) || !(1..=4).contains(count) {
        return Err(fail(format!("a frame of {count} components")));
    }
    let sampling: Vec<u8> = rest.chunks_exact(3).take(usize::from(*count)).map(|c| c[1]).collect();
    if *count > 1 && sampling.iter().any(|s| *s != 0x11) {
        return Err(Fault::new(
            Code::UnsupportedFeature,
            "lossless JPEG with subsampled components",
        ));
    }
    Ok(frame)
}

/// DHT (T.81, B.2.4.2).
fn define_tables(mut segment: &[u8], tables: &mut [Option<Table>; 4]) -> Outcome<()> {
    let fail = |what: &str| Fault::new(Code::BadStructure, what);
    while let [class, rest @ ..] = segment {
        let slot =
            tables.get_mut(usize::from(class & 15)).ok_or_else(|| fail("a fifth Huffman table"))?;
        let (counts, rest) =
            rest.split_first_chunk::<16>().ok_or_else(|| fail("short Huffman table"))?;
        let total = counts.iter().map(|c| usize::from(*c)).sum();
        let (categories, rest) =
            rest.split_at_checked(total).ok_or_else(|| fail("short Huffman table"))?;
        // Class 1 is for coefficients, which a lossless stream has none of.
        if class >> 4 == 0 {
            *slot = Some(Table::new(counts, categories)?);
        }
        segment = rest;
    }
    Ok(())
}

/// SOS (T.81, B.2.3): one scan must carry all components.
fn scan_header(segment: &[u8], frame: &Frame) -> Outcome<Scan> {
    let fail = |what: String| Fault::new(Code::BadStructure, what);
    let [count, rest @ ..] = segment else { return Err(fail("short scan header".into())) };
    let count = usize::from(*count);
    if count != frame.components.len() {
        return Err(Fault::new(
            Code::UnsupportedFeature,
            format!("lossless JPEG in scans of {count} of {} components", frame.components.len()),
        ));
    }
    let (selectors, tail) =
        rest.split_at_checked(2 * count).ok_or_else(|| fail("short scan header".into()))?;
    let [predictor, _, approximation, ..] = tail else {
        return Err(fail("short scan header".into()));
    };
    let mut tables = Vec::with_capacity(count);
    for (selector, component) in selectors.chunks_exact(2).zip(&frame.components) {
        if selector[0] != *component {
            return Err(fail(format!("component {} out of order in the scan", selector[0])));
        }
        tables.push(usize::from(selector[1] >> 4));
    }
    let point_transform = u32::from(approximation & 15);
    if point_transform >= frame.precision {
        return Err(fail(format!("a point transform of {point_transform} bits")));
    }
    Ok(Scan { predictor: *predictor, point_transform, tables })
}

/// The rows of the scan.
fn entropy(
    data: &[u8],
    frame: &Frame,
    scan: &Scan,
    tables: &[Option<Table>; 4],
    restart_interval: usize,
    max_samples: usize,
) -> Outcome<Image> {
    let fail = |what: String| Fault::new(Code::BadStructure, what);
    let components = frame.components.len();
    let (rows, row_samples) = (frame.rows, frame.columns * components);
    let total = rows * row_samples;
    if total > max_samples {
        return Err(fail(format!("{total} samples in the stream, at most {max_samples} expected")));
    }
    // A code has at least one bit: fewer bits than samples cannot be whole, whatever they are.
    if total > data.len().saturating_mul(8) {
        return Err(ended(0, rows));
    }
    let row_form = rows::form(scan.predictor, components)
        .ok_or_else(|| fail(format!("predictor {} is not one of 1 to 7", scan.predictor)))?;
    let mut chosen: Vec<&Table> = Vec::with_capacity(4);
    for index in scan.tables.iter().cycle().take(4) {
        let table = tables.get(*index).and_then(Option::as_ref);
        chosen.push(table.ok_or_else(|| fail(format!("Huffman table {index} is not defined")))?);
    }
    let chosen = [chosen[0], chosen[1], chosen[2], chosen[3]];
    if !restart_interval.is_multiple_of(frame.columns) {
        return Err(Fault::new(
            Code::UnsupportedFeature,
            format!("a restart interval of {restart_interval} that is not whole rows"),
        ));
    }
    let interval_rows = if restart_interval == 0 { rows } else { restart_interval / frame.columns };

    let first_form = rows::form(1, components).unwrap_or(row_form);
    let middle = 1 << (frame.precision - scan.point_transform - 1);
    let mut samples = vec![0; total];
    let mut bits = Bits::new(data);
    for y in 0..rows {
        if y > 0 && y.is_multiple_of(interval_rows) {
            let expected = ((y / interval_rows - 1) % 8) as u8;
            if bits.restart() != Some(expected) {
                return Err(fail(format!("restart marker {expected} is missing before row {y}")));
            }
        }
        let (done, rest) = samples.split_at_mut(y * row_samples);
        let row = &mut rest[..row_samples];
        if y.is_multiple_of(interval_rows) {
            // The first row of an interval has nothing above it: its own zeros stand in.
            let nothing = vec![0; row_samples];
            first_form(&mut bits, &chosen, &nothing, row, [middle; 4]);
        } else {
            let above = &done[(y - 1) * row_samples..];
            let first = std::array::from_fn(|i| above.get(i).map_or(0, |v| i32::from(*v)));
            row_form(&mut bits, &chosen, above, row, first);
        }
        if bits.is_overrun() {
            return Err(ended(y, rows));
        }
        if bits.bad_code {
            return Err(fail(format!("a code that is in no table, in row {y}")));
        }
    }
    if scan.point_transform > 0 {
        samples.iter_mut().for_each(|s| *s <<= scan.point_transform);
    }
    Ok(Image { row_samples, rows, samples })
}

fn ended(row: usize, rows: usize) -> Fault {
    Fault::new(Code::TruncatedFile, format!("the compressed samples end in row {row} of {rows}"))
}
