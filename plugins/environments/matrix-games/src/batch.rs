//! A game as a batch environment: every step is a few loops that look rows up by the cell of the joint action.

use std::{marker::PhantomData, sync::OnceLock};

use palaestra_plugin_api::{
    batch::{Aligned, GroupBatch},
    config::Config,
    game_tree::GameNode,
    prelude::*,
    serde_json::{Value, to_value},
};

use crate::{
    anonymous,
    game::{Game, refused},
    lookup::{look_up, spread, tensor_cells},
    picture,
    rules::Rules,
    saved::Saved,
    solution::{Reciprocity, Solution},
    tables::{END, Tables},
    tree,
};

/// A game with a name: what a file of [`presets`](crate::presets) says of it.
pub trait Preset: Send + 'static {
    /// `matrix/Name-vN`.
    const ID: &'static str;
    /// One line for `palaestra list`.
    const DESCRIPTION: &'static str;
    /// What the scripted baseline does with a memory.
    const RECIPROCITY: Reciprocity = Reciprocity::None;
    /// Settings.
    type Config: Config;

    /// Actions and payoffs.
    ///
    /// # Errors
    /// Settings that make no game.
    fn game(config: &Self::Config) -> Result<Game>;

    /// How it is repeated.
    fn rules(config: &Self::Config) -> Rules;
}

/// Many instances of one game.
pub struct MatrixGame<P> {
    pub(crate) game: Game,
    pub(crate) rules: Rules,
    pub(crate) tables: Tables,
    instances: usize,
    /// Cells of the latest rounds, `[rounds kept][n][cells of a round]`: a ring that turns for all at once.
    played: Aligned<u32>,
    /// Plane of the ring with the last round.
    head: usize,
    /// Rounds until the end of the episode `[n]`.
    left: Aligned<u32>,
    /// Stage `[n]`; empty where there is but one.
    stage: Aligned<u32>,
    /// 1 where a player has an action `[players · choices]`; empty where all have all.
    mask: Vec<u8>,
    /// Cells of a round that was not played.
    nothing: Vec<u32>,
    /// What all players see before the first round, `[players · width]`.
    unseen: Vec<f32>,
    /// What the scripted baseline does, found when it is first asked for.
    pub(crate) solution: OnceLock<Solution>,
    preset: PhantomData<P>,
}

impl<P> MatrixGame<P> {
    /// Rounds of which cells are kept: those that are seen, and the last for whoever looks on.
    pub(crate) fn kept(&self) -> usize {
        self.rules.memory.max(1)
    }

    /// Places in `played` of the round `age` rounds ago.
    #[inline(always)]
    fn plane(&self, age: usize) -> std::ops::Range<usize> {
        let kept = self.kept();
        let size = self.instances * self.tables.cells_per_round();
        let at = (self.head + kept - age) % kept * size;
        at..at + size
    }

    /// Cells of one instance's round `age` rounds ago.
    pub(crate) fn cells(&self, instance: usize, age: usize) -> &[u32] {
        let width = self.tables.cells_per_round();
        &self.played[self.plane(age)][instance * width..(instance + 1) * width]
    }

    fn set_cells(&mut self, instance: usize, age: usize, cells: &[u32]) {
        let plane = self.plane(age);
        self.played[plane][instance * cells.len()..][..cells.len()].copy_from_slice(cells);
    }

    pub(crate) fn stage_of(&self, instance: usize) -> usize {
        self.stage.get(instance).map_or(0, |&stage| stage as usize)
    }

    /// Makes one instance what `saved` says.
    fn place(&mut self, instance: usize, saved: &Saved) -> Result<()> {
        let rounds = saved.cells(&self.tables, self.kept())?;
        let left = saved.rounds_left.unwrap_or(self.rules.rounds);
        if left > self.rules.rounds {
            let expected = format!("at most {}", self.rules.rounds);
            return Err(refused("/rounds_left", &expected, left));
        }
        let nothing = vec![self.tables.empty(); self.tables.cells_per_round()];
        for age in 0..self.kept() {
            self.set_cells(instance, age, rounds.get(age).unwrap_or(&nothing));
        }
        self.left[instance] = left;
        if let Some(stage) = self.stage.get_mut(instance) {
            *stage = saved.stage as u32;
        }
        Ok(())
    }

