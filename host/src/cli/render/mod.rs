//! `palaestra render`: episodes as a GIF, a PNG, or text.

mod actions;
mod film;
mod play;
mod player;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use palaestra_plugin_api::algorithm::Role;
use palaestra_plugin_api::client::{
    EnvironmentBatch, MakeEnvironment, RandomPolicy, ScriptedPolicy,
};
use palaestra_plugin_api::spec::EnvironmentSpec;
use palaestra_plugin_api::{Error, Result};
use palaestra_registry::Kind;
use serde_json::{Map, Value, json};

use self::actions::Actor;
use self::film::{Film, Viewer};
use self::play::{Acted, Play, Trained};
use self::player::{Outcome, Player};
use super::Common;
use super::eval::{Which, of_run};
use super::output::{print, print_json, remark};
use super::set::ConfigArgs;
use crate::render::Header;
use crate::rollout::Workers;
use crate::runs::RunFolder;
use crate::session::{EnvironmentMaker, Session};
use crate::training::composition::Composition;
use crate::training::evaluation::{self, EvaluationPlan};

/// Steps of an episode where neither the environment nor the user sets a limit.
const DEFAULT_STEPS: u64 = 1000;

const EXAMPLES: &str = "Examples:
  palaestra render classic/CartPole-v1
  palaestra render mpe/SimpleSpread-v3 --out spread.gif --episodes 3 --seed 7
  palaestra render mpe/SimpleTag-v3 --policy scripted
  palaestra render runs/mpe-SimpleSpread-v3_core-MAPPO-v0_s0_20260101T120000 --episodes 3
  palaestra render cards/KuhnPoker-v0 --text --episodes 5
  palaestra render classic/Pendulum-v1 --policy no-op --out still.png --max-steps 40
  palaestra render template/Beacon-v0 --actions moves.json --set length=9

A PNG holds the last picture. A script is a JSON array with one joint action a step, each an array with
one entry per agent: [[0, 2], [1, 2]].";

/// Draw episodes of an environment, or of a trained policy.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RenderArgs {
    /// Environment, such as classic/CartPole-v1; version and namespace may be left out. Or the folder of a run,
    /// whose best policy then plays.
    #[arg(value_name = "ENV|RUN")]
    environment: String,
    /// File to write, ending in .gif or .png [default: NAME.gif].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print text instead of writing a file.
    #[arg(long, conflicts_with_all = ["out", "size"])]
    text: bool,
    /// Number of episodes.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    episodes: u64,
    /// Most steps of an episode [default: the environment's limit, or 1000].
    #[arg(long, value_name = "STEPS")]
    max_steps: Option<u64>,
    /// Seed of the environment and of the random policy.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Who acts [default: random, or script with --actions].
    #[arg(long, value_enum)]
    policy: Option<PolicyWord>,
    /// Joint actions to play, a JSON file.
    #[arg(long, value_name = "FILE")]
    actions: Option<PathBuf>,
    /// Pictures a second, 0.01 to 50.
    #[arg(long, default_value_t = 20.0)]
    fps: f64,
    /// Size of a picture in pixels.
    #[arg(long, value_name = "WxH", default_value = "600x400", value_parser = size)]
    size: (u32, u32),
    #[command(flatten)]
    config: ConfigArgs,
}

/// The words for the policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PolicyWord {
    /// Uniform over the allowed actions.
    Random,
    /// The no-op action of every group.
    NoOp,
    /// What the environment's own scripted baseline does.
    Scripted,
    /// The actions of --actions.
    Script,
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let read = |text: &str| {
        let (width, height) = text.split_once(['x', '×'])?;
        Some((width.trim().parse().ok()?, height.trim().parse().ok()?))
    };
    read(text).ok_or_else(|| format!("expected WIDTHxHEIGHT such as 600x400, found {text:?}"))
}

