//! The networks of PPO: an actor and a critic for each unit of agents, and a mechanism's parameters.

use palaestra_learning::{
    action_head::ActionHead,
    central::Central,
    device::Backend,
    exchange::ChannelParameters,
    inputs::InputLayout,
    networks::{
        Activation, Input, Linear, Mlp, Module, Network, NetworkShape, Parameter, Path, Recurrence,
    },
    sharing::Unit,
    tensor::{self, GradientTape, Matrix, Vector},
};
use palaestra_plugin_api::{
    Result,
    coordination::MechanismDescription,
    rng::{EnvRng, purpose},
};

use super::config::PpoConfig;

/// Initial gain of what chooses actions: the first policy is close to uniform.
const ACTION_GAIN: f64 = 0.01;

/// A matrix on the tape.
pub(crate) type Traced<D> = Matrix<D, GradientTape<D>>;

/// What goes into a unit's networks, and what comes out.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Who it is.
    pub(crate) unit: Unit,
    /// Places of its members in a joint row of messages.
    pub(crate) places: Vec<usize>,
    /// The distribution over actions.
    pub(crate) head: ActionHead,
    /// The actor's input.
    pub(crate) actor: InputLayout,
    /// The critic's input.
    pub(crate) critic: InputLayout,
}

impl Plan {
    /// The plan of a unit; with `central` when critics see all.
    pub(crate) fn new(unit: Unit, config: &PpoConfig, central: Option<&Central>) -> Result<Self> {
        let members = unit.len();
        let actor = InputLayout {
            own: unit.spec.observation.width(),
            common: 0,
            members,
            agent_id: config.agent_id && members > 1,
        };
        let critic = central.map_or(actor, |central| InputLayout {
            own: 0,
            common: central.width(),
            ..actor
        });
        Ok(Self {
            head: ActionHead::of(&unit.spec.action)?,
            places: unit.members.iter().map(|m| m.joint).collect(),
            unit,
            actor,
            critic,
        })
    }
}

/// Everything that is trained: one optimiser, one norm, one all-reduce.
#[derive(Debug)]
pub(crate) struct Networks<D: Backend> {
    /// One for each unit.
    pub(crate) policies: Vec<Policy<D>>,
    /// What the mechanism between the agents has learned.
    pub(crate) channel: Option<ChannelParameters<D>>,
}

/// Actor and critic of one unit.
#[derive(Debug)]
pub(crate) struct Policy<D: Backend> {
    pub(crate) actor: Actor<D>,
    /// From an input of its own, or from the actor's features.
    pub(crate) critic: Network<D>,
    /// Whether it is from the actor's features.
    pub(crate) shared_trunk: bool,
}

/// What chooses actions.
#[derive(Debug)]
pub(crate) struct Actor<D: Backend> {
    /// Hidden layers and memory; the output too, unless something else hangs on the features.
    pub(crate) network: Network<D>,
    /// What the agent says, from its features.
    pub(crate) message: Option<Linear<D>>,
    /// What turns features (and what was heard) into the distribution's numbers.
    pub(crate) head: Option<Mlp<D>>,
    /// Logarithms of the standard deviations of continuous actions.
    pub(crate) log_std: Option<Parameter<D>>,
}

impl<D: Backend> Networks<D> {
    /// Initial networks.
    pub(crate) fn new(
        device: &D,
        plans: &[Plan],
        config: &PpoConfig,
        channel: Option<&MechanismDescription>,
        seed: u64,
    ) -> Result<Self> {
        let stream = |index: usize| EnvRng::new(seed, index as u64, 0, purpose::INITIALISATION);
        let policy = |(index, plan)| Policy::new(device, plan, config, channel, stream(index));
        Ok(Self {
            policies: plans
                .iter()
                .enumerate()
                .map(policy)
                .collect::<Result<_>>()?,
            channel: channel
                .map(|d| ChannelParameters::new(device, d, &mut stream(plans.len())))
                .transpose()?,
        })
    }
}

impl<D: Backend> Policy<D> {
    fn new(
        device: &D,
        plan: &Plan,
        config: &PpoConfig,
        channel: Option<&MechanismDescription>,
        mut rng: EnvRng,
    ) -> Result<Self> {
        let shape = NetworkShape {
            inputs: plan.actor.width(),
            hidden: &config.hidden,
            activation: config.activation,
            memory: config.recurrent,
            output: None,
        };
        let actor = Actor::new(device, plan, (config, channel), shape, &mut rng)?;
        let judge = match config.shared_trunk {
            true => NetworkShape {
                inputs: actor.network.outputs(),
                hidden: &[],
                memory: 0,
                ..shape
            },
            false => NetworkShape {
                inputs: plan.critic.width(),
                ..shape
            },
        };
        let output = Some((1, 1.0));
        let judge = NetworkShape { output, ..judge };
        Ok(Self {
            actor,
            critic: Network::orthogonal(device, &judge, &mut rng)?,
            shared_trunk: config.shared_trunk,
        })
    }

