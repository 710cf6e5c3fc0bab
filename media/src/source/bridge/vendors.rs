//! Formats whose decoders belong to their makers: what they are called, and
//! which program a bridge would drive. They are refused by name where no
//! bridge is configured, so that nobody has to guess why a card seems empty.

/// A format without an open decoder.
pub(super) struct Vendor {
    /// Extensions, lower case.
    pub(super) extensions: &'static [&'static str],
    /// Its name.
    pub(super) name: &'static str,
    /// What decodes it.
    pub(super) tool: &'static str,
}

/// Every such format.
pub(super) const VENDORS: &[Vendor] = &[
    Vendor { extensions: &["r3d"], name: "REDCODE RAW", tool: "RED's REDline" },
    Vendor {
        extensions: &["braw"],
        name: "Blackmagic RAW",
        tool: "a program built on the Blackmagic RAW SDK, such as braw-decode",
    },
    Vendor {
        extensions: &["nev"],
        name: "Nikon N-RAW",
        tool: "RED's REDline (R3D NE) or Nikon's NX",
    },
    Vendor {
        extensions: &["crm"],
        name: "Canon Cinema RAW Light",
        tool: "LibRaw 0.21 or later (bridges/libraw_bridge.py)",
    },
];

/// The extensions of all of them.
pub(super) const EXTENSIONS: &[&str] = &["r3d", "braw", "nev", "crm"];

/// The format of an extension.
pub(super) fn by_extension(extension: &str) -> Option<&'static Vendor> {
    VENDORS.iter().find(|vendor| vendor.extensions.contains(&extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_extension_has_its_format() {
        let listed: Vec<&str> =
            VENDORS.iter().flat_map(|vendor| vendor.extensions.iter().copied()).collect();
        assert_eq!(listed, EXTENSIONS);
        assert!(by_extension("r3d").is_some() && by_extension("dng").is_none());
    }
}
