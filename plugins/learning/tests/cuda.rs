//! CUDA computes what the CPU does. Skipped with a line where there is no GPU.
#![cfg(feature = "cuda")]

use dfdx::prelude::*;
use palaestra_learning::{
    device::{Backend, DeviceName, Family, Placed},
    networks::{Activation, Gru, Input, Mlp, Module},
    optimisers::{Adam, AdamSettings},
    tensor::{self, GradientTape, Matrix, Scalar},
};
use palaestra_plugin_api::{
    Result,
    rng::{EnvRng, purpose},
};

fn data(count: usize, stream: u64) -> Vec<f32> {
    let mut rng = EnvRng::new(3, stream, 0, purpose::CHECK);
    (0..count).map(|_| rng.range(-1.0, 1.0) as f32).collect()
}

/// Σ y·c for fixed numbers c.
fn weighted<D: Backend>(y: Matrix<D, GradientTape<D>>) -> Result<Scalar<D, GradientTape<D>>> {
    let (rows, columns) = *y.shape();
    let y = y.reshape_like(&(rows * columns,));
    let (c, value) = (data(rows * columns, 99), tensor::values(&y));
    let sum = value.iter().zip(&c).map(|(y, c)| y * c).sum();
    tensor::mean_with_gradient(y, sum, c)
}

fn gradients<D: Backend>(
    module: &impl Module<D>,
    loss: Scalar<D, GradientTape<D>>,
) -> Result<Vec<f32>> {
    let (_, mut gradients) = tensor::backward(loss)?;
    let mut all = Vec::new();
    for parameter in module.parameters() {
        let mut part = vec![0.0; parameter.len()];
        D::read_gradient(&mut gradients, parameter, &mut part)?;
        all.extend(part);
    }
    Ok(all)
}

/// Outputs and gradients of all that a network is made of, and what Adam makes of them.
fn numbers<D: Backend>(device: &D) -> Result<Vec<(&'static str, Vec<f32>)>> {
    let mut found = Vec::new();
    let mut rng = EnvRng::new(5, 0, 0, purpose::INITIALISATION);
    let x = |rows, width, stream| tensor::matrix(device, data(rows * width, stream), rows, width);

    for (activation, names) in [
        (Activation::Tanh, ["tanh", "its gradient"]),
        (Activation::Relu, ["relu", "its gradient"]),
    ] {
        let sizes = [7, 19, 33, 5];
        let mlp = Mlp::uniform(device, &sizes, (activation, Activation::Identity), &mut rng)?;
        let y = mlp.forward::<GradientTape<D>>(Input::Data(x(37, 7, 1)?))?;
        found.push((names[0], tensor::values(&y)));
        found.push((names[1], gradients(&mlp, weighted(y)?)?));
    }

    let (steps, n) = (4, 3);
    let first = [0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0];
    let gru = Gru::uniform(device, 7, 11, &mut rng)?;
    let (input, hidden) = (Input::Data(x(steps * n, 7, 2)?), Input::Data(x(n, 11, 3)?));
    let y = gru.unroll::<GradientTape<D>>(input, hidden, Some(&first))?;
    found.push(("gru", tensor::values(&y)));
    found.push(("its gradient", gradients(&gru, weighted(y)?)?));

    let mut mlp = Mlp::uniform(
        device,
        &[7, 6, 4],
        (Activation::Tanh, Activation::Tanh),
        &mut rng,
    )?;
    let (one, two) = tensor::fork(mlp.forward::<GradientTape<D>>(Input::Data(x(5, 7, 4)?))?);
    let two = tensor::pointwise_with_gradient(two, data(20, 5), data(20, 6))?;
    let rows = tensor::rows_with_gradient(one, data(5, 7), data(20, 8))?;
    found.push(("rows", tensor::values(&rows)));
    let y = tensor::beside(two, rows.reshape_like(&(5, 1)))?;
    found.push(("beside", tensor::values(&y)));
    found.push(("their gradient", gradients(&mlp, weighted(y)?)?));

    let row = Mlp::uniform(
        device,
        &[2, 3],
        (Activation::Tanh, Activation::Tanh),
        &mut rng,
    )?;
    let bias = row.layers()[0].bias.as_vector::<GradientTape<D>>();
    let wide = tensor::repeated(bias, 4)?;
    found.push(("repeated", tensor::values(&wide)));
    found.push(("its gradient", gradients(&row, weighted(wide)?)?));

    let mut adam = Adam::new(AdamSettings {
        epsilon: 1e-3,
        max_grad_norm: 0.5,
        ..AdamSettings::default()
    });
    for step in 0..4 {
        let y = mlp.forward::<GradientTape<D>>(Input::Data(x(5, 7, 10 + step)?))?;
        let (_, gradients) = tensor::backward(weighted(y)?)?;
        assert!(adam.step(&mut mlp, gradients, 1e-2, None)?.applied);
    }
    found.push(("after four steps", mlp.flat()));
    let state = adam.state(&mlp)?;
    adam.restore(&mlp, &state)?;
    assert_eq!(adam.state(&mlp)?, state, "a state that is put back");
    found.push(("first moments", state.first));
    found.push(("second moments", state.second));
    Ok(found)
}

/// The numbers of each device.
enum Numbers {}

impl Family for Numbers {
    type From<'a> = ();
    type On<D: Backend> = Vec<(&'static str, Vec<f32>)>;
    type Face = [(&'static str, Vec<f32>)];

    fn make<D: Backend>(device: D, (): ()) -> Result<Vec<(&'static str, Vec<f32>)>> {
        numbers(&device)
    }
    fn face<D: Backend>(numbers: &Self::On<D>) -> &Self::Face {
        numbers
    }
    fn face_mut<D: Backend>(numbers: &mut Self::On<D>) -> &mut Self::Face {
        numbers
    }
}

#[test]
fn cuda_equals_cpu() {
    let of = |name| Placed::<Numbers>::new(name, (), |_| ());
    let on_cuda = match of(DeviceName::Cuda(0)) {
        Err(error) if error.message.starts_with("device: expected cuda:0") => {
            eprintln!("skipped: {error}");
            return;
        }
        found => found.unwrap(),
    };
    let on_cpu = of(DeviceName::Cpu).unwrap();
    for ((name, cuda), (_, cpu)) in on_cuda.get().iter().zip(on_cpu.get()) {
        assert_eq!(cuda.len(), cpu.len(), "{name}");
        assert!(cpu.iter().any(|x| *x != 0.0), "{name}: nothing to compare");
        for (a, b) in cuda.iter().zip(cpu) {
            assert!(
                (a - b).abs() < 1e-5 * (1.0 + b.abs()),
                "{name}: {a} on cuda, {b} on cpu"
            );
        }
    }
}
