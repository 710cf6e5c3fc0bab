//! `cargo xtask sim` and `cargo xtask plot`: long runs of the farm in a box, and
//! the picture of a burst.

use crate::cargo;
use std::path::Path;

/// `sim [--seeds N] [--from SEED]`: the seeded world, optimised, on every core.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let (mut seeds, mut from) = (100_000_u64, 0_u64);
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let to = match arg.as_str() {
            "--seeds" => &mut seeds,
            "--from" => &mut from,
            other => return Err(format!("'{other}' is not known; see --seeds N, --from SEED")),
        };
        let value = rest.next().ok_or_else(|| format!("{arg} needs a number"))?;
        *to = value.parse().map_err(|_| format!("'{value}' is not a number"))?;
    }
    let name = "farms_keep_their_promises_whatever_breaks";
    let mut command = cargo();
    command.args([
        "test",
        "--locked",
        "--release",
        "-p",
        "platefarm-world",
        "--test",
        "world",
        name,
        "--",
        "--nocapture",
    ]);
    command.env("PLATEFARM_SIM_SEEDS", seeds.to_string());
    command.env("PLATEFARM_SIM_FROM", from.to_string());
    crate::run(&mut command)
}

/// `plot [FILE]`: a burst in virtual time as an SVG.
pub(crate) fn plot(args: &[String]) -> Result<(), String> {
    let file = match args {
        [] => crate::root().join("docs/images/burst.svg"),
        [file] => std::path::absolute(Path::new(file)).map_err(|e| e.to_string())?,
        _ => return Err("takes one file at most".into()),
    };
    if let Some(dir) = file.parent() {
        std::fs::create_dir_all(dir).map_err(|e| e.to_string())?;
    }
    let name = "an_urgent_pull_swarms_over_the_farm_and_gives_it_back";
    let mut command = cargo();
    command.args(["test", "--locked", "-p", "platefarm-scheduler", "--lib", name]);
    crate::run(command.env("PLATEFARM_PLOT", &file))?;
    println!("{}", file.display());
    Ok(())
}
