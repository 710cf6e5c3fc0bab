//! What this machine is, as the worker tells the farm and a person.

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

/// Looks at the machine.
#[must_use]
pub fn machine(executor: &dyn Executor) -> Machine {
    Machine {
        host: sysinfo::System::host_name().unwrap_or_else(|_| "worker".into()),
        system: sysinfo::System::long_os_version().unwrap_or_else(|_| std::env::consts::OS.into()),
        cores: cores(),
        memory_bytes: memory(),
        backend: executor.name(),
    }
}

/// Memory of the container where it has a limit, else of the machine; 0 when
/// neither can be told.
fn memory() -> u64 {
    let Ok(mut system) = sysinfo::System::new() else { return 0 };
    system.refresh_memory();
    let whole = system.total_memory();
    system.cgroup_limits().map_or(whole, |limits| limits.total_memory.min(whole))
}

/// Memory that frames under way may take: half of what there is, all of it
/// unknown where it cannot be told.
#[must_use]
pub fn frame_budget_bytes() -> u64 {
    match memory() {
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
