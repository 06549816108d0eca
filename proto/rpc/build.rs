//! Generates the services from the descriptors that `wire` compiled; the messages are `wire`'s.

use std::{env, error::Error};

use prost::Message;
use prost_types::FileDescriptorSet;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    let descriptors = FileDescriptorSet::decode(wire::FILE_DESCRIPTOR_SET)?;
    tonic_build::configure()
        .extern_path(".holdfast", "::wire::holdfast")
        .extern_path(".cosmos", "::wire::cosmos")
        .extern_path(".tendermint", "::wire::tendermint")
        .include_file("services.rs")
        .out_dir(env::var("OUT_DIR")?)
        .compile_fds(descriptors)?;
    Ok(())
}
