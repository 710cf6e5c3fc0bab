//! Decoders that are not ours to ship, as programs beside us: a bridge is any
//! executable that answers a few requests on its standard input and output
//! (docs/bridge.md). It may crash, hang or lie; that costs a frame and an
//! error that names it. Which bridges there are is configured, never searched.

mod check;
mod client;
mod folder;
mod protocol;
pub(super) mod vendors;

pub use check::{CheckReport, RuleResult, check};
pub use client::BridgeCommand;

use super::pictures::check_index;
use super::{Clip, Sequence, Source};
use client::Bridge;
use platefarm_model::clip::ClipInfo;
use platefarm_model::raw::{Frame, Layout};
use platefarm_model::{Code, Fault, Outcome};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Seconds that an answer may take when the configuration does not say.
pub const DEFAULT_LIMIT_S: u64 = 120;

/// Which bridges there are.
#[derive(Clone, Debug, Default)]
pub struct Bridges {
    bridges: Vec<Configured>,
}

#[derive(Clone, Debug)]
struct Configured {
    command: BridgeCommand,
    /// Lower case, without the dot.
    extensions: Vec<String>,
}

/// The configuration as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    bridge: Vec<WrittenBridge>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenBridge {
    name: String,
    command: Vec<String>,
    extensions: Vec<String>,
    #[serde(default = "default_limit")]
    seconds: u64,
}

const fn default_limit() -> u64 {
    DEFAULT_LIMIT_S
}

impl Bridges {
    /// Reads a configuration: TOML, a `[[bridge]]` each with `name`, `command`, `extensions` and, if
    /// 120 are not right, `seconds`.
    ///
    /// # Errors
    /// [`Code::BadConfig`], with the place.
    pub fn parse(text: &str) -> Outcome<Self> {
        let written: Written = toml::from_str(text).map_err(|e| {
            Fault::new(Code::BadConfig, e.message().to_owned()).at(e.span().map_or_else(
                String::new,
                |span| {
                    format!("line {}", text[..span.start.min(text.len())].matches('\n').count() + 1)
                },
            ))
        })?;
        let mut bridges = Vec::new();
        for bridge in written.bridge {
            let bad = |what: &str| {
                Err(Fault::new(Code::BadConfig, format!("bridge '{}' {what}", bridge.name)))
            };
            if bridge.command.first().is_none_or(String::is_empty) {
                return bad("has no command");
            }
            if bridge.extensions.is_empty() {
                return bad("has no extensions");
            }
            if !(1..=3600).contains(&bridge.seconds) {
                return bad("may wait for 1 to 3600 seconds");
            }
            let extensions = bridge.extensions.iter();
            bridges.push(Configured {
                extensions: extensions
                    .map(|e| e.trim_start_matches('.').to_ascii_lowercase())
                    .collect(),
                command: BridgeCommand {
                    name: bridge.name,
                    command: bridge.command.into_iter().map(Into::into).collect(),
                    limit: Duration::from_secs(bridge.seconds),
                },
            });
        }
        Ok(Self { bridges })
    }

    /// The bridge of that name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<BridgeCommand> {
        self.bridges.iter().find(|b| b.command.name == name).map(|b| b.command.clone())
    }

    /// Every bridge, in the order of the configuration.
    pub fn commands(&self) -> impl Iterator<Item = &BridgeCommand> {
        self.bridges.iter().map(|bridge| &bridge.command)
    }

    fn for_path(&self, path: &Path) -> Option<&Configured> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        self.bridges.iter().find(|bridge| bridge.extensions.contains(&extension))
    }
}

/// What this process was told, and the extensions that follow from it.
struct Known {
    bridges: Bridges,
    extensions: Vec<&'static str>,
}

static KNOWN: OnceLock<Known> = OnceLock::new();

