//! `platefarm worker`: takes tasks from a scheduler; joins and leaves at will.

use crate::cli::typed::unread;
use crate::cli::{Global, asked_to_stop, runtime};
use crate::output::Output;
use crate::provider::{Kind, News, Provider, Scale};
use platefarm_model::Outcome;
use platefarm_model::farm::{WorkerClass, WorkerTraits};
use platefarm_model::recipe::Backend;
use platefarm_worker::render::Engines;
use platefarm_worker::{agent, probe};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Address of the scheduler; of several, all of them with commas between [default: --farm]
    #[arg(long, value_name = "URL")]
    scheduler: Option<String>,
    /// Name that lists show [default: the host's name]
    #[arg(long)]
    name: Option<String>,
    /// Tasks to run at a time; one uses every core by itself.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    slots: u32,
    /// Tasks that may wait for a slot, so that none is idle between two; at most one for each.
    #[arg(long, default_value_t = 1, value_name = "TASKS")]
    ahead: u32,
    /// Memory that the render process of a slot may hold, as in 24G; one that holds more is ended [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    slot_memory: Option<u64>,
    /// How long a frame may make no progress before its process is ended.
    #[arg(long, default_value_t = 600, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    stuck_after: u64,
    /// Run tasks in the worker's own process: a decoder that crashes then ends the worker.
    #[arg(long)]
    in_process: bool,
    /// Label that steps can ask for, beside those that are found out (os=, arch=, host=, cores=, gpu); may be given several times.
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,
    /// Pool that it is in; may be given several times.
    #[arg(long = "pool", value_name = "POOL")]
    pools: Vec<String>,
    /// Volume or media root that it has at hand; may be given several times.
    #[arg(long, value_name = "NAME")]
    near: Vec<String>,
    /// Directory that tasks may read and write; may be given several times [default: any]
    #[arg(long = "root", value_name = "DIR")]
    roots: Vec<PathBuf>,
    /// Keep as many workers on this machine as the farm wants, between so many: each a process like this one.
    #[arg(long, value_name = "LEAST..MOST")]
    scale: Option<Scale>,
    /// With --scale: how long a worker is kept that is not wanted.
    #[arg(long, default_value_t = 30, value_name = "SECONDS", requires = "scale")]
    keep: u64,
    /// Drain when standard input ends: when the one who started it is gone.
    #[arg(long, hide = true, conflicts_with = "scale")]
    until_eof: bool,
    /// What it renders with.
    #[command(flatten)]
    backend: super::render::BackendArg,
}

pub(super) fn run(args: Args, global: &Global, out: &dyn Output) -> Outcome<()> {
    let url = args.scheduler.unwrap_or_else(|| global.farm.clone());
    let way = global.access.dial(&url)?;
    let shown = way.shown();
    let mut config = agent::AgentConfig::new(way);
    config.name = args.name.unwrap_or_default();
    config.slots = args.slots;
    config.backend = args.backend.value()?;
    config.roots = args.roots;
    config.ahead = args.ahead;
    config.traits = WorkerTraits {
        labels: args.labels.into_iter().collect(),
        pools: args.pools.into_iter().collect(),
        near: args.near.into_iter().collect(),
        ..WorkerTraits::default()
    };
    config.slot_memory_bytes = args.slot_memory.unwrap_or_default();
    config.stuck = Duration::from_secs(args.stuck_after);
    config.program = if args.in_process { None } else { Some(global.slot_program()?) };
    if let Some(scale) = args.scale {
        let slots = (args.slots, config.slot_memory_bytes);
        let provider = Provider {
            way: config.scheduler,
            scale,
            keep: Duration::from_secs(args.keep),
            program: global.slot_program()?.path,
            args: own_args(std::env::args_os().skip(1)),
            name: config.name,
            kind: kind(config.backend, &config.traits, slots)?,
        };
        out.note(&format!("up to {} workers for {shown}; Ctrl-C drains them", scale.most));
        return provide(provider, out);
    }
    out.note(&format!("worker for {shown}; Ctrl-C drains it"));
    let until_eof = args.until_eof;
    let asked = async move {
        tokio::select! {
            () = asked_to_stop() => {}
            () = end_of_input(), if until_eof => {}
        }
    };
    runtime()?.block_on(agent::run(config, asked))
}

