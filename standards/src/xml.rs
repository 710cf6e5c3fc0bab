//! What the XML standards share: bounded, strict reading and escaped writing.
//!
//! Documents are read into a small tree. Document type definitions are refused
//! (they bring entities, and entities bring expansion bombs and reads of other
//! files), and so is everything that is not well-formed; depth, number of
//! elements and size are bounded.

use platefarm_model::{Code, Fault, Outcome, limits};
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;
use std::fmt::Write as _;

/// Most elements of one document: a manifest of a million files has four million.
const MAX_ELEMENTS: usize = 16 * 1024 * 1024;
/// Most attributes of one element; no standard here has ten.
const MAX_ATTRIBUTES: usize = 64;

/// What is said of a document type definition.
pub(crate) const DOCTYPE_REFUSED: &str = "a document type definition is not allowed";

/// Whether a document type is a name and nothing else.
fn is_bare(doctype: &str) -> bool {
    let name = doctype.trim();
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Attributes by their name without prefix.
pub type Attributes = Vec<(Box<str>, Box<str>)>;

/// An element with everything below it. Comments and processing instructions are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Element {
    /// Namespace; empty when there is none.
    pub namespace: Box<str>,
    /// Name without prefix.
    pub name: Box<str>,
    /// Its attributes; namespace declarations are left out.
    pub attributes: Attributes,
    /// Its own text, unescaped, white space kept.
    pub text: String,
    /// Elements below it, in order.
    pub children: Vec<Element>,
}

impl Element {
    /// The first child of this name.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| &*child.name == name)
    }

    /// The children of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| &*child.name == name)
    }

    /// Text of the first child of this name, without white space around it.
    #[must_use]
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim())
    }

    /// Value of an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| &**key == name).map(|(_, value)| &**value)
    }
}

/// Reads a document whole. `code` is the code of its faults.
///
/// # Errors
/// `code`, with the line, when the document is not UTF-8, not well-formed,
/// has a document type definition, or is beyond the bounds.
pub fn read(bytes: &[u8], code: Code) -> Outcome<Element> {
    document(bytes, code, false)
}

/// As [`read`], for formats whose documents begin with `<!DOCTYPE name>`: a
/// bare name brings no entities and is let through.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_declared(bytes: &[u8], code: Code) -> Outcome<Element> {
    document(bytes, code, true)
}

