//! `palaestra replay`: reference traces played through the plugins that claim them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use palaestra_plugin_api::testing::replay::{Difference, replay_case};
use palaestra_plugin_api::{Error, ErrorKind, Result};
use palaestra_registry::{Entry, Kind, Registry};
use serde::Serialize;
use serde_json::{Map, Value};

use super::Common;
use super::output::{Ink, Paint, Table, print, print_json, remark};
use crate::session::{EnvironmentMaker, Session};

const EXAMPLES: &str = "Examples:
  palaestra replay reference/traces/gym_CartPole_v1.json
  palaestra replay reference/traces/*.json
  palaestra replay gym_CartPole_v1.json --id classic/CartPoleScalar-v1 --json

Every environment whose manifest claims the trace is played, each case from its recorded start with its
recorded actions. Exit code 1 when one differs. With --json one object a file, one after another: file,
environments, cases, passed, first_difference.";

/// Play reference traces and compare every recorded value.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReplayArgs {
    /// Trace files (marl-trace-1).
    #[arg(value_name = "TRACE.json", required = true)]
    files: Vec<PathBuf>,
    /// The environment to play, in place of those that claim the trace.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
}

/// What came of one file.
#[derive(Debug, Serialize)]
struct Replayed {
    file: String,
    environments: Vec<String>,
    /// Cases, over all environments.
    cases: usize,
    /// Those without a difference.
    passed: usize,
    first_difference: Option<Difference>,
    #[serde(skip)]
    lines: Vec<Line>,
}

/// What came of one case, for people.
#[derive(Debug)]
struct Line {
    environment: String,
    case: String,
    steps: usize,
    /// Values compared, or what differs.
    result: Result<usize, String>,
}

/// Runs the command.
///
/// # Errors
/// A file that cannot be read or that nobody claims, a plugin that cannot be loaded.
pub(crate) fn run(args: &ReplayArgs, common: &Common) -> Result<ExitCode> {
    let session = common.session()?;
    let mut passed = true;
    for file in &args.files {
        let about = |e: Error| e.within(format!("trace {}", file.display()));
        let replayed = replay(&session, file, args.id.as_deref()).map_err(about)?;
        passed &= replayed.passed == replayed.cases;
        if common.json {
            print_json(&replayed)?;
        } else {
            print(&text(&replayed))?;
        }
    }
    Ok(if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn replay(session: &Session, file: &Path, id: Option<&str>) -> Result<Replayed> {
    let text = fs::read_to_string(file).map_err(|e| Error::new(ErrorKind::Io, e.to_string()))?;
    let document: Value = serde_json::from_str(&text)
        .map_err(|e| Error::config(format!("expected JSON, found an error: {e}")))?;
    let names = match id {
        Some(id) => vec![id.to_owned()],
        None => claimants(session.registry(), &document)?,
    };
    let mut replayed = Replayed {
        file: file.display().to_string(),
        environments: Vec::new(),
        cases: 0,
        passed: 0,
        first_difference: None,
        lines: Vec::new(),
    };
    for name in names {
        let maker = session.environment(&name, &Value::Object(Map::new()))?;
        maker.notes().iter().for_each(|note| remark("note", note));
        play(&mut replayed, &maker, &text)?;
    }
    Ok(replayed)
}

/// Ids of the environments that claim the document: those that may be loaded, if any may.
fn claimants(registry: &Registry, document: &Value) -> Result<Vec<String>> {
    let env = document["env"]
        .as_str()
        .ok_or_else(|| Error::config("/env: expected the name of an environment, found none"))?;
    let claims = |entry: &Entry<'_>| entry.export.traces.iter().any(|t| t == env);
    let (trusted, others): (Vec<Entry<'_>>, Vec<Entry<'_>>) = registry
        .entries(Kind::Environment)
        .filter(claims)
        .partition(|e| e.plugin.trust().allows_loading());
    let mut ids: Vec<String> = if trusted.is_empty() { others } else { trusted }
        .iter()
        .map(|e| e.export.id.to_string())
        .collect();
    ids.dedup();
    if ids.is_empty() {
        return Err(Error::config(format!(
            "/env: expected an environment that claims {env:?}, found none; name one with --id, or its folder with --plugin-dir"
        )));
    }
    Ok(ids)
}

fn play(replayed: &mut Replayed, maker: &EnvironmentMaker, document: &str) -> Result<()> {
    let cases = maker
        .factory()
        .trace_cases(maker.id(), document)
        .map_err(|e| maker.blame(e))?;
    replayed.environments.push(maker.id().to_owned());
    for case in cases {
        let result = replay_case(&mut |what| maker.make(what), maker.id(), &case);
        replayed.cases += 1;
        replayed.passed += usize::from(result.is_ok());
        replayed.lines.push(Line {
            environment: maker.id().to_owned(),
            steps: case.steps.len(),
            result: result.as_ref().map(|n| *n).map_err(Difference::to_string),
            case: case.name,
        });
        if let Err(difference) = result {
            replayed.first_difference.get_or_insert(difference);
        }
    }
    Ok(())
}

fn text(replayed: &Replayed) -> String {
    let paint = Paint::stdout();
    let mut table = Table::bare();
    let mut differences = String::new();
    for line in &replayed.lines {
        let (mark, values) = match &line.result {
            Ok(values) => ((Ink::Good, "ok".to_owned()), format!("{values} values")),
            Err(difference) => {
                differences.push_str(&format!("  {difference}\n"));
                ((Ink::Bad, "differs".to_owned()), String::new())
            }
        };
        table.row([
            mark,
            (Ink::Plain, line.environment.clone()),
            (Ink::Plain, line.case.clone()),
            (Ink::Dim, format!("{} steps", line.steps)),
            (Ink::Dim, values),
        ]);
    }
    let head = format!(
        "{}: {} of {} cases agree\n",
        replayed.file, replayed.passed, replayed.cases
    );
    format!(
        "{}{}{}",
        paint.paint(Ink::Bold, &head),
        table.render(paint, "  "),
        differences
    )
}
