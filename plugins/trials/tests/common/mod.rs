//! Worlds of other plugins, loaded as a host loads them (two plugins cannot be linked into one program), and
//! what every algorithm must do.

#![allow(dead_code, reason = "every test file uses a part of it")]

use std::env::{
    self,
    consts::{DLL_PREFIX, DLL_SUFFIX},
};

use palaestra_plugin_api::{
    algorithm::Algorithm,
    client::{Context, EnvironmentHandle},
    serde_json::Value,
    testing::{Subject, training::Training},
};
use palaestra_registry::{Options, admit::admit, consent::trust, loader::load, trust::Policy};

/// An environment of the library that is built as a dependency of these tests.
pub(crate) fn world(library: &str, id: &str, config: Value) -> Subject<'static> {
    let test = env::current_exe().unwrap();
    let file = test.with_file_name(format!("{DLL_PREFIX}{library}{DLL_SUFFIX}"));
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        lock_file: Some(folder.path().join("plugins.lock")),
        cache: Some(folder.path().join("cache")),
        ..Options::default()
    };
    trust(std::slice::from_ref(&file), &options).unwrap();
    let policy = Policy::of(&options).unwrap();
    let plugin = load(&admit(&file, &policy, &options).unwrap()).unwrap();
    let factory = plugin.environments.expect("a plugin with environments");
    Subject::new(id, config, move |what| {
        EnvironmentHandle::make(factory, &Context::default(), what)
    })
}

/// The algorithm's weights as a file.
pub(crate) fn weights(training: &mut Training) -> Vec<u8> {
    let mut bytes = Vec::new();
    training.algorithm().weights(&mut bytes).unwrap();
    bytes
}

/// After `before` fragments, an object restored from a snapshot goes on for `after` more as if nothing had happened.
pub(crate) fn assert_resumes<A: Algorithm>(
    start: impl Fn() -> Training,
    before: usize,
    after: usize,
) {
    let begun = || {
        let mut training = start();
        (0..before).for_each(|_| drop(training.iterate().unwrap()));
        training
    };
    let (mut kept, mut resumed) = (begun(), begun());
    let mut snapshot = Vec::new();
    kept.algorithm().snapshot(&mut snapshot).unwrap();
    let mut restored = resumed.another::<A>().unwrap();
    restored.restore(&mut &snapshot[..]).unwrap();
    resumed.replace(restored).unwrap();
    let learned = weights(&mut kept);
    for _ in 0..after {
        assert_eq!(resumed.iterate().unwrap(), kept.iterate().unwrap());
    }
    assert!(weights(&mut resumed) == weights(&mut kept), "other weights");
    assert!(weights(&mut kept) != learned, "nothing was learned");
}
