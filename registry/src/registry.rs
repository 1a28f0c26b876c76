//! Everything on the search path in one view: files, their trust, and what they offer.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::admit::{self, Admitted};
use crate::consent::hash_file;
use crate::error::{Error, Result};
use crate::hash::Sha256;
use crate::inspect;
use crate::manifest::{Export, Kind, Manifest};
use crate::options::Options;
use crate::resolve::{self, Resolution};
use crate::search::{self, Candidate, Origin};
use crate::trust::{Policy, Trust};

/// Most threads that a scan uses.
const MAX_THREADS: usize = 8;

/// A plugin library on the search path, or a file that should be one and is not.
#[derive(Debug)]
pub struct PluginFile {
    path: PathBuf,
    origin: Origin,
    manifest: Option<Manifest>,
    trust: Trust,
    sha256: OnceLock<Sha256>,
}

impl PluginFile {
    /// Where it lies, without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Why its folder was searched.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// What it says about itself; `None` for a file with a [`PluginFile::problem`].
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// Whether it may be loaded.
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Why it offers nothing; `None` for a sound plugin, trusted or not.
    pub fn problem(&self) -> Option<&Error> {
        match &self.trust {
            Trust::Refused(error) | Trust::Unreadable(error) => Some(error),
            _ => None,
        }
    }

    /// Digest of the file, computed when first asked for. For display: what is loaded is decided on the
    /// bytes read then, see [`Registry::admit`].
    ///
    /// # Errors
    /// Kind `Io` when the file cannot be read.
    pub fn sha256(&self) -> Result<Sha256> {
        if let Some(sha256) = self.sha256.get() {
            return Ok(*sha256);
        }
        let sha256 = hash_file(&self.path)?;
        Ok(*self.sha256.get_or_init(|| sha256))
    }
}

/// One environment, algorithm or mechanism and the plugin that offers it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// What the manifest says about it.
    pub export: &'a Export,
    /// The manifest it stands in.
    pub manifest: &'a Manifest,
    /// The file it comes from.
    pub plugin: &'a PluginFile,
}

/// The plugins on the search path.
#[derive(Debug)]
pub struct Registry {
    options: Options,
    policy: Policy,
    plugins: Vec<PluginFile>,
    /// Index of the plugin and of the export in its manifest, in the order of [`sorted_entries`].
    entries: Vec<(usize, usize)>,
    warnings: Vec<String>,
}

impl Registry {
    /// Looks through the search path. No plugin code runs; a bad file becomes a [`PluginFile`] with a
    /// problem and hides nothing.
    ///
    /// # Errors
    /// Only those of the lock file, which must not be mistaken for an empty one.
    pub fn scan(options: Options) -> Result<Self> {
        let policy = Policy::of(&options)?;
        let found = search::search(&options);
        let plugins = examine_all(&found.candidates, &policy);
        let entries = sorted_entries(&plugins);
        let mut registry = Self {
            options,
            policy,
            plugins,
            entries,
            warnings: found.warnings,
        };
        let duplicates = resolve::duplicates(&registry.all().collect::<Vec<_>>());
        registry.warnings.extend(duplicates);
        Ok(registry)
    }

    /// The settings it was scanned with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Every plugin file, in search order, those with a problem among them.
    pub fn plugins(&self) -> &[PluginFile] {
        &self.plugins
    }

    /// What the plugins offer of `kind`, by name, then from the newest plugin version to the oldest.
    pub fn entries(&self, kind: Kind) -> impl Iterator<Item = Entry<'_>> {
        self.all().filter(move |entry| entry.export.kind == kind)
    }

    fn all(&self) -> impl Iterator<Item = Entry<'_>> {
        let entry = |&(plugin, export): &(usize, usize)| entry_at(&self.plugins, plugin, export);
        self.entries.iter().filter_map(entry)
    }

    /// One line for each folder that could not be searched and each id that two plugins claim.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Finds what `name` means among the entries of `kind`, see [`Resolution`].
    ///
    /// # Errors
    /// Kind `Config`: outside the grammar, unknown, ambiguous, or claimed by two plugins.
    pub fn resolve(&self, kind: Kind, name: &str) -> Result<Resolution<'_>> {
        let problems = self.plugins.iter().filter(|p| p.problem().is_some());
        resolve::resolve(
            &self.all().collect::<Vec<_>>(),
            problems.count(),
            kind,
            name,
        )
    }

    /// Reads, hashes and decides on the bytes of `plugin` as they are now, and keeps a private copy of
    /// them to load.
    ///
    /// # Errors
    /// Those of [`admit::admit`].
    pub fn admit(&self, plugin: &PluginFile) -> Result<Admitted> {
        admit::admit(&plugin.path, &self.policy, &self.options)
    }
}

/// Examines the files on several threads; the answers keep the order of `candidates`.
fn examine_all(candidates: &[Candidate], policy: &Policy) -> Vec<PluginFile> {
    let threads = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MAX_THREADS)
        .min(candidates.len());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(candidate) = candidates.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((candidate, examine(candidate, policy)));
        }
        done
    };
    let mut examined = thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut examined = work();
        for worker in workers {
            match worker.join() {
                Ok(more) => examined.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        examined
    });
    examined.sort_by_key(|(candidate, _)| std::ptr::from_ref(*candidate));
    examined.into_iter().filter_map(|(_, file)| file).collect()
}

/// Examines one file; `None` for a sound library that is no plugin.
fn examine(candidate: &Candidate, policy: &Policy) -> Option<PluginFile> {
    let mut plugin = PluginFile {
        path: candidate.path.clone(),
        origin: candidate.origin,
        manifest: None,
        trust: Trust::Untrusted,
        sha256: OnceLock::new(),
    };
    let (file, metadata) = match inspect::open(&candidate.path) {
        Ok(opened) => opened,
        Err(error) => {
            plugin.trust = Trust::Unreadable(error);
            return Some(plugin);
        }
    };
    match inspect::inspect_file(file, &metadata) {
        Ok(Some(manifest)) => {
            plugin.manifest = Some(manifest);
            plugin.trust = policy.decide(&candidate.path, &metadata, || plugin.sha256());
        }
        Ok(None) => return None,
        Err(error) => plugin.trust = Trust::Refused(error),
    }
    if plugin.problem().is_some() {
        plugin.manifest = None;
    }
    Some(plugin)
}

fn entry_at(plugins: &[PluginFile], plugin: usize, export: usize) -> Option<Entry<'_>> {
    let plugin = plugins.get(plugin)?;
    let manifest = plugin.manifest()?;
    let export = manifest.exports.get(export)?;
    Some(Entry {
        export,
        manifest,
        plugin,
    })
}

/// The entries of all plugins by kind, id, plugin version (newest first), then search order.
fn sorted_entries(plugins: &[PluginFile]) -> Vec<(usize, usize)> {
    let mut entries: Vec<(usize, usize, Entry<'_>)> = Vec::new();
    for (index, plugin) in plugins.iter().enumerate() {
        let exports = plugin.manifest().map_or(0, |m| m.exports.len());
        let of_plugin = (0..exports)
            .filter_map(|export| Some((index, export, entry_at(plugins, index, export)?)));
        entries.extend(of_plugin);
    }
    // The sort is stable, so entries that compare equal stay in search order.
    entries.sort_by(|(.., a), (.., b)| {
        (a.export.kind, &a.export.id, &b.manifest.version).cmp(&(
            b.export.kind,
            &b.export.id,
            &a.manifest.version,
        ))
    });
    entries
        .into_iter()
        .map(|(plugin, export, _)| (plugin, export))
        .collect()
}
