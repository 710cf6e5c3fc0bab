//! `docs/grpc-reference.md`, from the compiled protos, their comments, and the
//! one table that says who may call what.

use platefarm_proto::DESCRIPTORS;
use platefarm_scheduler::trust::{Served, served};
use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    FileDescriptorSet, MethodDescriptorProto,
};
use std::collections::HashMap;
use std::fmt::Write;

/// The package of our protos.
const OURS: &str = "platefarm.v1";
/// What stands where in a descriptor, as `descriptor.proto` numbers it.
const MESSAGES: i32 = 4;
const ENUMS: i32 = 5;
const SERVICES: i32 = 6;
const PARTS: i32 = 2;

const HEAD: &str = "# gRPC reference\n\nEvery method, message and field of `platefarm.v1`, as [the protos](../proto/platefarm/v1) say it, with who may call it, as \
`scheduler/src/trust/table.rs` says it. This page is derived from both; [gRPC](grpc.md) says how it is used.\n\n\
* **Role** is what a token must have, or one that covers it: viewer, submitter, operator, admin, in this order; worker stands apart.\n\
* **About** is what a token for some shows is held to. A call about the whole farm is not for such a token, and an answer that is cut has\n  \
what the caller sees.\n\
* A question is at most 1 MiB, where nothing else is said. What people do is in the audit log, where **audited** is said.\n";

/// The comments of a file, by the place of what they speak of.
struct Comments(HashMap<Vec<i32>, String>);

impl Comments {
    fn of(file: &FileDescriptorProto) -> Self {
        let info = file.source_code_info.clone().unwrap_or_default();
        let said = info.location.into_iter().filter_map(|location| {
            let texts = [location.leading_comments(), location.trailing_comments()];
            let lines = texts.iter().flat_map(|text| text.lines().map(str::trim));
            let text = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
            (!text.is_empty()).then_some((location.path, text))
        });
        Self(said.collect())
    }

    fn at(&self, place: &[i32]) -> &str {
        self.0.get(place).map_or("", String::as_str)
    }
}

fn files() -> Vec<FileDescriptorProto> {
    let set = FileDescriptorSet::decode(DESCRIPTORS).expect("our own descriptors");
    let mut files: Vec<_> = set.file.into_iter().filter(|file| file.package() == OURS).collect();
    files.sort_by(|a, b| a.name().cmp(b.name()));
    files
}

/// What Markdown would take for something else.
fn plain(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "\\<")
}

/// A sentence of what a comment says.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let rest = chars.as_str();
    let stop = if rest.ends_with(['.', ')']) { "" } else { "." };
    plain(&format!("{first}{rest}{stop}"))
}

/// The last part of a full name.
fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn linked(name: &str) -> String {
    format!("[{0}](#{1})", short(name), short(name).to_lowercase())
}

fn scalar(field: &FieldDescriptorProto) -> String {
    match field.r#type() {
        Type::Message | Type::Enum => linked(field.type_name()),
        other => other.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    }
}

fn kind(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let entry = message.nested_type.iter().find(|nested| nested.name() == short(field.type_name()));
    if let Some(entry) = entry {
        let parts: Vec<String> = entry.field.iter().map(scalar).collect();
        return format!("map of {}", parts.join(" to "));
    }
    let one = scalar(field);
    match field.label() {
        Label::Repeated => format!("repeated {one}"),
        _ if field.proto3_optional() => format!("optional {one}"),
        _ => one,
    }
}

fn message(page: &mut String, file: &Comments, place: &[i32], message: &DescriptorProto) {
    let _ = write!(page, "\n### {}\n", message.name());
    let said = file.at(place);
    if !said.is_empty() {
        let _ = write!(page, "\n{}\n", sentence(said));
    }
    if message.field.is_empty() {
        page.push_str("\nIt has no fields.\n");
        return;
    }
    page.push_str("\n| field | | type | what |\n|---|---|---|---|\n");
    for (i, field) in (0..).zip(&message.field) {
        let said = file.at(&[place, &[PARTS, i]].concat());
        let choice = field.oneof_index.filter(|_| !field.proto3_optional());
        let choice = choice.and_then(|index| message.oneof_decl.get(index as usize));
        let choice = choice.map_or_else(String::new, |c| format!("one of `{}`: ", c.name()));
        let (name, number) = (field.name(), field.number());
        let kind = kind(message, field);
        let _ = writeln!(page, "| `{name}` | {number} | {kind} | {choice}{} |", plain(said));
    }
}

