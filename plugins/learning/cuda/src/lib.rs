//! The way to CUDA: supplies the C functions that cudarc 0.9 (under dfdx) calls, by opening the driver, cuBLAS and NVRTC
//! the first time one is needed.
//!
//! cudarc would name these libraries in the plugin's list of needed ones, and the plugin could not be loaded where they
//! are missing. Its feature `ci-check` leaves them out; this crate defines the functions instead. So one plugin serves
//! machines with and without a GPU, and [`probe`] tells in one line why a GPU is out of reach.
//!
//! Libraries are looked for as the system does, and before that in the folders of `PALAESTRA_CUDA_PATH`
//! (colon-separated).

#![allow(unsafe_code)]

mod forward;
mod library;

use std::ffi::{CStr, c_char};

use forward::{
    cuDeviceGet, cuDeviceGetAttribute, cuDeviceGetCount, cuDriverGetVersion, cuGetErrorString,
    cuInit,
};

/// The driver that the kernels' PTX (version 9.0, of CUDA 13.0) asks for.
const DRIVER: (i32, i32) = (13, 0);
/// The compute capability that the kernels are compiled for.
const COMPUTE: (i32, i32) = (8, 0);

const ATTRIBUTE_COMPUTE_MAJOR: usize = 75;
const ATTRIBUTE_COMPUTE_MINOR: usize = 76;

/// A usable GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// Version of CUDA that the driver is for.
    pub driver: (i32, i32),
    /// Compute capability.
    pub compute: (i32, i32),
}

/// Looks for the GPU of an index. Never panics, and leaves nothing open that matters.
///
/// # Errors
/// What was found in its place, as the end of a sentence.
pub fn probe(index: usize) -> Result<Gpu, String> {
    library::DRIVER
        .open()
        .map_err(|error| format!("no CUDA driver ({error})"))?;
    // SAFETY: cuInit takes flags only, which must be 0.
    check("cuInit", unsafe { cuInit(0) })?;
    let driver = ask("cuDriverGetVersion", |out| {
        // SAFETY: `out` is the address of an i32.
        unsafe { cuDriverGetVersion(out) }
    })?;
    let driver = (driver / 1000, driver % 1000 / 10);
    if driver < DRIVER {
        return Err(format!(
            "a driver for CUDA {}.{}, older than {}.{}",
            driver.0, driver.1, DRIVER.0, DRIVER.1
        ));
    }
    let count = ask("cuDeviceGetCount", |out| {
        // SAFETY: `out` is the address of an i32.
        unsafe { cuDeviceGetCount(out) }
    })?;
    if usize::try_from(count).unwrap_or(0) <= index {
        return Err(format!("{count} CUDA devices"));
    }
    let device = ask("cuDeviceGet", |out| {
        // SAFETY: `out` is the address of an i32, and the index is one of the devices'.
        unsafe { cuDeviceGet(out, index) }
    })?;
    let attribute = |which: usize| {
        ask("cuDeviceGetAttribute", |out| {
            // SAFETY: `out` is the address of an i32, and the device was given by the driver.
            unsafe { cuDeviceGetAttribute(out, which, device as usize) }
        })
    };
    let compute = (
        attribute(ATTRIBUTE_COMPUTE_MAJOR)?,
        attribute(ATTRIBUTE_COMPUTE_MINOR)?,
    );
    if compute < COMPUTE {
        return Err(format!(
            "a GPU of compute capability {}.{}, below {}.{}",
            compute.0, compute.1, COMPUTE.0, COMPUTE.1
        ));
    }
    library::CUBLAS
        .open()
        .map_err(|error| format!("no cuBLAS ({error})"))?;
    Ok(Gpu { driver, compute })
}

/// A number that the driver writes to an address.
fn ask(what: &str, call: impl FnOnce(usize) -> u32) -> Result<i32, String> {
    let mut number = 0_i32;
    check(what, call(&raw mut number as usize))?;
    Ok(number)
}

/// The driver's own words for a status that is not 0.
fn check(what: &str, status: u32) -> Result<(), String> {
    if status == 0 {
        return Ok(());
    }
    let mut text: *const c_char = std::ptr::null();
    // SAFETY: `text` is where the driver puts the address of a string that lives for ever, or null.
    unsafe { cuGetErrorString(status, &raw mut text) };
    let words = if text.is_null() {
        "unknown".into()
    } else {
        // SAFETY: not null, so it is such a string.
        unsafe { CStr::from_ptr(text) }.to_string_lossy()
    };
    Err(format!("a driver that refuses {what} ({status}: {words})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_gpu_is_told_in_words() {
        match probe(0) {
            Ok(gpu) => assert!(gpu.driver >= DRIVER && gpu.compute >= COMPUTE, "{gpu:?}"),
            Err(found) => assert!(
                ["no ", "a ", "0 CUDA devices"]
                    .iter()
                    .any(|start| found.starts_with(start)),
                "{found}"
            ),
        }
        // No machine has so many.
        assert!(probe(4096).is_err());
    }

    #[test]
    fn functions_answer_without_a_driver() {
        if library::DRIVER.open().is_ok() {
            eprintln!("skipped: this machine has a CUDA driver");
            return;
        }
        let mut text: *const c_char = std::ptr::null();
        // SAFETY: cuInit takes flags only; `text` is where the address of a string is put.
        let (started, told) = unsafe { (cuInit(0), cuGetErrorString(100, &raw mut text)) };
        assert_eq!((started, told), (forward::NO_DEVICE, 0));
        // SAFETY: the call above succeeded, so this is a string.
        let words = unsafe { CStr::from_ptr(text) }.to_str();
        assert_eq!(words, Ok("the CUDA driver's library is not there"));
    }
}
