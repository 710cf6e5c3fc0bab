//! The colour decisions of the list, as files beside the plate: never baked,
//! always delivered, for those who want the look of the offline.
//!
//! Source: ASC CDL 1.2 (`.cc`: one ColorCorrection; `.cdl`: a ColorDecisionList).

use platefarm_model::pull::Document;
use platefarm_standards::editlist::{Cdl, Sop};

/// `.cc` and `.cdl` of a plate, where its event has a colour decision.
pub(super) fn documents(plate: &str, cdl: Option<&Cdl>, from: &str) -> Vec<Document> {
    let Some(cdl) = cdl.filter(|cdl| cdl.sop.is_some() || cdl.saturation.is_some()) else {
        return Vec::new();
    };
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    let cc = correction(plate, cdl, from, "", " xmlns=\"urn:ASC:CDL:v1.2\"");
    let inner = correction(plate, cdl, from, "    ", "");
    let list = format!(
        "{head}<ColorDecisionList xmlns=\"urn:ASC:CDL:v1.2\">\n  <ColorDecision>\n{inner}  </ColorDecision>\n</ColorDecisionList>\n"
    );
    vec![
        Document { name: format!("{plate}.cc"), text: format!("{head}{cc}").into() },
        Document { name: format!("{plate}.cdl"), text: list.into() },
    ]
}

fn correction(id: &str, cdl: &Cdl, from: &str, pad: &str, namespace: &str) -> String {
    let mut xml = format!("{pad}<ColorCorrection{namespace} id=\"{}\">\n", escaped(id));
    if let Some(Sop { slope, offset, power }) = &cdl.sop {
        let row = |values: &[f64; 3]| values.map(|v| v.to_string()).join(" ");
        xml.push_str(&format!(
            "{pad}  <SOPNode>\n{pad}    <Description>{}</Description>\n\
             {pad}    <Slope>{}</Slope>\n{pad}    <Offset>{}</Offset>\n{pad}    <Power>{}</Power>\n{pad}  </SOPNode>\n",
            escaped(from),
            row(slope),
            row(offset),
            row(power)
        ));
    }
    if let Some(saturation) = cdl.saturation {
        xml.push_str(&format!(
            "{pad}  <SatNode>\n{pad}    <Saturation>{saturation}</Saturation>\n{pad}  </SatNode>\n"
        ));
    }
    xml.push_str(&format!("{pad}</ColorCorrection>\n"));
    xml
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_standards::look::parse_cdl;

    /// What is written is read back by the reader of looks, number for number.
    #[test]
    fn decisions_survive_the_way_through_a_file() {
        let sop = Sop {
            slope: [0.9405, 0.8676, 0.7871],
            offset: [-0.0046, -0.0054, 1e-5],
            power: [1.1099, 1.0, 1.0],
        };
        for cdl in [
            Cdl { sop: Some(sop), saturation: Some(0.9) },
            Cdl { sop: Some(sop), saturation: None },
            Cdl { sop: None, saturation: Some(0.5) },
        ] {
            let made = documents("A_010_PL01_v001", Some(&cdl), "event 001 <of> \"cut\"");
            let names: Vec<_> = made.iter().map(|d| d.name.as_str()).collect();
            assert_eq!(names, ["A_010_PL01_v001.cc", "A_010_PL01_v001.cdl"]);
            for document in &made {
                let read = parse_cdl(document.text.as_bytes()).unwrap();
                assert_eq!(read.len(), 1);
                assert_eq!(read[0].id.as_deref(), Some("A_010_PL01_v001"));
                let values = read[0].cdl;
                let wanted =
                    cdl.sop.unwrap_or(Sop { slope: [1.0; 3], offset: [0.0; 3], power: [1.0; 3] });
                assert_eq!(
                    (values.slope, values.offset, values.power),
                    (wanted.slope, wanted.offset, wanted.power)
                );
                assert_eq!(values.saturation, cdl.saturation.unwrap_or(1.0));
            }
        }
        assert_eq!(documents("a", None, ""), []);
        assert_eq!(documents("a", Some(&Cdl::default()), ""), []);
    }
}
