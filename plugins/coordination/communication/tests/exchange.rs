//! The broadcast through its vtable: by hand, masks, and the way back against finite differences.

use communication::Broadcast;
use palaestra_plugin_api::{
    __private::MechanismEntry,
    client::{CoordinationHandle, ExchangePort, MakeMechanism},
    coordination::{Exchange, Extras, Gradients, Mechanism as _, OpenExchange},
    prelude::*,
    rng::purpose,
    serde_json::{Value, json},
};

fn make(config: Value) -> Result<CoordinationHandle> {
    let spec = EnvironmentSpec::new("team", 3, Space::real(2), Space::discrete(2));
    let what = MakeMechanism {
        config,
        ..MakeMechanism::new(Broadcast::ID, spec)
    };
    CoordinationHandle::in_process(&MechanismEntry::of::<Broadcast>(), &what)
}

/// Arguments and result of one exchange.
#[derive(Clone)]
struct Call {
    agents: usize,
    parameters: Vec<f32>,
    messages: Vec<f32>,
    mask: Option<Vec<u8>>,
    inbox: Vec<f32>,
}

impl Call {
    /// Normal messages and parameters.
    fn new(port: &ExchangePort, rows: usize, agents: usize, seed: u64) -> Self {
        let d = port.description();
        let mut rng = EnvRng::new(seed, 0, 0, purpose::CHECK);
        let mut normal = |n: usize| (0..n).map(|_| rng.normal() as f32).collect();
        Self {
            agents,
            parameters: normal(d.parameters_len()),
            messages: normal(rows * agents * d.message_width),
            mask: None,
            inbox: vec![f32::NAN; rows * agents * d.inbox_width],
        }
    }

    fn run(&mut self, port: &ExchangePort, save: bool) -> Option<OpenExchange> {
        let rows = self.messages.len() / self.agents / port.description().message_width;
        port.exchange(Exchange {
            rows,
            agents: self.agents,
            parameters: &self.parameters,
            messages: &self.messages,
            mask: self.mask.as_deref(),
            context: None,
            state_in: &[],
            keys: &vec![0; rows],
            extras: Extras::Draw(&mut []),
            save,
            inbox: &mut self.inbox,
            state_out: &mut [],
        })
        .unwrap()
    }
}

#[test]
fn everybody_hears_the_mean_of_the_others() {
    let handle = make(json!({"message_width": 2, "inbox_width": 1})).unwrap();
    let mut call = Call {
        agents: 3,
        // inbox = 1·c₀ + 10·c₁ + 0.5
        parameters: vec![1.0, 10.0, 0.5],
        messages: [1.0, 0.0, 2.0, 4.0, 6.0, 2.0].repeat(3),
        mask: Some(vec![1, 1, 1, 1, 0, 1, 0, 1, 0]),
        inbox: vec![f32::NAN; 9],
    };
    call.run(&handle.port(), false);
    let everybody = [34.5, 14.0, 22.0];
    let without_the_second = [26.5, 0.0, 1.5];
    let the_second_alone = [0.0, 0.5, 0.0];
    assert_eq!(
        call.inbox,
        [everybody, without_the_second, the_second_alone].concat()
    );
}

#[test]
fn backward_is_the_slope_of_exchange() {
    let handle = make(json!({"message_width": 3, "inbox_width": 4})).unwrap();
    let port = handle.port();
    for (seed, agents) in [(1, 3), (2, 2), (3, 1), (4, 5)] {
        let mut call = Call::new(&port, 4, agents, seed);
        // All take part, one is dead, nobody takes part, one is alone.
        let mut mask = vec![1; 4 * agents];
        mask[agents] = 0;
        mask[2 * agents..].fill(0);
        mask[4 * agents - 1] = 1;
        call.mask = (seed != 2).then_some(mask);
        let d_inbox: Vec<f32> = (0..call.inbox.len())
            .map(|i| (i as f32 * 0.7).sin())
            .collect();
        let open = call.run(&port, true).expect("saved");
        let mut d_messages = vec![f32::NAN; call.messages.len()];
        // What other calls have added stays.
        let mut d_parameters = vec![2.0; call.parameters.len()];
        open.backward(Gradients {
            d_inbox: &d_inbox,
            d_state_out: None,
            d_messages: &mut d_messages,
            d_state_in: &mut [],
            d_parameters: &mut d_parameters,
        })
        .unwrap();
        let loss = |call: &mut Call| -> f64 {
            call.run(&port, false);
            let both = call.inbox.iter().zip(&d_inbox);
            both.map(|(y, d)| f64::from(*y) * f64::from(*d)).sum()
        };
        // The exchange is linear in each argument: the central difference is exact but for rounding.
        let slope = |at: &dyn Fn(&mut Call) -> &mut f32| {
            let moved = |by: f32| {
                let mut call = call.clone();
                *at(&mut call) += by;
                loss(&mut call)
            };
            (moved(0.5) - moved(-0.5)) as f32
        };
        for (i, exact) in d_messages.iter().enumerate() {
            let slope = slope(&|c| &mut c.messages[i]);
            assert!(
                (exact - slope).abs() < 1e-5,
                "message {i}: {exact}, {slope}"
            );
        }
        for (i, exact) in d_parameters.iter().enumerate() {
            let (exact, slope) = (exact - 2.0, slope(&|c| &mut c.parameters[i]));
            assert!(
                (exact - slope).abs() < 1e-5,
                "parameter {i}: {exact}, {slope}"
            );
        }
        let learns = |d: &[f32]| d.iter().any(|d| d.abs() > 0.05);
        assert_eq!(learns(&d_messages), agents > 1);
        assert!(learns(&d_parameters));
    }
}

#[test]
fn rows_are_independent_of_each_other() {
    let handle = make(json!({})).unwrap();
    let port = handle.port();
    let mut all = Call::new(&port, 6, 3, 1);
    all.run(&port, false);
    let mut part = all.clone();
    part.messages.drain(..3 * 3 * 16);
    part.inbox.drain(..3 * 3 * 16);
    let expected = part.inbox.clone();
    part.inbox.fill(f32::NAN);
    part.run(&port, false);
    assert_eq!(part.inbox, expected);
}

#[test]
fn the_description_declares_parameters_widths_and_volume() {
    let handle = make(json!({"message_width": 8, "inbox_width": 5})).unwrap();
    let d = handle.description();
    assert_eq!((d.message_width, d.inbox_width, d.state_width), (8, 5, 0));
    assert_eq!(
        (d.range("weight"), d.range("bias")),
        (Some(0..40), Some(40..45))
    );
    // Each of four agents sends 8 values, heard by three.
    assert_eq!(d.volume.of(4), 32.0);
    let start = d.initial_parameters(&mut EnvRng::new(1, 0, 0, purpose::INITIALISATION));
    let bound = 8_f32.sqrt().recip();
    assert!(start[..40].iter().all(|w| w.abs() <= bound && *w != 0.0));
    assert_eq!(start[40..], [0.0; 5]);
    let error = make(json!({"message_width": 0})).err().unwrap();
    let expected = "/message_width: expected 1 ≤ x ≤ 4096, found 0";
    assert!(error.message.ends_with(expected), "{error}");
}
