//! `platefarm edl ...`: what edit lists say, and what two of them differ in.

use crate::cli::render::read_document;
use crate::output::Output;
use platefarm_model::{FrameRate, Outcome};
use platefarm_standards::editlist::{self, EditList};
use std::path::{Path, PathBuf};

#[derive(clap::Subcommand)]
pub(super) enum Verb {
    /// Print the events of an edit list, and the lines that cannot be read.
    Show {
        /// Edit list: EDL, OTIO, Final Cut XML, ALE or AAF, told by its content.
        file: PathBuf,
        /// Rate of the list; an EDL does not say its own.
        #[arg(long, value_name = "FPS")]
        rate: Option<FrameRate>,
    },
    /// Say what became of each shot: new, gone, extended, shortened, slipped, moved, retimed, regraded.
    Diff {
        /// The earlier list.
        before: PathBuf,
        /// The later list.
        after: PathBuf,
        /// Rate of both lists.
        #[arg(long, value_name = "FPS")]
        rate: Option<FrameRate>,
    },
}

pub(super) fn run(verb: &Verb, out: &dyn Output) -> Outcome<()> {
    match verb {
        Verb::Show { file, rate } => {
            out.edit_list(&file.display().to_string(), &read(file, *rate)?);
        }
        Verb::Diff { before, after, rate } => {
            let (before, after) = (read(before, *rate)?, read(after, *rate)?);
            out.edit_diff(&editlist::diff(&before, &after)?);
        }
    }
    Ok(())
}

/// The list in `file`.
fn read(file: &Path, rate: Option<FrameRate>) -> Outcome<EditList> {
    let bytes = read_document(file)?;
    platefarm_media::editlist::read(file, &bytes, rate)
        .map_err(|fault| fault.within(file.display()))
}
