//! What one task of the family says about itself; [`Particle`](crate::batch::Particle) does the rest.

use palaestra_plugin_api::{
    canvas::{Canvas, Color},
    config::Config,
    prelude::{EnvRng, GroupSpec, Metric, Result, Space, Tag},
};

use crate::{
    control::Control,
    features::Features,
    physics::{Body, Physics},
    picture,
    scripted::Wish,
    state::State,
    world::{Layout, View},
};

/// A task: who is in the world, what they see, what they are paid.
pub trait Task: Sized + Send + 'static {
    /// `mpe/Name-vN`.
    const ID: &'static str;
    /// One line for `palaestra list`.
    const DESCRIPTION: &'static str;
    /// Name of the task's MPE2 traces.
    const TRACES: &'static [&'static str];
    /// How the 2017 traces name the task, where there are some.
    const LEGACY: Option<Legacy> = None;
    /// Settings.
    type Config: Config;

    /// The settings that all tasks have.
    fn common(config: &Self::Config) -> Common;

    /// The task, and what its worlds are made of.
    fn new(config: &Self::Config) -> Result<(Self, Scenario)>;

    /// Writes the features of every agent, in the order of the groups and of their observations.
    fn observe<const L: usize>(&self, world: View<'_, L>, out: &mut Features<'_, L>);

    /// Rewards, metrics and ends of the worlds as they are after a step.
    fn reward<const L: usize>(&self, world: View<'_, L>, out: &mut Outcome<'_, L>);

    /// Whether [`Outcome::terminated`] is ever set.
    fn terminates(&self) -> bool {
        false
    }

    /// Draws one world.
    fn draw(&self, scenario: &Scenario, state: &State, canvas: &mut Canvas) {
        picture::draw(scenario, state, canvas);
    }

    /// What the agents of the scripted baseline want in one world, in order.
    fn scripted<'a>(&self, world: View<'a, 1>, rng: &mut EnvRng) -> Vec<Wish<'a>>;
}

/// The settings that all tasks have.
#[derive(Clone, Copy, Debug)]
pub struct Common {
    /// Which generation.
    pub physics: Physics,
    /// Whether actions are real.
    pub continuous_actions: bool,
    /// Steps until truncation.
    pub max_episode_steps: u32,
}

/// A scenario of the 2017 traces.
#[derive(Clone, Copy, Debug)]
pub struct Legacy {
    /// Its name there.
    pub scenario: &'static str,
    /// Whether every agent is paid the sum over agents (`collaborative` worlds).
    pub shares_reward: bool,
}

/// What the worlds of a task are made of.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Groups of agents, which number the agents in order.
    pub groups: Vec<Group>,
    /// Everything that stays where it is.
    pub landmarks: Vec<Landmark>,
    /// What is drawn for an episode besides positions.
    pub goals: Vec<Goal>,
    /// Metrics, in the order of [`Outcome::metrics`].
    pub metrics: Vec<Metric>,
    /// What kind of problem it is.
    pub tag: Tag,
    /// Largest reward of a step, if there is one.
    pub largest_reward: Option<f64>,
}

/// Agents with the same body, controls and observation.
#[derive(Clone, Debug)]
pub struct Group {
    /// Name.
    pub name: &'static str,
    /// Number of agents.
    pub agents: usize,
    /// Body of each.
    pub body: Body,
    /// Number of symbols each can say; 0 for the silent.
    pub symbols: usize,
    /// Parts of the observation and their widths.
    pub parts: Vec<(&'static str, usize)>,
}

/// Something that stays where it is.
#[derive(Clone, Copy, Debug)]
pub struct Landmark {
    /// Radius.
    pub size: f64,
    /// Whether agents bump into it.
    pub collides: bool,
    /// Start positions are uniform over \[-range, range\]².
    pub range: f64,
    /// Name in the legend.
    pub label: &'static str,
    /// Colour in pictures.
    pub color: Color,
}

impl Landmark {
    /// A mark on the ground, anywhere in \[-1, 1\]².
    pub const fn mark(size: f64, label: &'static str, color: Color) -> Self {
        Self {
            size,
            collides: false,
            range: 1.0,
            label,
            color,
        }
    }
}

/// Landmarks that differ by colour: a red, a green and a blue one.
pub const COLOURED: [(&str, Color); 3] = [
    ("red landmark", Color::rgb(0xc8, 0x46, 0x46)),
    ("green landmark", Color::rgb(0x46, 0xa0, 0x46)),
    ("blue landmark", Color::rgb(0x46, 0x64, 0xc8)),
];

/// An index drawn for an episode.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    /// The index is below this.
    pub choices: usize,
    /// What it means, in pictures; none where it names no landmark.
    pub label: Option<&'static str>,
}

impl Group {
    /// Width of an observation.
    pub fn width(&self) -> usize {
        self.parts.iter().map(|part| part.1).sum()
    }

    /// Controls of each agent.
    pub fn control(&self) -> Control {
        Control::new(&self.body, self.symbols)
    }

    fn spec(&self, continuous: bool) -> GroupSpec {
        let mut observation = Space::real(self.width());
        if let Space::Box { parts, .. } = &mut observation {
            *parts = self
                .parts
                .iter()
                .filter(|p| p.1 > 0)
                .map(|&(name, width)| (name.to_owned(), width))
                .collect();
        }
        let control = self.control();
        let mut spec = GroupSpec::new(
            self.name,
            self.agents,
            observation,
            control.space(continuous),
        );
        spec.no_op = control.no_op(continuous);
        spec
    }
}

impl Scenario {
    /// The groups as the host knows them.
    pub fn group_specs(&self, continuous: bool) -> Vec<GroupSpec> {
        self.groups
            .iter()
            .map(|group| group.spec(continuous))
            .collect()
    }

    /// Number of agents.
    pub fn agents(&self) -> usize {
        self.groups.iter().map(|group| group.agents).sum()
    }

    /// The group of every agent.
    pub fn members(&self) -> impl Iterator<Item = &Group> {
        self.groups
            .iter()
            .flat_map(|group| std::iter::repeat_n(group, group.agents))
    }

    /// The columns of a world.
    pub fn layout(&self) -> Layout {
        let symbols: Vec<_> = self.members().map(|group| group.symbols).collect();
        Layout::new(&symbols, self.landmarks.len(), self.goals.len())
    }

    /// Symbols of the channel; 0 where nobody speaks.
    pub fn symbols(&self) -> usize {
        self.groups
            .iter()
            .map(|group| group.symbols)
            .max()
            .unwrap_or(0)
    }

    /// Features of all agents together.
    pub fn features(&self) -> usize {
        self.groups
            .iter()
            .map(|group| group.agents * group.width())
            .sum()
    }
}

/// What a step was worth, lane by lane.
pub struct Outcome<'a, const L: usize> {
    /// Reward of each agent, 0 on entry.
    pub rewards: &'a mut [[f64; L]],
    /// Value of each metric, 0 on entry.
    pub metrics: &'a mut [[f64; L]],
    /// Whether the episode is over because the task is solved, false on entry.
    pub terminated: &'a mut [bool; L],
}
