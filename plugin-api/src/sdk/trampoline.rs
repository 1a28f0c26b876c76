//! One step, compiled for three instruction sets; the widest that the machine has is taken.

use super::batch::Batch;
use crate::{batch::BatchEnvironment, error::Result};

/// An instruction set that `step` is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// SSE2, or whatever the target's baseline is.
    Baseline,
    /// AVX2.
    Avx2,
    /// AVX-512 with the byte, word, double-word and vector-length extensions.
    Avx512,
}

impl Level {
    /// The widest level of this machine, not above the one that `PALAESTRA_SIMD` (`baseline`, `avx2`,
    /// `avx512`) names.
    pub(crate) fn detect() -> Self {
        let limit = match std::env::var("PALAESTRA_SIMD").as_deref() {
            Ok("baseline") => Self::Baseline,
            Ok("avx2") => Self::Avx2,
            _ => Self::Avx512,
        };
        limit.min(Self::machine())
    }

    #[cfg(all(target_arch = "x86_64", not(miri)))]
    fn machine() -> Self {
        let wide = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        match (wide, is_x86_feature_detected!("avx2")) {
            (true, true) => Self::Avx512,
            (_, true) => Self::Avx2,
            _ => Self::Baseline,
        }
    }

    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    fn machine() -> Self {
        Self::Baseline
    }
}

impl<E: BatchEnvironment> Batch<E> {
    /// Steps on the level that was detected when the object was made.
    #[inline(always)]
    pub(crate) fn step_on_level(&mut self, read: usize, write: usize) -> Result<()> {
        #[cfg(target_arch = "x86_64")]
        if !E::ONE_CALL_SITE {
            match self.level {
                // SAFETY: `Level::detect` found the instructions on this machine.
                Level::Avx512 => return unsafe { avx512(self, read, write) },
                // SAFETY: as above.
                Level::Avx2 => return unsafe { avx2(self, read, write) },
                Level::Baseline => {}
            }
        }
        baseline(self, read, write)
    }
}

#[inline(never)]
fn baseline<E: BatchEnvironment>(batch: &mut Batch<E>, read: usize, write: usize) -> Result<()> {
    batch.step_all(read, write)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<E: BatchEnvironment>(batch: &mut Batch<E>, read: usize, write: usize) -> Result<()> {
    batch.step_all(read, write)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512dq,avx512vl")]
fn avx512<E: BatchEnvironment>(batch: &mut Batch<E>, read: usize, write: usize) -> Result<()> {
    batch.step_all(read, write)
}
