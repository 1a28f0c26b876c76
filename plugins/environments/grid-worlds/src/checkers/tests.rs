use super::*;

fn play(world: &mut Checkers, actions: [usize; AGENTS]) -> [f64; AGENTS] {
    let mut rewards = [0.0; AGENTS];
    world.advance(
        |agent| actions[agent],
        |agent, reward, _| rewards[agent] += reward,
    );
    rewards
}

/// By hand: row 0 has a lemon in column 5, row 2 too; one row further it is an apple.
#[test]
fn food_pays_the_agent_that_eats_it() {
    let mut world = Checkers::new(&CheckersConfig::default()).unwrap();
    assert_eq!(play(&mut world, [1, 4]), [-10.01, -0.01]);
    assert_eq!(play(&mut world, [0, 2]), [10.0 - 0.01, -0.01]);
    assert_eq!(
        world.inspect()["food_count"],
        json!({"lemon": 8, "apple": 8})
    );
    assert_eq!(world.state.places, [[1, 5], [1, 6]]);
}

#[test]
fn nobody_enters_a_cell_that_is_taken_and_staying_eats_nothing() {
    let mut world = Checkers::new(&CheckersConfig::default()).unwrap();
    play(&mut world, [0, 2]);
    assert_eq!(world.state.places, [[1, 6], [2, 6]], "agent 0 was first");
    assert_eq!(play(&mut world, [0, 4]), [-0.01, -0.01]);
    assert_eq!(world.state.places, [[1, 6], [2, 6]]);
}

#[test]
fn a_start_on_food_is_refused() {
    let mut world = Checkers::new(&CheckersConfig::default()).unwrap();
    let state = State {
        places: [[0, 0], [2, 6]],
        ..start()
    };
    let error = world.place(state).unwrap_err().to_string();
    assert_eq!(
        error,
        "start places: expected a cell for each, without food, found [[0, 0], [2, 6]]"
    );
}
