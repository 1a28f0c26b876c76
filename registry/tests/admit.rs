//! The gate to the loader: what is hashed is what is copied, whatever happens to the original.
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::os::unix::fs::symlink;

use common::{World, library, manifest, mode, named, set_mode};
use palaestra_registry::consent::trust;
use palaestra_registry::{Sha256, Trust};

fn plugin(version: &str) -> Vec<u8> {
    library(&manifest("a", version, &["test/A-v0"]))
}

#[test]
fn an_untrusted_library_is_refused_and_leaves_no_copy() {
    let world = World::new();
    world.put("plugins/liba.so", &plugin("0.1.0"));
    let registry = world.scan();
    let error = registry.admit(named(&registry, "liba.so")).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(
        error.message.contains("palaestra registry trust"),
        "{error}"
    );
    assert!(!world.path("cache").exists());
}

#[test]
fn the_copy_is_private_named_by_its_hash_and_made_once() {
    let world = World::new();
    let bytes = plugin("0.1.0");
    let file = world.put("plugins/liba.so", &bytes);
    trust(&[file], &world.options).unwrap();
    let registry = world.scan();
    let admitted = registry.admit(named(&registry, "liba.so")).unwrap();
    let sha256 = Sha256::of(&bytes);
    assert_eq!(
        admitted.copy,
        world.path(&format!("cache/{sha256}/liba.so"))
    );
    assert_eq!((admitted.sha256, admitted.trust), (sha256, Trust::Locked));
    assert_eq!(fs::read(&admitted.copy).unwrap(), bytes);
    assert_eq!(mode(&admitted.copy), 0o400);
    assert_eq!(mode(admitted.copy.parent().unwrap()), 0o700);
    assert_eq!(mode(&world.path("cache")), 0o700);
    let made = fs::metadata(&admitted.copy).unwrap().modified().unwrap();
    let again = registry.admit(named(&registry, "liba.so")).unwrap();
    assert_eq!(fs::metadata(&again.copy).unwrap().modified().unwrap(), made);
}

#[test]
fn a_swap_between_scan_and_load_is_caught() {
    let world = World::new();
    let file = world.put("plugins/liba.so", &plugin("0.1.0"));
    trust(&[file], &world.options).unwrap();
    let registry = world.scan();
    let listed = named(&registry, "liba.so");
    assert_eq!(*listed.trust(), Trust::Locked);
    assert!(listed.sha256().is_ok());
    world.put("plugins/liba.so", &plugin("0.1.1"));
    let error = registry.admit(listed).unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(
        error
            .message
            .contains("expected the sha256 in plugins.lock"),
        "{error}"
    );
    assert!(!world.path("cache").exists());
}

#[test]
fn a_swap_between_hash_and_load_does_not_reach_the_copy() {
    let world = World::new();
    let bytes = plugin("0.1.0");
    let file = world.put("plugins/liba.so", &bytes);
    trust(std::slice::from_ref(&file), &world.options).unwrap();
    let registry = world.scan();
    let admitted = registry.admit(named(&registry, "liba.so")).unwrap();
    // In place, as a rebuild or an attacker would: the copy is no link to it.
    fs::write(&file, plugin("6.6.6")).unwrap();
    assert_eq!(
        Sha256::of(&fs::read(&admitted.copy).unwrap()),
        admitted.sha256
    );
    assert_eq!(admitted.manifest.version.to_string(), "0.1.0");
    fs::remove_file(&file).unwrap();
    assert_eq!(fs::read(&admitted.copy).unwrap(), bytes);
}

#[test]
fn a_copy_that_was_tampered_with_is_written_anew() {
    let world = World::new();
    let bytes = plugin("0.1.0");
    let file = world.put("plugins/liba.so", &bytes);
    trust(&[file], &world.options).unwrap();
    let registry = world.scan();
    let admit = || registry.admit(named(&registry, "liba.so")).unwrap().copy;
    let copy = admit();
    let mut other = bytes.clone();
    other[150] ^= 1;
    let evil = world.put("elsewhere/evil.so", &other);
    for step in 0..4 {
        fs::remove_file(&copy).unwrap();
        match step {
            0 => fs::write(&copy, &other).unwrap(),
            1 => fs::write(&copy, &bytes[..100]).unwrap(),
            2 => symlink(&evil, &copy).unwrap(),
            _ => {}
        }
        assert_eq!(admit(), copy);
        assert_eq!(fs::read(&copy).unwrap(), bytes, "step {step}");
        assert!(fs::symlink_metadata(&copy).unwrap().is_file());
    }
    assert_eq!(fs::read(&evil).unwrap(), other);
}

#[test]
fn a_cache_that_others_can_write_to_is_refused_and_a_wide_entry_narrowed() {
    let world = World::new();
    let file = world.put("plugins/liba.so", &plugin("0.1.0"));
    trust(&[file], &world.options).unwrap();
    let registry = world.scan();
    let admit = || registry.admit(named(&registry, "liba.so"));
    let copy = admit().unwrap().copy;
    set_mode(copy.parent().unwrap(), 0o777);
    admit().unwrap();
    assert_eq!(mode(copy.parent().unwrap()), 0o700);
    set_mode(&world.path("cache"), 0o777);
    let error = admit().unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert!(error.message.contains("only its owner"), "{error}");
}

#[test]
fn two_versions_have_two_copies() {
    let world = World::new();
    let one = world.put("plugins/liba.so", &plugin("0.1.0"));
    let two = world.put("user/plugins/liba.so", &plugin("0.2.0"));
    trust(&[one, two], &world.options).unwrap();
    let registry = world.scan();
    let copies: Vec<_> = registry
        .plugins()
        .iter()
        .map(|p| registry.admit(p).unwrap().copy)
        .collect();
    assert_eq!(copies.len(), 2);
    assert_ne!(copies[0], copies[1]);
}
