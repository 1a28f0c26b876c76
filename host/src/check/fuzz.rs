//! Checks of configurations: the defaults, and random ones.

use std::time::{Duration, Instant};

use palaestra_plugin_api::{
    Error, ErrorKind,
    client::{EnvironmentBatch, MakeEnvironment, RandomPolicy},
    rng::{EnvRng, purpose},
    testing::{CheckReport, Status, Subject},
};
use palaestra_registry::{manifest::Door, validate::ConfigSchema};
use serde_json::{Value, json};

use super::{
    library::report,
    schema::{implausible, plausible},
};

/// Most configurations that are tried, and the time after which no more are.
const CONFIGS: u64 = 300;
const TIME: Duration = Duration::from_secs(10);
/// Steps with each configuration that is taken.
const STEPS: u64 = 3;
/// Most characters of a configuration that are quoted.
const QUOTED: usize = 200;

/// No settings and all defaults must both be taken, and mean the same.
pub(super) fn defaults_validate(subject: &Subject<'_>, schema: &Value, seed: u64) -> CheckReport {
    let spec_of = |config: Value| {
        let what = MakeEnvironment {
            config,
            ..subject.request(seed)
        };
        subject.make(&what).map(|handle| handle.spec().clone())
    };
    let compared = || {
        let full = ConfigSchema::new(subject.id.clone(), schema)?.complete(&json!({}))?;
        let (none, all) = (spec_of(json!({}))?, spec_of(full.clone())?);
        if none == all {
            return Ok(format!(
                "{} settings",
                full.as_object().map_or(0, |o| o.len())
            ));
        }
        Err(Error::plugin(format!(
            "defaults {}: expected the spec of no settings at all, found another",
            quote(&full)
        )))
    };
    match compared() {
        Ok(detail) => report("defaults-validate", Status::Passed, detail, seed),
        Err(e) => report("defaults-validate", blame(&e), e.message, seed),
    }
}

fn blame(error: &Error) -> Status {
    if error.kind == ErrorKind::Panicked {
        Status::Crashed
    } else {
        Status::Failed
    }
}

/// Random configurations are taken or refused with a reason; what is taken can be stepped. The SDK of the Rust door
/// refuses what the schema refuses; behind the C door the host has checked the schema already.
pub(super) fn config_fuzz(
    subject: &Subject<'_>,
    schema: &Value,
    door: Door,
    seed: u64,
) -> CheckReport {
    let check = |status, detail: String| report("config-fuzz", status, detail, seed);
    let validator = match ConfigSchema::new(subject.id.clone(), schema) {
        Ok(validator) => validator,
        Err(e) => return check(Status::Failed, e.message),
    };
    let started = Instant::now();
    let (mut taken, mut refused) = (0, 0);
    for i in 0..CONFIGS {
        if started.elapsed() > TIME {
            break;
        }
        let mut rng = EnvRng::new(seed, i, 0, purpose::CHECK);
        let config = if i % 2 == 0 {
            plausible(schema, &mut rng)
        } else {
            implausible(schema, &mut rng)
        };
        let fits = validator.problems(&config).is_empty();
        match (fits, try_out(subject, &config, seed)) {
            (_, Err(e)) if e.kind == ErrorKind::Panicked => {
                return check(
                    Status::Crashed,
                    format!("{} with {}", e.message, quote(&config)),
                );
            }
            (_, Err(e)) if e.message.is_empty() || e.message.contains("and no message") => {
                return check(
                    Status::Failed,
                    format!("expected a reason, found none, with {}", quote(&config)),
                );
            }
            (_, Err(_)) => refused += 1,
            (false, Ok(())) if door == Door::Rust => {
                return check(
                    Status::Failed,
                    format!(
                        "expected the plugin to refuse what its schema refuses: {}",
                        quote(&config)
                    ),
                );
            }
            (_, Ok(())) => taken += 1,
        }
    }
    check(
        Status::Passed,
        format!("{taken} configurations taken, {refused} refused"),
    )
}

/// Makes an environment and plays a few steps.
fn try_out(subject: &Subject<'_>, config: &Value, seed: u64) -> Result<(), Error> {
    let what = MakeEnvironment {
        config: config.clone(),
        ..subject.request(seed)
    };
    let mut batch = EnvironmentBatch::new(&what, 1, 2, |part| subject.make(part))?;
    let mut policy =
        RandomPolicy::new(batch.spec(), batch.slabs(), seed, 0).with_purpose(purpose::CHECK);
    batch.reset(&json!({}), 0)?;
    for time in 0..STEPS {
        let slot = (time % 2) as usize;
        for mut shard in batch.shards_mut() {
            // An agent without a choice is for `action-mask-valid`.
            if policy.fill(&mut shard, slot, time).is_err() {
                return Ok(());
            }
        }
        batch.step(slot, 1 - slot)?;
    }
    Ok(())
}

fn quote(config: &Value) -> String {
    let text = config.to_string();
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
