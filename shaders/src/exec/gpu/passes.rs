//! Which passes a plan is on a device, and which buffers they share.
//!
//! Operations that look at one place only share a pass with their neighbour; a
//! pass ends where the next operation needs more than one of its results (a
//! halo). Colour looks at one place only, so it never has a pass of its own. A debayer of several steps keeps what they leave in planes of work
//! that cover the mosaic and its halo, mirrored beyond the edges, so that no
//! step after the first knows of an edge.

use super::debayers;
use crate::color::Plan as Colors;
use crate::exec::plan::{Band, Input, Plan};
use platefarm_model::{Code, Fault, Outcome};
use std::ops::Range;

/// A buffer that passes share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Store {
    /// Stored rows, as they came up.
    Raw,
    /// Black levels and linearisation, or the curve of a picture.
    Tables,
    /// The mosaic and its halo.
    Mosaic,
    /// The same, before photosites are mended.
    Sensor,
    /// Planes that a debayer keeps between its steps.
    Work(usize),
    /// ACES2065-1, three planes.
    Color,
    /// After the vertical pass, three planes; the colour itself where there is none.
    Down,
    /// First lines and weights along the row and down the column.
    Taps(usize),
    /// What is delivered.
    Halves,
    /// Number of non-finite samples.
    Beyond,
    /// Numbers and tables of the colour on one side of the resample.
    Colors(Side),
}

/// A side of the resample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    Before,
    After,
}

impl Side {
    /// The colour of a plan there.
    pub(super) const fn of(self, plan: &Plan) -> Option<&Colors> {
        match self {
            Self::Before => plan.before.as_ref(),
            Self::After => plan.after.as_ref(),
        }
    }
}

/// How a pass uses a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bind {
    Read(Store),
    Write(Store),
}

impl Bind {
    pub(super) const fn store(self) -> Store {
        match self {
            Self::Read(store) | Self::Write(store) => store,
        }
    }
}

/// What a pass has an invocation for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// Photosites of mosaic and halo but for so many lines on each side.
    Sites(u32),
    /// The same, but only those that are not green.
    Colored(u32),
    /// Pixels.
    Color,
    /// Pixels of delivered rows.
    Lines,
    /// Pairs of delivered pixels.
    Halves,
}

/// One dispatch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pass {
    /// Its name; no two passes share one.
    pub(crate) name: &'static str,
    /// Operations that it is made of, in the order they run.
    pub(crate) ops: &'static [&'static str],
    /// Text around them.
    pub(super) frame: &'static str,
    /// Where it begins.
    pub(super) entry: &'static str,
    /// Buffers, from binding 1 on.
    pub(super) binds: &'static [Bind],
    /// Invocations.
    pub(super) over: Over,
    /// Halves of planes of the window that it reads and writes at least, where that is not every
    /// buffer once: a debayer's steps bind more than each of them looks at.
    pub(super) touches: Option<u64>,
    /// Whose colour it does on the way, where there is any.
    pub(super) colors: Option<Side>,
}

use Bind::{Read, Write};

static PICTURE: Pass = Pass {
    name: "picture",
    ops: &["unpack", "rgb_decode", "finite", "matrix"],
    frame: include_str!("picture.wgsl"),
    entry: "main",
    binds: &[Read(Store::Raw), Read(Store::Tables), Write(Store::Color), Write(Store::Beyond)],
    over: Over::Color,
    touches: None,
    colors: Some(Side::Before),
};

static DOWN: Pass = Pass {
    name: "down",
    ops: &["resample"],
    frame: include_str!("down.wgsl"),
    entry: "main",
    binds: &[Read(Store::Color), Read(Store::Taps(1)), Write(Store::Down)],
    over: Over::Lines,
    touches: None,
    colors: None,
};

static ALONG: Pass = Pass {
    name: "along",
    ops: &["resample", "to_half"],
    frame: include_str!("along.wgsl"),
    entry: "main",
    binds: &[
        Read(Store::Down),
        Read(Store::Taps(0)),
        Read(Store::Taps(1)),
        Write(Store::Halves),
        Write(Store::Beyond),
    ],
    over: Over::Halves,
    touches: None,
    colors: Some(Side::After),
};

/// Every pass that there is, once.
#[cfg(test)]
pub(crate) fn all() -> Vec<&'static Pass> {
    let mut all = vec![&PICTURE, &DOWN, &ALONG];
    for pass in debayers::ALL.iter().flat_map(|d| [&d.mosaic[..], &d.mended, d.passes].concat()) {
        if !all.iter().any(|known| std::ptr::eq(*known, pass)) {
            all.push(pass);
        }
    }
    all
}

/// The passes of a plan, in order. A vertical resample that only moves whole
/// rows needs none: the horizontal one fetches its rows from where they are.
pub(crate) fn of(plan: &Plan) -> Vec<&'static Pass> {
    let mut passes = match &plan.input {
        Input::Mosaic(mosaic) => {
            let debayer = debayers::of(plan);
            let mended = mosaic.reach() > 0;
            let first = if mended { &debayer.mended[..] } else { &debayer.mosaic[..] };
            [first, debayer.passes].concat()
        }
        Input::Rgb(_) => vec![&PICTURE],
    };
    if !plan.taps[1].is_copy() {
        passes.push(&DOWN);
    }
    passes.push(&ALONG);
    passes
}

