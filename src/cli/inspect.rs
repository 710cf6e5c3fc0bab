//! `platefarm inspect PATH...`: what camera files hold.

use crate::output::Output;
use platefarm_model::{Code, Fault, Outcome};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Files, or directories that are searched for clips.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
}

pub(super) fn run(args: &Args, out: &dyn Output) -> Outcome<()> {
    let (mut clips, mut faults) = (Vec::new(), Vec::new());
    for path in &args.paths {
        if path.is_dir() {
            let (found, problems) = platefarm_media::scan(path);
            clips.extend(found);
            faults.extend(problems);
        } else {
            match platefarm_media::open(path, None) {
                Ok(clip) => clips.push(clip.info().clone()),
                Err(fault) => faults.push(fault),
            }
        }
    }
    out.clips(&clips, &faults);
    match faults.into_iter().next() {
        Some(fault) if clips.is_empty() => Err(fault),
        None if clips.is_empty() => {
            let paths: Vec<String> = args.paths.iter().map(|p| p.display().to_string()).collect();
            Err(Fault::new(Code::NoMedia, format!("no clip in {}", paths.join(", "))))
        }
        _ => Ok(()),
    }
}
