//! `platefarm worker`: takes tasks from a scheduler; joins and leaves at will.

use crate::cli::{Global, asked_to_stop, runtime};
use crate::output::Output;
use platefarm_model::Outcome;
use platefarm_model::farm::WorkerTraits;
use platefarm_worker::agent;
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
    /// Tasks to run at a time.
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
    /// What it renders with.
    #[command(flatten)]
    backend: super::render::BackendArg,
}

pub(super) fn run(args: Args, global: &Global, out: &dyn Output) -> Outcome<()> {
    let url = args.scheduler.unwrap_or_else(|| global.farm.clone());
    let mut config = agent::AgentConfig::new(global.access.dial(&url)?);
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
    out.note(&format!("worker for {url}; Ctrl-C drains it"));
    runtime()?.block_on(agent::run(config, asked_to_stop()))
}

/// A size as it is typed: `900M`, `24G`, or bytes.
fn bytes(text: &str) -> Result<u64, String> {
    let (number, shift) = match text.char_indices().next_back() {
        Some((at, 'K' | 'k')) => (&text[..at], 10),
        Some((at, 'M' | 'm')) => (&text[..at], 20),
        Some((at, 'G' | 'g')) => (&text[..at], 30),
        Some((at, 'T' | 't')) => (&text[..at], 40),
        _ => (text, 0),
    };
    let size = number.parse::<u64>().ok().and_then(|n| n.checked_mul(1 << shift));
    size.filter(|size| *size > 0)
        .ok_or_else(|| format!("'{text}' is no size; write it as in 900M or 24G"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
