//! From what a user types to one entry.
//!
//! An exact id is taken as it is; without a version the newest; without a namespace whatever fits, if
//! that is one family. Where several versions of one plugin offer an id, the newest plugin wins, and
//! `id@version` chooses another. Where two different plugins offer it, nobody wins.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::manifest::Kind;
use crate::names::{Id, Query};
use crate::registry::Entry;
use crate::suggest::nearest;

/// What a name stands for.
#[derive(Clone, Debug)]
pub struct Resolution<'a> {
    /// The entry.
    pub entry: Entry<'a>,
    /// Choices made on the user's behalf, one line each, to be shown.
    pub notes: Vec<String>,
}

/// Finds the entry of `kind` that `name` means among `entries`, which are in the order of the registry;
/// `problems` files could not be read and may have held it.
pub(crate) fn resolve<'a>(
    entries: &[Entry<'a>],
    problems: usize,
    kind: Kind,
    name: &str,
) -> Result<Resolution<'a>> {
    let query = parse(entries, kind, name)?;
    let fitting: Vec<Entry<'a>> = entries
        .iter()
        .filter(|e| e.export.kind == kind && query.matches(&e.export.id))
        .filter(|e| {
            query
                .plugin_version
                .iter()
                .all(|v| *v == e.manifest.version)
        })
        .copied()
        .collect();
    let Some(newest) = fitting.iter().max_by_key(|e| e.export.id.version) else {
        return Err(not_found(entries, problems, kind, name, &query));
    };
    let id = &newest.export.id;
    refuse_several_families(&fitting, kind, name)?;
    let offers: Vec<Entry<'a>> = fitting
        .iter()
        .filter(|e| e.export.id == *id)
        .copied()
        .collect();
    if let Some(line) = conflict(&offers) {
        return Err(Error::config(format!(
            "{line}; take one of the files off the search path"
        )));
    }
    let mut notes = Vec::new();
    if query.version.is_none() || query.namespace.is_none() {
        notes.push(format!("{kind} \"{name}\": using {id}"));
    }
    notes.extend(note_on_others(&offers));
    Ok(Resolution {
        entry: offers[0],
        notes,
    })
}

