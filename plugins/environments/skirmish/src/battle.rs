//! A battle between a team of learning units and a team that a script commands.
//!
//! Source: Samvelyan et al., "The StarCraft Multi-Agent Challenge" (2019): actions, masks, observation, state,
//! reward and time limits are SMAC's, and so are the unit types. The game itself is not StarCraft but a plain model
//! of it (half a second a step, see `combat`), so that results are not comparable with SMAC's.
//!
//! | scenario | allies | enemies | observation | state | actions | steps |
//! |---|---|---|---|---|---|---|
//! | `3m` | 3 marines | 3 marines | 30 | 48 | 9 | 60 |
//! | `8m` | 8 marines | 8 marines | 80 | 168 | 14 | 120 |
//! | `5m_vs_6m` | 5 marines | 6 marines | 55 | 98 | 12 | 70 |
//! | `2s3z` | 2 stalkers, 3 zealots | the same | 80 | 120 | 11 | 120 |
//! | `27m_vs_30m` | 27 marines | 30 marines | 285 | 1170 | 36 | 180 |
//!
//! | observation | features of each | range |
//! |---|---|---|
//! | move | may walk north, south, east, west | 0, 1 |
//! | enemies | may be attacked; distance, x, y / sight; health; shield; type, one-hot | -1 to 1 |
//! | allies, without oneself | visible; distance, x, y / sight; health; shield; type | -1 to 1 |
//! | own | health; shield; type | 0 to 1 |
//!
//! | state | features of each | range |
//! |---|---|---|
//! | allies | health; weapon cooldown; x, y from the middle / size of the map; shield; type | -0.5 to 1 |
//! | enemies | health; x, y; shield; type | -0.5 to 1 |
//! | last actions | of each ally, one-hot; zeros at the start | 0, 1 |
//!
//! Health, shield and cooldown are parts of the full ones. Shields are there where the team has any, types where
//! there are several. Who is dead or farther than the sight of 9 is all zeros, and so is all that the dead see.
//!
//! | action | 0 | 1 | 2 | 3 | 4 | 5 | 6 + k |
//! |---|---|---|---|---|---|---|---|
//! | meaning | no-op | stop | north | south | east | west | attack enemy k |
//! | allowed | to the dead only | | if a step of length 1 stays on the map | | | | alive, within 6 |
//!
//! | | when |
//! |---|---|
//! | reward, to all agents alike | health and shield that enemies lose, + 10 for each death, + 200 for the win, × 20 / (their total) |
//! | an agent ends | it dies; it shares what the team earns later |
//! | terminated | a team is dead; it is a win if the enemies are and an ally lives |
//! | truncated | after the scenario's time limit, or `max_episode_steps` |
//!
//! SMAC also pays for shields that enemies recharge, as it takes the absolute value of the loss; here only losses
//! pay, so that a win without recharged shields is worth 20. Units that stand still do not shoot by themselves, and
//! who is ordered to attack from out of its weapon's reach walks in this step and shoots in the next.
//!
//! Compared with SMAC's own source (`starcraft2.py` and `smac_maps.py` of oxwhirl/smac), what differs is this:
//!
//! | | SMAC | here |
//! |---|---|---|
//! | cooldown in the state, parts of | 15, 35 and 22 game loops (marine, stalker, zealot) | the weapon's own |
//! | types in `2s3z`, one-hot | stalker first for allies, zealot first for enemies | stalker first for all |
//! | a walk that ends exactly on the upper edge | not allowed | allowed |
//! | the time limit | ends the episode as terminated | truncates it |
//!
//! The script: an enemy attacks the nearest ally that it sees, else walks to where the allies started; from there
//! it hunts the nearest one. Metrics: `win`, `allies_alive` and `enemies_alive` at the end.

use palaestra_plugin_api::{
    prelude::*,
    serde,
    serde_json::{Value, json},
};

