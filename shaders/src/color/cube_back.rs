//! Cubes the other way: the place in a cube that has a value.
//!
//! Between its entries a cube is made of tetrahedra, on each of which it is
//! linear, so that the way back is a search for the one that holds the value;
//! boxes around cells, and around blocks of two, four, eight ... cells on a
//! side, narrow it down. Around the cube lies a shell of entries that are four
//! times as far from the middle as the outermost ones: what the cube does not
//! reach finds its place there, the one nearest to the cube is taken and moved
//! into it. Where a value has several places in the cube (which is folded or
//! cut off), the first is taken. What even the shell does not hold, around a
//! cube that is folded or of few values, gets the place in the cube that comes
//! nearest to it. In a cube that asks for trilinear interpolation the place is
//! then moved to where that has the value (`settle.rs`).

mod settle;

use platefarm_model::color::chain::Lut3d;

/// Most blocks of blocks.
const LEVELS: usize = 9;
/// Numbers before the entries: first inputs, inputs per entry, entries along
/// an edge with the shell, the last of the cube, bounds of values; then where each level begins.
const HEAD: usize = 10 + LEVELS;
/// Most boxes that wait to be looked at: each level takes one away and puts eight there, so 7 a
/// level and one.
const WAITING: usize = 72;
const _: () = assert!(7 * LEVELS < WAITING);
/// Numbers of a level of boxes begin at multiples of this.
const UNIT: usize = 256;
/// How far a value may lie outside of a box or a tetrahedron that holds it, for want of digits.
const SLACK: f32 = 2e-6;
/// More than any place in the shell is moved, in entries.
const FAR: f32 = 2.0;
/// Tetrahedra of less are flat.
const LEAST_VOLUME: f32 = 1e-30;
/// How often a place is corrected by what it leaves.
const ROUNDS: usize = 2;
/// How much farther the shell is from the middle.
const SHELL: f32 = 4.0;

/// Axes of the path from the low corner of a cell to the high one, for each of its tetrahedra.
const PATHS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// A cube made ready for the way back. The shader reads the same numbers.
#[derive(Clone, Debug)]
pub struct CubeBack {
    numbers: Vec<f32>,
    /// Entries along an edge, with the shell.
    side: usize,
    levels: usize,
    /// Where each level of boxes begins; six numbers a box.
    at: [usize; LEVELS],
    /// Whether between entries it is trilinear.
    trilinear: bool,
}

impl CubeBack {
    /// Takes a cube as a chain has it.
    #[must_use]
    pub fn new(lut: &Lut3d) -> Self {
        let (size, side) = (lut.size, lut.size + 2);
        let [first, last] = lut.domain;
        let mut numbers = vec![0.0; HEAD];
        for i in 0..3 {
            numbers[i] = first[i] as f32;
            numbers[3 + i] = ((last[i] - first[i]) / (size - 1) as f64) as f32;
        }
        numbers[6] = side as f32;
        numbers[7] = (size - 1) as f32;
        // What is asked for is held between 0 and 1, as OpenColorIO does.
        numbers[9] = 1.0;
        for place in 0..side * side * side {
            let place = [place / side / side, place / side % side, place % side];
            let [r, g, b] = place.map(|i| i.clamp(1, size) - 1);
            let shell = place.iter().any(|i| *i == 0 || *i == size + 1);
            let entry = &lut.values[((r * size + g) * size + b) * 3..][..3];
            numbers.extend(entry.iter().map(|v| if shell { (v - 0.5) * SHELL + 0.5 } else { *v }));
        }
        let trilinear = !lut.tetrahedral;
        let mut back = Self { numbers, side, levels: 0, at: [0; LEVELS], trilinear };
        back.build();
        for (level, at) in back.at.into_iter().enumerate() {
            back.numbers[10 + level] = (at / UNIT) as f32;
        }
        back
    }

