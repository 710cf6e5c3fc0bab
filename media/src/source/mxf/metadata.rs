//! Header metadata: sets of properties that refer to each other (SMPTE ST
//! 377-1), and what they say about the one picture track that matters here.

use super::klv::{Item, Label, Value};
use crate::source::range::Ranges;
use platefarm_model::{Code, Fault, FrameRate, Outcome, Timecode};
use std::collections::BTreeMap;

/// Most sets that are kept.
const MAX_SETS: usize = 65_536;
/// Most bytes of a set that are kept, and of all of them together.
const MAX_SET_BYTES: u64 = 4 << 20;
const MAX_BYTES: u64 = 64 << 20;

/// A set: its kind by the end of its key, and its properties by tag.
#[derive(Clone, Debug, Default)]
pub(super) struct Set {
    /// The last eight bytes of the key.
    pub(super) kind: [u8; 8],
    properties: Vec<(u16, Vec<u8>)>,
}

impl Set {
    pub(super) fn get(&self, tag: u16) -> Option<Value<'_>> {
        self.properties.iter().find(|(found, _)| *found == tag).map(|(_, bytes)| Value(bytes))
    }

    /// Whether it is a structural set of that number.
    fn is(&self, number: u8) -> bool {
        self.kind == [0x0D, 0x01, 0x01, 0x01, 0x01, 0x01, number, 0x00]
    }

    fn u32(&self, tag: u16) -> Option<u32> {
        self.get(tag)?.u32(0)
    }

    fn i64(&self, tag: u16) -> Option<i64> {
        self.get(tag)?.u64(0).map(|v| v as i64)
    }

    fn label(&self, tag: u16) -> Option<Label> {
        self.get(tag)?.label(0)
    }
}

/// All sets of a file.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    /// In the order of the file.
    sets: Vec<Set>,
    /// Places of sets by their instance id.
    places: BTreeMap<Label, usize>,
    /// Label of each local tag.
    primer: BTreeMap<u16, Label>,
    bytes: u64,
}

