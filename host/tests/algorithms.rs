//! Algorithms and mechanisms of the workspace, loaded as the program loads them.

mod common;

use common::{Machine, session};
use palaestra::session::Session;
use palaestra_plugin_api::{
    abi::{DType, NO_GROUP, id},
    algorithm::{AlgorithmRequest, Role},
    client::{
        AlgorithmHandle, Context, CoordinationHandle, EnvironmentBatch, Key, MakeAlgorithm,
        MakeEnvironment, MakeMechanism, SlabElement, SlabMemory, TablePlan,
    },
    coordination::{Exchange, Extras, Gradients},
    layout::{SlabLayout, action_dtype},
    rng,
    spec::EnvironmentSpec,
};
use palaestra_registry::{
    Kind,
    loader::{self, Plugin},
};
use serde_json::{Value, json};

const INSTANCES: usize = 6;
const STEPS: usize = 200;
const SEED: u64 = 11;

/// The admitted and loaded plugin that offers `name`.
fn plugin(session: &Session, kind: Kind, name: &str) -> Plugin {
    let registry = session.registry();
    let found = registry.resolve(kind, name).unwrap();
    loader::load(&registry.admit(found.entry.plugin).unwrap()).unwrap()
}

/// An algorithm in an environment, two slots by turns.
struct Game {
    batch: EnvironmentBatch,
    algorithm: AlgorithmHandle,
    memory: SlabMemory,
    episodes: usize,
}

impl Game {
    fn new(session: &Session, world: &str, algorithm: &str, shards: usize) -> Self {
        let maker = session.environment(world, &json!({})).unwrap();
        let what = MakeEnvironment {
            instances: INSTANCES,
            run_seed: SEED,
            ..maker.request()
        };
        let mut batch = maker.batch(&what, shards, 2).unwrap();
        batch.reset(&json!({}), 0).unwrap();
        let spec = batch.spec().clone();
        let memory = SlabMemory::new(layouts(&spec), 2, INSTANCES);
        let mut handle = algorithm_for(session, algorithm, spec).unwrap();
        let plan = TablePlan::new().with(&batch).with(&memory);
        handle.bind(&plan).unwrap();
        Self {
            batch,
            algorithm: handle,
            memory,
            episodes: 0,
        }
    }

    /// Acts at a slot and steps to the other.
    fn step(&mut self, slot: usize) {
        let episode = rows::<u64>(&self.batch, id::EPISODE, slot);
        let step = rows::<u32>(&self.batch, id::STEP, slot);
        let keys: Key<u64> = self.memory.slabs().key(id::KEY, NO_GROUP).unwrap();
        let keys = self.memory.rows_mut(keys, slot).iter_mut().enumerate();
        for (i, key) in keys {
            let (episode, step) = (episode[i], u64::from(step[i]));
            *key = rng::key(SEED, i as u64, episode, step, rng::purpose::ACTIONS);
        }
        let lent: &mut [&mut dyn palaestra_plugin_api::client::Lend] =
            &mut [&mut self.batch, &mut self.memory];
        self.algorithm.act(lent, slot, false).unwrap();
        let actions = self.actions(slot);
        let key: Key<i32> = self.batch.slabs().key(id::ACTION, 0).unwrap();
        self.batch.rows_mut(key, slot).copy_from_slice(&actions);
        self.batch.step(slot, 1 - slot).unwrap();
        let first = rows::<u8>(&self.batch, id::FIRST, 1 - slot);
        self.episodes += first.iter().filter(|&&f| f != 0).count();
    }

    fn actions(&self, slot: usize) -> Vec<i32> {
        let key = self.memory.slabs().key(id::PROPOSED_ACTION, 0).unwrap();
        self.memory.rows(key, slot).to_vec()
    }

    /// All steps, with every action and the last observation.
    fn play(&mut self) -> (Vec<i32>, Vec<f32>) {
        let mut actions = Vec::new();
        for step in 0..STEPS {
            self.step(step % 2);
            actions.extend(self.actions(step % 2));
        }
        let key = self.batch.slabs().key(id::OBSERVATION, 0).unwrap();
        (actions, self.batch.rows(key, STEPS % 2).to_vec())
    }
}

fn rows<T: SlabElement>(batch: &EnvironmentBatch, id: u32, slot: usize) -> Vec<T> {
    let key: Key<T> = batch.slabs().key(id, NO_GROUP).unwrap();
    batch.rows(key, slot).to_vec()
}

/// Keys, and the proposals of every group.
fn layouts(spec: &EnvironmentSpec) -> Vec<SlabLayout> {
    let layout = |id, group, dtype, shape| SlabLayout {
        id,
        group,
        dtype,
        shape,
        ended: false,
    };
    let proposals = (0..).zip(&spec.groups).map(|(g, group)| {
        let shape = vec![group.agents, group.action.width()];
        layout(id::PROPOSED_ACTION, g, action_dtype(group), shape)
    });
    std::iter::once(layout(id::KEY, NO_GROUP, DType::U64, Vec::new()))
        .chain(proposals)
        .collect()
}

