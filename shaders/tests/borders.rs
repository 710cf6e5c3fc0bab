//! The debayers at the frame's borders: where half of what they look at is
//! mirrored, pixels may not be much worse than they are elsewhere, nor
//! alternate from one to the next (a zipper).
//!
//! A photograph is debayered whole, and again as if it ended in its middle:
//! the same pixels, once inside and once at a border. That bands have no
//! borders at all, to the bit, is tested beside the executors.

use platefarm_model::raw::Bayer;
use platefarm_shaders::debayer::{FORMS, Form, Mosaic};

const SIDE: usize = 128;
/// Where the photograph is cut: even, so that the pattern stays.
const CUT: [usize; 2] = [30, 98];
/// Pixels that count as border.
const BORDER: usize = 4;

/// How many times worse a border may be than the same pixels inside.
const MOST: f64 = 1.23;

type Planes = [Vec<f32>; 3];

/// See the README beside the fixture.
fn photographs() -> Vec<Planes> {
    let bytes = include_bytes!("fixtures/photographs.f16");
    let values: Vec<f32> =
        bytes.as_chunks::<2>().0.iter().map(|b| half::f16::from_le_bytes(*b).to_f32()).collect();
    let planes: Vec<Vec<f32>> = values.chunks_exact(SIDE * SIDE).map(<[f32]>::to_vec).collect();
    planes.as_chunks::<3>().0.to_vec()
}

/// The window of a picture that begins at `from` and ends before `to`, on both axes.
fn window(planes: &Planes, [from, to]: [usize; 2]) -> Planes {
    planes.each_ref().map(|plane| {
        (from..to).flat_map(|y| plane[y * SIDE + from..y * SIDE + to].to_vec()).collect()
    })
}

fn debayer(form: &Form, planes: &Planes, side: usize, bayer: Bayer) -> Planes {
    let color = |y: usize, x: usize| bayer.color(y as u32, x as u32) as usize;
    let site = |i: usize| planes[color(i / side, i % side)][i];
    let sites = (0..side * side).map(site).collect();
    form.picture(&Mosaic { width: side, height: side, bayer, sites }).planes
}

/// About what is seen.
fn seen(v: f32) -> f64 {
    f64::from(v.max(0.0)).sqrt()
}

/// Errors of a picture of the cut's size at its border, as seen: their root
/// mean square, and the part of it that alternates from pixel to pixel along the border.
fn errors(got: &Planes, truth: &Planes) -> [f64; 2] {
    let side = CUT[1] - CUT[0];
    let (mut all, mut zipper, mut count) = (0.0, 0.0, 0.0);
    for (got, truth) in got.iter().zip(truth) {
        let error = |x: usize, y: usize| seen(got[y * side + x]) - seen(truth[y * side + x]);
        for depth in (0..BORDER).chain(side - BORDER..side) {
            for along in 1..side - 1 {
                for place in [|a: usize, d: usize| [a, d], |a: usize, d: usize| [d, a]] {
                    let [before, here, behind] = [along - 1, along, along + 1]
                        .map(|a| place(a, depth))
                        .map(|[x, y]| error(x, y));
                    all += here * here;
                    zipper += (here - 0.5 * (before + behind)).powi(2);
                    count += 1.0;
                }
            }
        }
    }
    [all, zipper].map(|sum: f64| (sum / count).sqrt())
}

#[test]
fn borders_are_about_as_good_as_the_middle_and_have_no_zipper() {
    let side = CUT[1] - CUT[0];
    for form in FORMS.iter().filter(|form| !form.halves) {
        let (mut border, mut inside) = ([0.0_f64; 2], [0.0_f64; 2]);
        for planes in photographs() {
            let truth = window(&planes, CUT);
            for bayer in [Bayer::Rggb, Bayer::Grbg, Bayer::Gbrg, Bayer::Bggr] {
                let whole = window(&debayer(form, &planes, SIDE, bayer), CUT);
                let cut = debayer(form, &truth, side, bayer);
                for i in 0..2 {
                    border[i] += errors(&cut, &truth)[i].powi(2);
                    inside[i] += errors(&whole, &truth)[i].powi(2);
                }
            }
        }
        let [worse, zipper] = [0, 1].map(|i| (border[i] / inside[i]).sqrt());
        println!("{}: error {worse:.3}, zipper {zipper:.3} times those inside", form.name);
        assert!(worse < MOST && zipper < MOST, "{}: {worse:.3}, {zipper:.3}", form.name);
    }
}

/// The negative control: zeroes beyond the border instead of its mirror image are noticed.
#[test]
fn a_border_that_is_made_of_nothing_is_noticed() {
    let side = CUT[1] - CUT[0];
    let planes = &photographs()[0];
    let truth = window(planes, CUT);
    let dark = planes.each_ref().map(|plane| {
        let inside = |v: usize| (CUT[0]..CUT[1]).contains(&v);
        let keep = |i: usize| inside(i % SIDE) && inside(i / SIDE);
        (0..SIDE * SIDE).map(|i| if keep(i) { plane[i] } else { 0.0 }).collect::<Vec<f32>>()
    });
    for form in FORMS.iter().filter(|form| !form.halves) {
        let good = errors(&debayer(form, &truth, side, Bayer::Rggb), &truth);
        let bad = errors(&window(&debayer(form, &dark, SIDE, Bayer::Rggb), CUT), &truth);
        assert!(bad[1] > MOST * good[1], "{}: {good:?} and {bad:?}", form.name);
    }
}