fn enumeration(page: &mut String, file: &Comments, place: &[i32], one: &EnumDescriptorProto) {
    let _ = write!(page, "\n### {}\n", one.name());
    let said = file.at(place);
    if !said.is_empty() {
        let _ = write!(page, "\n{}\n", sentence(said));
    }
    page.push_str("\n| value | | what |\n|---|---|---|\n");
    for (i, value) in (0..).zip(&one.value) {
        let said = plain(file.at(&[place, &[PARTS, i]].concat()));
        let _ = writeln!(page, "| `{}` | {} | {said} |", value.name(), value.number());
    }
}

fn rule(rule: &Served) -> String {
    let mut line = format!("Role: **{}**. About: {}.", rule.role, rule.about);
    if rule.audited {
        line.push_str(" Audited.");
    }
    if rule.most_bytes != 1024 * 1024 {
        let _ = write!(line, " At most {} MiB.", rule.most_bytes / (1024 * 1024));
    }
    line
}

fn method(page: &mut String, service: &str, method: &MethodDescriptorProto, said: &str) {
    let name = method.name();
    let full = format!("{OURS}.{service}/{name}");
    let found = served().into_iter().find(|rule| rule.method == full);
    let found = found.unwrap_or_else(|| panic!("{full} has no rule"));
    let stream = |streams| if streams { "a stream of " } else { "" };
    let _ = write!(
        page,
        "\n### {service}/{name}\n\nAsks with {}{}, answers with {}{}. {}\n\n{}\n",
        stream(method.client_streaming()),
        linked(method.input_type()),
        stream(method.server_streaming()),
        linked(method.output_type()),
        rule(&found),
        sentence(said),
    );
}

/// The page.
pub(crate) fn page() -> String {
    let (mut page, files) = (HEAD.to_owned(), files());
    for file in &files {
        let comments = Comments::of(file);
        for (s, service) in (0..).zip(&file.service) {
            let _ = write!(page, "\n## {}\n", service.name());
            let _ = write!(page, "\n{}\n", sentence(comments.at(&[SERVICES, s])));
            for (m, one) in (0..).zip(&service.method) {
                let said = comments.at(&[SERVICES, s, PARTS, m]);
                method(&mut page, service.name(), one, said);
            }
        }
    }
    page.push_str("\n## Services of others\n\n| method | role | about |\n|---|---|---|\n");
    for rule in served().iter().filter(|rule| !rule.method.starts_with(OURS)) {
        let _ = writeln!(page, "| `{}` | {} | {} |", rule.method, rule.role, rule.about);
    }
    page.push_str("\n## Messages\n");
    for file in &files {
        let comments = Comments::of(file);
        for (i, one) in (0..).zip(&file.message_type) {
            message(&mut page, &comments, &[MESSAGES, i], one);
        }
        for (i, one) in (0..).zip(&file.enum_type) {
            enumeration(&mut page, &comments, &[ENUMS, i], one);
        }
    }
    page
}

/// Whatever can be called, sent and read has a word in the protos.
#[test]
fn every_method_and_field_of_the_protos_says_what_it_is() {
    let mut silent = Vec::new();
    for file in files() {
        let comments = Comments::of(&file);
        let mut look = |place: &[i32], name: String| {
            if comments.at(place).is_empty() {
                silent.push(name);
            }
        };
        for (s, service) in (0..).zip(&file.service) {
            look(&[SERVICES, s], service.name().to_owned());
            for (m, method) in (0..).zip(&service.method) {
                look(&[SERVICES, s, PARTS, m], format!("{}/{}", service.name(), method.name()));
            }
        }
        for (i, message) in (0..).zip(&file.message_type) {
            for (f, field) in (0..).zip(&message.field) {
                look(&[MESSAGES, i, PARTS, f], format!("{}.{}", message.name(), field.name()));
            }
        }
        for (i, one) in (0..).zip(&file.enum_type) {
            for (v, value) in (0..).zip(&one.value) {
                look(&[ENUMS, i, PARTS, v], value.name().to_owned());
            }
        }
    }
    assert_eq!(silent, [""; 0], "these have no comment in proto/platefarm/v1");
}
