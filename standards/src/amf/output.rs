//! The colour of an output by the name that people give it.

use super::IncomingAmf;
use super::registry::{self, Meaning};
use platefarm_model::color::name;
use platefarm_model::color::recipe::{ACES, DEFAULT_VIEW};
use platefarm_model::recipe::OutputColor;
use platefarm_model::{Code, Fault, Outcome};

/// The name of what a clip's AMF says that it is looked at in.
const VIEW: &str = "view";

/// A space or an output transform by its name, or `view`, for what the AMF says.
///
/// # Errors
/// Those of [`target`] and [`view`].
pub fn output(text: &str, incoming: Option<&IncomingAmf>) -> Outcome<OutputColor> {
    if text.eq_ignore_ascii_case(VIEW) {
        return view(incoming);
    }
    target(text)
}

/// A space or an output transform that pixels are to be brought to.
///
/// # Errors
/// Those of [`named`]; [`Code::NoWayBack`] for an id that leads from a display's codes.
pub fn target(text: &str) -> Outcome<OutputColor> {
    let name = named(text)?;
    if registry::leads_back(text) {
        let message = format!("'{text}' leads from the codes of {name} to ACES2065-1, not to them");
        return Err(Fault::new(Code::NoWayBack, message)
            .remedy(format!("Say with it what the pixels are (--from, --color-in); what leads to the codes is '{name}'.")));
    }
    OutputColor::named(&name)
}

/// What an AMF says that it is looked at in; the default where it says nothing.
///
/// # Errors
/// Those of [`IncomingAmf::view`].
pub fn view(incoming: Option<&IncomingAmf>) -> Outcome<OutputColor> {
    let said = incoming.map(IncomingAmf::view).transpose()?.flatten();
    said.map_or_else(|| OutputColor::named(DEFAULT_VIEW), Ok)
}

/// The one name of a space or output: of ours, or of any id of the ACES registry, old ones too.
///
/// # Errors
/// Those of [`name::resolve`], and of the registry.
pub fn named(text: &str) -> Outcome<String> {
    let unknown = match name::resolve(text) {
        Ok(named) => return Ok(named.name().to_owned()),
        Err(unknown) => unknown,
    };
    let no_space = |what: &str, remedy: &str| {
        let message = format!("'{text}' is no space and no output: {what}");
        Err(Fault::new(Code::UnknownTransform, message).remedy(remedy))
    };
    match registry::find(text).map(|known| known.meaning) {
        Some(Meaning::ToAces(name) | Meaning::FromAces(name)) => Ok(name),
        Some(Meaning::Unity) => Ok(ACES.to_owned()),
        Some(Meaning::Rendering) => no_space(
            "it is the first part of every output of ACES 1",
            "Name the output device transform that goes with it, ODT.Academy...",
        ),
        Some(Meaning::Look(_)) => no_space("it is a look", "Give it with --look."),
        Some(Meaning::NotComputed(_)) => Err(registry::resolve(text).err().unwrap_or(unknown)),
        None => Err(match registry::nearest(text).filter(|_| unknown.remedy.is_none()) {
            Some(near) => unknown.remedy(format!("If '{near}' is meant, write that.")),
            None => unknown,
        }),
    }
}
