//! What a question is about, read off its bytes by the protos' descriptors,
//! before it is a message of any type. It reads exactly as a decoder would:
//! of a field that comes twice the last one counts, and messages that come
//! twice are merged, so what is judged here is what the handler will see.

use bytes::Buf;
use platefarm_model::{Code, Fault, FrameRange, Outcome, address};
use platefarm_proto::v1;
use prost::Message;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet};
use std::collections::{BTreeMap, HashMap};

/// Longest text of a field that goes to the audit log, in bytes.
const MAX_TEXT: usize = 80;
/// Longest line of fields there, in bytes.
const MAX_LINE: usize = 480;
/// How deep messages within messages are written out there.
const MAX_DEPTH: usize = 3;
/// What is said in full there, though it comes more than once.
const RANGE: &str = ".platefarm.v1.FrameRange";

/// The messages, enums and methods of a set of protos.
#[derive(Clone, Debug)]
pub(super) struct Protos {
    messages: HashMap<String, DescriptorProto>,
    enums: HashMap<String, EnumDescriptorProto>,
    methods: BTreeMap<String, Method>,
}

/// A method as the protos declare it.
#[derive(Clone, Debug)]
pub(super) struct Method {
    /// Full name of its question's type, with the leading dot.
    pub(super) input: String,
    pub(super) asks_in_a_stream: bool,
    pub(super) answers_in_a_stream: bool,
}

/// A value that a place holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Number(u64),
    Text(String),
}

impl Protos {
    /// Reads compiled descriptors.
    ///
    /// # Errors
    /// [`Code::Internal`]: they are ours.
    pub(super) fn read(sets: &[&[u8]]) -> Outcome<Self> {
        let mut protos =
            Self { messages: HashMap::new(), enums: HashMap::new(), methods: BTreeMap::new() };
        for set in sets {
            let set = FileDescriptorSet::decode(*set)
                .map_err(|e| Fault::new(Code::Internal, "the protos cannot be read").because(&e))?;
            for file in set.file {
                let package = file.package().to_owned();
                for service in &file.service {
                    for method in &service.method {
                        let name = format!("{package}.{}/{}", service.name(), method.name());
                        let method = Method {
                            input: method.input_type().to_owned(),
                            asks_in_a_stream: method.client_streaming(),
                            answers_in_a_stream: method.server_streaming(),
                        };
                        protos.methods.insert(name, method);
                    }
                }
                for of_names in file.enum_type {
                    protos.enums.insert(format!(".{package}.{}", of_names.name()), of_names);
                }
                for message in file.message_type {
                    protos.messages.insert(format!(".{package}.{}", message.name()), message);
                }
            }
        }
        Ok(protos)
    }

    /// Every method, by its name as gRPC writes it.
    #[cfg(test)]
    pub(super) fn methods(&self) -> impl Iterator<Item = (&str, &Method)> {
        self.methods.iter().map(|(name, method)| (name.as_str(), method))
    }

    pub(super) fn method(&self, name: &str) -> Option<&Method> {
        self.methods.get(name)
    }

