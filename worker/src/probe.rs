//! What this machine is, as the worker tells the farm and a person.

use platefarm_model::farm::WorkerTraits;
use platefarm_shaders::Executor;
use serde::Serialize;

/// The machine and what it renders with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// Host name, or `worker` where the system has none.
    pub host: String,
    /// Operating system, as it calls itself.
    pub system: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// Memory of the machine (of the container, where it has a limit), in bytes; 0: not known.
    pub memory_bytes: u64,
    /// `cpu`, or `gpu: <adapter>`.
    pub backend: String,
}

impl Machine {
    /// What the worker says of the machine: what was found out, and what `given` adds.
    #[must_use]
    pub fn traits(&self, given: &WorkerTraits, slots: u32, slot_memory_bytes: u64) -> WorkerTraits {
        let mut traits = given.clone();
        traits.labels.insert(format!("os={}", std::env::consts::OS));
        traits.labels.insert(format!("arch={}", std::env::consts::ARCH));
        traits.labels.insert(format!("host={}", self.host));
        traits.labels.insert(format!("cores={}", self.cores));
        if let Some(adapter) = self.backend.strip_prefix("gpu: ") {
            traits.labels.insert("gpu".into());
            traits.labels.insert(format!("gpu={adapter}"));
        }
        if traits.memory_mib == 0 {
            let share = self.memory_bytes / u64::from(slots.max(1));
            let slot = if slot_memory_bytes > 0 { slot_memory_bytes.min(share) } else { share };
            traits.memory_mib = slot >> 20;
        }
        traits
    }
}

/// Looks at the machine.
#[must_use]
pub fn machine(executor: &dyn Executor) -> Machine {
    Machine {
        host: sysinfo::System::host_name().unwrap_or_else(|_| "worker".into()),
        system: sysinfo::System::long_os_version().unwrap_or_else(|_| std::env::consts::OS.into()),
        cores: cores(),
        memory_bytes: memory_bytes(),
        backend: executor.name(),
    }
}

/// Memory of the container where it has a limit, else of the machine; 0 when
/// neither can be told.
#[must_use]
pub fn memory_bytes() -> u64 {
    let Ok(mut system) = sysinfo::System::new() else { return 0 };
    system.refresh_memory();
    let whole = system.total_memory();
    system.cgroup_limits().map_or(whole, |limits| limits.total_memory.min(whole))
}

/// Memory that frames under way may take: half of what there is, all of it
/// unknown where it cannot be told.
#[must_use]
pub fn frame_budget_bytes() -> u64 {
    match memory_bytes() {
        0 => u64::MAX,
        bytes => bytes / 2,
    }
}

/// Cores that this process may use.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Whether a GPU could be here: on Linux one has a device node. Elsewhere only
/// the drivers know.
#[must_use]
pub fn may_have_gpu() -> bool {
    let nodes = ["/dev/dri", "/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kgsl-3d0"];
    !cfg!(target_os = "linux") || nodes.iter().any(|node| std::path::Path::new(node).exists())
}

/// Resident memory of a process and of what it started, in bytes.
pub(crate) fn memory_of(process: u32) -> Option<u64> {
    use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate};
    let mut system = sysinfo::System::new().ok()?;
    let ids: Vec<Pid> = family(process).into_iter().map(Pid::from_u32).collect();
    let what = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&ids), true, what);
    system.process(Pid::from_u32(process))?;
    Some(ids.iter().filter_map(|id| system.process(*id)).map(sysinfo::Process::memory).sum())
}

/// A process and what it started, as far as the system says (Linux's `/proc`).
fn family(process: u32) -> Vec<u32> {
    let mut found = vec![process];
    let mut at = 0;
    while let Some(id) = found.get(at) {
        let tasks = std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
        let texts = tasks.filter_map(|t| std::fs::read_to_string(t.path().join("children")).ok());
        let children: Vec<u32> = texts
            .flat_map(|text| {
                text.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()
            })
            .collect();
        found.extend(children);
        at += 1;
    }
    found
}
