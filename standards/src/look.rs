//! Looks in other clothes than CLF: `.cube` tables as Resolve and Adobe write
//! them, and ASC CDL in `.cdl`, `.cc` and `.ccc`. All become chains.

mod cdl;
mod cube;

pub use cdl::{Correction, parse_cdl};
pub use cube::parse_cube;

use crate::clf::Clf;
use platefarm_model::color::chain::Chain;
use platefarm_model::{Code, Fault, Outcome};

/// Reads a look by the extension of its name: `clf`, `ctf` that is one, `cube`,
/// `cdl`, `cc`, `ccc`. Of a collection, `id` chooses the correction.
///
/// # Errors
/// [`Code::BadLook`] with the place; [`Code::UnknownFormat`] for another extension.
pub fn parse(name: &str, bytes: &[u8], id: Option<&str>) -> Outcome<Chain> {
    let extension = name.rsplit_once('.').map_or("", |(_, e)| e).to_ascii_lowercase();
    let chain = match extension.as_str() {
        "clf" | "ctf" | "xml" => Clf::parse(bytes).map(|clf| clf.chain),
        "cube" => parse_cube(bytes),
        "cdl" | "cc" | "ccc" => {
            parse_cdl(bytes).and_then(|all| cdl::choose(&all, id)).map(|c| c.chain(false))
        }
        other => Err(Fault::new(Code::UnknownFormat, format!("'{other}' is no look that is read"))
            .remedy("Looks are read from .clf, .cube, .cdl, .cc and .ccc.")),
    };
    chain.map_err(|fault| fault.within(name))
}
