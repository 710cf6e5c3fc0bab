//! What was typed, as a command or as an error in our own voice.

use super::Cli;
use crate::output;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches};
use platefarm_model::{Code, Fault};
use std::error::Error;
use std::process::ExitCode;

/// Verbs that reach a farm. The options that say how are understood
/// everywhere, and shown in the help of these.
const REACHING: &[&str] = &[
    "pull", "worker", "jobs", "frames", "tasks", "workers", "pools", "limits", "shows", "farm",
    "webhooks", "tokens", "whoami", "audit", "doctor",
];
/// Of those options, what others use too.
const ALSO: &[(&str, &str)] = &[("scheduler", "plaintext")];
/// The options.
const OPTIONS: &[&str] = &["farm", "token_file", "ca", "cert", "key", "plaintext"];
/// Other options that are understood everywhere, and who does something with them.
const USED: &[(&str, &[&str])] = &[
    (
        "bridges",
        &[
            "pull",
            "library",
            "render",
            "inspect",
            "color",
            "up",
            "worker",
            "worker-slot",
            "doctor",
            "bridge",
        ],
    ),
    ("otlp", &["scheduler", "worker", "up", "pull"]),
];

/// Whether an option is none that `verb` does something with.
fn is_idle(verb: &str, option: &str) -> bool {
    let elsewhere = USED.iter().any(|(name, verbs)| *name == option && !verbs.contains(&verb));
    let reaches = REACHING.contains(&verb) || ALSO.contains(&(verb, option));
    elsewhere || (OPTIONS.contains(&option) && !reaches)
}

/// The command line as it is parsed and helped with.
pub(super) fn command() -> clap::Command {
    let mut command = Cli::command();
    let options: Vec<clap::Arg> = command.get_arguments().cloned().collect();
    let verbs: Vec<String> = command.get_subcommands().map(|it| it.get_name().into()).collect();
    for verb in &verbs {
        let idle = options.iter().filter(|arg| is_idle(verb, arg.get_id().as_str()));
        let hidden: Vec<clap::Arg> = idle.map(|arg| arg.clone().hide(true)).collect();
        command = command.mut_subcommand(verb, |it| it.args(hidden));
    }
    command
}

pub(super) fn parse() -> Result<Cli, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// Help and version as they are; an error in the voice that was asked for, as
/// far as that can be told. A value that could not be read says so as every
/// other error does: with its code, its place and a remedy.
pub(super) fn not_understood(error: &clap::Error) -> ExitCode {
    let asked =
        |word: &str| std::env::args_os().take_while(|arg| arg != "--").any(|arg| arg == word);
    let json = asked("--json");
    let read = error.source().and_then(|source| source.downcast_ref::<Fault>());
    let fault = match read {
        Some(fault) if error.kind() == ErrorKind::ValueValidation => match place(error) {
            Some(place) => fault.clone().within(place),
            None => fault.clone(),
        },
        _ if json && error.use_stderr() => {
            let text = error.to_string();
            let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            Fault::new(Code::Usage, message)
        }
        _ => error.exit(),
    };
    output::choose(json, false).fault(&fault);
    ExitCode::from(fault.owner().exit_code())
}

/// A value that is not what it should be, and how it is written.
pub(super) fn unread(text: &str, what: &str, remedy: &str) -> Fault {
    Fault::new(Code::UnknownOption, format!("'{text}' is no {what}")).remedy(remedy)
}

/// The option or argument that a value was for: `--rate`, `JOB`.
fn place(error: &clap::Error) -> Option<String> {
    match error.get(ContextKind::InvalidArg)? {
        ContextValue::String(arg) => {
            let name = arg.split(' ').next().unwrap_or(arg);
            Some(name.trim_matches(['<', '>', '[', ']', '.']).to_owned())
        }
        _ => None,
    }
}
