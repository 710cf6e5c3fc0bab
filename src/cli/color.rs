//! `platefarm color ...`: the colour transforms, by name, on numbers and on picture files.
//!
//! Numbers are little-endian 32-bit floats, red, green and blue together, so
//! that any other program can be held against ours.

use crate::cli::colors;
use crate::cli::image::{self, Held, Source};
use crate::cli::render::BackendArg;
use crate::output::Output;
use platefarm_model::color::chain::Chain;
use platefarm_model::color::name;
use platefarm_model::color::recipe::{ColorFile, DEFAULT_VIEW};
use platefarm_model::recipe::{Backend, OutputColor};
use platefarm_model::{Code, Fault, Outcome};
use platefarm_shaders::color::{Converter, Plan, Replaced};
use platefarm_standards::amf::{IncomingAmf, Pixels, named, registry, target};
use platefarm_standards::look;
use std::io::{ErrorKind, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

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
    /// Convert a picture file, or numbers from standard input to standard output.
    Convert {
        #[command(flatten)]
        route: Route,
        #[command(flatten)]
        backend: BackendArg,
        /// The picture: .exr, .dpx, .png, or a frame of a movie [default: float triples from standard input]
        #[arg(value_name = "IN", requires = "output")]
        input: Option<PathBuf>,
        /// Where it goes: .exr, or .png for displays.
        #[arg(value_name = "OUT")]
        output: Option<PathBuf>,
    },
    /// Print what a conversion does, step by step, after planning.
    Explain(Route),
}

/// From where to where.
#[derive(clap::Args)]
pub(super) struct Route {
    /// What the pixels are: a name or an ACES transform id [default: what the picture file says]
    #[arg(long, value_name = "NAME")]
    from: Option<String>,
    /// What they are to be [default: the view of the AMF]
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
    /// A look on ACES2065-1 in between: a file (.clf, .cube, .cdl, .cc, .ccc, FILE#ID of a
    /// collection) or a name. More than one are applied in order.
    #[arg(long, value_name = "LOOK")]
    look: Vec<String>,
    /// Do what an ACES metadata file says is still to be done to the pixels.
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    amf: Option<PathBuf>,
}

/// A route made ready.
struct Ready {
    chain: Chain,
    /// Whether it begins at codes that the route explains, and not at ACES2065-1.
    from_codes: bool,
    to: OutputColor,
    /// What was assumed.
    notes: Vec<Fault>,
}

impl Route {
    /// The way from pixels, of which a file may say what they are.
    fn ready(&self, pixels: Pixels<'_>) -> Outcome<Ready> {
        let incoming = self.amf.as_deref().map(colors::read_amf).transpose()?;
        let (mut chain, mut from_codes, mut notes) = (Chain::default(), false, Vec::new());
        if let Some(from) = &self.from {
            let from = named(from).map_err(|f| f.within("--from"))?;
            chain = name::to_aces(&from).map_err(|f| f.within("--from"))?;
            from_codes = true;
        }
        if let Some(incoming) = &incoming {
            let input = incoming.resolved.input(pixels);
            let (input, said) = input.map_err(|fault| fault.within(&incoming.name))?;
            notes.extend(incoming.resolved.notes.iter().cloned().chain(said));
            from_codes = !input.is_empty();
            for step in input.iter().chain(&incoming.resolved.looks()) {
                chain = chain.then(step.chain(&read_file)?);
            }
        }
        for text in &self.look {
            let (step, _) = colors::read_look(text)?;
            chain = chain.then(step.chain(&read_file)?);
        }
        let to = self.target(incoming.as_ref(), &mut notes)?;
        let chain = chain.then(to.chain(&read_file).map_err(|f| f.within("--to"))?);
        Ok(Ready { chain, from_codes, to, notes })
    }

    fn target(
        &self,
        incoming: Option<&IncomingAmf>,
        notes: &mut Vec<Fault>,
    ) -> Outcome<OutputColor> {
        match (&self.to, incoming) {
            (Some(to), _) => target(to).map_err(|f| f.within("--to")),
            (None, Some(incoming)) => match incoming.view()? {
                Some(view) => Ok(view),
                None => {
                    let message =
                        format!("the AMF has no output transform: {DEFAULT_VIEW} is taken");
                    notes.push(Fault::new(Code::ColorAssumed, message).at(incoming.name.clone()));
                    OutputColor::named(DEFAULT_VIEW)
                }
            },
            (None, None) => {
                Err(Fault::new(Code::Usage, "it is not said what the pixels are to be")
                    .at("--to")
                    .remedy("Give --to NAME, or --amf FILE for the view of an AMF."))
            }
        }
    }