    /// Values of `[rows, inputs]`, or of the actor's features where the trunk is shared.
    pub(crate) fn values(
        &self,
        x: Input<D, GradientTape<D>>,
        recurrence: Option<Recurrence<'_>>,
    ) -> Result<Vector<D, GradientTape<D>>> {
        tensor::column(self.critic.forward(x, recurrence)?)
    }
}

impl<D: Backend> Actor<D> {
    fn new(
        device: &D,
        plan: &Plan,
        (config, channel): (&PpoConfig, Option<&MechanismDescription>),
        shape: NetworkShape<'_>,
        rng: &mut EnvRng,
    ) -> Result<Self> {
        let outputs = plan.head.outputs();
        let is_plain = channel.is_none() && !config.shared_trunk;
        let output = is_plain.then_some((outputs, ACTION_GAIN));
        let network = Network::orthogonal(device, &NetworkShape { output, ..shape }, rng)?;
        let features = network.outputs();
        let linear = Activation::Identity;
        let mut message = None;
        let mut sizes = vec![features];
        if let Some(channel) = channel {
            let width = (features, channel.message_width);
            message = Some(Linear::orthogonal(device, width, linear, 1.0, rng)?);
            // A layer behind the inbox, so that what is heard may change what is made of what is seen.
            let inner = config.hidden.last().copied().unwrap_or(features);
            sizes = vec![features + channel.inbox_width, inner];
        }
        sizes.push(outputs);
        let head = match is_plain {
            true => None,
            false => {
                let both = (config.activation, linear);
                Some(Mlp::orthogonal(device, &sizes, both, ACTION_GAIN, rng)?)
            }
        };
        let log_std = match plan.head.log_stds() {
            0 => None,
            n => {
                let values = vec![config.log_std_init as f32; n];
                Some(Parameter::new(device, &[n], values)?)
            }
        };
        Ok(Self {
            network,
            message,
            head,
            log_std,
        })
    }

    /// What agents with these features say; the features' tape goes with the features.
    pub(crate) fn message(&self, features: Traced<D>) -> Result<(Traced<D>, Option<Traced<D>>)> {
        let Some(message) = &self.message else {
            return Ok((features, None));
        };
        let (features, also) = tensor::fork(features);
        Ok((features, Some(message.forward(Input::Traced(also))?)))
    }

    /// The distribution's numbers, from features and what was heard.
    pub(crate) fn outputs(
        &self,
        features: Traced<D>,
        inbox: Option<Traced<D>>,
    ) -> Result<Traced<D>> {
        let features = match inbox {
            Some(inbox) => tensor::beside(features, inbox)?,
            None => features,
        };
        match &self.head {
            Some(head) => head.forward(Input::Traced(features)),
            None => Ok(features),
        }
    }
}

impl<D: Backend> Module<D> for Networks<D> {
    fn visit<'a>(&'a self, at: &Path<'_>, visitor: &mut dyn FnMut(&Path<'_>, &'a Parameter<D>)) {
        for (index, policy) in self.policies.iter().enumerate() {
            let at = at.index(index);
            policy.actor.visit(&at.part("policy"), visitor);
            policy.critic.visit(&at.part("critic"), visitor);
        }
        if let Some(channel) = &self.channel {
            channel.visit(&at.part("mechanism"), visitor);
        }
    }

    fn visit_mut<'a>(&'a mut self, visitor: &mut dyn FnMut(&'a mut Parameter<D>)) {
        for policy in &mut self.policies {
            policy.actor.visit_mut(visitor);
            policy.critic.visit_mut(visitor);
        }
        if let Some(channel) = &mut self.channel {
            channel.visit_mut(visitor);
        }
    }
}

impl<D: Backend> Module<D> for Actor<D> {
    fn visit<'a>(&'a self, at: &Path<'_>, visitor: &mut dyn FnMut(&Path<'_>, &'a Parameter<D>)) {
        self.network.visit(&at.part("network"), visitor);
        if let Some(message) = &self.message {
            message.visit(&at.part("message"), visitor);
        }
        if let Some(head) = &self.head {
            head.visit(&at.part("head"), visitor);
        }
        if let Some(log_std) = &self.log_std {
            visitor(&at.part("log_std"), log_std);
        }
    }

    fn visit_mut<'a>(&'a mut self, visitor: &mut dyn FnMut(&'a mut Parameter<D>)) {
        self.network.visit_mut(visitor);
        if let Some(message) = &mut self.message {
            message.visit_mut(visitor);
        }
        if let Some(head) = &mut self.head {
            head.visit_mut(visitor);
        }
        if let Some(log_std) = &mut self.log_std {
            visitor(log_std);
        }
    }
}
