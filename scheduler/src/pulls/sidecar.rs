//! What travels beside a plate and says what its pixels are: the ACES metadata
//! file and the camera's transform. Everything in them follows from the
//! request, so the same pull has the same sidecars, UUIDs included.

use super::PullRequest;
use platefarm_model::clip::{CameraColor, ClipInfo};
use platefarm_model::pull::Document;
use platefarm_model::recipe::FrameNaming;
use platefarm_model::{FrameRange, Outcome};
use platefarm_standards::amf::{self, InputTransform, PlateAmf, Viewing};
use xxhash_rust::xxh3::xxh3_128;

/// The transform that is baked into a plate whose file gives no colour numbers.
/// The id is our own, which the AMF implementation guide has readers treat as
/// custom, and since the transform is applied nobody needs to resolve it.
const DEVELOPED: &str = "urn:ampas:aces:transformId:v2.0:CSC.Platefarm.CameraRaw_to_ACES.a2.v1";

/// What says what a plate's pixels are: the ACES metadata file, and beside it
/// the camera's transform, which is in no registry, as a Common LUT Format file.
pub(super) struct Sidecars {
    pub(super) amf: Document,
    pub(super) clf: Option<Document>,
}

/// The sidecars of a plate: the input transform is baked in, nothing else.
pub(super) fn sidecars(
    request: &PullRequest<'_>,
    naming: &FrameNaming,
    clip: &ClipInfo,
    frames: FrameRange,
) -> Outcome<Sidecars> {
    let name = naming.stem.as_str();
    // The same pull made at another time is another document.
    let made = |what: &str| uuid(&request.seed, &format!("{name} {what} {}", request.now.0));
    let description = input_description(request, clip);
    let clf = clip.color.as_ref().map(|color| clf(request, name, clip, color)).transpose()?;
    let input = match &clf {
        Some(clf) => InputTransform::File {
            description: &description,
            path: &clf.name,
            content: clf.text.as_bytes(),
        },
        None => InputTransform::Registered { description: &description, id: DEVELOPED },
    };
    let plate = PlateAmf {
        description: &format!(
            "VFX pull '{}': {name} from clip '{}'",
            request.name, clip.identity.clip_name
        ),
        author: None,
        created: request.now,
        uuid: &made("AMF"),
        pipeline_uuid: &made("pipeline"),
        clip_name: name,
        naming,
        frames,
        input,
        viewing: Viewing::default(),
    };
    let amf = Document { name: format!("{name}.amf"), text: amf::plate_amf(&plate)?.into() };
    Ok(Sidecars { amf, clf })
}

fn camera_name(clip: &ClipInfo) -> String {
    clip.camera.name().unwrap_or_else(|| "camera".into())
}

fn input_description(request: &PullRequest<'_>, clip: &ClipInfo) -> String {
    let repairs = if request.repairs.is_none() {
        String::new()
    } else {
        let (hot, highlights) =
            (request.repairs.hot_pixels_label(), request.repairs.highlights.label());
        format!(", hot pixels {hot}, highlights {highlights}")
    };
    format!(
        "{} raw ({}) to {}: white balance and matrix of the file, debayer {} version {}{repairs}; baked into the plate",
        camera_name(clip),
        clip.picture.format,
        request.delivery.picture.color.name(),
        request.delivery.picture.debayer.name(),
        request.delivery.picture.debayer.version()
    )
}

fn clf(
    request: &PullRequest<'_>,
    name: &str,
    clip: &ClipInfo,
    color: &CameraColor,
) -> Outcome<Document> {
    let camera = camera_name(clip);
    let transform = amf::clf::CameraClf {
        id: &format!("urn:uuid:{}", uuid(&request.seed, &format!("{name} CLF"))),
        name: &camera,
        description: &format!(
            "white balance and matrix of clip '{}'; already applied in plate {name}",
            clip.identity.clip_name
        ),
        white_balance: color.white_balance,
        camera_to_aces: color.camera_to_aces,
    };
    Ok(Document { name: format!("{name}.clf"), text: amf::clf::camera_clf(&transform)?.into() })
}

/// A UUID that is the same whenever the same thing is made (RFC 9562, version 8:
/// 122 bits of our own, from a hash of `seed` and of `what` it is for).
#[must_use]
pub fn uuid(seed: &str, what: &str) -> String {
    let mut bytes = xxh3_128(format!("{seed}\n{what}").as_bytes()).to_be_bytes();
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
