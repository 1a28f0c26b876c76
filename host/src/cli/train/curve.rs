//! Learning curves of one run, and of several seeds together.

use std::path::{Path, PathBuf};

use palaestra_plugin_api::{Error, ErrorKind, Result};

use super::Document;
use crate::{
    experiment::Experiment,
    runs::{Curve, EvaluationPoint, RunFolder, SeedCurve, Table, learning_curve},
};

/// Draws `report/learning_curve.png` from `metrics.csv`.
///
/// # Errors
/// A table that cannot be read, a picture that cannot be written.
pub(super) fn draw(folder: &RunFolder, experiment: &Experiment) -> Result<PathBuf> {
    let table = Table::read(&folder.metrics())?;
    let algorithms: Vec<_> = experiment
        .algorithm
        .iter()
        .map(|a| a.name.as_str())
        .collect();
    let curve = Curve {
        title: format!(
            "{} on {}",
            algorithms.join(", "),
            experiment.environment.name
        ),
        quantity: "return".into(),
        random: random(&table),
        seeds: vec![seed(&table)],
    };
    let path = folder.learning_curve();
    write(&curve, &path)?;
    Ok(path)
}

/// Draws the curves of several seeds beside their folders.
///
/// # Errors
/// As [`draw`].
pub(super) fn draw_seeds(out: &Path, documents: &[Document]) -> Result<PathBuf> {
    let [first, .., last] = documents else {
        return Err(Error::config(
            "learning curve: expected several runs, found less",
        ));
    };
    let folders = documents.iter().map(|d| RunFolder::open(&d.run));
    let tables = folders.map(|folder| Table::read(&folder?.metrics()));
    let tables = tables.collect::<Result<Vec<_>>>()?;
    let curve = Curve {
        title: format!("{} on {}", first.algorithm.join(", "), first.environment),
        quantity: "return".into(),
        random: random(&tables[0]),
        seeds: tables.iter().map(seed).collect(),
    };
    let name = first.run.file_name().unwrap_or_default().to_string_lossy();
    let name = name.replacen(
        &format!("_s{}_", first.seed),
        &format!("_s{}-{}_", first.seed, last.seed),
        1,
    );
    let path = out.join(format!("{name}.png"));
    write(&curve, &path)?;
    Ok(path)
}

fn seed(table: &Table) -> SeedCurve {
    let errors = table.points("evaluation/standard_error");
    let of = |steps: u64| errors.iter().find(|(at, _)| *at == steps);
    let evaluation = table.points("evaluation/return_mean").into_iter();
    SeedCurve {
        evaluation: evaluation
            .map(|(steps, mean)| EvaluationPoint {
                steps,
                mean,
                standard_error: of(steps).map_or(0.0, |(_, error)| *error),
            })
            .collect(),
        training: table.points("train/return_mean"),
    }
}

fn random(table: &Table) -> Option<f64> {
    let points = table.points("evaluation/random_return_mean");
    points.last().map(|(_, value)| *value)
}

fn write(curve: &Curve, path: &Path) -> Result<()> {
    let failed = |e: crate::render::RenderError| Error::new(ErrorKind::Io, e.to_string());
    let frame = learning_curve(curve).map_err(failed)?;
    frame.write_png(path).map_err(failed)
}
