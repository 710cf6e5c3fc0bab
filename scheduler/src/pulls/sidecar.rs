//! What travels beside a plate and says what its pixels are: the ACES metadata
//! file, the camera's transform, and the looks that the AMF names. Everything
//! in them follows from the request, so the same pull has the same sidecars,
//! UUIDs included.

use super::PullRequest;
use platefarm_model::clip::ClipInfo;
use platefarm_model::pull::{Document, PackageColor};
use platefarm_model::recipe::{ColorRecipe, FrameNaming};
use platefarm_model::{Code, Fault, FrameRange, Outcome};
use platefarm_standards::amf::{self, Delivery, GradeLook, IncomingAmf, Pixels};
use platefarm_standards::editlist::{Cdl, Sop};
use twox_hash::XxHash3_128;

/// What says what a plate's pixels are.
pub(super) struct Sidecars {
    /// The ACES metadata file.
    pub(super) amf: Document,
    /// The input transform as a Common LUT Format file, where no registry has it.
    pub(super) clf: Option<Document>,
    /// Names of the looks of the package that the AMF names.
    pub(super) looks: Vec<String>,
    /// Files that stand beside this plate alone: what led to ACES2065-1, and looks that have another name
    /// here than in the package, since the plate is called so itself.
    pub(super) own: Vec<Document>,
    /// What was assumed about the list's colour decision, or why it is not in the AMF, and what of it
    /// is in no registry.
    pub(super) told: Vec<Fault>,
}

/// The colour of a clip's plates, and what was assumed about it.
pub(super) fn recipe(
    request: &PullRequest<'_>,
    clip: &ClipInfo,
    pixels: Pixels<'_>,
) -> Outcome<(ColorRecipe, Vec<Fault>)> {
    match request.amf {
        Some(incoming) => {
            let out = &request.delivery.picture.color;
            let recipe = incoming.of(clip).and_then(|amf| amf.resolved.recipe(pixels, out));
            recipe.map_err(|fault| fault.within(&incoming.name).within(&clip.path))
        }
        // That there is none is said once for the pull.
        None => Ok((amf::without_amf().0, Vec::new())),
    }
}

/// What the plates of the package have in common.
pub(super) fn package_color(request: &PullRequest<'_>) -> PackageColor {
    let shown = request.delivery.picture.color.meaning().is_ok_and(|meaning| meaning.display);
    let default = || amf::without_amf().0.view;
    let Some(incoming) = request.amf else {
        return PackageColor { view: default().filter(|_| !shown), ..PackageColor::default() };
    };
    let name = incoming.name.rsplit('/').next().unwrap_or(&incoming.name);
    let files = incoming.files().into_iter();
    let said = incoming.view().ok().flatten().map(|color| color.name().to_owned());
    PackageColor {
        amf: Some(name.to_owned()),
        view: said.or_else(default).filter(|_| !shown),
        looks: files.map(|(_, name, bytes)| Document { name, text: bytes.into() }).collect(),
    }
}

/// The sidecars of a plate.
pub(super) fn sidecars(
    request: &PullRequest<'_>,
    naming: &FrameNaming,
    clip: &ClipInfo,
    frames: FrameRange,
    color: &ColorRecipe,
    cdl: Option<&Cdl>,
) -> Outcome<Sidecars> {
    let name = naming.stem.as_str();
    let made = |what: &str| uuid_of(request, name, what);
    let (grade, told) = grade(request, cdl);
    let sidecars = amf::sidecars(&Delivery {
        what: &format!(
            "VFX pull '{}': {name} from clip '{}'",
            request.name, clip.identity.clip_name
        ),
        clip,
        naming,
        frames,
        debayer: request.delivery.picture.debayer,
        repairs: &request.repairs,
        color,
        color_out: &request.delivery.picture.color,
        incoming: request.amf,
        looks: &[],
        grade: grade.as_ref(),
        created: request.now,
        uuid: &made,
    })?;
    let of_package = request.amf.map(IncomingAmf::files).unwrap_or_default();
    let is_shared = |look: &Document| {
        let same = |name: &str, bytes: &[u8]| name == look.name && bytes == look.text.as_bytes();
        of_package.iter().any(|(_, name, bytes)| same(name, bytes))
    };
    let (shared, own): (Vec<Document>, Vec<Document>) =
        sidecars.looks.into_iter().partition(is_shared);
    let looks = shared.into_iter().map(|look| look.name).collect();
    let told = told.into_iter().chain(sidecars.notes).collect();
    Ok(Sidecars { amf: sidecars.amf, clf: sidecars.clf, looks, own, told })
}

