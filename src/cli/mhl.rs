//! `platefarm mhl ...`: ASC MHL, the seal on a package.

use crate::output::Output;
use platefarm_model::{Code, Fault, Outcome};
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub(super) enum Verb {
    /// Hold a directory against its ASC MHL history, and say everything that is wrong.
    Verify {
        /// The sealed directory.
        dir: PathBuf,
    },
}

pub(super) fn run(verb: &Verb, out: &dyn Output) -> Outcome<()> {
    let Verb::Verify { dir } = verb;
    if !dir.is_dir() {
        let message = format!("'{}' is no directory", dir.display());
        return Err(Fault::new(Code::FileNotFound, message));
    }
    let problems = platefarm_media::mhl::verify(dir);
    out.verified(&dir.display().to_string(), &problems);
    match problems.first() {
        None => Ok(()),
        Some(first) => {
            let (dir, count) = (dir.display(), problems.len());
            let problems = if count == 1 { "problem" } else { "problems" };
            Err(Fault::new(
                first.code,
                format!("'{dir}' is not what its manifest says: {count} {problems}"),
            ))
        }
    }
}
