//! CartPole's tasks: reset options change the physics of one instance, from its next episode on.

use classic_control::{CartPole, CartPoleScalar};
use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::{NO_GROUP, id},
    batch::BatchEnvironment,
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment},
    environment::Environment,
    serde_json::{Value, json},
};

/// Both forms by name.
fn forms() -> [(EnvironmentEntry, &'static str); 2] {
    [
        (EnvironmentEntry::of_batch::<CartPole>(), CartPole::ID),
        (EnvironmentEntry::of::<CartPoleScalar>(), CartPoleScalar::ID),
    ]
}

fn made((entry, name): &(EnvironmentEntry, &str), config: Value, n: usize) -> EnvironmentBatch {
    let what = MakeEnvironment {
        config,
        instances: n,
        ..MakeEnvironment::new(*name)
    };
    let make = |what: &_| EnvironmentHandle::in_process(entry, what);
    EnvironmentBatch::new(&what, 1, 1, make).unwrap()
}

fn push_right(batch: &mut EnvironmentBatch) {
    let key = batch.slabs().key::<i32>(id::ACTION, 0).unwrap();
    batch.rows_mut(key, 0).fill(1);
    batch.step(0, 0).unwrap();
}

/// Bits of what instance `i` sees.
fn seen(batch: &EnvironmentBatch, i: usize) -> Vec<u32> {
    let key = batch.slabs().key::<f32>(id::OBSERVATION, 0).unwrap();
    let row = &batch.rows(key, 0)[i * 4..(i + 1) * 4];
    row.iter().map(|x| x.to_bits()).collect()
}

fn set(batch: &mut EnvironmentBatch, mask: &[u8], options: Value) {
    let (mut shard, _) = batch.locate(0);
    shard.set_options(Some(mask), &options).unwrap();
}

#[test]
fn a_task_is_the_environment_configured_so_from_the_next_reset() {
    let task = json!({"pole_half_length": 1.25, "force": 4.0, "pole_mass": 0.3});
    for form in &forms() {
        let (mut plain, mut configured) = (made(form, json!({}), 3), made(form, task.clone(), 3));
        let mut tasks = made(form, json!({}), 3);
        for batch in [&mut plain, &mut configured, &mut tasks] {
            batch.reset(&json!({}), 0).unwrap();
        }
        set(&mut tasks, &[0, 1, 0], task.clone());
        // The episode that is under way does not change; each one ends within 12 pushes.
        let first = tasks.slabs().key::<u8>(id::FIRST, NO_GROUP).unwrap();
        let mut episodes = [0; 3];
        let mut compared = 0;
        for _ in 0..40 {
            for batch in [&mut plain, &mut tasks] {
                push_right(batch);
            }
            for (i, episode) in episodes.iter_mut().enumerate() {
                *episode += u32::from(tasks.rows(first, 0)[i]);
            }
            for i in [0, 2] {
                assert_eq!(seen(&tasks, i), seen(&plain, i), "{}: instance {i}", form.1);
            }
            if episodes[1] == 0 {
                assert_eq!(seen(&tasks, 1), seen(&plain, 1), "{}", form.1);
                compared += 1;
            }
        }
        assert!(compared > 5 && episodes[1] > 1, "{compared} {episodes:?}");
        // The same start, pushed as the configured environment is.
        let start = json!({"init": {"state": [0.0, 0.1, 0.02, -0.1]}});
        for batch in [&mut configured, &mut tasks] {
            batch.reset(&start, 0).unwrap();
            push_right(batch);
            push_right(batch);
        }
        assert_eq!(seen(&tasks, 1), seen(&configured, 1), "{}", form.1);
        assert_ne!(seen(&tasks, 0), seen(&configured, 0), "{}", form.1);
        // No options are the environment as it was configured.
        set(&mut tasks, &[1, 1, 1], json!({}));
        for batch in [&mut plain, &mut tasks] {
            batch.reset(&start, 0).unwrap();
            push_right(batch);
        }
        assert_eq!(seen(&tasks, 1), seen(&plain, 1), "{}", form.1);
    }
}

#[test]
fn both_forms_play_the_same_tasks_and_copies_keep_them() {
    let mut all = forms().map(|form| {
        let mut batch = made(&form, json!({}), 2);
        let (mut shard, _) = batch.locate(0);
        let half = json!({"pole_half_length": 0.25});
        shard.set_options(Some(&[0, 1]), &half).unwrap();
        batch.reset(&json!({}), 0).unwrap();
        push_right(&mut batch);
        let (mut shard, _) = batch.locate(0);
        shard.clone_instance(1, 0, 0).unwrap();
        batch
    });
    for _ in 0..60 {
        all.iter_mut().for_each(push_right);
        let [batched, scalar] = &all;
        for i in 0..2 {
            assert_eq!(seen(batched, i), seen(scalar, i));
        }
    }
    let [mut batched, _] = all;
    let start = json!({"init": {"state": [0.0, 0.1, 0.02, -0.1]}});
    batched.reset(&start, 0).unwrap();
    push_right(&mut batched);
    assert_eq!(seen(&batched, 0), seen(&batched, 1), "a copy has the task");
}

#[test]
fn tasks_that_cannot_be_are_refused_by_name() {
    for form in &forms() {
        let mut batch = made(form, json!({}), 1);
        let mut refused = |options: Value| {
            let told = batch.reset(&json!({"options": options}), 0).unwrap_err();
            told.to_string()
        };
        for (options, told) in [
            (
                json!({"force": -1.0}),
                "reset /options: /force: expected 0 ≤ x ≤ 1000, found -1",
            ),
            (json!({"length": 1.0}), "length"),
            (
                json!({"max_episode_steps": 10}),
                "/options/max_episode_steps: expected none",
            ),
        ] {
            let found = refused(options);
            assert!(found.contains(told), "expected {told:?}, found {found:?}");
        }
    }
}
