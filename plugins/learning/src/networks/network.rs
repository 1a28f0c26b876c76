//! Hidden layers, a memory, an output layer: what most policies and critics are.

use palaestra_plugin_api::Result;
use palaestra_plugin_api::rng::EnvRng;

use super::frozen::{FrozenGru, FrozenMlp};
use super::{Activation, Dense, Gru, Input, Linear, Module, Parameter, Path};
use crate::device::Backend;
use crate::kernels::scratch;
use crate::tensor::{self, Matrix, Merge, Tape};

/// Sizes of a [`Network`].
#[derive(Clone, Copy, Debug)]
pub struct NetworkShape<'a> {
    /// Width of the input.
    pub inputs: usize,
    /// Widths of the hidden layers, maybe none.
    pub hidden: &'a [usize],
    /// What the hidden layers do.
    pub activation: Activation,
    /// Width of the GRU behind them; 0 for none.
    pub memory: usize,
    /// Width of the output layer and the gain of its initial weights; none: what comes out of the rest.
    pub output: Option<(usize, f64)>,
}

/// Hidden layers, then a GRU, then a linear output, each of which may be missing.
#[derive(Debug)]
pub struct Network<D: Backend> {
    hidden: Vec<Linear<D>>,
    memory: Option<Gru<D>>,
    output: Option<Linear<D>>,
    inputs: usize,
}

/// What a network with a memory needs besides its input, where the input's rows are `[steps·n]`, time-major.
#[derive(Clone, Copy, Debug)]
pub struct Recurrence<'a> {
    /// The state in front of the first step, `[n, width]`.
    pub state: &'a [f32],
    /// 1 where an episode starts, and the state is cleared, `[steps·n]`.
    pub first: &'a [u8],
}

impl<D: Backend> Network<D> {
    /// Orthogonal weights with gain √2 in hidden layers, biases of zero (see [`Mlp::orthogonal`](super::Mlp)).
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn orthogonal(device: &D, shape: &NetworkShape<'_>, rng: &mut EnvRng) -> Result<Self> {
        let mut width = shape.inputs;
        let mut hidden = Vec::with_capacity(shape.hidden.len());
        for &next in shape.hidden {
            let gain = std::f64::consts::SQRT_2;
            hidden.push(Linear::orthogonal(
                device,
                (width, next),
                shape.activation,
                gain,
                rng,
            )?);
            width = next;
        }
        let mut memory = None;
        if shape.memory > 0 {
            memory = Some(Gru::orthogonal(device, width, shape.memory, rng)?);
            width = shape.memory;
        }
        let output = match shape.output {
            None => None,
            Some((outputs, gain)) => Some(Linear::orthogonal(
                device,
                (width, outputs),
                Activation::Identity,
                gain,
                rng,
            )?),
        };
        Ok(Self {
            hidden,
            memory,
            output,
            inputs: shape.inputs,
        })
    }

    /// Width of the input.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Width of the state of the memory; 0 without one.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.memory.as_ref().map_or(0, Gru::width)
    }

    /// Width of what comes out.
    #[must_use]
    pub fn outputs(&self) -> usize {
        match (&self.output, &self.memory, self.hidden.last()) {
            (Some(output), _, _) => output.dense().outputs(),
            (None, Some(memory), _) => memory.width(),
            (None, None, Some(last)) => last.dense().outputs(),
            (None, None, None) => self.inputs,
        }
    }

    /// `[rows, inputs]` to `[rows, outputs]`: one operation of the tape, three with a memory. `recurrence` is of
    /// interest only with a memory; without one every step starts from a state of zero.
    ///
    /// # Errors
    /// When sizes do not fit.
    pub fn forward<T: Tape<f32, D> + Merge<T>>(
        &self,
        x: Input<D, T>,
        recurrence: Option<Recurrence<'_>>,
    ) -> Result<Matrix<D, T>> {
        super::linear::check_input("network", x.shape(), self.inputs)?;
        let mut layers: Vec<Dense<'_, D>> = self.hidden.iter().map(Linear::dense).collect();
        let output = self.output.as_ref().map(Linear::dense);
        let Some(gru) = &self.memory else {
            layers.extend(output);
            return through(&layers, x).map(Input::traced);
        };
        let x = through(&layers, x)?;
        let rows = x.shape().0;
        let zeros;
        let state = match recurrence {
            Some(recurrence) => recurrence.state,
            None => {
                zeros = vec![0.0; rows * gru.width()];
                &zeros
            }
        };
        let n = state.len() / gru.width();
        let device = gru.input_weight.device();
        let state = tensor::matrix(device, state.to_vec(), n, gru.width())?;
        let first = recurrence.map(|r| r.first);
        let y = gru.unroll(x, Input::Data(state), first)?;
        through(output.as_slice(), Input::Traced(y)).map(Input::traced)
    }

    /// A copy of the weights for inference.
    #[must_use]
    pub fn freeze(&self) -> FrozenNetwork {
        let layers = |layers: &mut dyn Iterator<Item = &Linear<D>>| FrozenMlp::of(layers);
        let (front, back) = if self.memory.is_some() {
            (
                layers(&mut self.hidden.iter()),
                layers(&mut self.output.iter()),
            )
        } else {
            (layers(&mut self.hidden.iter().chain(&self.output)), None)
        };
        FrozenNetwork {
            front,
            memory: self.memory.as_ref().map(Gru::freeze),
            back,
            outputs: self.outputs(),
        }
    }
}

