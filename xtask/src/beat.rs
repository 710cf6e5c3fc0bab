//! `cargo xtask beat [--seconds N]`: the beaten-up test of the whole program,
//! on SQLite and on PostgreSQL, again and again with other moments, until the
//! time is up. A failure prints the seed that replays it.

use std::time::{Duration, Instant};

/// Runs the rounds that fit into the time, at least one.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let seconds = match args {
        [] => 60,
        [name, value] if name == "--seconds" => {
            value.parse().map_err(|_| format!("--seconds {value} is not a number"))?
        }
        _ => return Err("usage: cargo xtask beat [--seconds N]".into()),
    };
    let begun = Instant::now();
    let since_epoch = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    let mut seed = since_epoch.as_secs();
    let mut rounds = 0;
    while rounds == 0 || begun.elapsed() < Duration::from_secs(seconds) {
        let mut command = super::cargo();
        command.env("PLATEFARM_SEED", seed.to_string());
        command.args(["test", "--quiet", "--test", "e2e", "--", "chaos::", "--nocapture"]);
        super::run(&mut command)
            .map_err(|e| format!("{e}; replay it with PLATEFARM_SEED={seed}"))?;
        rounds += 1;
        seed += 1;
    }
    println!("{rounds} rounds in {:?}: every package whole and bit-identical", begun.elapsed());
    Ok(())
}
