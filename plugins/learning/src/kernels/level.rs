//! Which instruction set the kernels run on.

use std::sync::OnceLock;

/// An instruction set that every kernel is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// What the target always has: SSE2 on x86-64.
    Baseline,
    /// AVX2 and FMA.
    Avx2,
    /// AVX-512 with the byte, word, double-word and vector-length extensions.
    Avx512,
}

impl Level {
    /// The widest level of this machine, not above the one that `PALAESTRA_SIMD` (`baseline`, `avx2`, `avx512`)
    /// names; looked up once.
    #[inline]
    pub(crate) fn current() -> Self {
        static LEVEL: OnceLock<Level> = OnceLock::new();
        *LEVEL.get_or_init(|| {
            let limit = match std::env::var("PALAESTRA_SIMD").as_deref() {
                Ok("baseline") => Self::Baseline,
                Ok("avx2") => Self::Avx2,
                _ => Self::Avx512,
            };
            limit.min(Self::machine())
        })
    }

    /// The widest level of this machine.
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    pub(crate) fn machine() -> Self {
        let narrow = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let wide = narrow
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        match (wide, narrow) {
            (true, _) => Self::Avx512,
            (_, true) => Self::Avx2,
            _ => Self::Baseline,
        }
    }

    /// The widest level of this machine.
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    pub(crate) fn machine() -> Self {
        Self::Baseline
    }
}

/// Functions over slices, compiled for every [`Level`]: the same bits on each, since nothing in them is contracted
/// to a fused multiply-add.
macro_rules! vectorised {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),* $(,)?) $body:block)*) => { $(
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)]
        pub(crate) fn $name($($argument: $type),*) {
            #[inline(always)]
            fn body($($argument: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            fn avx2($($argument: $type),*) {
                body($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,avx512f,avx512bw,avx512dq,avx512vl")]
            fn avx512($($argument: $type),*) {
                body($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            match crate::kernels::level::Level::current() {
                // SAFETY: `Level::current` found the instructions on this machine.
                crate::kernels::level::Level::Avx512 => return unsafe { avx512($($argument),*) },
                // SAFETY: as above.
                crate::kernels::level::Level::Avx2 => return unsafe { avx2($($argument),*) },
                crate::kernels::level::Level::Baseline => {}
            }
            body($($argument),*)
        }
    )* };
}

pub(crate) use vectorised;
