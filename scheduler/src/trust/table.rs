//! The one table that says who may call what. A method that is not here is
//! not served; a test walks it against the protos in full.
//!
//! Beside the role stands what the call is about, as the place of a job or a
//! show in the question. The gate reads it there and holds it against the
//! shows of the caller's token before any handler sees the question, so no
//! handler can forget to.

use platefarm_model::limits;
use platefarm_model::trust::Role;

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Anybody, with or without a name: what probes ask.
    Anybody,
    /// Anybody whom the farm knows.
    Known,
    /// This role, or one that covers it.
    Role(Role),
    /// A worker, or this role, or one that covers it.
    WorkerOr(Role),
}

/// What a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// The whole farm: not for a token that is for shows.
    Farm,
    /// The worker whose id stands at this place of the question, which is the
    /// whole farm's: not for a token that is for shows.
    Worker(&'static str),
    /// Nothing that belongs to a show, or the handler itself cuts the answer
    /// to what the caller sees.
    Caller,
    /// The job whose id stands at this place of the question.
    Job(&'static str),
    /// The show whose name stands at this place of the question.
    Show(&'static str),
}

/// One method.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// As gRPC writes it, without the first slash.
    pub(super) method: &'static str,
    pub(super) who: Who,
    pub(super) about: About,
    /// Whether it changes something and a person stands behind it.
    pub(super) audited: bool,
    /// Largest question, in bytes.
    pub(super) most_bytes: usize,
}

/// Room for any question that is not a submission or a report.
const SMALL: usize = 1024 * 1024;
const LARGE: usize = limits::MAX_MESSAGE_BYTES;

/// A call that only looks.
const fn look(method: &'static str, who: Who, about: About) -> Rule {
    Rule { method, who, about, audited: false, most_bytes: SMALL }
}

/// A call that changes something.
const fn act(method: &'static str, role: Role, about: About, most_bytes: usize) -> Rule {
    Rule { method, who: Who::Role(role), about, audited: true, most_bytes }
}

/// A call that only looks, and asks with documents.
const fn read(method: &'static str, role: Role, about: About) -> Rule {
    Rule { method, who: Who::Role(role), about, audited: false, most_bytes: LARGE }
}

/// A call of a worker's; its leases say what it did.
const fn work(method: &'static str, most_bytes: usize) -> Rule {
    Rule { method, who: Who::Role(Role::Worker), about: About::Farm, audited: false, most_bytes }
}

const SEE: Who = Who::Role(Role::Viewer);

pub(super) const RULES: &[Rule] = &[
    // Probes, and those who want to know what there is to call.
    look("grpc.health.v1.Health/Check", Who::Anybody, About::Caller),
    look("grpc.health.v1.Health/Watch", Who::Anybody, About::Caller),
    look("grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Who::Known, About::Caller),
    look(
        "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        Who::Known,
        About::Caller,
    ),
    // People and services.
    act("platefarm.v1.Farm/SubmitJob", Role::Submitter, About::Show("job.show"), LARGE),
    act("platefarm.v1.Farm/CancelJob", Role::Submitter, About::Job("job"), SMALL),
    act("platefarm.v1.Farm/ForgetJob", Role::Operator, About::Job("job"), SMALL),
    look("platefarm.v1.Farm/ListJobs", SEE, About::Caller),
    look("platefarm.v1.Farm/GetJob", SEE, About::Job("job")),
    look("platefarm.v1.Farm/WatchJob", SEE, About::Job("job")),
    look("platefarm.v1.Farm/ListFrames", Who::WorkerOr(Role::Viewer), About::Job("job")),
    look("platefarm.v1.Farm/ListErrors", SEE, About::Job("job")),
    look("platefarm.v1.Farm/GetMaking", SEE, About::Job("job")),
    look("platefarm.v1.Farm/ListWorkers", Who::WorkerOr(Role::Viewer), About::Caller),
    look("platefarm.v1.Farm/GetFarm", SEE, About::Caller),
    act("platefarm.v1.Farm/ControlJob", Role::Submitter, About::Job("target.job"), SMALL),
    act("platefarm.v1.Farm/ControlWorker", Role::Operator, About::Worker("worker"), SMALL),
    act("platefarm.v1.Farm/SetPool", Role::Operator, About::Farm, SMALL),
    act("platefarm.v1.Farm/SetLimit", Role::Operator, About::Farm, SMALL),
    act("platefarm.v1.Farm/SetShare", Role::Operator, About::Farm, SMALL),
    look("platefarm.v1.Farm/ListSettings", SEE, About::Farm),
    look("platefarm.v1.Farm/Explain", SEE, About::Job("target.job")),
    look("platefarm.v1.Farm/WhatIf", SEE, About::Farm),
    // The library. The handler cuts what is found to what the caller sees.
    look("platefarm.v1.Library/Search", SEE, About::Caller),
    look("platefarm.v1.Library/GetClip", SEE, About::Caller),
    look("platefarm.v1.Library/ListFormats", SEE, About::Caller),
    act("platefarm.v1.Library/SetFormat", Role::Operator, About::Farm, SMALL),
    act("platefarm.v1.Library/AddClips", Role::Submitter, About::Show("show"), LARGE),
    look("platefarm.v1.Library/GetShow", SEE, About::Show("show")),
    act("platefarm.v1.Library/SetShow", Role::Operator, About::Show("show"), SMALL),
    // Pulls. Who may not submit has nothing to plan.
    read("platefarm.v1.Pulls/Plan", Role::Submitter, About::Show("pull.show")),
    act("platefarm.v1.Pulls/Submit", Role::Submitter, About::Show("pull.show"), LARGE),
    // What happened, and where it is sent. The handler leaves out what the caller does not see.
    look("platefarm.v1.Events/WatchEvents", SEE, About::Caller),
    act("platefarm.v1.Events/AddWebhook", Role::Operator, About::Farm, SMALL),
    look("platefarm.v1.Events/ListWebhooks", Who::Role(Role::Operator), About::Farm),
    act("platefarm.v1.Events/RemoveWebhook", Role::Operator, About::Farm, SMALL),
    // How many workers are wanted: KEDA's contract. Who starts workers has a worker's token.
    look("externalscaler.ExternalScaler/IsActive", Who::WorkerOr(Role::Viewer), About::Farm),
    look("externalscaler.ExternalScaler/StreamIsActive", Who::WorkerOr(Role::Viewer), About::Farm),
    look("externalscaler.ExternalScaler/GetMetricSpec", Who::WorkerOr(Role::Viewer), About::Farm),
    look("externalscaler.ExternalScaler/GetMetrics", Who::WorkerOr(Role::Viewer), About::Farm),
    look(
        "externalscaler.ExternalScaler/StreamMetricSpec",
        Who::WorkerOr(Role::Viewer),
        About::Farm,
    ),
    // Workers.
    work("platefarm.v1.Work/Session", LARGE),
    work("platefarm.v1.Work/Register", SMALL),
    work("platefarm.v1.Work/Acquire", SMALL),
    work("platefarm.v1.Work/Report", LARGE),
    work("platefarm.v1.Work/Heartbeat", SMALL),
    work("platefarm.v1.Work/Release", SMALL),
    work("platefarm.v1.Work/Show", SMALL),
    work("platefarm.v1.Work/Leave", SMALL),
    // Who may enter.
    look("platefarm.v1.Trust/WhoAmI", Who::Known, About::Caller),
    act("platefarm.v1.Trust/CreateToken", Role::Admin, About::Farm, SMALL),
    act("platefarm.v1.Trust/RevokeToken", Role::Admin, About::Farm, SMALL),
    look("platefarm.v1.Trust/ListTokens", Who::Role(Role::Admin), About::Farm),
    look("platefarm.v1.Trust/ListAudit", Who::Role(Role::Admin), About::Farm),
];

/// Pages of the HTTP side that are about the whole farm.
const WHOLE: Rule = look("http/farm", SEE, About::Farm);
/// Those that are cut to what the caller sees.
const CUT: Rule = look("http/seen", SEE, About::Caller);

/// The rule for a page.
pub(super) fn page(path: &str) -> &'static Rule {
    match path {
        "/metrics" | "/api/settings" | "/api/whatif" => &WHOLE,
        _ => &CUT,
    }
}

/// The rule for a path as it is called: `/platefarm.v1.Farm/GetJob`.
pub(super) fn rule(path: &str) -> Option<&'static Rule> {
    let method = path.strip_prefix('/')?;
    RULES.iter().find(|rule| rule.method == method)
}

/// A rule, as documents show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// As gRPC writes it, without the first slash.
    pub method: &'static str,
    /// Who may call.
    pub role: String,
    /// What a token for some shows is held to.
    pub about: String,
    /// Whether it stands in the audit log.
    pub audited: bool,
    /// Largest question, in bytes.
    pub most_bytes: usize,
}

/// Every method that is served.
#[must_use]
pub fn served() -> Vec<Served> {
    let shown = |rule: &Rule| {
        let role = match rule.who {
            Who::Anybody => "anybody".to_owned(),
            Who::Known => "any".to_owned(),
            Who::Role(role) => role.name().to_owned(),
            Who::WorkerOr(role) => format!("worker, or {}", role.name()),
        };
        let about = match rule.about {
            About::Farm => "the whole farm".to_owned(),
            About::Worker(place) => format!("the worker in `{place}`, of the whole farm"),
            About::Caller => "what the caller sees".to_owned(),
            About::Job(place) => format!("the job in `{place}`"),
            About::Show(place) => format!("the show in `{place}`"),
        };
        let Rule { method, audited, most_bytes, .. } = *rule;
        Served { method, role, about, audited, most_bytes }
    };
    RULES.iter().map(shown).collect()
}
