use palaestra_plugin_api::serde_json::{from_value, to_value};

use super::*;

/// Tiny: shelves 1 to 4 stand at (1, 1), (2, 1), (7, 1), (8, 1) as (x, y); the goals are (4, 10) and (5, 10).
fn world(config: Value, init: Value) -> Warehouse {
    let mut world = Warehouse::new(&from_value(config).unwrap()).unwrap();
    let state = from_value::<start::Init>(init)
        .unwrap()
        .into_state(&world.layout);
    world.place(state).unwrap();
    world
}

fn play(world: &mut Warehouse, actions: &[usize]) -> (Vec<f64>, Outcome) {
    let mut rewards = vec![0.0; actions.len()];
    let mut rng = EnvRng::new(0, 0, 0, 0);
    let outcome = world.advance(
        &mut rng,
        |robot| actions[robot],
        |robot, reward| rewards[robot] += reward,
    );
    (rewards, outcome)
}

#[test]
fn sizes_are_those_of_the_original() {
    let size = |config: Value| {
        let layout = Layout::new(&from_value(config).unwrap()).unwrap();
        (
            layout.board.rows,
            layout.board.columns,
            layout.shelves.len(),
            layout.goals,
        )
    };
    assert_eq!(size(json!({})), (11, 10, 32, [[10, 4], [10, 5]]));
    let (rows, columns, shelves, _) = size(json!({"size": "small"}));
    assert_eq!((rows, columns, shelves), (20, 10, 80));
    let (rows, columns, ..) = size(json!({"size": "large"}));
    assert_eq!((rows, columns), (29, 16));
}

#[test]
fn four_right_turns_come_round_and_a_left_turn_undoes_a_right_one() {
    for direction in 0..4_u8 {
        let right = |d: u8| RIGHT_OF[usize::from(d)];
        assert_eq!(right(right(right(right(direction)))), direction);
        assert_eq!(LEFT_OF[usize::from(right(direction))], direction);
    }
    assert_eq!(RIGHT_OF, [3, 2, 0, 1], "up, right, down, left");
}

#[test]
fn a_shelf_is_carried_and_not_put_down_on_a_highway() {
    let mut world = world(
        json!({"num_agents": 1}),
        json!({"agents": [[1, 1, 2]], "requests": [9]}),
    );
    play(&mut world, &[TOGGLE]);
    assert_eq!(world.inspect()["agents"], json!([[1, 1, 2, 1, 0]]));
    play(&mut world, &[FORWARD]);
    play(&mut world, &[TOGGLE]);
    assert_eq!(
        world.inspect()["agents"],
        json!([[0, 1, 2, 1, 0]]),
        "column 0 is a highway"
    );
    assert_eq!(world.inspect()["shelf_positions"][0], json!([1, 0, 1]));
}

/// By hand: with shelf 1 from (3, 1) a robot cannot enter (2, 1), where shelf 2 stands; without one it can.
#[test]
fn a_standing_shelf_stops_only_who_carries() {
    let start = json!({"agents": [[3, 1, 2], [0, 1, 3]], "requests": [9, 10]});
    let mut free = world(json!({}), start);
    let (_, outcome) = play(&mut free, &[FORWARD, FORWARD]);
    assert_eq!(outcome.blocked, 0);
    assert_eq!(
        free.inspect()["agents"],
        json!([[2, 1, 2, 0, 0], [1, 1, 3, 0, 0]])
    );
    play(&mut free, &[RIGHT, TOGGLE]);
    let (_, outcome) = play(&mut free, &[FORWARD, FORWARD]);
    assert_eq!(outcome.blocked, 0, "a wish that cannot be is no wish");
    assert_eq!(
        free.inspect()["agents"],
        json!([[2, 0, 0, 0, 0], [1, 1, 3, 1, 0]])
    );
}

/// A requested shelf two cells above the goal (4, 10), carried down.
fn delivery(reward_type: &str) -> (Warehouse, Vec<Vec<f64>>) {
    let mut state = world(
        json!({"reward_type": reward_type}),
        json!({"agents": [[4, 9, 1], [0, 0, 0]], "requests": [1, 2]}),
    );
    state.state.shelves[0] = [9, 4];
    state.state.robots[0].carried = 1;
    let mut world: Warehouse = from_value(to_value(&state).unwrap()).unwrap();
    let rewards = [[FORWARD, 0], [0, 0]]
        .iter()
        .map(|actions| play(&mut world, actions).0)
        .collect();
    (world, rewards)
}

