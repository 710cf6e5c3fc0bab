//! The command line: what may be typed, and the way from there to a verb.
//!
//! Exit codes: 0 done; 2 the request is wrong; 3 the media; 4 this machine or
//! a worker; 5 the farm; 70 our own fault. They follow from the owner of the
//! error's code, see `platefarm explain`.

mod amf;
mod bridge;
mod bulk;
mod color;
mod colors;
mod completions;
mod defaults;
mod doctor;
mod edl;
mod events;
mod explain;
mod farm;
mod fdl;
mod forget;
mod frames;
mod global;
mod image;
mod inspect;
mod jobs;
mod library;
mod man;
mod mhl;
mod person;
mod pull;
mod render;
mod scheduler;
mod shares;
mod store;
mod terms;
mod tokens;
mod typed;
mod up;
mod validate;
mod when;
mod worker;
mod workers;

use crate::output::{self, Output};
use crate::traces::Traces;
use clap::{Parser, Subcommand};
use global::exit_codes;
pub(crate) use global::{DEFAULT_FARM, Global};
use platefarm_model::{Code, Fault, Outcome, Timestamp};
use std::process::ExitCode;

/// Turns original camera files into production plates, on a laptop or a farm.
#[derive(Parser)]
#[command(
    name = "platefarm",
    version,
    max_term_width = 100,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = exit_codes()
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Turn an edit list into plates: match, render, verify, package.
    Pull(Box<pull::Args>),
    /// Keep clips that were inspected, find them again, and say what holds for their formats and shows.
    Library(library::Args),
    /// Hold a finished package against what was asked for, or against what must hold for any.
    Validate(validate::Args),
    /// Render frames of one clip, with no farm.
    Render(render::Args),
    /// Say what camera files hold.
    Inspect(inspect::Args),
    /// Show what an edit list says (EDL, OTIO, XML, ALE, AAF), and what two differ in.
    #[command(subcommand)]
    Edl(edl::Verb),
    /// Check, show and apply framing decision lists (ASC FDL), and draw their charts.
    #[command(subcommand)]
    Fdl(fdl::Verb),
    /// Show, check and resolve ACES metadata files (AMF).
    #[command(subcommand)]
    Amf(amf::Verb),
    /// List colour transforms, convert pictures and numbers, and say what a conversion does.
    #[command(subcommand)]
    Color(color::Verb),
    /// Seal directories, and hold them against their seal (ASC MHL).
    #[command(subcommand)]
    Mhl(mhl::Verb),
    /// Run a whole farm in this process: a scheduler and workers.
    Up(up::Args),
    /// Run the scheduler.
    Scheduler(scheduler::Args),
    /// Run a worker that takes tasks from a scheduler.
    Worker(worker::Args),
    /// One slot of a worker: takes orders on standard input.
    #[command(hide = true)]
    WorkerSlot,
    /// Copy the farm's state while it runs, and put a copy back.
    #[command(subcommand)]
    Store(store::Verb),
    /// See and steer jobs.
    #[command(subcommand)]
    Jobs(jobs::Verb),
    /// See what becomes of single frames.
    #[command(subcommand)]
    Frames(frames::Frames),
    /// See the frame ranges that workers have in hand.
    #[command(subcommand)]
    Tasks(frames::Tasks),
    /// See and steer workers.
    #[command(subcommand)]
    Workers(workers::Verb),
    /// See and set up pools: named sets of workers.
    #[command(subcommand)]
    Pools(shares::Pools),
    /// See and set up limits: named counted resources, such as licences.
    #[command(subcommand)]
    Limits(shares::Limits),
    /// See and set what shows may have of the farm, and what holds for their pulls.
    #[command(subcommand)]
    Shows(shares::Shows),
    /// See the farm itself.
    #[command(subcommand)]
    Farm(farm::Verb),
    /// Send what happens to addresses of others, signed.
    #[command(subcommand)]
    Webhooks(events::Webhooks),
    /// Say who may enter a farm.
    #[command(subcommand)]
    Tokens(tokens::Verb),
    /// Say who we are to the farm.
    Whoami,
    /// Show what people did on the farm.
    Audit(tokens::AuditArgs),
    /// Look whether this machine, its tools, the store and the farm are well, and say what to do.
    Doctor(doctor::Args),
    /// Check decoders of other makers, which run beside us.
    #[command(subcommand)]
    Bridge(bridge::Verb),
    /// Say what an error code means and what to do; without one, list them all.
    Explain(explain::Args),
    /// Print completions for a shell.
    Completions(completions::Args),
    /// Print the manual, or write a page for each verb.
    Man(man::Args),
}

