//! The template of a plate's name: text with fields in braces, numbers with
//! their digits behind a colon. Read and checked before anything is named.

use super::naming::is_legal_byte;
use platefarm_model::{Code, Fault, Outcome};

/// Fields that a template may have.
pub const FIELDS: &[&str] = &["show", "shot", "event", "clip", "reel", "plate", "version"];

/// A template, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// A field of [`FIELDS`], and the digits of a number.
    Field(&'static str, usize),
}

impl Template {
    pub(super) fn parse(text: &str) -> Outcome<Self> {
        let bad = |what: String| {
            Fault::new(Code::BadNaming, format!("'{text}' is no naming template: {what}"))
                .at("naming.plate")
        };
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let (literal, field) = rest.split_at(open);
            if !literal.is_empty() {
                parts.push(Part::Text(literal.to_owned()));
            }
            let (field, behind) = field
                .strip_prefix('{')
                .and_then(|field| field.split_once('}'))
                .ok_or_else(|| bad("a brace without its other half".into()))?;
            let (name, digits) = field.split_once(':').unwrap_or((field, "0"));
            let known = FIELDS.iter().find(|known| **known == name);
            let known = known.ok_or_else(|| bad(format!("there is no field '{{{name}}}'")))?;
            let digits = digits.parse().ok().filter(|digits| *digits <= 9);
            let digits = digits.ok_or_else(|| {
                bad(format!("'{field}' is no count of digits; write as in {{version:03}}"))
            })?;
            parts.push(Part::Field(known, digits));
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        let illegal = |part: &Part| match part {
            Part::Text(text) => text.chars().find(|c| !c.is_ascii() || !is_legal_byte(*c as u8)),
            Part::Field(..) => None,
        };
        if let Some(c) = parts.iter().find_map(illegal) {
            return Err(bad(format!("'{c}' is not legal in the name of a file")));
        }
        let template = Self(parts);
        if !template.has("version") {
            return Err(bad("without {version} a re-pull could not be told apart".into()));
        }
        if !["shot", "event", "clip"].iter().any(|name| template.has(name)) {
            return Err(bad("one of {shot}, {event} and {clip} must tell plates apart".into()));
        }
        Ok(template)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Field(field, _) if *field == name))
    }

    pub(super) fn fill(&self, value: impl Fn(&str) -> Value) -> String {
        let mut name = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Field(field, digits) => match value(field) {
                    Value::Text(text) => name.push_str(&text),
                    Value::Number(number) => name.push_str(&format!("{number:0digits$}")),
                },
            }
        }
        name
    }
}

/// What a field is filled with.
pub(super) enum Value {
    Text(String),
    Number(u64),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_checked_before_anything_is_named() {
        let parsed = Template::parse("{shot}_PL{plate:02}_v{version:03}").unwrap();
        let name = parsed.fill(|field| match field {
            "shot" => Value::Text("A_010".into()),
            _ => Value::Number(7),
        });
        assert_eq!(name, "A_010_PL07_v007");
        for (text, what) in [
            ("{shot}_v{version", "brace"),
            ("{shot}}_v{version}", "brace"),
            ("{scene}_v{version}", "{scene}"),
            ("{shot} v{version}", "' '"),
            ("{shot}/v{version}", "'/'"),
            ("{shot}_PL{plate:02}", "{version}"),
            ("plate_v{version}", "{shot}"),
            ("{shot}_v{version:x}", "digits"),
            ("", "{version}"),
        ] {
            let fault = Template::parse(text).unwrap_err();
            assert_eq!(fault.code, Code::BadNaming, "{text}");
            assert!(fault.message.contains(what), "{fault}");
        }
    }
}
