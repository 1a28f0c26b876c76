//! Between the rows of units and the joint rows of a mechanism.

/// Where a unit's members are in a joint row.
pub struct Places {
    pub(super) places: Vec<usize>,
    agents: usize,
}

impl Places {
    /// Of members at these places among so many agents.
    #[must_use]
    pub fn new(places: &[usize], agents: usize) -> Self {
        Self {
            places: places.to_vec(),
            agents,
        }
    }

    /// `[rows, members, width]` into its places of `[rows, agents, width]`.
    pub fn into_joint<T: Copy>(&self, from: &[T], joint: &mut [T], width: usize) {
        for (row, members) in from
            .chunks_exact(self.places.len() * width.max(1))
            .enumerate()
        {
            for (member, &place) in members.chunks_exact(width).zip(&self.places) {
                let start = (row * self.agents + place) * width;
                joint[start..start + width].copy_from_slice(member);
            }
        }
    }

    /// The places of `[rows, agents, width]` into `[rows, members, width]`.
    pub fn out_of_joint<T: Copy>(&self, joint: &[T], into: &mut [T], width: usize) {
        for (row, members) in into
            .chunks_exact_mut(self.places.len() * width.max(1))
            .enumerate()
        {
            for (member, &place) in members.chunks_exact_mut(width).zip(&self.places) {
                let start = (row * self.agents + place) * width;
                member.copy_from_slice(&joint[start..start + width]);
            }
        }
    }
}
