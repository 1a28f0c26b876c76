//! Market making: traders of four kinds meet in a limit order book with price and time priority.
//!
//! Source: the trading task of teaching notebooks, on a real book as in Gould et al., "Limit order books" (2013);
//! market makers and their inventories as in Avellaneda and Stoikov, "High-frequency trading in a limit order book"
//! (2008), arbitrageurs as in Glosten and Milgrom (1985). The notebooks pay what a position is worth at a price
//! that its holder moves, and give noise traders nothing to gain. Here the market closes: what the mid price promised
//! and the asset is not worth is taken back, and noise traders have a reason to trade.
//!
//! Prices are whole ticks. The asset's value, which nobody sees but all are paid at the end, is a walk that reverts to
//! the middle of the prices. In each step all agents act once, in an order drawn anew; the mid price that offsets refer
//! to is that from before the step. `book` says how orders meet; an agent's own orders never trade with each other.
//!
//! | agent | action, choices of each component |
//! |---|---|
//! | `market_maker` | bid offset, ask offset (0 to `max_offset` from the mid), bid size, ask size (0 to `max_quote_size`) |
//! | the others | side (0 hold, 1 buy, 2 sell, 3 cancel), size - 1, kind (0 market, 1 limit) |
//!
//! Quotes replace the last step's, and keep their place in the queue at the same price unless they grow. A market order
//! takes what there is, the rest lapses. A limit order joins the best price of its own side (the mid when that is
//! empty) and rests until it is filled or its owner's next order replaces it. Sizes are cut so that no position can
//! exceed `max_inventory`.
//!
//! | observation | meaning | range |
//! |---|---|---|
//! | 0–1 | own position / `max_inventory`; steps left / `session_steps` | -1 to 1; 0 to 1 |
//! | 2 | spread in units of 4 · `max_offset`, 1 when a side is empty | 0 to 1 |
//! | 3 | (best bid's volume - best ask's) / their sum | -1 to 1 |
//! | 4 | last change of the mid price, in the same units | -1 to 1 |
//! | 5 | units bought - units sold by those who took them, in the last step / what all but the makers can order | -1 to 1 |
//! | 6–7, maker | what rests of its bid and ask / `max_quote_size` | 0 to 1 |
//! | then, maker | volumes at `depth` bid prices from the mid down, at as many ask prices up / all makers' largest | 0 to 1 |
//! | 6, others | what rests of its order / `max_order_size`, negative for a sell | -1 to 1 |
//! | 7, arbitrageur | value with an error of deviation `signal_noise` - mid, in the units of 2 | -1 to 1 |
//! | 7, trend follower | change of the mid over `window` steps, in the units of 2 | -1 to 1 |
//! | 7, noise trader | (wanted - own position) / (`max_inventory` + `demand`) | -1 to 1 |
//!
//! Everything is cut to its range. Noise traders want positions that change with `demand_probability`.
//!
//! | | when |
//! |---|---|
//! | reward | change of cash + position · mid price (of fees too) - `inventory_penalty` · position² |
//! | reward, noise trader | the same with `demand_penalty` · (position - wanted)² |
//! | terminated | the market closes after `session_steps`; positions are then worth the value instead of the mid |
//!
//! So an episode's rewards are what was really earned. Cash and positions of all agents sum to 0 at any time: what one
//! gains another loses, and the rewards of all are minus fees and penalties.
//!
//! Metrics: `spread` (mean; cut to 4 · `max_offset`, and that when a side is empty), `volume` (sum), `mispricing`
//! (mean |mid - value|), and for each group the size of a `position` (mean) and `pnl`, what an agent earned before
//! penalties (sum).

use palaestra_plugin_api::{prelude::*, serde, serde_json::Value};

use book::{Book, Order};
pub use config::MarketMakingConfig;

use crate::state::require_choices;

mod book;
mod config;
mod levels;
mod observe;
mod picture;
mod scripted;
mod session;
mod snapshot;

/// Groups, in order.
const MAKERS: usize = 0;
const ARBITRAGEURS: usize = 1;
const TREND_FOLLOWERS: usize = 2;
const NOISE_TRADERS: usize = 3;
const NAMES: [&str; 4] = [
    "market_maker",
    "arbitrageur",
    "trend_follower",
    "noise_trader",
];
/// Mid prices that are remembered, the present one included.
const REMEMBERED: usize = 64;

/// What an agent owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct Account {
    /// Ticks, before fees.
    cash: i64,
    /// Units, negative when short.
    inventory: i64,
    /// Units that it took from the book since the session began.
    taken: i64,
    /// Units that others took from its orders.
    made: i64,
}

