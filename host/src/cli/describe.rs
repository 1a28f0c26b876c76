//! `palaestra describe`: what a name stands for, before anything runs where it is not trusted.

use std::fmt::Write as _;
use std::process::ExitCode;

use palaestra_plugin_api::Result;
use palaestra_plugin_api::spec::EnvironmentSpec;
use palaestra_registry::{Kind, Resolution, validate};
use serde_json::{Value, json};

use super::fields::fields;
use super::list::trust_ink;
use super::output::{Ink, Paint, Table, print, print_json, remark};
use super::set::ConfigArgs;
use super::spec_text::spec_text;
use super::{Common, lookup::lookup};
use crate::session::Session;

const EXAMPLES: &str = "Examples:
  palaestra describe classic/CartPole-v1
  palaestra describe SimpleSpread --set agents=5
  palaestra describe cards/KuhnPoker-v0 --json

The spec comes from an object made with the given settings. An untrusted plugin is described from its
manifest alone: nothing of it runs.";

/// Describe an environment, algorithm or mechanism.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DescribeArgs {
    /// Id, such as classic/CartPole-v1; version and namespace may be left out.
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Runs the command.
///
/// # Errors
/// An unknown name, a wrong setting, a trusted plugin that cannot be loaded.
pub(crate) fn run(args: &DescribeArgs, common: &Common) -> Result<ExitCode> {
    let session = common.session()?;
    let found = lookup(session.registry(), &args.id)?;
    found.notes.iter().for_each(|note| remark("note", note));
    let entry = found.entry;
    let schema = validate::ConfigSchema::new(entry.export.id.to_string(), &entry.export.schema)?;
    let config = schema.complete(&args.config.config()?)?;
    let spec = spec_of(&session, &found, &config)?;
    let description = describe(&found, &config, spec.as_ref())?;
    if common.json {
        print_json(&description)?;
    } else {
        print(&text(&found, &description, spec.as_ref()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The spec of an environment whose plugin may be loaded.
fn spec_of(
    session: &Session,
    found: &Resolution<'_>,
    config: &Value,
) -> Result<Option<EnvironmentSpec>> {
    let (export, plugin) = (found.entry.export, found.entry.plugin);
    if export.kind != Kind::Environment || !plugin.trust().allows_loading() {
        return Ok(None);
    }
    let name = format!("{}@{}", export.id, found.entry.manifest.version);
    let maker = session.environment(&name, config)?;
    Ok(Some(maker.make(&maker.request())?.spec().clone()))
}

fn describe(
    found: &Resolution<'_>,
    config: &Value,
    spec: Option<&EnvironmentSpec>,
) -> Result<Value> {
    let (export, manifest, plugin) = (found.entry.export, found.entry.manifest, found.entry.plugin);
    Ok(json!({
        "id": export.id,
        "kind": export.kind,
        "description": export.description,
        "plugin": manifest.plugin,
        "version": manifest.version,
        "license": manifest.license,
        "profile": manifest.profile,
        "door": manifest.door,
        "trust": plugin.trust().word(),
        "sha256": plugin.sha256()?,
        "path": plugin.path().display().to_string(),
        "traces": export.traces,
        "config": config,
        "schema": export.schema,
        "spec": spec,
    }))
}

fn text(found: &Resolution<'_>, about: &Value, spec: Option<&EnvironmentSpec>) -> String {
    let paint = Paint::stdout();
    let export = found.entry.export;
    let mut text = format!(
        "{}  {}\n",
        paint.paint(Ink::Bold, &export.id.to_string()),
        paint.paint(Ink::Dim, export.kind.word())
    );
    if !export.description.is_empty() {
        let _ = writeln!(text, "{}", export.description);
    }
    text.push('\n');
    text.push_str(&origin(about).render(paint, "  "));
    match spec {
        Some(spec) => text.push_str(&spec_text(spec, paint)),
        None if export.kind == Kind::Environment => {
            let line = "\nspaces are known once the plugin is trusted and may run: palaestra registry trust\n";
            text.push_str(&paint.paint(Ink::Warn, line));
        }
        None => {}
    }
    text.push_str(&settings(&export.schema, paint));
    text
}

fn origin(about: &Value) -> Table {
    let word = |key: &str| about[key].as_str().unwrap_or_default().to_owned();
    let mut table = Table::bare();
    let mut row = |name: &str, ink, value: String| {
        if !value.is_empty() {
            table.row([(Ink::Dim, name.to_owned()), (ink, value)]);
        }
    };
    row(
        "plugin",
        Ink::Plain,
        format!(
            "{} {} ({} build)",
            word("plugin"),
            word("version"),
            word("profile")
        ),
    );
    row("licence", Ink::Plain, word("license"));
    row("trust", trust_ink(&word("trust")), word("trust"));
    row("sha256", Ink::Plain, word("sha256"));
    row("file", Ink::Plain, word("path"));
    let traces: Vec<&str> = about["traces"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    row("traces", Ink::Plain, traces.join(", "));
    table
}

fn settings(schema: &Value, paint: Paint) -> String {
    let fields = fields(schema);
    if fields.is_empty() {
        return format!("\n{}: none\n", paint.paint(Ink::Bold, "settings"));
    }
    let mut table = Table::new(&["setting", "type", "default", "range", "meaning"]);
    for field in fields {
        table.row([
            (Ink::Plain, field.key),
            (Ink::Dim, field.kind),
            (Ink::Plain, field.default),
            (Ink::Dim, field.range),
            (Ink::Plain, field.description),
        ]);
    }
    format!(
        "\n{}\n{}",
        paint.paint(Ink::Bold, "settings"),
        table.render(paint, "  ")
    )
}
