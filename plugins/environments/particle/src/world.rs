//! Where the particles are: struct-of-arrays state over many instances, in blocks of [`LANES`].
//!
//! A block holds [`LANES`] instances. Each quantity of a world (an x, a velocity, a symbol) is one column of
//! the block, `[f64; LANES]`, so that one loop over lanes is a few vector instructions without a remainder.
//! The last block may have unused lanes; they hold zeros and are never written out.
//!
//! Columns of a block, A agents and M landmarks:
//!
//! | columns | meaning |
//! |---|---|
//! | 4a .. 4a + 4 | agent a: x, y, velocity x, velocity y |
//! | 4A + 2m .. + 2 | landmark m: x, y |
//! | then | the message of each speaking agent, one column a symbol |
//! | then | what was drawn for the episode (goal indices) |

/// Instances of a block: two AVX-512 registers of f64, four of AVX2.
pub const LANES: usize = 16;

/// Both coordinates of something, one value a lane.
pub type Pair<'a, const L: usize> = [&'a [f64; L]; 2];

/// Which column holds what.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Number of agents.
    pub agents: usize,
    /// Number of landmarks.
    pub landmarks: usize,
    /// First message column and number of symbols of each agent.
    messages: Vec<(usize, usize)>,
    /// First goal column.
    goals_at: usize,
    /// Number of goals.
    pub goals: usize,
}

impl Layout {
    /// The layout of worlds with these agents (number of symbols of each), landmarks and goals.
    pub fn new(symbols: &[usize], landmarks: usize, goals: usize) -> Self {
        let mut next = 4 * symbols.len() + 2 * landmarks;
        let message = |&count: &usize| {
            let at = next;
            next += count;
            (at, count)
        };
        let messages = symbols.iter().map(message).collect();
        Self {
            agents: symbols.len(),
            landmarks,
            messages,
            goals_at: next,
            goals,
        }
    }

    /// Columns of a block.
    pub fn columns(&self) -> usize {
        self.goals_at + self.goals
    }

    /// Column of x of an agent; y, velocity x and velocity y follow.
    #[inline(always)]
    pub fn agent(&self, agent: usize) -> usize {
        debug_assert!(agent < self.agents);
        4 * agent
    }

    /// Column of x of a landmark; y follows.
    #[inline(always)]
    pub fn landmark(&self, landmark: usize) -> usize {
        debug_assert!(landmark < self.landmarks);
        4 * self.agents + 2 * landmark
    }

    /// Columns of the message of an agent, one a symbol; none of a silent agent.
    #[inline(always)]
    pub fn message(&self, agent: usize) -> std::ops::Range<usize> {
        let (at, symbols) = self.messages[agent];
        at..at + symbols
    }

    /// Column of a goal.
    #[inline(always)]
    pub fn goal(&self, goal: usize) -> usize {
        debug_assert!(goal < self.goals);
        self.goals_at + goal
    }
}

/// `L` worlds side by side, to read: a block of a batch, or one instance (`L` = 1).
#[derive(Clone, Copy)]
pub struct View<'a, const L: usize> {
    layout: &'a Layout,
    columns: &'a [[f64; L]],
}

impl<'a, const L: usize> View<'a, L> {
    /// Worlds in the columns of a layout.
    #[inline(always)]
    pub fn new(layout: &'a Layout, columns: &'a [[f64; L]]) -> Self {
        debug_assert_eq!(columns.len(), layout.columns());
        Self { layout, columns }
    }

    /// Number of agents.
    #[inline(always)]
    pub fn agents(&self) -> usize {
        self.layout.agents
    }

    /// Number of landmarks.
    #[inline(always)]
    pub fn landmarks(&self) -> usize {
        self.layout.landmarks
    }