/// The layers as one operation; nothing, when there is none.
fn through<D: Backend, T: Tape<f32, D>>(
    layers: &[Dense<'_, D>],
    x: Input<D, T>,
) -> Result<Input<D, T>> {
    match layers {
        [] => Ok(x),
        _ => D::dense(layers, x).map(Input::Traced),
    }
}

impl<D: Backend> Module<D> for Network<D> {
    fn visit<'a>(&'a self, at: &Path<'_>, visitor: &mut dyn FnMut(&Path<'_>, &'a Parameter<D>)) {
        let hidden = at.part("hidden");
        for (index, layer) in self.hidden.iter().enumerate() {
            layer.visit(&hidden.index(index), visitor);
        }
        if let Some(memory) = &self.memory {
            memory.visit(&at.part("memory"), visitor);
        }
        if let Some(output) = &self.output {
            output.visit(&at.part("output"), visitor);
        }
    }

    fn visit_mut<'a>(&'a mut self, visitor: &mut dyn FnMut(&'a mut Parameter<D>)) {
        for layer in &mut self.hidden {
            layer.visit_mut(visitor);
        }
        if let Some(memory) = &mut self.memory {
            memory.visit_mut(visitor);
        }
        if let Some(output) = &mut self.output {
            output.visit_mut(visitor);
        }
    }
}

/// A [`Network`]'s weights on the CPU: see [`frozen`](super::frozen).
#[derive(Clone, Debug, PartialEq)]
pub struct FrozenNetwork {
    front: Option<FrozenMlp>,
    memory: Option<FrozenGru>,
    back: Option<FrozenMlp>,
    outputs: usize,
}

impl FrozenNetwork {
    /// Width of what comes out.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Width of the state of the memory; 0 without one.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.memory.as_ref().map_or(0, FrozenGru::width)
    }

    /// One step: `x` `[rows, inputs]` and the state `[rows, memory]` into `y` `[rows, outputs]` and the next state.
    /// Both states are empty without a memory.
    ///
    /// # Panics
    /// When the slices do not hold the same whole number of rows.
    pub fn infer(&self, x: &[f32], state: &[f32], next: &mut [f32], y: &mut [f32]) {
        let rows = y.len() / self.outputs;
        let Some(gru) = &self.memory else {
            match &self.front {
                Some(front) => front.infer(x, y),
                None => y.copy_from_slice(x),
            }
            return;
        };
        match &self.front {
            Some(front) => {
                let mut inner = scratch::take(rows * front.outputs());
                front.infer(x, &mut inner);
                gru.step(&inner, state, next);
                scratch::give(inner);
            }
            None => gru.step(x, state, next),
        }
        match &self.back {
            Some(back) => back.infer(next, y),
            None => y.copy_from_slice(next),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{Cpu, GradientTape, values};
    use palaestra_plugin_api::rng::purpose;

    fn network(hidden: &[usize], memory: usize, output: Option<(usize, f64)>) -> Network<Cpu> {
        let mut rng = EnvRng::new(1, 0, 0, purpose::CHECK);
        let shape = NetworkShape {
            inputs: 3,
            hidden,
            activation: Activation::Tanh,
            memory,
            output,
        };
        Network::orthogonal(&Cpu::default(), &shape, &mut rng).unwrap()
    }

    /// Whatever parts there are: step by step as in the unrolled sequence, bit for bit.
    #[test]
    fn acting_equals_learning() {
        type Case<'a> = (&'a [usize], usize, Option<(usize, f64)>, usize);
        let cases: [Case<'_>; 6] = [
            (&[5, 4], 0, Some((2, 1.0)), 2),
            (&[5, 4], 0, None, 4),
            (&[5], 6, Some((2, 1.0)), 2),
            (&[5], 6, None, 6),
            (&[], 6, Some((2, 0.1)), 2),
            (&[], 0, None, 3),
        ];
        let (steps, n) = (4, 2);
        let x: Vec<f32> = (0..steps * n * 3).map(|i| (i as f32 * 0.7).sin()).collect();
        let first = [0, 0, 1, 0, 0, 0, 0, 1];
        for (hidden, memory, output, outputs) in cases {
            let network = network(hidden, memory, output);
            assert_eq!((network.outputs(), network.memory()), (outputs, memory));
            let start = vec![0.25; n * memory];
            let input = tensor::matrix(&Cpu::default(), x.clone(), steps * n, 3).unwrap();
            let recurrence = Recurrence {
                state: &start,
                first: &first,
            };
            let learned = network
                .forward::<GradientTape<Cpu>>(Input::Data(input), Some(recurrence))
                .unwrap();
            let frozen = network.freeze();
            let mut state = start;
            for (t, expected) in values(&learned).chunks(n * outputs).enumerate() {
                for (i, row) in state.chunks_mut(memory.max(1)).enumerate() {
                    if first[t * n + i] != 0 {
                        row.fill(0.0);
                    }
                }
                let (mut next, mut y) = (vec![0.0; n * memory], vec![0.0; n * outputs]);
                frozen.infer(&x[t * n * 3..(t + 1) * n * 3], &state, &mut next, &mut y);
                assert_eq!(y, expected, "{hidden:?} {memory} {output:?}");
                state = next;
            }
        }
    }

    #[test]
    fn parameters_have_names_of_their_part() {
        let network = network(&[5], 6, Some((2, 1.0)));
        let names: Vec<_> = network
            .named_parameters()
            .into_iter()
            .map(|(n, _)| n)
            .collect();
        assert_eq!(names.first().map(String::as_str), Some("hidden/0/weight"));
        assert!(names.contains(&"memory/hidden_weight".to_owned()));
        assert_eq!(names.last().map(String::as_str), Some("output/bias"));
    }
}