/// Parses, runs, reports.
pub(crate) fn main() -> ExitCode {
    let Cli { global, verb } = match typed::parse() {
        Ok(cli) => cli,
        Err(error) => return typed::not_understood(&error),
    };
    let out = output::choose(global.json, global.quiet);
    // Held until the verb is done: the last traces are sent then.
    let traces = start_log(&global).and_then(|()| start_traces(&global, &verb));
    let done = traces.and_then(|traces| {
        let done = run(verb, &global, &*out);
        drop(traces);
        done
    });
    match done.and_then(|code| output::all_said().map(|()| code)) {
        Ok(code) => code,
        Err(fault) => {
            out.fault(&fault);
            ExitCode::from(fault.owner().exit_code())
        }
    }
}

/// Runs a verb; only those of other tools' exit codes end with one of their own.
fn run(verb: Verb, global: &Global, out: &dyn Output) -> Outcome<ExitCode> {
    // What is wrong with the bridges is the doctor's to say.
    if let Verb::Doctor(args) = verb {
        return doctor::run(args, global, out).map(|()| ExitCode::SUCCESS);
    }
    let bridges = global.bridges()?;
    if let Verb::Bridge(verb) = &verb {
        bridge::run(verb, &bridges, out)?;
        return Ok(ExitCode::SUCCESS);
    }
    platefarm_media::source::bridge::configure(bridges)?;
    if let Verb::Mhl(verb) = &verb {
        return mhl::run(verb, out).map(ExitCode::from);
    }
    match verb {
        Verb::Bridge(_) | Verb::Mhl(_) | Verb::Doctor(_) => Ok(()),
        Verb::Pull(args) => pull::run(*args, global, out),
        Verb::Library(args) => library::run(args, out),
        Verb::Validate(args) => validate::run(&args, out),
        Verb::Render(args) => render::run(&args, out),
        Verb::Inspect(args) => inspect::run(&args, out),
        Verb::Edl(verb) => edl::run(&verb, out),
        Verb::Fdl(verb) => fdl::run(&verb, out),
        Verb::Amf(verb) => amf::run(&verb, out),
        Verb::Color(verb) => color::run(&verb, out),
        Verb::Up(args) => up::run(args, global, out),
        Verb::Scheduler(args) => scheduler::run(args, global, out),
        Verb::Worker(args) => worker::run(args, global, out),
        Verb::WorkerSlot => platefarm_worker::child::serve(platefarm_worker::kinds::JOB_KINDS),
        Verb::Store(verb) => store::run(verb, out),
        Verb::Jobs(verb) => jobs::run(verb, global, out),
        Verb::Frames(verb) => frames::frames(verb, global, out),
        Verb::Tasks(verb) => frames::tasks(verb, global, out),
        Verb::Workers(verb) => workers::run(verb, global, out),
        Verb::Pools(verb) => shares::pools(verb, global, out),
        Verb::Limits(verb) => shares::limits(verb, global, out),
        Verb::Shows(verb) => shares::shows(verb, global, out),
        Verb::Farm(verb) => farm::run(verb, global, out),
        Verb::Webhooks(verb) => events::webhooks(verb, global, out),
        Verb::Tokens(verb) => tokens::run(verb, global, out),
        Verb::Whoami => tokens::whoami(global, out),
        Verb::Audit(args) => tokens::audit(&args, global, out),
        Verb::Explain(args) => explain::run(&args, out),
        Verb::Completions(args) => {
            completions::run(&args, &mut typed::command(), out);
            Ok(())
        }
        Verb::Man(args) => man::run(&args, typed::command(), out),
    }
    .map(|()| ExitCode::SUCCESS)
}

