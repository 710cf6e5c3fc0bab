//! The library for people.

use super::table::{self, Align};
use super::{LibraryView, style};
use platefarm_model::schema::{FIELDS, MISSING};
use platefarm_scheduler::library::{Card, Entry, Show};

pub(super) fn show(view: &LibraryView<'_>) {
    match view {
        LibraryView::Added { added, problems } => {
            say!(
                "{} clips added, {} described anew, {} as they were{}",
                added.new,
                added.updated,
                added.unchanged,
                if *problems > 0 {
                    format!("; {problems} problems, see above")
                } else {
                    String::new()
                }
            );
        }
        LibraryView::Entries { entries, count } => list(entries, *count),
        LibraryView::Clip { entry, clip } => {
            say!("{}  {}", style::strong(&entry.id), entry.key.path);
            let known = FIELDS
                .iter()
                .filter_map(|field| Some(vec![field.name.to_owned(), field.of(clip)?.to_string()]));
            let rows: Vec<Vec<String>> = known.collect();
            table::print(&[("FIELD", Align::Left), ("VALUE", Align::Left)], &rows);
            clip.notes.iter().for_each(|note| say!("{} {note}", style::caution("note")));
        }
        LibraryView::Formats { formats: cards } => formats(cards),
        LibraryView::Shows { shows } => productions(shows),
    }
}

fn list(entries: &[Entry], count: usize) {
    if entries.is_empty() {
        say!("no clips");
        return;
    }
    let row = |entry: &Entry| {
        let key = &entry.key;
        let start = key.start.map_or_else(String::new, |start| start.to_string());
        vec![
            entry.id.clone(),
            key.clip_name.clone(),
            key.reel_name.clone().unwrap_or_default(),
            start,
            key.frames.to_string(),
            key.date.clone().unwrap_or_default(),
            entry.show.clone(),
            key.path.clone(),
        ]
    };
    let left = |title| (title, Align::Left);
    table::print_without(
        &["DATE", "SHOW", "REEL"],
        &[
            ("ID", Align::Key),
            left("CLIP"),
            left("REEL"),
            ("START", Align::Key),
            ("FRAMES", Align::Right),
            left("DATE"),
            left("SHOW"),
            left("PATH"),
        ],
        &entries.iter().map(row).collect::<Vec<_>>(),
    );
    if count > entries.len() {
        tell!("{} of {count} clips; --limit shows more", entries.len());
    }
}

/// A value of a table; a dash where nobody gave it.
fn text(value: Option<&String>) -> String {
    value.filter(|text| *text != MISSING).cloned().unwrap_or_else(|| "-".into())
}

fn formats(cards: &[Card]) {
    if cards.is_empty() {
        say!("no formats");
        return;
    }
    let row = |card: &Card| {
        let set = &card.set;
        let mut said: Vec<String> = Vec::new();
        said.extend(set.color.as_ref().map(|c| format!("colour {c}")));
        said.extend(set.squeeze.map(|s| format!("squeeze {s}")));
        said.extend(set.template.as_ref().map(|t| format!("template {t}")));
        said.extend(set.note.clone());
        let key = &card.card.key;
        vec![
            card.id.clone(),
            text(key.camera_letter.as_ref()),
            text(key.camera_model.as_ref()),
            text(key.sensor_mode.as_ref()),
            text(key.codec.as_ref()),
            text(key.lens_squeeze.as_ref()),
            text(card.card.color_space.as_ref()),
            card.card.clip_count.to_string(),
            style::strong(&said.join(", ")),
        ]
    };
    let left = |title| (title, Align::Left);
    table::print_without(
        &["SQUEEZE", "SENSOR MODE", "COLOUR"],
        &[
            ("ID", Align::Key),
            left("CAMERA"),
            left("MODEL"),
            left("SENSOR MODE"),
            left("CODEC"),
            left("SQUEEZE"),
            left("COLOUR"),
            ("CLIPS", Align::Right),
            left("SET BY A PERSON"),
        ],
        &cards.iter().map(row).collect::<Vec<_>>(),
    );
}

fn productions(shows: &[Show]) {
    if shows.is_empty() {
        say!("no shows");
        return;
    }
    let row = |show: &Show| {
        let defaults = &show.defaults;
        vec![
            defaults.show.clone(),
            defaults.rate.map_or_else(|| "-".into(), |rate| rate.to_string()),
            text(defaults.spec.as_ref()),
            text(defaults.fdl.as_ref()),
            text(defaults.amf.as_ref()),
            show.choices.choices.len().to_string(),
        ]
    };
    let left = |title| (title, Align::Left);
    table::print(
        &[
            ("SHOW", Align::Key),
            left("RATE"),
            left("SPEC"),
            left("FDL"),
            left("AMF"),
            ("CHOICES", Align::Right),
        ],
        &shows.iter().map(row).collect::<Vec<_>>(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_gave_is_a_dash() {
        assert_eq!(text(None), "-");
        assert_eq!(text(Some(&MISSING.to_owned())), "-");
        assert_eq!(text(Some(&"A".to_owned())), "A");
    }
}
