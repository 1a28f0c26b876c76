//! Whether a run fits into this machine's memory, asked before anything large is made.

use std::fs;

use palaestra_plugin_api::{Error, Result};

use super::composition::Composition;
use crate::rollout::row_bytes;

impl Composition {
    /// Whether the observations, actions and rewards of a fragment of so many instances fit into memory.
    ///
    /// # Errors
    /// They do not.
    pub fn fits(&self, num_envs: usize) -> Result<()> {
        let slots = self.steps.saturating_add(1);
        let rows = slots.saturating_mul(num_envs);
        let needed = rows.saturating_mul(row_bytes(&self.composed));
        within(needed, memory(), slots, num_envs)
    }
}

fn within(needed: usize, there: Option<usize>, slots: usize, num_envs: usize) -> Result<()> {
    let Some(there) = there.filter(|&there| needed > there) else {
        return Ok(());
    };
    let gib = |bytes: usize| bytes as f64 / (1u64 << 30) as f64;
    let message = format!(
        "memory: expected a fragment of {slots} slots of {num_envs} instances to fit into {:.1} GiB, \
         found that it takes {:.1} GiB at least",
        gib(there),
        gib(needed)
    );
    Err(Error::config(message)
        .with_next("train with fewer steps a fragment, or a smaller --num-envs"))
}

/// Bytes of this machine's memory, where it tells.
fn memory() -> Option<usize> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let total = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: usize = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_fit_is_refused() {
        assert!(within(10, Some(10), 1, 1).is_ok() && within(usize::MAX, None, 1, 1).is_ok());
        let error = within(3 << 30, Some(1 << 30), 1001, 7).unwrap_err();
        let expected = "1001 slots of 7 instances to fit into 1.0 GiB, found that it takes 3.0 GiB";
        assert!(error.message.contains(expected), "{error}");
        assert_eq!(error.exit_code(), 2);
    }
}