use crate::{
    combat::{Field, Order, Toll, Unit},
    observation::{BASIC_ACTIONS, DIRECTIONS, Layout, MOVE, NO_OP, STOP},
    picture,
    scenario::Scenario,
    script::Script,
    sight::Sight,
    tactics,
};

/// Reward for the death of an enemy, before scaling.
const KILL_BONUS: f32 = 10.0;
/// Reward for the win, before scaling.
const WIN_BONUS: f32 = 200.0;
/// Total of a win, scaled.
const TOTAL_REWARD: f64 = 20.0;
/// How far away the place is that a direction points to: farther than any unit walks in a step.
const WALK_AHEAD: f32 = 2.0;

/// Metrics, in order.
const WIN: usize = 0;
const ALLIES_ALIVE: usize = 1;
const ENEMIES_ALIVE: usize = 2;

/// Settings of a battle.
#[palaestra_plugin_api::config]
pub struct BattleConfig {
    /// Who fights: 3m, 8m, 5m_vs_6m, 2s3z or 27m_vs_30m.
    #[config(default = "3m")]
    pub scenario: String,
    /// Each coordinate of each unit's start is drawn from the formation's ± this; at 0 all starts are the same.
    #[config(default = 0.5, range = 0.0..=2.0)]
    pub start_noise: f64,
    /// Steps until truncation; the scenario's time limit unless given.
    #[config(range = 1..)]
    pub max_episode_steps: Option<u32>,
}

/// `skirmish/Battle-v0`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(crate = "serde", try_from = "Saved", into = "Saved")]
pub struct Battle {
    config: BattleConfig,
    layout: Layout,
    /// What a point of damage is worth.
    scale: f64,
    field: Field,
    last_actions: Vec<Option<u8>>,
    /// What all units do in this step; kept for its memory, as what follows.
    orders: Vec<Order>,
    script: Script,
    sight: Sight,
}

/// A snapshot; the rest is rebuilt from the settings.
#[derive(Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct Saved {
    config: BattleConfig,
    units: Vec<Unit>,
    last_actions: Vec<Option<u8>>,
}

/// `init` of the reset options: units in the order of the scenario.
#[derive(Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct Init {
    allies: Vec<Start>,
    enemies: Vec<Start>,
}

/// How a unit starts; unhurt unless said otherwise, and dead with health 0.
#[derive(Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct Start {
    position: [f32; 2],
    health: Option<f32>,
    shield: Option<f32>,
}

impl Environment for Battle {
    const ID: &'static str = "skirmish/Battle-v0";
    const DESCRIPTION: &'static str =
        "Units fight a scripted team with health, shields, cooldowns, range and sight (as SMAC)";
    type Config = BattleConfig;

    fn spec(config: &BattleConfig) -> Result<EnvironmentSpec> {
        let scenario = Scenario::named(&config.scenario)?;
        let layout = Layout::of(scenario);
        let mut spec = EnvironmentSpec::new(
            "ally",
            scenario.allies().count(),
            layout.observation(),
            Space::discrete(layout.actions()),
        );
        spec.groups[0].has_action_mask = true;
        spec.groups[0].no_op = Some(vec![STOP as f64]);
        spec.state = Some(layout.state());
        spec.max_episode_steps = Some(config.max_episode_steps.unwrap_or(scenario.time_limit));
        spec.reward_range = (Some(0.0), Some(TOTAL_REWARD));
        spec.metrics = vec![
            Metric::last("win"),
            Metric::last("allies_alive"),
            Metric::last("enemies_alive"),
        ];
        spec.flags.per_agent_end = true;
        spec.flags.scripted = true;
        spec.tags = vec![Tag::Cooperative];
        Ok(spec)
    }

