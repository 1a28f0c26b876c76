//! Consent, the lock file and the "built here" rule.
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::path::PathBuf;
use std::thread;

use common::{World, library, manifest, named, set_mode};
use palaestra_registry::consent::{State, trust, untrust, verify};
use palaestra_registry::{Registry, Sha256, Trust};

fn plugin(name: &str, version: &str) -> Vec<u8> {
    let id = format!("{name}/Thing-v0");
    library(&manifest(name, version, &[&id]))
}

fn trust_of(world: &World, file: &str) -> &'static str {
    named(&world.scan(), file).trust().word()
}

#[test]
fn only_trusted_bytes_are_locked_wherever_they_lie() {
    let world = World::new();
    let file = world.put("plugins/liba.so", &plugin("a", "0.1.0"));
    assert_eq!(trust_of(&world, "liba.so"), "untrusted");
    let trusted = trust(std::slice::from_ref(&file), &world.options).unwrap();
    assert_eq!(trusted[0].entry.sha256, Sha256::of(&plugin("a", "0.1.0")));
    assert_eq!(
        (trusted[0].entry.file.as_str(), trusted[0].replaced.as_ref()),
        ("liba.so", None)
    );
    assert_eq!(trust_of(&world, "liba.so"), "locked");
    fs::rename(&file, world.path("user-moved.so")).unwrap();
    world.put("user/plugins/librenamed.so", &plugin("a", "0.1.0"));
    assert_eq!(trust_of(&world, "librenamed.so"), "locked");
}

#[test]
fn every_flipped_bit_ends_trust() {
    let world = World::new();
    let good = plugin("a", "0.1.0");
    let file = world.put("plugins/liba.so", &good);
    trust(&[file], &world.options).unwrap();
    for at in (0..good.len()).step_by(97) {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        world.put("plugins/liba.so", &bytes);
        let registry = world.scan();
        // Where the flip damages what is inspected, the file is not even a plugin any more.
        let Some(plugin) = registry.plugins().first() else {
            continue;
        };
        assert!(
            matches!(plugin.trust(), Trust::Changed | Trust::Refused(_)),
            "byte {at}"
        );
        let error = registry.admit(plugin).unwrap_err();
        assert_eq!(error.exit_code(), 3, "byte {at}: {error}");
    }
    world.put("plugins/liba.so", &good);
    assert_eq!(trust_of(&world, "liba.so"), "locked");
}

#[test]
fn another_file_of_a_locked_name_has_changed() {
    let world = World::new();
    let file = world.put("plugins/liba.so", &plugin("a", "0.1.0"));
    trust(&[file], &world.options).unwrap();
    world.put("plugins/liba.so", &plugin("a", "0.10.0"));
    assert_eq!(trust_of(&world, "liba.so"), "changed");
    world.put("plugins/libb.so", &plugin("b", "0.1.0"));
    assert_eq!(trust_of(&world, "libb.so"), "untrusted");
}

#[test]
fn trusting_a_rebuilt_version_replaces_and_another_version_adds() {
    let world = World::new();
    let file = world.put("plugins/liba.so", &plugin("a", "0.1.0"));
    let first = trust(std::slice::from_ref(&file), &world.options).unwrap();
    let mut rebuilt = plugin("a", "0.1.0");
    rebuilt[200] ^= 1;
    world.put("plugins/liba.so", &rebuilt);
    let second = trust(std::slice::from_ref(&file), &world.options).unwrap();
    assert_eq!(second[0].replaced.as_ref(), Some(&first[0].entry));
    world.put("plugins/liba.so", &plugin("a", "0.2.0"));
    assert_eq!(trust(&[file], &world.options).unwrap()[0].replaced, None);
    let versions: Vec<_> = verify(&world.options)
        .unwrap()
        .iter()
        .map(|(entry, _)| entry.version.to_string())
        .collect();
    assert_eq!(versions, ["0.1.0", "0.2.0"]);
}

#[test]
fn trust_takes_all_files_or_none() {
    let world = World::new();
    let good = world.put("plugins/liba.so", &plugin("a", "0.1.0"));
    let bad = world.put("plugins/libb.so", &plugin("b", "0.1.0")[..300]);
    for bad in [bad, world.path("plugins/missing.so"), world.path("plugins")] {
        let error = trust(&[good.clone(), bad.clone()], &world.options).unwrap_err();
        assert!(error.message.contains(bad.to_str().unwrap()), "{error}");
        assert!([3, 4].contains(&error.exit_code()), "{error}");
    }
    assert_eq!(trust_of(&world, "liba.so"), "untrusted");
}

#[test]
fn untrust_by_path_name_or_digits() {
    let world = World::new();
    let files: Vec<PathBuf> = ["a", "b", "c", "d"]
        .map(|name| world.put(&format!("plugins/lib{name}.so"), &plugin(name, "0.1.0")))
        .into();
    let entries = trust(&files, &world.options).unwrap();
    let digits = entries[2].entry.sha256.to_string();
    for (word, gone) in [
        (files[0].to_str().unwrap(), "liba.so"),
        ("libb.so", "libb.so"),
        (&digits[..8], "libc.so"),
    ] {
        let out = untrust(&[word.to_owned()], &world.options).unwrap();
        assert_eq!(out.len(), 1);
        assert_eq!(out[0].file, gone);
        assert_eq!(trust_of(&world, gone), "untrusted");
    }
    for unknown in ["libx.so", "ffffffff", &digits[..5], "", "/"] {
        let words = ["libd.so".to_owned(), unknown.to_owned()];
        let error = untrust(&words, &world.options).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{error}");
    }
    assert_eq!(trust_of(&world, "libd.so"), "locked");
}

