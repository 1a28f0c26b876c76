//! The exchange against finite differences: rounds in time with a delay line, rounds one after the other, several
//! units, on the fused and on dfdx's own gradients.

use super::*;
use crate::gradient_check::finite_differences;
use crate::networks::{Activation, Input, Linear, Parameter, Path};
use crate::tensor::{Cpu, GradientTape, Scalar, matrix};
use palaestra_plugin_api::{
    __private::MechanismEntry,
    client::{CoordinationHandle, MakeMechanism},
    coordination::{Backward, Mechanism, Parameter as Declared, Place, Port},
    prelude::*,
    rng::purpose,
};

const SENT: usize = 2;
const HEARD: usize = 3;

/// Settings.
#[palaestra_plugin_api::config]
struct DelayConfig {
    /// Whether it refuses to go backwards.
    #[config(default = false)]
    refuses: bool,
}

/// Everybody hears tanh(W·(last step's sum of all messages + a scaled own message)), times a drawn gain.
struct Delay(DelayConfig);

/// What the way back needs.
struct Kept {
    messages: Vec<f32>,
    mixed: Vec<f32>,
    out: Vec<f32>,
    gains: Vec<f32>,
    mask: Vec<u8>,
    parameters: Vec<f32>,
}

impl Mechanism for Delay {
    const ID: &'static str = "test/Delay-v0";
    const DESCRIPTION: &'static str = "A delay line";
    type Config = DelayConfig;
    type Saved = Kept;

    fn new(config: &DelayConfig, _: &Place) -> Result<Self> {
        Ok(Self(config.clone()))
    }

    fn describe(&self) -> MechanismDescription {
        MechanismDescription {
            ports: vec![Port::Exchange],
            parameters: vec![
                Declared::new("weight", &[HEARD, SENT]),
                Declared::new("own", &[1]),
            ],
            message_width: SENT,
            inbox_width: HEARD,
            state_width: SENT,
            extras_width: 1,
            ..MechanismDescription::default()
        }
    }

    fn exchange(&self, call: Exchange<'_>) -> Result<Kept> {
        let (weight, own) = call.parameters.split_at(HEARD * SENT);
        let mut extras = call.extras;
        let gains = extras
            .or_draw(|all| all.iter_mut().for_each(|gain| *gain = 0.5))
            .to_vec();
        let mask = call
            .mask
            .map_or(vec![1; call.rows * call.agents], <[u8]>::to_vec);
        let mut kept = Kept {
            messages: call.messages.to_vec(),
            mixed: vec![0.0; call.messages.len()],
            out: vec![0.0; call.inbox.len()],
            gains,
            mask,
            parameters: call.parameters.to_vec(),
        };
        for row in 0..call.rows {
            for agent in 0..call.agents {
                let at = row * call.agents + agent;
                if kept.mask[at] == 0 {
                    continue;
                }
                for k in 0..SENT {
                    let i = at * SENT + k;
                    kept.mixed[i] = call.state_in[i] + own[0] * call.messages[i];
                    let others = (0..call.agents).filter(|a| kept.mask[row * call.agents + a] != 0);
                    call.state_out[i] = others
                        .map(|a| call.messages[(row * call.agents + a) * SENT + k])
                        .sum();
                }
                for h in 0..HEARD {
                    let sum: f32 = (0..SENT)
                        .map(|k| weight[h * SENT + k] * kept.mixed[at * SENT + k])
                        .sum();
                    kept.out[at * HEARD + h] = sum.tanh();
                    call.inbox[at * HEARD + h] = sum.tanh() * kept.gains[row];
                }
            }
        }
        Ok(kept)
    }

