//! The algorithm under test: it acts from keys, counts what it does and sums what it is paid.

use std::{
    cell::RefCell,
    io::{Read, Write},
};

use palaestra_plugin_api::{
    abi::{NO_GROUP, id},
    algorithm::*,
    coordination::{
        Backward, Exchange, ExchangePort, Extras, Gradients, Mechanism, MechanismDescription,
        OpenExchange, Place, Port,
    },
    prelude::*,
    serde_json::{Map, Value},
    table::Table,
};

thread_local! {
    /// Where the algorithm leaves a copy of its port, for a test that should not be able to use it.
    pub(crate) static STOLEN: RefCell<Option<ExchangePort>> = const { RefCell::new(None) };
}

/// Settings.
#[config]
pub(crate) struct TallyConfig {
    /// Steps of a fragment.
    #[config(default = 8, range = 1..=100)]
    steps: usize,
    /// Weight of the rewards.
    #[config(default = 1.0, above = 0.0)]
    scale: f64,
    /// Parameter of the exchange.
    #[config(default = 2.0)]
    gain: f32,
    /// The call that panics.
    #[config(default = "")]
    panic_in: String,
    /// What the capabilities ask for beyond what is needed.
    #[config(default = "")]
    asks: String,
}

/// Counts and sums.
pub(crate) struct Tally {
    config: TallyConfig,
    setting: Setting,
    acts: u64,
    paid: f64,
    open: Option<OpenExchange>,
}

impl Tally {
    fn trap(&self, call: &str) {
        assert!(self.config.panic_in != call, "trapped in {call}");
    }

    /// Sends ones, and keeps the activations for `learn`.
    fn talk(&mut self, port: &ExchangePort, rows: usize) -> Result<f32> {
        let agents = self.setting.agents();
        let mut inbox = vec![0.0; rows * agents];
        self.open = port.exchange(Exchange {
            rows,
            agents,
            parameters: &[self.config.gain],
            messages: &vec![1.0; rows * agents],
            mask: None,
            context: None,
            state_in: &[],
            keys: &vec![0; rows],
            extras: Extras::Draw(&mut []),
            save: true,
            inbox: &mut inbox,
            state_out: &mut [],
        })?;
        STOLEN.set(Some(port.clone()));
        Ok(inbox[0])
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.trap("drop");
    }
}

impl Algorithm for Tally {
    const ID: &'static str = "test/Tally-v0";
    const DESCRIPTION: &'static str = "Acts from keys and counts";
    type Config = TallyConfig;

    fn capabilities(config: &TallyConfig, setting: &Setting) -> Result<AlgorithmCapabilities> {
        assert!(config.panic_in != "capabilities", "trapped in capabilities");
        let exchange = setting.exchange.as_ref();
        let mut capabilities = AlgorithmCapabilities {
            actions: vec![ActionKind::Discrete],
            on_policy: true,
            message_width: exchange.map_or(0, |e| e.description().message_width),
            extras: vec![Extra::new("log_prob", 1), Extra::new("told", 1)],
            trainable: true,
            tunable: vec!["scale".into()],
            needs: vec![id::ACTION_MASK, id::KEY],
            ..AlgorithmCapabilities::default()
        };
        match config.asks.as_str() {
            "state" => capabilities.needs_state = true,
            "state rows" => capabilities.needs.push(id::STATE),
            "channel rows" => capabilities.needs.push(id::MECHANISM_EXTRAS),
            "unknown rows" => capabilities.needs.push(4711),
            "messages" => capabilities.message_width = 3,
            "silence" => capabilities.message_width = 0,
            "recurrent" => capabilities.recurrent = vec![8, 8, 8],
            "extras" => capabilities.extras[1].name = "log_prob".into(),
            "nothing" => capabilities.on_policy = false,
            _ => {}
        }
        Ok(capabilities)
    }

    fn new(config: &TallyConfig, setting: &Setting) -> Result<Self> {
        assert!(config.panic_in != "new", "trapped in new");
        Ok(Self {
            config: config.clone(),
            setting: setting.clone(),
            acts: 0,
            paid: 0.0,
            open: None,
        })
    }

    fn next(&mut self) -> Result<Collect> {
        self.trap("next");
        Ok(Collect::steps(self.config.steps))
    }

    fn act(&mut self, rows: &mut Table<'_>, slot: usize, greedy: bool) -> Result<()> {
        self.trap("act");
        self.acts += 1;
        let told = match self.setting.exchange.clone() {
            Some(port) => self.talk(&port, rows.instances())?,
            None if rows.has(id::OBSERVATION, 0) => rows.rows::<f32>(id::OBSERVATION, 0, slot)?[0],
            None => 0.0,
        };
        for (g, group) in self.setting.controlled_groups() {
            let choices = group.action.choices()[0] as u64;
            let (keys, actions) = rows.read_write::<u64, i32>(
                (id::KEY, NO_GROUP, slot),
                (id::PROPOSED_ACTION, g, slot),
            )?;
            for (key, row) in keys.iter().zip(actions.chunks_exact_mut(group.agents)) {
                let mut rng = EnvRng::new(*key, 0, 0, u64::from(g));
                row.fill_with(|| if greedy { 0 } else { rng.below(choices) as i32 });
            }
            let log_prob = -(choices as f32).ln();
            for extras in rows
                .rows_mut::<f32>(id::EXTRAS, g, slot)?
                .chunks_exact_mut(2)
            {
                extras.copy_from_slice(&[log_prob, told]);
            }
        }
        Ok(())
    }

