//! What a centralised critic sees: the global state, or all that all agents see.

use std::ops::Range;

use palaestra_plugin_api::{
    Result,
    abi::{NO_GROUP, id},
    spec::{Element, EnvironmentSpec},
    table::Table,
};

/// Where the view of the whole comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Central {
    source: Source,
    width: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Source {
    /// The environment's own state.
    State,
    /// The observations of all agents of all groups, in order.
    Observations(Vec<Element>),
}

impl Central {
    /// The global state where the environment has one, else all observations one after the other.
    #[must_use]
    pub fn of(spec: &EnvironmentSpec) -> Self {
        match &spec.state {
            Some(state) => Self {
                source: Source::State,
                width: state.width(),
            },
            None => Self {
                source: Source::Observations(
                    spec.groups
                        .iter()
                        .map(|g| g.observation.element())
                        .collect(),
                ),
                width: spec
                    .groups
                    .iter()
                    .map(|g| g.agents * g.observation.width())
                    .sum(),
            },
        }
    }

    /// Values of one row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether rows of groups that others control are needed.
    #[must_use]
    pub fn sees_all_groups(&self) -> bool {
        matches!(self.source, Source::Observations(_))
    }

    /// Appends some slots, `[slots, instances, width]`.
    ///
    /// # Errors
    /// As for [`Table::rows`].
    pub fn gather(&self, table: &Table<'_>, slots: Range<usize>, out: &mut Vec<f32>) -> Result<()> {
        for slot in slots {
            match &self.source {
                Source::State => out.extend_from_slice(table.rows(id::STATE, NO_GROUP, slot)?),
                Source::Observations(elements) => {
                    let parts = elements
                        .iter()
                        .enumerate()
                        .map(|(g, element)| match element {
                            Element::F32 => {
                                table.rows(id::OBSERVATION, g as u32, slot).map(Part::F32)
                            }
                            Element::U8 => {
                                table.rows(id::OBSERVATION, g as u32, slot).map(Part::U8)
                            }
                        });
                    side_by_side(&parts.collect::<Result<Vec<_>>>()?, table.instances(), out);
                }
            }
        }
        Ok(())
    }

    /// Appends what was seen last in each ended episode, `[ended, width]`.
    ///
    /// # Errors
    /// As for [`Table::ended_rows`].
    pub fn gather_final(&self, table: &Table<'_>, out: &mut Vec<f32>) -> Result<()> {
        let elements = match &self.source {
            Source::State => {
                out.extend_from_slice(table.ended_rows(id::FINAL_STATE, NO_GROUP)?);
                return Ok(());
            }
            Source::Observations(elements) => elements,
        };
        let id = id::FINAL_OBSERVATION;
        let parts = elements
            .iter()
            .enumerate()
            .map(|(g, element)| match element {
                Element::F32 => table.ended_rows(id, g as u32).map(Part::F32),
                Element::U8 => table.ended_rows(id, g as u32).map(Part::U8),
            });
        let count = table.ended()?.len();
        side_by_side(&parts.collect::<Result<Vec<_>>>()?, count, out);
        Ok(())
    }
}

/// The rows of one group.
enum Part<'a> {
    F32(&'a [f32]),
    U8(&'a [u8]),
}

fn side_by_side(parts: &[Part<'_>], rows: usize, out: &mut Vec<f32>) {
    for row in 0..rows {
        for part in parts {
            match part {
                Part::F32(values) => {
                    let width = values.len() / rows;
                    out.extend_from_slice(&values[row * width..(row + 1) * width]);
                }
                Part::U8(values) => {
                    let width = values.len() / rows;
                    let bytes = &values[row * width..(row + 1) * width];
                    out.extend(bytes.iter().map(|&byte| f32::from(byte) / 255.0));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use palaestra_plugin_api::spec::{GroupSpec, Space};

    #[test]
    fn the_state_or_else_all_observations() {
        let mut spec = EnvironmentSpec::new("good", 2, Space::real(1), Space::discrete(2));
        spec.groups.push(GroupSpec::new(
            "bad",
            1,
            Space::image(1, 1, 2),
            Space::discrete(2),
        ));
        let (good, bad) = ([1.0f32, 2.0, 3.0, 4.0], [255u8, 0, 0, 255]);
        let state = [9.0f32, 8.0];
        let mut table = Table::new();
        table.add(id::OBSERVATION, 0, &[1, 2, 2, 1], &good).unwrap();
        table.add(id::OBSERVATION, 1, &[1, 2, 1, 2], &bad).unwrap();
        table.add(id::STATE, NO_GROUP, &[1, 2, 1], &state).unwrap();
        let mut seen = Vec::new();
        let all = Central::of(&spec);
        all.gather(&table, 0..1, &mut seen).unwrap();
        assert_eq!(seen, [1.0, 2.0, 1.0, 0.0, 3.0, 4.0, 0.0, 1.0]);
        assert!(all.width() == 4 && all.sees_all_groups());
        spec.state = Some(Space::real(1));
        let central = Central::of(&spec);
        seen.clear();
        central.gather(&table, 0..1, &mut seen).unwrap();
        assert_eq!((seen.as_slice(), central.width()), (&state[..], 1));
        assert!(!central.sees_all_groups());
    }
}