/// What changes in an episode, but for the book.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct State {
    /// Steps since the market opened.
    clock: u32,
    /// What a unit is worth.
    value: f64,
    /// Twice the mid prices of the last steps, the present one last.
    mids: Vec<u32>,
    /// Units traded in the last step.
    volume: i64,
    /// Of these what was bought less what was sold by those who took it.
    flow: i64,
    /// Of every agent, group by group.
    accounts: Vec<Account>,
    /// What each arbitrageur believes of the value.
    signals: Vec<f64>,
    /// Position that each noise trader wants.
    targets: Vec<i64>,
    /// Order in which the agents act in the coming step.
    arrival: Vec<u32>,
}

/// Everything that a session is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct Session {
    /// By price, at a price the oldest first.
    orders: Vec<Order>,
    market: State,
}

/// Group, and number within the group.
#[derive(Clone, Copy, Debug)]
struct Seat {
    group: usize,
    agent: usize,
}

/// `apps/MarketMaking-v0`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    crate = "serde",
    try_from = "Saved<MarketMakingConfig, Session>",
    into = "Saved<MarketMakingConfig, Session>"
)]
pub struct MarketMaking {
    config: MarketMakingConfig,
    state: State,
    /// A market maker has a slot for its bid and one for its ask, everybody else one.
    book: Book,
    seats: Vec<Seat>,
    /// Wealth of each agent before the step, then what it earned in it.
    earned: Vec<f64>,
}

impl Environment for MarketMaking {
    const ID: &'static str = "apps/MarketMaking-v0";
    const DESCRIPTION: &'static str = "Four kinds of traders meet in a limit order book";
    type Config = MarketMakingConfig;

    fn spec(config: &MarketMakingConfig) -> Result<EnvironmentSpec> {
        let agents = config.groups();
        let groups = (0..agents.len()).map(|group| {
            let choices = match group {
                MAKERS => config.quote_choices(),
                _ => config.order_choices(),
            };
            GroupSpec {
                no_op: Some(vec![0.0; choices.len()]),
                ..GroupSpec::new(
                    NAMES[group],
                    agents[group],
                    observe::space(config, group),
                    Space::MultiDiscrete { choices },
                )
            }
        });
        let mut metrics = vec![
            Metric::mean("spread"),
            Metric::sum("volume"),
            Metric::mean("mispricing"),
        ];
        metrics.extend(NAMES.map(|name| Metric::mean(&format!("position_{name}"))));
        metrics.extend(NAMES.map(|name| Metric::sum(&format!("pnl_{name}"))));
        let largest = config.largest_reward();
        Ok(EnvironmentSpec {
            groups: groups.collect(),
            state: None,
            max_episode_steps: Some(config.session_steps),
            reward_range: (Some(-largest), Some(largest)),
            metrics,
            flags: Flags {
                counterfactual: true,
                scripted: true,
                ..Flags::default()
            },
            tags: vec![Tag::Mixed],
        })
    }

    fn new(config: &MarketMakingConfig) -> Result<Self> {
        config.validate()?;
        Ok(Self::empty(config))
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        match options.init()? {
            Some(session) => self.place(session)?,
            None => self.open(rng),
        }
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let of: [_; 4] = std::array::from_fn(|group| actions.group(group));
        self.settle(|Seat { group, agent }, action| {
            let chosen = of[group].choices(agent);
            action[..chosen.len()].copy_from_slice(chosen);
        });
        for (agent, seat) in self.seats.iter().enumerate() {
            out.group(seat.group).reward(seat.agent, self.reward(agent));
        }
        self.measure(|index, value| out.metric(index, value));
        out.terminate_if(self.is_closed());
        self.draw(rng);
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        palaestra_plugin_api::serde_json::to_value(self.session()).unwrap_or(Value::Null)
    }

    fn render(&self, canvas: &mut Canvas) {
        picture::draw(self, canvas);
    }

    fn counterfactual(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let agents = self.config.groups();
        let (quotes, orders) = (self.config.quote_choices(), self.config.order_choices());
        let spaces: Vec<_> = (agents.iter().enumerate())
            .map(|(group, &count)| (count, if group == MAKERS { &quotes } else { &orders }))
            .map(|(count, choices)| (count, choices.as_slice()))
            .collect();
        let chosen = require_choices(actions, &spaces)?;
        let mut other = self.clone();
        other.settle(|Seat { group, agent }, action| {
            let chosen = &chosen[group][agent];
            action[..chosen.len()].copy_from_slice(chosen);
        });
        let mut rewards = agents.map(|count| vec![0.0; count]);
        for (agent, seat) in other.seats.iter().enumerate() {
            rewards[seat.group][seat.agent] = other.reward(agent);
        }
        Ok(rewards.into())
    }

    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        Ok(scripted::joint(self))
    }
}

#[cfg(test)]
mod tests;
