//! The C door: a header that agrees with the Rust types, and an environment in C that is a plugin like any other.

mod common;

use std::collections::BTreeMap;
use std::mem::offset_of;
use std::path::Path;
use std::process::Command;

use common::{Machine, corridor, workspace};
use palaestra_plugin_api::abi::{
    CEntry, EnvironmentFactory, EnvironmentObject, EnvironmentVtable, HostApi, HostContext,
    MakeOptions, ParallelBody, Sink, Slab, SlabTable, Source, Status, Text,
};

/// Sizes and offsets by the names of the header.
fn in_rust() -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    macro_rules! layout {
        ($name:literal, $type:ty $(, $field:ident $(as $other:literal)?)*) => {
            found.insert($name.to_owned(), size_of::<$type>());
            $(
                #[allow(unused_mut, unused_assignments)]
                let mut name = stringify!($field);
                $(name = $other;)?
                found.insert(format!("{}.{name}", $name), offset_of!($type, $field));
            )*
        };
    }
    layout!("status", Status);
    layout!("text", Text, data, len);
    layout!("sink", Sink, context, write);
    layout!("source", Source, context, read);
    layout!("slab", Slab, id, group, dtype, rank, data, shape, strides);
    layout!("slab_table", SlabTable, slabs, len);
    layout!("parallel_body", ParallelBody, run);
    layout!(
        "host_api",
        HostApi,
        size,
        log,
        metric,
        cancel_flag,
        threads,
        parallel_for,
        rank,
        world,
        all_reduce,
        broadcast,
        barrier,
        extension
    );
    layout!("host_context", HostContext, run, api);
    layout!(
        "make_options",
        MakeOptions,
        size,
        run_seed,
        first_instance,
        instances,
        purpose,
        exchange
    );
    layout!(
        "environment_vtable",
        EnvironmentVtable,
        size,
        spec,
        bind,
        unbind,
        reset,
        step,
        step_exact,
        set_options,
        snapshot,
        restore,
        clone_instance,
        inspect,
        render,
        extension,
        destroy
    );
    layout!("environment", EnvironmentObject, this as "self", vtable);
    layout!("environment_factory", EnvironmentFactory, size, make, trace);
    layout!("entry", CEntry, size, abi_draft, reserved, init, extension);
    found
}

#[test]
fn every_struct_of_the_header_has_the_layout_of_the_rust_type() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("header");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/header.c");
    let include = workspace().join("plugin-api/include");
    let built = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Werror", "-I"])
        .arg(include)
        .arg(source)
        .arg("-o")
        .arg(&program)
        .output();
    let built = built.unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let printed = String::from_utf8(Command::new(program).output().unwrap().stdout).unwrap();
    let in_c: BTreeMap<String, usize> = printed
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, number)| (name.to_owned(), number.parse().unwrap()))
        .collect();
    assert_eq!(in_c, in_rust());
}

/// A machine with the corridor of the header's example, trusted.
fn with_corridor() -> Machine {
    let machine = Machine::new();
    let library = machine.compile(&[&corridor()], "libcorridor.so");
    machine.trust(&library);
    machine
}

#[test]
fn an_environment_in_c_is_described_and_rendered() {
    let machine = with_corridor();
    let about = machine
        .run(&["describe", "c/Corridor-v0", "--json", "--set", "length=5"])
        .json();
    assert_eq!(
        (&about["door"], &about["trust"]),
        (&"c".into(), &"locked".into())
    );
    assert_eq!(about["config"], serde_json::json!({"length": 5}));
    assert_eq!(about["spec"]["groups"][0]["name"], "walker");
    let moves = machine.put("work/right.json", b"[[1], [1], [0], [1]]");
    let rendered = machine.run(&[
        "render",
        "Corridor",
        "--text",
        "--set",
        "length=4",
        "--actions",
        moves.to_str().unwrap(),
    ]);
    let pictures: Vec<&str> = rendered
        .ok()
        .lines()
        .filter(|line| line.contains('G'))
        .collect();
    assert_eq!(pictures, ["A...G", ".A..G", "..A.G", ".A..G", "..A.G"]);
    // Its text is drawn where a picture is asked for.
    machine
        .run(&[
            "render",
            "Corridor",
            "--out",
            "corridor.png",
            "--max-steps",
            "2",
        ])
        .ok();
    assert!(machine.path("work/corridor.png").is_file());
}

#[test]
fn a_wrong_setting_never_reaches_it() {
    let machine = with_corridor();
    machine
        .run(&["describe", "Corridor", "--set", "length=51"])
        .fails(2, &["/length: expected 1 ≤ x ≤ 50, found 51"]);
}

#[test]
fn an_environment_in_c_passes_every_check() {
    let machine = with_corridor();
    let report = machine.run(&["check", "corridor-c", "--json"]).json();
    let text = report.to_string();
    assert!(
        text.contains("vector-equals-scalar") && text.contains("\"passed\""),
        "{text}"
    );
    assert!(
        !text.contains("\"status\":\"failed\"") && !text.contains("\"status\":\"crashed\""),
        "{text}"
    );
}

#[test]
fn an_environment_in_c_is_rolled_out() {
    let machine = with_corridor();
    let rollout = |threads| {
        let arguments = [
            "rollout",
            "c/Corridor-v0",
            "--episodes",
            "64",
            "--set",
            "length=2",
            "--json",
            "--threads",
            threads,
        ];
        machine.run(&arguments).json()
    };
    let one = rollout("1");
    assert_eq!(one["episodes"], 64);
    // Two cells are left behind within 100 random steps, but for a chance of less than 2^-50.
    assert_eq!(
        (one["mean_return"].as_f64(), one["std_return"].as_f64()),
        (Some(1.0), Some(0.0))
    );
    assert!(one["mean_length"].as_f64().unwrap() > 2.0);
    assert_eq!(one, rollout("2"));
}
