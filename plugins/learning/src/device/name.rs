//! Names of devices in a configuration, and opening them.

use std::fmt;
use std::str::FromStr;

use dfdx::prelude::Cpu;
#[cfg(feature = "cuda")]
use dfdx::prelude::Cuda;
use palaestra_plugin_api::{Error, Result};

/// A device's name in a configuration: `cpu`, `cuda:0`, `auto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DeviceName {
    /// The CPU.
    #[default]
    Cpu,
    /// The CUDA device of this index.
    Cuda(usize),
    /// The first CUDA device if there is one, else the CPU.
    Auto,
}

impl FromStr for DeviceName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "cpu" => Ok(Self::Cpu),
            "auto" => Ok(Self::Auto),
            "cuda" => Ok(Self::Cuda(0)),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|index| index.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| {
                    Error::config(format!(
                        "device: expected cpu, cuda:N or auto, found {text:?}"
                    ))
                }),
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
            Self::Auto => f.write_str("auto"),
        }
    }
}

/// A device that is open. One variant for each backend that this build has.
#[derive(Clone, Debug)]
pub(super) enum Opened {
    Cpu(Cpu),
    #[cfg(feature = "cuda")]
    Cuda(Cuda),
}

impl DeviceName {
    /// Opens the device; with what `auto` came to.
    ///
    /// # Errors
    /// When a CUDA device is asked for and there is none: never a silent fallback.
    pub(super) fn open(self) -> Result<(Opened, Option<String>)> {
        match self {
            Self::Cpu => Ok((open_cpu(), None)),
            Self::Cuda(index) => match cuda::open(index) {
                Ok((opened, _)) => Ok((opened, None)),
                Err(missing) => Err(Error::config(missing.for_name(self))),
            },
            Self::Auto => Ok(match cuda::open(0) {
                Ok((opened, found)) => (opened, Some(format!("auto took cuda:0, {found}"))),
                Err(missing) => {
                    let note = format!("auto took cpu: found {}", missing.found);
                    (open_cpu(), Some(note))
                }
            }),
        }
    }
}

fn open_cpu() -> Opened {
    // dfdx's own products would start a thread pool of their own; work is shared out by the host.
    gemm_common::gemm::set_threading_threshold(usize::MAX);
    Opened::Cpu(Cpu::default())
}

/// Why there is no CUDA device.
struct Missing {
    /// What was found in its place.
    found: String,
    /// What to do.
    remedy: &'static str,
}

impl Missing {
    fn for_name(&self, name: DeviceName) -> String {
        let Self { found, remedy } = self;
        format!("device: expected {name}, found {found}; {remedy}")
    }
}

#[cfg(feature = "cuda")]
mod cuda {
    use super::{Cuda, Missing, Opened};

    pub(super) fn open(index: usize) -> Result<(Opened, String), Missing> {
        let missing = |found| Missing {
            found,
            remedy: "use device = \"cpu\" or \"auto\"",
        };
        // dfdx panics where there is no device.
        let gpu = palaestra_cuda::probe(index).map_err(missing)?;
        let device = Cuda::try_build(index, 0).map_err(|e| missing(format!("{e:?}")))?;
        let (major, minor) = gpu.compute;
        let found = format!("compute capability {major}.{minor}");
        Ok((Opened::Cuda(device), found))
    }
}

#[cfg(not(feature = "cuda"))]
mod cuda {
    use super::{Missing, Opened};

    pub(super) fn open(_: usize) -> Result<(Opened, String), Missing> {
        Err(Missing {
            found: "a plugin built without CUDA".into(),
            remedy: "build it with --features cuda (cargo xtask cuda has the compiler), or use device = \"cpu\"",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        for (text, name) in [
            ("cpu", DeviceName::Cpu),
            ("cuda:1", DeviceName::Cuda(1)),
            ("auto", DeviceName::Auto),
        ] {
            assert_eq!(text.parse(), Ok(name));
            assert_eq!(name.to_string(), text);
        }
        let refused = "gpu".parse::<DeviceName>().unwrap_err();
        assert_eq!(
            refused.message,
            "device: expected cpu, cuda:N or auto, found \"gpu\""
        );
    }

    #[test]
    fn a_missing_gpu_is_told_and_auto_says_what_it_took() {
        let (opened, note) = DeviceName::Auto.open().unwrap();
        let note = note.unwrap();
        match DeviceName::Cuda(0).open() {
            Ok(_) => assert!(note.starts_with("auto took cuda:0, "), "{note}"),
            Err(error) => {
                let line = error.message;
                let start = "device: expected cuda:0, found ";
                assert!(line.starts_with(start) && !line.contains('\n'), "{line}");
                assert!(note.starts_with("auto took cpu: found "), "{note}");
                assert!(matches!(opened, Opened::Cpu(_)));
            }
        }
        // No machine has so many.
        assert!(DeviceName::Cuda(4096).open().is_err());
        assert!(matches!(DeviceName::Cpu.open(), Ok((Opened::Cpu(_), None))));
    }
}
