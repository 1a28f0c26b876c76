//! From typed names to entries.
#![cfg(target_os = "linux")]

mod common;

use common::{World, library, manifest};
use palaestra_registry::{Kind, Registry};
use serde_json::json;

fn world() -> World {
    let world = World::new();
    let classic = [
        "classic/CartPole-v0",
        "classic/CartPole-v1",
        "classic/CartPole-v10",
        "classic/Pendulum-v1",
    ];
    world.put(
        "plugins/libclassic.so",
        &library(&manifest("classic-control", "0.1.0", &classic)),
    );
    let other = ["other/Pendulum-v1", "mpe/SimpleSpread-v3"];
    world.put(
        "plugins/libother.so",
        &library(&manifest("other", "1.0.0", &other)),
    );
    let mut core = manifest("core", "0.1.0", &["core/PPO-v0"]);
    core["exports"][0]["kind"] = json!("algorithm");
    world.put("plugins/libcore.so", &library(&core));
    world
}

/// What `name` resolves to and the notes.
#[track_caller]
fn found(registry: &Registry, name: &str) -> (String, Vec<String>) {
    let resolution = registry.resolve(Kind::Environment, name).unwrap();
    let entry = resolution.entry;
    let id = &entry.export.id;
    (format!("{id}@{}", entry.manifest.version), resolution.notes)
}

#[track_caller]
fn missed(registry: &Registry, name: &str) -> String {
    let error = registry.resolve(Kind::Environment, name).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    error.to_string()
}

#[test]
fn an_exact_name_resolves_without_a_note() {
    let registry = world().scan();
    let expected = ("classic/CartPole-v1@0.1.0".to_owned(), vec![]);
    assert_eq!(found(&registry, "classic/CartPole-v1"), expected);
}

#[test]
fn what_is_left_out_is_filled_in_with_a_note() {
    let registry = world().scan();
    for name in ["classic/CartPole", "CartPole"] {
        let (id, notes) = found(&registry, name);
        assert_eq!(id, "classic/CartPole-v10@0.1.0");
        assert_eq!(
            notes,
            [format!(
                "environment \"{name}\": using classic/CartPole-v10"
            )]
        );
    }
    assert_eq!(
        found(&registry, "CartPole-v0").0,
        "classic/CartPole-v0@0.1.0"
    );
}

#[test]
fn a_bare_name_of_two_families_is_ambiguous() {
    let registry = world().scan();
    let expected = "environment \"Pendulum\": expected a name that fits one, \
                    found classic/Pendulum-v1, other/Pendulum-v1; give the namespace";
    assert_eq!(missed(&registry, "Pendulum"), expected);
    assert!(registry.warnings().is_empty());
}

#[test]
fn a_miss_says_what_was_probably_meant() {
    let registry = world().scan();
    for (typed, meant) in [
        ("classic/CartPol", "did you mean classic/CartPole-v10?"),
        ("classic/CartPol-v1", "did you mean classic/CartPole-v1?"),
        ("classic/cartpole-v1", "did you mean classic/CartPole-v1?"),
        ("clasic/CartPole-v1", "did you mean classic/CartPole-v1?"),
        ("gymnasium/CartPole", "did you mean classic/CartPole-v10?"),
        ("SimpleSpraed", "did you mean mpe/SimpleSpread-v3?"),
        ("mpe/SimpleSpread-v2", "did you mean mpe/SimpleSpread-v3?"),
        ("core/PPO-v0", "core/PPO-v0 is of kind algorithm"),
        ("Chess", "see palaestra list environments"),
    ] {
        assert_eq!(
            missed(&registry, typed),
            format!("environment \"{typed}\" not found; {meant}")
        );
    }
    let message = missed(&registry, "classic/CartPole v1");
    assert!(
        message.ends_with("; did you mean classic/CartPole-v1?"),
        "{message}"
    );
    let message = missed(&registry, "?");
    assert!(
        message.contains("expected [namespace/]Name[-vN]"),
        "{message}"
    );
}

