//! `platefarm inspect PATH...`: what camera files hold, by one schema.

use crate::output::{Inspection, Output, Progress};
use platefarm_media::card;
use platefarm_model::{Code, Fault, Outcome, format};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Camera files, metadata exports, or directories that are searched for clips (a card, a roll, a day).
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Print every field of every clip, not a line for each.
    #[arg(long)]
    full: bool,
}

pub(super) fn run(args: &Args, out: &dyn Output) -> Outcome<()> {
    let mut card = Progress::looking(out.talks(), || card::inspect(&args.paths));
    if card.clips.is_empty() && card.problems.is_empty() {
        let paths: Vec<String> = args.paths.iter().map(|p| p.display().to_string()).collect();
        card.problems.push(Fault::new(Code::NoMedia, format!("no clip in {}", paths.join(", "))));
    }
    let formats = format::cards(&card.clips);
    out.inspected(&Inspection { card: &card, formats: &formats, full: args.full });
    match &card.problems[..] {
        [] => Ok(()),
        [one] => Err(one.clone()),
        [first, ..] => {
            let count = card.problems.len();
            Err(Fault::new(first.code, format!("{count} problems; the first: {}", first.message))
                .at(first.place.clone().unwrap_or_default()))
        }
    }
}
