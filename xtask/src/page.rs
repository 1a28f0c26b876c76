//! What the written pages have in common.

use std::fs;
use std::path::Path;

use crate::Result;

/// Writes a page into a file, or prints it.
///
/// # Errors
/// A file that cannot be written.
pub(crate) fn put(out: Option<&Path>, text: &str) -> Result<()> {
    let Some(path) = out else {
        print!("{text}");
        return Ok(());
    };
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder
        .and_then(|()| fs::write(path, text))
        .map_err(|e| format!("{}: {e}", path.display()))
}

/// A number with three significant digits or more.
pub(crate) fn number(value: f64) -> String {
    // A mean of numbers that cancel may be -0.
    let value = value + 0.0;
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 || size == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// The processor's name, and how many hardware threads it has.
pub(crate) fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let name = name.map_or("an unnamed processor", |(_, name)| name.trim());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{name}, {threads} hardware threads")
}