fn document(bytes: &[u8], code: Code, declared: bool) -> Outcome<Element> {
    if bytes.len() as u64 > limits::MAX_DOCUMENT_BYTES {
        let most = limits::MAX_DOCUMENT_BYTES;
        let message = format!("the document has {} bytes, {most} are the most", bytes.len());
        return Err(Fault::new(code, message));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Fault::new(code, "the document is not UTF-8")
            .at(format!("offset {}", error.valid_up_to()))
            .because(&error)
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut tree = Tree { stack: Vec::new(), root: None, elements: 0, declared };
    let mut reader = NsReader::from_str(text);
    loop {
        let begin = reader.buffer_position();
        let line = |at: u64| {
            let at = usize::try_from(at).unwrap_or(usize::MAX).min(text.len());
            format!("line {}", 1 + text.as_bytes()[..at].iter().filter(|b| **b == b'\n').count())
        };
        let event = match reader.read_resolved_event() {
            Ok(event) => event,
            Err(error) => {
                let place = line(reader.error_position());
                return Err(Fault::new(code, "this is not well-formed XML")
                    .at(place)
                    .because(&error));
            }
        };
        match tree.take(event) {
            Ok(true) => {}
            Ok(false) => break,
            Err(message) => return Err(Fault::new(code, message).at(line(begin))),
        }
    }
    tree.root.ok_or_else(|| Fault::new(code, "the document is empty"))
}

struct Tree {
    stack: Vec<Element>,
    root: Option<Element>,
    elements: usize,
    /// Whether a document type of a name alone is let through.
    declared: bool,
}

impl Tree {
    /// Takes one event; false at the end of the document.
    fn take(&mut self, (namespace, event): (ResolveResult<'_>, Event<'_>)) -> Result<bool, String> {
        match event {
            Event::Start(start) => {
                let element = self.open(&namespace, &start)?;
                self.stack.push(element);
            }
            Event::Empty(start) => {
                let element = self.open(&namespace, &start)?;
                self.close(element);
            }
            Event::End(_) => {
                let element = self.stack.pop().ok_or("an end tag without its start")?;
                self.close(element);
            }
            Event::Text(text) => self.text(&text.xml10_content())?,
            Event::CData(text) => self.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref() {
                    Ok(Some(character)) => character.to_string(),
                    Ok(None) => resolve_predefined_entity(&reference.xml10_content())
                        .ok_or_else(|| format!("entity '&{};' is not defined", &*reference))?
                        .to_owned(),
                    Err(error) => return Err(format!("'&{};': {error}", &*reference)),
                };
                self.text(&resolved)?;
            }
            Event::DocType(name) if self.declared && is_bare(&name) => {}
            Event::DocType(_) => return Err(DOCTYPE_REFUSED.to_owned()),
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            Event::Eof => {
                return match self.stack.last() {
                    None => Ok(false),
                    Some(open) => Err(format!("the document ends inside '{}'", open.name)),
                };
            }
        }
        Ok(true)
    }

    fn open(
        &mut self,
        namespace: &ResolveResult<'_>,
        start: &BytesStart<'_>,
    ) -> Result<Element, String> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(format!("more than {MAX_ELEMENTS} elements"));
        }
        if self.stack.len() >= limits::MAX_DOCUMENT_DEPTH {
            return Err(format!("elements nest deeper than {}", limits::MAX_DOCUMENT_DEPTH));
        }
        if self.stack.is_empty() && self.root.is_some() {
            return Err("a second root element".to_owned());
        }
        let namespace = match namespace {
            ResolveResult::Bound(namespace) => namespace.as_ref(),
            ResolveResult::Unbound => "",
            ResolveResult::Unknown(prefix) => {
                return Err(format!("prefix '{prefix}' is not declared"));
            }
        };
        Ok(Element {
            namespace: namespace.into(),
            name: start.local_name().as_ref().into(),
            attributes: attributes(start)?,
            ..Element::default()
        })
    }

    fn close(&mut self, element: Element) {
        match self.stack.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        match self.stack.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err("text outside of the root element".to_owned()),
        }
        Ok(())
    }
}

fn attributes(start: &BytesStart<'_>) -> Result<Attributes, String> {
    let mut found = Attributes::new();
    // The reader's own check compares each attribute with all before it, without a bound.
    for attribute in start.attributes().with_checks(false).take(MAX_ATTRIBUTES + 1) {
        let attribute = attribute.map_err(|error| error.to_string())?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let key: &str = attribute.key.as_ref();
        let key = key.rsplit(':').next().unwrap_or(key);
        if found.len() == MAX_ATTRIBUTES || found.iter().any(|(name, _)| &**name == key) {
            return Err(format!("too many attributes, or '{key}' twice"));
        }
        let value = attribute
            .normalized_value(XmlVersion::Explicit1_0)
            .map_err(|error| format!("attribute '{key}': {error}"))?;
        found.push((key.into(), value.into()));
    }
    Ok(found)
}

