//! The debayers as passes: which steps, over what, with which planes of work.
//!
//! The arithmetic stands with the operation; here it is only laid out. A
//! shader of several entry points is one text for all of them.

use super::passes::{Bind, Over, Pass, Side, Store};
use crate::exec::plan::{Input, Plan};
use Bind::{Read, Write};
use platefarm_model::recipe::Debayer;

/// A debayer on a device.
pub(super) struct OnDevice {
    /// From stored bytes to its mosaic.
    pub(super) mosaic: [&'static Pass; 1],
    /// The same, with photosites mended on the way.
    pub(super) mended: [&'static Pass; 2],
    /// From its mosaic to ACES2065-1.
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
const SENSOR_BINDS: &[Bind] =
    &[Read(Store::Raw), Read(Store::Tables), Write(Store::Sensor), Write(Store::Beyond)];

/// What a debayer works with, of a photosite in linear light: itself.
macro_rules! linear {
    () => {
        "fn working(value: f32) -> f32 { return value; }\n"
    };
}

macro_rules! rcd_working {
    () => {
        "fn working(value: f32) -> f32 { return rounded(encode(value)) + 0.1f; }\n"
    };
}

macro_rules! ri_working {
    () => {
        "fn working(value: f32) -> f32 { return encode(value); }\n"
    };
}

/// Stored bytes to a mosaic, and each photosite into what the debayer works with.
macro_rules! mosaic {
    ($name:literal, $working:expr, $binds:expr) => {
        &Pass {
            name: $name,
            ops: &["unpack", "finite", "levels", "white_balance"],
            frame: concat!(
                include_str!("../../ops/debayer_ri/encode.wgsl"),
                $working,
                include_str!("mosaic.wgsl")
            ),
            entry: "main",
            binds: $binds,
            over: Over::Sites(0),
            touches: None,
            colors: None,
        }
    };
}

/// The mosaic as it is sensed to the mended one, in what the debayer works with.
macro_rules! repair {
    ($name:literal, $working:expr) => {
        &Pass {
            name: $name,
            ops: &["hot_pixels", "highlights"],
            frame: concat!(
                include_str!("../../ops/debayer_ri/encode.wgsl"),
                $working,
                include_str!("repair.wgsl")
            ),
            entry: "main",
            binds: &[Read(Store::Sensor), Write(Store::Mosaic)],
            over: Over::Sites(2),
            touches: None,
            colors: None,
        }
    };
}

/// One step of a debayer of several, and how many halves of planes it touches.
macro_rules! step {
    ($name:literal, $op:literal, $frame:literal, $entry:literal, $binds:expr, $over:expr, $touches:literal) => {
        &Pass {
            name: $name,
            ops: &[$op, "matrix"],
            frame: concat!(include_str!("window.wgsl"), include_str!($frame)),
            entry: $entry,
            binds: $binds,
            over: $over,
            touches: Some($touches),
            // The step that makes pixels.
            colors: if matches!($over, Over::Color) { Some(Side::Before) } else { None },
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
                "fn mhc_clip(color: u32) -> f32 { return params.clips[color]; }\n",
                "fn debayered(x: i32, y: i32, size: vec2<i32>, red: vec2<i32>) -> vec3<f32> { return ",
                $function,
                "(x, y, size, red); }\n",
                include_str!("color.wgsl")
            ),
            entry: "main",
            binds: &[Read(Store::Mosaic), Write(Store::Color)],
            over: Over::Color,
            touches: None,
            colors: Some(Side::Before),
        }
    };
}

/// The mosaic of those that work in linear light.
static LINEAR: &Pass = mosaic!("mosaic", linear!(), MOSAIC_BINDS);
/// What is mended, in linear light.
static SENSOR: &Pass = mosaic!("sensor", linear!(), SENSOR_BINDS);
static REPAIR: &Pass = repair!("repair", linear!());

static MHC: OnDevice = OnDevice {
    mosaic: [LINEAR],
    mended: [SENSOR, REPAIR],
    passes: &[color!("mhc color", "debayer_mhc", "debayer_mhc")],
    planes: &[],
};

static SUPERPIXEL: OnDevice = OnDevice {
    mosaic: [LINEAR],
    mended: [SENSOR, REPAIR],
    passes: &[color!("superpixel color", "superpixel", "superpixel")],
    planes: &[],
};

const RCD_BINDS: &[Bind] =
    &[Read(Store::Mosaic), Write(Store::Work(0)), Write(Store::Work(1)), Write(Store::Color)];

macro_rules! rcd {
    ($name:literal, $entry:literal, $over:expr, $touches:literal) => {
        step!($name, "debayer_rcd", "rcd.wgsl", $entry, RCD_BINDS, $over, $touches)
    };
}

static RCD: OnDevice = OnDevice {
    mosaic: [mosaic!("rcd mosaic", rcd_working!(), MOSAIC_BINDS)],
    mended: [SENSOR, repair!("rcd repair", rcd_working!())],
    passes: &[
        rcd!("rcd guess", "guess", Over::Sites(3), 6),
        rcd!("rcd green", "green", Over::Colored(7), 7),
        rcd!("rcd opposite", "opposite", Over::Colored(9), 4),
        rcd!("rcd pixels", "pixels", Over::Color, 4),
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
    ($name:literal, $entry:literal, $over:expr, $touches:literal) => {
        step!($name, "debayer_ri", "ri.wgsl", $entry, RI_BINDS, $over, $touches)
    };
}

static RI: OnDevice = OnDevice {
    mosaic: [mosaic!("ri mosaic", ri_working!(), MOSAIC_BINDS)],
    mended: [SENSOR, repair!("ri repair", ri_working!())],
    passes: &[
        ri!("ri detail", "detail", Over::Sites(9), 20),
        ri!("ri weigh", "weigh", Over::Sites(11), 8),
        ri!("ri guess", "guess", Over::Colored(13), 14),
        ri!("ri green", "green", Over::Colored(15), 6),
        ri!("ri laplace", "laplace", Over::Colored(17), 4),
        ri!("ri fit", "fit", Over::Colored(21), 3),
        ri!("ri smooth lines", "smooth_lines", Over::Colored(25), 5),
        ri!("ri other", "other", Over::Colored(26), 8),
        ri!("ri pixels", "pixels", Over::Color, 10),
    ],
    planes: &[4, 4, 4, 2],
};
