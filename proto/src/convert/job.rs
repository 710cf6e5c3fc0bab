//! Submissions: what a step does travels as JSON under the name of its kind,
//! so that a new kind needs no new message. Long JSON is packed: a package of
//! thousands of plates says the same things of each of them.

use super::needed;
use crate::v1;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use platefarm_model::farm::{Needs, StepTerms};
use platefarm_model::job::{JobSpec, StepKind, StepSpec};
use platefarm_model::{Code, Fault, Outcome, limits};
use prost::Message as _;
use serde_json::Value;
use std::io::{Read as _, Write as _};

/// From this length on, in bytes, JSON is packed in a submission.
const LONG: usize = 4096;
/// And everywhere: a lease goes to workers of the last version as well, which
/// know no packed JSON, and a message holds little more than this.
const TOO_LONG: usize = limits::MAX_MESSAGE_BYTES / 2;

/// The JSON as it travels: as it is, or packed where it is as long as `most`.
fn packed(json: String, most: usize) -> (String, Vec<u8>) {
    if json.len() < most {
        return (json, Vec::new());
    }
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::fast());
    match packer.write_all(json.as_bytes()).and_then(|()| packer.finish()) {
        Ok(bytes) => (String::new(), bytes),
        Err(_) => (json, Vec::new()),
    }
}

/// The JSON as it was; its length is taken from `room`, of which all steps of a
/// message have one: a small message may not grow to fill the memory.
fn unpacked(json: String, packed: &[u8], room: &mut u64) -> Outcome<String> {
    if packed.is_empty() {
        return Ok(json);
    }
    let bad = |message: &str| Fault::new(Code::BadSpec, message).at("spec_deflate");
    let mut text = String::new();
    let most = limits::MAX_DOCUMENT_BYTES.min(*room);
    ZlibDecoder::new(packed)
        .take(most + 1)
        .read_to_string(&mut text)
        .map_err(|e| bad("the packed spec is no zlib stream of JSON").because(&e))?;
    if text.len() as u64 > most {
        return Err(bad("the packed specs are longer than a job's documents may be"));
    }
    *room -= text.len() as u64;
    Ok(text)
}

/// A job as it is handed in.
///
/// # Errors
/// [`Code::JobTooLarge`] when no scheduler would take it: larger than
/// [`limits::MAX_MESSAGE_BYTES`].
pub fn submission(job: &JobSpec) -> Outcome<v1::SubmitJobRequest> {
    let mut wire = v1::JobSpec::from(job);
    for step in &mut wire.steps {
        let json = std::mem::take(&mut step.spec_json);
        if step.spec_deflate.is_empty() {
            (step.spec_json, step.spec_deflate) = packed(json, LONG);
        }
    }
    let request = v1::SubmitJobRequest { job: Some(wire) };
    let size = request.encoded_len();
    if size > limits::MAX_MESSAGE_BYTES {
        let mib = |bytes: usize| bytes.div_ceil(1024 * 1024);
        let message = format!(
            "the job has {} steps and {} MiB; a message may have {} MiB",
            job.steps.len(),
            mib(size),
            mib(limits::MAX_MESSAGE_BYTES)
        );
        return Err(Fault::new(Code::JobTooLarge, message).at(job.name.clone()));
    }
    Ok(request)
}

/// The name of the kind and its JSON without the name.
fn kind_out(kind: &StepKind) -> (String, String) {
    let mut value = serde_json::to_value(kind).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.shift_remove("kind");
    }
    (kind.name().to_owned(), value.to_string())
}

fn kind_in(kind: &str, json: &str) -> Outcome<StepKind> {
    let bad = |message: String| Fault::new(Code::BadSpec, message);
    let text = if json.trim().is_empty() { "{}" } else { json };
    let mut value: Value = serde_json::from_str(text)
        .map_err(|e| bad(format!("the spec of a '{kind}' step is not JSON")).because(&e))?;
    let object = value
        .as_object_mut()
        .ok_or_else(|| bad(format!("the spec of a '{kind}' step is not a JSON object")))?;
    object.insert("kind".into(), kind.into());
    serde_json::from_value(value).map_err(|e| {
        bad(format!("the spec of a '{kind}' step cannot be read"))
            .because(&e)
            .remedy("See docs/job-kinds.md for the kinds and what each needs.")
    })
}

impl From<&StepSpec> for v1::StepSpec {
    fn from(step: &StepSpec) -> Self {
        let (kind, json) = kind_out(&step.kind);
        let (spec_json, spec_deflate) = packed(json, TOO_LONG);
        let terms = &step.terms;
        Self {
            name: step.name.clone(),
            frames: Some(step.frames.into()),
            after: step.after.clone(),
            max_attempts: step.max_attempts,
            kind,
            spec_json,
            spec_deflate,
            needs: (terms.needs != Needs::default()).then(|| (&terms.needs).into()),
            after_same_frames: terms.after_same_frames.clone(),
            frame_limit_s: terms.frame_limit_s,
            step_limit_s: terms.step_limit_s,
            near: terms.near.clone(),
            trace: terms.trace.as_deref().unwrap_or_default().to_owned(),
        }
    }
}

