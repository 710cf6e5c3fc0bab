//! `platefarm store`: copies of the farm's state, made while it runs, and put back.

use crate::cli::runtime;
use crate::embedded::state_dir;
use crate::output::Output;
use platefarm_model::Outcome;
use platefarm_scheduler::store::{Place, backup};
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
    #[arg(long, env = "PLATEFARM_STORE", value_name = "URL")]
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
            let place = store.place();
            let copied = runtime()?.block_on(backup::backup(&place, &to))?;
            out.note(&format!(
                "{} jobs of {place} are in {}, {} bytes, checked",
                copied.jobs,
                to.display(),
                copied.bytes
            ));
        }
        Verb::Restore { store, from } => {
            let place = store.place();
            let (copied, aside) = runtime()?.block_on(backup::restore(&place, &from))?;
            out.note(&format!("{place} holds the {} jobs of {}", copied.jobs, from.display()));
            if let Some(aside) = aside {
                out.note(&format!("what was there is {}", aside.display()));
            }
        }
    }
    Ok(())
}
