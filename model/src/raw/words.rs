//! How rasters and samples are called in messages that people read.

use super::{Packing, Rect, RgbSamples};
use std::fmt;

impl fmt::Display for Rect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{} at {}, {}", self.width, self.height, self.x, self.y)
    }
}

impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::U8 => "8-bit",
            Self::U16Le => "16-bit little-endian",
            Self::U16Be => "16-bit big-endian",
            Self::Msb10 => "packed 10-bit",
            Self::Msb12 => "packed 12-bit",
            Self::Msb14 => "packed 14-bit",
            Self::Word10 => "10-bit in 16-bit words",
            Self::Word12 => "12-bit in 16-bit words",
            Self::Word14 => "14-bit in 16-bit words",
            Self::Lsb12 => "12-bit with the lowest bit first",
            Self::Arri12 => "12-bit in swapped pairs",
            Self::F32Le => "float",
        })
    }
}

impl fmt::Display for RgbSamples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::U16 => "16-bit",
            Self::F16 => "half",
            Self::F32 => "float",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rectangle_is_said_as_size_and_place() {
        let rect = Rect { x: 12, y: 8, width: 2868, height: 1618 };
        assert_eq!(rect.to_string(), "2868x1618 at 12, 8");
    }
}