    /// The fields along `place` (`job.show`), outermost first; none when the
    /// protos have no such place, or it is no single value.
    pub(super) fn way(&self, input: &str, place: &str) -> Option<Vec<&FieldDescriptorProto>> {
        let mut message = self.messages.get(input)?;
        let mut way = Vec::new();
        let mut names = place.split('.').peekable();
        while let Some(name) = names.next() {
            let field = message.field.iter().find(|f| f.name() == name)?;
            if field.label() == Label::Repeated || field.oneof_index.is_some() {
                return None;
            }
            way.push(field);
            if names.peek().is_some() {
                message = self.messages.get(field.type_name())?;
            }
        }
        matches!(way.last()?.r#type(), Type::Uint64 | Type::String).then_some(way)
    }

    /// The value at `place` of a question; a field that is not sent has the
    /// value that protos give it.
    ///
    /// # Errors
    /// [`Code::BadSpec`] for bytes that are no such message.
    pub(super) fn at(&self, input: &str, place: &str, question: &[u8]) -> Outcome<Value> {
        let way = self.way(input, place).ok_or_else(|| {
            Fault::new(Code::Internal, format!("{input} has no '{place}' to judge by"))
        })?;
        let text = way.last().is_some_and(|f| f.r#type() == Type::String);
        let mut found = if text { Value::Text(String::new()) } else { Value::Number(0) };
        let tags: Vec<i32> = way.iter().map(|f| f.number()).collect();
        follow(&tags, question, &mut found)
            .map_err(|_| Fault::new(Code::BadSpec, "the message cannot be read"))?;
        Ok(found)
    }

    /// The question's fields in a line for people: numbers, words of enums, short
    /// texts and frames; of other messages that come more than once only how many
    /// there are, and of one that says nothing its name, which is what was asked.
    pub(super) fn line(&self, input: &str, question: &[u8]) -> String {
        let mut line = String::new();
        if let Some(message) = self.messages.get(input) {
            // A question that cannot be read is shown as far as it can.
            let _ = self.fields(message, question, &[], &mut line);
        }
        if line.len() > MAX_LINE {
            line.truncate(line.floor_char_boundary(MAX_LINE));
            line.push('…');
        }
        line
    }

    fn fields(
        &self,
        message: &DescriptorProto,
        mut bytes: &[u8],
        outer: &[&str],
        line: &mut String,
    ) -> Result<(), Torn> {
        let mut several: BTreeMap<&str, Several> = BTreeMap::new();
        while bytes.has_remaining() && line.len() <= MAX_LINE {
            let (tag, wire) = decode_key(&mut bytes)?;
            let field = message.field.iter().find(|f| f.number() == tag as i32);
            let Some(field) = field else {
                skip_field(wire, tag, &mut bytes, DecodeContext::default())?;
                continue;
            };
            let name = field.name();
            match (wire, field.r#type()) {
                (WireType::Varint, _) => {
                    let value = decode_varint(&mut bytes)?;
                    add(line, outer, name, &self.number(field, value));
                }
                (WireType::LengthDelimited, kind) => {
                    let inner = delimited(&mut bytes)?;
                    let once = field.label() != Label::Repeated;
                    match (kind, self.messages.get(field.type_name())) {
                        // What follows in an address may open something.
                        (Type::String, _) if name == "url" => {
                            let shown = address::shown(&String::from_utf8_lossy(inner));
                            add(line, outer, name, &quoted(shown.as_bytes()));
                        }
                        (Type::String, _) => add(line, outer, name, &quoted(inner)),
                        (Type::Message, Some(nested)) if once && outer.len() < MAX_DEPTH => {
                            let (before, way) = (line.len(), [outer, &[name]].concat());
                            self.fields(nested, inner, &way, line)?;
                            if line.len() == before {
                                begin(line, outer, name);
                            }
                        }
                        (Type::Message, _) if !once && field.type_name() == RANGE => {
                            let range = FrameRange::try_from(v1::FrameRange::decode(inner)?);
                            several.entry(name).or_default().add(range.ok());
                        }
                        _ => several.entry(name).or_default().add(None),
                    }
                }
                _ => skip_field(wire, tag, &mut bytes, DecodeContext::default())?,
            }
        }
        for (name, several) in several {
            add(line, outer, name, &several.text());
        }
        Ok(())
    }

    fn number(&self, field: &FieldDescriptorProto, value: u64) -> String {
        match field.r#type() {
            Type::Int32 | Type::Int64 => value.cast_signed().to_string(),
            Type::Bool => (value != 0).to_string(),
            Type::Enum => self.word(field, value).unwrap_or_else(|| value.to_string()),
            _ => value.to_string(),
        }
    }

    /// A value of an enum as people write it: `ROLE_VIEWER` of `Role` is `viewer`.
    fn word(&self, field: &FieldDescriptorProto, value: u64) -> Option<String> {
        let of_names = self.enums.get(field.type_name())?;
        let number = i32::try_from(value.cast_signed()).ok()?;
        let name = of_names.value.iter().find(|it| it.number() == number)?.name();
        let mut prefix = String::new();
        for (at, letter) in of_names.name().char_indices() {
            if at > 0 && letter.is_ascii_uppercase() {
                prefix.push('_');
            }
            prefix.push(letter.to_ascii_uppercase());
        }
        prefix.push('_');
        Some(name.strip_prefix(&prefix).unwrap_or(name).to_ascii_lowercase())
    }
}

/// What comes more than once: frames as far as there is room, and how many else.
#[derive(Default)]
struct Several {
    frames: String,
    others: usize,
}

impl Several {
    fn add(&mut self, range: Option<FrameRange>) {
        match range.filter(|_| self.frames.len() < MAX_TEXT) {
            Some(range) if self.frames.is_empty() => self.frames = range.to_string(),
            Some(range) => self.frames.push_str(&format!(",{range}")),
            None => self.others += 1,
        }
    }

    fn text(self) -> String {
        match self {
            Self { frames, others: 0 } => frames,
            Self { frames, others } if frames.is_empty() => format!("[{others}]"),
            Self { frames, others } => format!("{frames},… [{others}]"),
        }
    }
}

/// Bytes that are no message of the type that they should be of.
struct Torn;

impl From<prost::DecodeError> for Torn {
    fn from(_: prost::DecodeError) -> Self {
        Self
    }
}

/// Where a field is, after what the line has.
fn begin(line: &mut String, outer: &[&str], name: &str) {
    if !line.is_empty() {
        line.push_str(", ");
    }
    line.push_str(&[outer, &[name]].concat().join("."));
}

fn add(line: &mut String, outer: &[&str], name: &str, value: &str) {
    begin(line, outer, name);
    line.push_str(": ");
    line.push_str(value);
}

fn quoted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let cut = &text[..text.floor_char_boundary(MAX_TEXT)];
    format!("{cut:?}{}", if cut.len() < text.len() { "…" } else { "" })
}

/// The bytes of a field that says how long it is.
fn delimited<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], Torn> {
    let length = decode_varint(bytes)?;
    let length = usize::try_from(length).map_err(|_| Torn)?;
    let (inner, rest) = bytes.split_at_checked(length).ok_or(Torn)?;
    *bytes = rest;
    Ok(inner)
}

/// Follows the tags into `bytes`, every time that they lead somewhere.
fn follow(tags: &[i32], mut bytes: &[u8], found: &mut Value) -> Result<(), Torn> {
    let Some((first, deeper)) = tags.split_first() else { return Ok(()) };
    while bytes.has_remaining() {
        let (tag, wire) = decode_key(&mut bytes)?;
        if tag as i32 != *first {
            skip_field(wire, tag, &mut bytes, DecodeContext::default())?;
            continue;
        }
        match (wire, deeper.is_empty(), &mut *found) {
            (WireType::LengthDelimited, false, _) => {
                follow(deeper, delimited(&mut bytes)?, found)?;
            }
            (WireType::LengthDelimited, true, Value::Text(text)) => {
                let inner = delimited(&mut bytes)?;
                *text = std::str::from_utf8(inner).map_err(|_| Torn)?.into();
            }
            (WireType::Varint, true, Value::Number(number)) => *number = decode_varint(&mut bytes)?,
            _ => return Err(Torn),
        }
    }
    Ok(())
}
