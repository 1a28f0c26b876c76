use super::*;

fn world(robots: [Place; 2], goals: [Place; 2]) -> Doorway {
    let mut world = Doorway::new(&DoorwayConfig::default()).unwrap();
    world
        .place(State {
            robots,
            goals,
            arrived: [false; 2],
        })
        .unwrap();
    world
}

/// By hand: both next to the door at (2, 3) want through it.
#[test]
fn only_one_goes_through_the_door() {
    let mut world = world([[2, 2], [2, 4]], [[0, 6], [0, 0]]);
    assert_eq!(world.advance([4, 3]), [true, true]);
    assert_eq!(world.state.robots, [[2, 2], [2, 4]]);
    assert_eq!(
        (world.reward(0, true), world.reward(1, false)),
        (-1.1, -0.1)
    );
    assert_eq!(world.advance([4, 0]), [false, false]);
    assert_eq!(
        world.advance([4, 0]),
        [true, false],
        "somebody stands there"
    );
    assert_eq!(world.advance([4, 3]), [true, true], "no swap");
    assert_eq!(
        world.advance([4, 4]),
        [false, false],
        "following is allowed"
    );
    assert_eq!(world.state.robots, [[2, 4], [2, 5]]);
}

#[test]
fn walls_stop_without_a_bump_and_arriving_ends_a_robot() {
    let mut world = world([[0, 2], [2, 5]], [[2, 5], [2, 4]]);
    assert_eq!(world.advance([4, 3]), [false, false]);
    assert_eq!(
        (world.state.robots, world.state.arrived),
        ([[0, 2], [2, 4]], [false, true])
    );
    assert_eq!(world.reward(1, false), 10.0);
    let tried = world.counterfactual(&[vec![vec![2.0], vec![0.0]]]).unwrap();
    assert_eq!(tried, [[-0.1, 0.0]], "who has arrived earns nothing more");
}

#[test]
fn starts_are_in_the_own_room_and_goals_in_the_other() {
    let mut world = Doorway::new(&DoorwayConfig::default()).unwrap();
    for episode in 0..500 {
        world.draw(&mut EnvRng::new(0, 0, episode, 0));
        let State { robots, goals, .. } = world.state;
        assert!(robots[0][1] < 3 && robots[1][1] > 3 && goals[0][1] > 3 && goals[1][1] < 3);
    }
    let config = DoorwayConfig {
        field_size: [5, 6],
        ..Default::default()
    };
    let error = Doorway::new(&config).unwrap_err().to_string();
    assert_eq!(
        error,
        "config /field_size: expected an odd number of columns, found 6"
    );
}
