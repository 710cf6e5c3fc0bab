//! The reference values: the whole set where it is at hand, else the thinned
//! one that the project carries.

use std::fs;
use std::path::{Path, PathBuf};

/// What one maker says of one transform.
pub(crate) struct Case {
    /// `ocio` or `ctl`.
    pub(crate) maker: &'static str,
    /// Factor on the input.
    pub(crate) scale: f64,
    /// Id of the transform in the registry, where the index gives it.
    pub(crate) id: String,
    input: Vec<[f64; 3]>,
    output: Vec<[f64; 3]>,
}

impl Case {
    /// Input, scaled, and what the maker makes of it.
    pub(crate) fn pixels(&self) -> impl Iterator<Item = ([f64; 3], [f64; 3])> + '_ {
        self.input.iter().zip(&self.output).map(|(i, o)| (i.map(|v| v * self.scale), *o))
    }
}

fn read(path: &Path) -> Vec<[f64; 3]> {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let floats: Vec<f64> =
        bytes.as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect();
    floats.as_chunks().0.to_vec()
}

/// Names of all transforms, in order.
pub(crate) fn names() -> Vec<String> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/fixtures/color");
    let index = fs::read_to_string(own.join("index.tsv")).unwrap();
    index.lines().filter_map(|line| line.split('\t').next()).map(Into::into).collect()
}

/// Both makers' values of a transform; empty for one that nobody computed.
pub(crate) fn cases(name: &str) -> Vec<Case> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/fixtures/color");
    let whole: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/aces");
    let index = fs::read_to_string(own.join("index.tsv")).unwrap();
    let mut at = [0, 0];
    for line in index.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [this, grid, scale, makers, id] = fields[..] else { panic!("{line}") };
        let inputs = read(&own.join(format!("grid_{grid}.f32")));
        let mut found = Vec::new();
        for (i, maker) in ["ocio", "ctl"].into_iter().enumerate() {
            if !makers.split('+').any(|m| m == maker) {
                continue;
            }
            let first = at[i];
            at[i] += inputs.len();
            if this != name {
                continue;
            }
            let folder = ["oracle", "ctl"][i];
            let file = whole.join(folder).join(format!("{name}.f32"));
            let (input, output) = if file.exists() {
                (read(&whole.join(format!("oracle/grid_{grid}.f32"))), read(&file))
            } else {
                let all = read(&own.join(format!("{maker}.f32")));
                (inputs.clone(), all[first..first + inputs.len()].to_vec())
            };
            assert_eq!(input.len(), output.len(), "{name}");
            found.push(Case { maker, scale: scale.parse().unwrap(), id: id.into(), input, output });
        }
        if this == name {
            return found;
        }
    }
    Vec::new()
}
