//! Archives: complete, reproducible, and of sound plugins only.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use common::{World, library, manifest};
use flate2::read::GzDecoder;
use palaestra_registry::pack::pack;
use palaestra_registry::{Manifest, Sha256};

/// Path → (bytes, mode, time) of an archive.
fn unpack(path: &Path) -> BTreeMap<String, (Vec<u8>, u32, u64)> {
    let mut archive = tar::Archive::new(GzDecoder::new(fs::File::open(path).unwrap()));
    archive
        .entries()
        .unwrap()
        .map(|entry| {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            let (mode, time) = (
                entry.header().mode().unwrap(),
                entry.header().mtime().unwrap(),
            );
            let path = entry.path().unwrap().to_str().unwrap().to_owned();
            (path, (bytes, mode, time))
        })
        .collect()
}

#[test]
fn an_archive_holds_library_manifest_schemas_and_documents() {
    let world = World::new();
    let bytes = library(&manifest("a", "0.1.0", &["test/A-v0", "test/B-v2"]));
    let file = world.put("elsewhere/liba.so", &bytes);
    world.put("elsewhere/LICENSE-MIT", b"do as you like");
    world.put("elsewhere/liba.d", b"not this");
    let readme = world.put("crate/README.md", b"# a");
    let out = world.path("out/deep");
    let packed = pack(&[file], &[readme], &out).unwrap();
    let stem = format!("a-0.1.0-{}-linux", std::env::consts::ARCH);
    assert_eq!(packed[0].archive, out.join(format!("{stem}.tar.gz")));
    assert_eq!(
        packed[0].sha256,
        Sha256::of(&fs::read(&packed[0].archive).unwrap())
    );
    let files = unpack(&packed[0].archive);
    let expected = [
        "LICENSE-MIT",
        "README.md",
        "liba.so",
        "manifest.json",
        "schemas/environment/test/A-v0.json",
        "schemas/environment/test/B-v2.json",
    ];
    assert_eq!(packed[0].files, expected);
    let paths: Vec<String> = expected.iter().map(|p| format!("{stem}/{p}")).collect();
    assert_eq!(files.keys().cloned().collect::<Vec<_>>(), paths);
    assert_eq!(files[&paths[2]], (bytes.clone(), 0o755, 0));
    assert_eq!(files[&paths[1]], (b"# a".to_vec(), 0o644, 0));
    let about: serde_json::Value = serde_json::from_slice(&files[&paths[3]].0).unwrap();
    assert_eq!(about["sha256"], Sha256::of(&bytes).to_string());
    let again = Manifest::parse(about["manifest"].to_string().as_bytes()).unwrap();
    assert_eq!(again.exports.len(), 2);
}

#[test]
fn packing_twice_gives_the_same_bytes() {
    let world = World::new();
    let bytes = library(&manifest("a", "0.1.0", &["test/A-v0"]));
    let one = world.put("elsewhere/liba.so", &bytes);
    let two = world.put("other/liba.so", &bytes);
    let first = pack(&[one], &[], &world.path("out1")).unwrap();
    let second = pack(&[two], &[], &world.path("out2")).unwrap();
    assert_eq!(first[0].sha256, second[0].sha256);
}

#[test]
fn nothing_is_packed_unless_all_can_be() {
    let world = World::new();
    let good = world.put("elsewhere/liba.so", &library(&manifest("a", "0.1.0", &[])));
    let bad = world.put("elsewhere/libbad.so", b"noise");
    let out = world.path("out");
    let error = pack(&[good.clone(), bad], &[], &out).unwrap_err();
    assert_eq!(error.exit_code(), 3);
    let error = pack(&[good.clone(), good.clone()], &[], &out).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let error = pack(&[good], &[world.path("missing")], &out).unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert!(!out.exists());
}
