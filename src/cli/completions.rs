//! `platefarm completions SHELL`: derived from the same tree that parses.

#[derive(clap::Args)]
pub(super) struct Args {
    /// bash, zsh, fish, elvish or powershell.
    shell: clap_complete::Shell,
}

pub(super) fn run(args: &Args, command: &mut clap::Command) {
    clap_complete::generate(args.shell, command, "platefarm", &mut std::io::stdout());
}
