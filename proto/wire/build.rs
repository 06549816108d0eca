//! Compiles the `.proto` files without protoc and writes the messages and the descriptor set.

use std::{env, error::Error, fs, path::PathBuf};

use prost_build::Config;
use protox::{prost::Message, Compiler};

/// Every file that has messages or services; imports are found from them.
const FILES: &[&str] = &[
    "cosmos/auth/v1beta1/auth.proto",
    "cosmos/bank/v1beta1/query.proto",
    "cosmos/bank/v1beta1/tx.proto",
    "cosmos/base/abci/v1beta1/abci.proto",
    "cosmos/crypto/ed25519/keys.proto",
    "cosmos/crypto/secp256k1/keys.proto",
    "cosmos/tx/v1beta1/service.proto",
    "cosmos/tx/v1beta1/tx.proto",
    "holdfast/audit/v1/query.proto",
    "holdfast/audit/v1/state.proto",
    "holdfast/audit/v1/tx.proto",
    "holdfast/light/v1/account.proto",
    "holdfast/light/v1/log.proto",
    "holdfast/light/v1/proof.proto",
    "holdfast/light/v1/query.proto",
    "holdfast/policy/v1/permissions.proto",
    "holdfast/policy/v1/query.proto",
    "holdfast/policy/v1/tx.proto",
    "holdfast/policy/v1/types.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut compiler = Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true);
    for file in FILES {
        compiler.open_file(file)?;
    }
    let with_comments = compiler.file_descriptor_set();
    fs::write(out.join("descriptors.bin"), with_comments.encode_to_vec())?;
    Config::new()
        .btree_map(["."])
        .enable_type_names()
        .include_file("packages.rs")
        .out_dir(out)
        .compile_fds(with_comments)?;
    Ok(())
}
