//! The Common LUT Format, read into a chain of links.
//!
//! Both families are taken: the Academy's version 3 (S-2014-006) and SMPTE
//! ST 2136-1. Values are scaled to 0..1 by the bit depths that each node
//! declares; nothing is quantised or clamped between nodes. What the format
//! forbids is refused with the node's place, since a look that is half
//! understood is a wrong picture.

mod luts;
mod nodes;

pub(crate) use nodes::{cdl_fault, cdl_values};

use crate::xml::{self, Element};
use platefarm_model::color::chain::{Chain, Link};
use platefarm_model::{Code, Fault, Outcome};

/// Namespaces of the format; older files have none.
const NAMESPACES: [&str; 3] = ["", "urn:AMPAS:CLF:v3.0", "http://www.smpte-ra.org/ns/2136-1/2024"];
/// Elements of a process list that say nothing about pixels.
const TEXTS: [&str; 5] = ["Id", "Description", "InputDescriptor", "OutputDescriptor", "Info"];
/// Most nodes of one file.
const MAX_NODES: usize = 256;

/// A file as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Clf {
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// What it takes, as its author says.
    pub input: Option<String>,
    /// What it gives.
    pub output: Option<String>,
    /// What it does.
    pub chain: Chain,
}

impl Clf {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Code::BadLook`] with the place in the file and the reason.
    pub fn parse(bytes: &[u8]) -> Outcome<Self> {
        let root = xml::read(bytes, Code::BadLook)?;
        if &*root.name != "ProcessList" {
            return Err(refused(
                format!("the document is a '{}', not a ProcessList", root.name),
                "ProcessList",
            ));
        }
        if !NAMESPACES.contains(&&*root.namespace) {
            return Err(refused(
                format!("the namespace '{}' is not one that is known", root.namespace),
                "ProcessList",
            ));
        }
        let old = is_old(&root)?;
        let text = |name: &str| root.text_of(name).filter(|t| !t.is_empty()).map(str::to_owned);
        let smpte = root.child("Id");
        if let Some(id) = smpte {
            check_id(id.text.trim())?;
        }
        let mut chain = Chain::default();
        let mut depth: Option<Depth> = None;
        let mut nodes = 0;
        for child in &root.children {
            if TEXTS.contains(&&*child.name) {
                continue;
            }
            nodes += 1;
            let place = format!("ProcessList/{}[{nodes}]", child.name);
            if nodes > MAX_NODES {
                return Err(refused(format!("more than {MAX_NODES} nodes"), place));
            }
            if old && matches!(&*child.name, "Log" | "Exponent") {
                return Err(refused("versions before 3 have no such node", place));
            }
            let (links, depths) = node(child).map_err(|fault| fault.within(&place))?;
            if depth.is_some_and(|before| before.name != depths[0].name) {
                let message = format!(
                    "the node takes {}, the one before it gives {}",
                    depths[0].name,
                    depth.map_or("", |d| d.name)
                );
                return Err(refused(message, place));
            }
            depth = Some(depths[1]);
            chain.0.extend(links);
        }
        if nodes == 0 {
            return Err(refused("there is no process node", "ProcessList"));
        }
        Ok(Self {
            id: root.attribute("id").map(str::to_owned).or_else(|| text("Id")),
            name: root.attribute("name").map(str::to_owned),
            input: text("InputDescriptor"),
            output: text("OutputDescriptor"),
            chain,
        })
    }
}

/// A refusal at a place of the file.
fn refused(message: impl Into<String>, place: impl Into<String>) -> Fault {
    Fault::new(Code::BadLook, message).at(place.into())
}

/// Whether the file is of a version before 3, whose nodes are fewer.
fn is_old(root: &Element) -> Outcome<bool> {
    const PLACE: &str = "ProcessList/@compCLFversion";
    let smpte = root.namespace.contains("smpte");
    if !smpte && root.attribute("id").is_none_or(|id| id.trim().is_empty()) {
        return Err(refused("the ProcessList has no id", "ProcessList/@id"));
    }
    match root.attribute("compCLFversion").map(str::trim) {
        None if smpte => Ok(false),
        None => Err(refused("the file does not say its compCLFversion", PLACE)),
        Some("3" | "3.0" | "ST2136-1:2024") => Ok(false),
        Some("1.2" | "2" | "2.0") => Ok(true),
        Some(version) => {
            Err(refused(format!("compCLFversion '{}' is not known", shown(version)), PLACE))
        }
    }
}

/// SMPTE ST 2136-1: an Id is a UUID in its urn.
fn check_id(id: &str) -> Outcome<()> {
    let digits = id.strip_prefix("urn:uuid:").unwrap_or("");
    let groups: Vec<usize> = digits.split('-').map(str::len).collect();
    let hex = digits.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
    if groups == [8, 4, 4, 4, 12] && hex {
        return Ok(());
    }
    Err(refused(format!("the Id '{id}' is not a 'urn:uuid:' and a UUID"), "ProcessList/Id"))
}

/// A bit depth: its name, and the value that stands for 1.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Depth {
    name: &'static str,
    one: f64,
}

const DEPTHS: [Depth; 6] = [
    Depth { name: "8i", one: 255.0 },
    Depth { name: "10i", one: 1023.0 },
    Depth { name: "12i", one: 4095.0 },
    Depth { name: "16i", one: 65535.0 },
    Depth { name: "16f", one: 1.0 },
    Depth { name: "32f", one: 1.0 },
];

fn depth(node: &Element, attribute: &str) -> Outcome<Depth> {
    let name = node
        .attribute(attribute)
        .ok_or_else(|| refused(format!("the node has no {attribute}"), attribute))?;
    DEPTHS
        .into_iter()
        .find(|d| d.name == name)
        .ok_or_else(|| refused(format!("'{name}' is no bit depth"), attribute))
}

fn node(node: &Element) -> Outcome<(Vec<Link>, [Depth; 2])> {
    let read: fn(&Element, [Depth; 2]) -> Outcome<Vec<Link>> = match &*node.name {
        "Matrix" => nodes::matrix,
        "Range" => nodes::range,
        "ASC_CDL" => |node, _| nodes::cdl(node),
        "Exponent" => |node, _| nodes::exponent(node),
        "Log" => |node, _| nodes::log(node),
        "LUT1D" => luts::lut1d,
        "LUT3D" => luts::lut3d,
        other => return Err(refused(format!("'{other}' is no node of the format"), other)),
    };
    let depths = [depth(node, "inBitDepth")?, depth(node, "outBitDepth")?];
    Ok((read(node, depths)?, depths))
}

/// The numbers of a text.
fn numbers(text: &str, place: &str) -> Outcome<Vec<f64>> {
    text.split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.is_empty())
        .map(|word| {
            word.parse::<f64>()
                .map_err(|_| refused(format!("'{}' is no number", shown(word)), place))
        })
        .collect()
}

/// What can be shown of a word.
fn shown(word: &str) -> String {
    word.chars().take(40).collect()
}

/// The numbers of a node's array, with its dimensions.
fn array(node: &Element) -> Outcome<(Vec<usize>, Vec<f64>)> {
    let array = node.child("Array").ok_or_else(|| refused("the node has no Array", "Array"))?;
    let dim =
        array.attribute("dim").ok_or_else(|| refused("the Array has no dim", "Array/@dim"))?;
    let sizes: Option<Vec<usize>> = dim.split_whitespace().map(|d| d.parse().ok()).collect();
    let sizes = sizes.filter(|s| !s.is_empty() && s.len() <= 4).ok_or_else(|| {
        refused(format!("the dimensions '{}' make no sense", shown(dim)), "Array/@dim")
    })?;
    Ok((sizes, numbers(&array.text, "Array")?))
}

/// Checks that every value is one that pixels can be computed with.
fn finite(values: &[f64]) -> Outcome<()> {
    match values.iter().find(|v| !(**v as f32).is_finite()) {
        None => Ok(()),
        Some(wild) => Err(refused(format!("'{wild}' is no finite number"), "Array")),
    }
}

/// Checks the number of values.
fn counted(values: &[f64], expected: usize) -> Outcome<()> {
    if values.len() == expected {
        return Ok(());
    }
    Err(refused(format!("{} values, {expected} expected", values.len()), "Array"))
}
