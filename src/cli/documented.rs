//! Every command that the pages show is one that this program takes.

use super::Cli;
use clap::{CommandFactory, Parser};
use std::path::{Path, PathBuf};

/// Pages for people.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).expect("the book").flatten().map(|e| e.path());
    let mut pages: Vec<PathBuf> =
        docs.filter(|path| path.extension().is_some_and(|e| e == "md")).collect();
    pages.push(root.join("README.md"));
    pages.sort();
    pages
}

/// A page as its lines of shell blocks, each whole, and the text around all blocks.
fn parts(page: &str) -> (Vec<String>, String) {
    let (mut blocks, mut prose) = (String::new(), String::new());
    let mut inside: Option<bool> = None;
    for line in page.lines() {
        let fence = line.trim_start().strip_prefix("```");
        match (fence, inside) {
            (Some(kind), None) => inside = Some(kind.is_empty() || kind == "sh"),
            (Some(_), Some(_)) => inside = None,
            (None, Some(true)) => blocks.extend([line, "\n"]),
            (None, Some(false)) => {}
            (None, None) => prose.extend([line, "\n"]),
        }
    }
    let whole = blocks.replace("\\\n", " ");
    (whole.lines().map(|line| line.trim().to_owned()).collect(), prose)
}

/// Words as a shell has them, without comments, assignments before the program, and what follows it.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let (mut word, mut quote, mut open) = (String::new(), None, false);
    for c in line.chars().chain([' ']) {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (None, '"' | '\'') => (quote, open) = (Some(c), true),
            (None, '#') if word.is_empty() && !open => break,
            (None, c) if c.is_whitespace() => {
                if open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                open = false;
            }
            _ => word.push(c),
        }
    }
    let assigned = words.iter().take_while(|w| w.contains('=') && !w.starts_with('-')).count();
    let words = words.into_iter().skip(assigned);
    words.take_while(|w| !matches!(w.as_str(), "&" | "|" | "&&" | ">" | "||" | ";")).collect()
}

#[test]
fn every_command_that_the_pages_show_is_taken() {
    let mut count = 0;
    for path in pages() {
        let page = std::fs::read_to_string(&path).expect("a page");
        for line in parts(&page).0 {
            let mut words = words(&line);
            if words.first().is_none_or(|word| word != "platefarm") {
                continue;
            }
            // What a page leaves out on purpose, and what it has a reader fill in.
            if words.iter().any(|word| word == "..." || word == "COMMAND") {
                continue;
            }
            count += 1;
            words.iter_mut().for_each(|word| *word = word.replace('~', "/home"));
            if let Err(error) = Cli::try_parse_from(&words) {
                let shown = !error.use_stderr();
                assert!(shown, "{}: {line}\n{error}", path.display());
            }
        }
    }
    assert!(count > 60, "{count} commands were found");
}

/// In a sentence a command may be without its arguments; its verbs exist.
#[test]
fn every_verb_that_a_sentence_names_is_there() {
    for path in pages() {
        let page = std::fs::read_to_string(&path).expect("a page");
        for code in parts(&page).1.split('`').skip(1).step_by(2) {
            let Some(rest) = code.strip_prefix("platefarm ") else { continue };
            let mut command = Cli::command();
            for word in rest.split(['|', ' ']).map_while(|word| word.split_whitespace().next()) {
                let plain = word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
                    && !word.starts_with('-');
                if !plain || !command.has_subcommands() {
                    break;
                }
                let found = command.find_subcommand(word);
                let found = found
                    .unwrap_or_else(|| panic!("{}: `{code}`: no verb '{word}'", path.display()));
                command = found.clone();
                // `mhl create|verify` names several of one.
                if rest.contains('|') {
                    break;
                }
            }
        }
    }
}
