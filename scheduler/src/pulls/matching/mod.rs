//! Finding the clip behind an event, in tiers.
//!
//! A clip is found by a name and by its timecode, both. The rules of
//! [`rules`] are tried in order, from the exact to the fuzzy; the first that
//! leads to any clip decides. One clip is a match, and says by which rule and
//! how far that is to be trusted. Two are a conflict: both are shown and none
//! is picked, unless a second name of the event, or a person, says which.
//! A rule below the bar makes no match; what it leads to is a suggestion.
//!
//! - [`names`] and [`times`] say how names and timecodes may agree.
//! - [`ids`] go before names, and before both [`choices`], which are what people decided.
//! - [`gone`] says what becomes of clips whose files went.
//! - [`query`] is what an event says about its clip.
//! - [`notes`] say what a match rests on; [`explain`] says the nearest thing to a match where there is none.
//!
//! Clips are looked up by tables, so that a library of a hundred thousand
//! costs an event little more than one of ten.

mod choices;
mod explain;
mod gone;
mod ids;
mod key;
mod names;
mod notes;
mod query;
mod rules;
mod table;
mod times;

pub use choices::{Choice, Choices};
pub use key::ClipKey;
pub(super) use query::Query;

use names::{camera, normal, one_slip, plain};
use platefarm_model::Fault;
use platefarm_model::pull::{Candidate, Matched, Tier};
use platefarm_standards::editlist::EditList;
use query::Given;
use rules::{CHOSEN, Names, RULES, Rule, UMID};
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use table::{Table, camera_hash, hash};
use times::At;

pub(in crate::pulls) use times::scaled;

/// The lowest score at which a rule makes a match.
pub const BAR: f64 = 0.5;
/// The width that an export for CMX 3600 cuts reels to.
const CUT: usize = 8;

/// Every rule: its name, its score and what it allows.
pub fn rules() -> impl Iterator<Item = (&'static str, f64, &'static str)> {
    RULES.iter().map(|rule| (rule.name, rule.score, rule.doc))
}

/// The clips, by their names and by their times.
pub(super) struct Index<'k> {
    keys: &'k [ClipKey],
    choices: &'k Choices,
    bar: f64,
    /// Whether the reels of the list look cut.
    cut: bool,
    /// Whether the file of any clip is gone.
    some_gone: bool,
    /// Names of the clips, each clip once.
    entries: Vec<Entry>,
    plain: Table,
    umid: HashMap<String, Vec<u32>>,
    // Made when a rule asks: a list that matches exactly needs none of them.
    normal: OnceCell<Table>,
    camera: OnceCell<Table>,
    /// Names in order, so that those with one beginning stand together.
    sorted: OnceCell<Vec<(String, Entry)>>,
    /// Clips by the minutes of the day that they touch.
    minutes: OnceCell<Vec<Vec<u32>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry {
    clip: u32,
    field: Field,
}

/// Which name of a clip it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    ClipName,
    ReelName,
}

impl Field {
    const fn word(self) -> &'static str {
        match self {
            Self::ClipName => "clip name",
            Self::ReelName => "reel name",
        }
    }
}

/// A clip that holds an event.
pub(super) struct Found {
    /// Its place in the list of clips.
    pub(super) clip: usize,
    /// Index within the clip of the take's first written frame.
    pub(super) index: i64,
    /// Frames of the clip per frame of the list, as a ratio.
    pub(super) per_frame: [i64; 2],
    /// Frames of the list before its first within that frame of the clip.
    pub(super) phase: i64,
    /// What made the match.
    pub(super) matched: Matched,
    /// Whether the event's reel led to it, whole.
    pub(super) by_reel: bool,
    /// What was assumed.
    pub(super) notes: Vec<Fault>,
}

/// Why there is none.
pub(super) struct Miss {
    pub(super) fault: Fault,
    /// Clips between which to choose, or the nearest ones.
    pub(super) candidates: Vec<Candidate>,
    /// No clip bears any of the event's names.
    pub(super) unnamed: bool,
}

/// A clip that a rule leads to.
#[derive(Clone, Copy)]
struct Hit {
    clip: u32,
    at: At,
    given: Given,
    field: Field,
}

