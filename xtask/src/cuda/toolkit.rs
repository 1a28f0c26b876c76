//! NVIDIA's compiler, from the wheels that pip finds.

use std::fmt::Display;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, cargo};

/// Newer ones write PTX that a driver for CUDA 13.0 refuses; those for CUDA 12 have no nvcc.
const WHEELS: [&str; 5] = [
    "nvidia-cuda-nvcc==13.0.88",
    "nvidia-cuda-crt==13.0.88",
    "nvidia-nvvm==13.0.88",
    "nvidia-cuda-runtime==13.0.96",
    "nvidia-cuda-cccl==13.0.85",
];

/// dfdx compiles for the GPU that this names. What is compiled for 8.0 runs on all newer ones, and dfdx's sources are not
/// accepted for older ones.
const NVIDIA_SMI: &str = "#!/bin/sh\necho compute_cap\necho 8.0\n";

/// Compiles in the place of the compiler below a folder. dfdx starts 49 of them at once, of 100 MB each: as many as there
/// are processors go on, the others wait. What they say is kept until they are finished: dfdx listens to one after the
/// other, and one that nobody listens to must not hold up the others.
fn nvcc(root: &Path) -> String {
    let slots = std::thread::available_parallelism().map_or(1, usize::from);
    let root = root.display();
    format!(
        "#!/bin/sh\n\
         slot=$(($$ * 40503 / 128 % {slots}))\n\
         said=$(flock \"{root}/stand-ins/slot$slot\" \"{root}/nvidia/cu13/bin/nvcc\" \"$@\" 2>&1)\n\
         status=$?\n\
         echo \"$said\"\n\
         exit $status\n"
    )
}

/// A compiler in a folder.
pub(super) struct Toolkit {
    root: PathBuf,
}

impl Toolkit {
    /// The compiler in this folder, fetched if it is not there yet.
    ///
    /// # Errors
    /// What was found in its place, as the end of a sentence.
    pub(super) fn fetch(root: &Path) -> Result<Self> {
        if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            return Err("another system than Linux on x86-64".into());
        }
        let said = |e: &dyn Display| e.to_string().replace('\n', " ");
        let wanted = WHEELS.join("\n");
        let list = root.join("wheels.txt");
        if fs::read_to_string(&list).is_ok_and(|have| have == wanted) {
            return Self::at(root).map_err(|e| said(&e));
        }
        let _ = fs::remove_dir_all(root);
        let output = Command::new("python3")
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "--no-input"])
            .args([
                "--disable-pip-version-check",
                "--retries",
                "1",
                "--timeout",
                "20",
                "--target",
            ])
            .arg(root)
            .args(WHEELS)
            .output()
            .map_err(|e| format!("no python3 ({e})"))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            let last = text.lines().rfind(|line| !line.trim().is_empty());
            return Err(format!(
                "pip at fault ({})",
                last.unwrap_or("without a word")
            ));
        }
        let toolkit = Self::at(root).map_err(|e| said(&e))?;
        // Written last: a fetch that was interrupted is begun again.
        fs::write(list, wanted).map_err(|e| said(&e))?;
        Ok(toolkit)
    }

    /// Puts the stand-ins beside the compiler.
    fn at(root: &Path) -> std::io::Result<Self> {
        let folder = root.join("stand-ins");
        fs::create_dir_all(&folder)?;
        for (name, text) in [("nvidia-smi", NVIDIA_SMI.to_owned()), ("nvcc", nvcc(root))] {
            let path = folder.join(name);
            fs::write(&path, text)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
        Ok(Self { root: root.into() })
    }

    /// Runs cargo with the compiler on its path.
    ///
    /// # Errors
    /// When it fails.
    pub(super) fn cargo(&self, arguments: &[&str]) -> Result<()> {
        let cuda = self.root.join("nvidia/cu13");
        let mut path = vec![self.root.join("stand-ins"), cuda.join("bin")];
        path.extend(std::env::split_paths(
            &std::env::var_os("PATH").unwrap_or_default(),
        ));
        let path = std::env::join_paths(path).map_err(|e| format!("PATH: {e}"))?;
        cargo::run_with(
            arguments,
            &[("PATH", &path), ("CUDA_PATH", cuda.as_os_str())],
        )
    }
}
