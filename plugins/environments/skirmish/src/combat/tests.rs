use super::*;
use crate::units::UnitType::{Marine, Stalker, Zealot};

/// A field of `3m` with these allies and enemies, three of each.
fn field(units: [Unit; 6]) -> Field {
    let mut field = Field::new(Scenario::named("3m").unwrap());
    field.units.copy_from_slice(&units);
    field
}

fn dead() -> Unit {
    Unit {
        health: 0.0,
        ..Unit::new(Marine, [1.0, 1.0])
    }
}

fn marine(x: f32, y: f32) -> Unit {
    Unit::new(Marine, [x, y])
}

/// One ally and one enemy; the others are dead.
fn duel(ally: Unit, enemy: Unit) -> Field {
    field([ally, dead(), dead(), enemy, dead(), dead()])
}

/// What two who attack each other do in a step.
const EXCHANGE: [Order; 6] = [
    Order::Attack(3),
    Order::Stop,
    Order::Stop,
    Order::Attack(0),
    Order::Stop,
    Order::Stop,
];

/// By hand: 13 + 5 against armour goes to the shield first; armour counts once health is hit.
#[test]
fn a_hit_takes_the_shield_first_and_armour_protects_health() {
    let mut stalker = Unit::new(Stalker, [0.0, 0.0]);
    stalker.take(Stalker);
    assert_eq!((stalker.shield, stalker.health), (62.0, 80.0));
    stalker.shield = 10.0;
    stalker.take(Stalker);
    assert_eq!((stalker.shield, stalker.health), (0.0, 73.0));
    // Two blades of 8: the second finds 4 of the shield, and its other 4 meet armour 1.
    let mut zealot = Unit::new(Zealot, [0.0, 0.0]);
    zealot.shield = 12.0;
    zealot.take(Zealot);
    assert_eq!((zealot.shield, zealot.health), (0.0, 97.0));
    // 0.5 of a shot is left for health: the least damage, not -0.5.
    zealot.shield = 5.5;
    zealot.take(Marine);
    assert_eq!((zealot.shield, zealot.health), (0.0, 96.5));
}

/// By hand: shots at loops 0, 14, 28, …; the eighth, at loop 98 in step 12, kills 45 by 8 · 6.
#[test]
fn equal_marines_shoot_every_14_loops_and_die_together() {
    let mut field = duel(marine(10.0, 10.0), marine(15.0, 10.0));
    let mut shots = Vec::new();
    for step in 0..13 {
        assert!(field.units[0].is_alive() && field.units[3].is_alive());
        let toll = field.advance(&EXCHANGE);
        if toll.damage > 0.0 {
            shots.push(step);
            let left = (45.0 - 6.0 * shots.len() as f32).max(0.0);
            assert_eq!([field.units[0].health, field.units[3].health], [left, left]);
        }
        assert_eq!(toll.kills, u32::from(step == 12));
    }
    assert_eq!(shots, [0, 1, 3, 5, 7, 8, 10, 12]);
    assert_eq!(field.living(0..6), 0);
    // The dead do not shoot.
    assert_eq!(field.advance(&EXCHANGE), Toll::default());
}

/// By hand: two zealots touch at 1.1; from 4 apart both walk 1.125, which leaves 1.75, then 0.65 more; then they strike.
#[test]
fn who_is_out_of_reach_walks_up_and_strikes_after_that() {
    let mut field = duel(
        Unit::new(Zealot, [10.0, 10.0]),
        Unit::new(Zealot, [14.0, 10.0]),
    );
    assert_eq!(field.advance(&EXCHANGE), Toll::default());
    assert_eq!(
        [field.units[0].position, field.units[3].position],
        [[11.125, 10.0], [12.875, 10.0]]
    );
    assert_eq!(field.advance(&EXCHANGE), Toll::default());
    let gap = distance(field.units[0].position, field.units[3].position);
    assert!((gap - 1.1).abs() < 1e-5, "{gap}");
    assert_eq!(field.advance(&EXCHANGE).damage, 16.0);
    assert_eq!(field.units[0].shield, 34.0);
}

#[test]
fn the_border_stops_walkers_and_bodies_do_not_overlap() {
    let mut field = field([
        marine(0.5, 10.0),
        marine(20.0, 20.0),
        marine(20.0, 20.0),
        dead(),
        dead(),
        dead(),
    ]);
    let mut orders = [Order::Stop; 6];
    orders[0] = Order::Walk([-1.5, 10.0]);
    field.advance(&orders);
    let places: Vec<_> = field.units[..3].iter().map(|unit| unit.position).collect();
    assert_eq!(places, [[0.0, 10.0], [20.0, 19.625], [20.0, 20.375]]);
}

/// By hand: a hit, then 20 quiet steps, then 1 a step.
#[test]
fn a_shield_recharges_after_ten_quiet_seconds() {
    let mut field = duel(marine(10.0, 10.0), Unit::new(Stalker, [15.0, 10.0]));
    let mut shoot = [Order::Stop; 6];
    shoot[0] = Order::Attack(3);
    field.advance(&shoot);
    for _ in 0..19 {
        field.advance(&[Order::Stop; 6]);
    }
    assert_eq!(field.units[3].shield, 74.0);
    field.advance(&[Order::Stop; 6]);
    field.advance(&[Order::Stop; 6]);
    assert_eq!(field.units[3].shield, 76.0);
}