    fn new(config: &BattleConfig) -> Result<Self> {
        let scenario = Scenario::named(&config.scenario)?;
        let (field, layout) = (Field::new(scenario), Layout::of(scenario));
        let strength: f32 = scenario
            .enemies()
            .map(|kind| kind.stats().health + kind.stats().shield + KILL_BONUS)
            .sum();
        Ok(Self {
            config: config.clone(),
            scale: TOTAL_REWARD / f64::from(strength + WIN_BONUS),
            last_actions: vec![None; field.allies],
            orders: vec![Order::Stop; field.units.len()],
            script: Script::new(),
            sight: Sight::new(layout.clone()),
            layout,
            field,
        })
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        match options.init::<Init>()? {
            Some(init) => self.place(&init)?,
            None => self.draw(rng),
        }
        self.last_actions.fill(None);
        for (agent, unit) in self.field.units[..self.field.allies].iter().enumerate() {
            if !unit.is_alive() {
                out.group(0).set_alive(agent, false);
            }
        }
        self.observe(out);
        Ok(())
    }

    fn step(&mut self, _rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let toll = self.advance(|agent| actions.discrete(agent));
        let allies = self.field.living(0..self.field.allies);
        let enemies = self.field.living(self.field.enemies());
        let win = enemies == 0 && allies > 0;
        let reward = self.reward(toll, win);
        for agent in 0..self.field.allies {
            out.reward(agent, reward);
            if !self.field.units[agent].is_alive() && out.group(0).is_alive(agent) {
                out.group(0).terminate(agent);
            }
        }
        out.metric(WIN, f64::from(u8::from(win)));
        out.metric(ALLIES_ALIVE, allies as f64);
        out.metric(ENEMIES_ALIVE, enemies as f64);
        out.terminate_if(allies == 0 || enemies == 0);
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        let unit = |unit: &Unit| {
            json!({
                "type": unit.kind.stats().name,
                "position": unit.position,
                "health": unit.health,
                "shield": unit.shield,
                "cooldown": unit.cooldown,
            })
        };
        let (allies, enemies) = self.field.units.split_at(self.field.allies);
        json!({
            "allies": allies.iter().map(unit).collect::<Vec<_>>(),
            "enemies": enemies.iter().map(unit).collect::<Vec<_>>(),
            "last_actions": self.last_actions,
        })
    }

    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        let orders = tactics::orders(&self.field);
        Ok(vec![orders.into_iter().map(|o| vec![o as f64]).collect()])
    }

    fn render(&self, canvas: &mut Canvas) {
        picture::draw(&self.field, canvas);
    }
}

impl Battle {
    /// Gives everybody's orders and carries them out.
    #[inline(always)]
    fn advance(&mut self, action_of: impl Fn(usize) -> usize) -> Toll {
        let allies = self.field.allies;
        for agent in 0..allies {
            let unit = &self.field.units[agent];
            // The dead do nothing, whatever they were given.
            let action = if unit.is_alive() {
                action_of(agent)
            } else {
                NO_OP
            };
            self.last_actions[agent] = Some(action as u8);
            self.orders[agent] = match action {
                MOVE..BASIC_ACTIONS => {
                    let [dx, dy] = DIRECTIONS[action - MOVE];
                    let [x, y] = unit.position;
                    Order::Walk([x + WALK_AHEAD * dx, y + WALK_AHEAD * dy])
                }
                BASIC_ACTIONS.. => Order::Attack(allies + action - BASIC_ACTIONS),
                _ => Order::Stop,
            };
        }
        self.script.command(&self.field, &mut self.orders);
        self.field.advance(&self.orders)
    }

    fn reward(&self, toll: Toll, win: bool) -> f64 {
        let bonus = if win { WIN_BONUS } else { 0.0 };
        f64::from(toll.damage + KILL_BONUS * toll.kills as f32 + bonus) * self.scale
    }

    #[inline(always)]
    fn observe(&mut self, out: &mut Observe<'_>) {
        let Self { field, sight, .. } = self;
        sight.read(field);
        for agent in 0..field.allies {
            sight.look(field, agent, out.observation(agent));
            sight.write_mask(out.action_mask(agent));
        }
        self.layout
            .write_state(field, &self.last_actions, out.state());
    }