    fn backward(&self, kept: Kept, call: Backward<'_>) -> Result<()> {
        if self.0.refuses {
            return Err(Error::plugin("way back: expected none, found one"));
        }
        let (weight, own) = kept.parameters.split_at(HEARD * SENT);
        for row in 0..call.rows {
            for agent in 0..call.agents {
                let at = row * call.agents + agent;
                if kept.mask[at] == 0 {
                    continue;
                }
                let mut d_mixed = [0.0; SENT];
                for h in 0..HEARD {
                    let y = kept.out[at * HEARD + h];
                    let d = call.d_inbox[at * HEARD + h] * kept.gains[row] * (1.0 - y * y);
                    for (k, d_mixed) in d_mixed.iter_mut().enumerate() {
                        call.d_parameters[h * SENT + k] += d * kept.mixed[at * SENT + k];
                        *d_mixed += d * weight[h * SENT + k];
                    }
                }
                for (k, d_mixed) in d_mixed.into_iter().enumerate() {
                    let i = at * SENT + k;
                    call.d_state_in[i] += d_mixed;
                    call.d_messages[i] += own[0] * d_mixed;
                    call.d_parameters[HEARD * SENT] += d_mixed * kept.messages[i];
                    if let Some(d_state_out) = call.d_state_out {
                        for a in (0..call.agents).filter(|a| kept.mask[row * call.agents + a] != 0)
                        {
                            call.d_messages[(row * call.agents + a) * SENT + k] += d_state_out[i];
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

type Recording = GradientTape<Cpu>;

/// Two units (agents 0 and 2, and agent 1) that speak, hear and speak again.
struct Team {
    speak: [Linear<Cpu>; 2],
    again: Linear<Cpu>,
    learned: ChannelParameters<Cpu>,
}

impl Module<Cpu> for Team {
    fn visit<'a>(&'a self, at: &Path<'_>, visitor: &mut dyn FnMut(&Path<'_>, &'a Parameter<Cpu>)) {
        self.speak.iter().for_each(|layer| layer.visit(at, visitor));
        self.again.visit(at, visitor);
        self.learned.visit(&at.part("mechanism"), visitor);
    }

    fn visit_mut<'a>(&'a mut self, visitor: &mut dyn FnMut(&'a mut Parameter<Cpu>)) {
        self.speak
            .iter_mut()
            .for_each(|layer| layer.visit_mut(visitor));
        self.again.visit_mut(visitor);
        self.learned.visit_mut(visitor);
    }
}

const STEPS: usize = 4;
const COLUMNS: usize = 2;
const ROWS: usize = STEPS * COLUMNS;
const PLACES: [&[usize]; 2] = [&[0, 2], &[1]];

fn handle(refuses: bool) -> CoordinationHandle {
    let spec = EnvironmentSpec::new("team", 3, Space::real(2), Space::discrete(2));
    let what = MakeMechanism {
        config: palaestra_plugin_api::serde_json::json!({"refuses": refuses}),
        ..MakeMechanism::new(Delay::ID, spec)
    };
    CoordinationHandle::in_process(&MechanismEntry::of::<Delay>(), &what).unwrap()
}

fn team(channel: &Channel) -> Team {
    let (device, mut rng) = (Cpu::default(), EnvRng::new(1, 0, 0, purpose::CHECK));
    let mut layer = |inputs| {
        let linear = Activation::Tanh;
        Linear::uniform(&device, (inputs, SENT), linear, &mut rng).unwrap()
    };
    let (speak, again) = ([layer(4), layer(4)], layer(HEARD));
    let learned = ChannelParameters::new(&device, channel.description(), &mut rng).unwrap();
    Team {
        speak,
        again,
        learned,
    }
}

fn numbers(count: usize, stream: u64) -> Vec<f32> {
    let mut rng = EnvRng::new(2, stream, 0, purpose::CHECK);
    (0..count).map(|_| rng.range(-1.0, 1.0) as f32).collect()
}

/// Two rounds of messages over four steps, the second made of what the first brought; Σ inbox·c.
fn loss(team: &Team, channel: &Channel) -> Scalar<Cpu, Recording> {
    let device = Cpu::default();
    let mut mask = vec![1; ROWS * 3];
    mask[4] = 0;
    let mut first = vec![0; ROWS * 3];
    first[13] = 1;
    let (keys, gains, state) = (
        vec![0; ROWS],
        numbers(ROWS, 7),
        numbers(COLUMNS * 3 * SENT, 8),
    );
    let recorded = Recorded {
        steps: STEPS,
        mask: &mask,
        keys: &keys,
        extras: &gains,
        context: None,
        state: &state,
        first: &first,
    };
    let outboxes = |messages: Vec<Matrix<Cpu, Recording>>| {
        let all = messages.into_iter().zip(PLACES);
        all.map(|(messages, places)| Outbox { messages, places })
            .collect()
    };
    let said = PLACES
        .iter()
        .zip(&team.speak)
        .zip(3..)
        .map(|((places, layer), stream)| {
            let rows = ROWS * places.len();
            let x = matrix(&device, numbers(rows * 4, stream), rows, 4).unwrap();
            layer.forward::<Recording>(Input::Data(x)).unwrap()
        });
    let heard = channel
        .exchange(&team.learned, outboxes(said.collect()), &recorded)
        .unwrap();
    let answers = heard
        .into_iter()
        .map(|inbox| team.again.forward(Input::Traced(inbox)).unwrap());
    let heard = channel
        .exchange(&team.learned, outboxes(answers.collect()), &recorded)
        .unwrap();
    let parts = heard.into_iter().zip(20..).map(|(inbox, stream)| {
        let (rows, columns) = *inbox.shape();
        let values = values(&inbox);
        let weights = numbers(rows * columns, stream);
        let sums = values.chunks(columns).zip(weights.chunks(columns));
        let sums = sums
            .map(|(v, w)| v.iter().zip(w).map(|(v, w)| v * w).sum())
            .collect();
        let sums = crate::tensor::rows_with_gradient(inbox, sums, weights).unwrap();
        let total = values_of(&sums).iter().sum();
        let ones = vec![1.0; rows];
        (
            1.0,
            crate::tensor::mean_with_gradient(sums, total, ones).unwrap(),
        )
    });
    crate::tensor::combine(parts).unwrap()
}

fn values_of<T>(x: &crate::tensor::Vector<Cpu, T>) -> Vec<f32> {
    values(x)
}

#[test]
fn gradients_through_rounds_and_steps_equal_finite_differences() {
    let handle = handle(false);
    let channel = Channel::new(handle.port(), 3);
    let mut team = team(&channel);
    let (_, mut gradients) = crate::tensor::backward(loss(&team, &channel)).unwrap();
    channel.checked().unwrap();
    let mut found = Vec::new();
    for parameter in team.parameters() {
        let mut part = vec![0.0; parameter.len()];
        Cpu::read_gradient(&mut gradients, parameter, &mut part).unwrap();
        found.extend(part);
    }
    let start = team.flat();
    assert_eq!(start.len(), 2 * 10 + 8 + 7);
    finite_differences("exchange", &start, &found, &mut |at| {
        team.set_flat(at).unwrap();
        f64::from(values(&loss(&team, &channel))[0])
    });
}

/// What acting hears is what learning hears, bit for bit.
#[test]
fn a_recorded_round_equals_the_round_itself() {
    let handle = handle(false);
    let channel = Channel::new(handle.port(), 3);
    let team = team(&channel);
    let messages = numbers(2 * 3 * SENT, 30);
    let (mut inbox, mut state_out, mut extras) =
        (vec![0.0; 2 * 3 * HEARD], vec![0.0; 12], vec![0.0; 2]);
    let state = numbers(12, 31);
    channel
        .infer(Round {
            parameters: &team.learned.flat(),
            messages: &messages,
            mask: &[1; 6],
            context: None,
            state_in: &state,
            keys: &[1, 2],
            extras: &mut extras,
            inbox: &mut inbox,
            state_out: &mut state_out,
        })
        .unwrap();
    let places: Vec<usize> = (0..3).collect();
    let outbox = Outbox {
        messages: matrix(&Cpu::default(), messages, 6, SENT).unwrap(),
        places: &places,
    };
    let recorded = Recorded {
        steps: 1,
        mask: &[1; 6],
        keys: &[1, 2],
        extras: &extras,
        context: None,
        state: &state,
        first: &[0; 6],
    };
    let again = channel
        .exchange(&team.learned, vec![outbox], &recorded)
        .unwrap();
    assert_eq!(values(&again[0]), inbox);
    assert_eq!(extras, [0.5; 2]);
}

#[test]
fn a_refusal_on_the_way_back_is_told_and_wrong_sizes_are_errors() {
    let handle = handle(true);
    let channel = Channel::new(handle.port(), 3);
    let team = team(&channel);
    crate::tensor::backward(loss(&team, &channel)).unwrap();
    let error = channel.checked().unwrap_err();
    assert!(error.message.contains("way back: expected none"), "{error}");
    channel.checked().unwrap();
    let outbox = Outbox {
        messages: matrix(&Cpu::default(), vec![0.0; 6], 3, SENT).unwrap(),
        places: &[0, 1],
    };
    let recorded = Recorded {
        steps: 1,
        mask: &[1; 6],
        keys: &[1, 2],
        extras: &[0.0; 2],
        context: None,
        state: &[0.0; 12],
        first: &[0; 6],
    };
    let error = channel
        .exchange(&team.learned, vec![outbox], &recorded)
        .err()
        .unwrap();
    assert!(
        error.message.contains("expected messages [4, 2]"),
        "{error}"
    );
}

/// Devices without operations of their own add gradients through dfdx.
#[test]
fn composite_gradients_add_like_fused_ones() {
    use crate::composite;
    let device = Cpu::default();
    let x = matrix(&device, numbers(6, 1), 2, 3).unwrap();
    let mut gradients = dfdx::prelude::Gradients::leaky();
    for values in [numbers(6, 2), numbers(6, 3)] {
        composite::add_gradient(&mut gradients, &x, values).unwrap();
    }
    let sums: Vec<f32> = numbers(6, 2)
        .iter()
        .zip(numbers(6, 3))
        .map(|(a, b)| a + b)
        .collect();
    assert_eq!(composite::gradient_of(&mut gradients, &x).unwrap(), sums);
}
