//! Compiles the protos without a `protoc` on the machine: protox reads them,
//! tonic writes the stubs, and the descriptors are kept for reflection.

use prost::Message;
use std::path::PathBuf;

const FILES: [&str; 9] = [
    "platefarm/v1/types.proto",
    "platefarm/v1/control.proto",
    "platefarm/v1/farm.proto",
    "platefarm/v1/work.proto",
    "platefarm/v1/trust.proto",
    "platefarm/v1/events.proto",
    "platefarm/v1/library.proto",
    "platefarm/v1/pulls.proto",
    "externalscaler/externalscaler.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=platefarm");
    println!("cargo::rerun-if-changed=externalscaler");
    let descriptors = protox::compile(FILES, ["."])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("platefarm.v1.bin");
    std::fs::write(out, descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .btree_map(".")
        .emit_rerun_if_changed(false)
        .compile_fds(descriptors)?;
    Ok(())
}
