//! `platefarm color ...`: the colour transforms, by name, on numbers.
//!
//! Values are little-endian 32-bit floats, red, green and blue together, so
//! that any other program can be held against ours.

use crate::output::Output;
use platefarm_model::color::chain::Chain;
use platefarm_model::color::name;
use platefarm_model::{Code, Fault, Outcome};
use platefarm_shaders::color::Plan;
use platefarm_standards::look;
use rayon::prelude::*;
use std::io::{Read, Write};
use std::path::Path;

/// Pixels that are converted together.
const BATCH: usize = 1 << 16;

#[derive(clap::Subcommand)]
pub(super) enum Verb {
    /// List spaces, output transforms and looks.
    List {
        /// Only names and ids that contain this text.
        #[arg(value_name = "TEXT")]
        like: Option<String>,
    },
    /// Convert pixels from standard input to standard output.
    Convert(Route),
    /// Print what a conversion does, step by step, after planning.
    Explain(Route),
}

/// From where to where.
#[derive(clap::Args)]
pub(super) struct Route {
    /// What the pixels are: a name or an ACES transform id.
    #[arg(long, value_name = "NAME")]
    from: String,
    /// What they are to be.
    #[arg(long, value_name = "NAME")]
    to: String,
    /// A look on ACES2065-1 in between: a file (.clf, .cube, .cdl, .cc, .ccc, FILE#ID of a
    /// collection) or a name. More than one are applied in order.
    #[arg(long, value_name = "LOOK")]
    look: Vec<String>,
}

impl Route {
    fn chain(&self) -> Outcome<Chain> {
        let mut chain = name::to_aces(&self.from).map_err(|f| f.within("--from"))?;
        for look in &self.look {
            chain = chain.then(read_look(look)?);
        }
        Ok(chain.then(name::from_aces(&self.to).map_err(|f| f.within("--to"))?))
    }
}

/// A look by its name, or from its file.
fn read_look(text: &str) -> Outcome<Chain> {
    let (file, id) = match text.rsplit_once('#') {
        Some((file, id)) if !Path::new(text).exists() => (file, Some(id)),
        _ => (text, None),
    };
    if !Path::new(file).exists() {
        return name::look(text).map_err(|fault| {
            let remedy = "Give a file that is there, or the name of a look.";
            let fault = fault.within("--look");
            if fault.remedy.is_none() { fault.remedy(remedy) } else { fault }
        });
    }
    let bytes = std::fs::read(file).map_err(|e| {
        Fault::new(Code::FileUnreadable, "the look cannot be read").at(file).because(&e)
    })?;
    look::parse(file, &bytes, id)
}

pub(super) fn run(verb: &Verb, out: &dyn Output) -> Outcome<()> {
    match verb {
        Verb::List { like } => {
            let like = like.as_deref().unwrap_or("").to_lowercase();
            let mut entries = name::catalog();
            entries.retain(|entry| {
                let all = [&entry.name].into_iter().chain(&entry.aliases).chain(&entry.ids);
                all.into_iter().any(|text| text.to_lowercase().contains(&like))
            });
            out.transforms(&entries);
            Ok(())
        }
        Verb::Explain(route) => {
            let plan = Plan::new(&route.chain()?);
            let steps: Vec<String> = plan.links().iter().map(name::describe).collect();
            out.steps(&steps);
            Ok(())
        }
        Verb::Convert(route) => convert(&Plan::new(&route.chain()?), out),
    }
}

fn convert(plan: &Plan, out: &dyn Output) -> Outcome<()> {
    let failed = |what: &str, e: &std::io::Error| {
        Fault::new(Code::WriteFailed, format!("{what} failed")).because(e)
    };
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut bytes = Vec::new();
    let (mut wild, mut pixels) = (0, 0_u64);
    loop {
        bytes.clear();
        let most = (BATCH * 12 * rayon::current_num_threads()) as u64;
        input
            .by_ref()
            .take(most)
            .read_to_end(&mut bytes)
            .map_err(|e| failed("reading standard input", &e))?;
        if bytes.is_empty() {
            break;
        }
        if !bytes.len().is_multiple_of(12) {
            let message =
                format!("the input ends inside a pixel ({} bytes over)", bytes.len() % 12);
            return Err(Fault::new(Code::TruncatedFile, message)
                .at(format!("pixel {}", pixels + bytes.len() as u64 / 12))
                .remedy("Write whole triples of 32-bit floats, little-endian."));
        }
        pixels += bytes.len() as u64 / 12;
        wild += bytes.par_chunks_mut(BATCH * 12).map(|part| convert_part(plan, part)).sum::<u64>();
        output.write_all(&bytes).map_err(|e| failed("writing standard output", &e))?;
    }
    output.flush().map_err(|e| failed("writing standard output", &e))?;
    if wild > 0 {
        out.note(&format!(
            "{wild} values were not finite: NaN was taken for 0, infinity for 65504"
        ));
    }
    Ok(())
}

/// Converts bytes in place; returns how many values were not finite.
fn convert_part(plan: &Plan, bytes: &mut [u8]) -> u64 {
    let (values, _) = bytes.as_chunks_mut::<4>();
    let mut runs = [0, 1, 2].map(|channel| {
        let own = values.iter().skip(channel).step_by(3);
        own.map(|bytes| f32::from_le_bytes(*bytes)).collect::<Vec<f32>>()
    });
    let [red, green, blue] = &mut runs;
    let wild = plan.run([red, green, blue]);
    for (channel, run) in runs.iter().enumerate() {
        for (to, value) in values.iter_mut().skip(channel).step_by(3).zip(run) {
            *to = value.to_le_bytes();
        }
    }
    wild
}
