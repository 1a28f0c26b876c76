//! `plugins.lock` of a run: which libraries it was made with.

use std::fs;

use serde::{Deserialize, Serialize};

use crate::{runs::RunFolder, training::composition::Parts};

/// The libraries of a run, each once.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Libraries {
    #[serde(default)]
    plugin: Vec<Library>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Library {
    plugin: String,
    version: String,
    sha256: String,
}

impl Libraries {
    fn of(parts: &Parts) -> Self {
        let mut plugin: Vec<Library> = Vec::new();
        let mut add = |name: &str, version: &str, sha256: &str| {
            if !plugin.iter().any(|known| known.sha256 == sha256) {
                plugin.push(Library {
                    plugin: name.into(),
                    version: version.into(),
                    sha256: sha256.into(),
                });
            }
        };
        let world = &parts.environment;
        add(world.plugin(), world.version(), world.sha256());
        for policy in &parts.policies {
            let maker = &policy.algorithm;
            add(maker.plugin(), maker.version(), maker.sha256());
        }
        for maker in &parts.mechanisms {
            add(maker.plugin(), maker.version(), maker.sha256());
        }
        Self { plugin }
    }
}

/// The text of the lock.
pub(crate) fn locked(parts: &Parts) -> String {
    // Strings in a table: nothing that TOML could refuse.
    toml::to_string(&Libraries::of(parts)).unwrap_or_default()
}

/// Plugins that are other libraries now than when the run began, each as a remark.
pub(crate) fn differences(folder: &RunFolder, parts: &Parts) -> Vec<String> {
    let Ok(text) = fs::read_to_string(folder.plugins_lock()) else {
        return vec!["plugins.lock: expected in the run's folder, found none".into()];
    };
    let Ok(then) = toml::from_str::<Libraries>(&text) else {
        return vec!["plugins.lock: expected a list of plugins, found something else".into()];
    };
    let changed = |now: &Library| {
        let before = then.plugin.iter().find(|p| p.plugin == now.plugin)?;
        (before.sha256 != now.sha256).then(|| {
            format!(
                "plugin {}: expected the library that the run began with ({}…), found another ({}…); \
                 results may differ",
                now.plugin,
                &before.sha256[..before.sha256.len().min(12)],
                &now.sha256[..now.sha256.len().min(12)]
            )
        })
    };
    Libraries::of(parts)
        .plugin
        .iter()
        .filter_map(changed)
        .collect()
}
