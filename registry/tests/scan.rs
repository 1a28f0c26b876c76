//! Finding and inspecting: nothing runs, nothing bad hides anything good.
#![cfg(target_os = "linux")]

mod common;

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::{Duration, Instant};

use common::{World, elf, library, manifest, named, set_mode, this_machine};
use palaestra_registry::{Kind, Options, Registry};
use serde_json::json;

fn good() -> Vec<u8> {
    library(&manifest("good", "0.1.0", &["test/Good-v0"]))
}

/// The problem of `bytes` as a plugin, after making sure that a good plugin beside it is still there.
#[track_caller]
fn problem_of(bytes: &[u8]) -> String {
    let world = World::new();
    world.put("plugins/libbad.so", bytes);
    world.put("plugins/libgood.so", &good());
    let registry = world.scan();
    assert!(registry.resolve(Kind::Environment, "test/Good-v0").is_ok());
    let bad = named(&registry, "libbad.so");
    let error = bad.problem().expect("a problem");
    assert_eq!(error.exit_code(), 3, "{error}");
    assert!(!bad.trust().allows_loading() && bad.manifest().is_none());
    assert_eq!(registry.admit(bad).unwrap_err().exit_code(), 3);
    error.to_string()
}

#[track_caller]
fn problem_of_manifest(change: impl Fn(&mut serde_json::Value)) -> String {
    let mut json = manifest("bad", "0.1.0", &["test/Bad-v0"]);
    change(&mut json);
    problem_of(&library(&json))
}

#[test]
fn a_library_cut_off_anywhere_is_refused() {
    let whole = library(&manifest("bad", "0.1.0", &["test/Bad-v0"]));
    let n = whole.len();
    for length in [
        0,
        1,
        4,
        16,
        63,
        64,
        65,
        119,
        120,
        n / 4,
        n / 2,
        n - 200,
        n - 64,
        n - 1,
    ] {
        let problem = problem_of(&whole[..length]);
        assert!(problem.contains("library: expected"), "{length}: {problem}");
    }
}

#[test]
fn a_segment_beyond_the_end_is_refused() {
    // File size of the program header, at 64 + 32.
    let mut bytes = good();
    for huge in [bytes.len() as u64 + 1, u64::MAX] {
        bytes[96..104].copy_from_slice(&huge.to_le_bytes());
        assert!(problem_of(&bytes).contains("cut off"));
    }
}

#[test]
fn text_and_noise_are_refused() {
    assert!(problem_of(b"#!/bin/sh\necho hello\n").contains("damaged, cut off or foreign"));
    let noise: Vec<u8> = (0..9000u32)
        .map(|i| (i.wrapping_mul(i) >> 3) as u8)
        .collect();
    assert!(problem_of(&noise).contains("damaged, cut off or foreign"));
}

#[test]
fn single_flipped_bytes_never_panic_and_never_hide_others() {
    let whole = good();
    let world = World::new();
    world.put(
        "plugins/libother.so",
        &library(&manifest("other", "1.0.0", &["test/Other-v0"])),
    );
    let interesting = (0..120).chain(whole.len() - 700..whole.len());
    for at in interesting {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        world.put("plugins/libflipped.so", &bytes);
        let registry = world.scan();
        assert!(
            registry.resolve(Kind::Environment, "test/Other-v0").is_ok(),
            "{at}"
        );
    }
}

#[test]
fn another_architecture_is_named() {
    let other = if this_machine() == common::EM_X86_64 {
        common::EM_AARCH64
    } else {
        common::EM_X86_64
    };
    let json = manifest("bad", "0.1.0", &[]).to_string();
    let problem = problem_of(&elf(other, Some(json.as_bytes()), 100));
    assert!(problem.contains("found one for"), "{problem}");
    assert!(problem.contains(std::env::consts::ARCH), "{problem}");
}

#[test]
fn an_executable_or_object_file_is_no_shared_library() {
    for kind in [1u8, 2] {
        let mut bytes = good();
        bytes[16] = kind;
        let problem = problem_of(&bytes);
        assert!(problem.contains("expected a shared library"), "{problem}");
    }
}

