//! The table against the protos, and the reading of questions against the
//! decoder that the handlers use.

use crate::trust::skim::{Protos, Value};
use crate::trust::table::{About, RULES, Rule, Who};
use platefarm_model::JobId;
use platefarm_model::farm::{Control, Dependency, NodeControl, PriorityClass, Target};
use platefarm_proto::{DESCRIPTORS, v1};
use proptest::prelude::*;
use prost::Message;
use prost::encoding::{WireType, encode_key};
use std::collections::BTreeSet;

fn protos() -> Protos {
    Protos::read(&[
        DESCRIPTORS,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ])
    .unwrap()
}

#[test]
fn every_method_has_one_rule_and_every_rule_a_method() {
    let protos = protos();
    let ruled: BTreeSet<&str> = RULES.iter().map(|rule| rule.method).collect();
    assert_eq!(ruled.len(), RULES.len(), "a method is ruled twice");
    let there: BTreeSet<&str> = protos.methods().map(|(name, _)| name).collect();
    let unruled: Vec<_> = there.difference(&ruled).collect();
    assert!(unruled.is_empty(), "nobody may call {unruled:?}: add them to trust/table.rs");
    let gone: Vec<_> = ruled.difference(&there).collect();
    assert!(gone.is_empty(), "the protos do not have {gone:?}");
}

#[test]
fn every_place_that_a_rule_judges_by_is_in_its_question() {
    let protos = protos();
    for rule in RULES {
        let method = protos.method(rule.method).unwrap();
        let value = match rule.about {
            About::Farm | About::Caller => continue,
            About::Job(place) | About::Show(place) | About::Worker(place) => {
                assert!(!method.asks_in_a_stream, "{}: which of the questions?", rule.method);
                protos.at(&method.input, place, &[]).unwrap()
            }
        };
        match rule.about {
            About::Job(_) | About::Worker(_) => {
                assert_eq!(value, Value::Number(0), "{}", rule.method);
            }
            _ => assert_eq!(value, Value::Text(String::new()), "{}", rule.method),
        }
    }
}

/// A question that names a job or a show is judged by it: a new method cannot
/// be entered as one that is about nothing.
#[test]
fn no_rule_overlooks_a_job_or_a_show() {
    let protos = protos();
    // Their show only narrows a list that the handler cuts to what the caller sees.
    let lists = ["Farm/ListJobs", "Library/Search", "Library/ListFormats"];
    let narrows = |rule: &Rule| lists.iter().any(|list| rule.method.ends_with(list));
    for rule in RULES.iter().filter(|rule| rule.who != Who::Anybody && !narrows(rule)) {
        let input = &protos.method(rule.method).unwrap().input;
        for place in ["job", "job_id", "show", "job.show", "pull.show", "step.job"] {
            if protos.way(input, place).is_some() {
                assert!(
                    rule.about != About::Caller,
                    "{} has '{place}' and is not judged by it",
                    rule.method
                );
            }
        }
    }
}

const SUBMIT: &str = ".platefarm.v1.SubmitJobRequest";

fn message() -> impl Strategy<Value = v1::SubmitJobRequest> {
    let spec = (".{0,8}", ".{0,8}", any::<i32>(), ".{0,8}", 0usize..3);
    let spec = spec.prop_map(|(name, show, priority, key, steps)| v1::JobSpec {
        name,
        show,
        priority,
        idempotency_key: key,
        steps: vec![v1::StepSpec { name: "s".into(), ..Default::default() }; steps],
        ..Default::default()
    });
    proptest::option::of(spec).prop_map(|job| v1::SubmitJobRequest { job })
}

proptest! {
    /// Messages one after the other are one message, merged. Whoever hides a
    /// second show in a question is judged by the one that counts.
    #[test]
    fn what_is_judged_is_what_is_decoded(parts in prop::collection::vec(message(), 1..4)) {
        let bytes: Vec<u8> = parts.iter().flat_map(Message::encode_to_vec).collect();
        let decoded = v1::SubmitJobRequest::decode(bytes.as_slice()).unwrap();
        let show = decoded.job.unwrap_or_default().show;
        prop_assert_eq!(protos().at(SUBMIT, "job.show", &bytes).unwrap(), Value::Text(show));
    }

    /// Of any bytes: either both read them, and see the same, or the gate refuses.
    #[test]
    fn bytes_that_the_gate_reads_are_not_read_otherwise(
        bytes in prop::collection::vec(any::<u8>(), 0..64)
    ) {
        let judged = protos().at(SUBMIT, "job.show", &bytes);
        if let (Ok(judged), Ok(decoded)) = (judged, v1::SubmitJobRequest::decode(bytes.as_slice())) {
            prop_assert_eq!(judged, Value::Text(decoded.job.unwrap_or_default().show));
        }
        let judged = protos().at(".platefarm.v1.CancelJobRequest", "job", &bytes);
        if let (Ok(judged), Ok(decoded)) = (judged, v1::CancelJobRequest::decode(bytes.as_slice())) {
            prop_assert_eq!(judged, Value::Number(decoded.job));
        }
        let line = protos().line(SUBMIT, &bytes);
        prop_assert!(line.len() < 1024);
    }
}

