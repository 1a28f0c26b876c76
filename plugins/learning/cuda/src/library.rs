//! Shared libraries that are opened when first needed, and stay open.

use std::{env, error::Error, ffi::CStr, sync::OnceLock};

use libloading::Library;

/// Folders to look in first, colon-separated.
const PATH: &str = "PALAESTRA_CUDA_PATH";

/// A library under one of several names.
pub(crate) struct Shared {
    names: &'static [&'static str],
    opened: OnceLock<Result<Library, String>>,
}

pub(crate) static DRIVER: Shared = Shared::named(&["libcuda.so.1", "libcuda.so"]);
pub(crate) static CUBLAS: Shared = Shared::named(&["libcublas.so.13", "libcublas.so"]);
pub(crate) static NVRTC: Shared = Shared::named(&["libnvrtc.so.13", "libnvrtc.so"]);

impl Shared {
    const fn named(names: &'static [&'static str]) -> Self {
        Self {
            names,
            opened: OnceLock::new(),
        }
    }

    /// The library.
    ///
    /// # Errors
    /// What the system said about its first name.
    pub(crate) fn open(&self) -> Result<&Library, &str> {
        self.opened
            .get_or_init(|| self.look())
            .as_ref()
            .map_err(String::as_str)
    }

    fn look(&self) -> Result<Library, String> {
        let folders = env::var_os(PATH).unwrap_or_default();
        let folders: Vec<_> = env::split_paths(&folders)
            .filter(|folder| !folder.as_os_str().is_empty())
            .collect();
        let places = self.names.iter().flat_map(|name| {
            let inside = folders.iter().map(move |folder| folder.join(name));
            inside.chain([name.into()])
        });
        for place in places {
            // SAFETY: NVIDIA's libraries, which do nothing when they are opened or closed but set up themselves.
            if let Ok(library) = unsafe { Library::new(&place) } {
                return Ok(library);
            }
        }
        // SAFETY: as above.
        match unsafe { Library::new(self.names[0]) } {
            Ok(library) => Ok(library),
            Err(error) => {
                // What the system said, such as "libcuda.so.1: cannot open shared object file".
                let said = error
                    .source()
                    .map_or(error.to_string(), ToString::to_string);
                Err(said.replace('\n', " "))
            }
        }
    }

    /// The address of a function; 0 when there is none.
    pub(crate) fn address(&self, function: &CStr) -> usize {
        let Ok(library) = self.open() else { return 0 };
        // SAFETY: only the address is taken here; who calls it knows the function's type.
        let found = unsafe { library.get::<*const ()>(function.to_bytes_with_nul()) };
        found.map_or(0, |symbol| *symbol as usize)
    }
}
