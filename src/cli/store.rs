//! `platefarm store`: copies of the farm's state, made while it runs, and put back.

use crate::cli::runtime;
use crate::embedded::state_dir;
use crate::output::{Output, Progress};
use platefarm_model::Outcome;
use platefarm_scheduler::store::{Place, backup};
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub(super) enum Verb {
    /// Copy an SQLite store into a new file, while its scheduler goes on.
    Backup {
        #[command(flatten)]
        store: Store,
        /// The new file.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Put a copy back as the store; the scheduler must be stopped, and what was there is kept beside it.
    Restore {
        #[command(flatten)]
        store: Store,
        /// The copy.
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
    },
}

#[derive(clap::Args)]
pub(super) struct Store {
    /// The store: sqlite:///path/farm.db [default: SQLite in the user's state directory]
    #[arg(long, env = "PLATEFARM_STORE", hide_env_values = true, value_name = "URL")]
    store: Option<Place>,
}

impl Store {
    fn place(self) -> Place {
        self.store.unwrap_or_else(|| Place::Sqlite(state_dir().join("farm.db")))
    }
}

pub(super) fn run(verb: Verb, out: &dyn Output) -> Outcome<()> {
    match verb {
        Verb::Backup { store, to } => {
            let (place, runtime) = (store.place(), runtime()?);
            let total = runtime.block_on(backup::bytes_in_use(&place));
            let copy = || runtime.block_on(backup::backup(&place, &to));
            let copied = Progress::copying(out.talks(), total, backup::partial(&to), copy)?;
            let (jobs, bytes, to) = (copied.jobs, copied.bytes, to.display().to_string());
            let said = format!("{jobs} jobs of {place} are in {to}, {bytes} bytes, checked");
            let store = place.to_string();
            out.did(&said, &json!({ "store": store, "copy": to, "jobs": jobs, "bytes": bytes }));
        }
        Verb::Restore { store, from } => {
            let (place, runtime) = (store.place(), runtime()?);
            let total = std::fs::metadata(&from).ok().map(|file| file.len());
            let copy = || runtime.block_on(backup::restore(&place, &from));
            let (copied, aside) = match &place {
                Place::Sqlite(to) => {
                    Progress::copying(out.talks(), total, backup::partial(to), copy)
                }
                Place::Postgres(_) => copy(),
            }?;
            let (jobs, bytes, from) = (copied.jobs, copied.bytes, from.display().to_string());
            let mut said = format!("{place} holds the {jobs} jobs of {from}");
            let aside = aside.map(|aside| aside.display().to_string());
            if let Some(aside) = &aside {
                said.push_str(&format!("\nwhat was there is {aside}"));
            }
            let store = place.to_string();
            let facts = json!({ "store": store, "copy": from, "jobs": jobs, "bytes": bytes, "aside": aside });
            out.did(&said, &facts);
        }
    }
    Ok(())
}
