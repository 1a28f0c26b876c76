//! Environment, wrappers, mechanisms and algorithms put together by name, and checked before anything large is built.

use palaestra_plugin_api::{
    Error, Result,
    algorithm::{Amount, Collect, Role},
    client::{AlgorithmHandle, CoordinationHandle, MakeAlgorithm, MakeEnvironment, MakeMechanism},
    coordination::Port,
    spec::EnvironmentSpec,
};

use crate::{
    experiment::share_out,
    policy::PolicyView,
    rollout::{Rollout, RolloutOptions, Workers},
    session::{AlgorithmMaker, EnvironmentMaker, MechanismMaker},
    wrappers::WrapperSpec,
};

/// Most steps, or episodes, that an algorithm can ask for at once.
const LONGEST: usize = 1 << 31;

/// What an experiment is composed of.
#[derive(Clone)]
pub struct Parts {
    /// The world.
    pub environment: EnvironmentMaker,
    /// World wrappers; the first is closest to the environment.
    pub wrappers: Vec<WrapperSpec>,
    /// Coordination mechanisms; the first is closest to the environment.
    pub mechanisms: Vec<MechanismMaker>,
    /// Algorithms; together they control every group once.
    pub policies: Vec<PolicyParts>,
}

/// One algorithm, the groups that it controls, and its policy wrappers.
#[derive(Clone)]
pub struct PolicyParts {
    /// The algorithm.
    pub algorithm: AlgorithmMaker,
    /// Names of the groups; empty for all that no other algorithm controls.
    pub groups: Vec<String>,
    /// Policy wrappers; the first is closest to the environment.
    pub wrappers: Vec<WrapperSpec>,
}

/// A composition that fits.
pub struct Composition {
    /// The environment as the world wrappers leave it.
    pub world: EnvironmentSpec,
    /// With what the mechanisms add: what policy wrappers start from.
    pub composed: EnvironmentSpec,
    /// Indices of the groups that each algorithm controls.
    pub groups: Vec<Vec<usize>>,
    /// Most steps of a fragment, from what the algorithms ask for first.
    pub steps: usize,
    /// Whether any algorithm learns; others only act.
    pub learns: bool,
}

impl Composition {
    /// Makes the world and its mechanisms with one instance, the algorithms for `instances` in that role, and asks every
    /// part whether it fits.
    ///
    /// # Errors
    /// What does not fit, with the reason; groups that nobody or two control.
    pub fn check(parts: &Parts, role: Role, instances: usize) -> Result<Self> {
        let workers = Workers::new(1)?;
        let request = MakeEnvironment {
            instances: 1,
            ..parts.environment.request()
        };
        let options = RolloutOptions {
            wrappers: parts.wrappers.clone(),
            steps: Some(1),
            ..RolloutOptions::new(request, parts.environment.plugin())
        };
        let make = |what: &MakeEnvironment| parts.environment.make(what);
        let world = Rollout::new(&options, &workers, &make)?.spec().clone();
        let place = |maker: &MechanismMaker, spec| maker.request(spec);
        let (mechanisms, mut specs) = mechanisms(parts, &world, place)?;
        let composed = specs.pop().unwrap_or_else(|| world.clone());
        let names = parts.policies.iter().map(|policy| policy.groups.as_slice());
        let groups = share_out(&names.collect::<Vec<_>>(), &world)?;
        let (mut steps, mut learns) = (1, false);
        for (policy, groups) in parts.policies.iter().zip(&groups) {
            let view = PolicyView::new(&composed, groups, &policy.wrappers, 1)?;
            let maker = &policy.algorithm;
            let request = MakeAlgorithm {
                instances,
                ..maker.request(role, view.spec().clone(), groups.clone())
            };
            let mut object = policy.algorithm.make(&request, exchange(&mechanisms))?;
            learns |= object.capabilities().trainable;
            let next = wanted(&mut object, &policy.algorithm)?;
            let needed = fragment_steps(next.amount, &world);
            let named = |e: Error| e.within(format_args!("algorithm {}", policy.algorithm.id()));
            steps = needed.map_err(named)?.max(steps);
        }
        Ok(Self {
            world,
            composed,
            groups,
            steps,
            learns,
        })
    }
}

/// The fragment that an algorithm asks for.
///
/// # Errors
/// What the plugin reports, or a fragment that nobody can collect, named.
pub(super) fn wanted(object: &mut AlgorithmHandle, maker: &AlgorithmMaker) -> Result<Collect> {
    let next = object.what_next().map_err(|e| maker.blame(e))?;
    let (Amount::Steps(amount) | Amount::Episodes(amount)) = next.amount;
    if !(1..=LONGEST).contains(&amount) {
        let message = format!(
            "(next): expected a fragment of 1 to {LONGEST} steps or episodes, found {amount}"
        );
        return Err(maker.blame(Error::plugin(message)));
    }
    Ok(next)
}

/// Steps that a fragment of that amount can have.
fn fragment_steps(amount: Amount, world: &EnvironmentSpec) -> Result<usize> {
    match (amount, world.max_episode_steps) {
        (Amount::Steps(steps), _) => Ok(steps),
        (Amount::Episodes(episodes), Some(limit)) => Ok(episodes.saturating_mul(limit as usize)),
        (Amount::Episodes(_), None) => {
            let message =
                "expected a world with a step limit to collect whole episodes of, found none";
            Err(Error::config(message).with_next("add --wrapper TimeLimit.max_episode_steps=N"))
        }
    }
}

/// Makes the mechanisms, each for the spec that the one before it leaves; these specs, the environment's first.
///
/// # Errors
/// What a plugin refuses; ports that the host cannot serve; two mechanisms that exchange messages.
pub(super) fn mechanisms(
    parts: &Parts,
    world: &EnvironmentSpec,
    place: impl Fn(&MechanismMaker, EnvironmentSpec) -> MakeMechanism,
) -> Result<(Vec<CoordinationHandle>, Vec<EnvironmentSpec>)> {
    let (mut made, mut specs) = (Vec::<CoordinationHandle>::new(), vec![world.clone()]);
    for maker in &parts.mechanisms {
        let named = |e: Error| e.within(format_args!("mechanism {}", maker.id()));
        let spec = &specs[specs.len() - 1];
        let mut handle = maker.make(&place(maker, spec.clone()))?;
        if handle.description().has(Port::Exchange) && exchange(&made).is_some() {
            let message = "expected one mechanism that exchanges messages, found two";
            return Err(named(Error::config(message)));
        }
        if handle.description().has(Port::Observe) {
            let message = "expected the ports exchange, arbitrate and share, found observe";
            return Err(named(
                Error::config(message).with_next("use a mechanism without it"),
            ));
        }
        let composed = handle.compose(spec).map_err(|e| maker.blame(e))?;
        specs.push(composed);
        made.push(handle);
    }
    Ok((made, specs))
}

/// The mechanism that policies exchange messages through.
pub(super) fn exchange(mechanisms: &[CoordinationHandle]) -> Option<&CoordinationHandle> {
    let exchanges = |m: &&CoordinationHandle| m.description().has(Port::Exchange);
    mechanisms.iter().find(exchanges)
}