/// Columns and rows of mosaic and halo of a band.
pub(super) fn window(plan: &Plan, band: &Band) -> [u32; 2] {
    let (halo, block) = (2 * plan.halo(), plan.input.block());
    [plan.columns.len(), band.rows.len()].map(|side| side as u32 * block + halo)
}

/// Invocations of a pass on a band: columns and rows.
pub(super) fn extent(plan: &Plan, band: &Band, over: Over) -> [u32; 2] {
    let [columns, _] = plan.content_size();
    let lines = band.lines.len() as u32;
    let inner = |margin: u32| window(plan, band).map(|side| side - 2 * margin);
    match over {
        Over::Sites(margin) => inner(margin),
        Over::Colored(margin) => {
            let [columns, rows] = inner(margin);
            [columns.div_ceil(2), rows]
        }
        Over::Color => [plan.columns.len() as u32, band.rows.len() as u32],
        Over::Lines => [plan.columns.len() as u32, lines],
        Over::Halves => [columns.div_ceil(2) as u32, lines],
    }
}

/// Bytes that a pass reads and writes at least on a band.
pub(super) fn moved(plan: &Plan, band: &Band, pass: &Pass) -> u64 {
    let halves = |count| count * bytes(plan, band, Store::Mosaic) / 2;
    match pass.touches {
        Some(count) if pass.over == Over::Color => halves(count) + bytes(plan, band, Store::Color),
        Some(count) => halves(count),
        // What is not kept apart stands for what it is.
        None => pass.binds.iter().map(|bind| bytes(plan, band, kept(plan, bind.store()))).sum(),
    }
}

/// The buffer that stands for one: without a vertical pass, the colour for the rows after it.
fn kept(plan: &Plan, store: Store) -> Store {
    if store == Store::Down && plan.taps[1].is_copy() { Store::Color } else { store }
}

/// Bytes of a buffer on a band; of what does not depend on the band, none.
pub(super) fn bytes(plan: &Plan, band: &Band, store: Store) -> u64 {
    let pixels = |[columns, rows]: [u32; 2]| u64::from(columns) * u64::from(rows);
    let sites = |planes: usize| 4 * planes as u64 * pixels(window(plan, band));
    match store {
        // With room to read whole words past the end.
        Store::Raw => {
            (plan.row_bytes() as u64 * band.input_rows.len() as u64).next_multiple_of(4) + 8
        }
        Store::Mosaic | Store::Sensor => sites(1),
        Store::Work(i) => sites(debayers::of(plan).planes[i]),
        Store::Color => 12 * pixels(extent(plan, band, Over::Color)),
        Store::Down => 12 * pixels(extent(plan, band, Over::Lines)),
        Store::Halves => 12 * pixels(extent(plan, band, Over::Halves)),
        Store::Tables | Store::Taps(_) | Store::Beyond | Store::Colors(_) => 0,
    }
}

/// The buffers of a plan whose size depends on the band.
pub(super) fn stores(plan: &Plan) -> Vec<Store> {
    let mut stores: Vec<Store> = Vec::new();
    for bind in of(plan).iter().flat_map(|pass| pass.binds) {
        let store = match bind.store() {
            // Rows that are only moved stay where they are.
            Store::Down if plan.taps[1].is_copy() => continue,
            Store::Tables | Store::Taps(_) | Store::Beyond | Store::Colors(_) => continue,
            store => store,
        };
        if !stores.contains(&store) {
            stores.push(store);
        }
    }
    stores
}

/// Bytes of the largest buffer of a band.
pub(crate) fn largest(plan: &Plan, band: &Band) -> u64 {
    stores(plan).into_iter().map(|store| bytes(plan, band, store)).fold(0, u64::max)
}

/// The fewest bands of which no buffer is larger than `limit` bytes.
///
/// # Errors
/// [`Code::GpuFailed`] when not even one row fits.
pub(crate) fn bands_within(plan: &Plan, limit: u64) -> Outcome<Vec<Band>> {
    let lines = plan.content_size()[1];
    let fits = |lines: Range<usize>| largest(plan, &plan.band(lines)) <= limit;
    let mut bands = Vec::new();
    let mut from = 0;
    while from < lines {
        // Buffers only grow with the number of rows, so the largest number that fits can be bisected.
        let (mut least, mut most) = (0, lines - from);
        while least < most {
            let middle = (least + most).div_ceil(2);
            if fits(from..from + middle) { least = middle } else { most = middle - 1 }
        }
        if least == 0 {
            let bytes = largest(plan, &plan.band(from..from + 1));
            let message = format!(
                "one delivered row needs a buffer of {bytes} bytes, the GPU binds {limit} at most"
            );
            return Err(Fault::new(Code::GpuFailed, message));
        }
        bands.push(plan.band(from..from + least));
        from += least;
    }
    Ok(bands)
}

#[cfg(test)]
#[path = "passes_tests.rs"]
mod tests;
