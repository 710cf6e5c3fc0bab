//! `cargo xtask day`: a day on the farm, from PostgreSQL to the last package,
//! with pictures of the dashboard along the way. The long form of the tests.

use crate::{cargo, root};
use std::path::Path;

/// Builds, and lives through the day; the pictures are the book's.
pub(crate) fn run(_: &[String]) -> Result<(), String> {
    let keep = root().join("docs/images/day");
    std::fs::create_dir_all(&keep).map_err(|e| format!("cannot make {}: {e}", keep.display()))?;
    live(Some(&keep))?;
    println!("pictures of the day: {}", keep.display());
    Ok(())
}

/// The day, with pictures where they are kept.
pub(crate) fn live(keep: Option<&Path>) -> Result<(), String> {
    let mut command = cargo();
    command.args(["test", "--workspace", "--locked", "--test", "e2e", "--"]);
    command.args(["day::", "--ignored", "--nocapture"]);
    if let Some(keep) = keep {
        command.env("PLATEFARM_KEEP", keep);
    }
    crate::run(&mut command)
}