impl<'k> Index<'k> {
    /// Finds clips for the events of `list`.
    pub(super) fn new(
        list: &EditList,
        keys: &'k [ClipKey],
        choices: &'k Choices,
        bar: f64,
    ) -> Self {
        let mut umid: HashMap<String, Vec<u32>> = HashMap::new();
        let (mut entries, mut hashes) =
            (Vec::with_capacity(2 * keys.len()), Vec::with_capacity(2 * keys.len()));
        // A directory that is searched twice gives no clip a double.
        let mut seen = HashSet::with_capacity(keys.len());
        for (clip, key) in keys.iter().enumerate() {
            if !seen.insert((key.path.as_str(), key.clip_name.as_str())) {
                continue;
            }
            let clip = clip as u32;
            for (name, field) in key.plain_names() {
                if !normal(&name).is_empty() {
                    entries.push(Entry { clip, field });
                    hashes.push(hash(&name));
                }
            }
            for id in key.umid.iter().chain(&key.uuid) {
                umid.entry(key::digits(id)).or_default().push(clip);
            }
        }
        let plain = Table::of(hashes.into_iter().zip(entries.iter().copied()));
        Self {
            keys,
            choices,
            bar,
            cut: list.reels_look_cut(),
            some_gone: keys.iter().any(|key| key.gone),
            entries,
            plain,
            umid,
            normal: OnceCell::new(),
            camera: OnceCell::new(),
            sorted: OnceCell::new(),
            minutes: OnceCell::new(),
        }
    }

    /// The name that an entry is of, in its [`plain`] form.
    fn name(&self, entry: Entry) -> String {
        let key = self.key(entry.clip);
        match entry.field {
            Field::ClipName => plain(&key.clip_name),
            Field::ReelName => key.reel_name.as_deref().map(plain).unwrap_or_default(),
        }
    }

    /// Entries of this [`plain`] name.
    fn plainly(&self, name: &str) -> Vec<Entry> {
        self.plain.of_hash(hash(name)).filter(|entry| self.name(*entry) == name).collect()
    }

    /// Entries of this [`normal`] name.
    fn normally(&self, name: &str) -> Vec<Entry> {
        let table = self.normal.get_or_init(|| {
            Table::of(self.entries.iter().map(|e| (hash(&normal(&self.name(*e))), *e)))
        });
        let same = table.of_hash(hash(name));
        same.filter(|entry| normal(&self.name(*entry)) == name).collect()
    }

    /// Entries whose names mean this to a camera.
    fn by_camera(&self, wanted: &(String, u32, u32)) -> Vec<Entry> {
        let table = self.camera.get_or_init(|| {
            let meant = |e: &Entry| Some((camera_hash(&camera(&self.name(*e))?), *e));
            Table::of(self.entries.iter().filter_map(meant))
        });
        let same = table.of_hash(camera_hash(wanted));
        same.filter(|entry| camera(&self.name(*entry)).as_ref() == Some(wanted)).collect()
    }

    /// The one clip that holds the take.
    pub(super) fn find(&self, query: &Query<'_>) -> Result<Found, Box<Miss>> {
        let mut found = self.first(query)?;
        found.notes.extend(self.instead_of(&found, query));
        Ok(found)
    }

    /// What the first rule that leads to a clip which is there says.
    fn first(&self, query: &Query<'_>) -> Result<Found, Box<Miss>> {
        if let Some(chosen) = self.chosen(query) {
            return chosen;
        }
        if let Some(found) = self.by_id(query) {
            return found;
        }
        let mut lost = None;
        for rule in RULES {
            let hits = self.hits(rule, query);
            if hits.iter().all(|hit| self.key(hit.clip).gone) {
                if !hits.is_empty() && rule.score >= self.bar {
                    lost.get_or_insert((rule, hits));
                }
                continue;
            }
            if rule.score < self.bar {
                // What is gone is nearer than what is only worth a look.
                if lost.is_some() {
                    break;
                }
                return Err(Box::new(self.suggest(rule, &hits, query)));
            }
            if let [hit] = hits.as_slice() {
                return Ok(self.found(rule, *hit, "", query));
            }
            return match self.decide(&hits, query) {
                Some((hit, by)) if !self.key(hit.clip).gone => {
                    Ok(self.found(rule, hit, &by, query))
                }
                _ => Err(Box::new(self.conflict(rule, &hits, query))),
            };
        }
        Err(Box::new(match lost {
            Some((rule, hits)) => self.lost(rule, &hits, query),
            None => self.miss(query),
        }))
    }

