//! `backward` is the derivative of `exchange`, through the vtable and for many open exchanges.

use palaestra_plugin_api::{
    abi::{NO_GROUP, id},
    coordination::{Exchange, ExchangePort, Gradients, OpenExchange},
    table::Table,
};
use serde_json::json;

use super::{AGENTS, Call, ROWS, make};

/// Gradients of one call.
#[derive(Clone, Debug, PartialEq)]
struct Back {
    messages: Vec<f32>,
    state: Vec<f32>,
    parameters: Vec<f32>,
}

/// The loss is `Σ inbox · d_inbox + Σ state_out · d_state`.
struct Loss {
    d_inbox: Vec<f32>,
    d_state: Vec<f32>,
}

impl Loss {
    fn new(call: &Call) -> Self {
        let wave = |n: usize, step: f32| (0..n).map(|i| (i as f32 * step).sin()).collect();
        Self {
            d_inbox: wave(call.inbox.len(), 0.7),
            d_state: wave(call.state_out.len(), 1.3),
        }
    }

    fn of(&self, call: &Call) -> f64 {
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter()
                .zip(b)
                .map(|(x, y)| f64::from(*x) * f64::from(*y))
                .sum()
        };
        dot(&call.inbox, &self.d_inbox) + dot(&call.state_out, &self.d_state)
    }

    fn back(&self, open: OpenExchange, call: &Call) -> Back {
        let mut back = Back {
            messages: vec![f32::NAN; call.messages.len()],
            state: vec![f32::NAN; call.state_in.len()],
            parameters: vec![0.0; call.parameters.len()],
        };
        open.backward(Gradients {
            d_inbox: &self.d_inbox,
            d_state_out: Some(&self.d_state),
            d_messages: &mut back.messages,
            d_state_in: &mut back.state,
            d_parameters: &mut back.parameters,
        })
        .unwrap();
        back
    }
}

fn run(port: &ExchangePort, call: &mut Call, replay: bool) -> OpenExchange {
    let open = port.exchange(call.exchange(replay, true)).unwrap();
    open.expect("saved")
}

/// The central difference of the loss by one argument.
fn slope(port: &ExchangePort, call: &Call, loss: &Loss, at: impl Fn(&mut Call) -> &mut f32) -> f32 {
    let step = 1e-2;
    let moved = |by: f32| {
        let mut call = call.clone();
        *at(&mut call) += by;
        assert!(port.exchange(call.exchange(true, false)).unwrap().is_none());
        loss.of(&call)
    };
    ((moved(step) - moved(-step)) / (2.0 * f64::from(step))) as f32
}

#[test]
fn backward_is_the_slope_of_exchange() {
    let handle = make(json!({"loss": 0.3})).unwrap();
    let port = handle.port();
    for seed in 1..6 {
        let mut call = Call::new(&port, seed);
        // One agent is silent in one row.
        call.mask = Some((0..ROWS * AGENTS).map(|i| u8::from(i != 4)).collect());
        let open = run(&port, &mut call, false);
        let loss = Loss::new(&call);
        let back = loss.back(open, &call);
        let near = |exact: f32, slope: f32, what: &str, i: usize| {
            assert!(
                (exact - slope).abs() < 2e-3,
                "{what} {i}: {exact} is not {slope}"
            );
        };
        for i in 0..call.messages.len() {
            let slope = slope(&port, &call, &loss, |c| &mut c.messages[i]);
            near(back.messages[i], slope, "message", i);
        }
        for i in 0..call.state_in.len() {
            let slope = slope(&port, &call, &loss, |c| &mut c.state_in[i]);
            near(back.state[i], slope, "state", i);
        }
        for i in 0..call.parameters.len() {
            let slope = slope(&port, &call, &loss, |c| &mut c.parameters[i]);
            near(back.parameters[i], slope, "parameter", i);
        }
        assert!(
            back.messages.iter().any(|d| d.abs() > 0.01),
            "a gradient of nothing"
        );
        assert_eq!(
            back.messages[4 * 3..5 * 3],
            [0.0; 3],
            "nobody hears the silent one"
        );
    }
}