    #[inline(always)]
    fn pair(&self, at: usize) -> Pair<'a, L> {
        [&self.columns[at], &self.columns[at + 1]]
    }

    /// Where an agent is.
    #[inline(always)]
    pub fn position(&self, agent: usize) -> Pair<'a, L> {
        self.pair(self.layout.agent(agent))
    }

    /// How fast an agent moves.
    #[inline(always)]
    pub fn velocity(&self, agent: usize) -> Pair<'a, L> {
        self.pair(self.layout.agent(agent) + 2)
    }

    /// Where a landmark is.
    #[inline(always)]
    pub fn landmark(&self, landmark: usize) -> Pair<'a, L> {
        self.pair(self.layout.landmark(landmark))
    }

    /// What an agent said last, one column a symbol.
    #[inline(always)]
    pub fn message(&self, agent: usize) -> &'a [[f64; L]] {
        &self.columns[self.layout.message(agent)]
    }

    /// What was drawn for the episode: an index, as a whole number.
    #[inline(always)]
    pub fn goal(&self, goal: usize) -> &'a [f64; L] {
        &self.columns[self.layout.goal(goal)]
    }

    /// Where the landmark is whose index was drawn as `goal`.
    #[inline(always)]
    pub fn goal_position(&self, goal: usize) -> [[f64; L]; 2] {
        let chosen = self.goal(goal);
        let mut found = [[0.0; L]; 2];
        for landmark in 0..self.landmarks() {
            let index = landmark as f64;
            for (to, from) in found.iter_mut().zip(self.landmark(landmark)) {
                for lane in 0..L {
                    to[lane] = if chosen[lane] == index {
                        from[lane]
                    } else {
                        to[lane]
                    };
                }
            }
        }
        found
    }
}

/// Where something is as seen from somewhere, lane by lane.
#[inline(always)]
pub fn relative<const L: usize>(of: Pair<'_, L>, from: Pair<'_, L>) -> [[f64; L]; 2] {
    std::array::from_fn(|axis| std::array::from_fn(|lane| of[axis][lane] - from[axis][lane]))
}

/// Squared distances, lane by lane.
#[inline(always)]
pub fn squared_distance<const L: usize>(a: Pair<'_, L>, b: Pair<'_, L>) -> [f64; L] {
    std::array::from_fn(|lane| {
        let (dx, dy) = (a[0][lane] - b[0][lane], a[1][lane] - b[1][lane]);
        dx * dx + dy * dy
    })
}

/// Distances, lane by lane.
#[inline(always)]
pub fn distance<const L: usize>(a: Pair<'_, L>, b: Pair<'_, L>) -> [f64; L] {
    squared_distance(a, b).map(f64::sqrt)
}

/// The smallest of the distances from one place to several, lane by lane; ∞ to none.
#[inline(always)]
pub fn nearest<'a, const L: usize>(
    from: Pair<'_, L>,
    to: impl Iterator<Item = Pair<'a, L>>,
) -> [f64; L] {
    let mut nearest = [f64::INFINITY; L];
    for place in to {
        let squared = squared_distance(from, place);
        nearest = std::array::from_fn(|lane| {
            if squared[lane] < nearest[lane] {
                squared[lane]
            } else {
                nearest[lane]
            }
        });
    }
    // The square root keeps the order, so it is taken once.
    nearest.map(f64::sqrt)
}

/// 1 where a number is below a limit, else 0.
#[inline(always)]
pub fn below<const L: usize>(values: &[f64; L], limit: f64) -> [f64; L] {
    values.map(|value| if value < limit { 1.0 } else { 0.0 })
}

/// Adds numbers lane by lane.
#[inline(always)]
pub fn add<const L: usize>(to: &mut [f64; L], values: &[f64; L]) {
    *to = std::array::from_fn(|lane| to[lane] + values[lane]);
}

/// The worlds of all instances.
#[derive(Clone, Debug)]
pub struct Worlds {
    /// `[blocks · columns]`.
    columns: Vec<[f64; LANES]>,
    width: usize,
}

impl Worlds {
    /// Worlds of zeros.
    pub fn new(layout: &Layout, instances: usize) -> Self {
        let width = layout.columns();
        Self {
            columns: vec![[0.0; LANES]; instances.div_ceil(LANES) * width],
            width,
        }
    }

    /// The blocks, in instance order.
    #[inline(always)]
    pub fn blocks_mut(&mut self) -> impl Iterator<Item = &mut [[f64; LANES]]> {
        self.columns.chunks_exact_mut(self.width)
    }

    /// Reads one instance: every column's value.
    pub fn read<'a>(&'a self, instance: usize) -> impl Iterator<Item = f64> + 'a {
        let block = instance / LANES * self.width;
        self.columns[block..block + self.width]
            .iter()
            .map(move |column| column[instance % LANES])
    }

    /// Writes one instance, every column.
    pub fn write(&mut self, instance: usize, values: &[[f64; 1]]) {
        let block = instance / LANES * self.width;
        for (column, value) in self.columns[block..block + self.width]
            .iter_mut()
            .zip(values)
        {
            column[instance % LANES] = value[0];
        }
    }
}
