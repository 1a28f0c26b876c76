use super::*;

fn world(in_room: usize, visited: [bool; 3]) -> SwitchRiddle {
    let mut world = SwitchRiddle::new(&SwitchRiddleConfig::default()).unwrap();
    world
        .place(State {
            light: false,
            in_room,
            visited: visited.into(),
            visits: Some(vec![1, 2]),
        })
        .unwrap();
    world
}

#[test]
fn telling_is_right_only_when_all_have_been_inside() {
    assert_eq!(
        world(2, [true, true, false]).act(TELL),
        Some(1.0),
        "who tells counts"
    );
    assert_eq!(world(1, [true, true, false]).act(TELL), Some(-1.0));
    assert_eq!(world(1, [true, true, false]).act(0), None);
}

#[test]
fn the_light_stays_as_it_was_left() {
    let mut world = world(0, [false; 3]);
    let mut rng = EnvRng::new(0, 0, 0, 0);
    world.act(SWITCH);
    world.invite(&mut rng);
    assert!(
        world.state.light
            && world.state.in_room == 1
            && world.state.visited == [true, false, false]
    );
    world.act(SWITCH);
    world.invite(&mut rng);
    assert!(!world.state.light && world.state.in_room == 2);
    let tried = world
        .counterfactual(&[vec![vec![2.0], vec![2.0], vec![0.0]]])
        .unwrap();
    assert_eq!(tried, [[0.0; 3]], "only the one in the room can tell");
}

#[test]
fn the_time_limit_is_that_of_the_paper() {
    let spec = SwitchRiddle::spec(&SwitchRiddleConfig {
        num_agents: 4,
        ..Default::default()
    })
    .unwrap();
    assert_eq!(spec.max_episode_steps, Some(10));
}