#[test]
fn the_line_for_the_log_is_short_and_says_what_matters() {
    let bytes = super::job("atlas", "night comp\u{1b}[2J").encode_to_vec();
    let line = protos().line(SUBMIT, &bytes);
    assert!(line.contains("job.show: \"atlas\""), "{line}");
    assert!(line.contains("job.steps: [1]"), "{line}");
    assert!(!line.contains('\u{1b}'), "what a terminal would obey is escaped: {line}");
    let long = super::job(&"x".repeat(10_000), "n").encode_to_vec();
    assert!(protos().line(SUBMIT, &long).len() < 600);
}

/// Whatever is done is another line: each arm of what can be done to a job or to a
/// worker, with as little in it as can be sent.
#[test]
fn the_log_tells_everything_apart_that_can_be_done() {
    let protos = protos();
    let set = prost_types::FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    for (name, oneof) in [("ControlJobRequest", 10), ("ControlWorkerRequest", 5)] {
        let mut messages = set.file.iter().flat_map(|file| &file.message_type);
        let message = messages.find(|it| it.name() == name).unwrap();
        let arms: Vec<_> = message.field.iter().filter(|it| it.oneof_index.is_some()).collect();
        assert!(arms.len() >= oneof, "{name}: {arms:?}");
        let mut lines = BTreeSet::new();
        for arm in &arms {
            // An arm with nothing in it: its key, and no bytes.
            let mut bytes = Vec::new();
            encode_key(arm.number() as u32, WireType::LengthDelimited, &mut bytes);
            bytes.push(0);
            let line = protos.line(&format!(".platefarm.v1.{name}"), &bytes);
            assert!(line.contains(arm.name()), "{name}.{}: '{line}'", arm.name());
            lines.insert(line);
        }
        assert_eq!(lines.len(), arms.len(), "{lines:?}");
    }
}

/// What people read there are words, and not the numbers of the wire.
#[test]
fn the_log_says_what_was_done_in_words() {
    let said = |control: Control| {
        let question = v1::ControlJobRequest::from((Target::Job(JobId(3)), &control));
        protos().line(".platefarm.v1.ControlJobRequest", &question.encode_to_vec())
    };
    assert_eq!(said(Control::Pause), "target.job: 3, pause");
    assert_eq!(said(Control::Deadline(None)), "target.job: 3, deadline");
    // Which frames, and not how many ranges of them; of very many the first.
    let retry = |frames: &str| said(Control::Retry(Some(frames.parse().unwrap())));
    assert_eq!(retry("1001-1010,1050"), "target.job: 3, retry.frames: 1001-1010,1050");
    let many: Vec<String> = (0..500).map(|i| (1000 + 2 * i).to_string()).collect();
    let line = retry(&many.join(","));
    assert!(line.starts_with("target.job: 3, retry.frames: 1000,1002,"), "{line}");
    assert!(line.ends_with(",… [483]") && line.len() < 200, "{line}");
    let raise = Control::Priority { class: Some(PriorityClass::Urgent), priority: Some(-5) };
    assert_eq!(said(raise), "target.job: 3, priority.class: urgent, priority.priority: -5");
    let after = Dependency { on: Target::Job(JobId(2)), same_frames: true };
    let line = said(Control::Depend(after));
    assert!(line.starts_with("target.job: 3, depend.job: 2"), "{line}");

    let drain = NodeControl::Drain { reason: "a new kernel".into() };
    let drain = v1::ControlWorkerRequest { worker: 1, action: Some(drain.into()) };
    let line = protos().line(".platefarm.v1.ControlWorkerRequest", &drain.encode_to_vec());
    assert_eq!(line, "worker: 1, drain.reason: \"a new kernel\"");
    let token = v1::CreateTokenRequest {
        name: "night".into(),
        role: v1::Role::Operator.into(),
        ..Default::default()
    };
    let line = protos().line(".platefarm.v1.CreateTokenRequest", &token.encode_to_vec());
    assert_eq!(line, "name: \"night\", role: operator");
    // A value that the protos do not name stays a number.
    let strange = v1::CreateTokenRequest { role: 77, ..token };
    let line = protos().line(".platefarm.v1.CreateTokenRequest", &strange.encode_to_vec());
    assert_eq!(line, "name: \"night\", role: 77");
}