    /// A drawn start: everybody in formation, more or less.
    fn draw(&mut self, rng: &mut EnvRng) {
        let noise = self.config.start_noise;
        let scenario = self.field.scenario;
        let allies = self.field.allies;
        let counts = [allies, self.field.units.len() - allies];
        for (index, unit) in self.field.units.iter_mut().enumerate() {
            let team = usize::from(index >= allies);
            let place = scenario.start(team, index - team * allies, counts[team]);
            let position = place.map(|x| x + rng.range(-noise, noise) as f32);
            *unit = Unit::new(unit.kind, position);
        }
    }

    /// Starts from given units, after checking that they can be those of the scenario.
    fn place(&mut self, init: &Init) -> Result<()> {
        let units = init.allies.iter().chain(&init.enemies);
        if init.allies.len() != self.field.allies || units.clone().count() != self.field.units.len()
        {
            return Err(Error::config(format!(
                "init: expected {} allies and {} enemies, found {} and {}",
                self.field.allies,
                self.field.enemies().len(),
                init.allies.len(),
                init.enemies.len()
            )));
        }
        let start = |(start, unit): (&Start, &Unit)| {
            let fresh = Unit::new(unit.kind, start.position);
            Unit {
                health: start.health.unwrap_or(fresh.health),
                shield: start.shield.unwrap_or(fresh.shield),
                ..fresh
            }
        };
        let units: Vec<Unit> = units.zip(&self.field.units).map(start).collect();
        self.check(&units)?;
        let allies = self.field.allies;
        if [&units[..allies], &units[allies..]]
            .iter()
            .any(|team| !team.iter().any(Unit::is_alive))
        {
            return Err(Error::config(
                "init: expected somebody alive in both teams, found a team that is dead",
            ));
        }
        self.field.units = units;
        Ok(())
    }

    /// Refuses units that cannot be those of the scenario.
    fn check(&self, units: &[Unit]) -> Result<()> {
        let [width, height] = self.field.scenario.size;
        if units.len() != self.field.units.len() {
            let (expected, found) = (self.field.units.len(), units.len());
            return Err(Error::config(format!(
                "units: expected {expected} of them, found {found}"
            )));
        }
        for (index, (unit, own)) in units.iter().zip(&self.field.units).enumerate() {
            let stats = own.kind.stats();
            let [x, y] = unit.position;
            let fits = unit.kind == own.kind
                && (0.0..=width).contains(&x)
                && (0.0..=height).contains(&y)
                && (0.0..=stats.health).contains(&unit.health)
                && (0.0..=stats.shield).contains(&unit.shield)
                && (0..=stats.cooldown).contains(&unit.cooldown)
                && unit
                    .shot
                    .is_none_or(|target| usize::from(target) < units.len());
            if !fits {
                return Err(Error::config(format!(
                    "unit {index}: expected a {} within {width} × {height}, health to {}, shield to {}, found {unit:?}",
                    stats.name, stats.health, stats.shield
                )));
            }
        }
        Ok(())
    }
}

impl From<Battle> for Saved {
    fn from(battle: Battle) -> Self {
        Self {
            config: battle.config,
            units: battle.field.units,
            last_actions: battle.last_actions,
        }
    }
}

impl TryFrom<Saved> for Battle {
    type Error = Error;

    fn try_from(saved: Saved) -> Result<Self> {
        let mut battle = Self::new(&saved.config)?;
        battle.check(&saved.units)?;
        let actions = battle.layout.actions();
        let fits = |action: &Option<u8>| action.is_none_or(|a| usize::from(a) < actions);
        if saved.last_actions.len() != battle.field.allies || !saved.last_actions.iter().all(fits) {
            return Err(Error::config(format!(
                "last_actions: expected {} of {actions} choices, found {:?}",
                battle.field.allies, saved.last_actions
            )));
        }
        battle.field.units = saved.units;
        battle.last_actions = saved.last_actions;
        Ok(battle)
    }
}

#[cfg(test)]
mod tests;
