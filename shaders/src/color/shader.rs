//! A plan's steps as the text of one shader function, put together from the
//! texts of the families of steps, and the numbers that it reads.
//!
//! Numbers are never written into the text: chains of one shape share a
//! compiled pipeline, and no compiler computes with them beforehand.

use super::plan::Step;
use std::fmt::Write;

/// Texts that steps are made of, each after those that it needs.
const MATH: &str = include_str!("math.wgsl");
const CURVE: &str = include_str!("curve.wgsl");
const STEP: &str = include_str!("step.wgsl");
const LUT: &str = include_str!("lut.wgsl");
const CUBE_BACK: &str = include_str!("cube_back.wgsl");
const ACES1: &str = include_str!("aces1.wgsl");
const ACES2: &str = include_str!("aces2/aces2.wgsl");
const TEXTS: [&str; 7] = [MATH, CURVE, STEP, LUT, CUBE_BACK, ACES1, ACES2];

/// Every text of colour, with its name.
#[cfg(test)]
pub(crate) const NAMED: [(&str, &str); 7] = [
    ("math", MATH),
    ("curve", CURVE),
    ("step", STEP),
    ("lut", LUT),
    ("cube_back", CUBE_BACK),
    ("aces1", ACES1),
    ("aces2", ACES2),
];

/// What a shader without colour has in its place.
pub(crate) const NOTHING: &str = "fn colored(rgb: vec3<f32>) -> vec3<f32> { return rgb; }\n";

/// A plan as a shader.
#[derive(Clone, Debug)]
pub(crate) struct Shader {
    /// `fn colored(rgb: vec3<f32>) -> vec3<f32>` and all that it calls; needs
    /// `EXACT`, the operations [`OPS`](Self::OPS) and `color_numbers`.
    pub(crate) text: String,
    /// What `color_numbers` holds; never empty.
    pub(crate) numbers: Vec<f32>,
}

impl Shader {
    /// Operations whose text it needs.
    pub(crate) const OPS: [&str; 2] = ["finite", "to_half"];

    pub(super) fn new(steps: &[Step]) -> Self {
        let mut body =
            Body { lines: String::new(), numbers: Vec::new(), uses: [false; TEXTS.len()] };
        for step in steps {
            body.step(step);
        }
        if body.numbers.is_empty() {
            body.numbers.push(0.0);
        }
        body.uses[0] = true;
        let texts = TEXTS.iter().zip(body.uses).filter(|(_, used)| *used).map(|(text, _)| *text);
        let mut text: String = texts.collect();
        let _ = write!(
            text,
            "
fn colored(pixel: vec3<f32>) -> vec3<f32> {{
    let bits = bitcast<vec3<u32>>(pixel);
    var rgb = bitcast<vec3<f32>>(vec3<u32>(finite(bits.x), finite(bits.y), finite(bits.z)));
{}    return rgb;
}}
",
            body.lines
        );
        Self { text, numbers: body.numbers }
    }
}

/// The function as far as it is written.
struct Body {
    lines: String,
    numbers: Vec<f32>,
    /// Which of [`TEXTS`] it needs.
    uses: [bool; TEXTS.len()],
}

impl Body {
    /// Takes numbers in; returns where they are.
    fn take(&mut self, numbers: &[f32]) -> usize {
        let at = self.numbers.len();
        self.numbers.extend(numbers);
        at
    }

    fn needs(&mut self, texts: &[&str]) {
        for (used, text) in self.uses.iter_mut().zip(TEXTS) {
            *used |= texts.contains(&text);
        }
    }

    /// A line that puts a pixel through a function.
    fn pixel(&mut self, function: &str, numbers: &[f32]) {
        let at = self.take(numbers);
        let _ = writeln!(self.lines, "    rgb = {function}(rgb, {at}u);");
    }

    /// A line that puts each channel through a function, with its own numbers where they differ.
    fn channels(&mut self, function: &str, numbers: [&[f32]; 3]) {
        let [r, g, b] = numbers;
        let red = self.take(r);
        let green = if g == r { red } else { self.take(g) };
        let blue = if b == r { red } else { self.take(b) };
        let _ = writeln!(
            self.lines,
            "    rgb = vec3<f32>({function}(rgb.x, {red}u), {function}(rgb.y, {green}u), {function}(rgb.z, {blue}u));"
        );
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Mix(mix) => {
                use super::step::Formula;
                self.needs(&[STEP]);
                if matches!(mix.formula, Formula::Sweeten | Formula::Unsweeten) {
                    self.needs(&[ACES1]);
                }
                self.pixel(mix.formula.function(), &mix.numbers);
            }
            Step::Curve(curve) => {
                self.needs(&[CURVE]);
                self.channels(curve.formula.function(), curve.numbers.each_ref().map(|n| &n[..]));
            }
            Step::Tone(tone) => {
                self.needs(&[STEP, ACES1]);
                self.lines.push_str("    rgb = color1_logs(rgb);\n");
                for (numbers, inverse) in tone.numbers() {
                    self.channels(
                        if inverse { "color_untone" } else { "color_tone" },
                        [numbers; 3],
                    );
                }
                self.lines.push_str("    rgb = color1_powers(rgb);\n");
            }
            Step::Output2(output, inverse) => {
                self.needs(&[ACES2]);
                let function = if *inverse { "color_output2_back" } else { "color_output2" };
                self.pixel(function, &output.numbers());
            }
            Step::Lut1d(table) => {
                self.needs(&[LUT]);
                let function = match table.kind() {
                    (false, false) => "color_table",
                    (true, false) => "color_table_of_halves",
                    (false, true) => "color_untable",
                    (true, true) => "color_untable_of_halves",
                };
                let before = self.lines.len();
                let numbers = [0, 1, 2].map(|channel| table.numbers(channel));
                self.channels(function, numbers.each_ref().map(|n| &n[..]));
                if table.keeps_hue() {
                    let line = self.lines.split_off(before);
                    let call = line.trim().trim_start_matches("rgb = ").trim_end_matches(';');
                    let _ = writeln!(self.lines, "    rgb = color_keep_hue(rgb, {call});");
                }
            }
            Step::Lut3d(cube) => {
                self.needs(&[LUT]);
                let function =
                    if cube.is_tetrahedral() { "color_tetrahedral" } else { "color_trilinear" };
                self.pixel(function, &cube.numbers());
            }
            Step::CubeBack(cube) => {
                self.needs(&[CUBE_BACK]);
                let function = if cube.is_trilinear() {
                    "color_cube_back_trilinear"
                } else {
                    "color_cube_back"
                };
                self.pixel(function, cube.numbers());
            }
        }
    }
}
