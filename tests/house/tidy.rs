//! Tidiness that a machine can check.

use std::path::Path;

/// A file with more lines is several rooms.
const MAX_LINES: usize = 500;
/// Tables of cases run longer.
const MAX_TEST_LINES: usize = 800;

fn is_test(path: &Path) -> bool {
    path.components().any(|c| {
        matches!(c.as_os_str().to_str(), Some("tests" | "benches" | "tests.rs" | "suite.rs"))
    })
}

#[test]
fn every_source_says_first_what_it_is_for() {
    for path in super::files(&["rs"]) {
        let text = super::text(&path);
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        assert!(first.starts_with("//!"), "{} has no module comment", path.display());
        assert!(!first.contains("to be written"), "{} is empty", path.display());
    }
}

#[test]
fn no_source_is_a_barn() {
    for path in super::files(&["rs", "wgsl", "proto"]) {
        let lines = super::text(&path).lines().count();
        let most = if is_test(&path) { MAX_TEST_LINES } else { MAX_LINES };
        assert!(lines <= most, "{} has {lines} lines", path.display());
    }
}

#[test]
fn nothing_unfinished_and_no_lint_switched_off_without_a_reason() {
    for path in super::files(&["rs", "wgsl", "proto"]) {
        if path.starts_with("tests/house") {
            continue;
        }
        for (number, line) in super::text(&path).lines().enumerate() {
            for token in ["todo!(", "unimplemented!(", "FIXME", "XXX", "HACK", "#[allow("] {
                assert!(!line.contains(token), "{}:{}: {token}", path.display(), number + 1);
            }
            assert!(
                !line.contains("#[ignore]"),
                "{}:{}: an ignored test says why",
                path.display(),
                number + 1
            );
        }
    }
}

/// The pure rooms read no clock, file or socket, and draw no random number.
#[test]
fn pure_rooms_are_pure() {
    let pure = [
        "model/src",
        "standards/src",
        "scheduler/src/core",
        "scheduler/src/pulls",
        "shaders/src/ops",
    ];
    let impure = [
        "SystemTime::now",
        "Instant::now",
        "std::fs",
        "std::net",
        "tokio::",
        "File::open",
        "thread::sleep",
    ];
    for path in super::files(&["rs"]) {
        if is_test(&path) || !pure.iter().any(|dir| path.starts_with(dir)) {
            continue;
        }
        let text = super::text(&path);
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        for token in impure {
            assert!(!product.contains(token), "{} uses {token}", path.display());
        }
    }
}

/// A shader must not write halves through a storage texture (drivers round them
/// differently), nor rely on `fma` or the driver's `pow`.
#[test]
fn shaders_keep_to_what_is_the_same_everywhere() {
    for path in super::files(&["wgsl"]) {
        let text = super::text(&path);
        for token in ["textureStore", "fma(", " pow(", "pack2x16float"] {
            assert!(!text.contains(token), "{} uses {token}", path.display());
        }
    }
}
