//! What a pull is known by: everything that decides its pixels, its names and
//! its documents. With the directory it is the job's key, so that the same
//! request, handed in again after a crash, is the same job. Without, it seeds
//! the UUIDs of the documents in the headers, so that the same pull makes the
//! same files anywhere.
//!
//! What is not in it decides none of that: the time, the place among other
//! jobs, the backend, of which the result does not depend, and what was chosen
//! or added for the show that no event of the list comes to.

use super::ahead::decided;
use super::{NoPlan, PullPlan, PullRequest, attempt};
use platefarm_model::clip::ClipInfo;
use platefarm_model::{Code, Fault, Outcome};
use std::collections::HashMap;
use twox_hash::XxHash3_128;

/// Plans a pull under its key, which is its job's, too. The clips are those of
/// a scan, and those that are taken of a library; `fdl` is the framing as it
/// was handed in.
///
/// # Errors
/// Those of [`plan`](super::plan).
pub fn keyed(
    mut request: PullRequest<'_>,
    fdl: Option<&[u8]>,
    scanned: &[ClipInfo],
    taken: &HashMap<usize, ClipInfo>,
) -> Result<(PullPlan, String), NoPlan> {
    let content = content(&request, fdl, scanned, taken)?;
    request.seed.clone_from(&content);
    let mut plan = attempt(&request)?;
    let key = xxh128(format!("{content} {}", request.out_dir).as_bytes());
    plan.job.idempotency_key = Some(key.clone());
    Ok((plan, key))
}

/// 32 hexadecimal digits, as hashes of files have them.
fn xxh128(bytes: &[u8]) -> String {
    format!("{:032x}", XxHash3_128::oneshot(bytes))
}

/// The name of the content.
fn content(
    request: &PullRequest<'_>,
    fdl: Option<&[u8]>,
    scanned: &[ClipInfo],
    taken: &HashMap<usize, ClipInfo>,
) -> Outcome<String> {
    let wishes =
        (&request.show, request.plate_version, request.rate, &request.delivery, request.repairs);
    let look = request.look.as_ref();
    let names = (
        &request.name,
        &request.edl_document.name,
        &request.fdl_name,
        look.map(|look| &look.name),
        // One that was named for this pull goes before those of camera formats.
        request.template_said,
    );
    let finding = (decided(request.edl, &request.choices), request.bar, &request.previous);
    // In the order of the library, whatever else is in it.
    let mut taken: Vec<_> = taken.iter().collect();
    taken.sort_unstable_by_key(|(place, _)| **place);
    let taken: Vec<&ClipInfo> = taken.into_iter().map(|(_, clip)| clip).collect();
    let text = serde_json::to_vec(&(wishes, names, finding, scanned, taken))
        .map_err(|e| Fault::new(Code::Internal, "cannot name the pull").because(&e))?;
    let documents = [
        text.as_slice(),
        request.edl_document.text.as_bytes(),
        fdl.unwrap_or_default(),
        look.map(|look| look.text.as_bytes()).unwrap_or_default(),
    ];
    // The files that the look names may change without it.
    let beside = request.amf.into_iter().flat_map(|amf| amf.found());
    let beside = beside.map(|(_, (_, found))| found.bytes.as_slice());
    let mut bytes = Vec::new();
    for part in documents.into_iter().chain(beside) {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(xxh128(part).as_bytes());
    }
    Ok(xxh128(&bytes))
}

#[cfg(test)]
mod tests {
    use super::super::Previous;
    use super::*;
    use platefarm_model::recipe::Backend;
    use platefarm_model::{FrameRate, Timestamp};
    use platefarm_standards::amf::{
        Amf, Found, IncomingAmf, Pipeline, Resolved, ResolvedStage, StageKind,
    };
    use platefarm_standards::editlist::{EditList, Format};