fn algorithm_for(
    session: &Session,
    name: &str,
    spec: EnvironmentSpec,
) -> palaestra_plugin_api::Result<AlgorithmHandle> {
    let request = AlgorithmRequest {
        id: name.into(),
        config: json!({}),
        role: Role::Evaluator,
        controlled: (0..spec.groups.len()).collect(),
        spec,
        exchange: None,
    };
    let what = MakeAlgorithm {
        run_seed: SEED,
        instances: INSTANCES,
        ..MakeAlgorithm::new(request)
    };
    let factory = plugin(session, Kind::Algorithm, name).algorithms;
    let factory = factory.expect("a factory of algorithms");
    AlgorithmHandle::make(factory, &Context::default(), &what, None)
}

#[test]
fn a_loaded_policy_plays_the_same_game_in_any_number_of_shards() {
    let (session, _folder) = session();
    for (world, choices) in [("classic/CartPole-v1", 2), ("mpe/SimpleSpread-v3", 5)] {
        let mut one = Game::new(&session, world, "core/Random-v0", 1);
        let played = one.play();
        let (actions, _) = &played;
        for choice in 0..choices {
            let count = actions.iter().filter(|&&a| a == choice).count() as f64;
            let share = count / actions.len() as f64 * f64::from(choices);
            assert!((0.85..1.15).contains(&share), "{world}: {choice}: {share}");
        }
        let mut four = Game::new(&session, world, "core/Random-v0", 4);
        assert_eq!(four.play(), played, "{world}");
        // Random CartPole lasts 22 steps on average, SimpleSpread 25 always: 6 × 200 / 22 and 6 × 8.
        assert!((42..=72).contains(&one.episodes), "{}", one.episodes);
    }
}

#[test]
fn a_loaded_policy_that_does_nothing_pushes_the_cart_one_way() {
    let (session, _folder) = session();
    let mut game = Game::new(&session, "classic/CartPole-v1", "core/NoOp-v0", 2);
    let (actions, _) = game.play();
    assert!(actions.iter().all(|&a| a == 0));
    // Nine or ten steps an episode.
    assert!((108..=150).contains(&game.episodes), "{}", game.episodes);
}

#[test]
fn a_loaded_mechanism_exchanges_messages_and_gradients() {
    let (session, _folder) = session();
    let world = session.environment("mpe/SimpleSpread-v3", &json!({}));
    let spec = world.unwrap();
    let spec = spec.batch(&spec.request(), 1, 2).unwrap().spec().clone();
    let loaded = plugin(&session, Kind::Coordination, "comm/Broadcast-v0");
    let what = MakeMechanism {
        config: json!({"message_width": 1, "inbox_width": 1}),
        ..MakeMechanism::new("comm/Broadcast-v0", spec)
    };
    let factory = loaded.coordination.expect("a factory of mechanisms");
    let handle = CoordinationHandle::make(factory, &Context::default(), &what).unwrap();
    let mut inbox = [0.0; 3];
    let port = handle.port();
    let open = port
        .exchange(Exchange {
            rows: 1,
            agents: 3,
            parameters: &[2.0, 1.0],
            messages: &[1.0, 2.0, 6.0],
            mask: None,
            context: None,
            state_in: &[],
            keys: &[0],
            extras: Extras::Draw(&mut []),
            save: true,
            inbox: &mut inbox,
            state_out: &mut [],
        })
        .unwrap();
    // Twice the mean of the others, and one.
    assert_eq!(inbox, [9.0, 8.0, 4.0]);
    let (mut d_messages, mut d_parameters) = ([0.0; 3], [0.0; 2]);
    let gradients = Gradients {
        d_inbox: &[1.0, 0.0, 0.5],
        d_state_out: None,
        d_messages: &mut d_messages,
        d_state_in: &mut [],
        d_parameters: &mut d_parameters,
    };
    open.expect("saved").backward(gradients).unwrap();
    assert_eq!((d_messages, d_parameters), ([0.5, 1.5, 1.0], [4.75, 1.5]));
}

#[test]
fn all_three_kinds_are_listed_and_have_schemas() {
    let machine = Machine::of_the_workspace();
    let listed = |kind: &str, id: &str| {
        let list = machine.run(&["list", kind, "--json"]).json();
        let items = list.as_array().unwrap();
        let found = items.iter().find(|item| item["id"] == id).cloned();
        found.unwrap_or_else(|| panic!("{id} is not among {list}"))
    };
    for (kind, id, plugin) in [
        ("algorithms", "core/Random-v0", "baselines"),
        ("algorithms", "core/NoOp-v0", "baselines"),
        ("coordination", "comm/Broadcast-v0", "communication"),
    ] {
        let item = listed(kind, id);
        assert_eq!(
            (&item["plugin"], &item["trust"]),
            (&json!(plugin), &json!("built-here"))
        );
        let schema: Value = machine.run(&["schema", id]).json();
        assert_eq!(schema["additionalProperties"], false, "{id}");
    }
    let schema = machine.run(&["schema", "core/Random-v0"]).json();
    assert_eq!(schema["title"], "RandomConfig");
    let broadcast = machine.run(&["schema", "Broadcast"]).json();
    assert_eq!(broadcast["properties"]["message_width"]["default"], 16);
}
