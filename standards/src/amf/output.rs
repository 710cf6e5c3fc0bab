//! The colour of an output by the name that people give it.

use super::IncomingAmf;
use super::registry::{self, Meaning};
use platefarm_model::Outcome;
use platefarm_model::color::name;
use platefarm_model::color::recipe::DEFAULT_VIEW;
use platefarm_model::recipe::OutputColor;

/// The name of what a clip's AMF says that it is looked at in.
const VIEW: &str = "view";

/// A space or an output transform by its name, or `view`, for what the AMF says.
///
/// # Errors
/// Those of [`named`] and [`view`].
pub fn output(text: &str, incoming: Option<&IncomingAmf>) -> Outcome<OutputColor> {
    if text.eq_ignore_ascii_case(VIEW) {
        return view(incoming);
    }
    named(text).and_then(|name| OutputColor::named(&name))
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
    name::resolve(text).map(|named| named.name().to_owned()).or_else(
        |unknown| match registry::find(text).map(|known| known.meaning) {
            Some(Meaning::ToAces(name) | Meaning::FromAces(name)) => Ok(name),
            Some(_) => Err(registry::resolve(text).err().unwrap_or(unknown)),
            None => Err(unknown),
        },
    )
}
