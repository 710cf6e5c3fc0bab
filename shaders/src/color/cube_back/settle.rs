//! From a place in a cube's tetrahedra to the one where trilinear
//! interpolation has the value: Newton's steps. Where they find none, because
//! the cube does not have it, the first place stays.

use super::{CubeBack, LEAST_VOLUME, cross, dot, minus, size};

/// Steps; each squares what is left.
const STEPS: usize = 6;
/// How near to a value that of a place is that has it.
const HELD: f32 = 1e-5;

/// A value, and by how much it changes an entry farther along each axis.
type Slope = ([f32; 3], [[f32; 3]; 3]);

impl CubeBack {
    /// A place, in entries of the cube, moved to where the trilinear cube has `value`.
    pub(super) fn settle(&self, start: [f32; 3], value: [f32; 3]) -> [f32; 3] {
        let last = self.numbers[7];
        let (mut best, mut place) = (start, start);
        let (at, mut slopes) = self.slope(place);
        let mut rest = minus(value, at);
        let mut miss = size(rest);
        for _ in 0..STEPS {
            // Nothing comes nearer.
            if miss == 0.0 {
                break;
            }
            let Some(step) = newton(&slopes, rest) else { break };
            place = [0, 1, 2].map(|i| (place[i] + step[i]).max(0.0).min(last));
            let (at, here) = self.slope(place);
            (rest, slopes) = (minus(value, at), here);
            if size(rest) < miss {
                (best, miss) = (place, size(rest));
            }
        }
        if miss <= HELD { best } else { start }
    }

    /// The trilinear cube at a place.
    fn slope(&self, place: [f32; 3]) -> Slope {
        // Around the entries lies the shell.
        let cell = place.map(|v| (v as usize).min(self.side - 4));
        let part = [0, 1, 2].map(|i| place[i] - cell[i] as f32);
        let corner = |r: usize, g: usize, b: usize| {
            self.entry([cell[0] + r + 1, cell[1] + g + 1, cell[2] + b + 1])
        };
        // Along red, then green, then blue; each with what it changes by.
        let edge = |g: usize, b: usize| {
            let (low, high) = (corner(0, g, b), corner(1, g, b));
            (along(low, high, part[0]), minus(high, low))
        };
        let face = |b: usize| {
            let ((low, low_red), (high, high_red)) = (edge(0, b), edge(1, b));
            (along(low, high, part[1]), along(low_red, high_red, part[1]), minus(high, low))
        };
        let ((low, low_red, low_green), (high, high_red, high_green)) = (face(0), face(1));
        let red = along(low_red, high_red, part[2]);
        let green = along(low_green, high_green, part[2]);
        (along(low, high, part[2]), [red, green, minus(high, low)])
    }
}

fn along(a: [f32; 3], b: [f32; 3], part: f32) -> [f32; 3] {
    [0, 1, 2].map(|i| a[i] + (b[i] - a[i]) * part)
}

/// How far to go for what is left, an entry of each axis at most; nothing where the slopes are flat.
fn newton(slopes: &[[f32; 3]; 3], rest: [f32; 3]) -> Option<[f32; 3]> {
    let [red, green, blue] = *slopes;
    let across = [cross(green, blue), cross(blue, red), cross(red, green)];
    let volume = dot(red, across[0]);
    if volume.abs() < LEAST_VOLUME {
        return None;
    }
    Some(across.map(|a| (dot(rest, a) / volume).clamp(-1.0, 1.0)))
}