    fn request(edl: &EditList) -> PullRequest<'_> {
        crate::pulls::tests::request(edl, &[], 0)
    }

    fn key(request: &PullRequest<'_>) -> String {
        content(request, None, &[], &HashMap::new()).unwrap()
    }

    /// A look with a file beside it.
    fn incoming(bytes: &[u8]) -> IncomingAmf {
        let amf = Amf {
            version: 2,
            description: None,
            uuid: None,
            clip: None,
            pipeline: Pipeline::default(),
            archived: Vec::new(),
        };
        let found = Found { path: "/show/look.clf".into(), bytes: bytes.to_vec() };
        let stage = ResolvedStage {
            kind: StageKind::Look,
            applied: false,
            label: "look".into(),
            steps: Vec::new(),
            file: Some(("look.clf".into(), found)),
        };
        let resolved = Resolved { stages: vec![stage], notes: Vec::new() };
        IncomingAmf { name: "show.amf".into(), amf, resolved, raw: None }
    }

    /// A change, with what is said of it.
    type Change = (&'static str, fn(&mut PullRequest<'_>));

    #[test]
    fn what_decides_a_pull_is_in_its_key_and_nothing_else() {
        let edl = EditList::new(Format::Edl, FrameRate::FPS_24);
        let plain = key(&request(&edl));
        let changed = |change: fn(&mut PullRequest<'_>)| {
            let mut request = request(&edl);
            change(&mut request);
            key(&request) != plain
        };
        let decisive: [Change; 10] = [
            ("template_said", |r| r.template_said = true),
            ("name", |r| r.name = "other".into()),
            ("show", |r| r.show = "other".into()),
            ("plate_version", |r| r.plate_version = 2),
            ("delivery", |r| r.delivery.handles += 1),
            ("bar", |r| r.bar = 1.0),
            ("previous", |r| r.previous.push(Previous::default())),
            ("edit list", |r| r.edl_document.text = "TITLE: U".into()),
            ("its name", |r| r.edl_document.name = "other.edl".into()),
            ("name of the FDL", |r| r.fdl_name = Some("show.fdl".into())),
        ];
        for (what, change) in decisive {
            assert!(changed(change), "{what}");
        }
        let others: [Change; 4] = [
            ("now", |r| r.now = Timestamp(1)),
            ("out_dir", |r| r.out_dir = "/elsewhere".into()),
            ("backend", |r| r.backend = Backend::Cpu),
            ("seed", |r| r.seed = "seed".into()),
        ];
        for (what, change) in others {
            assert!(!changed(change), "{what}");
        }
    }

    /// Event 1 is of reel A001, event 2 of B001.
    const LIST: &str = "001  A001 V C 01:00:01:00 01:00:02:00 01:00:00:00 01:00:01:00\n\
        002  B001 V C 01:00:01:00 01:00:02:00 01:00:01:00 01:00:02:00\n";

    #[test]
    fn of_what_was_chosen_only_that_is_in_the_key_which_the_list_comes_to() {
        let edl = crate::pulls::tests::list(LIST);
        let with = |text: &str| {
            let choices = crate::pulls::Choices::read("choices.toml", text).unwrap();
            key(&PullRequest { choices, ..request(&edl) })
        };
        let of =
            |reel: &str, clip: &str| format!("[[choice]]\nreel = \"{reel}\"\nuse = \"{clip}\"\n");
        let (a, b, other) = (of("A001", "/ocf/a"), of("B001", "/ocf/b"), of("Z001", "/ocf/z"));
        assert_eq!(with(&other), with(""), "a choice for another list");
        let both = with(&(a.clone() + &b));
        assert_eq!(both, with(&(b.clone() + &other + &a)), "and the order that they were kept in");
        assert_ne!(with(&a), with(""));
        assert_ne!(with(&a), both);
        assert_ne!(with(&of("A001", "/ocf/b")), with(&a), "another clip");
        // Between two that speak of an event the order decides.
        let exact = "[[choice]]\nreel = \"A001\"\nsource_in = \"01:00:01:00\"\nuse = \"/ocf/c\"\n";
        assert_ne!(with(&format!("{a}{exact}")), with(&format!("{exact}{a}")));
        assert_eq!(with(&format!("{exact}{a}")), with(&a), "one that another overrules");
    }

    /// Its place in the library changes with every clip that is added.
    #[test]
    fn a_clip_is_known_by_what_it_is() {
        let edl = EditList::new(Format::Edl, FrameRate::FPS_24);
        let clips = ["A", "B"].map(|name| crate::pulls::tests::clip(name, None, "01:00:00:00", 9));
        let at = |places: [usize; 2]| {
            let taken: HashMap<_, _> = places.into_iter().zip(clips.clone()).collect();
            content(&request(&edl), None, &[], &taken).unwrap()
        };
        assert_eq!(at([0, 1]), at([7, 12]));
        assert_ne!(at([0, 1]), at([1, 0]));
    }

    #[test]
    fn a_file_beside_the_look_is_in_the_key() {
        let edl = EditList::new(Format::Edl, FrameRate::FPS_24);
        let with = |bytes: &[u8]| {
            let amf = incoming(bytes);
            key(&PullRequest { amf: Some(&amf), ..request(&edl) })
        };
        assert_eq!(with(b"one"), with(b"one"));
        assert_ne!(with(b"one"), with(b"two"));
    }
}
