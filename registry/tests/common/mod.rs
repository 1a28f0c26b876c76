//! Plugin libraries made by hand, and a folder tree to put them in.

#![allow(dead_code, reason = "every test file uses a part of it")]

use std::env::consts;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use palaestra_registry::{Options, PluginFile, Registry};
use serde_json::{Value, json};
use tempfile::TempDir;

/// ELF's number for x86-64.
pub(crate) const EM_X86_64: u16 = 62;
/// ELF's number for AArch64.
pub(crate) const EM_AARCH64: u16 = 183;

/// ELF's number for the machine of this test.
pub(crate) fn this_machine() -> u16 {
    match consts::ARCH {
        "x86_64" => EM_X86_64,
        "aarch64" => EM_AARCH64,
        other => panic!("no ELF fixture for {other}"),
    }
}

/// A manifest with one environment for each of `ids`.
pub(crate) fn manifest(plugin: &str, version: &str, ids: &[&str]) -> Value {
    let export = |id: &&str| json!({"kind": "environment", "id": id, "schema": {"type": "object"}});
    json!({
        "palaestra": 1,
        "abi": {"version": "1.0", "draft": 1},
        "plugin": plugin,
        "version": version,
        "panic": "unwind",
        "arch": consts::ARCH,
        "os": consts::OS,
        "door": "rust",
        "exports": ids.iter().map(export).collect::<Vec<_>>(),
    })
}

/// A shared library whose manifest section holds `manifest`.
pub(crate) fn library(manifest: &Value) -> Vec<u8> {
    elf(this_machine(), Some(manifest.to_string().as_bytes()), 4096)
}

/// A 64-bit little-endian ELF shared object: header, one loaded segment of `code` bytes that also holds the
/// manifest section (if any), section names, section table.
pub(crate) fn elf(machine: u16, section: Option<&[u8]>, code: usize) -> Vec<u8> {
    const NAMES: &[u8] = b"\0.rlmeta\0.shstrtab\0";
    let meta = section.unwrap_or_default();
    let meta_at = 120 + code;
    let names_at = meta_at + meta.len();
    let table_at = (names_at + NAMES.len()).next_multiple_of(8);
    let sections: u16 = if section.is_some() { 3 } else { 2 };
    let mut out = Vec::new();
    let half = |out: &mut Vec<u8>, v: u16| out.extend(v.to_le_bytes());
    let word = |out: &mut Vec<u8>, v: u32| out.extend(v.to_le_bytes());
    let long = |out: &mut Vec<u8>, v: usize| out.extend((v as u64).to_le_bytes());
    // ELF header: class 64, little-endian, version 1; ET_DYN.
    out.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    half(&mut out, 3);
    half(&mut out, machine);
    word(&mut out, 1);
    long(&mut out, 0);
    long(&mut out, 64);
    long(&mut out, table_at);
    word(&mut out, 0);
    for value in [64, 56, 1, 64, sections, sections - 1] {
        half(&mut out, value);
    }
    // Program header: PT_LOAD, readable and executable.
    word(&mut out, 1);
    word(&mut out, 5);
    for value in [0, 0, 0, names_at, names_at, 0x1000] {
        long(&mut out, value);
    }
    out.extend((0..code).map(|i| (i * 31 % 251) as u8));
    out.extend(meta);
    out.extend(NAMES);
    out.resize(table_at, 0);
    out.resize(table_at + 64, 0);
    let mut header = |name: u32, kind: u32, flags: usize, at: usize, size: usize| {
        word(&mut out, name);
        word(&mut out, kind);
        for value in [flags, at, at, size] {
            long(&mut out, value);
        }
        word(&mut out, 0);
        word(&mut out, 0);
        long(&mut out, 1);
        long(&mut out, 0);
    };
    if section.is_some() {
        header(1, 1, 2, meta_at, meta.len());
    }
    header(9, 3, 0, names_at, NAMES.len());
    out
}

/// A machine of its own: an executable, plugin folders, a lock file, a cache.
pub(crate) struct World {
    folder: TempDir,
    pub(crate) options: Options,
}

impl World {
    /// Folders `bin` (with the executable), `plugins` (a `--plugin-dir`), `elsewhere` (not searched).
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        for name in ["bin", "plugins", "elsewhere"] {
            fs::create_dir(root.join(name)).unwrap();
            set_mode(&root.join(name), 0o755);
        }
        let executable = root.join("bin/palaestra");
        fs::write(&executable, "program").unwrap();
        set_mode(&executable, 0o755);
        let options = Options {
            plugin_dirs: vec![root.join("plugins")],
            executable: Some(executable),
            user_plugins: Some(root.join("user/plugins")),
            lock_file: Some(root.join("config/plugins.lock")),
            cache: Some(root.join("cache")),
            ..Options::default()
        };
        Self { folder, options }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap().join(path)
    }

    /// Writes a file and returns its path.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        set_mode(&path, 0o644);
        path
    }

    pub(crate) fn scan(&self) -> Registry {
        Registry::scan(self.options.clone()).unwrap()
    }
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// The plugin file of that name.
#[track_caller]
pub(crate) fn named<'a>(registry: &'a Registry, name: &str) -> &'a PluginFile {
    let is_it = |p: &&PluginFile| p.path().file_name().unwrap() == name;
    let found = registry.plugins().iter().find(is_it);
    found.unwrap_or_else(|| panic!("{name} not among {:?}", registry.plugins()))
}