/// Says once, before any clip is opened, which bridges this process uses.
///
/// # Errors
/// [`Code::Internal`] when it was said before, or clips were opened already.
pub fn configure(bridges: Bridges) -> Outcome<()> {
    let mut extensions: Vec<&'static str> = vendors::EXTENSIONS.to_vec();
    for extension in bridges.bridges.iter().flat_map(|bridge| &bridge.extensions) {
        if !extensions.contains(&extension.as_str()) {
            // Once in the life of a process.
            extensions.push(Box::leak(extension.clone().into_boxed_str()));
        }
    }
    KNOWN
        .set(Known { bridges, extensions })
        .map_err(|_| Fault::new(Code::Internal, "bridges are configured once, and first"))
}

/// What an answer to `open` says of a clip; for the fuzz targets, which have no bridge to ask.
///
/// # Errors
/// As opening a clip through a bridge that answers so.
#[doc(hidden)]
pub fn opened(answer: &[u8]) -> Outcome<ClipInfo> {
    let opened: protocol::Opened = serde_json::from_slice(answer).map_err(|e| {
        Fault::new(Code::DecoderFailed, "the answer is not one to 'open'").because(&e)
    })?;
    let (layout, _) = opened.layout()?;
    Ok(opened.info(&layout, "bridge"))
}

fn known() -> &'static Known {
    KNOWN.get_or_init(|| Known {
        bridges: Bridges::default(),
        extensions: vendors::EXTENSIONS.to_vec(),
    })
}

/// Opens a clip through this bridge, configured or not.
///
/// # Errors
/// What the bridge says; [`Code::BadBridge`], [`Code::DecoderHung`] or [`Code::NoDecoder`] for the
/// bridge itself.
pub fn open(command: &BridgeCommand, path: &Path) -> Outcome<Box<dyn Clip>> {
    Ok(Box::new(BridgedClip::open(command, &Sequence::whole(path))?))
}

/// The reader that asks bridges.
pub(super) struct Bridged;

impl Source for Bridged {
    fn name(&self) -> &'static str {
        "bridge"
    }

    fn doc(&self) -> &'static str {
        "formats of makers' own decoders (R3D, BRAW, N-RAW, CRM) through configured bridges"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &known().extensions
    }

    fn probe(&self, _: &[u8], path: &Path) -> bool {
        let Some(configured) = known().bridges.for_path(path) else { return false };
        Bridge::start(&configured.command)
            .and_then(|mut bridge| bridge.probe(path))
            .unwrap_or(false)
    }

    fn needs_disk(&self) -> bool {
        true
    }

    fn whole_clip(&self) -> bool {
        true
    }

    fn open(&self, sequence: Sequence) -> Outcome<Box<dyn Clip>> {
        let path = sequence.first_file();
        let Some(configured) = known().bridges.for_path(path) else { return Err(refusal(path)) };
        let clip = BridgedClip::open(&configured.command, &sequence)?;
        Ok(Box::new(clip))
    }
}

/// Why a file of a maker's own format is not read.
fn refusal(path: &Path) -> Fault {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let place = path.display().to_string();
    match vendors::by_extension(&extension.to_ascii_lowercase()) {
        Some(vendor) => vendor.refusal().at(place),
        None => Fault::new(Code::NoDecoder, format!("no bridge reads '.{extension}'")).at(place),
    }
}

/// A clip that a bridge has open.
struct BridgedClip {
    command: BridgeCommand,
    path: PathBuf,
    info: ClipInfo,
    layout: Layout,
    frame_bytes: u64,
    talk: Mutex<Option<Talk>>,
}

struct Talk {
    bridge: Bridge,
    clip: u64,
}

impl BridgedClip {
    fn open(command: &BridgeCommand, sequence: &Sequence) -> Outcome<Self> {
        let path = std::path::absolute(sequence.first_file())
            .unwrap_or_else(|_| sequence.first_file().to_owned());
        let named = |fault: Fault| named(fault, command, &path);
        let mut bridge = Bridge::start(command).map_err(named)?;
        let opened = bridge.open(&path).map_err(named)?;
        let (layout, frame_bytes) = opened.layout().map_err(named)?;
        let mut info = opened.info(&layout, "bridge");
        info.path = sequence.first_file().to_string_lossy().into_owned();
        info.identity.clip_name.clone_from(&sequence.name);
        let hello = &bridge.hello;
        info.vendor.insert("bridge.name".into(), hello.name.clone());
        info.vendor.insert("bridge.version".into(), hello.version.clone());
        if opened.frames == 1 {
            info.notes.push(Fault::new(
                Code::MetadataAbsent,
                "a clip of one frame: a bridge reads one file as one clip, so if this file is one \
                 of a sequence, its neighbours are clips of their own",
            ));
        }
        let talk = Mutex::new(Some(Talk { clip: opened.clip, bridge }));
        Ok(Self { command: command.clone(), path, info, layout, frame_bytes, talk })
    }

