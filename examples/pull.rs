//! A service that has plates pulled, in Rust: it adds clips to the library,
//! finds them, looks at the plan, hands it in and waits for the package.
//!
//! ```sh
//! platefarm inspect --json /cards > clips.json
//! cargo run --example pull -- http://127.0.0.1:7878 atlas clips.json cut.edl show.fdl /plates/cut
//! ```

use platefarm_proto::convert::from_status;
use platefarm_proto::{FarmClient, LibraryClient, PullsClient, v1};
use std::path::Path;
use tonic::Status;
use tonic::transport::Channel;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Pulled {
    /// Clips of the show in the library.
    pub(crate) clips: u64,
    /// Plates of the plan, by name, with the frames of each.
    pub(crate) plates: Vec<(String, i64, i64)>,
    /// The whole plan, as `platefarm pull --dry-run --json` prints it.
    pub(crate) plan_json: String,
    /// Whether the second of two equal submissions got the job of the first.
    pub(crate) once: bool,
    /// Frames that were done when the job was settled.
    pub(crate) frames: u64,
}

/// What to pull.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Files<'a> {
    /// What `platefarm inspect --json` printed.
    pub(crate) clips: &'a Path,
    /// The edit list.
    pub(crate) edl: &'a Path,
    /// The framing.
    pub(crate) fdl: &'a Path,
    /// Where the package is to be, as workers reach it.
    pub(crate) out_dir: &'a str,
}

type Broken = Box<dyn std::error::Error + Send + Sync>;

/// An error with its stable code, the value, the place and the remedy.
fn told(status: Status) -> Broken {
    from_status(&status).to_string().into()
}

fn document(file: &Path) -> Result<v1::NamedText, Broken> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(v1::NamedText { name, text: std::fs::read(file)? })
}

/// Pulls plates for `show`, and waits for them.
///
/// # Errors
/// Those of the files, of the connection, and the farm's with their codes.
pub(crate) async fn run(url: &str, show: &str, files: Files<'_>) -> Result<Pulled, Broken> {
    let channel = Channel::from_shared(url.to_owned())?.connect().await?;
    let mut library = LibraryClient::new(channel.clone());
    let clips_json = std::fs::read(files.clips)?;
    let add = v1::AddClipsRequest { show: show.into(), clips_json };
    library.add_clips(add).await.map_err(told)?;
    let search = v1::SearchRequest { show: show.into(), most: 10, ..Default::default() };
    let found = library.search(search).await.map_err(told)?.into_inner();
    for clip in &found.clips {
        println!("{} {} {} {}", clip.id, clip.reel_name, clip.start, clip.clip_name);
    }

    let order = v1::PullOrder {
        show: show.into(),
        edit_list: Some(document(files.edl)?),
        fdl: Some(document(files.fdl)?),
        template: "VFX_PULL".into(),
        out_dir: files.out_dir.into(),
        handles: Some(2),
        ..Default::default()
    };
    let mut pulls = PullsClient::new(channel.clone());
    let ask = v1::PlanRequest { pull: Some(order.clone()), with_document: true };
    let plan = pulls.plan(ask).await.map_err(told)?.into_inner();
    for note in plan.notes.iter().chain(plan.rejected.iter().filter_map(|one| one.fault.as_ref())) {
        println!("{}: {}", note.code, note.message);
    }
    let frames = |plate: &v1::PlannedPlate| {
        let frames = plate.frames.unwrap_or_default();
        (plate.name.clone(), frames.first, frames.last)
    };
    let plates = plan.plates.iter().map(frames).collect();

    // No key is sent, so the pull has its own: what is sent twice is one job.
    let submit = v1::SubmitRequest { pull: Some(order), priority: 5, ..Default::default() };
    let job = pulls.submit(submit.clone()).await.map_err(told)?.into_inner().job;
    let again = pulls.submit(submit).await.map_err(told)?.into_inner();
    let once = again.job == job && again.existed;

    let mut farm = FarmClient::new(channel);
    let watch = farm.watch_job(v1::WatchJobRequest { job }).await.map_err(told)?;
    let mut states = watch.into_inner();
    let mut done = 0;
    while let Some(state) = states.message().await.map_err(told)? {
        let view = state.job.unwrap_or_default();
        done = view.frames_done;
        println!("j{job} {done}/{}", view.frames_total);
    }
    let plan_json = plan.plan_json;
    Ok(Pulled { clips: found.found, plates, plan_json, once, frames: done })
}

#[tokio::main]
async fn main() -> Result<(), Broken> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, show, clips, edl, fdl, out_dir] = args.as_slice() else {
        return Err("pull URL SHOW CLIPS.json EDIT_LIST FDL OUT_DIR".into());
    };
    let files = Files { clips: clips.as_ref(), edl: edl.as_ref(), fdl: fdl.as_ref(), out_dir };
    let pulled = run(url, show, files).await?;
    let Pulled { clips, plates, plan_json, once, frames } = pulled;
    println!("{} plates of {clips} clips, {frames} frames; one job: {once}", plates.len());
    println!("{plan_json}");
    Ok(())
}