/// The UUID of a document of a plate. The same pull made at another time is another document.
fn uuid_of(request: &PullRequest<'_>, plate: &str, what: &str) -> String {
    uuid(&request.seed, &format!("{plate} {what} {}", request.now.0))
}

/// The UUID of a plate's AMF.
pub(super) fn amf_uuid(request: &PullRequest<'_>, plate: &str) -> String {
    uuid_of(request, plate, "AMF")
}

/// The list's colour decision as a look that is still ahead: whoever has an AMF
/// looks at no other place for a grade. One that cannot stand there says why;
/// one that can says in which space, for lists have no word for that.
fn grade(request: &PullRequest<'_>, cdl: Option<&Cdl>) -> (Option<GradeLook>, Option<Fault>) {
    let Some(cdl) = cdl.filter(|cdl| cdl.sop.is_some() || cdl.saturation.is_some()) else {
        return (None, None);
    };
    let sop = cdl.sop.unwrap_or(Sop { slope: [1.0; 3], offset: [0.0; 3], power: [1.0; 3] });
    let values = amf::Cdl {
        slope: sop.slope,
        offset: sop.offset,
        power: sop.power,
        saturation: cdl.saturation.unwrap_or(1.0),
    };
    let left_out = |why: &str| {
        let message = format!("the list's colour decision is not in the AMF: {why}");
        let remedy = "Nothing, if that is meant; the decision is beside the plate as .cc and .cdl.";
        (None, Some(Fault::new(Code::ColorAssumed, message).remedy(remedy)))
    };
    if request.delivery.picture.color.meaning().is_ok_and(|meaning| meaning.display) {
        return left_out("the pixels are made for a display");
    }
    let stages = request.amf.map(|incoming| incoming.amf.pipeline.stages.as_slice());
    let mut theirs = stages.unwrap_or_default().iter().filter(|stage| stage.cdl.is_some());
    match theirs.next() {
        Some(theirs) if theirs.cdl.as_ref() == Some(&values) => (None, None),
        Some(_) => left_out("that of the show has a grade of its own, which is kept"),
        None => {
            let description = format!("ASC CDL of edit list '{}'", request.edl_document.name);
            let message =
                "the list does not say the space of its colour decision; ACEScct is written";
            let assumed = Fault::new(Code::ColorAssumed, message).remedy(
                "Nothing, if it was graded in ACEScct; else take the numbers from the .cc beside the plate.",
            );
            (Some(GradeLook { description, cdl: values }), Some(assumed))
        }
    }
}

/// A UUID that is the same whenever the same thing is made (RFC 9562, version 8:
/// 122 bits of our own, from a hash of `seed` and of `what` it is for).
#[must_use]
pub fn uuid(seed: &str, what: &str) -> String {
    let mut bytes = XxHash3_128::oneshot(format!("{seed}\n{what}").as_bytes()).to_be_bytes();
    bytes[6] = bytes[6] & 0x0F | 0x80;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::uuid;

    #[test]
    fn uuids_are_of_version_eight_and_differ_by_purpose() {
        let one = uuid("seed", "a");
        assert_eq!(one, uuid("seed", "a"));
        assert_ne!(one, uuid("seed", "b"));
        assert_ne!(one, uuid("other", "a"));
        let groups: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12]);
        assert_eq!(one.as_bytes()[14], b'8', "{one}");
        assert!(matches!(one.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{one}");
    }
}
