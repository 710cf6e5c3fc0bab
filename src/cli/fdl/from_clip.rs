//! `platefarm fdl from-clip`: the frame lines of camera files as a list, so that
//! a plate can be framed as the operator saw it.

use super::super::size;
use super::write;
use crate::output::Output;
use platefarm_media::{open, scan};
use platefarm_model::Outcome;
use platefarm_model::clip::ClipInfo;
use platefarm_scheduler::pulls;
use platefarm_standards::fdl::{Fdl, WholeSize};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(in crate::cli) struct FromClip {
    /// A camera file, or a directory: then all its clips, a context for each camera and mode.
    path: PathBuf,
    /// Add a template, DELIVERY, that fits a frame into this size.
    #[arg(long, value_name = "WxH", value_parser = size)]
    deliver: Option<[u32; 2]>,
    /// Write the list here [default: show it]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &FromClip, out: &dyn Output) -> Outcome<()> {
    let clips = if args.path.is_dir() {
        let (clips, faults) = scan(&args.path);
        faults.iter().for_each(|fault| out.warn(fault));
        clips
    } else {
        vec![open(&args.path, None)?.info().clone()]
    };
    let clips: Vec<&ClipInfo> = clips.iter().collect();
    let seen = clips.iter().map(|c| (&c.identity.clip_name, &c.picture, &c.frame_lines));
    let uuid = pulls::uuid(&format!("{:?}", (seen.collect::<Vec<_>>(), args.deliver)), "FDL");
    let deliver = args.deliver.map(|[width, height]| WholeSize { width, height });
    let made = Fdl::from_cameras(&clips, deliver, uuid)
        .map_err(|fault| fault.within(args.path.display()))?;
    made.notes.iter().for_each(|note| out.warn(note));
    match &args.out {
        Some(file) => {
            write(file, &made.document)?;
            out.made(&file.display().to_string());
        }
        None => out.fdl(&made.document),
    }
    Ok(())
}
