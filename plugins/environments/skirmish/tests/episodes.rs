//! Whole episodes through the vtable: random play never breaks, standing still loses, focus fire beats random.

use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::{NO_GROUP, id},
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment},
    environment::Environment,
    rng::{EnvRng, purpose},
    serde_json::json,
};
use skirmish::Battle;

const INSTANCES: usize = 100;
const STOP: usize = 1;
const EAST: usize = 4;
const ATTACK: usize = 6;
const SIGHT: f32 = 9.0;
/// Distance within which an attack can be ordered.
const ORDER: f32 = 6.0;
/// Reach of a marine, 5 and two bodies of radius 0.375, and a little for rounding.
const RIFLE: f32 = 5.751;

/// Chooses an action, given the observation and the mask of an agent.
type Policy<'a> = dyn FnMut(&[f32], &[u8]) -> usize + 'a;

/// What an episode came to.
#[derive(Debug)]
struct Episode {
    returns: Vec<f64>,
    win: bool,
    allies: f64,
    enemies: f64,
    steps: u32,
}

fn play(scenario: &str, episodes: usize, policy: &mut Policy<'_>) -> Vec<Episode> {
    let entry = EnvironmentEntry::of::<Battle>();
    let what = MakeEnvironment {
        config: json!({"scenario": scenario}),
        instances: INSTANCES,
        purpose: purpose::CHECK,
        ..MakeEnvironment::new(Battle::ID)
    };
    let make = |what: &MakeEnvironment| EnvironmentHandle::in_process(&entry, what);
    let mut batch = EnvironmentBatch::new(&what, 1, 1, make).unwrap();
    let slabs = batch.slabs();
    let action = slabs.key::<i32>(id::ACTION, 0).unwrap();
    let mask = slabs.key::<u8>(id::ACTION_MASK, 0).unwrap();
    let observation = slabs.key::<f32>(id::OBSERVATION, 0).unwrap();
    let state = slabs.key::<f32>(id::STATE, NO_GROUP).unwrap();
    let count = slabs.key::<u32>(id::ENDED_COUNT, NO_GROUP).unwrap();
    let length = slabs.key::<u32>(id::EPISODE_LENGTH, NO_GROUP).unwrap();
    let returns = slabs.key::<f64>(id::EPISODE_RETURN, 0).unwrap();
    let metrics = slabs.key::<f64>(id::EPISODE_METRICS, NO_GROUP).unwrap();
    let group = batch.spec().groups[0].clone();
    let (width, choices) = (group.observation.width(), group.action.choices()[0]);
    let mut played = Vec::new();
    let mut chosen = vec![0; INSTANCES * group.agents];
    batch.reset(&json!({}), 0).unwrap();
    while played.len() < episodes {
        let (rows, masks) = (batch.rows(observation, 0), batch.rows(mask, 0));
        let numbers = rows.iter().chain(batch.rows(state, 0));
        assert_eq!(numbers.fold(0.0, |sum, x| sum + x * 0.0), 0.0, "not finite");
        let agents = rows.chunks_exact(width).zip(masks.chunks_exact(choices));
        for (chosen, (row, mask)) in chosen.iter_mut().zip(agents) {
            *chosen = policy(row, mask) as i32;
        }
        batch.rows_mut(action, 0).copy_from_slice(&chosen);
        batch.step(0, 0).unwrap();
        for entry in 0..batch.rows(count, 0)[0] as usize {
            let metrics = &batch.rows(metrics, 0)[entry * 3..][..3];
            played.push(Episode {
                returns: batch.rows(returns, 0)[entry * group.agents..][..group.agents].to_vec(),
                win: metrics[0] == 1.0,
                allies: metrics[1],
                enemies: metrics[2],
                steps: batch.rows(length, 0)[entry],
            });
        }
    }
    played
}

