//! Lossless JPEG (ITU-T T.81, process 14, SOF3), as DNG uses it.
//!
//! Apart from DNG, because it knows nothing of it: bytes in, rows of
//! interleaved samples out, one at a time, so that a frame is never held
//! twice. A DNG may declare any geometry for the stream so long as the number
//! of samples is right; wrapping them into tiles is the business of the caller.

mod bits;
mod huffman;
mod rows;
#[cfg(test)]
mod tests;

use bits::Bits;
use huffman::Table;
use platefarm_model::{Code, Fault, Outcome};

/// A stream whose headers have been read.
pub(in crate::source) struct Stream<'a> {
    /// Samples of one row: columns times components.
    pub(in crate::source) row_samples: usize,
    /// Rows.
    pub(in crate::source) rows: usize,
    frame: Frame,
    scan: Scan,
    tables: [Option<Table>; 4],
    /// Rows between restart markers; all of them when there are none.
    interval_rows: usize,
    /// The entropy-coded data, and where it begins.
    data: &'a [u8],
    data_at: usize,
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

/// Reads the headers of a stream of at most `max_samples` samples.
///
/// # Errors
/// [`Code::UnsupportedFeature`] for the other kinds of JPEG, by name; [`Code::BadStructure`] for
/// damaged headers; [`Code::TruncatedFile`] when the data ends in them.
pub(in crate::source) fn open(data: &[u8], max_samples: usize) -> Outcome<Stream<'_>> {
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
                let stream = Stream {
                    row_samples: frame.columns * frame.components.len(),
                    rows: frame.rows,
                    interval_rows: interval_rows(&frame, restart_interval)
                        .map_err(|f| f.at(offset(at)))?,
                    frame,
                    scan,
                    tables,
                    data: &data[reader.position..],
                    data_at: reader.position,
                };
                stream.check(max_samples).map_err(|f| f.at(offset(at)))?;
                return Ok(stream);
            }
            0xC0..=0xCF => return Err(unsupported(marker).at(offset(at))),
            0xD9 => return Err(bad(at, "the stream ends before its scan")),
            _ => {}
        }
    }
}

/// Rows between restart markers. T.81, H.1.1: the interval is a multiple of a row.
fn interval_rows(frame: &Frame, interval: usize) -> Outcome<usize> {
    if !interval.is_multiple_of(frame.columns) {
        return Err(Fault::new(
            Code::BadStructure,
            format!("a restart interval of {interval} that is not whole rows"),
        ));
    }
    Ok(if interval == 0 { frame.rows } else { interval / frame.columns })
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

impl Stream<'_> {
    /// Checks what can be known before a sample is decoded.
    fn check(&self, max_samples: usize) -> Outcome<()> {
        let fail = |what: String| Fault::new(Code::BadStructure, what);
        let total = self.rows * self.row_samples;
        if total > max_samples {
            return Err(fail(format!(
                "{total} samples in the stream, at most {max_samples} expected"
            )));
        }
        // A code has at least one bit: fewer bits than samples cannot be whole, whatever they are.
        if total > self.data.len().saturating_mul(8) {
            return Err(ended(0, self.rows));
        }
        Ok(())
    }

    /// Decodes the rows and hands each to `sink`, from the top.
    ///
    /// # Errors
    /// [`Code::BadStructure`] for damaged codes, [`Code::TruncatedFile`] when the data ends before the last row.
    pub(in crate::source) fn decode(&self, sink: impl FnMut(&[u16])) -> Outcome<()> {
        self.entropy(sink).map_err(|f| f.at(offset(self.data_at)))
    }

    fn entropy(&self, mut sink: impl FnMut(&[u16])) -> Outcome<()> {
        let fail = |what: String| Fault::new(Code::BadStructure, what);
        let components = self.frame.components.len();
        let row_form = rows::form(self.scan.predictor, components).ok_or_else(|| {
            fail(format!("predictor {} is not one of 1 to 7", self.scan.predictor))
        })?;
        let first_form = rows::form(1, components).unwrap_or(row_form);
        let chosen = self.chosen_tables()?;
        let shift = self.scan.point_transform;
        let middle = 1 << (self.frame.precision - shift - 1);
        let (mut above, mut row) = (vec![0; self.row_samples], vec![0; self.row_samples]);
        let mut shifted = vec![0; if shift > 0 { self.row_samples } else { 0 }];
        let mut bits = Bits::new(self.data);
        for y in 0..self.rows {
            if y.is_multiple_of(self.interval_rows) {
                let expected = (y / self.interval_rows).wrapping_sub(1) % 8;
                if y > 0 && bits.restart() != Some(expected as u8) {
                    return Err(fail(format!(
                        "restart marker {expected} is missing before row {y}"
                    )));
                }
                // The first row of an interval is predicted from itself: what lies above does not count.
                first_form(&mut bits, &chosen, &above, &mut row, [middle; 4]);
            } else {
                let first = std::array::from_fn(|i| above.get(i).map_or(0, |v| i32::from(*v)));
                row_form(&mut bits, &chosen, &above, &mut row, first);
            }
            if bits.is_overrun() {
                return Err(ended(y, self.rows));
            }
            if bits.bad_code {
                return Err(fail(format!("a code that is in no table, in row {y}")));
            }
            if shift > 0 {
                for (out, sample) in shifted.iter_mut().zip(&row) {
                    *out = sample << shift;
                }
                sink(&shifted);
            } else {
                sink(&row);
            }
            std::mem::swap(&mut above, &mut row);
        }
        Ok(())
    }

    /// The Huffman table of each component; the first ones again where there are fewer than four.
    fn chosen_tables(&self) -> Outcome<[&Table; 4]> {
        let mut chosen: Vec<&Table> = Vec::with_capacity(4);
        for index in self.scan.tables.iter().cycle().take(4) {
            let table = self.tables.get(*index).and_then(Option::as_ref);
            chosen.push(table.ok_or_else(|| {
                Fault::new(Code::BadStructure, format!("Huffman table {index} is not defined"))
            })?);
        }
        Ok([chosen[0], chosen[1], chosen[2], chosen[3]])
    }
}

fn ended(row: usize, rows: usize) -> Fault {
    Fault::new(Code::TruncatedFile, format!("the compressed samples end in row {row} of {rows}"))
}