    fn key(&self, clip: u32) -> &'k ClipKey {
        &self.keys[clip as usize]
    }

    /// Whether the event's reel may be the beginning of a longer one.
    fn looks_cut(&self, query: &Query<'_>) -> bool {
        let mut reels = query.given(Given::Reel);
        self.cut && reels.any(|(_, reel)| plain(reel).chars().count() == CUT)
    }

    /// The clips that a rule leads to, each once.
    fn hits(&self, rule: &Rule, query: &Query<'_>) -> Vec<Hit> {
        let mut hits: Vec<Hit> = Vec::new();
        self.collect(rule.names, rule, query, &mut hits);
        // What is a roll's whole name may be how a clip's name begins, too.
        if rule.names == Names::Reel && !hits.is_empty() && self.looks_cut(query) {
            self.collect(Names::Cut, rule, query, &mut hits);
        }
        hits
    }

    /// Adds the clips that names lead to, at the rule's times, to those that are there.
    fn collect(&self, names: Names, rule: &Rule, query: &Query<'_>, hits: &mut Vec<Hit>) {
        for (given, entry) in self.named(names, query) {
            if hits.iter().any(|hit| hit.clip == entry.clip) {
                continue;
            }
            if let Some(at) = (rule.times)(self.key(entry.clip), query) {
                hits.push(Hit { clip: entry.clip, at, given, field: entry.field });
            }
        }
    }

    /// The clips that names lead to.
    fn named(&self, names: Names, query: &Query<'_>) -> Vec<(Given, Entry)> {
        let with = |given: Given, entries: Vec<Entry>| entries.into_iter().map(move |e| (given, e));
        let exact = |(given, name): (Given, &str)| with(given, self.plainly(&plain(name)));
        let each = query.names.iter().copied();
        match names {
            Names::Reel => {
                let mut all: Vec<_> = query.given(Given::Reel).flat_map(exact).collect();
                // Whether it is all of a clip's name cannot be seen, so `cut-reel` takes it.
                if self.looks_cut(query) {
                    all.retain(|(_, entry)| entry.field == Field::ReelName);
                }
                all
            }
            Names::Alias => query
                .given(Given::SourceFile)
                .chain(query.given(Given::ClipName))
                .flat_map(exact)
                .collect(),
            Names::Normal => each
                .flat_map(|(given, name)| with(given, self.normally(&normal(&plain(name)))))
                .collect(),
            Names::Camera => each
                .filter_map(|(given, name)| Some((given, camera(&plain(name))?)))
                .flat_map(|(given, camera)| with(given, self.by_camera(&camera)))
                .collect(),
            Names::Any => {
                let mut all = self.named(Names::Normal, query);
                all.extend(self.named(Names::Camera, query));
                all
            }
            Names::AnyClip => {
                let mut all = self.named(Names::Any, query);
                all.retain(|(_, entry)| entry.field == Field::ClipName);
                all
            }
            Names::Cut => {
                let whole = self.looks_cut(query);
                let reels = query.given(Given::Reel);
                reels.flat_map(|(given, reel)| self.cut(given, reel, whole)).collect()
            }
            Names::Slip => self.slips(query),
            Names::LetterAndDate => self.by_letter_and_date(query),
        }
    }

    /// Names that go on where a reel ends that has a width of list formats; those that end
    /// there too where `whole` names are meant as well.
    fn cut(&self, given: Given, reel: &str, whole: bool) -> Vec<(Given, Entry)> {
        let reel = plain(reel);
        if !matches!(reel.chars().count(), CUT | 16 | 32) {
            return Vec::new();
        }
        let sorted = self.sorted.get_or_init(|| {
            let mut all: Vec<(String, Entry)> =
                self.entries.iter().map(|entry| (self.name(*entry), *entry)).collect();
            all.sort_by(|a, b| (&a.0, a.1.clip).cmp(&(&b.0, b.1.clip)));
            all
        });
        let before = |name: &str| name < reel.as_str() || (name == reel && !whole);
        let from = sorted.partition_point(|(name, _)| before(name));
        let begins = sorted[from..].iter().take_while(|(name, _)| name.starts_with(&reel));
        begins.map(|(_, entry)| (given, *entry)).collect()
    }

    /// Clips that have the query's first frame, or count the same minute.
    fn about(&self, query: &Query<'_>) -> impl Iterator<Item = u32> + '_ {
        let minutes = self.minutes.get_or_init(|| {
            let mut minutes = vec![Vec::new(); key::DAY as usize];
            for (i, key) in self.keys.iter().enumerate() {
                for minute in key.minutes() {
                    minutes[minute as usize].push(i as u32);
                }
            }
            minutes
        });
        let [h, m, ..] = query.start.fields();
        minutes.get((h * 60 + m) as usize).into_iter().flatten().copied()
    }

    fn slips(&self, query: &Query<'_>) -> Vec<(Given, Entry)> {
        let wanted: Vec<(Given, String)> =
            query.names.iter().map(|(given, name)| (*given, normal(&plain(name)))).collect();
        let mut found = Vec::new();
        for clip in self.about(query) {
            for (name, field) in self.key(clip).plain_names() {
                let name = normal(&name);
                let slips = wanted.iter().filter(|(_, wanted)| one_slip(wanted, &name));
                found.extend(slips.map(|(given, _)| (*given, Entry { clip, field })));
            }
        }
        found
    }

    fn by_letter_and_date(&self, query: &Query<'_>) -> Vec<(Given, Entry)> {
        let mut wanted = query.names.iter().filter_map(|(given, name)| {
            let name = plain(name);
            Some((*given, camera(&name)?.0, key::date_in(&name)?))
        });
        let Some((given, letter, date)) = wanted.next() else { return Vec::new() };
        let same = |clip: &u32| {
            let key = self.key(*clip);
            key.letter.as_ref() == Some(&letter) && key.date.as_ref() == Some(&date)
        };
        let entry = |clip| (given, Entry { clip, field: Field::ClipName });
        self.about(query).filter(same).map(entry).collect()
    }

    /// Between clips that all pass: the one that a second name of the event names too.
    fn decide(&self, hits: &[Hit], query: &Query<'_>) -> Option<(Hit, String)> {
        for (other, second) in &query.names {
            let second = plain(second);
            let ways: [&dyn Fn() -> Vec<Entry>; 2] =
                [&|| self.plainly(&second), &|| self.normally(&normal(&second))];
            for way in ways {
                let also: HashSet<u32> = way().into_iter().map(|entry| entry.clip).collect();
                let mut left =
                    hits.iter().filter(|hit| hit.given != *other && also.contains(&hit.clip));
                if let (Some(hit), None) = (left.next(), left.next()) {
                    return Some((*hit, format!(", and {}", other.word())));
                }
            }
        }
        None
    }

    fn found(&self, rule: &Rule, hit: Hit, decided_by: &str, query: &Query<'_>) -> Found {
        let (given, field) = (hit.given.word(), hit.field.word());
        let name = self.name(Entry { clip: hit.clip, field: hit.field });
        let is_whole = query.given(hit.given).any(|(_, given)| plain(given) == name);
        let equal = match rule.names {
            Names::Cut if !is_whole => "start of ",
            Names::Slip => "one slip from ",
            Names::LetterAndDate => "camera and date of ",
            _ => "",
        };
        let exact = rule.score >= 1.0;
        let matched = Matched {
            tier: if exact { Tier::Exact } else { Tier::Fuzzy },
            rule: rule.name.into(),
            score: rule.score,
            by: format!("{given} = {equal}{field}{decided_by}"),
            runner_up: self.runner_up(rule, hit.clip, query),
        };
        let by_reel = hit.given == Given::Reel && rule.names != Names::Cut;
        self.made(hit.clip, hit.at, matched, by_reel, query)
    }

    /// The best other clip that a later rule leads to.
    fn runner_up(&self, won: &Rule, clip: u32, query: &Query<'_>) -> Option<Candidate> {
        // Behind an exact match only another name of the event can speak for another clip.
        let later = RULES.iter().filter(|rule| rule.score < won.score && rule.score >= self.bar);
        let most = if won.score >= 1.0 { 1 } else { RULES.len() };
        later.take(most).find_map(|rule| {
            let hit = self.hits(rule, query).into_iter().find(|hit| hit.clip != clip)?;
            Some(self.candidate(rule.name, rule.score, hit.clip))
        })
    }

    fn candidate(&self, rule: &str, score: f64, clip: u32) -> Candidate {
        let key = self.key(clip);
        Candidate {
            path: key.path.clone(),
            clip_name: key.clip_name.clone(),
            reel_name: key.reel_name.clone(),
            timecodes: key.timecodes(),
            rule: rule.into(),
            score,
            gone: key.gone,
        }
    }

    fn made(&self, clip: u32, at: At, matched: Matched, by_reel: bool, query: &Query<'_>) -> Found {
        let key = self.key(clip);
        let notes = notes::of(key, &matched, at, query);
        Found {
            clip: clip as usize,
            index: at.index,
            per_frame: at.per_frame,
            phase: at.phase,
            matched,
            by_reel,
            notes,
        }
    }
}

#[cfg(test)]
mod tests;
