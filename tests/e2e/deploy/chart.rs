//! The Helm chart, rendered by Helm's own engine and held against the schemas
//! of Kubernetes and KEDA, and against what the program takes.

use crate::harness::{World, document, root, s, text, tools_python};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};

/// Says that the tests may go without, on a machine that cannot have Helm's engine.
const OPT_OUT: &str = "PLATEFARM_NO_CHART_TESTS";

/// As little as can be installed: a place for tasks to work in.
fn least() -> Value {
    json!({ "roots": ["/plates"] })
}

/// Everything that may be switched on.
fn everything() -> Value {
    json!({
        "scheduler": { "replicas": 3 },
        "workers": {
            "gpu": { "enabled": true, "pools": ["fast"], "labels": ["rack=7"] },
            "big": { "class": "cpu", "enabled": true, "slots": 2, "replicas": 1, "minReplicas": 1, "maxReplicas": 4,
                     "resources": { "limits": { "memory": "64Gi" } } },
        },
        "volumes": [
            { "name": "ocf", "mountPath": "/ocf", "readOnly": true, "source": { "nfs": { "server": "filer", "path": "/ocf" } } },
            { "name": "plates", "mountPath": "/plates", "source": { "persistentVolumeClaim": { "claimName": "plates" } } },
        ],
        "s3": { "enabled": true, "region": "eu-central-1", "endpoint": "https://s3.studio.example", "secretName": "s3" },
        "roots": ["/ocf", "/plates", "s3://studio"],
        "serviceMonitor": { "enabled": true },
        "networkPolicy": { "enabled": true },
    })
}

fn render(python: &Path, chart: &Path, sets: &[impl ToString]) -> Output {
    let fixtures = root().join("tests/fixtures/deploy");
    Command::new(python)
        .arg(fixtures.join("chart.py"))
        .arg(chart)
        .arg(fixtures.join("keda-crds.json"))
        .args(sets.iter().map(ToString::to_string))
        .output()
        .expect("Python starts")
}

fn rendered(sets: &[impl ToString]) -> Option<Vec<Value>> {
    let python = tools_python(OPT_OUT)?;
    let output = render(&python, &root().join("deploy/helm/platefarm"), sets);
    assert!(output.status.success(), "cargo xtask setup? {}", text(&output.stderr));
    Some(document(&output).as_array().expect("a list").clone())
}

fn of_kind<'a>(manifests: &'a Value, kind: &str) -> Vec<&'a Value> {
    let all = manifests.as_array().unwrap_or_else(|| panic!("refused: {manifests}"));
    all.iter().filter(|manifest| manifest["kind"] == kind).collect()
}

fn pods(manifests: &Value) -> Vec<&Value> {
    let kinds = ["StatefulSet", "Deployment"];
    kinds
        .iter()
        .flat_map(|kind| of_kind(manifests, kind))
        .map(|m| &m["spec"]["template"]["spec"])
        .collect()
}

fn name(manifest: &Value) -> &str {
    manifest["metadata"]["name"].as_str().expect("a name")
}

/// What the scaler is told of a set of workers.
fn scaled<'a>(manifests: &'a Value, set: &str) -> &'a Value {
    let found = of_kind(manifests, "ScaledObject").into_iter().find(|s| name(s).ends_with(set));
    &found.unwrap_or_else(|| panic!("no {set}"))["spec"]["triggers"][0]["metadata"]
}

/// The sets that take first what they can do, by the most workers that each has.
fn after(manifests: &Value, set: &str) -> String {
    let list = scaled(manifests, set)["after"].as_str().unwrap_or("[]");
    let kinds: Vec<Value> = serde_json::from_str(list).expect("a JSON list");
    let most: Vec<&Value> = kinds.iter().map(|kind| &kind["maxWorkers"]).collect();
    serde_json::to_string(&most).expect("JSON")
}