    fn learn(&mut self, fragment: &Table<'_>) -> Result<Metrics> {
        self.trap("learn");
        let rewards = fragment.all::<f32>(id::LEARNING_REWARD, 0)?;
        let fresh: f64 = rewards.iter().map(|r| f64::from(*r)).sum();
        self.paid += fresh * self.config.scale;
        let mut metrics = Metrics::from([
            ("paid".into(), self.paid),
            ("steps".into(), fragment.steps()? as f64),
            ("nothing".into(), f64::NAN),
        ]);
        let last = fragment.ended_rows::<f32>(id::FINAL_OBSERVATION, 0)?;
        let row = fragment.row(id::FINAL_OBSERVATION, 0).unwrap_or(1);
        for (at, seen) in fragment.ended()?.iter().zip(last.chunks_exact(row)) {
            let (t, i) = (
                *at as usize / fragment.instances(),
                *at as usize % fragment.instances(),
            );
            metrics.insert(format!("end of {i} at {t}"), f64::from(seen[0]));
        }
        if let Some(open) = self.open.take() {
            let (rows, agents) = open.rows_and_agents();
            let mut d_parameters = [0.0];
            open.backward(Gradients {
                d_inbox: &vec![1.0; rows * agents],
                d_state_out: None,
                d_messages: &mut vec![0.0; rows * agents],
                d_state_in: &mut [],
                d_parameters: &mut d_parameters,
            })?;
            metrics.insert("gradient".into(), f64::from(d_parameters[0]));
        }
        Ok(metrics)
    }

    fn configure(&mut self, changes: &Map<String, Value>) -> Result<()> {
        self.trap("configure");
        self.config = changed(&self.config, changes)?;
        Ok(())
    }

    fn snapshot(&mut self, out: &mut dyn Write) -> Result<()> {
        self.trap("snapshot");
        out.write_all(&self.acts.to_le_bytes())?;
        Ok(out.write_all(&self.paid.to_le_bytes())?)
    }

    fn restore(&mut self, from: &mut dyn Read) -> Result<()> {
        self.trap("restore");
        let (mut acts, mut paid) = ([0; 8], [0; 8]);
        from.read_exact(&mut acts)?;
        from.read_exact(&mut paid)?;
        self.acts = u64::from_le_bytes(acts);
        self.paid = f64::from_le_bytes(paid);
        Ok(())
    }

    fn weights(&mut self, out: &mut dyn Write) -> Result<()> {
        self.trap("weights");
        Ok(out.write_all(&self.paid.to_le_bytes())?)
    }

    fn set_weights(&mut self, from: &mut dyn Read, groups: &[String]) -> Result<()> {
        self.trap("set_weights");
        let mut paid = [0; 8];
        from.read_exact(&mut paid)?;
        self.paid = f64::from_le_bytes(paid) * groups.len() as f64;
        Ok(())
    }
}

/// Everybody hears the sum of all messages, times one parameter.
pub(crate) struct Sums;

/// No settings.
#[config]
pub(crate) struct SumsConfig {}

/// Sums of the rows, and whether the way back panics.
pub(crate) struct Heard(Vec<f32>, bool);

impl Mechanism for Sums {
    const ID: &'static str = "test/Sums-v0";
    const DESCRIPTION: &'static str = "The sum of all messages";
    type Config = SumsConfig;
    type Saved = Heard;

    fn new(_: &SumsConfig, _: &Place) -> Result<Self> {
        Ok(Self)
    }

    fn describe(&self) -> MechanismDescription {
        MechanismDescription {
            ports: vec![Port::Exchange],
            parameters: vec![palaestra_plugin_api::coordination::Parameter::new(
                "gain",
                &[1],
            )],
            message_width: 1,
            inbox_width: 1,
            ..MechanismDescription::default()
        }
    }

    fn exchange(&self, call: Exchange<'_>) -> Result<Heard> {
        let mut sums = Vec::new();
        for (sent, heard) in call
            .messages
            .chunks_exact(call.agents)
            .zip(call.inbox.chunks_exact_mut(call.agents))
        {
            let sum: f32 = sent.iter().sum();
            heard.fill(sum * call.parameters[0]);
            sums.push(sum);
        }
        Ok(Heard(sums, call.parameters[0] < 0.0))
    }

    fn backward(&self, saved: Heard, call: Backward<'_>) -> Result<()> {
        assert!(!saved.1, "a negative gain");
        for (sum, d) in saved.0.iter().zip(call.d_inbox.chunks_exact(call.agents)) {
            call.d_parameters[0] += sum * d.iter().sum::<f32>();
        }
        Ok(())
    }
}