fn start_log(global: &Global) -> Outcome<()> {
    let filter = global.log.parse::<tracing_subscriber::EnvFilter>().map_err(|e| {
        Fault::new(Code::BadConfig, format!("'{}' is not a log filter", global.log))
            .at("--log")
            .because(&e)
    })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match global.log_json {
        true => log.json().flatten_event(true).init(),
        false => log.with_ansi(output::coloured_talk()).init(),
    }
    Ok(())
}

/// Traces of those verbs that are part of a farm.
fn start_traces(global: &Global, verb: &Verb) -> Outcome<Option<Traces>> {
    let name = match verb {
        Verb::Scheduler(_) => "scheduler",
        Verb::Worker(_) => "worker",
        Verb::Up(_) => "up",
        Verb::Pull(_) => "pull",
        _ => return Ok(None),
    };
    global.otlp.as_deref().map(|endpoint| Traces::start(endpoint, name)).transpose()
}

/// A runtime for the verbs that speak to a farm or are one.
pub(crate) fn runtime() -> Outcome<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Fault::new(Code::Internal, "cannot start the runtime").because(&e))
}

/// Resolves when the process is asked to stop: Ctrl-C or SIGTERM.
pub(crate) async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

/// Now, by the system's clock.
pub(crate) fn now() -> Timestamp {
    let since =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// A size as it is typed: `2048x1152`.
fn size(text: &str) -> Outcome<[u32; 2]> {
    let sides = text.split_once(['x', 'X']).and_then(|(w, h)| {
        let side = |t: &str| t.parse().ok().filter(|side| *side > 0);
        Some([side(w)?, side(h)?])
    });
    sides.ok_or_else(|| typed::unread(text, "size", "Write WIDTHxHEIGHT, as in 2048x1152."))
}

/// The value of an option that is one of a listed set, by the name each has.
fn choice<T: Copy>(
    option: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
    text: &str,
) -> Outcome<T> {
    all.iter().copied().find(|value| name(*value).eq_ignore_ascii_case(text)).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|value| name(*value)).collect();
        Fault::new(Code::UnknownOption, format!("'{text}' is not a {option}"))
            .at(format!("--{option}"))
            .remedy(format!("Choose one of: {}.", names.join(", ")))
    })
}

#[cfg(test)]
mod documented;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        typed::command().debug_assert();
    }

    /// Verbs of a farm that only look.
    const LOOKS: [&str; 6] = ["list", "show", "watch", "errors", "logs", "explain"];

    /// What is changed here is changed on the dashboard too, under the same names, and nothing else is.
    #[test]
    fn the_dashboard_does_what_the_command_line_does() {
        let (command, offered) = (typed::command(), platefarm_scheduler::offered());
        let mut verbs = Vec::new();
        for room in ["jobs", "workers", "shows", "pools", "limits"] {
            let of_room = command.find_subcommand(room).expect("a room of the farm");
            let changes = of_room.get_subcommands().filter(|it| !LOOKS.contains(&it.get_name()));
            for verb in changes {
                let name = format!("{room} {}", verb.get_name());
                let deed = offered.iter().find(|deed| deed.verb == name);
                let deed = deed.unwrap_or_else(|| panic!("{name} is not on the dashboard"));
                for field in &deed.fields {
                    let there = verb.get_arguments().any(|arg| arg.get_id().as_str() == *field);
                    assert!(there, "{name} takes no '{field}'");
                }
                verbs.push(name);
            }
        }
        verbs.sort_unstable();
        let mut deeds: Vec<&str> = offered.iter().map(|deed| deed.verb).collect();
        deeds.sort_unstable();
        assert_eq!(verbs, deeds);
    }
}