fn random(mut rng: EnvRng) -> impl FnMut(&[f32], &[u8]) -> usize {
    move |_, mask| {
        let allowed = mask.iter().filter(|&&m| m != 0).count();
        let nth = rng.below(allowed as u64) as usize;
        (0..mask.len()).filter(|&a| mask[a] != 0).nth(nth).unwrap()
    }
}

fn stand_still(_: &[f32], mask: &[u8]) -> usize {
    usize::from(mask[STOP] != 0)
}

/// Everybody attacks the weakest enemy that its rifle reaches, of equals the first, and else closes up to those it
/// sees. For scenarios of marines.
fn focus_fire(row: &[f32], mask: &[u8]) -> usize {
    let enemies = row[4..4 + 5 * (mask.len() - ATTACK)].chunks_exact(5);
    let seen = || enemies.clone().enumerate().filter(|(_, row)| row[4] > 0.0);
    let weakest = |reach: f32| {
        let reached = seen().filter(move |(_, row)| SIGHT * row[1] <= reach);
        reached.min_by(|(_, a), (_, b)| a[4].total_cmp(&b[4]))
    };
    match weakest(RIFLE).or_else(|| weakest(ORDER)) {
        Some((enemy, _)) => ATTACK + enemy,
        None if seen().next().is_some() && mask[EAST] != 0 => EAST,
        None => stand_still(row, mask),
    }
}

fn mean(episodes: &[Episode], of: impl Fn(&Episode) -> f64) -> f64 {
    episodes.iter().map(of).sum::<f64>() / episodes.len() as f64
}

#[test]
fn ten_thousand_random_episodes_and_focus_fire_beats_them() {
    let rng = || EnvRng::new(1, 0, 0, purpose::CHECK);
    let episodes = play("3m", 10_000, &mut random(rng()));
    for episode in &episodes {
        assert!(episode.steps <= 60);
        assert!(
            episode
                .returns
                .iter()
                .all(|r| (0.0..=20.0 + 1e-9).contains(r))
        );
        assert!(episode.returns.iter().all(|r| *r == episode.returns[0]));
        assert_eq!(episode.win, episode.enemies == 0.0 && episode.allies > 0.0);
    }
    let focused = play("3m", 1000, &mut focus_fire);
    let of_return = |episode: &Episode| episode.returns[0];
    let of_win = |episode: &Episode| f64::from(u8::from(episode.win));
    println!(
        "random: return {:.3}, wins {:.4}; focus fire: return {:.3}, wins {:.4}",
        mean(&episodes, of_return),
        mean(&episodes, of_win),
        mean(&focused, of_return),
        mean(&focused, of_win)
    );
    assert!(mean(&focused, of_win) > mean(&episodes, of_win) + 0.3);
    assert!(mean(&focused, of_return) > mean(&episodes, of_return) + 5.0);
    for episode in focused.iter().filter(|episode| episode.win) {
        assert!((episode.returns[0] - 20.0).abs() < 1e-4, "{episode:?}");
    }
}

#[test]
fn who_stands_still_loses_everywhere() {
    for scenario in ["3m", "8m", "5m_vs_6m", "2s3z", "27m_vs_30m"] {
        for episode in play(scenario, INSTANCES, &mut stand_still) {
            assert_eq!(episode.allies, 0.0, "{scenario}: {episode:?}");
            assert!(!episode.win && episode.returns[0] == 0.0, "{scenario}");
        }
    }
}

#[test]
fn other_scenarios_survive_random_play() {
    for (scenario, episodes) in [
        ("8m", 500),
        ("5m_vs_6m", 500),
        ("2s3z", 500),
        ("27m_vs_30m", 100),
    ] {
        let rng = EnvRng::new(2, 0, 0, purpose::CHECK);
        let played = play(scenario, episodes, &mut random(rng));
        println!(
            "{scenario}: return {:.3}, wins {:.3}",
            mean(&played, |episode| episode.returns[0]),
            mean(&played, |episode| f64::from(u8::from(episode.win)))
        );
        assert!(played.iter().any(|episode| episode.returns[0] > 0.0));
    }
}
