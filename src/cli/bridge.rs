//! `platefarm bridge ...`: decoders of other makers, as programs beside us.

use crate::output::Output;
use platefarm_media::source::bridge::{self, BridgeCommand, Bridges, DEFAULT_LIMIT_S};
use platefarm_model::{Code, Fault, Outcome, limits};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(clap::Subcommand)]
pub(super) enum Verb {
    /// Try a bridge on every rule of the protocol (docs/bridge.md).
    Check {
        /// Name of a configured bridge, or a command: a program and its arguments, parted by spaces.
        command: String,
        /// A file of its format; without one only the general rules are tried.
        file: Option<PathBuf>,
        /// Seconds that an answer may take.
        #[arg(long, default_value_t = DEFAULT_LIMIT_S, value_parser = clap::value_parser!(u64).range(1..=3600))]
        seconds: u64,
    },
}

pub(super) fn run(verb: &Verb, bridges: &Bridges, out: &dyn Output) -> Outcome<()> {
    let Verb::Check { command, file, seconds } = verb;
    if let Some(file) = file.as_deref().filter(|file| !file.is_file()) {
        return Err(Fault::new(
            Code::FileNotFound,
            format!("there is no file '{}'", file.display()),
        ));
    }
    let file = file.as_deref().map(|file| std::path::absolute(file).unwrap_or(file.into()));
    let command = bridges.named(command).unwrap_or_else(|| BridgeCommand {
        name: command.clone(),
        command: command.split_whitespace().map(Into::into).collect(),
        limit: Duration::from_secs(*seconds),
    });
    let report = bridge::check(&command, file.as_deref());
    out.bridge_checked(&report);
    let failed = report.rules.iter().filter(|rule| !rule.passed).count();
    if failed == 0 {
        return Ok(());
    }
    let rules = if failed == 1 { "rule" } else { "rules" };
    // A program that is not there is no bridge that misbehaves.
    let first = report.rules.iter().find_map(|rule| rule.fault.as_ref());
    let absent = first.filter(|f| matches!(f.code, Code::NoDecoder | Code::BadConfig));
    let code = absent.map_or(Code::BadBridge, |f| f.code);
    let remedy = match absent {
        Some(_) => "Give the name of a bridge in --bridges FILE, or a program and its arguments.",
        None => "Correct the bridge by the rules that failed; docs/bridge.md has the protocol.",
    };
    let what = format!("the bridge fails {failed} {rules} of {}", report.rules.len());
    Err(Fault::new(code, what).remedy(remedy))
}

/// The bridges of a configuration file; none without one.
pub(super) fn read(path: Option<&Path>) -> Outcome<Bridges> {
    let Some(path) = path else { return Ok(Bridges::default()) };
    let size = std::fs::metadata(path).map(|m| m.len()).unwrap_or(0);
    let text = if size > limits::MAX_DOCUMENT_BYTES {
        Err(Fault::new(Code::TooLarge, format!("{size} bytes of configuration")))
    } else {
        std::fs::read_to_string(path)
            .map_err(|e| Fault::new(Code::BadConfig, "the bridges cannot be read").because(&e))
    };
    text.and_then(|text| Bridges::parse(&text)).map_err(|fault| fault.within(path.display()))
}