    /// Writes what every player of one instance sees, after rounds that were given.
    fn observe(&self, instance: usize, out: &mut Observe<'_>) {
        let (tables, width) = (&self.tables, self.tables.seen_width);
        if tables.stages > 1 {
            for player in 0..tables.players {
                let row = out.observation(player);
                row.fill(0.0);
                row[self.stage_of(instance)] = 1.0;
            }
        } else if width > 0 {
            for player in 0..tables.players {
                let views = out.observation(player).chunks_exact_mut(width);
                for (age, view) in views.enumerate() {
                    let cells = self.cells(instance, age);
                    // One cell for all players, or each its own.
                    let (cell, place) = match cells {
                        [cell] => (*cell, player),
                        cells => (cells[player], 0),
                    };
                    let at = cell as usize * tables.players_per_cell() + place;
                    view.copy_from_slice(&tables.seen[at * width..(at + 1) * width]);
                }
            }
        }
    }

    /// The start that nobody asked for: nothing played, the first stage.
    #[inline(always)]
    fn start(&mut self, instances: &[u32]) {
        let width = self.tables.cells_per_round();
        let nothing = &self.nothing;
        for plane in self.played.chunks_exact_mut(self.instances * width) {
            spread(nothing, instances, plane);
        }
        if !self.stage.is_empty() {
            spread(&[0], instances, &mut self.stage);
        }
    }

    /// A start that `init` describes; `drawn` rounds unless it says how many.
    #[cold]
    fn start_from(
        &mut self,
        instance: usize,
        mut init: Saved,
        drawn: u32,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        let left = *init.rounds_left.get_or_insert(drawn);
        if left == 0 {
            return Err(refused("reset /init/rounds_left", "at least 1", left));
        }
        self.place(instance, &init)
            .map_err(|e| e.within("reset /init"))?;
        self.observe(instance, out);
        Ok(())
    }

    /// Joint action of a request, legal or refused.
    fn joint_action(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<usize>> {
        let joint = actions.first().map_or(&[][..], Vec::as_slice);
        if joint.len() != self.tables.players {
            let expected = format!("{} actions", self.tables.players);
            return Err(refused("actions", &expected, joint.len()));
        }
        let choice = |(player, action): (usize, &Vec<f64>)| {
            let value = action.first().copied().unwrap_or(f64::NAN);
            let count = self.tables.counts[player];
            if value.fract() == 0.0 && (0.0..count as f64).contains(&value) {
                return Ok(value as usize);
            }
            let expected = format!("a choice below {count} of player {player}");
            Err(refused("actions", &expected, value))
        };
        joint.iter().enumerate().map(choice).collect()
    }
}

impl<P: Preset> BatchEnvironment for MatrixGame<P> {
    const ID: &'static str = P::ID;
    const DESCRIPTION: &'static str = P::DESCRIPTION;
    type Config = P::Config;

    fn spec(config: &P::Config) -> Result<EnvironmentSpec> {
        let (game, rules) = (P::game(config)?, P::rules(config));
        game.validate()?;
        let tables = Tables::new(&game, rules.memory > 0)?;
        let action = Space::discrete(tables.choices);
        let mut spec = EnvironmentSpec::new(
            "player",
            tables.players,
            observation(&tables, &rules),
            action,
        );
        spec.groups[0].has_action_mask = !tables.alike();
        spec.max_episode_steps = Some(rules.rounds);
        let (low, high) = game.range();
        spec.reward_range = (Some(low), Some(high));
        spec.metrics = tables
            .metrics
            .iter()
            .map(|name| Metric::mean(name))
            .collect();
        spec.flags.counterfactual = true;
        spec.flags.scripted = true;
        spec.flags.game_tree = tables.stages > 1 || rules.rounds == 1;
        spec.tags = vec![if tables.players == 1 {
            Tag::SingleAgent
        } else {
            game.tag()
        }];
        Ok(spec)
    }

