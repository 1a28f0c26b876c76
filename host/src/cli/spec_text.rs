//! An environment's spec in words.

use std::fmt::Write as _;

use palaestra_plugin_api::spec::{Aggregate, Element, EnvironmentSpec, Flags, Space, Tag};
use serde::Serialize;

use super::output::{Ink, Paint, Table};

/// Most component bounds that are written out.
const MAX_BOUNDS: usize = 4;

/// Groups, episode and metrics of a spec.
pub(crate) fn spec_text(spec: &EnvironmentSpec, paint: Paint) -> String {
    let mut text = format!("\n{}\n", paint.paint(Ink::Bold, "agents"));
    let mut table = Table::new(&["group", "agents", "observation", "action", ""]);
    for group in &spec.groups {
        let mut notes = Vec::new();
        if group.has_action_mask {
            notes.push("action mask".to_owned());
        }
        if let Some(no_op) = &group.no_op {
            notes.push(format!("no-op {}", numbers(no_op)));
        }
        table.row([
            (Ink::Plain, group.name.clone()),
            (Ink::Plain, group.agents.to_string()),
            (Ink::Plain, space(&group.observation)),
            (Ink::Plain, space(&group.action)),
            (Ink::Dim, notes.join(", ")),
        ]);
    }
    text.push_str(&table.render(paint, "  "));
    let _ = write!(
        text,
        "\n{}\n{}",
        paint.paint(Ink::Bold, "episode"),
        episode(spec).render(paint, "  ")
    );
    text
}

fn episode(spec: &EnvironmentSpec) -> Table {
    let mut table = Table::bare();
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            table.row([(Ink::Dim, name.to_owned()), (Ink::Plain, value)]);
        }
    };
    row(
        "steps",
        spec.max_episode_steps
            .map_or_else(|| "no limit".to_owned(), |n| format!("at most {n}")),
    );
    let (low, high) = spec.reward_range;
    row("reward", interval(low, high));
    row(
        "state",
        spec.state.as_ref().map_or_else(|| "none".to_owned(), space),
    );
    let metrics = spec
        .metrics
        .iter()
        .map(|m| format!("{} ({})", m.name, aggregate(m.aggregate)));
    row("metrics", metrics.collect::<Vec<_>>().join(", "));
    row("flags", flags(&spec.flags).join(", "));
    row(
        "tags",
        spec.tags.iter().map(tag).collect::<Vec<_>>().join(", "),
    );
    table
}

/// A space in words: `4 reals in -1 … 1`, `one of 3`, `3 components of 2, 2, 5 choices`.
pub(crate) fn space(space: &Space) -> String {
    match space {
        Space::Box {
            shape,
            low,
            high,
            element,
            parts,
        } => {
            let axes = shape
                .iter()
                .map(usize::to_string)
                .collect::<Vec<_>>()
                .join(" × ");
            let element = match element {
                Element::F32 => "real",
                Element::U8 => "byte",
            };
            let plural = if shape.iter().product::<usize>() == 1 {
                ""
            } else {
                "s"
            };
            let mut text = format!("{axes} {element}{plural}, {}", bounds(low, high));
            if !parts.is_empty() {
                let parts = parts.iter().map(|(name, width)| format!("{name} {width}"));
                let _ = write!(text, " ({})", parts.collect::<Vec<_>>().join(", "));
            }
            text
        }
        Space::Discrete { n } => format!("one of {n}"),
        Space::MultiDiscrete { choices } => {
            format!(
                "one each of {}",
                choices
                    .iter()
                    .map(usize::to_string)
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        }
        Space::MultiBinary { n } => format!("{n} bits"),
    }
}

fn bounds(low: &[Option<f64>], high: &[Option<f64>]) -> String {
    let all_same = |bounds: &[Option<f64>]| bounds.windows(2).all(|pair| pair[0] == pair[1]);
    if all_same(low) && all_same(high) {
        return interval(
            low.first().copied().flatten(),
            high.first().copied().flatten(),
        );
    }
    let components = low.len().max(high.len());
    if components > MAX_BOUNDS {
        return "bounds per component".to_owned();
    }
    let at = |bounds: &[Option<f64>], i: usize| bounds.get(i).or(bounds.first()).copied().flatten();
    (0..components)
        .map(|i| interval(at(low, i), at(high, i)))
        .collect::<Vec<_>>()
        .join("; ")
}

fn interval(low: Option<f64>, high: Option<f64>) -> String {
    match (low, high) {
        (None, None) => "unbounded".to_owned(),
        (Some(low), Some(high)) => format!("{low} to {high}"),
        (Some(low), None) => format!("at least {low}"),
        (None, Some(high)) => format!("at most {high}"),
    }
}

fn numbers(values: &[f64]) -> String {
    values
        .iter()
        .map(f64::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The word that JSON has for a tag.
fn tag(tag: &Tag) -> String {
    word(tag)
}

fn aggregate(aggregate: Aggregate) -> String {
    word(&aggregate)
}

fn word(value: &impl Serialize) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}

/// The names of the flags that are set.
fn flags(flags: &Flags) -> Vec<String> {
    let json = serde_json::to_value(flags).unwrap_or_default();
    let set = json
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, on)| **on == serde_json::Value::Bool(true));
    set.map(|(name, _)| name.replace('_', "-")).collect()
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::spec::Metric;

    use super::*;

    #[test]
    fn spaces_in_words() {
        assert_eq!(space(&Space::discrete(3)), "one of 3");
        assert_eq!(space(&Space::bounded(2, -1.0, 1.0)), "2 reals, -1 to 1");
        assert_eq!(space(&Space::bounded(1, 0.0, 1.0)), "1 real, 0 to 1");
        assert_eq!(
            space(&Space::bounds(&[0.0, -1.0], &[1.0, f64::INFINITY])),
            "2 reals, 0 to 1; at least -1"
        );
        assert_eq!(
            space(&Space::image(84, 84, 3)),
            "84 × 84 × 3 bytes, 0 to 255"
        );
        assert_eq!(
            space(&Space::MultiDiscrete {
                choices: vec![2, 5]
            }),
            "one each of 2, 5"
        );
    }

    #[test]
    fn a_spec_names_groups_limits_and_metrics() {
        let mut spec = EnvironmentSpec::new("walker", 2, Space::real(3), Space::discrete(2));
        spec.max_episode_steps = Some(100);
        spec.metrics = vec![Metric::sum("collisions")];
        spec.tags = vec![Tag::TurnBased];
        spec.groups[0].no_op = Some(vec![1.0]);
        let text = spec_text(&spec, Paint::off());
        for part in [
            "walker",
            "3 reals, unbounded",
            "no-op 1",
            "at most 100",
            "collisions (sum)",
            "turn-based",
            "snapshot",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }
}