/// Runs the command.
///
/// # Errors
/// An unknown name, a wrong setting or script, a plugin at fault, a file that cannot be written.
pub(crate) fn run(args: &RenderArgs, common: &Common) -> Result<ExitCode> {
    if !(0.01..=50.0).contains(&args.fps) {
        return Err(Error::config(format!(
            "--fps: expected 0.01 to 50 pictures a second, found {}",
            args.fps
        )));
    }
    let session = common.session()?;
    let Cast {
        title,
        default_name,
        spec,
        play,
        blame,
    } = cast(args, &session)?;
    let groups: Vec<String> = spec.groups.iter().map(|g| g.name.clone()).collect();
    let limit = args.max_steps.unwrap_or_else(|| default_limit(&spec));
    let path = args
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(default_name));
    let mut film = if args.text {
        Film::text(args.fps)
    } else {
        Film::file(&path, args.fps, args.size)?
    };
    let mut player = Player::start(&title, play)?;
    let bar = bar(args, limit);
    let played = film_episodes(&mut player, &mut film, args.episodes, limit, &bar);
    let played = played.map_err(|e| blame.blame(e))?;
    film.finish()?;
    if !args.text {
        report(&title, &path, &groups, &played, common)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Who plays what.
struct Cast {
    title: String,
    /// File that pictures go to when nobody names one.
    default_name: String,
    spec: EnvironmentSpec,
    play: Box<dyn Play>,
    blame: EnvironmentMaker,
}

fn cast(args: &RenderArgs, session: &Session) -> Result<Cast> {
    // A folder that happens to be called like an environment is no run.
    let run = Path::new(&args.environment);
    let is_run = || RunFolder::open(run).is_ok();
    let is_name = || {
        session
            .registry()
            .resolve(Kind::Environment, &args.environment)
            .is_ok()
    };
    if run.is_dir() && (is_run() || !is_name()) {
        return trained(args, session);
    }
    let maker = session.environment(&args.environment, &args.config.config()?)?;
    maker.notes().iter().for_each(|note| remark("note", note));
    let what = MakeEnvironment {
        run_seed: args.seed,
        ..maker.request()
    };
    let batch = maker.batch(&what, 1, 1)?;
    let actor = actor(args, &batch).map_err(|e| e.within(maker.id()))?;
    Ok(Cast {
        title: maker.id().to_owned(),
        default_name: default_name(maker.id()),
        spec: batch.spec().clone(),
        play: Box::new(Acted::new(&maker, batch, actor)),
        blame: maker,
    })
}

/// The best policies of a run, choosing their best actions.
fn trained(args: &RenderArgs, session: &Session) -> Result<Cast> {
    if args.policy.is_some() || args.actions.is_some() {
        let message = "--policy: expected none beside a run, whose policy plays, found one";
        return Err(Error::config(message));
    }
    let run = Path::new(&args.environment);
    let chosen = of_run(run, Which::Best, &args.config.of_environment(), session)?;
    chosen.notes.iter().for_each(|note| remark("note", note));
    let composition = Composition::check(&chosen.parts, Role::Evaluator, 1)?;
    let plan = EvaluationPlan {
        run_seed: args.seed,
        episodes: 1,
        num_envs: 1,
        greedy: true,
    };
    let (parts, workers) = (&chosen.parts, Workers::new(1)?);
    let states = chosen.states.as_deref();
    let stage = evaluation::stage(parts, &composition, states, &plan, &workers)?;
    Ok(Cast {
        title: parts.environment.id().to_owned(),
        default_name: default_name(parts.environment.id()),
        spec: stage.spec().clone(),
        play: Box::new(Trained::new(stage, true)),
        blame: parts.environment.clone(),
    })
}

fn actor(args: &RenderArgs, batch: &EnvironmentBatch) -> Result<Actor> {
    let spec = batch.spec();
    let scripted = args.actions.is_some();
    match (
        args.policy.unwrap_or(if scripted {
            PolicyWord::Script
        } else {
            PolicyWord::Random
        }),
        &args.actions,
    ) {
        (PolicyWord::Random, None) => Ok(Actor::Random(Box::new(RandomPolicy::new(
            spec,
            batch.slabs(),
            args.seed,
            0,
        )))),
        (PolicyWord::Scripted, None) => {
            ScriptedPolicy::new(spec, batch.slabs()).map(Actor::Scripted)
        }
        (PolicyWord::NoOp, None) => Actor::no_op(spec),
        (PolicyWord::Script, Some(path)) => Actor::script(path, spec),
        (PolicyWord::Script, None) => Err(Error::config(
            "--policy script: expected a file of actions, found none; give --actions FILE.json",
        )),
        (_, Some(_)) => Err(Error::config(
            "--actions: expected --policy script, found another; leave one of them out",
        )),
    }
}

fn default_limit(spec: &EnvironmentSpec) -> u64 {
    spec.max_episode_steps.map_or(DEFAULT_STEPS, u64::from)
}

/// `CartPole-v1.gif` for `classic/CartPole-v1`.
fn default_name(id: &str) -> String {
    format!("{}.gif", id.rsplit('/').next().unwrap_or_default())
}

/// A progress bar on a terminal; nothing elsewhere, and nothing beside text pictures.
fn bar(args: &RenderArgs, limit: u64) -> ProgressBar {
    if args.text {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(args.episodes.saturating_mul(limit));
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} steps  {msg}") {
        bar.set_style(style);
    }
    bar
}