    /// Boxes of every level, up to the one around everything.
    fn build(&mut self) {
        let mut count = self.side - 1;
        loop {
            // Where a level begins is told in units that single precision can count.
            self.numbers.resize(self.numbers.len().next_multiple_of(UNIT), 0.0);
            self.at[self.levels] = self.numbers.len();
            for i in 0..count * count * count {
                let place = [i / count / count, i / count % count, i % count];
                let (low, high) = self.extent(place);
                self.numbers.extend(low);
                self.numbers.extend(high);
            }
            self.levels += 1;
            if count == 1 || self.levels == LEVELS {
                return;
            }
            count = count.div_ceil(2);
        }
    }

    /// Least and most of what a box of the level that is being built holds.
    fn extent(&self, place: [usize; 3]) -> ([f32; 3], [f32; 3]) {
        let (mut low, mut high) = ([f32::MAX; 3], [f32::MIN; 3]);
        let mut take = |least: &[f32], most: &[f32]| {
            for c in 0..3 {
                low[c] = low[c].min(least[c]);
                high[c] = high[c].max(most[c]);
            }
        };
        for corner in 0..8 {
            let step = [corner >> 2, corner >> 1 & 1, corner & 1];
            if self.levels == 0 {
                let entry = self.entry([0, 1, 2].map(|i| place[i] + step[i]));
                take(&entry, &entry);
            } else {
                let below = self.count(self.levels - 1);
                let inner = [0, 1, 2].map(|i| 2 * place[i] + step[i]);
                if inner.iter().all(|i| *i < below) {
                    let at = self.at_box(self.levels - 1, inner);
                    take(&self.numbers[at..at + 3], &self.numbers[at + 3..at + 6]);
                }
            }
        }
        (low, high)
    }

    /// Boxes along an edge of a level.
    fn count(&self, level: usize) -> usize {
        (self.side - 1).div_ceil(1 << level)
    }

    fn at_box(&self, level: usize, [x, y, z]: [usize; 3]) -> usize {
        let count = self.count(level);
        self.at[level] + 6 * ((x * count + y) * count + z)
    }

    fn entry(&self, [x, y, z]: [usize; 3]) -> [f32; 3] {
        let at = HEAD + 3 * ((x * self.side + y) * self.side + z);
        [self.numbers[at], self.numbers[at + 1], self.numbers[at + 2]]
    }

    /// What the shader reads.
    pub(super) fn numbers(&self) -> &[f32] {
        &self.numbers
    }

    /// Whether between entries it is trilinear.
    pub(super) const fn is_trilinear(&self) -> bool {
        self.trilinear
    }

    /// Replaces a value by its place.
    #[must_use]
    pub fn apply(&self, rgb: [f32; 3]) -> [f32; 3] {
        let value = rgb.map(|v| v.max(self.numbers[8]).min(self.numbers[9]));
        let mut best = (f32::MAX, [0.0; 3]);
        // What no tetrahedron holds gets the place that comes nearest to it.
        for nearest in [false, true] {
            if best.0 >= FAR {
                best = self.search(value, nearest, best);
            }
        }
        let last = self.numbers[7];
        let mut place = best.1.map(|place| (place - 1.0).max(0.0).min(last));
        if self.trilinear {
            place = self.settle(place, value);
        }
        [0, 1, 2].map(|i| place[i] * self.numbers[3 + i] + self.numbers[i])
    }

    /// Goes through the boxes that hold a value, or that may come nearer to it than the best so far.
    fn search(&self, value: [f32; 3], nearest: bool, mut best: Found) -> Found {
        // Level and place of boxes that are still to be looked at.
        let mut stack = [(0, [0; 3]); WAITING];
        stack[0] = (self.levels - 1, [0; 3]);
        let mut count = 1;
        while count > 0 {
            count -= 1;
            let (level, place) = stack[count];
            let at = self.at_box(level, place);
            let reach = if nearest { best.0 - FAR } else { SLACK };
            let inside = |c: usize| {
                self.numbers[at + c] - reach <= value[c]
                    && value[c] <= self.numbers[at + 3 + c] + reach
            };
            if !(inside(0) && inside(1) && inside(2)) {
                continue;
            }
            if level == 0 {
                best = self.within(place, value, best);
                if best.0 <= SLACK {
                    break;
                }
                continue;
            }
            // The last is looked at first.
            for corner in (0..8).rev() {
                let step = [corner >> 2, corner >> 1 & 1, corner & 1];
                let inner = [0, 1, 2].map(|i| 2 * place[i] + step[i]);
                if inner.iter().all(|i| *i < self.count(level - 1)) {
                    stack[count] = (level - 1, inner);
                    count += 1;
                }
            }
        }
        best
    }