    /// Asks for a frame; a bridge that broke down is started once more.
    fn frame(&self, index: i64) -> Outcome<Vec<u8>> {
        let mut talk = self.talk.lock().unwrap_or_else(PoisonError::into_inner);
        let first = match talk.as_mut() {
            Some(open) => open.bridge.frame(open.clip, index, self.frame_bytes),
            None => Err(Fault::new(Code::DecoderFailed, "is not running")),
        };
        match first {
            Err(fault) if broke_down(&fault) => {}
            answered => return answered,
        }
        *talk = None;
        let mut open = self.restart()?;
        let second = open.bridge.frame(open.clip, index, self.frame_bytes);
        if !second.as_ref().is_err_and(broke_down) {
            *talk = Some(open);
        }
        second
    }

    fn restart(&self) -> Outcome<Talk> {
        let mut bridge = Bridge::start(&self.command)?;
        let opened = bridge.open(&self.path)?;
        let (layout, _) = opened.layout()?;
        if !layout.same(&self.layout) {
            return Err(Fault::new(Code::BadBridge, "opens the clip with another layout"));
        }
        Ok(Talk { clip: opened.clip, bridge })
    }
}

/// Whether the bridge, and not the file, is to blame.
fn broke_down(fault: &Fault) -> bool {
    matches!(fault.code, Code::BadBridge | Code::DecoderHung | Code::DecoderFailed)
}

/// The fault with the names of the bridge and the file.
fn named(fault: Fault, command: &BridgeCommand, path: &Path) -> Fault {
    fault.within(format!("bridge '{}': {}", command.name, path.display()))
}

impl Clip for BridgedClip {
    fn info(&self) -> &ClipInfo {
        &self.info
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, index: i64) -> Outcome<Frame> {
        check_index(index, &self.info)?;
        let bytes = self.frame(index).map_err(|f| named(f, &self.command, &self.path))?;
        Ok(Frame { layout: self.layout.clone(), bytes })
    }

    fn frame_file(&self, _: i64) -> Option<&Path> {
        Some(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_read_or_refused() {
        let text = "[[bridge]]\nname = \"red\"\ncommand = [\"redbridge\", \"-x\"]\nextensions = [\".R3D\"]\n";
        let bridges = Bridges::parse(text).unwrap();
        let found = bridges.for_path(Path::new("a/A001.r3d")).unwrap();
        assert_eq!(found.command.name, "red");
        assert_eq!(found.command.command, ["redbridge", "-x"]);
        assert_eq!(found.command.limit, Duration::from_secs(120));
        assert!(bridges.for_path(Path::new("a/A001.dng")).is_none());
        assert!(Bridges::parse("").unwrap().bridges.is_empty());
        for bad in [
            "[[bridge]]\nname = \"red\"\n",
            &text.replace("[\"redbridge\", \"-x\"]", "[]"),
            &text.replace("[\".R3D\"]", "[]"),
            &format!("{text}seconds = 0\n"),
            &format!("{text}colour = true\n"),
            "bridge = 3",
            "[[",
        ] {
            assert_eq!(Bridges::parse(bad).unwrap_err().code, Code::BadConfig, "{bad}");
        }
    }

    #[test]
    fn a_makers_format_is_refused_by_name() {
        let fault = refusal(Path::new("A001_C001.R3D"));
        assert_eq!(fault.code, Code::NoDecoder);
        assert!(fault.message.contains("REDCODE") && fault.remedy_text().contains("REDline"));
    }
}
