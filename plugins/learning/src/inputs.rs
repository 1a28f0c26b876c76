//! Rows of a network's input, put together from what each agent sees, what all see, and who the agent is.

/// The parts of an input row: `[own | common | one-hot agent id]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputLayout {
    /// Values that each agent has for itself.
    pub own: usize,
    /// Values that all agents of an instance have in common.
    pub common: usize,
    /// Agents of an instance.
    pub members: usize,
    /// Whether a one-hot id of `members` values follows.
    pub agent_id: bool,
}

impl InputLayout {
    /// Width of an input row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.own + self.common + if self.agent_id { self.members } else { 0 }
    }

    /// Appends the input of the given rows, `[rows, members, width]`, from `own` `[…, members, own]` and `common`
    /// `[…, common]` (empty when it has no width).
    ///
    /// # Panics
    /// A row is outside.
    pub fn assemble(
        &self,
        own: &[f32],
        common: &[f32],
        rows: impl ExactSizeIterator<Item = usize>,
        out: &mut Vec<f32>,
    ) {
        out.reserve(rows.len() * self.members * self.width());
        for row in rows {
            if self.common == 0 && !self.agent_id {
                let width = self.members * self.own;
                out.extend_from_slice(&own[row * width..(row + 1) * width]);
                continue;
            }
            for member in 0..self.members {
                let start = (row * self.members + member) * self.own;
                out.extend_from_slice(&own[start..start + self.own]);
                out.extend_from_slice(&common[row * self.common..(row + 1) * self.common]);
                if self.agent_id {
                    out.extend((0..self.members).map(|other| f32::from(other == member)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_own_then_common_then_id() {
        let layout = InputLayout {
            own: 1,
            common: 2,
            members: 2,
            agent_id: true,
        };
        let (own, common) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]);
        let mut out = Vec::new();
        layout.assemble(&own, &common, [1usize, 0].into_iter(), &mut out);
        let second = [3.0, 7.0, 8.0, 1.0, 0.0, 4.0, 7.0, 8.0, 0.0, 1.0];
        let first = [1.0, 5.0, 6.0, 1.0, 0.0, 2.0, 5.0, 6.0, 0.0, 1.0];
        assert_eq!(out, [second, first].concat());
        let plain = InputLayout {
            common: 0,
            agent_id: false,
            ..layout
        };
        out.clear();
        plain.assemble(&own, &[], [1usize].into_iter(), &mut out);
        assert_eq!((out.as_slice(), plain.width()), (&[3.0, 4.0][..], 1));
    }
}
