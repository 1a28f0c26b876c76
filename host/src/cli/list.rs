//! `palaestra list`: everything on the search path, without running any of it.

use std::process::ExitCode;

use clap::ValueEnum;
use palaestra_plugin_api::Result;
use palaestra_registry::{Entry, Kind, Registry, Trust};
use serde::Serialize;

use super::Common;
use super::output::{Ink, Paint, Table, print, print_json, remark};

const EXAMPLES: &str = "Examples:
  palaestra list
  palaestra list environments
  palaestra list environments --plugin-dir target/release --json
  palaestra list | grep mpe/

No code of a plugin runs. Trust: `locked` by registry trust, `built-here` beside this program, `untrusted`
or `changed`: listed, not loaded.";

/// List environments, algorithms and coordination mechanisms.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ListArgs {
    /// Of one kind only.
    #[arg(value_enum)]
    kind: Option<KindWord>,
}

/// The words for the kinds.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindWord {
    /// Worlds in which agents act.
    #[value(alias = "environment")]
    Environments,
    /// What learns policies.
    #[value(alias = "algorithm")]
    Algorithms,
    /// Mechanisms between agents.
    Coordination,
}

impl From<KindWord> for Kind {
    fn from(word: KindWord) -> Self {
        match word {
            KindWord::Environments => Self::Environment,
            KindWord::Algorithms => Self::Algorithm,
            KindWord::Coordination => Self::Coordination,
        }
    }
}

/// One line of the list.
#[derive(Debug, Serialize)]
struct Item<'a> {
    id: String,
    kind: &'static str,
    description: &'a str,
    plugin: &'a str,
    version: String,
    trust: &'static str,
}

impl<'a> From<Entry<'a>> for Item<'a> {
    fn from(entry: Entry<'a>) -> Self {
        Self {
            id: entry.export.id.to_string(),
            kind: entry.export.kind.word(),
            description: &entry.export.description,
            plugin: &entry.manifest.plugin,
            version: entry.manifest.version.to_string(),
            trust: entry.plugin.trust().word(),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// A lock file that cannot be read; a bad plugin file is only remarked on.
pub(crate) fn run(args: &ListArgs, common: &Common) -> Result<ExitCode> {
    let session = common.session()?;
    let registry = session.registry();
    let wanted = args.kind.map(Kind::from);
    let kinds = Kind::ALL
        .into_iter()
        .filter(|kind| wanted.is_none_or(|w| w == *kind));
    let items: Vec<Item<'_>> = kinds
        .flat_map(|kind| registry.entries(kind))
        .map(Item::from)
        .collect();
    remark_on_problems(registry);
    if common.json {
        print_json(&items)?;
    } else if items.is_empty() {
        remark(
            "note",
            "nothing found; name a folder with --plugin-dir, or build the workspace",
        );
    } else {
        print(&table(&items, wanted.is_none()).render(Paint::stdout(), ""))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Says on standard error which files and folders are left out, and why.
pub(super) fn remark_on_problems(registry: &Registry) {
    for warning in registry.warnings() {
        remark("warning", warning);
    }
    for plugin in registry.plugins() {
        if let Some(problem) = plugin.problem() {
            remark(
                "warning",
                &format!("plugin {}: {problem}", plugin.path().display()),
            );
        }
    }
}

fn table(items: &[Item<'_>], with_kind: bool) -> Table {
    let mut headings = vec!["id", "kind", "plugin", "trust", "description"];
    if !with_kind {
        headings.remove(1);
    }
    let mut table = Table::new(&headings);
    for item in items {
        let mut row = vec![
            (Ink::Bold, item.id.clone()),
            (Ink::Plain, item.kind.to_owned()),
            (Ink::Dim, format!("{} {}", item.plugin, item.version)),
            (trust_ink(item.trust), item.trust.to_owned()),
            (Ink::Plain, item.description.to_owned()),
        ];
        if !with_kind {
            row.remove(1);
        }
        table.row(row);
    }
    table
}

/// The colour of a trust word.
pub(super) fn trust_ink(word: &str) -> Ink {
    match word {
        _ if word == Trust::Locked.word() || word == Trust::BuiltHere.word() => Ink::Good,
        _ if word == Trust::Untrusted.word() => Ink::Warn,
        _ => Ink::Bad,
    }
}