/// What was played.
#[derive(Debug, Default)]
struct Played {
    pictures: u64,
    /// The end of each episode: its steps, and its return per group.
    ends: Vec<Header>,
}

/// Plays the episodes. A picture is passed on once the next one is known, so that the last one of an
/// episode can stay longer.
fn film_episodes(
    player: &mut Player,
    film: &mut Film,
    episodes: u64,
    limit: u64,
    bar: &ProgressBar,
) -> Result<Played> {
    let mut played = Played::default();
    for episode in 0..episodes {
        if episode > 0 {
            player.next_episode()?;
        }
        let mut shown = player.picture()?;
        let mut header = player.header().clone();
        while header.step < limit {
            let outcome = player.step()?;
            bar.inc(1);
            match outcome {
                Outcome::On => {
                    played.pictures += 1;
                    if film.push(&shown, &header, false)? == Viewer::Gone {
                        return Ok(played);
                    }
                    shown = player.picture()?;
                    header = player.header().clone();
                }
                Outcome::Ended => {
                    // Where the next episode has begun already, the picture before the last step stays.
                    if !player.has_begun_anew() {
                        played.pictures += 1;
                        if film.push(&shown, &header, false)? == Viewer::Gone {
                            return Ok(played);
                        }
                        shown = player.picture()?;
                    }
                    header = player.header().clone();
                    break;
                }
                Outcome::OutOfActions => break,
            }
        }
        played.pictures += 1;
        if film.push(&shown, &header, true)? == Viewer::Gone {
            return Ok(played);
        }
        bar.set_message(format!("episode {}: {}", header.episode, returns(&header)));
        played.ends.push(header);
    }
    bar.finish_and_clear();
    Ok(played)
}

/// `return 12.50`, or one for each group.
fn returns(header: &Header) -> String {
    let each = header.returns.iter().map(|(name, value)| {
        let name = if name.is_empty() { "return" } else { name };
        format!("{name} {value:.2}")
    });
    each.collect::<Vec<_>>().join(", ")
}

fn report(
    title: &str,
    path: &Path,
    groups: &[String],
    played: &Played,
    common: &Common,
) -> Result<()> {
    if common.json {
        let ends = played.ends.iter().map(|end| {
            let returns = groups.iter().zip(&end.returns);
            let returns: Map<String, Value> = returns
                .map(|(group, (_, value))| (group.clone(), json!(value)))
                .collect();
            json!({"steps": end.step, "returns": returns})
        });
        return print_json(&json!({
            "environment": title,
            "file": path.display().to_string(),
            "pictures": played.pictures,
            "episodes": ends.collect::<Vec<_>>(),
        }));
    }
    let mut text = String::new();
    for end in &played.ends {
        let (episode, steps) = (end.episode, end.step);
        text.push_str(&format!(
            "episode {episode}: {steps} steps, {}\n",
            returns(end)
        ));
    }
    let pictures = match played.pictures {
        1 => "1 picture".to_owned(),
        n => format!("{n} pictures"),
    };
    text.push_str(&format!("{} ({pictures})\n", path.display()));
    print(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("600x400"), Ok((600, 400)));
        for text in ["600", "x", "600x-1", "axb"] {
            assert!(
                size(text).unwrap_err().starts_with("expected WIDTHxHEIGHT"),
                "{text}"
            );
        }
    }
}
