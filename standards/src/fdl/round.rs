//! How a length becomes whole: the specification's rounding, and what is done
//! about the noise of the arithmetic before it.

use super::model::{Even, RoundMode, Rounding};

/// What is done about a value that is whole but for noise of the arithmetic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Snap {
    /// A value within 1e-6 of a whole number is that number before it is
    /// rounded. `w * (3840 / w)` is not always 3840, and rounding up or down
    /// would make it 3842 or 3838.
    #[default]
    Near,
    /// Values are rounded as they are, for comparison with software that does so.
    Strict,
}

impl Snap {
    pub(super) fn of(self, value: f64) -> f64 {
        let whole = value.round();
        if self == Self::Near && (value - whole).abs() < 1e-6 { whole } else { value }
    }
}

impl Rounding {
    /// The specification's rounding where a template has none (7.4.12).
    pub const DEFAULT: Self = Self { even: Even::Even, mode: RoundMode::Up };
    /// What the released library 1.0.2 takes instead.
    pub const DEFAULT_V1_0_2: Self = Self { even: Even::Whole, mode: RoundMode::Round };

    /// `value` made whole. `round` takes ties to even; an odd number that must
    /// be even goes up, down, or to the nearer of its neighbours, up on a tie.
    #[must_use]
    pub fn round(self, value: f64, snap: Snap) -> f64 {
        let size = snap.of(value.abs());
        let whole = match self.mode {
            RoundMode::Up => size.ceil(),
            RoundMode::Down => size.floor(),
            RoundMode::Round => size.round_ties_even(),
        };
        let rounded = if self.even == Even::Whole || whole % 2.0 == 0.0 {
            whole
        } else {
            let (below, above) = (whole - 1.0, whole + 1.0);
            match self.mode {
                RoundMode::Up => above,
                RoundMode::Down => below,
                RoundMode::Round if size - below < above - size => below,
                RoundMode::Round => above,
            }
        };
        rounded.copysign(value)
    }

    pub(super) fn both(self, value: [f64; 2], snap: Snap) -> [f64; 2] {
        value.map(|v| self.round(v, snap))
    }
}