/// One line for each id that two different plugins offer.
pub(crate) fn duplicates(entries: &[Entry<'_>]) -> Vec<String> {
    entries
        .chunk_by(|a, b| a.export.kind == b.export.kind && a.export.id == b.export.id)
        .filter_map(conflict)
        .collect()
}

fn parse(entries: &[Entry<'_>], kind: Kind, name: &str) -> Result<Query> {
    name.parse().map_err(|error: Error| {
        let ids = ids_of(entries, kind);
        match nearest(name, ids.iter().map(String::as_str)) {
            Some(id) => error.with_next(format_args!("did you mean {id}?")),
            None => error,
        }
    })
}

fn refuse_several_families(fitting: &[Entry<'_>], kind: Kind, name: &str) -> Result<()> {
    let families: BTreeSet<&str> = fitting
        .iter()
        .map(|e| e.export.id.namespace.as_str())
        .collect();
    if families.len() < 2 {
        return Ok(());
    }
    let ids: BTreeSet<&Id> = fitting.iter().map(|e| &e.export.id).collect();
    let ids: Vec<String> = ids.into_iter().map(Id::to_string).collect();
    Err(Error::config(format!(
        "{kind} \"{name}\": expected a name that fits one, found {}; give the namespace",
        ids.join(", ")
    )))
}

/// What is wrong when offers of one id come from different plugins.
fn conflict(offers: &[Entry<'_>]) -> Option<String> {
    let first = offers.first()?;
    let other = offers
        .iter()
        .find(|e| e.manifest.plugin != first.manifest.plugin)?;
    let describe = |e: &Entry<'_>| format!("{} ({})", e.manifest.plugin, e.plugin.path().display());
    let line = format!(
        "{} {}: expected one plugin, found {} and {}",
        first.export.kind,
        first.export.id,
        describe(first),
        describe(other)
    );
    Some(crate::error::one_line(line))
}

/// Says which of several versions, or copies, of a plugin was taken: the first.
fn note_on_others(offers: &[Entry<'_>]) -> Option<String> {
    let (taken, others) = offers.split_first()?;
    let other = others.first()?;
    let (id, manifest) = (&taken.export.id, taken.manifest);
    let line = if other.manifest.version == manifest.version {
        format!(
            "{id}: using {}, not {}",
            taken.plugin.path().display(),
            other.plugin.path().display()
        )
    } else {
        let versions: Vec<String> = others
            .iter()
            .map(|e| e.manifest.version.to_string())
            .collect();
        format!(
            "{id}: using plugin {} {}, not {}; choose with {id}@{}",
            manifest.plugin,
            manifest.version,
            versions.join(", "),
            other.manifest.version
        )
    };
    Some(crate::error::one_line(line))
}

fn not_found(
    entries: &[Entry<'_>],
    problems: usize,
    kind: Kind,
    name: &str,
    query: &Query,
) -> Error {
    let miss = format!("{kind} \"{name}\" not found");
    let fits = |e: &&Entry<'_>| query.matches(&e.export.id);
    let next = if let Some(version) = other_plugin_versions(entries, kind, query) {
        format!("plugin versions found: {version}")
    } else if let Some(entry) = entries.iter().find(fits) {
        format!("{} is of kind {}", entry.export.id, entry.export.kind)
    } else if let Some(id) = meant(entries, kind, query) {
        format!("did you mean {id}?")
    } else if problems > 0 {
        // It may be missing because its plugin could not be read.
        format!("see palaestra registry list, which has {problems} with a problem")
    } else {
        format!("see palaestra list {}", kind.plural())
    };
    Error::config(miss).with_next(next)
}

/// The plugin versions that offer what was asked for, when the one that was asked for does not.
fn other_plugin_versions(entries: &[Entry<'_>], kind: Kind, query: &Query) -> Option<String> {
    let versions: BTreeSet<&semver::Version> = entries
        .iter()
        .filter(|e| e.export.kind == kind && query.matches(&e.export.id))
        .map(|e| &e.manifest.version)
        .collect();
    let versions: Vec<String> = versions.into_iter().map(|v| v.to_string()).collect();
    (!versions.is_empty()).then(|| versions.join(", "))
}

/// The id that was probably meant: the nearest of those written with the parts that were typed, else one
/// of the same name in another namespace or version.
fn meant<'a>(entries: &[Entry<'a>], kind: Kind, query: &Query) -> Option<&'a Id> {
    let ids: Vec<&'a Id> = entries
        .iter()
        .filter(|e| e.export.kind == kind)
        .map(|e| &e.export.id)
        .collect();
    let written: Vec<String> = ids.iter().map(|id| as_typed(id, query)).collect();
    let typed = Query {
        plugin_version: None,
        ..query.clone()
    };
    // The registry's order puts the newest version of a name last.
    let position = nearest(&typed.to_string(), written.iter().map(String::as_str))
        .and_then(|word| written.iter().rposition(|w| w == word));
    position
        .map(|index| ids[index])
        .or_else(|| ids.iter().rfind(|id| id.name == query.name).copied())
}

/// `id` with those parts that `query` has.
fn as_typed(id: &Id, query: &Query) -> String {
    Query {
        namespace: query.namespace.as_ref().map(|_| id.namespace.clone()),
        name: id.name.clone(),
        version: query.version.map(|_| id.version),
        plugin_version: None,
    }
    .to_string()
}

fn ids_of(entries: &[Entry<'_>], kind: Kind) -> Vec<String> {
    entries
        .iter()
        .filter(|e| e.export.kind == kind)
        .map(|e| e.export.id.to_string())
        .collect()
}
