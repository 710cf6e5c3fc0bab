//! `platefarm mhl ...`: ASC MHL, the seal on a directory.
//!
//! Exit codes are those of the reference tool where it has one (10 missing
//! files, 11 modified, 12 directory hashes, 21 new files, 30 no history, 31 to
//! 33 manifest modified, chain missing, manifest missing), else 3; 0 only when
//! all is well.

use crate::output::{Output, Progress};
use platefarm_media::mhl::{self, CreateOptions, Scope};
use platefarm_model::{Code, Fault, Outcome, Timestamp};
use platefarm_standards::mhl::{Author, Checked, Creator, Format, Kind, exit_code};
use std::path::{Path, PathBuf};

#[derive(clap::Subcommand)]
pub(super) enum Verb {
    /// Seal a directory: add a generation to its history, or begin one.
    Create(Box<CreateArgs>),
    /// Hold a directory against its history, and say everything that is wrong.
    Verify {
        /// The sealed directory, or an MHL file of version 1.
        dir: PathBuf,
        /// Check the hashes of directories too, which find more than the specification asks for.
        #[arg(long)]
        directory_hashes: bool,
    },
    /// Show the generations of a history and of those inside it.
    Info {
        /// The sealed directory.
        dir: PathBuf,
    },
    /// Say which files came and went since the last generation, without reading any.
    Diff {
        /// The sealed directory.
        dir: PathBuf,
    },
}

#[derive(clap::Args)]
pub(super) struct CreateArgs {
    /// The directory to seal.
    dir: PathBuf,
    /// Hash format to record: xxh128, xxh3, xxh64, md5, sha1, c4; may be given several times [default: xxh128]
    #[arg(long = "hash", short = 'H', value_name = "FORMAT")]
    formats: Vec<String>,
    /// Leave directory hashes out.
    #[arg(long)]
    no_directory_hashes: bool,
    /// Tell files that were only renamed from files that came and went.
    #[arg(long)]
    detect_renames: bool,
    /// Record this file only, by its path from the directory; may be given several times.
    #[arg(long = "file", value_name = "PATH")]
    only: Vec<String>,
    /// Pattern of what is left out from now on (as in .gitignore); may be given several times.
    #[arg(long, value_name = "PATTERN")]
    ignore: Vec<String>,
    /// File with such patterns, one a line.
    #[arg(long, value_name = "FILE")]
    ignore_file: Option<PathBuf>,
    /// Name of the person who seals.
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
    /// Their e-mail address.
    #[arg(long, value_name = "ADDRESS", requires = "author")]
    author_email: Option<String>,
    /// Their telephone number.
    #[arg(long, value_name = "NUMBER", requires = "author")]
    author_phone: Option<String>,
    /// Their role.
    #[arg(long, value_name = "ROLE", requires = "author")]
    author_role: Option<String>,
    /// Where this happens.
    #[arg(long, value_name = "TEXT")]
    location: Option<String>,
    /// A remark.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
}

/// Runs, and says how the program ends.
pub(super) fn run(verb: &Verb, out: &dyn Output) -> Outcome<u8> {
    match verb {
        Verb::Create(args) => create(args, out),
        Verb::Verify { dir, directory_hashes } => {
            let scope = Scope { directories: *directory_hashes, ..Scope::default() };
            let total = out.talks().then(|| mhl::recorded_bytes(dir)).flatten();
            let checked = Progress::reading(out.talks(), total, || {
                if dir.is_file() {
                    mhl::examine_legacy(dir)
                } else {
                    Ok(mhl::examine(there(dir)?, scope))
                }
            })?;
            Ok(told(dir, &checked, out))
        }
        Verb::Diff { dir } => {
            let scope = Scope { names_only: true, ..Scope::default() };
            let checked = mhl::examine(there(dir)?, scope);
            let code = told(dir, &checked, out);
            // Of names alone, what is missing weighs more: the reference tool's order here.
            let only = |kind| checked.problems.iter().any(|p| p.kind == kind);
            Ok(if code == 21 && only(Kind::Missing) { 10 } else { code })
        }
        Verb::Info { dir } => {
            let (histories, problems) = mhl::info(there(dir)?);
            if histories.is_empty() && problems.is_empty() {
                let none = mhl::examine(dir, Scope { names_only: true, ..Scope::default() });
                return Ok(told(dir, &none, out));
            }
            out.histories(&dir.display().to_string(), &histories, &problems);
            Ok(exit_code(&problems))
        }
    }
}

fn there(dir: &Path) -> Outcome<&Path> {
    if platefarm_media::storage::metadata(dir).is_ok_and(|found| found.is_dir()) {
        return Ok(dir);
    }
    let message = format!("'{}' is no directory", dir.display());
    Err(Fault::new(Code::FileNotFound, message))
}

fn told(dir: &Path, checked: &Checked, out: &dyn Output) -> u8 {
    out.verified(&dir.display().to_string(), checked);
    exit_code(&checked.problems)
}

fn create(args: &CreateArgs, out: &dyn Output) -> Outcome<u8> {
    let dir = there(&args.dir)?;
    let formats =
        args.formats.iter().map(|name| super::choice("hash", &Format::ALL, Format::name, name));
    let mut ignore = args.ignore.clone();
    if let Some(path) = &args.ignore_file {
        let text = super::render::read_document(path)?;
        let text = String::from_utf8_lossy(&text);
        let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
        ignore.extend(lines.map(str::to_owned));
    }
    let options = CreateOptions {
        formats: formats.collect::<Outcome<_>>()?,
        ignore,
        directories: !args.no_directory_hashes,
        renames: args.detect_renames,
        only: args.only.iter().map(|path| path.trim_start_matches("./").to_owned()).collect(),
        creator: creator(args),
        created: now(),
    };
    let created =
        Progress::reading_as_told(out.talks(), |told| mhl::create_and_tell(dir, &options, told))?;
    out.sealed(&dir.display().to_string(), &created);
    Ok(exit_code(&created.appended.problems))
}

fn creator(args: &CreateArgs) -> Creator {
    let author = args.author.as_ref().map(|name| Author {
        name: name.clone(),
        email: args.author_email.clone(),
        phone: args.author_phone.clone(),
        role: args.author_role.clone(),
    });
    Creator {
        host: host(),
        tool: ("platefarm".into(), Some(env!("CARGO_PKG_VERSION").into())),
        authors: author.into_iter().collect(),
        location: args.location.clone(),
        comment: args.comment.clone(),
        ..Creator::default()
    }
}

fn host() -> String {
    let read = |path| std::fs::read_to_string(path).ok().map(|name| name.trim().to_owned());
    let told = std::env::var("HOSTNAME").ok();
    let known =
        told.or_else(|| read("/proc/sys/kernel/hostname")).or_else(|| read("/etc/hostname"));
    known.filter(|name| !name.is_empty()).unwrap_or_else(|| "localhost".into())
}

fn now() -> Timestamp {
    let since =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