    /// The tetrahedron of a cell that holds a value best, if it does better than another.
    fn within(&self, cell: [usize; 3], value: [f32; 3], mut best: Found) -> Found {
        let origin = self.entry(cell);
        let d = minus(value, origin);
        let shell = cell.iter().any(|i| *i == 0 || *i == self.side - 2);
        for path in PATHS {
            let mut corner = cell;
            let mut at = origin;
            let edges = path.map(|axis| {
                corner[axis] += 1;
                let next = self.entry(corner);
                let edge = minus(next, at);
                at = next;
                edge
            });
            let Some((parts, holds)) = solve(&edges, d) else { continue };
            let place = |parts: [f32; 3]| {
                let mut place = cell.map(|i| i as f32);
                for (axis, part) in path.into_iter().zip(parts) {
                    place[axis] += part;
                }
                place
            };
            // In the shell a place is as bad as it will be moved.
            let end = self.numbers[7] + 1.0;
            let mut found = (0.0, place(parts));
            if holds {
                let [x, y, z] = found.1.map(|p| (1.0 - p).max(p - end));
                found.0 = x.max(y).max(z);
            } else if shell {
                continue;
            } else {
                let [a, b, c] = parts.map(|part| part.clamp(0.0, 1.0));
                let held = [a, b.min(a), c.min(b).min(a)];
                found = (FAR + size(left(&edges, d, held)), place(held));
            }
            if found.0 < best.0 {
                best = found;
            }
        }
        best
    }
}

/// How bad a place is, and the place.
type Found = (f32, [f32; 3]);

/// Parts of the way along each edge of a tetrahedron to a value, and whether
/// the tetrahedron holds it; they may not grow then. Nothing of a flat one.
fn solve(edges: &[[f32; 3]; 3], d: [f32; 3]) -> Option<([f32; 3], bool)> {
    let [first, second, third] = *edges;
    let across = [cross(second, third), cross(third, first), cross(first, second)];
    let volume = dot(first, across[0]);
    if volume.abs() < LEAST_VOLUME {
        return None;
    }
    let mut parts = across.map(|a| dot(d, a) / volume);
    if outside(parts) > 1.0 {
        return Some((parts, false));
    }
    // A tetrahedron that is nearly flat needs what the first try left.
    let mut rest = left(edges, d, parts);
    for _ in 0..ROUNDS {
        let more = across.map(|a| dot(rest, a) / volume);
        parts = [parts[0] + more[0], parts[1] + more[1], parts[2] + more[2]];
        rest = left(edges, d, parts);
    }
    Some((parts, outside(parts) <= SLACK && size(rest) <= 2.0 * SLACK))
}

/// How far outside of its tetrahedron a place is, in parts of its edges.
fn outside([a, b, c]: [f32; 3]) -> f32 {
    (a - 1.0).max(b - a).max(c - b).max(-c)
}

/// What is left of the way to a value.
fn left(edges: &[[f32; 3]; 3], d: [f32; 3], [a, b, c]: [f32; 3]) -> [f32; 3] {
    [0, 1, 2].map(|i| ((d[i] - edges[0][i] * a) - edges[1][i] * b) - edges[2][i] * c)
}

fn size([x, y, z]: [f32; 3]) -> f32 {
    x.abs().max(y.abs()).max(z.abs())
}

fn minus(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    (a[0] * b[0] + a[1] * b[1]) + a[2] * b[2]
}

fn cross(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}
