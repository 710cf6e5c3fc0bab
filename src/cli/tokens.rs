//! `platefarm tokens ...`, `platefarm whoami`, `platefarm audit`: who may
//! enter a farm, and what people did there.

use crate::cli::typed::unread;
use crate::cli::{Global, person, runtime};
use crate::farm::Farm;
use crate::output::Output;
use platefarm_model::trust::{NewToken, Role};
use platefarm_model::{Code, Fault, Outcome, Secret, Timestamp};
use platefarm_proto::dial::fingerprint;
use platefarm_scheduler::store::{AuditPage, Place, TrustStore};
use platefarm_scheduler::trust::direct::{self, Hand};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(clap::Subcommand)]
pub(super) enum Verb {
    /// Make a token. Its word is shown once, and kept nowhere.
    Create(Create),
    /// List tokens; their words are not known any more.
    List {
        /// Those that have expired or were revoked, too.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        store: Direct,
    },
    /// End a token at once.
    Revoke {
        /// Its id, as the list shows it.
        id: String,
        #[command(flatten)]
        store: Direct,
    },
}

#[derive(clap::Args)]
pub(super) struct Create {
    /// What its holder may do: viewer, submitter, operator, worker, admin.
    #[arg(long)]
    role: Role,
    /// Whose it is, or what for: shown in lists and in the audit log.
    #[arg(long)]
    name: String,
    /// Show that its holder sees; may be given several times [default: all]
    #[arg(long = "show", value_name = "SHOW")]
    shows: Vec<String>,
    /// How long it is good: 90d, 12h, 30m [default: until it is revoked]
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    expires: Option<u64>,
    /// Client certificate (PEM) that stands for the token, instead of a word.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Write the word to a new file that only you can read, instead of showing it.
    #[arg(long, value_name = "FILE", conflicts_with = "certificate")]
    out: Option<PathBuf>,
    #[command(flatten)]
    store: Direct,
}

/// Works on a store instead of asking a scheduler.
#[derive(clap::Args)]
pub(super) struct Direct {
    /// Work on this store itself: for the first token of a farm, or when no admin can enter.
    #[arg(long, value_name = "URL")]
    store: Option<Place>,
}

#[derive(clap::Args)]
pub(super) struct AuditArgs {
    /// Only what this name did.
    #[arg(long)]
    who: Option<String>,
    /// Most entries, newest first.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
    /// Read it in this store itself: when no scheduler answers, or no admin can enter.
    #[arg(long, value_name = "URL")]
    store: Option<Place>,
}

/// Who works on a store, as far as the system says.
fn hand() -> Hand {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = Some(host.trim().to_owned()).filter(|host| !host.is_empty());
    let host = host.or_else(|| std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty()));
    Hand { user: person::user(), host: host.unwrap_or_else(|| "unknown".to_owned()) }
}

pub(super) fn run(verb: Verb, global: &Global, out: &dyn Output) -> Outcome<()> {
    runtime()?.block_on(async {
        match verb {
            Verb::Create(args) => create(args, global, out).await?,
            Verb::List { all, store } => {
                let tokens = match &store.store {
                    Some(place) => {
                        let rows = TrustStore::open(place).await?.tokens().await?;
                        let rows = rows.into_iter().map(|row| row.view);
                        rows.filter(|token| all || token.is_good(now())).collect()
                    }
                    None => Farm::connect(global.dial()?).await?.tokens(!all).await?,
                };
                out.tokens(&tokens, now());
            }
            Verb::Revoke { id, store } => {
                let token = match &store.store {
                    Some(place) => {
                        let store = TrustStore::open(place).await?;
                        direct::revoke(&store, &id, &hand(), now()).await?.view
                    }
                    None => Farm::connect(global.dial()?).await?.revoke(&id).await?,
                };
                out.tokens(&[token], now());
            }
        }
        Ok(())
    })
}