    fn new(config: &P::Config, instances: usize) -> Result<Self> {
        let (game, rules) = (P::game(config)?, P::rules(config));
        game.validate()?;
        let tables = Tables::new(&game, rules.memory > 0)?;
        let rounds = rules.memory.max(1) * instances * tables.cells_per_round();
        let stages = if tables.stages > 1 { instances } else { 0 };
        let legal = |&count: &usize| (0..tables.choices).map(move |a| u8::from(a < count));
        let mask = if tables.alike() {
            Vec::new()
        } else {
            tables.counts.iter().flat_map(legal).collect()
        };
        Ok(Self {
            instances,
            played: Aligned::new(tables.empty(), rounds),
            head: 0,
            left: Aligned::new(rules.rounds, instances),
            stage: Aligned::new(0, stages),
            mask,
            nothing: vec![tables.empty(); tables.cells_per_round()],
            unseen: unseen(&tables, &rules),
            game,
            rules,
            tables,
            solution: OnceLock::new(),
            preset: PhantomData,
        })
    }

    fn reset(
        &mut self,
        instance: usize,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        let drawn = self.rules.draw_rounds(rng);
        out.observations().copy_from_slice(&self.unseen);
        if !self.mask.is_empty() {
            out.action_masks().copy_from_slice(&self.mask);
        }
        match options.init::<Saved>()? {
            None => {
                self.start(&[instance as u32]);
                self.left[instance] = drawn;
                Ok(())
            }
            Some(init) => self.start_from(instance, init, drawn, out),
        }
    }

    fn restart(&mut self, instances: &[u32], batch: &mut BatchStep<'_>) -> bool {
        let ([players], out) = batch.arrays::<1>();
        if self.draws() {
            for instance in instances.iter().map(|&i| i as usize) {
                self.left[instance] = self.rules.draw_rounds(&mut out.rngs[instance]);
            }
        } else {
            spread(&[self.rules.rounds], instances, &mut self.left);
        }
        self.start(instances);
        spread(&self.unseen, instances, players.observation);
        spread(&self.mask, instances, players.action_mask);
        true
    }

    #[inline(always)]
    fn step(&mut self, batch: &mut BatchStep<'_>) {
        let ([mut players], out) = batch.arrays::<1>();
        self.head = (self.head + 1) % self.kept();
        let plane = self.plane(0);
        let Self {
            tables,
            played,
            left,
            stage,
            mask,
            ..
        } = self;
        let cells = &mut played[plane];
        if tables.is_anonymous() {
            anonymous::play(tables, players.discrete, cells, players.reward, out.metrics);
        } else {
            find_cells(tables, players.discrete, stage, cells);
            look_up(&tables.payoff, tables.players, cells, players.reward);
            look_up(&tables.measures, tables.metrics.len(), cells, out.metrics);
        }
        count_rounds(left, out.terminated);
        if tables.stages > 1 {
            go_on(tables, cells, stage, out.terminated);
        }
        if !mask.is_empty() {
            let rows = players.action_mask.chunks_exact_mut(mask.len());
            rows.for_each(|row| row.copy_from_slice(mask));
        }
        self.show(&mut players);
    }

    fn draws(&self) -> bool {
        self.rules.discount < 1.0
    }

    fn writes_all(&self) -> bool {
        true
    }

    fn save(&self, instance: usize) -> Result<Value> {
        to_value(Saved::of(self, instance, self.left[instance]))
            .map_err(|e| Error::plugin(format!("snapshot: {e}")))
    }

