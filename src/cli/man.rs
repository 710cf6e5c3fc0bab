//! `platefarm man`: pages of the manual, derived from the same tree that parses.

use super::global::EXIT_CODES;
use crate::output::Output;
use clap::builder::{Resettable, StyledStr};
use platefarm_media::publish;
use platefarm_model::{Code, Fault, Outcome};
use serde_json::json;
use std::collections::BTreeMap;
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

/// What a page has beyond what is typed: how the program ends, what it reads of its
/// surroundings, and where to read on.
fn beyond(command: &clap::Command) -> String {
    let mut text = String::from(".SH \"EXIT STATUS\"\n");
    for (code, what) in EXIT_CODES {
        text.push_str(&entry(&code.to_string(), what));
    }
    let name = file_name(command);
    if name.starts_with("platefarm-mhl") {
        let what =
            "a directory is not as its history has it, as the reference tool of ASC MHL says it";
        text.push_str(&entry("10 to 33", what));
    }
    let read: BTreeMap<String, String> =
        command.get_arguments().filter(|arg| !arg.is_hide_set()).filter_map(read).collect();
    text.push_str(".SH ENVIRONMENT\n");
    read.iter().for_each(|(name, what)| text.push_str(&entry(name, what)));
    text.push_str(&entry("NO_COLOR", "no colour, whatever the terminal"));
    text.push_str(&entry("TERM", "dumb: no colour"));
    text.push_str(&entry("COLUMNS", "width of tables, where it is not the terminal's"));
    text.push_str(".SH \"SEE ALSO\"\n");
    let mut others: Vec<String> = parents(&name);
    others.extend(command.get_subcommands().filter(|sub| shown(sub)).map(file_name));
    others.push("platefarm-explain.1".into());
    others.retain(|other| *other != name);
    others.dedup();
    let link = |file: &String| format!("\\fB{}\\fR(1)", plain(file.trim_end_matches(".1")));
    text.push_str(&others.iter().map(link).collect::<Vec<_>>().join(",\n"));
    text.push('\n');
    text
}

/// A variable, and the option that it stands for.
fn read(arg: &clap::Arg) -> Option<(String, String)> {
    let name = arg.get_env()?.to_string_lossy().into_owned();
    Some((name, format!("stands for --{} where that is not given", arg.get_long()?)))
}

/// The pages of the verbs that a verb is of: of `platefarm-jobs-list.1` those of the program and of `jobs`.
fn parents(file: &str) -> Vec<String> {
    let words: Vec<&str> = file.trim_end_matches(".1").split('-').collect();
    match words.as_slice() {
        [program, verb, _, ..] => vec![format!("{program}.1"), format!("{program}-{verb}.1")],
        [program, ..] => vec![format!("{program}.1")],
        [] => Vec::new(),
    }
}

fn entry(name: &str, what: &str) -> String {
    format!(".TP\n\\fB{}\\fR\n{}\n", plain(name), plain(what))
}

/// As roff has it: a hyphen is a minus sign that can be copied.
fn plain(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

fn page(command: &clap::Command) -> Outcome<Vec<u8>> {
    let mut page = Vec::new();
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    // The page of a verb is found by its whole name.
    // Its exit codes have a section of their own here.
    let bare = command.clone().after_help(Resettable::<StyledStr>::Reset);
    let man = clap_mangen::Man::new(bare).title(name).manual("platefarm");
    man.render(&mut page)
        .map_err(|e| Fault::new(Code::Internal, "the page cannot be made").because(&e))?;
    page.extend(beyond(command).into_bytes());
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown_page(verb: &[&str]) -> String {
        let mut root = crate::cli::typed::command();
        root.build();
        let verb: Vec<String> = verb.iter().map(|word| (*word).to_owned()).collect();
        String::from_utf8(page(named(&root, &verb).unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn a_page_says_how_it_ends_what_it_reads_and_where_to_go_on() {
        let list = shown_page(&["jobs", "list"]);
        for text in [
            ".SH \"EXIT STATUS\"\n.TP\n\\fB0\\fR\ndone\n",
            "\\fBPLATEFARM_FARM\\fR\nstands for \\-\\-farm",
            ".SH \"SEE ALSO\"\n\\fBplatefarm\\fR(1),\n\\fBplatefarm\\-jobs\\fR(1),",
        ] {
            assert!(list.contains(text), "no {text}: {list}");
        }
        // What does not reach a farm reads nothing of one.
        assert!(!shown_page(&["inspect"]).contains("PLATEFARM_FARM"));
        assert!(shown_page(&["mhl", "verify"]).contains("10 to 33"));
        assert!(shown_page(&[]).contains("platefarm\\-whoami"));
    }
}
