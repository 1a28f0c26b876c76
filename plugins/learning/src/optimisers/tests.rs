use super::*;
use crate::golden::{cases, expect, expect_not, number, numbers, read};
use crate::networks::{Activation, Input, Linear, Mlp, Path};
use crate::tensor::{Cpu, GradientTape, matrix, values};
use palaestra_plugin_api::rng::{EnvRng, purpose};

/// Parameters of the given shapes, without a network.
struct Plain(Vec<Parameter<Cpu>>);

impl Plain {
    fn new(all: &[(&[usize], Vec<f32>)]) -> Self {
        let device = Cpu::default();
        Self(
            all.iter()
                .map(|(shape, x)| Parameter::new(&device, shape, x.clone()).unwrap())
                .collect(),
        )
    }

    fn gradients(&self, all: &[f32]) -> Gradients<f32, Cpu> {
        let mut gradients = Gradients::leaky();
        let mut start = 0;
        for parameter in &self.0 {
            Cpu::write_gradient(
                &mut gradients,
                parameter,
                &all[start..start + parameter.len()],
            )
            .unwrap();
            start += parameter.len();
        }
        gradients
    }
}

impl Module<Cpu> for Plain {
    fn visit<'a>(&'a self, at: &Path<'_>, visitor: &mut dyn FnMut(&Path<'_>, &'a Parameter<Cpu>)) {
        for (i, parameter) in self.0.iter().enumerate() {
            visitor(&at.index(i), parameter);
        }
    }

    fn visit_mut<'a>(&'a mut self, visitor: &mut dyn FnMut(&'a mut Parameter<Cpu>)) {
        self.0.iter_mut().for_each(visitor);
    }
}

#[test]
fn golden_adam() {
    let file = read("policy_learning.json");
    let case = &file["optimisers"];
    for (name, epsilon) in [("adam_lr001_eps1e8", 1e-8), ("adam_eps1e5", 1e-5)] {
        let start = numbers(&case["x0"]);
        let mut module = Plain::new(&[(&[start.len()], start)]);
        let mut adam = Adam::new(AdamSettings {
            epsilon,
            ..AdamSettings::default()
        });
        for (gradient, expected) in cases(&case["grads"]).iter().zip(cases(&case[name])) {
            let gradients = module.gradients(&numbers(gradient));
            adam.step(&mut module, gradients, 0.01, None).unwrap();
            expect(name, &module.flat(), expected);
        }
        let wrong = &cases(&case["rmsprop_pytorch_alpha099_eps1e5"])[3];
        assert!(expect_not(
            name,
            &module.flat(),
            &cases(&case[name])[3],
            Some(wrong)
        ));
    }
}

/// Clipped gradients as Adam sees them: after one step m is (1 - β₁)·g, so the first moments show them.
#[test]
fn golden_clipping_by_global_norm() {
    let file = read("policy_learning.json");
    let case = &file["optimisers"]["clip_grad_norm"];
    let gradient = numbers(&case["grads"]);
    let mut module = Plain::new(&[(&[3], vec![0.0; 3]), (&[2, 2], vec![0.0; 4])]);
    let max_grad_norm = f64::from(number(&case["max_norm"]));
    let mut adam = Adam::new(AdamSettings {
        max_grad_norm,
        ..AdamSettings::default()
    });
    let gradients = module.gradients(&gradient);
    let step = adam.step(&mut module, gradients, 0.01, None).unwrap();
    expect("norm", &[step.grad_norm as f32], &case["total_norm"]);
    let seen: Vec<f32> = adam
        .state(&module)
        .unwrap()
        .first
        .iter()
        .map(|m| m / 0.1)
        .collect();
    expect("clipped", &seen, &case["clipped"]);
}

#[test]
fn golden_polyak() {
    let file = read("policy_learning.json");
    let case = &file["optimisers"]["polyak_tau_0_005"];
    let mut target = Plain::new(&[(&[2], numbers(&case["target"]))]);
    let online = Plain::new(&[(&[2], numbers(&case["online"]))]);
    target.follow(&online, 0.005).unwrap();
    expect("target", &target.flat(), &case["result"]);
    assert!(
        target
            .follow(&Plain::new(&[(&[1], vec![0.0])]), 0.1)
            .is_err()
    );
}

fn network() -> Mlp<Cpu> {
    let mut rng = EnvRng::new(5, 0, 0, purpose::INITIALISATION);
    Mlp::orthogonal(
        &Cpu::default(),
        &[4, 8, 2],
        (Activation::Tanh, Activation::Identity),
        0.01,
        &mut rng,
    )
    .unwrap()
}

fn gradients(network: &Mlp<Cpu>, seed: usize) -> Gradients<f32, Cpu> {
    use dfdx::prelude::*;
    let x = (0..12)
        .map(|i| ((i * 7 + seed * 5) % 11) as f32 * 0.2 - 1.0)
        .collect();
    let x = matrix(&Cpu::default(), x, 3, 4).unwrap();
    let y = network
        .forward::<GradientTape<Cpu>>(Input::Data(x))
        .unwrap();
    (y - 0.3).square().mean::<(), _>().backward()
}

