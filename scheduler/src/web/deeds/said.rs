//! What a form of the page says: texts by the names of its fields, read as the
//! command line reads them. A field that is empty says nothing.

use platefarm_model::utc::Utc;
use platefarm_model::{Code, Fault, Outcome, Timestamp};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// The values of a form.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(in crate::web) struct Said(BTreeMap<String, String>);

/// A value that is not what it should be.
fn unread(name: &str, text: &str, what: &str, remedy: &str) -> Fault {
    Fault::new(Code::UnknownOption, format!("'{text}' is no {what}")).at(name).remedy(remedy)
}

impl Said {
    /// Refuses fields that a form does not have.
    pub(in crate::web) fn only<'f>(&self, fields: impl Iterator<Item = &'f str>) -> Outcome<()> {
        let fields: Vec<&str> = fields.collect();
        match self.0.keys().find(|name| !fields.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => {
                let there = if fields.is_empty() { "none".into() } else { fields.join(", ") };
                Err(Fault::new(Code::UnknownOption, format!("there is no field '{name}'"))
                    .remedy(format!("Its fields: {there}.")))
            }
        }
    }

    pub(in crate::web) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    /// What is said of a field that stays as it is where nothing is: blank takes its value back.
    pub(in crate::web) fn change(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|text| text.trim().to_owned())
    }

    pub(in crate::web) fn flag(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text != "false")
    }

    /// A value that reads itself.
    pub(in crate::web) fn read<T: FromStr<Err = Fault>>(&self, name: &str) -> Outcome<Option<T>> {
        let read = |text: &str| text.parse::<T>().map_err(|fault| fault.at(name));
        self.text(name).map(read).transpose()
    }

    pub(in crate::web) fn number<T: FromStr>(&self, name: &str) -> Outcome<Option<T>> {
        let read = |text: &str| {
            let bad = |_| unread(name, text, "number here", "Write a whole number, as in 12.");
            text.parse::<T>().map_err(bad)
        };
        self.text(name).map(read).transpose()
    }

    pub(in crate::web) fn time(&self, name: &str) -> Outcome<Option<Timestamp>> {
        let read = |text: &str| {
            Utc::parse(text)
                .ok_or_else(|| unread(name, text, "time", "Write 2026-12-24T18:00Z (UTC)."))
        };
        self.text(name).map(read).transpose()
    }

    /// Words with blanks or commas between them.
    pub(in crate::web) fn words(&self, name: &str) -> BTreeSet<String> {
        let text = self.text(name).unwrap_or_default();
        let words = text.split(|c: char| c == ',' || c.is_whitespace());
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::FrameSet;

    #[test]
    fn a_form_is_read_as_the_command_line_is() {
        let said: Said = serde_json::from_str(
            r#"{"n":" -4 ","none":"  ","bad":"many","frames":"1-4,9","when":"2026-12-24T18:00Z",
                "words":"nvme, rack=3  b"}"#,
        )
        .unwrap();
        assert_eq!(said.number::<i32>("n"), Ok(Some(-4)));
        assert_eq!(said.number::<u32>("none"), Ok(None), "blanks say nothing");
        assert_eq!(said.number::<u32>("absent"), Ok(None));
        let refused = said.number::<u32>("n").unwrap_err();
        assert_eq!((refused.code, refused.place.as_deref()), (Code::UnknownOption, Some("n")));
        assert!(said.number::<u32>("bad").unwrap_err().to_string().contains("'many'"));
        assert_eq!(said.read::<FrameSet>("frames").unwrap().unwrap().len(), 5);
        assert_eq!(said.read::<FrameSet>("bad").unwrap_err().place.as_deref(), Some("bad"));
        assert_eq!(said.time("when"), Ok(Some(Timestamp(1_798_135_200_000_000))));
        assert!(said.time("frames").is_err());
        assert_eq!(said.words("words").into_iter().collect::<Vec<_>>(), ["b", "nvme", "rack=3"]);
        assert!(said.words("none").is_empty());
        let fields = ["n", "none", "bad", "frames", "when"];
        let refused = said.only(fields.into_iter()).unwrap_err();
        assert!(refused.message.contains("'words'"), "{refused}");
        assert!(said.only(fields.into_iter().chain(["words"])).is_ok());
    }
}