#[test]
fn verify_tells_present_changed_and_missing() {
    let world = World::new();
    let files: Vec<PathBuf> = ["a", "b", "c"]
        .map(|name| world.put(&format!("plugins/lib{name}.so"), &plugin(name, "0.1.0")))
        .into();
    trust(&files, &world.options).unwrap();
    let changed = plugin("b", "0.1.1");
    world.put("plugins/libb.so", &changed);
    fs::remove_file(&files[2]).unwrap();
    let states: Vec<State> = verify(&world.options)
        .unwrap()
        .into_iter()
        .map(|(_, state)| state)
        .collect();
    let expected = [
        State::Present(files[0].clone()),
        State::Changed(files[1].clone(), Sha256::of(&changed)),
        State::Missing,
    ];
    assert_eq!(states, expected);
}

#[test]
fn what_was_built_beside_the_executable_is_trusted() {
    let mut world = World::new();
    world.put("bin/liba.so", &plugin("a", "0.1.0"));
    assert_eq!(trust_of(&world, "liba.so"), "built-here");
    world.options.locked = true;
    assert_eq!(trust_of(&world, "liba.so"), "untrusted");
    trust(&[world.path("bin/liba.so")], &world.options).unwrap();
    assert_eq!(trust_of(&world, "liba.so"), "locked");
}

#[test]
fn built_here_ends_at_wider_permissions() {
    let world = World::new();
    let file = world.put("bin/liba.so", &plugin("a", "0.1.0"));
    for (mode, expected) in [
        (0o664, "untrusted"),
        (0o646, "untrusted"),
        (0o755, "built-here"),
        (0o600, "built-here"),
    ] {
        set_mode(&file, mode);
        assert_eq!(trust_of(&world, "liba.so"), expected, "{mode:o}");
    }
    set_mode(&world.path("bin/palaestra"), 0o775);
    set_mode(&file, 0o664);
    assert_eq!(trust_of(&world, "liba.so"), "built-here");
    set_mode(&world.path("bin"), 0o777);
    assert_eq!(trust_of(&world, "liba.so"), "untrusted");
}

#[test]
fn built_here_is_the_executables_own_folder_and_real_files() {
    let mut world = World::new();
    world.put("bin/plugins/libbelow.so", &plugin("below", "0.1.0"));
    world.put("elsewhere/liboutside.so", &plugin("outside", "0.1.0"));
    symlink(
        world.path("elsewhere/liboutside.so"),
        world.path("bin/liblink.so"),
    )
    .unwrap();
    let registry = world.scan();
    assert_eq!(registry.plugins().len(), 2);
    assert!(
        registry
            .plugins()
            .iter()
            .all(|p| *p.trust() == Trust::Untrusted)
    );
    // A link to the executable does not move the rule to the folder of the link.
    symlink(
        world.path("bin/palaestra"),
        world.path("elsewhere/palaestra"),
    )
    .unwrap();
    world.options.executable = Some(world.path("elsewhere/palaestra"));
    assert_eq!(trust_of(&world, "liboutside.so"), "untrusted");
}

#[test]
fn built_here_ends_at_another_owner() {
    let world = World::new();
    let file = world.put("bin/liba.so", &plugin("a", "0.1.0"));
    // Only the superuser can give a file away; for everyone else it stays their own.
    let given_away = chown(&file, Some(12_345), None).is_ok();
    let expected = if given_away {
        "untrusted"
    } else {
        "built-here"
    };
    assert_eq!(trust_of(&world, "liba.so"), expected);
}

#[test]
fn a_broken_lock_file_is_an_error_and_stays_as_it_is() {
    let world = World::new();
    let file = world.put("plugins/liba.so", &plugin("a", "0.1.0"));
    let lock = world.put(
        "config/plugins.lock",
        b"version = 1\n[[plugin]]\nfile = 3\n",
    );
    let before = fs::read(&lock).unwrap();
    let error = Registry::scan(world.options.clone()).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.message.starts_with("lock file "), "{error}");
    assert_eq!(trust(&[file], &world.options).unwrap_err().exit_code(), 2);
    assert_eq!(fs::read(&lock).unwrap(), before);
}

#[test]
fn trusting_at_the_same_time_loses_nothing() {
    let world = World::new();
    let files: Vec<PathBuf> = (0..16)
        .map(|i| {
            world.put(
                &format!("plugins/libp{i}.so"),
                &plugin(&format!("p{i}"), "0.1.0"),
            )
        })
        .collect();
    thread::scope(|scope| {
        for file in &files {
            scope.spawn(|| trust(std::slice::from_ref(file), &world.options).unwrap());
        }
    });
    let registry = world.scan();
    assert!(
        registry
            .plugins()
            .iter()
            .all(|p| *p.trust() == Trust::Locked)
    );
    let beside: Vec<_> = fs::read_dir(world.path("config"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().contains("aside"))
        .collect();
    assert!(beside.is_empty(), "{beside:?}");
}

#[test]
fn without_a_home_folder_listing_works_and_trusting_says_what_to_set() {
    let mut world = World::new();
    let file = world.put("plugins/liba.so", &plugin("a", "0.1.0"));
    world.options.lock_file = None;
    world.options.cache = None;
    assert_eq!(trust_of(&world, "liba.so"), "untrusted");
    let error = trust(&[file], &world.options).unwrap_err();
    assert!(error.message.contains("PALAESTRA_LOCK"), "{error}");
    world.put("bin/libb.so", &plugin("b", "0.1.0"));
    let registry = world.scan();
    let error = registry.admit(named(&registry, "libb.so")).unwrap_err();
    assert!(error.message.contains("PALAESTRA_CACHE"), "{error}");
}
