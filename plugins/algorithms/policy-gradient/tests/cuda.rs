//! Learning on CUDA: what it computes, and what is said where there is no GPU.
#![cfg(feature = "cuda")]

mod common;
#[path = "common/mechanism.rs"]
mod mechanism;
#[path = "common/noise.rs"]
mod noise;

use common::{Gym, World};
use mechanism::Echo;
use noise::Noise;
use palaestra_learning::weights;
use palaestra_plugin_api::{
    ErrorKind,
    prelude::*,
    serde_json::{Value, json},
};
use policy_gradient::Ppo;

fn config(device: &str, more: &Value) -> Value {
    let mut config = json!({
        "num_steps": 16, "sequence_length": 4, "hidden": [16], "num_minibatches": 2, "update_epochs": 3,
        "ent_coef": 0.1, "adam_eps": 1e-3, "lr": 1e-3, "device": device,
    });
    config
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    config
}

fn gym(device: &str, more: &Value, delays: Option<bool>) -> Result<Gym<Noise>> {
    let mechanism = delays.map(|delays| Echo::handle(Noise::spec(), delays));
    Gym::try_new::<Ppo>(config(device, more), 6, mechanism.as_ref())
}

#[test]
fn a_missing_gpu_is_one_line_and_nothing_falls_back() {
    // No machine has so many.
    for device in ["cuda:0", "cuda:4096"] {
        let Err(error) = gym(device, &json!({}), None) else {
            assert_eq!(device, "cuda:0");
            continue;
        };
        let (line, start) = (&error.message, format!("device: expected {device}, found "));
        assert!(line.contains(&start) && !line.contains('\n'), "{line}");
        assert!(
            line.ends_with("; use device = \"cpu\" or \"auto\""),
            "{line}"
        );
        assert_eq!(error.kind, ErrorKind::Config);
    }
    for device in ["cpu", "auto"] {
        let mut gym = gym(device, &json!({}), None).unwrap();
        assert!(gym.update()["grad_norm"] > 0.0);
    }
}

#[test]
fn an_update_on_cuda_equals_one_on_the_cpu() {
    if let Err(error) = gym("cuda:0", &json!({}), None) {
        eprintln!("skipped: {error}");
        return;
    }
    for (more, delays) in [
        (json!({}), None),
        (json!({"recurrent": 8}), None),
        (json!({"shared_trunk": true, "recurrent": 8}), Some(true)),
        (
            json!({"critic": "central", "huber_delta": 0.5, "value_norm": true}),
            Some(false),
        ),
    ] {
        let [mut cpu, mut cuda] = ["cpu", "cuda:0"].map(|on| gym(on, &more, delays).unwrap());
        for update in 0..2 {
            let (a, b) = (cpu.update(), cuda.update());
            for (name, a) in &a {
                let b = b[name];
                assert!(
                    (a - b).abs() < 1e-3 * (1.0 + a.abs()),
                    "{more} {update} {name}: {a}, {b}"
                );
            }
        }
        let read = |bytes: &[u8]| weights::from_bytes(bytes).unwrap().0;
        let (on_cpu, on_cuda) = (read(&cpu.weights()), read(&cuda.weights()));
        for (name, one) in on_cpu {
            for (a, b) in one.values.iter().zip(&on_cuda[&name].values) {
                assert!(
                    (a - b).abs() < 1e-3 * (1.0 + a.abs()),
                    "{more} {name}: {a}, {b}"
                );
            }
        }
        // A snapshot says all, on either device.
        let saved = cuda.snapshot();
        for device in ["cpu", "cuda:0"] {
            let mut other = gym(device, &more, delays).unwrap();
            other.handle.restore(&mut saved.as_slice()).unwrap();
            assert!(other.snapshot() == saved, "{more}: restored on {device}");
        }
    }
}