/// Saved and restored in the middle, in a network made anew, training goes on with the same bits.
#[test]
fn restored_state_continues_bit_for_bit() {
    let settings = AdamSettings {
        max_grad_norm: 0.1,
        epsilon: 1e-5,
        ..AdamSettings::default()
    };
    let (mut one, mut adam) = (network(), Adam::new(settings));
    for seed in 0..5 {
        let g = gradients(&one, seed);
        adam.step(&mut one, g, 1e-2, None).unwrap();
    }
    let mut two = network();
    two.copy_from(&one).unwrap();
    let text = serde_json::to_string(&adam.state(&one).unwrap()).unwrap();
    let mut restored = Adam::new(settings);
    restored
        .restore(&two, &serde_json::from_str(&text).unwrap())
        .unwrap();
    for seed in 5..10 {
        let (g, h) = (gradients(&one, seed), gradients(&two, seed));
        assert_eq!(
            adam.step(&mut one, g, 1e-2, None).unwrap(),
            restored.step(&mut two, h, 1e-2, None).unwrap()
        );
    }
    assert_eq!(one.flat(), two.flat());
    assert_ne!(one.flat(), network().flat());
    let short = AdamState {
        steps: 1,
        first: vec![0.0],
        second: vec![0.0],
    };
    assert!(restored.restore(&two, &short).is_err());
}

#[test]
fn gradients_pass_once_through_the_reduction() {
    let mut one = network();
    let mut adam = Adam::new(AdamSettings::default());
    let g = gradients(&one, 1);
    let plain = adam.step(&mut one, g, 0.0, None).unwrap().grad_norm;
    let mut calls = 0;
    let mut double = |flat: &mut [f32]| {
        calls += 1;
        flat.iter_mut().for_each(|g| *g *= 2.0);
        Ok(())
    };
    let g = gradients(&one, 1);
    let reduced = adam
        .step(&mut one, g, 1e-3, Some(&mut double))
        .unwrap()
        .grad_norm;
    assert_eq!((calls, reduced), (1, 2.0 * plain));
    let mut failing = |_: &mut [f32]| Err(Error::plugin("lost a rank"));
    let g = gradients(&one, 2);
    let before = one.flat();
    assert!(adam.step(&mut one, g, 1e-3, Some(&mut failing)).is_err());
    assert_eq!(one.flat(), before);
}

#[test]
fn a_gradient_that_is_not_finite_moves_nothing() {
    let mut module = Plain::new(&[(&[2], vec![1.0, 2.0])]);
    let mut adam = Adam::new(AdamSettings::default());
    for bad in [f32::NAN, f32::INFINITY] {
        let gradients = module.gradients(&[0.1, bad]);
        let step = adam.step(&mut module, gradients, 0.1, None).unwrap();
        assert!(!step.applied && !step.grad_norm.is_finite());
    }
    assert_eq!((module.flat(), adam.steps()), (vec![1.0, 2.0], 0));
}

#[test]
fn an_optimiser_moves_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let mut adam = Adam::<Cpu>::new(AdamSettings::default());
    is_send(&adam);
    let mut network = network();
    is_send(&network);
    let moved = std::thread::spawn(move || {
        let g = gradients(&network, 0);
        adam.step(&mut network, g, 1e-3, None)
            .map(|step| step.applied)
    });
    assert!(moved.join().unwrap().unwrap());
}

/// A linear regression with a known answer: the layer finds it.
#[test]
fn adam_finds_a_linear_map() {
    use dfdx::prelude::{Backward, MeanTo};
    let device = Cpu::default();
    let mut rng = EnvRng::new(9, 0, 0, purpose::INITIALISATION);
    let mut layer = Linear::uniform(&device, (2, 1), Activation::Identity, &mut rng).unwrap();
    let mut adam = Adam::new(AdamSettings::default());
    let x: Vec<f32> = (0..64).map(|_| rng.range(-1.0, 1.0) as f32).collect();
    let y: Vec<f32> = x.chunks(2).map(|x| 2.0 * x[0] - 3.0 * x[1] + 0.5).collect();
    for _ in 0..2000 {
        let inputs = matrix(&device, x.clone(), 32, 2).unwrap();
        let targets = matrix(&device, y.clone(), 32, 1).unwrap();
        let predicted = layer
            .forward::<GradientTape<Cpu>>(Input::Data(inputs))
            .unwrap();
        let gradients = (predicted - targets).square().mean::<(), _>().backward();
        adam.step(&mut layer, gradients, 0.02, None).unwrap();
    }
    let found = [values(&layer.weight.values), values(&layer.bias.values)].concat();
    assert!(
        found
            .iter()
            .zip([2.0, -3.0, 0.5])
            .all(|(x, y)| (x - y).abs() < 1e-3),
        "{found:?}"
    );
}
