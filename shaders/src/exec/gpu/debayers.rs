//! The debayers as passes: which steps, over what, with which planes of work.
//!
//! The arithmetic stands with the operation; here it is only laid out. A
//! shader of several entry points is one text for all of them.

use super::passes::{Bind, Over, Pass, Store};
use crate::exec::plan::{Input, Plan};
use Bind::{Read, Write};
use platefarm_model::recipe::Debayer;

/// A debayer on a device.
pub(super) struct OnDevice {
    /// From stored bytes to ACES2065-1.
    pub(super) passes: &'static [&'static Pass],
    /// Planes of each of its buffers of work.
    pub(super) planes: &'static [usize],
}

/// The debayer of a plan of sensor data.
pub(super) fn of(plan: &Plan) -> &'static OnDevice {
    match &plan.input {
        Input::Mosaic(mosaic) => match mosaic.debayer {
            Debayer::Ri => &RI,
            Debayer::Rcd => &RCD,
            Debayer::Mhc => &MHC,
            Debayer::Superpixel => &SUPERPIXEL,
        },
        // It has none; nobody asks.
        Input::Rgb(_) => &MHC,
    }
}

/// Every debayer.
#[cfg(test)]
pub(super) static ALL: &[&OnDevice] = &[&RI, &RCD, &MHC, &SUPERPIXEL];

const MOSAIC_BINDS: &[Bind] =
    &[Read(Store::Raw), Read(Store::Tables), Write(Store::Mosaic), Write(Store::Beyond)];

/// Stored bytes to a mosaic, and each photosite into what the debayer works with.
macro_rules! mosaic {
    ($name:literal, $working:expr) => {
        &Pass {
            name: $name,
            ops: &["unpack", "finite", "levels", "white_balance"],
            frame: concat!(
                include_str!("../../ops/debayer_ri/encode.wgsl"),
                $working,
                include_str!("mosaic.wgsl")
            ),
            entry: "main",
            binds: MOSAIC_BINDS,
            over: Over::Sites(0),
        }
    };
}

/// One step of a debayer of several.
macro_rules! step {
    ($name:literal, $op:literal, $frame:literal, $entry:literal, $binds:expr, $over:expr) => {
        &Pass {
            name: $name,
            ops: &[$op, "matrix"],
            frame: concat!(include_str!("window.wgsl"), include_str!($frame)),
            entry: $entry,
            binds: $binds,
            over: $over,
        }
    };
}

/// A debayer of one step that looks at the mosaic.
macro_rules! color {
    ($name:literal, $op:literal, $function:literal) => {
        &Pass {
            name: $name,
            ops: &[$op, "matrix"],
            frame: concat!(
                "fn debayered(x: i32, y: i32, size: vec2<i32>, red: vec2<i32>) -> vec3<f32> { return ",
                $function,
                "(x, y, size, red); }\n",
                include_str!("color.wgsl")
            ),
            entry: "main",
            binds: &[Read(Store::Mosaic), Write(Store::Color)],
            over: Over::Color,
        }
    };
}

/// The mosaic of those that work in linear light.
static LINEAR: &Pass = mosaic!("mosaic", "fn working(value: f32) -> f32 { return value; }\n");

static MHC: OnDevice =
    OnDevice { passes: &[LINEAR, color!("mhc color", "debayer_mhc", "debayer_mhc")], planes: &[] };

static SUPERPIXEL: OnDevice = OnDevice {
    passes: &[LINEAR, color!("superpixel color", "superpixel", "superpixel")],
    planes: &[],
};

const RCD_BINDS: &[Bind] =
    &[Read(Store::Mosaic), Write(Store::Work(0)), Write(Store::Work(1)), Write(Store::Color)];

macro_rules! rcd {
    ($name:literal, $entry:literal, $over:expr) => {
        step!($name, "debayer_rcd", "rcd.wgsl", $entry, RCD_BINDS, $over)
    };
}

static RCD: OnDevice = OnDevice {
    passes: &[
        mosaic!(
            "rcd mosaic",
            "fn working(value: f32) -> f32 { return rounded(encode(value)) + 0.1f; }\n"
        ),
        rcd!("rcd guess", "guess", Over::Sites(3)),
        rcd!("rcd green", "green", Over::Colored(7)),
        rcd!("rcd opposite", "opposite", Over::Colored(9)),
        rcd!("rcd pixels", "pixels", Over::Color),
    ],
    planes: &[2, 2],
};

const RI_BINDS: &[Bind] = &[
    Read(Store::Mosaic),
    Write(Store::Work(0)),
    Write(Store::Work(1)),
    Write(Store::Work(2)),
    Write(Store::Work(3)),
    Write(Store::Color),
];

macro_rules! ri {
    ($name:literal, $entry:literal, $over:expr) => {
        step!($name, "debayer_ri", "ri.wgsl", $entry, RI_BINDS, $over)
    };
}

static RI: OnDevice = OnDevice {
    passes: &[
        mosaic!("ri mosaic", "fn working(value: f32) -> f32 { return encode(value); }\n"),
        ri!("ri detail", "detail", Over::Sites(9)),
        ri!("ri weigh", "weigh", Over::Sites(11)),
        ri!("ri green", "green", Over::Colored(13)),
        ri!("ri laplace", "laplace", Over::Colored(15)),
        ri!("ri fit", "fit", Over::Colored(19)),
        ri!("ri smooth lines", "smooth_lines", Over::Colored(23)),
        ri!("ri other", "other", Over::Colored(24)),
        ri!("ri pixels", "pixels", Over::Color),
    ],
    planes: &[3, 3, 3, 2],
};
