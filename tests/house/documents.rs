//! Documents that must agree with the code. Derived ones are written anew with
//! `PLATEFARM_BLESS=1 cargo test --test house`.

use platefarm_model::code::{CODES, Owner};
use std::fmt::Write;
use std::path::Path;

fn errors_page() -> String {
    let mut page = String::from(
        "# Error codes\n\nA code never changes its meaning. The owner says who has to act, and gives the exit code of the command line.\n\
         `platefarm explain CODE` prints the same. This page is derived from `model/src/code.rs`.\n",
    );
    for info in CODES {
        let owner = match info.owner {
            Owner::Request => "request",
            Owner::Media => "media",
            Owner::Worker => "worker",
            Owner::Farm => "farm",
            Owner::Program => "program",
        };
        let _ = write!(
            page,
            "\n## {}\n\n**{}** (owner: {owner}, exit code {})\n\n{}\n",
            info.text,
            info.summary,
            info.owner.exit_code(),
            info.remedy
        );
    }
    page
}

fn fresh(path: &str, expected: &str) {
    let file = super::root().join(path);
    if std::env::var_os("PLATEFARM_BLESS").is_some() {
        std::fs::write(&file, expected).expect("the page can be written");
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == expected, "{path} is stale: run PLATEFARM_BLESS=1 cargo test --test house");
}

#[test]
fn the_page_of_error_codes_is_fresh() {
    fresh("docs/errors.md", &errors_page());
}

#[test]
fn the_page_and_the_schema_of_inspections_are_fresh() {
    fresh("docs/inspect.md", &super::schema_page::page());
    fresh("docs/inspect.schema.json", &super::schema_page::json_schema());
}

/// The page of tuning speaks of the stages that frames have, in their order, and of no other.
#[test]
fn the_page_of_tuning_has_the_stages_of_a_frame() {
    let page = super::text(Path::new("docs/tuning.md"));
    let part = page.split("\n## ").find(|part| part.starts_with("Where the time goes"));
    let rows = part.expect("the part about stages").lines().filter_map(|line| {
        let name = line.strip_prefix("| `")?.split('`').next()?;
        Some(name)
    });
    assert_eq!(rows.collect::<Vec<_>>(), platefarm_worker::render::STAGES);
}

/// The page of the dashboard has a row for everything that is done there.
#[test]
fn the_page_of_the_dashboard_has_every_deed() {
    let page = super::text(Path::new("docs/dashboard.md"));
    for deed in platefarm_scheduler::offered() {
        let words: Vec<String> = deed.verb.split(' ').map(|word| format!("`{word}`")).collect();
        let row =
            |line: &str| line.starts_with("| ") && words.iter().all(|word| line.contains(word));
        assert!(page.lines().any(row), "docs/dashboard.md does not have `{}`", deed.verb);
    }
}

#[test]
fn the_reference_of_the_protos_is_fresh() {
    fresh("docs/grpc-reference.md", &super::grpc_page::page());
}

/// Every relative link of every page leads somewhere.
#[test]
fn links_lead_somewhere() {
    for page in super::files(&["md"]) {
        let text = super::text(&page);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target =
                target.split('#').next().unwrap_or_default().split(' ').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let file =
                super::root().join(page.parent().unwrap_or_else(|| Path::new(""))).join(target);
            assert!(file.exists(), "{}: {target} leads nowhere", page.display());
        }
    }
}

/// The book has every page, in both of its lists.
#[test]
fn the_book_has_every_page() {
    let lists = ["docs/README.md", "docs/SUMMARY.md"].map(|list| super::text(Path::new(list)));
    for page in super::files(&["md"]).iter().filter(|page| page.starts_with("docs")) {
        let name = page.file_name().expect("a name").to_string_lossy().into_owned();
        for list in &lists {
            let listed = list.contains(&format!("]({name})"));
            assert!(
                listed || name == "README.md" || name == "SUMMARY.md",
                "docs/{name} is not in the book"
            );
        }
    }
}

/// What the README promises is there to be run.
#[test]
fn the_readme_names_commands_that_exist() {
    let readme = super::text(Path::new("README.md"));
    for command in ["cargo xtask demo", "cargo xtask test"] {
        assert!(readme.contains(command), "the README must open with `{command}`");
    }
    assert!(
        super::root().join("xtask/src/demo.rs").exists()
            && super::root().join("xtask/src/test.rs").exists()
    );
}

/// A map that names a place that is gone misleads: every path that the pages
/// name in backticks exists.
#[test]
fn places_that_pages_name_exist() {
    let rooms: Vec<String> = std::fs::read_dir(super::root())
        .expect("the root")
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| format!("{}/", entry.file_name().to_string_lossy()))
        .collect();
    for page in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"] {
        for place in super::text(Path::new(page)).split('`').skip(1).step_by(2) {
            let is_path = !place.contains([' ', '*', '<'])
                && rooms.iter().any(|room| place.starts_with(room.as_str()));
            assert!(
                !is_path || super::root().join(place).exists(),
                "{page}: `{place}` is not there"
            );
        }
    }
}