#[test]
fn exchanges_stay_open_while_others_run_and_parameters_move() {
    let handle = make(json!({"loss": 0.2})).unwrap();
    let port = handle.port();
    let mut calls: Vec<Call> = (1..=5).map(|seed| Call::new(&port, seed)).collect();
    let one_by_one: Vec<Back> = calls
        .iter_mut()
        .map(|call| {
            let open = run(&port, call, false);
            Loss::new(call).back(open, call)
        })
        .collect();
    let mut open: Vec<Option<OpenExchange>> = calls
        .iter_mut()
        .map(|call| Some(run(&port, call, true)))
        .collect();
    // Every call had parameters of its own; the way back uses those.
    for i in [3, 0, 4, 1, 2] {
        let back = Loss::new(&calls[i]).back(open[i].take().unwrap(), &calls[i]);
        assert_eq!(back, one_by_one[i], "exchange {i}");
    }
}

#[test]
fn parameter_gradients_add_up_and_absent_ones_are_zero() {
    let handle = make(json!({})).unwrap();
    let port = handle.port();
    let mut call = Call::new(&port, 1);
    let loss = Loss::new(&call);
    let back = |d_state_out: Option<&[f32]>, d_parameters: &mut [f32], call: &mut Call| {
        let mut messages = vec![0.0; call.messages.len()];
        let mut state = vec![0.0; call.state_in.len()];
        let gradients = Gradients {
            d_inbox: &loss.d_inbox,
            d_state_out,
            d_messages: &mut messages,
            d_state_in: &mut state,
            d_parameters,
        };
        run(&port, call, false).backward(gradients).unwrap();
        messages
    };
    let mut once = vec![0.0; call.parameters.len()];
    let absent = back(None, &mut once, &mut call);
    let mut again = once.clone();
    let zero = vec![0.0; call.state_out.len()];
    assert_eq!(back(Some(&zero), &mut again, &mut call), absent);
    let twice: Vec<f32> = once.iter().map(|x| x + x).collect();
    for (sum, twice) in again.iter().zip(&twice) {
        assert!((sum - twice).abs() < 1e-5, "{sum} is not {twice}");
    }
}

#[test]
fn a_replayed_channel_is_the_channel_that_was_drawn() {
    let handle = make(json!({"loss": 0.5})).unwrap();
    let port = handle.port();
    let mut drawn = Call::new(&port, 9);
    port.exchange(drawn.exchange(false, false)).unwrap();
    assert!(
        drawn.extras.contains(&1.0) && drawn.extras.contains(&0.0),
        "{:?}",
        drawn.extras
    );
    let mut replayed = drawn.clone();
    // Other keys would draw another channel.
    replayed.keys.iter_mut().for_each(|key| *key += 1000);
    port.exchange(replayed.exchange(true, false)).unwrap();
    assert_eq!(replayed.inbox, drawn.inbox);
    port.exchange(replayed.exchange(false, false)).unwrap();
    assert_ne!(replayed.inbox, drawn.inbox);
}

#[test]
fn the_context_reaches_the_mechanism() {
    let handle = make(json!({})).unwrap();
    let port = handle.port();
    let mut call = Call::new(&port, 4);
    // Agent 1 is far away in row 2: as if it did not take part.
    call.mask = Some((0..ROWS * AGENTS).map(|i| u8::from(i != 7)).collect());
    port.exchange(call.exchange(false, false)).unwrap();
    let masked = call.inbox.clone();
    call.mask = None;
    port.exchange(call.exchange(false, false)).unwrap();
    assert_ne!(call.inbox, masked);
    let distance: Vec<f32> = (0..ROWS * AGENTS)
        .map(|i| f32::from(u8::from(i == 7)))
        .collect();
    let mut context = Table::new();
    context
        .add(id::STATE, NO_GROUP, &[1, ROWS, AGENTS], &distance)
        .unwrap();
    let exchange = Exchange {
        context: Some(&context),
        ..call.exchange(false, false)
    };
    port.exchange(exchange).unwrap();
    assert_eq!(call.inbox, masked);
    let mut short = Table::new();
    short
        .add(
            id::STATE,
            NO_GROUP,
            &[1, ROWS - 1, 1],
            &distance[..ROWS - 1],
        )
        .unwrap();
    let exchange = Exchange {
        context: Some(&short),
        ..call.exchange(false, false)
    };
    let error = port.exchange(exchange).unwrap_err();
    assert!(
        error
            .message
            .ends_with("(exchange): context: expected 4 rows, found 3"),
        "{error}"
    );
}