#[test]
fn what_is_rendered_is_what_kubernetes_keda_and_the_program_take() {
    let (mut alone, mut gpu_first) = (least(), least());
    alone["keda"] = json!({ "enabled": false });
    gpu_first["keda"] = json!({ "first": "gpu" });
    gpu_first["workers"] = json!({ "gpu": { "enabled": true } });
    let sets = [least(), everything(), alone, gpu_first];
    let Some(all) = rendered(&sets) else { return };
    let world = World::new();
    let places = super::read("docs/storage.md");
    for manifests in &all {
        for pod in pods(manifests) {
            let container = &pod["containers"][0];
            let mut arguments =
                container["args"].as_array().expect("args").iter().filter_map(Value::as_str);
            let verb = arguments.next().expect("a verb");
            let help = text(&world.run(&[verb, "--help"]).stdout);
            for argument in arguments {
                let option = argument.split('=').next().unwrap_or(argument);
                assert!(help.contains(option), "{verb} has no {option}");
            }
            for variable in
                container["env"].as_array().expect("env").iter().filter_map(|v| v["name"].as_str())
            {
                let ours = variable.starts_with("PLATEFARM_");
                // What is not of the command line is on the page of places.
                let told = help.contains(&format!("[env: {variable}")) || places.contains(variable);
                assert!(!ours || told, "{verb} reads no {variable}");
            }
            assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
            assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
            assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false);
            assert_eq!(pod["automountServiceAccountToken"], false);
        }
    }
    for scaled in of_kind(&all[1], "ScaledObject") {
        let target = scaled["spec"]["scaleTargetRef"]["name"].as_str();
        let there = of_kind(&all[1], "Deployment").into_iter().find(|d| Some(name(d)) == target);
        let there = there.unwrap_or_else(|| panic!("{target:?} is not rendered"));
        assert!(there["spec"]["replicas"].is_null(), "KEDA says how many, not the chart");
    }
    let metadata = scaled(&all[1], "gpu");
    let page = super::read("docs/capacity.md");
    for key in metadata.as_object().expect("metadata").keys() {
        let keda = ["scalerAddress", "enableTLS"].contains(&key.as_str());
        assert!(keda || page.contains(&format!("`{key}`")), "the scaler knows no {key}");
    }
    assert_eq!((&metadata["memoryMib"], &metadata["maxWorkers"]), (&json!("49152"), &json!("8")));
    assert_eq!(
        (&metadata["labels"], &metadata["pools"]),
        (&json!("os=linux,gpu,rack=7"), &json!("fast"))
    );
    // CPU before GPU, and one CPU set before the other: nothing is started twice.
    assert_eq!(after(&all[1], "big"), "[]");
    assert_eq!(after(&all[1], "cpu"), r#"["4"]"#);
    assert_eq!(after(&all[1], "gpu"), r#"["4","50"]"#);
    assert_eq!((after(&all[3], "gpu"), after(&all[3], "cpu")), ("[]".into(), r#"["8"]"#.into()));
    assert!(scaled(&all[0], "cpu")["after"].is_null(), "alone");
    assert_eq!(of_kind(&all[1], "ScaledObject").len(), 3, "one for each set of workers");
    assert_eq!(of_kind(&all[2], "ScaledObject").len(), 0);
    assert!(of_kind(&all[2], "Deployment").iter().all(|d| d["spec"]["replicas"].is_u64()));
}

#[test]
fn workers_know_every_scheduler_by_the_name_that_it_has() {
    let Some(all) = rendered(&[everything()]) else { return };
    let schedulers = of_kind(&all[0], "StatefulSet")[0];
    let (set, service) = (name(schedulers), schedulers["spec"]["serviceName"].as_str().unwrap());
    assert!(
        of_kind(&all[0], "Service")
            .iter()
            .any(|s| name(s) == service && s["spec"]["clusterIP"] == "None")
    );
    let wanted: Vec<String> =
        (0..3).map(|i| format!("https://{set}-{i}.{service}.farm.svc:7878")).collect();
    for worker in of_kind(&all[0], "Deployment") {
        let env = worker["spec"]["template"]["spec"]["containers"][0]["env"].as_array().unwrap();
        let farm = env.iter().find(|v| v["name"] == "PLATEFARM_FARM").expect("the farm");
        assert_eq!(farm["value"], wanted.join(","), "{}", name(worker));
    }
    let args = schedulers["spec"]["template"]["spec"]["containers"][0]["args"].to_string();
    assert!(
        args.contains(&format!("--advertise=https://$(POD_NAME).{service}.farm.svc:7878")),
        "{args}"
    );
    let gpu = of_kind(&all[0], "Deployment")
        .into_iter()
        .find(|d| name(d).ends_with("-gpu"))
        .expect("gpu");
    let text = gpu.to_string();
    for part in [
        "--backend=gpu",
        "--pool=fast",
        "--label=rack=7",
        "--root=/ocf",
        "--root=/plates",
        "--root=s3://studio",
        "nvidia.com/gpu",
        "AWS_ENDPOINT_URL",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
}

/// Calls go to one whose store answers; killed is only one in which nobody is left who decides.
#[test]
fn a_scheduler_that_is_not_ready_is_not_killed_for_it() {
    let Some(all) = rendered(&[least()]) else { return };
    let schedulers = of_kind(&all[0], "StatefulSet")[0];
    let container = &schedulers["spec"]["template"]["spec"]["containers"][0];
    let path = |probe: &str| container[probe]["httpGet"]["path"].clone();
    assert_eq!(path("livenessProbe"), "/healthz");
    assert_eq!(path("readinessProbe"), "/readyz");
}

#[test]
fn values_that_make_no_sense_are_refused_by_name() {
    let sets = [
        json!({ "scheduler": { "replicas": 0 } }),
        json!({ "workers": { "cpu": { "colour": "red" } } }),
        json!({ "workers": { "gpu": { "class": "tpu" } } }),
        json!({ "roots": ["plates"] }),
        json!({ "kedda": {} }),
        // Nowhere to work in, and buckets that nobody may touch.
        json!({}),
        json!({ "s3": { "enabled": true }, "roots": ["/plates"] }),
    ];
    let parts = ["replicas", "colour", "class", "roots", "kedda", "roots", "s3://"];
    let Some(all) = rendered(&sets) else { return };
    for (refused, part) in all.iter().zip(parts) {
        let message = refused["refused"].as_str().unwrap_or_else(|| panic!("{part} was taken"));
        assert!(message.contains(part), "{message}");
    }
}

/// Tasks may touch the roots that are named, or else the volumes, and nothing but these.
#[test]
fn every_worker_has_roots_and_the_page_shows_values_that_are_taken() {
    let page = super::read("docs/kubernetes.md");
    let example = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next());
    let volumes =
        r#"{"volumes": [{"name": "a", "mountPath": "/ocf", "source": {"emptyDir": {}}}]}"#;
    let Some(all) = rendered(&[example.expect("an example"), volumes]) else { return };
    let wanted = [&["/ocf", "/plates", "s3://studio-ocf", "s3://studio-plates"][..], &["/ocf"]];
    for (manifests, wanted) in all.iter().zip(wanted) {
        for worker in of_kind(manifests, "Deployment") {
            let args = &worker["spec"]["template"]["spec"]["containers"][0]["args"];
            let args = args.as_array().expect("args").iter().filter_map(Value::as_str);
            let roots: Vec<&str> = args.filter_map(|arg| arg.strip_prefix("--root=")).collect();
            assert_eq!(roots, wanted, "{}", name(worker));
        }
    }
}

/// The check can fail: a field that Kubernetes or KEDA does not have is found.
#[test]
fn a_field_that_nobody_knows_is_found() {
    let Some(python) = tools_python(OPT_OUT) else { return };
    let world = World::new();
    for (file, right, wrong) in [
        ("workers.yaml", "terminationGracePeriodSeconds:", "terminationGraceSeconds:"),
        ("keda.yaml", "cooldownPeriod:", "coolDownPeriod:"),
    ] {
        let chart = world.path(wrong);
        let copied = Command::new("cp")
            .arg("-r")
            .arg(root().join("deploy/helm/platefarm"))
            .arg(&chart)
            .status();
        assert!(copied.unwrap().success());
        let template = chart.join("templates").join(file);
        let broken = std::fs::read_to_string(&template).unwrap().replace(right, wrong);
        std::fs::write(&template, broken).unwrap();
        let output = render(&python, Path::new(s(&chart)), &[least()]);
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(wrong.trim_end_matches(':')), "{said}");
    }
}
