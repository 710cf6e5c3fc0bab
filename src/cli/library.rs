//! `platefarm library ...`: clips that were inspected, to be found again, with
//! or without a farm.

use crate::cli::defaults::DefaultTerms;
use crate::cli::runtime;
use crate::embedded::state_dir;
use crate::output::{LibraryView, Output, Progress};
use platefarm_media::card;
use platefarm_model::{Code, Fault, Outcome};
use platefarm_scheduler::library::{Library, Override, Search};
use platefarm_scheduler::store::Place;
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    store: StoreArg,
    #[command(subcommand)]
    verb: Verb,
}

/// Where the library is.
#[derive(clap::Args)]
pub(super) struct StoreArg {
    /// Store of the library: a file, sqlite:FILE, or the farm's own postgres://USER@HOST/DATABASE [default: a file of this user]
    #[arg(
        long = "library-store",
        env = "PLATEFARM_LIBRARY",
        hide_env_values = true,
        value_name = "PLACE",
        global = true
    )]
    place: Option<Place>,
}

impl StoreArg {
    pub(super) fn place(&self) -> Place {
        self.place.clone().unwrap_or_else(|| Place::Sqlite(state_dir().join("library.db")))
    }

    /// Whether somebody named a store, or there is one from before.
    pub(super) fn is_there(&self) -> bool {
        match self.place() {
            Place::Sqlite(path) => self.place.is_some() || path.exists(),
            Place::Postgres(_) => true,
        }
    }
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Inspect clips and keep what they say.
    Add {
        /// Camera files, or directories that are searched for clips.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Show that they are for.
        #[arg(long, default_value = "")]
        show: String,
    },
    /// Find clips by parts of what they say: name, path, reel, camera, scene, lens, format.
    Search {
        /// Words, and fields such as reel:A001 tc:10:00:00:00-10:05:00:00 date:2026-11-30
        words: Vec<String>,
        /// Show that the clips were added for.
        #[arg(long)]
        show: Option<String>,
        /// Part of the reel.
        #[arg(long)]
        reel: Option<String>,
        /// Letter of the camera unit.
        #[arg(long)]
        camera: Option<String>,
        /// A timecode, or a range: 10:00:00:00-10:05:00:00
        #[arg(long, value_name = "TC[-TC]")]
        tc: Option<String>,
        /// A day, or a range: 2026-11-01..2026-11-30
        #[arg(long, value_name = "DATE[..DATE]")]
        date: Option<String>,
        /// Part of the camera format: model, codec, sensor mode.
        #[arg(long)]
        format: Option<String>,
        /// Most clips to print.
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: usize,
    },
    /// Everything about one clip, by its id, path or name.
    Show {
        /// The clip.
        clip: String,
    },
    /// Camera formats, and what holds for all their footage.
    Formats {
        /// Formats of this show's clips only.
        #[arg(long)]
        show: Option<String>,
        /// Set something for a format, by its id; it holds for later footage too. What is not said stays.
        #[arg(long, value_name = "ID")]
        set: Option<String>,
        /// Encoding and gamut of its pixels, as `platefarm color list` names them.
        #[arg(long, requires = "set")]
        color: Option<String>,
        /// Squeeze of its lens.
        #[arg(long, requires = "set")]
        squeeze: Option<f64>,
        /// Canvas template of the FDL that frames it.
        #[arg(long, requires = "set")]
        template: Option<String>,
        /// Why.
        #[arg(long, requires = "set")]
        note: Option<String>,
        /// Take back all that was set for a format.
        #[arg(long, value_name = "ID", conflicts_with = "set")]
        clear: Option<String>,
    },
    /// Forget clips, by their ids.
    Forget {
        /// Ids, as search prints them.
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// What holds for all pulls of a show, where no farm runs: `platefarm shows` says it to a farm.
    Shows {
        /// The show; without one, all are listed.
        name: Option<String>,
        #[command(flatten)]
        terms: DefaultTerms,
    },
}

pub(super) fn run(args: Args, out: &dyn Output) -> Outcome<()> {
    let place = args.store.place();
    runtime()?.block_on(async {
        let library = Library::open(&place).await?;
        match args.verb {
            Verb::Add { paths, show } => add(&library, &paths, &show, out).await,
            Verb::Search { words, show, reel, camera, tc, date, format, limit } => {
                let mut search = Search::parse(&words)?;
                let fields = [
                    ("show", show),
                    ("reel", reel),
                    ("camera", camera),
                    ("tc", tc),
                    ("date", date),
                    ("format", format),
                ];
                for (field, value) in fields {
                    if let Some(value) = value {
                        search.set(field, &value).map_err(|f| f.within(format!("--{field}")))?;
                    }
                }
                let (entries, count) = library.search(&search, limit).await?;
                out.library(&LibraryView::Entries { entries: &entries, count });
                Ok(())
            }
            Verb::Show { clip } => {
                let (entry, clip) = library.find(&clip).await?;
                out.library(&LibraryView::Clip { entry: &entry, clip: &clip });
                Ok(())
            }
            Verb::Formats { show, set, color, squeeze, template, note, clear } => {
                if let Some(color) = &color {
                    platefarm_model::color::name::to_aces(color)
                        .map_err(|f| f.within("--color"))?;
                }
                let wanted = Override { color, squeeze, template, note };
                let cards = match (set, clear) {
                    (Some(id), _) if wanted.is_empty() => {
                        return Err(Fault::new(Code::Usage, format!("nothing is set for '{id}'"))
                            .remedy("Give --color, --squeeze or --template, or --clear ID."));
                    }
                    (Some(id), _) => vec![library.set_format(&id, &wanted).await?],
                    (None, Some(id)) => {
                        vec![library.set_format(&id, &Override::default()).await?]
                    }
                    (None, None) => library.formats(show.as_deref()).await?,
                };
                out.library(&LibraryView::Formats { formats: &cards });
                Ok(())
            }
            Verb::Forget { ids } => {
                let gone = library.forget(&ids).await?;
                let said = format!("{gone} of {} clips forgotten", ids.len());
                out.did(&said, &json!({ "forgotten": gone, "asked": ids.len() }));
                Ok(())
            }
            Verb::Shows { name: None, .. } => {
                out.library(&LibraryView::Shows { shows: &library.shows().await? });
                Ok(())
            }
            Verb::Shows { name: Some(name), terms } => {
                let change = terms.change()?;
                let show = match change.is_empty() {
                    true => library.show(&name).await?,
                    false => library.set_show(&name, change).await?,
                };
                out.library(&LibraryView::Shows { shows: &[show] });
                Ok(())
            }
        }
    })
}

async fn add(library: &Library, paths: &[PathBuf], show: &str, out: &dyn Output) -> Outcome<()> {
    let paths: Vec<PathBuf> = paths
        .iter()
        .map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone()))
        .collect();
    let mut card = Progress::looking(out.talks(), || card::inspect(&paths));
    // Plates of earlier pulls carry the reel and timecode of the clips that they were made from.
    card.clips.retain(|clip| !clip.is_plate());
    if card.clips.is_empty() && card.problems.is_empty() {
        let paths: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
        return Err(Fault::new(Code::NoMedia, format!("no clip in {}", paths.join(", "))));
    }
    card.problems.iter().for_each(|problem| out.warn(problem));
    let added = library.add(show, &card.clips).await?;
    out.library(&LibraryView::Added { added, problems: card.problems.len() });
    if card.clips.is_empty() {
        card.problems.first().map_or(Ok(()), |f| Err(f.clone()))
    } else {
        Ok(())
    }
}
