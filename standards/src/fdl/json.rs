//! A JSON object being read field by field, each fault with its JSON pointer.
//! Apart from `read`, which says what the fields mean.

use super::model::{Extra, Point, Size, WholeSize};
use platefarm_model::{Code, Fault, limits};
use serde_json::{Map, Value};

#[derive(Default)]
pub(super) struct Problems {
    pub(super) errors: Vec<Fault>,
    pub(super) warnings: Vec<Fault>,
}

impl Problems {
    pub(super) fn error(&mut self, path: &str, message: impl Into<String>) {
        self.errors.push(Fault::new(Code::BadFdl, message).at(shown(path)));
    }

    pub(super) fn warn(&mut self, path: &str, message: impl Into<String>) {
        self.warnings.push(Fault::new(Code::BadFdl, message).at(shown(path)));
    }
}

fn shown(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

/// Which numbers are allowed.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Bound {
    AboveZero,
    FromZero,
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        value.is_finite() && if self == Self::AboveZero { value > 0.0 } else { value >= 0.0 }
    }

    fn words(self) -> &'static str {
        if self == Self::AboveZero { "above 0" } else { "0 or above" }
    }
}

/// A JSON object being read, with its pointer and the id that names it to people.
pub(super) struct Object<'a> {
    pub(super) map: &'a Map<String, Value>,
    pub(super) path: String,
    pub(super) known: Vec<&'static str>,
}

impl<'a> Object<'a> {
    pub(super) fn open(value: &'a Value, path: String, problems: &mut Problems) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self { map, path, known: Vec::new() }),
            other => {
                problems.error(&path, format!("expected an object, found {}", kind(other)));
                None
            }
        }
    }

    fn get(&mut self, key: &'static str) -> Option<&'a Value> {
        self.known.push(key);
        self.map.get(key)
    }

    pub(super) fn below(&self, key: &str) -> String {
        format!("{}/{key}", self.path)
    }

    /// Reads `key` with `read`; says so when it is required and absent.
    pub(super) fn field<T>(
        &mut self,
        key: &'static str,
        required: bool,
        problems: &mut Problems,
        read: impl FnOnce(&'a Value, String, &mut Problems) -> Option<T>,
    ) -> Option<T> {
        match self.get(key) {
            Some(value) => read(value, self.below(key), problems),
            None => {
                if required {
                    problems.error(&self.path, format!("{}'{key}' is missing", self.name()));
                }
                None
            }
        }
    }

    pub(super) fn text(
        &mut self,
        key: &'static str,
        required: bool,
        p: &mut Problems,
    ) -> Option<String> {
        self.field(key, required, p, |value, path, p| match value {
            Value::String(text) => Some(text.clone()),
            other => {
                p.error(&path, format!("expected text, found {}", kind(other)));
                None
            }
        })
    }

    pub(super) fn id(
        &mut self,
        key: &'static str,
        required: bool,
        p: &mut Problems,
    ) -> Option<String> {
        let id = self.text(key, required, p)?;
        if !is_id(&id) {
            let message = format!("id '{id}' must be 1 to 32 letters, digits or '_'");
            p.error(&self.below(key), message);
        }
        Some(id)
    }

    pub(super) fn number(
        &mut self,
        key: &'static str,
        required: bool,
        bound: Bound,
        p: &mut Problems,
    ) -> Option<f64> {
        let name = self.name();
        self.field(key, required, p, |value, path, p| {
            let Some(number) = value.as_f64() else {
                p.error(&path, format!("expected a number, found {}", kind(value)));
                return None;
            };
            if !bound.holds(number) {
                p.error(&path, format!("{name}{key} is {value}, must be {}", bound.words()));
            }
            Some(number)
        })
    }

    /// A whole number, which may be written `4400.0`.
    pub(super) fn whole(
        &mut self,
        key: &'static str,
        required: bool,
        bound: Bound,
        p: &mut Problems,
    ) -> Option<u64> {
        let number = self.number(key, required, bound, p)?;
        if number.fract() != 0.0 || number > 9e15 {
            p.error(&self.below(key), format!("{key} is {number}, must be a whole number"));
            return None;
        }
        Some(number as u64)
    }

    pub(super) fn whole_size(
        &mut self,
        key: &'static str,
        required: bool,
        bound: Bound,
        p: &mut Problems,
    ) -> Option<WholeSize> {
        self.field(key, required, p, |value, path, p| {
            let mut o = Self::open(value, path, p)?;
            let mut side = |key| {
                let side = o.whole(key, true, bound, p)?;
                if side > u64::from(limits::MAX_PICTURE_SIDE_PX) {
                    let most = limits::MAX_PICTURE_SIDE_PX;
                    p.error(&o.below(key), format!("{key} is {side}, {most} is the largest"));
                }
                u32::try_from(side).ok()
            };
            let (width, height) = (side("width"), side("height"));
            o.close(p);
            Some(WholeSize { width: width?, height: height? })
        })
    }

    pub(super) fn size(
        &mut self,
        key: &'static str,
        required: bool,
        p: &mut Problems,
    ) -> Option<Size> {
        self.field(key, required, p, |value, path, p| {
            let mut o = Self::open(value, path, p)?;
            let width = o.number("width", true, Bound::AboveZero, p);
            let height = o.number("height", true, Bound::AboveZero, p);
            o.close(p);
            Some(Size { width: width?, height: height? })
        })
    }

    pub(super) fn point(
        &mut self,
        key: &'static str,
        required: bool,
        p: &mut Problems,
    ) -> Option<Point> {
        self.field(key, required, p, |value, path, p| {
            let mut o = Self::open(value, path, p)?;
            let x = o.number("x", true, Bound::FromZero, p);
            let y = o.number("y", true, Bound::FromZero, p);
            o.close(p);
            Some(Point { x: x?, y: y? })
        })
    }

    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        required: bool,
        choices: &[(&str, T)],
        p: &mut Problems,
    ) -> Option<T> {
        let text = self.text(key, required, p)?;
        let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            p.error(&self.below(key), format!("'{text}' is none of {}", names.join(", ")));
        }
        found
    }

    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        p: &mut Problems,
        read: fn(Self, &mut Problems) -> Option<T>,
    ) -> Vec<T> {
        let list = self.field(key, false, p, |value, path, p| match value {
            Value::Array(items) => Some((items, path)),
            other => {
                p.error(&path, format!("expected a list, found {}", kind(other)));
                None
            }
        });
        let Some((items, path)) = list else { return Vec::new() };
        let each = items.iter().enumerate();
        each.filter_map(|(i, item)| read(Self::open(item, format!("{path}/{i}"), p)?, p)).collect()
    }

    /// How faults call this object.
    fn name(&self) -> String {
        match self.map.get("id").or_else(|| self.map.get("label")) {
            Some(Value::String(id)) => format!("'{id}': "),
            _ => String::new(),
        }
    }

    /// The foreign keys; a key that is neither known nor foreign is left out and said.
    pub(super) fn close(self, p: &mut Problems) -> Extra {
        let mut extra = Extra::new();
        for (key, value) in self.map {
            if key.starts_with('_') {
                extra.insert(key.clone(), value.clone());
            } else if !self.known.contains(&key.as_str()) {
                p.warn(
                    &self.below(key),
                    format!("{}'{key}' is not a key of FDL and is left out", self.name()),
                );
            }
        }
        extra
    }
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

pub(super) fn is_id(id: &str) -> bool {
    (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