async fn create(args: Create, global: &Global, out: &dyn Output) -> Outcome<()> {
    let certificate = args.certificate.as_deref().map(fingerprint).transpose()?;
    let new = NewToken {
        name: args.name,
        role: args.role,
        shows: args.shows,
        lifetime_s: args.expires,
        certificate,
    };
    new.check()?;
    // Before the token is there: a word that cannot be written would be lost.
    let file = args.out.as_deref().map(Fresh::make).transpose()?;
    let (view, word) = match &args.store.store {
        Some(place) => {
            direct::create(&TrustStore::open(place).await?, &new, &hand(), now()).await?
        }
        None => Farm::connect(global.dial()?).await?.create_token(&new).await?,
    };
    match (file, &word) {
        (Some(file), Some(word)) => {
            let path = file.keep(word)?;
            out.token_made(&view, None);
            out.note(&format!("its word is in {}", path.display()));
        }
        _ => out.token_made(&view, word.as_ref()),
    }
    Ok(())
}

pub(super) fn audit(args: &AuditArgs, global: &Global, out: &dyn Output) -> Outcome<()> {
    runtime()?.block_on(async {
        let entries = match &args.store {
            Some(place) => {
                let who = args.who.clone();
                let page = AuditPage { before: None, who, limit: args.limit };
                TrustStore::open(place).await?.audit(&page).await?
            }
            None => {
                let mut farm = Farm::connect(global.dial()?).await?;
                farm.audit(args.who.as_deref(), args.limit).await?
            }
        };
        out.audit(&entries);
        Ok(())
    })
}

pub(super) fn whoami(global: &Global, out: &dyn Output) -> Outcome<()> {
    runtime()?.block_on(async {
        let me = Farm::connect(global.dial()?).await?.who_am_i().await?;
        out.caller(&me);
        Ok(())
    })
}

/// A new file that nobody else can read; gone again unless it is kept.
struct Fresh {
    path: PathBuf,
    file: Option<std::fs::File>,
}

impl Fresh {
    fn make(path: &Path) -> Outcome<Self> {
        let mut options = std::fs::File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|e| {
            let code = match e.kind() {
                std::io::ErrorKind::AlreadyExists => Code::OutputExists,
                _ => Code::NotWritable,
            };
            Fault::new(code, format!("cannot make '{}'", path.display()))
                .because(&e)
                .remedy("Name a file that is not there yet, in a directory that you may write.")
        })?;
        Ok(Self { path: path.to_owned(), file: Some(file) })
    }

    fn keep(mut self, word: &Secret) -> Outcome<PathBuf> {
        if let Some(mut file) = self.file.take() {
            let written = writeln!(file, "{}", word.expose()).and_then(|()| file.sync_all());
            written.map_err(|e| {
                Fault::new(Code::WriteFailed, "the word could not be written, and is lost")
                    .at(self.path.display().to_string())
                    .because(&e)
                    .remedy("Revoke the token, and make another.")
            })?;
        }
        Ok(std::mem::take(&mut self.path))
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Seconds of a time as it is typed: `90d`, `12h`, `30m`, `45s`.
fn lifetime(text: &str) -> Outcome<u64> {
    let bad = || unread(text, "time", "Write it as in 90d, 12h, 30m or 45s.");
    let unit = text.chars().next_back().ok_or_else(bad)?;
    let seconds = match unit {
        'd' => 86_400,
        'h' => 3_600,
        'm' => 60,
        's' => 1,
        _ => return Err(bad()),
    };
    let count: u64 = text[..text.len() - 1].parse().map_err(|_| bad())?;
    count.checked_mul(seconds).filter(|s| *s > 0).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::lifetime;

    #[test]
    fn times_read_what_people_write() {
        assert_eq!(lifetime("90d"), Ok(7_776_000));
        assert_eq!(lifetime("45s"), Ok(45));
        for bad in ["", "d", "0h", "-1d", "5", "1w", "99999999999999999d", "5é"] {
            assert!(lifetime(bad).is_err(), "{bad}");
        }
    }
}
