//! `platefarm color ...`: the colour transforms, by name, on numbers.
//!
//! Values are little-endian 32-bit floats, red, green and blue together, so
//! that any other program can be held against ours.

use super::render::BackendArg;
use crate::output::Output;
use platefarm_model::color::chain::Chain;
use platefarm_model::color::name;
use platefarm_model::{Code, Fault, Outcome};
use platefarm_shaders::color::{Converter, Plan};
use platefarm_standards::look;
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
    Convert {
        #[command(flatten)]
        route: Route,
        #[command(flatten)]
        backend: BackendArg,
    },
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
            explain(&route.chain()?, out);
            Ok(())
        }
        Verb::Convert { route, backend } => {
            convert(Converter::new(&route.chain()?, backend.value()?)?, out)
        }
    }
}

/// What is left of a chain after planning. Whatever it is, it is one pass over
/// the pixels: blocks that stay in the cache on the CPU, one function on a GPU.
fn explain(chain: &Chain, out: &dyn Output) {
    let plan = Plan::new(chain);
    let steps = plan.links().iter().zip(plan.made_of()).map(|(link, count)| {
        let joined = if *count > 1 { format!("  ({count} in one)") } else { String::new() };
        name::describe(link) + &joined
    });
    let steps: Vec<String> = steps.collect();
    out.steps(&steps);
    let (given, left) = (chain.0.len(), steps.len());
    out.note(&format!("{given} steps given, {left} left, in one pass over the pixels"));
}

fn convert(mut converter: Converter, out: &dyn Output) -> Outcome<()> {
    let failed = |what: &str, e: &std::io::Error| {
        Fault::new(Code::WriteFailed, format!("{what} failed")).because(e)
    };
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let (mut bytes, mut values) = (Vec::new(), Vec::new());
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
        values.clear();
        values.extend(bytes.as_chunks().0.iter().map(|value| f32::from_le_bytes(*value)));
        wild += converter.run(&mut values)?;
        for (bytes, value) in bytes.as_chunks_mut().0.iter_mut().zip(&values) {
            *bytes = value.to_le_bytes();
        }
        output.write_all(&bytes).map_err(|e| failed("writing standard output", &e))?;
    }
    output.flush().map_err(|e| failed("writing standard output", &e))?;
    out.converted(pixels, wild, &converter.name());
    Ok(())
}