#[test]
fn faulty_manifests_are_refused() {
    for (change, words) in [
        (
            json!({"panic": "abort"}),
            "panic: expected unwind, found abort",
        ),
        (
            json!({"abi": {"version": "1.0", "draft": 99}}),
            "abi draft: expected 1, found 99",
        ),
        (
            json!({"abi": {"version": "2.0", "draft": 1}}),
            "abi version: expected 1.x, found 2.0",
        ),
        (json!({"os": "plan9"}), "os: expected linux, found plan9"),
        (
            json!({"exports": [{"kind": "environment", "id": "Bad"}]}),
            "expected namespace/Name-vN",
        ),
        (
            json!({"exports": [{"kind": "algorithm", "id": "a/B-v0"}, {"kind": "algorithm", "id": "a/B-v0"}]}),
            "every id once, found algorithm a/B-v0 twice",
        ),
    ] {
        let problem = problem_of_manifest(|json| {
            for (key, value) in change.as_object().unwrap() {
                json[key] = value.clone();
            }
        });
        assert!(problem.contains(words), "{problem}");
    }
    for bytes in [&b""[..], b"{", b"\xff\xff", b"[1]", b"null"] {
        let problem = problem_of(&elf(this_machine(), Some(bytes), 10));
        assert!(problem.contains("manifest"), "{problem}");
    }
}

#[test]
fn padding_after_the_manifest_is_fine() {
    let world = World::new();
    let json = manifest("good", "0.1.0", &["test/Good-v0"]).to_string() + " \0\0\0";
    world.put(
        "plugins/libgood.so",
        &elf(this_machine(), Some(json.as_bytes()), 10),
    );
    let registry = world.scan();
    assert!(named(&registry, "libgood.so").problem().is_none());
}

#[test]
fn what_is_no_plugin_is_passed_over_silently() {
    let world = World::new();
    world.put("plugins/libplain.so", &elf(this_machine(), None, 500));
    world.put("plugins/good.so", &good());
    world.put("plugins/libgood.so.bak", &good());
    world.put("plugins/README.md", b"hello");
    world.put("plugins/sub/libgood.so", &good());
    let registry = world.scan();
    assert!(registry.plugins().is_empty(), "{:?}", registry.plugins());
    assert!(registry.warnings().is_empty());
}

#[test]
fn folders_links_and_pipes_in_a_librarys_place() {
    let world = World::new();
    let plugins = world.path("plugins");
    world.put("plugins/libgood.so", &good());
    fs::create_dir(plugins.join("libfolder.so")).unwrap();
    symlink(plugins.join("nowhere"), plugins.join("libdangling.so")).unwrap();
    symlink(plugins.join("libloop.so"), plugins.join("libloop.so")).unwrap();
    symlink("/dev/zero", plugins.join("libzero.so")).unwrap();
    let pipe = plugins.join("libpipe.so");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let secret = world.put("plugins/libsecret.so", &good());
    set_mode(&secret, 0o000);
    let registry = world.scan();
    assert!(registry.resolve(Kind::Environment, "test/Good-v0").is_ok());
    let problem = |name: &str| named(&registry, name).problem().unwrap().to_string();
    assert_eq!(
        problem("libfolder.so"),
        "expected a regular file, found a folder"
    );
    assert_eq!(
        problem("libpipe.so"),
        "expected a regular file, found a device or pipe"
    );
    assert!(problem("libdangling.so").contains("No such file"));
    assert!(problem("libloop.so").contains("symbolic links"));
    // The link is resolved, so the device shows under its own name.
    assert!(problem("zero").contains("a device or pipe"));
    // The superuser may read anything.
    let readable = File::open(&secret).is_ok();
    assert_eq!(
        named(&registry, "libsecret.so").problem().is_none(),
        readable
    );
}

