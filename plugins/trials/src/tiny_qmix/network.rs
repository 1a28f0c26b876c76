//! The networks: one recurrent Q-network for all agents, and hypernetworks of the state for the mixer.

use palaestra_learning::{
    networks::{
        Activation, Gru, Input, Mlp, Module, Parameter, Path,
        frozen::{FrozenGru, FrozenMlp},
    },
    tensor::{Cpu, Matrix, Merge, Tape, matrix, values},
};
use palaestra_plugin_api::prelude::*;

use super::mixing::Weights;

/// Sizes that follow from the environment and the settings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) agents: usize,
    /// Of one agent's observation.
    pub(super) observation: usize,
    pub(super) choices: usize,
    pub(super) state: usize,
    pub(super) hidden: usize,
    pub(super) embed: usize,
}

/// Everything that is trained.
pub(super) struct Network {
    sizes: Sizes,
    encoder: Mlp<Cpu>,
    memory: Gru<Cpu>,
    head: Mlp<Cpu>,
    first: Mlp<Cpu>,
    bias: Mlp<Cpu>,
    second: Mlp<Cpu>,
    value: Mlp<Cpu>,
}

/// The mixer's weights on the tape, in the order of [`Weights`].
pub(super) type Hyper<T> = [Matrix<Cpu, T>; 4];

impl Network {
    pub(super) fn new(sizes: Sizes, rng: &mut EnvRng) -> Result<Self> {
        let device = Cpu::default();
        let relu = (Activation::Relu, Activation::Relu);
        let linear = (Activation::Relu, Activation::Identity);
        let Sizes {
            agents,
            observation,
            choices,
            state,
            hidden,
            embed,
        } = sizes;
        Ok(Self {
            sizes,
            encoder: Mlp::uniform(&device, &[observation + agents, hidden], relu, rng)?,
            memory: Gru::uniform(&device, hidden, hidden, rng)?,
            head: Mlp::uniform(&device, &[hidden, choices], linear, rng)?,
            first: Mlp::uniform(&device, &[state, agents * embed], linear, rng)?,
            bias: Mlp::uniform(&device, &[state, embed], linear, rng)?,
            second: Mlp::uniform(&device, &[state, embed], linear, rng)?,
            value: Mlp::uniform(&device, &[state, embed, 1], linear, rng)?,
        })
    }

    /// Observations `[rows, agents, observation]` with the agent's number, one-hot, behind each.
    pub(super) fn inputs(sizes: &Sizes, observations: &[f32]) -> Vec<f32> {
        let rows = observations.chunks_exact(sizes.observation).enumerate();
        rows.flat_map(|(i, row)| {
            let own = i % sizes.agents;
            let number = (0..sizes.agents).map(move |a| f32::from(u8::from(a == own)));
            row.iter().copied().chain(number)
        })
        .collect()
    }

    /// Q of all choices, `[steps·columns·agents, choices]`, from whole episodes of observations
    /// `[steps, columns, agents, observation]`.
    pub(super) fn choices<T: Tape<f32, Cpu> + Merge<T>>(
        &self,
        observations: &[f32],
        columns: usize,
    ) -> Result<Matrix<Cpu, T>> {
        let (device, sizes) = (Cpu::default(), &self.sizes);
        let inputs = Self::inputs(sizes, observations);
        let rows = observations.len() / sizes.observation;
        let start = vec![0.0; columns * sizes.agents * sizes.hidden];
        let start = matrix(&device, start, columns * sizes.agents, sizes.hidden)?;
        let x = matrix(&device, inputs, rows, sizes.observation + sizes.agents)?;
        let x = self.encoder.forward(Input::Data(x))?;
        let h = self
            .memory
            .unroll(Input::Traced(x), Input::Data(start), None)?;
        self.head.forward(Input::Traced(h))
    }

    /// The mixer's weights for states `[rows, state]`.
    pub(super) fn hyper<T: Tape<f32, Cpu>>(&self, states: &[f32]) -> Result<Hyper<T>> {
        let rows = states.len() / self.sizes.state;
        let run = |network: &Mlp<Cpu>| {
            let x = matrix(&Cpu::default(), states.to_vec(), rows, self.sizes.state)?;
            network.forward(Input::Data(x))
        };
        Ok([
            run(&self.first)?,
            run(&self.bias)?,
            run(&self.second)?,
            run(&self.value)?,
        ])
    }

    /// A copy to act with.
    pub(super) fn freeze(&self) -> Actor {
        Actor {
            sizes: self.sizes,
            encoder: self.encoder.freeze(),
            memory: self.memory.freeze(),
            head: self.head.freeze(),
        }
    }
}

/// The numbers behind the mixer's weights.
pub(super) fn numbers<T>([first, bias, second, value]: &Hyper<T>) -> Weights {
    Weights {
        first: values(first),
        bias: values(bias),
        second: values(second),
        value: values(value),
    }
}

impl Module<Cpu> for Network {
    fn visit<'a>(&'a self, at: &Path<'_>, visitor: &mut dyn FnMut(&Path<'_>, &'a Parameter<Cpu>)) {
        self.encoder.visit(&at.part("encoder"), visitor);
        self.memory.visit(&at.part("memory"), visitor);
        self.head.visit(&at.part("head"), visitor);
        let mixer = at.part("mixer");
        self.first.visit(&mixer.part("first"), visitor);
        self.bias.visit(&mixer.part("bias"), visitor);
        self.second.visit(&mixer.part("second"), visitor);
        self.value.visit(&mixer.part("value"), visitor);
    }

    fn visit_mut<'a>(&'a mut self, visitor: &mut dyn FnMut(&'a mut Parameter<Cpu>)) {
        self.encoder.visit_mut(visitor);
        self.memory.visit_mut(visitor);
        for part in [
            &mut self.head,
            &mut self.first,
            &mut self.bias,
            &mut self.second,
            &mut self.value,
        ] {
            part.visit_mut(visitor);
        }
    }
}

/// The agents' network without a tape.
pub(super) struct Actor {
    sizes: Sizes,
    encoder: FrozenMlp,
    memory: FrozenGru,
    head: FrozenMlp,
}

impl Actor {
    /// Q of all choices `[rows, agents, choices]`, and the next hidden states.
    pub(super) fn step(&self, observations: &[f32], hidden: &[f32], next: &mut [f32]) -> Vec<f32> {
        let rows = hidden.len() / self.sizes.hidden;
        let mut x = vec![0.0; hidden.len()];
        let inputs = Network::inputs(&self.sizes, observations);
        self.encoder.infer(&inputs, &mut x);
        self.memory.step(&x, hidden, next);
        let mut q = vec![0.0; rows * self.sizes.choices];
        self.head.infer(next, &mut q);
        q
    }
}