#[test]
fn a_delivery_pays_by_reward_type_and_requests_another_shelf() {
    let (world, rewards) = delivery("individual");
    assert_eq!(rewards, [[1.0, 0.0], [0.0, 0.0]]);
    assert!(!world.state.requests.contains(&1) && world.state.requests[1] == 2);
    assert_eq!(world.requested.iter().filter(|&&r| r).count(), 2);
    assert_eq!(delivery("global").1, [[1.0, 1.0], [0.0, 0.0]]);
    assert_eq!(delivery("two_stage").1, [[0.5, 0.0], [0.0, 0.0]]);
}

#[test]
fn another_joint_action_is_tried_without_moving() {
    let mut world = world(
        json!({}),
        json!({"agents": [[4, 9, 1], [0, 0, 0]], "requests": [1, 2]}),
    );
    world.state.shelves[0] = [9, 4];
    world.state.robots[0].carried = 1;
    world.place(world.state.clone()).unwrap();
    let rewards = |action: usize| {
        world
            .counterfactual(&[vec![vec![action as f64], vec![0.0]]])
            .unwrap()
    };
    assert_eq!(rewards(FORWARD), [[1.0, 0.0]]);
    assert_eq!(rewards(0), [[0.0, 0.0]]);
    assert_eq!(world.state.robots[0].place, [9, 4]);
}

#[test]
fn what_cannot_be_is_refused() {
    let config = |value: Value| {
        Warehouse::new(&from_value(value).unwrap())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        config(json!({"shelf_columns": 4})),
        "config /shelf_columns: expected an odd number of 1 to 99, found 4"
    );
    assert_eq!(
        config(json!({"request_queue_size": 32})),
        "config /request_queue_size: expected 1 ≤ x < 32 shelves, found 32"
    );
    let mut warehouse = Warehouse::new(&WarehouseConfig::default()).unwrap();
    let mut start = |init: Value| {
        let state = from_value::<start::Init>(init)
            .unwrap()
            .into_state(&warehouse.layout);
        warehouse.place(state).unwrap_err().to_string()
    };
    let shared = json!({"agents": [[0, 0, 1], [0, 0, 2]], "requests": [1, 2]});
    assert_eq!(
        start(shared),
        "start agents: expected a cell of its own, found [0, 0]"
    );
    let unknown = json!({"agents": [[0, 0, 1], [1, 0, 2]], "requests": [1, 33]});
    assert_eq!(
        start(unknown),
        "start requests: expected shelves of 1 to 32, found 33"
    );
}

#[test]
fn as_many_robots_as_cells_find_a_place() {
    let config =
        json!({"shelf_columns": 1, "column_height": 1, "num_agents": 16, "request_queue_size": 1});
    let refused = Warehouse::new(&from_value(config).unwrap())
        .unwrap_err()
        .to_string();
    assert!(refused.contains("/request_queue_size"), "{refused}");
    let config =
        json!({"shelf_columns": 3, "column_height": 1, "num_agents": 40, "request_queue_size": 1});
    let mut world = Warehouse::new(&from_value(config).unwrap()).unwrap();
    assert_eq!(world.layout.board.cells(), 40);
    world.draw(&mut EnvRng::new(0, 0, 0, 0));
    world.check(&world.state).unwrap();
}

/// The shelf on the right goal is paid too when it is the one that is requested in place of that on the left goal:
/// once in 31 times. A counterfactual knows.
#[test]
fn a_counterfactual_foresees_the_next_request() {
    let mut world = world(
        json!({"request_queue_size": 1}),
        json!({"agents": [[4, 9, 1], [5, 9, 1]], "requests": [1]}),
    );
    for (robot, of) in world.state.robots.iter_mut().enumerate() {
        of.carried = robot as u16 + 1;
        world.state.shelves[robot] = of.place;
    }
    let forward = [vec![vec![FORWARD as f64]; 2]];
    let mut both = 0;
    for episode in 0..310 {
        let mut rng = EnvRng::new(0, 0, episode, 0);
        let mut then = world.clone();
        then.place(world.state.clone()).unwrap();
        then.state.foresight.note(&rng);
        let foreseen = then.counterfactual(&forward).unwrap();
        let mut paid = vec![0.0; 2];
        then.advance(&mut rng, |_| FORWARD, |robot, reward| paid[robot] += reward);
        assert_eq!(foreseen, [paid.clone()]);
        both += usize::from(paid == [1.0, 1.0]);
    }
    assert!((1..40).contains(&both), "{both}");
}
