//! GPUs: whether there is a driver for Vulkan, and whether one opens.
//!
//! A driver may crash or hang whoever calls it, so it is called by a process
//! of its own.

use super::{Finding, Patient, Report, State};
use crate::cli::runtime;
use platefarm_model::{Code, Fault};
use platefarm_shaders::exec::gpu::GpuExecutor;
use platefarm_worker::probe;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

/// How long drivers may take to open.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where Vulkan's loader looks for drivers on Linux.
const DRIVERS: &[&str] =
    &["/etc/vulkan/icd.d", "/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"];

/// What to do where a GPU is not seen.
const REMEDY: &str = "Install the maker's driver with its Vulkan part (Debian: mesa-vulkan-drivers for AMD and Intel, \
    nvidia-vulkan-icd for NVIDIA). In a container start it with the GPU and \
    NVIDIA_DRIVER_CAPABILITIES=graphics,compute,utility, and let VK_DRIVER_FILES name a driver file that loads \
    libEGL_nvidia.so.0, since the other one wants a display (docs/containers.md). Without one, --backend cpu works as well.";

pub(super) fn check(patient: &Patient<'_>, report: &mut Report) {
    if patient.within {
        return opened(patient, report);
    }
    let files = driver_files();
    if !files.is_empty() {
        let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        report.ok(format!("drivers for Vulkan: {}", names.join(", ")));
    }
    match apart(patient) {
        Ok(findings) => {
            findings.into_iter().for_each(|f| report.add(f.state, f.found, f.remedy, f.code))
        }
        Err(fault) => report.fail(&fault),
    }
}

/// Files by which the loader finds drivers.
fn driver_files() -> Vec<PathBuf> {
    let named = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"].iter().find_map(std::env::var_os);
    if let Some(named) = named {
        return std::env::split_paths(&named).collect();
    }
    let entries =
        DRIVERS.iter().flat_map(|dir| std::fs::read_dir(dir).into_iter().flatten().flatten());
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    files
}

/// The same check in a process of its own, which may die of it.
fn apart(patient: &Patient<'_>) -> Result<Vec<Finding>, Fault> {
    let failed = |what: String| {
        Fault::new(Code::GpuFailed, what).remedy(
        "The driver brings down whoever calls it: update it, or run workers with --backend cpu.",
    )
    };
    let program = std::env::current_exe()
        .map_err(|e| failed("the check cannot be started".into()).because(&e))?;
    let mut command = tokio::process::Command::new(program);
    command.args(["doctor", "--only", "gpu", "--json", "--within"]).kill_on_drop(true);
    if patient.require_gpu {
        command.arg("--require-gpu");
    }
    command.stdin(Stdio::null()).stderr(Stdio::null());
    let output =
        runtime()?.block_on(async { tokio::time::timeout(PATIENCE, command.output()).await });
    let output = match output {
        Err(_) => {
            return Err(failed(format!("no answer from the driver in {} s", PATIENCE.as_secs())));
        }
        Ok(output) => {
            output.map_err(|e| failed("the check cannot be started".into()).because(&e))?
        }
    };
    findings(&output.stdout).ok_or_else(|| {
        failed(format!("the process that opened the driver ended with {}", output.status))
    })
}

/// What the other process found, by its JSON.
fn findings(json: &[u8]) -> Option<Vec<Finding>> {
    let document: serde_json::Value = serde_json::from_slice(json).ok()?;
    let one = |value: &serde_json::Value| {
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        let state = match value["state"].as_str()? {
            "ok" => State::Ok,
            "skipped" => State::Skipped,
            "warning" => State::Warning,
            _ => State::Failed,
        };
        let code = (state == State::Failed).then_some(Code::NoGpu);
        Some(Finding { check: "gpu", state, found: text("found")?, remedy: text("remedy"), code })
    };
    document["findings"].as_array()?.iter().map(one).collect()
}

/// Opens the best one, here.
fn opened(patient: &Patient<'_>, report: &mut Report) {
    match GpuExecutor::open(false).and_then(|gpu| gpu.card()) {
        Ok(card) => {
            let binding = card.binding >> 20;
            report.ok(format!("{}, driver {}, buffers of {binding} MiB", card.name, card.driver));
        }
        Err(fault) if patient.require_gpu => report.fail(&fault.remedy(REMEDY)),
        Err(fault) if probe::may_have_gpu() => {
            report.warn(format!("a device is here, but no GPU opens: {}", fault.message), REMEDY);
        }
        Err(_) => {
            let software = GpuExecutor::open(true).and_then(|gpu| gpu.card());
            let also =
                software.map(|card| format!("; a driver in software is there: {}", card.name));
            report.skip(format!(
                "no GPU here: plates are rendered on the CPU{}",
                also.unwrap_or_default()
            ));
        }
    }
}