/// Writes a document, two spaces a level. Names are ours and are not checked.
pub(crate) struct Writer {
    out: String,
    open: Vec<String>,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self { out: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(), open: Vec::new() }
    }

    fn tag(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.out.extend(std::iter::repeat_n("  ", self.open.len()));
        self.out.push('<');
        self.out.push_str(name);
        for (key, value) in attributes {
            // A String takes everything: writing to it cannot fail.
            let _ = write!(self.out, " {key}=\"{}\"", escaped(value));
        }
    }

    /// Opens an element; what follows stands inside it until [`Self::close`].
    pub(crate) fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.tag(name, attributes);
        self.out.push_str(">\n");
        self.open.push(name.to_owned());
    }

    /// An element with text only.
    pub(crate) fn leaf(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.tag(name, attributes);
        if text.is_empty() {
            self.out.push_str("/>\n");
        } else {
            let _ = writeln!(self.out, ">{}</{name}>", escaped(text));
        }
    }

    /// Closes the innermost element.
    pub(crate) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.out.extend(std::iter::repeat_n("  ", self.open.len()));
            let _ = writeln!(self.out, "</{name}>");
        }
    }

    /// The document.
    pub(crate) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.out
    }
}

/// Whether XML 1.0 can hold the character at all.
pub(crate) fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Text for an element or an attribute. White space that a reader would
/// normalise is written as references; characters that XML cannot hold become U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            c if is_xml_char(c) => out.push(c),
            _ => out.push('\u{fffd}'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(text: &str, words: &str) {
        let fault = read(text.as_bytes(), Code::BadAmf).unwrap_err();
        let all = fault.to_string();
        assert!(fault.code == Code::BadAmf && all.contains(words), "{all}");
    }

    #[test]
    fn a_document_becomes_a_tree() {
        let text = "\u{feff}<?xml version=\"1.0\"?><!-- x --><a:r xmlns:a=\"urn:a\" xmlns=\"urn:b\" k=\"1 &amp; 2\">\n\
                    <c>x &lt;&#x41; <![CDATA[<y>]]></c><c/></a:r>";
        let root = read(text.as_bytes(), Code::BadAmf).unwrap();
        assert_eq!((&*root.namespace, &*root.name), ("urn:a", "r"));
        assert_eq!(root.attribute("k"), Some("1 & 2"));
        assert_eq!(root.all("c").count(), 2);
        assert_eq!(&*root.children[0].namespace, "urn:b");
        assert_eq!(root.text_of("c"), Some("x <A <y>"));
    }

    #[test]
    fn what_is_not_well_formed_or_not_bounded_is_refused() {
        refused("", "empty");
        refused("plain", "outside of the root");
        refused("<a><b></a>", "not well-formed");
        refused("<a>", "ends inside 'a'");
        refused("<a/><b/>", "second root");
        refused("<a>&x;</a>", "'&x;' is not defined");
        refused("<a k=\"&x;\"/>", "attribute 'k'");
        refused("<a k='1' k='2'/>", "'k' twice");
        refused("<p:a/>", "prefix 'p'");
        refused("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "document type");
        refused("\n\n<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "line 3");
        refused(&"<a>".repeat(200), "nest deeper than 128");
        let attributes: String = (0..100).map(|i| format!(" k{i}='v'")).collect();
        refused(&format!("<a{attributes}/>"), "too many attributes");
        let fault = read(b"<a>\xff</a>", Code::BadManifest).unwrap_err();
        assert_eq!(fault.code, Code::BadManifest);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(text in "\\PC{0,40}", value in any::<String>()) {
            let mut writer = Writer::new();
            writer.open("r", &[("k", &value)]);
            writer.leaf("t", &[], &text);
            let document = writer.finish();
            let root = read(document.as_bytes(), Code::BadAmf).unwrap();
            let legal: String = value.chars().map(|c| if is_xml_char(c) { c } else { '\u{fffd}' }).collect();
            prop_assert_eq!(root.attribute("k"), Some(legal.as_str()));
            let legal: String = text.chars().map(|c| if is_xml_char(c) { c } else { '\u{fffd}' }).collect();
            prop_assert_eq!(&root.children[0].text, &legal);
        }

        #[test]
        fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes, Code::BadAmf);
        }

        #[test]
        fn nothing_that_looks_like_xml_panics(text in "[<>/a='\"& ;#x!\\[\\]-]{0,80}") {
            let _ = read(text.as_bytes(), Code::BadAmf);
        }
    }
}
