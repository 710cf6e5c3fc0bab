//! Formats whose decoders belong to their makers: what they are called, and
//! which program a bridge would drive. They are refused by name where no
//! bridge is configured, so that nobody has to guess why a card seems empty.

use platefarm_model::{Code, Fault};

/// A format without an open decoder.
pub(in crate::source) struct Vendor {
    /// Extensions, lower case.
    pub(in crate::source) extensions: &'static [&'static str],
    /// Its name.
    pub(in crate::source) name: &'static str,
    /// What decodes it.
    pub(in crate::source) tool: &'static str,
}

impl Vendor {
    /// The error of a file that no bridge reads.
    pub(in crate::source) fn refusal(&self) -> Fault {
        Fault::new(Code::NoDecoder, format!("{} is decoded by its maker's program only", self.name))
            .remedy(format!(
                "Configure a bridge to {} (docs/bridge.md), or transcode the clip with it.",
                self.tool
            ))
    }
}

/// Codex's compressed form of ARRIRAW: `.arx`, which the ARRIRAW reader claims, and MXF by its
/// label.
pub(in crate::source) const HDE: Vendor = Vendor {
    extensions: &["arx"],
    name: "ARRIRAW HDE (Codex High Density Encoding)",
    tool: "ARRI's art-cmd",
};

/// Every such format that no other reader claims.
pub(in crate::source) const VENDORS: &[Vendor] = &[
    Vendor { extensions: &["r3d"], name: "REDCODE RAW", tool: "RED's REDline" },
    Vendor {
        extensions: &["braw"],
        name: "Blackmagic RAW",
        tool: "a program built on the Blackmagic RAW SDK, such as braw-decode",
    },
    Vendor { extensions: &["nev"], name: "Nikon N-RAW", tool: "RED's REDline" },
    Vendor {
        extensions: &["crm"],
        name: "Canon Cinema RAW Light",
        tool: "LibRaw 0.21 or later (bridges/libraw_bridge.py)",
    },
];

/// The extensions of all of them.
pub(in crate::source) const EXTENSIONS: &[&str] = &["r3d", "braw", "nev", "crm"];

/// The format of an extension.
pub(in crate::source) fn by_extension(extension: &str) -> Option<&'static Vendor> {
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
