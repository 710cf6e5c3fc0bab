//! `platefarm man`: pages of the manual, derived from the same tree that parses.

use crate::output::Output;
use platefarm_media::publish;
use platefarm_model::{Code, Fault, Outcome};
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The verb whose page is printed, as in `man jobs list` [default: the program's]
    verb: Vec<String>,
    /// Write every page into this directory instead, as platefarm-jobs-list.1 and the like.
    #[arg(long, value_name = "DIR", conflicts_with = "verb")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args, mut root: clap::Command, out: &dyn Output) -> Outcome<()> {
    root.build();
    let Some(dir) = &args.out else {
        let verb = named(&root, &args.verb)?;
        let page = page(verb)?;
        let page = String::from_utf8_lossy(&page);
        out.text(&page, &json!({ "page": file_name(verb), "text": page }));
        return Ok(());
    };
    publish::make_dirs(dir)?;
    let mut commands = vec![&root];
    while let Some(command) = commands.pop() {
        let name = file_name(command);
        publish::write_atomic(&dir.join(&name), &page(command)?)?;
        out.made(&dir.join(&name).display().to_string());
        commands.extend(command.get_subcommands().filter(|sub| shown(sub)));
    }
    Ok(())
}

/// What the help shows, the manual has.
fn shown(command: &clap::Command) -> bool {
    !command.is_hide_set() && command.get_name() != "help"
}

fn named<'a>(root: &'a clap::Command, verb: &[String]) -> Outcome<&'a clap::Command> {
    verb.iter().try_fold(root, |command, word| {
        command.find_subcommand(word).filter(|sub| shown(sub)).ok_or_else(|| {
            let there: Vec<&str> = command
                .get_subcommands()
                .filter(|sub| shown(sub))
                .map(clap::Command::get_name)
                .collect();
            let message = format!("'{}' has no verb '{word}'", command.get_name());
            let remedy = match there.is_empty() {
                true => "See its own page.".to_owned(),
                false => format!("Choose one of: {}.", there.join(", ")),
            };
            Fault::new(Code::UnknownOption, message).remedy(remedy)
        })
    })
}

/// `platefarm-jobs-list.1`
fn file_name(command: &clap::Command) -> String {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    format!("{name}.1")
}

fn page(command: &clap::Command) -> Outcome<Vec<u8>> {
    let mut page = Vec::new();
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    // The page of a verb is found by its whole name.
    let man = clap_mangen::Man::new(command.clone()).title(name).manual("platefarm");
    man.render(&mut page)
        .map_err(|e| Fault::new(Code::Internal, "the page cannot be made").because(&e))?;
    Ok(page)
}