    fn load(&mut self, instance: usize, saved: &Value) -> Result<()> {
        let saved =
            Saved::deserialize(saved).map_err(|e| Error::config(format!("snapshot: {e}")))?;
        self.place(instance, &saved)
            .map_err(|e| e.within("snapshot"))
    }

    fn render(&self, instance: usize, canvas: &mut Canvas) {
        picture::draw(self, instance, canvas);
    }

    fn counterfactual(&self, instance: usize, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let joint = self.joint_action(actions)?;
        let cells = self.tables.cells(&joint, self.stage_of(instance));
        Ok(vec![self.tables.payoffs(&cells)])
    }

    fn scripted(&self, instance: usize, rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        let joint = self.scripted_joint(instance, rng);
        let agents = joint.into_iter().map(|action| vec![action as f64]);
        Ok(vec![agents.collect()])
    }

    fn game_node(&self, history: &[usize]) -> Result<GameNode> {
        tree::node(&self.game, &self.tables, history)
    }
}

impl<P> MatrixGame<P> {
    /// Writes all observations.
    #[inline(always)]
    fn show(&self, players: &mut GroupBatch<'_>) {
        let (tables, width) = (&self.tables, self.tables.seen_width);
        let out = &mut *players.observation;
        if width == 0 {
            out.fill(0.0);
        } else if self.kept() == 1 {
            let row = tables.players_per_cell() * width;
            look_up(&tables.seen, row, &self.played[self.plane(0)], out);
        } else {
            let (kept, together) = (self.kept(), tables.players_per_cell());
            for age in 0..kept {
                for (i, &cell) in self.played[self.plane(age)].iter().enumerate() {
                    for player in 0..together {
                        let from = (cell as usize * together + player) * width;
                        let to = ((i * together + player) * kept + age) * width;
                        out[to..to + width].copy_from_slice(&tables.seen[from..from + width]);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn find_cells(tables: &Tables, actions: &[i32], stage: &[u32], cells: &mut [u32]) {
    tensor_cells(&tables.strides, actions, cells);
    for (cell, &stage) in cells.iter_mut().zip(stage) {
        *cell += stage * tables.stage_cells as u32;
    }
}

#[inline(always)]
fn count_rounds(left: &mut [u32], terminated: &mut [u8]) {
    for (left, over) in left.iter_mut().zip(terminated) {
        *left = left.saturating_sub(1);
        *over = u8::from(*left == 0);
    }
}

/// Moves to the next stages. An instance whose game is over is back at the start.
#[inline(always)]
fn go_on(tables: &Tables, cells: &[u32], stage: &mut [u32], terminated: &mut [u8]) {
    let next = tables.next.as_slice();
    for ((&cell, stage), over) in cells.iter().zip(stage).zip(terminated) {
        let next = next[cell as usize];
        let end = next == END;
        *over |= u8::from(end);
        *stage = if end { 0 } else { next };
    }
}

/// What all players see before the first round: that they are in the first stage, or nothing.
fn unseen(tables: &Tables, rules: &Rules) -> Vec<f32> {
    let mut row = vec![0.0; observation(tables, rules).width()];
    if tables.stages > 1 {
        row[0] = 1.0;
    }
    row.repeat(tables.players)
}

/// What one player sees, between 0 and 1: the stage, past rounds, or zeros.
fn observation(tables: &Tables, rules: &Rules) -> Space {
    let width = tables.seen_width;
    if width == 0 {
        return Space::bounded(tables.blank, 0.0, 1.0);
    }
    let rounds = if tables.stages > 1 { 1 } else { rules.memory };
    let mut space = Space::bounded(rounds * width, 0.0, 1.0);
    if let Space::Box { parts, .. } = &mut space {
        let name = |age: usize| match (tables.stages, age) {
            (1, 0) => "last round".to_owned(),
            (1, age) => format!("{} rounds ago", age + 1),
            _ => "stage".to_owned(),
        };
        *parts = (0..rounds).map(|age| (name(age), width)).collect();
    }
    space
}
