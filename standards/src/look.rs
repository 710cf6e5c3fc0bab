//! Looks in other clothes than CLF: `.cube` tables as Resolve and Adobe write
//! them, and ASC CDL in `.cdl`, `.cc` and `.ccc`. All become chains.

mod cdl;
mod cube;

pub use cdl::{Correction, parse_cdl};
pub use cube::parse_cube;

use crate::amf::sha256_hex;
use crate::clf::Clf;
use platefarm_model::color::chain::Chain;
use platefarm_model::recipe::ColorFile;
use platefarm_model::{Code, Fault, Outcome};

/// Reads a file of a recipe, which must have the recipe's hash.
///
/// # Errors
/// [`Code::HashMismatch`], and those of [`parse`].
pub fn parse_sealed(file: &ColorFile, bytes: &[u8]) -> Outcome<Chain> {
    let found = sha256_hex(bytes);
    if found != file.sha256 {
        let message = format!("the file has SHA-256 {found}, the recipe says {}", file.sha256);
        return Err(Fault::new(Code::HashMismatch, message)
            .at(file.path.clone())
            .remedy("The look changed after the work was handed in: hand it in again."));
    }
    parse(&file.path, bytes, file.id.as_deref())
}

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
    chain.map_err(|fault| match remedy(&extension).filter(|_| fault.remedy.is_none()) {
        Some(remedy) => fault.within(name).remedy(remedy),
        None => fault.within(name),
    })
}

/// What is to be done about a broken look that is no CLF.
fn remedy(extension: &str) -> Option<&'static str> {
    Some(match extension {
        "cube" => {
            "Correct the named line: a .cube says LUT_1D_SIZE or LUT_3D_SIZE, then has a row of three numbers for each entry."
        }
        "cdl" | "cc" | "ccc" => {
            "Correct the named place: ASC CDL 1.2 has a SOPNode of three triples and a SatNode of one number."
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_broken_look_is_mended_by_its_own_standard() {
        for (name, bytes, own) in [
            ("a.cube", "LUT_3D_SIZE 2\n0 0 zero\n", "LUT_3D_SIZE"),
            ("a.cc", "<ColorCorrection id=\"a\"></ColorCorrection>", "ASC CDL"),
            ("a.clf", "<ProcessList/>", "CLF"),
        ] {
            let fault = parse(name, bytes.as_bytes(), None).unwrap_err();
            let remedy = fault.remedy_text();
            assert!(remedy.contains(own), "{name}: {remedy}");
            assert_eq!(remedy.contains("CLF"), own == "CLF", "{name}: {remedy}");
        }
    }
}