/// Runs a provider, and says what it does.
fn provide(mut provider: Provider, out: &dyn Output) -> Outcome<()> {
    if provider.name.is_empty() {
        provider.name = probe::machine(&*Engines::new(Backend::Cpu)?.default_executor()).host;
    }
    runtime()?.block_on(provider.run(|news| say(&news, out), asked_to_stop()))
}

/// What a provider does, in words.
pub(super) fn say(news: &News, out: &dyn Output) {
    let plural = |n: u32| if n == 1 { "1 worker".to_owned() } else { format!("{n} workers") };
    match news {
        News::Taken(count, all) => out.note(&format!("{} more; now {all}", plural(*count))),
        News::Released(count, left) => out.note(&format!("{} less; now {left}", plural(*count))),
        News::Ended(how) => out.note(how),
        News::Away(fault) => tracing::warn!(%fault, "capacity stays as it is"),
    }
}

/// What workers of this machine are, as the farm will know them.
pub(super) fn kind(backend: Backend, given: &WorkerTraits, slots: (u32, u64)) -> Outcome<Kind> {
    let machine = probe::machine(&*Engines::new(backend)?.default_executor());
    let (slots, slot_memory_bytes) = slots;
    let traits = machine.traits(given, slots, slot_memory_bytes);
    Ok(Kind { class: WorkerClass::of_backend(&machine.backend), slots, traits })
}

/// What this program was called with, without what each worker is told anew.
fn own_args(all: impl Iterator<Item = OsString>) -> Vec<OsString> {
    const ANEW: [&str; 3] = ["--scale", "--keep", "--name"];
    let (mut kept, mut skip) = (Vec::new(), false);
    for arg in all {
        let text = arg.to_string_lossy();
        let named = ANEW.iter().any(|name| text == *name);
        let assigned = ANEW.iter().any(|name| text.starts_with(&format!("{name}=")));
        if !(skip || named || assigned) {
            kept.push(arg.clone());
        }
        skip = named;
    }
    // The provider says what there is to say; what is wrong is said all the same.
    if !kept.iter().any(|arg| ["--json", "--quiet", "-q"].iter().any(|voice| arg == voice)) {
        kept.push("--quiet".into());
    }
    kept
}

/// Returns when nobody holds the other end of standard input any more.
async fn end_of_input() {
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = ended.send(());
    });
    let _ = end.await;
}

/// A size as it is typed: `900M`, `24G`, or bytes.
fn bytes(text: &str) -> Outcome<u64> {
    let (number, shift) = match text.char_indices().next_back() {
        Some((at, 'K' | 'k')) => (&text[..at], 10),
        Some((at, 'M' | 'm')) => (&text[..at], 20),
        Some((at, 'G' | 'g')) => (&text[..at], 30),
        Some((at, 'T' | 't')) => (&text[..at], 40),
        _ => (text, 0),
    };
    let size = number.parse::<u64>().ok().and_then(|n| n.checked_mul(1 << shift));
    size.filter(|size| *size > 0).ok_or_else(|| unread(text, "size", "Write it as in 900M or 24G."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_called_as_their_provider_was() {
        let args = ["worker", "--scale", "0..4", "--slots", "2", "--name=x", "--label", "--keep"];
        let kept = own_args(args.into_iter().map(OsString::from));
        assert_eq!(kept, ["worker", "--slots", "2", "--label", "--quiet"].map(OsString::from));
    }

    #[test]
    fn sizes_read_as_people_write_them() {
        assert_eq!(bytes("24G"), Ok(24 << 30));
        assert_eq!(bytes("900m"), Ok(900 << 20));
        assert_eq!(bytes("512"), Ok(512));
        for bad in ["", "G", "0", "-1G", "1.5G", "99999999999T"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }
}
