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
        _ if json && error.use_stderr() => Fault::new(Code::Usage, message(error)),
        _ => error.exit(),
    };
    output::choose(json, false).fault(&fault);
    ExitCode::from(fault.owner().exit_code())
}

/// An error of the parser in a line: what it says first, and what is missing.
fn message(error: &clap::Error) -> String {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::MissingRequiredArgument, Some(ContextValue::Strings(missing))) => {
            format!("{first} {}", missing.join(", "))
        }
        _ => first.to_owned(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn typed(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    /// Variables whose value help may show. A place or an address may hold a password: it is not here.
    const PLAIN: &[&str] = &[
        "PLATEFARM_BRIDGES",
        "PLATEFARM_CA",
        "PLATEFARM_CERT",
        "PLATEFARM_CLIENT_CA",
        "PLATEFARM_HTTP",
        "PLATEFARM_KEY",
        "PLATEFARM_LOG",
        "PLATEFARM_LOG_JSON",
        "PLATEFARM_TLS_CERT",
        "PLATEFARM_TLS_KEY",
        "PLATEFARM_TOKEN_FILE",
    ];

    fn open_values(command: &clap::Command, found: &mut Vec<String>) {
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_env_values_set()) {
            found.extend(arg.get_env().map(|name| name.to_string_lossy().into_owned()));
        }
        command.get_subcommands().for_each(|inner| open_values(inner, found));
    }

    #[test]
    fn help_shows_no_value_that_may_hold_a_password() {
        let mut found = Vec::new();
        open_values(&command(), &mut found);
        found.retain(|name| !PLAIN.contains(&name.as_str()));
        assert_eq!(found, [""; 0], "hide_env_values is missing");
    }

    /// What is missing is named with all that would do.
    #[test]
    fn an_error_names_everything_that_would_do() {
        for (line, names) in [
            ("platefarm jobs pause", &["TARGETS", "--show", "--find", "--state", "--all"][..]),
            ("platefarm jobs retry --yes", &["TARGETS", "--show", "--all"]),
            ("platefarm workers label w1", &["--add", "--remove"]),
            ("platefarm jobs deadline j1", &["WHEN", "--at"]),
            ("platefarm jobs priority j1", &["--class", "--number"]),
            ("platefarm jobs depend j1", &["--on", "--not-on"]),
            ("platefarm jobs forget --yes", &["JOBS", "--finished-before"]),
        ] {
            let error = typed(line).err().unwrap_or_else(|| panic!("{line} is taken"));
            let said = message(&error);
            assert!(names.iter().all(|name| said.contains(name)), "{line}: {said}");
        }
    }

    /// Help names all that would do as well.
    #[test]
    fn the_usage_names_everything_that_would_do() {
        for (verb, names) in
            [("priority", ["--class", "--number"]), ("depend", ["--on", "--not-on"])]
        {
            let mut root = command();
            let jobs = root.find_subcommand_mut("jobs").expect("a verb");
            let usage = jobs.find_subcommand_mut(verb).expect("a verb").render_usage().to_string();
            assert!(names.iter().all(|name| usage.contains(name)), "{usage}");
        }
    }

    /// What is natural elsewhere is understood here.
    #[test]
    fn both_ways_of_saying_a_thing_are_taken() {
        for line in [
            "platefarm jobs deadline j1 none",
            "platefarm jobs deadline j1 --at none",
            "platefarm jobs start j1 none",
            "platefarm jobs start j1 --at now",
            "platefarm jobs priority j1 --priority 5",
            "platefarm jobs priority j1 --number -5",
            "platefarm jobs list --state paused",
            "platefarm jobs cancel --state paused --show atlas",
            "platefarm jobs resume --all",
            "platefarm workers label w1 --remove slow",
        ] {
            assert!(typed(line).is_ok(), "{line}: {:?}", typed(line).err());
        }
        for line in [
            "platefarm jobs start j1 none --at now",
            "platefarm jobs pause j1 --all",
            "platefarm jobs depend j1 --on j2 --not-on j3",
            "platefarm jobs depend j1 --not-on j3 --same-frames",
            "platefarm jobs forget j1 --finished-before 3d",
        ] {
            assert!(typed(line).is_err(), "{line}");
        }
    }
}