#[test]
fn the_newest_of_several_plugin_versions_wins_and_each_can_be_chosen() {
    let world = World::new();
    for (folder, version) in [
        ("plugins", "0.9.0"),
        ("bin", "0.10.0"),
        ("user/plugins", "0.10.0-rc.1"),
    ] {
        let bytes = library(&manifest("a", version, &["test/A-v0"]));
        world.put(&format!("{folder}/liba.so"), &bytes);
    }
    let registry = world.scan();
    assert!(registry.warnings().is_empty());
    let (id, notes) = found(&registry, "test/A-v0");
    assert_eq!(id, "test/A-v0@0.10.0");
    let note = "test/A-v0: using plugin a 0.10.0, not 0.10.0-rc.1, 0.9.0; \
                choose with test/A-v0@0.10.0-rc.1";
    assert_eq!(notes, [note]);
    for version in ["0.9.0", "0.10.0", "0.10.0-rc.1"] {
        let name = format!("test/A-v0@{version}");
        assert_eq!(found(&registry, &name), (name, vec![]));
    }
    let expected = "environment \"test/A-v0@0.8.0\" not found; \
                    plugin versions found: 0.9.0, 0.10.0-rc.1, 0.10.0";
    assert_eq!(missed(&registry, "test/A-v0@0.8.0"), expected);
}

#[test]
fn of_two_copies_of_one_version_the_first_on_the_search_path_is_used() {
    let world = World::new();
    let bytes = library(&manifest("a", "0.1.0", &["test/A-v0"]));
    let first = world.put("plugins/liba.so", &bytes);
    let second = world.put("user/plugins/liba.so", &bytes);
    let registry = world.scan();
    let resolution = registry.resolve(Kind::Environment, "test/A-v0").unwrap();
    assert_eq!(resolution.entry.plugin.path(), first);
    let note = format!(
        "test/A-v0: using {}, not {}",
        first.display(),
        second.display()
    );
    assert_eq!(resolution.notes, [note]);
}

#[test]
fn an_id_of_two_plugins_is_an_error_when_asked_for_and_a_warning_otherwise() {
    let world = world();
    let rogue = library(&manifest("rogue", "9.0.0", &["classic/CartPole-v1"]));
    let rogue = world.put("plugins/librogue.so", &rogue);
    let registry = world.scan();
    let message = missed(&registry, "classic/CartPole-v1");
    assert!(
        message.contains("expected one plugin, found rogue"),
        "{message}"
    );
    for file in [rogue, world.path("plugins/libclassic.so")] {
        assert!(message.contains(file.to_str().unwrap()), "{message}");
    }
    assert_eq!(registry.warnings().len(), 1);
    assert!(registry.warnings()[0].starts_with("environment classic/CartPole-v1: "));
    assert_eq!(
        found(&registry, "classic/CartPole-v0").0,
        "classic/CartPole-v0@0.1.0"
    );
    assert_eq!(registry.entries(Kind::Environment).count(), 7);
    let chosen = found(&registry, "classic/CartPole-v1@0.1.0").0;
    assert_eq!(chosen, "classic/CartPole-v1@0.1.0");
}

#[test]
fn a_miss_points_at_plugins_that_could_not_be_read() {
    let world = world();
    world.put("plugins/libbroken.so", b"\x7fELF");
    let expected = "environment \"Chess\" not found; \
                    see palaestra registry list, which has 1 with a problem";
    assert_eq!(missed(&world.scan(), "Chess"), expected);
}

#[test]
fn entries_are_sorted_by_name_and_number() {
    let registry = world().scan();
    let ids: Vec<String> = registry
        .entries(Kind::Environment)
        .map(|entry| entry.export.id.to_string())
        .collect();
    let expected = [
        "classic/CartPole-v0",
        "classic/CartPole-v1",
        "classic/CartPole-v10",
        "classic/Pendulum-v1",
        "mpe/SimpleSpread-v3",
        "other/Pendulum-v1",
    ];
    assert_eq!(ids, expected);
}