impl TryFrom<v1::StepSpec> for StepSpec {
    type Error = Fault;

    fn try_from(step: v1::StepSpec) -> Outcome<Self> {
        let mut room = limits::MAX_UNPACKED_BYTES;
        step_in(step, &mut room)
    }
}

fn step_in(step: v1::StepSpec, room: &mut u64) -> Outcome<StepSpec> {
    let place = format!("step '{}'", step.name);
    let attempts = match step.max_attempts {
        0 => limits::DEFAULT_MAX_ATTEMPTS,
        given => given,
    };
    Ok(StepSpec {
        kind: unpacked(step.spec_json, &step.spec_deflate, room)
            .and_then(|json| kind_in(&step.kind, &json))
            .map_err(|f| f.within(&place))?,
        frames: needed(step.frames, "frames")
            .and_then(TryInto::try_into)
            .map_err(|f| f.within(&place))?,
        after: step.after,
        max_attempts: attempts,
        terms: StepTerms {
            needs: step
                .needs
                .map_or(Ok(Needs::default()), TryInto::try_into)
                .map_err(|f| f.within(&place))?,
            after_same_frames: step.after_same_frames,
            frame_limit_s: step.frame_limit_s,
            step_limit_s: step.step_limit_s,
            near: step.near,
            trace: (!step.trace.is_empty()).then(|| step.trace.into()),
        },
        name: step.name,
    })
}

impl From<&JobSpec> for v1::JobSpec {
    fn from(job: &JobSpec) -> Self {
        Self {
            name: job.name.clone(),
            show: job.show.clone(),
            priority: job.priority,
            idempotency_key: job.idempotency_key.clone().unwrap_or_default(),
            steps: job.steps.iter().map(Into::into).collect(),
            terms: Some((&job.terms).into()),
        }
    }
}

impl TryFrom<v1::JobSpec> for JobSpec {
    type Error = Fault;

