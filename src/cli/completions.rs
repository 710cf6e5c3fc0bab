//! `platefarm completions SHELL`: derived from the same tree that parses.

use crate::output::Output;
use serde_json::json;

#[derive(clap::Args)]
pub(super) struct Args {
    /// bash, zsh, fish, elvish or powershell.
    shell: clap_complete::Shell,
}

pub(super) fn run(args: &Args, command: &mut clap::Command, out: &dyn Output) {
    // Into memory first: what generates takes a reader that went away for a bug.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "platefarm", &mut script);
    let script = String::from_utf8_lossy(&script);
    out.text(&script, &json!({ "shell": args.shell.to_string(), "script": script }));
}