    /// Numbers say nothing of themselves.
    fn check_from(&self) -> Outcome<()> {
        if self.from.is_some() || self.amf.is_some() {
            return Ok(());
        }
        Err(Fault::new(Code::Usage, "it is not said what the numbers are")
            .at("--from")
            .remedy("Give --from NAME, or a picture file that says it."))
    }
}

fn read_file(file: &ColorFile) -> Outcome<Chain> {
    let bytes = crate::cli::render::read_document(Path::new(&file.path))?;
    look::parse_sealed(file, &bytes)
}

pub(super) fn run(verb: &Verb, out: &dyn Output) -> Outcome<()> {
    match verb {
        Verb::List { like } => {
            list(like.as_deref().unwrap_or(""), out);
            Ok(())
        }
        Verb::Explain(route) => {
            route.check_from()?;
            let Ready { chain, notes, .. } = route.ready(Pixels::Silent)?;
            notes.iter().for_each(|note| out.warn(note));
            explain(&chain, out);
            Ok(())
        }
        Verb::Convert { route, backend, input: Some(input), output: Some(output) } => {
            convert_file(route, backend.value()?, [input, output], out)
        }
        Verb::Convert { route, backend, .. } => {
            route.check_from()?;
            let Ready { chain, notes, .. } = route.ready(Pixels::Silent)?;
            check_pipes()?;
            notes.iter().for_each(|note| out.warn(note));
            convert(Converter::new(&chain, backend.value()?)?, out)
        }
    }
}

/// What has a name, with every id of the registry that means it.
fn list(like: &str, out: &dyn Output) {
    let like = like.to_lowercase();
    let mut entries = name::catalog();
    for entry in &mut entries {
        let more = registry::ids_of(&entry.name);
        let known = entry.ids.clone();
        entry.ids.extend(more.into_iter().filter(|id| !known.contains(id)));
    }
    entries.retain(|entry| {
        let all = [&entry.name].into_iter().chain(&entry.aliases).chain(&entry.ids);
        all.into_iter().any(|text| text.to_lowercase().contains(&like))
    });
    out.transforms(&entries);
}

fn convert_file(
    route: &Route,
    backend: Backend,
    [input, output]: [&Path; 2],
    out: &dyn Output,
) -> Outcome<()> {
    image::check_apart(input, output)?;
    let source = Source::open(input)?;
    let Ready { chain, from_codes, to, notes } = route.ready(source.pixels())?;
    image::check_target(output, &to)?;
    let mut picture = source.read(from_codes)?;
    let mut converter = Converter::new(&chain, backend)?;
    let mut replaced = converter.run(&mut picture.pixels)?;
    let Held { too_large, clipped } = image::write(output, &picture, &to)?;
    // What no float held is among what no half holds.
    replaced.made = replaced.made.max(too_large);
    for note in notes.iter().chain(&picture.notes).chain(&clipped) {
        out.warn(note);
    }
    out.converted(picture.pixels.len() as u64 / 3, replaced, &converter.name());
    out.made(&output.display().to_string());
    Ok(())
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

/// Numbers come out of a file or a program, and go into one.
fn check_pipes() -> Outcome<()> {
    for (terminal, what) in [
        (
            std::io::stdin().is_terminal(),
            "no picture is named, and no numbers come in: standard input is a terminal",
        ),
        (
            std::io::stdout().is_terminal(),
            "no picture is named, and a terminal is no place for numbers",
        ),
    ] {
        if terminal {
            return Err(Fault::new(Code::Usage, what).at("color convert").remedy(
                "Give two picture files, or lead float triples through: < in.f32 > out.f32.",
            ));
        }
    }
    Ok(())
}

fn convert(mut converter: Converter, out: &dyn Output) -> Outcome<()> {
    let failed = |what: &str, e: &std::io::Error| {
        Fault::new(Code::WriteFailed, format!("{what} failed")).because(e)
    };
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let (mut bytes, mut values) = (Vec::new(), Vec::new());
    let (mut replaced, mut pixels) = (Replaced::default(), 0_u64);
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
        replaced = [replaced, converter.run(&mut values)?].into_iter().sum();
        for (bytes, value) in bytes.as_chunks_mut().0.iter_mut().zip(&values) {
            *bytes = value.to_le_bytes();
        }
        match output.write_all(&bytes).and_then(|()| output.flush()) {
            // Whoever reads has enough.
            Err(e) if e.kind() == ErrorKind::BrokenPipe => break,
            done => done.map_err(|e| failed("writing standard output", &e))?,
        }
    }
    out.converted(pixels, replaced, &converter.name());
    Ok(())
}
