//! Where to look, what to trust: the settings of the registry, from environment variables and options.

use std::env;
use std::path::PathBuf;

/// Colon-separated folders to search for plugins.
pub const PLUGIN_PATH: &str = "PALAESTRA_PLUGIN_PATH";
/// Path of the lock file, in place of the one in the user's configuration folder.
pub const LOCK: &str = "PALAESTRA_LOCK";
/// `1` trusts nothing but the lock file.
pub const LOCKED: &str = "PALAESTRA_LOCKED";
/// Folder of the private copies, in place of the one in the user's cache folder.
pub const CACHE: &str = "PALAESTRA_CACHE";

/// Settings of a [`crate::Registry`].
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Folders given as `--plugin-dir`, searched first.
    pub plugin_dirs: Vec<PathBuf>,
    /// Folders of [`PLUGIN_PATH`], searched second.
    pub plugin_path: Vec<PathBuf>,
    /// The running program; its folder and `plugins/` beside it are searched third.
    pub executable: Option<PathBuf>,
    /// The user's own plugins, searched last.
    pub user_plugins: Option<PathBuf>,
    /// The lock file; without one nothing can be locked.
    pub lock_file: Option<PathBuf>,
    /// Root of the private copies; without one nothing can be loaded.
    pub cache: Option<PathBuf>,
    /// Trust the lock file alone, not what was built beside the executable.
    pub locked: bool,
}

impl Options {
    /// The settings of this process: its environment variables, its executable, the user's folders.
    pub fn from_environment() -> Self {
        Self {
            plugin_dirs: Vec::new(),
            plugin_path: env::var_os(PLUGIN_PATH)
                .map(|list| env::split_paths(&list).collect::<Vec<_>>())
                .unwrap_or_default()
                .into_iter()
                .filter(|path| !path.as_os_str().is_empty())
                .collect(),
            executable: env::current_exe().ok(),
            user_plugins: dirs::data_dir().map(|dir| dir.join("palaestra/plugins")),
            lock_file: path_variable(LOCK)
                .or_else(|| dirs::config_dir().map(|dir| dir.join("palaestra/plugins.lock"))),
            cache: path_variable(CACHE)
                .or_else(|| dirs::cache_dir().map(|dir| dir.join("palaestra/plugins"))),
            locked: env::var_os(LOCKED).is_some_and(|value| {
                // Anything that is not plainly "no" is taken as the stricter answer.
                !["", "0", "false", "no"].iter().any(|no| value == *no)
            }),
        }
    }
}

fn path_variable(name: &str) -> Option<PathBuf> {
    env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}