    fn try_from(job: v1::JobSpec) -> Outcome<Self> {
        let mut room = limits::MAX_UNPACKED_BYTES;
        let read = |(i, step): (usize, v1::StepSpec)| {
            step_in(step, &mut room).map_err(|f| f.within(format!("steps[{i}]")))
        };
        Ok(Self {
            name: job.name,
            show: job.show,
            priority: job.priority,
            terms: job.terms.map(Into::into).unwrap_or_default(),
            idempotency_key: (!job.idempotency_key.is_empty()).then_some(job.idempotency_key),
            steps: job.steps.into_iter().enumerate().map(read).collect::<Outcome<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::farm::{Dependency, Device, JobTerms, PriorityClass};
    use platefarm_model::recipe::{FrameNaming, Framing, RenderSpec};
    use platefarm_model::{FrameRange, Timestamp, recipe};

    fn render() -> StepKind {
        StepKind::Render(Box::new(RenderSpec {
            source: "/m/A001".into(),
            clip_name: None,
            source_first: 7,
            frames: FrameRange::new(1001, 1048).unwrap(),
            out_dir: "/o".into(),
            naming: FrameNaming { stem: "s_PL01_v001".into(), padding: 4 },
            debayer: recipe::Debayer::default(),
            repairs: platefarm_model::repair::Repairs {
                hot_pixels: true,
                highlights: platefarm_model::repair::Highlights::Rebuild,
            },
            framing: Some(Framing {
                scale: [0.1, 1.0 / 3.0],
                ..Framing::identity(4096, 2304, 1.0)
            }),
            color: recipe::ColorRecipe {
                input: vec![recipe::ColorStep::ToAces("ARRI LogC4".into())],
                looks: Vec::new(),
                view: None,
            },
            color_out: recipe::OutputColor::default(),
            compression: recipe::Compression::Piz,
            backend: recipe::Backend::Cpu,
            fdl_json: Some("{\"a\":1}".into()),
            reuse: Vec::new(),
        }))
    }

    #[test]
    fn long_specs_travel_packed() {
        let StepKind::Render(mut spec) = render() else { panic!("a render") };
        spec.fdl_json = Some("{\"fdl\": \"plate\"} ".repeat(10_000));
        let step = StepSpec {
            name: "s".into(),
            kind: StepKind::Render(spec),
            frames: FrameRange::single(1),
            after: Vec::new(),
            max_attempts: 1,
            terms: StepTerms::default(),
        };
        let job = JobSpec {
            name: "pull".into(),
            show: "demo".into(),
            priority: 0,
            terms: JobTerms::default(),
            idempotency_key: None,
            steps: vec![step.clone()],
        };
        let wire = submission(&job).unwrap().job.unwrap().steps.remove(0);
        assert!(wire.spec_json.is_empty() && wire.encoded_len() < 10_000);
        // A worker of the last version is handed what it can read.
        assert!(v1::StepSpec::from(&step).spec_deflate.is_empty());
        assert_eq!(StepSpec::try_from(wire.clone()).unwrap(), step);
        let cut = v1::StepSpec { spec_deflate: wire.spec_deflate[..100].to_vec(), ..wire };
        assert_eq!(StepSpec::try_from(cut).unwrap_err().code, Code::BadSpec);
        // What all steps unpack to together has a bound.
        let mut room = 4 * 1024;
        let (json, packed) = packed(" ".repeat(LONG), LONG);
        assert!(unpacked(json.clone(), &packed, &mut room).is_ok() && room == 0);
        assert_eq!(unpacked(json, &packed, &mut room).unwrap_err().code, Code::BadSpec);
        // Names do not pack: this is beyond any message, and says how far.
        let steps = vec![StepSpec { name: "x".repeat(1 << 20), ..step }; 65];
        let fault = submission(&JobSpec { steps, ..job }).unwrap_err();
        assert_eq!((fault.code, fault.place.as_deref()), (Code::JobTooLarge, Some("pull")));
        assert!(fault.message.contains("65 steps") && fault.message.contains("64 MiB"), "{fault}");
    }

    #[test]
    fn a_job_travels_unchanged() {
        let step = |name: &str, kind, after| StepSpec {
            name: name.into(),
            kind,
            frames: FrameRange::new(1001, 1048).unwrap(),
            after,
            max_attempts: 5,
            terms: StepTerms {
                needs: Needs {
                    pool: Some("night".into()),
                    labels: ["rack=3".to_owned()].into(),
                    memory_mib: 900,
                    device: Device::Gpu,
                    limits: [("nuke".to_owned(), 2)].into(),
                },
                after_same_frames: vec![],
                frame_limit_s: 60,
                step_limit_s: 600,
                near: vec!["vol1".into()],
                trace: Some("00-1-2-01".into()),
            },
        };
        let job = JobSpec {
            name: "pull".into(),
            show: "demo".into(),
            priority: -3,
            terms: JobTerms {
                class: PriorityClass::Urgent,
                deadline: Some(Timestamp(5)),
                start_after: Some(Timestamp(4)),
                max_tasks: Some(7),
                after: vec![
                    Dependency { on: "j1".parse().unwrap(), same_frames: false },
                    Dependency { on: "j2.0".parse().unwrap(), same_frames: true },
                ],
                paused: true,
                submitted_by: Some("ann".into()),
            },
            idempotency_key: Some("k".into()),
            steps: vec![
                step("a", render(), vec![]),
                step("b", StepKind::Noop { millis_per_frame: 9 }, vec![0]),
            ],
        };
        let wire = v1::JobSpec::from(&job);
        assert!(!wire.steps[0].spec_json.contains("\"kind\""), "the kind is said once");
        assert_eq!(JobSpec::try_from(wire).unwrap(), job);
    }

    #[test]
    fn defaults_are_filled_in_and_bad_fields_are_named() {
        let step = v1::StepSpec {
            name: "n".into(),
            frames: Some(v1::FrameRange { first: 1, last: 2 }),
            kind: "noop".into(),
            ..v1::StepSpec::default()
        };
        let read = StepSpec::try_from(step.clone()).unwrap();
        assert_eq!(read.max_attempts, limits::DEFAULT_MAX_ATTEMPTS);
        assert_eq!(read.kind, StepKind::Noop { millis_per_frame: 0 });

        let fails = |change: fn(&mut v1::StepSpec)| {
            let mut bad = step.clone();
            change(&mut bad);
            let job = v1::JobSpec { steps: vec![bad], ..v1::JobSpec::default() };
            JobSpec::try_from(job).unwrap_err()
        };
        assert_eq!(fails(|s| s.frames = None).place.unwrap(), "steps[0]: step 'n': frames");
        assert_eq!(fails(|s| s.kind = "paint".into()).code, Code::BadSpec);
        assert_eq!(fails(|s| s.spec_json = "[1]".into()).code, Code::BadSpec);
        assert_eq!(fails(|s| s.spec_json = "{".into()).code, Code::BadSpec);
        let range = fails(|s| s.frames = Some(v1::FrameRange { first: 2, last: 1 }));
        assert_eq!(range.code, Code::BadFrameRange);
    }
}
