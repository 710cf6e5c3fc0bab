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
    /// Memory of the machine (of the container, where it has a limit), in bytes.
    pub memory_bytes: u64,
    /// `cpu`, or `gpu: <adapter>`.
    pub backend: String,
}

/// Looks at the machine.
#[must_use]
pub fn machine(executor: &dyn Executor) -> Machine {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    let limit = system.cgroup_limits().map(|limits| limits.total_memory);
    Machine {
        host: sysinfo::System::host_name().unwrap_or_else(|| "worker".into()),
        system: sysinfo::System::long_os_version().unwrap_or_else(|| std::env::consts::OS.into()),
        cores: cores(),
        memory_bytes: limit.unwrap_or(u64::MAX).min(system.total_memory()),
        backend: executor.name(),
    }
}

/// Cores that this process may use.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