impl Metadata {
    /// Takes in a primer pack or a set.
    pub(super) fn add(&mut self, file: &mut Ranges, item: &Item) -> Outcome<()> {
        if item.len > MAX_SET_BYTES
            || self.bytes + item.len > MAX_BYTES
            || self.sets.len() >= MAX_SETS
        {
            let what = format!("header metadata beyond the limits: a set of {} bytes", item.len);
            return Err(Fault::new(Code::TooLarge, what).at(format!("offset {}", item.at)));
        }
        self.bytes += item.len;
        let bytes = file.take(item.value, item.len)?;
        if item.is_primer() {
            let value = Value(&bytes);
            for at in value.batch(0) {
                if let (Some(tag), Some(label)) = (value.u16(at), value.label(at + 2)) {
                    self.primer.insert(tag, label);
                }
            }
            return Ok(());
        }
        let mut set = Set { kind: [0; 8], properties: Vec::new() };
        set.kind.copy_from_slice(&item.key[8..]);
        let mut rest = &bytes[..];
        while let Some((head, tail)) = rest.split_first_chunk::<4>() {
            let (tag, len) =
                (u16::from_be_bytes([head[0], head[1]]), u16::from_be_bytes([head[2], head[3]]));
            let Some((value, tail)) = tail.split_at_checked(usize::from(len)) else {
                let what = format!("property {tag:04x} of {len} bytes runs out of its set");
                return Err(Fault::new(Code::BadStructure, what).at(format!("offset {}", item.at)));
            };
            set.properties.push((tag, value.to_vec()));
            rest = tail;
        }
        let instance = set.label(0x3C0A).unwrap_or_default();
        // The footer repeats the header's sets, closed; what came first has the id.
        self.places.entry(instance).or_insert(self.sets.len());
        self.sets.push(set);
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    fn of_kind(&self, number: u8) -> impl Iterator<Item = &Set> {
        self.sets.iter().filter(move |set| set.is(number))
    }

    fn at(&self, instance: Label) -> Option<&Set> {
        self.sets.get(*self.places.get(&instance)?)
    }

    fn refs<'a>(&'a self, set: &'a Set, tag: u16) -> impl Iterator<Item = &'a Set> {
        let value = set.get(tag).unwrap_or(Value(&[]));
        value.batch(0).filter_map(move |at| self.at(value.label(at)?))
    }

    /// The picture's descriptor: the one that has a stored size.
    pub(super) fn picture(&self) -> Option<Picture> {
        let set = self.sets.iter().find(|set| {
            set.u32(0x3202).is_some_and(|v| v > 0) && set.u32(0x3203).is_some_and(|v| v > 0)
        })?;
        let [height, width] = [0x3202, 0x3203].map(|tag| set.u32(tag).unwrap_or(0));
        let display = [0x320A, 0x320B, 0x3209, 0x3208].map(|tag| set.u32(tag));
        let active = match display {
            [x, y, Some(w), Some(h)] => Some([x.unwrap_or(0), y.unwrap_or(0), w, h]),
            _ => None,
        };
        Some(Picture {
            width,
            height,
            active,
            coding: set.label(0x3201),
            container: set.label(0x3004),
            duration: set.i64(0x3002).filter(|d| *d > 0),
            rate: set.get(0x3001).and_then(rate),
        })
    }

    /// UMID, name and start timecode: those of the material package, else of a source package.
    pub(super) fn package(&self) -> Package {
        let packages = || self.of_kind(0x36).chain(self.of_kind(0x37));
        let start = packages()
            .find_map(|package| self.refs(package, 0x4403).find_map(|track| self.timecode(track)));
        let first = packages().next();
        Package {
            umid: first
                .and_then(|p| p.get(0x4401))
                .filter(|v| v.0.len() == 32)
                .map(|v| v.0.iter().map(|b| format!("{b:02x}")).collect()),
            name: packages().find_map(|p| p.get(0x4402)?.text()),
            start,
        }
    }

    /// The start of a timecode track.
    fn timecode(&self, track: &Set) -> Option<Timecode> {
        let rate = track.get(0x4B01).and_then(rate)?;
        let sequence = self.at(track.label(0x4803)?)?;
        let component =
            [sequence].into_iter().chain(self.refs(sequence, 0x1001)).find(|set| set.is(0x14))?;
        let drop_frame = component.get(0x1503)?.0.first().is_some_and(|b| *b != 0);
        let drop_frame = drop_frame && rate.timebase().is_multiple_of(30);
        Some(Timecode { frames: component.i64(0x1501)?, rate, drop_frame })
    }

    /// Company, product and version of what wrote the file.
    pub(super) fn writer(&self) -> [Option<String>; 3] {
        let set = self.of_kind(0x30).next();
        [0x3C01, 0x3C02, 0x3C04].map(|tag| set.and_then(|set| set.get(tag)?.text()))
    }

    /// Every property as text: of sets without public names by the label that the primer gives.
    pub(super) fn vendor(&self) -> BTreeMap<String, String> {
        /// Properties that are shown.
        const MOST: usize = 4096;
        let mut out = BTreeMap::new();
        for (index, set) in self.sets.iter().enumerate() {
            let kind: String = set.kind.iter().map(|b| format!("{b:02x}")).collect();
            for (tag, bytes) in &set.properties {
                let shown: String = bytes.iter().take(64).map(|b| format!("{b:02x}")).collect();
                let more = if bytes.len() > 64 { "..." } else { "" };
                let name = match self.primer.get(tag).filter(|_| *tag >= 0x8000) {
                    Some(label) => label[8..].iter().map(|b| format!("{b:02x}")).collect(),
                    None => format!("{tag:04x}"),
                };
                out.insert(format!("mxf.{index:03}.{kind}.{name}"), format!("{shown}{more}"));
                if out.len() >= MOST {
                    return out;
                }
            }
        }
        out
    }
}

/// What the picture descriptor says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Picture {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Left, top, width, height of what is meant to be seen.
    pub(super) active: Option<[u32; 4]>,
    pub(super) coding: Option<Label>,
    pub(super) container: Option<Label>,
    pub(super) duration: Option<i64>,
    pub(super) rate: Option<FrameRate>,
}

/// What the packages say.
#[derive(Clone, Debug, Default)]
pub(super) struct Package {
    pub(super) umid: Option<String>,
    pub(super) name: Option<String>,
    pub(super) start: Option<Timecode>,
}

fn rate(value: Value<'_>) -> Option<FrameRate> {
    FrameRate::new(value.u32(0)?, value.u32(4)?).ok()
}
