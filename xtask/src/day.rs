//! `cargo xtask day`: a day on the farm, from PostgreSQL to the last package,
//! with pictures of the dashboard along the way. The long form of the tests.

use crate::{cargo, root};

/// Builds, and lives through the day.
pub(crate) fn run(_: &[String]) -> Result<(), String> {
    let keep = root().join("docs/images/day");
    std::fs::create_dir_all(&keep).map_err(|e| format!("cannot make {}: {e}", keep.display()))?;
    let test = ["test", "--workspace", "--locked", "--test", "e2e", "--"];
    let day = ["day::", "--ignored", "--nocapture"];
    crate::run(cargo().args(test).args(day).env("PLATEFARM_KEEP", &keep))?;
    println!("pictures of the day: {}", keep.display());
    Ok(())
}