#[test]
fn a_file_reached_twice_is_listed_once_in_search_order() {
    let mut world = World::new();
    world.put(
        "plugins/libb.so",
        &library(&manifest("b", "1.0.0", &["test/B-v0"])),
    );
    world.put(
        "plugins/liba.so",
        &library(&manifest("a", "1.0.0", &["test/A-v0"])),
    );
    world.put(
        "bin/libc.so",
        &library(&manifest("c", "1.0.0", &["test/C-v0"])),
    );
    world.put(
        "bin/plugins/libd.so",
        &library(&manifest("d", "1.0.0", &["test/D-v0"])),
    );
    world.put(
        "user/plugins/libe.so",
        &library(&manifest("e", "1.0.0", &["test/E-v0"])),
    );
    world.put(
        "elsewhere/libf.so",
        &library(&manifest("f", "1.0.0", &["test/F-v0"])),
    );
    symlink(
        world.path("plugins/liba.so"),
        world.path("user/plugins/liba.so"),
    )
    .unwrap();
    symlink(world.path("plugins"), world.path("again")).unwrap();
    world.options.plugin_path = vec![world.path("again"), world.path("elsewhere")];
    for _ in 0..5 {
        let registry = world.scan();
        let names: Vec<_> = registry
            .plugins()
            .iter()
            .map(|p| p.manifest().unwrap().plugin.as_str())
            .collect();
        assert_eq!(names, ["a", "b", "f", "c", "d", "e"]);
    }
}

#[test]
fn only_folders_that_were_asked_for_are_missed() {
    let mut world = World::new();
    world.options.plugin_dirs.push(world.path("missing"));
    let registry = world.scan();
    let [warning] = registry.warnings() else {
        panic!("{:?}", registry.warnings());
    };
    assert!(warning.contains("missing: No such file"), "{warning}");
    assert!(
        Registry::scan(Options::default())
            .unwrap()
            .plugins()
            .is_empty()
    );
}

#[test]
fn scanning_runs_no_code_of_a_real_library() {
    let world = World::new();
    let trace = world.path("trace");
    let json = manifest("real", "0.1.0", &["test/Real-v0"]).to_string();
    let source = format!(
        "#include <stdio.h>\n\
         __attribute__((section(\".rlmeta\"), used)) const char meta[] = {json:?};\n\
         __attribute__((constructor)) static void run(void) {{ \
             FILE *f = fopen({trace:?}, \"w\"); if (f) fclose(f); }}\n"
    );
    let source = world.put("elsewhere/real.c", source.as_bytes());
    let output = world.path("plugins/libreal.so");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&output, &source])
        .status()
        .unwrap();
    assert!(compiled.success());
    let registry = world.scan();
    assert!(registry.resolve(Kind::Environment, "test/Real-v0").is_ok());
    let plugin = named(&registry, "libreal.so");
    assert!(plugin.problem().is_none() && plugin.sha256().is_ok());
    assert!(!trace.exists(), "a constructor ran");
}

#[test]
fn fifty_plugins_are_listed_quickly() {
    let world = World::new();
    let properties: serde_json::Map<_, _> = (0..20)
        .map(|i| {
            let about = json!({"type": "number", "description": "a parameter", "default": i});
            (format!("parameter_{i}"), about)
        })
        .collect();
    for plugin in 0..50 {
        let ids: Vec<String> = (0..10)
            .map(|i| format!("family{plugin}/Env{i}-v0"))
            .collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let mut json = manifest(&format!("plugin-{plugin}"), "0.1.0", &ids);
        for export in json["exports"].as_array_mut().unwrap() {
            export["schema"] = json!({"type": "object", "properties": properties});
        }
        let bytes = elf(this_machine(), Some(json.to_string().as_bytes()), 1_500_000);
        world.put(&format!("plugins/libplugin_{plugin}.so"), &bytes);
    }
    let timed = |what: &str| {
        let mut fastest = Duration::MAX;
        for _ in 0..5 {
            let start = Instant::now();
            let registry = world.scan();
            fastest = fastest.min(start.elapsed());
            assert_eq!(registry.entries(Kind::Environment).count(), 500);
        }
        println!("50 plugins, 500 environments, {what}: {fastest:?}");
        assert!(fastest < Duration::from_secs(1), "{what}: {fastest:?}");
    };
    timed("untrusted");
    let files: Vec<_> = world
        .scan()
        .plugins()
        .iter()
        .map(|p| p.path().to_owned())
        .collect();
    palaestra_registry::consent::trust(&files, &world.options).unwrap();
    timed("all locked, so all hashed");
}
