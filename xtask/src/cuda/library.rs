//! What a built library asks of the machine that loads it.

use std::fs;
use std::path::Path;

use object::elf::DT_NEEDED;
use object::read::elf::{Dyn, ElfFile64};
use object::{Endianness, Object, ObjectSymbol};

use crate::Result;

/// Starts of the names of libraries that many machines lack.
const RARE: [&str; 4] = ["libcuda", "libcublas", "libnvrtc", "libnvidia"];
/// Starts of the names of their functions.
const FOREIGN: [&str; 2] = ["cu", "nvrtc"];

/// The library needs none of NVIDIA's libraries, and has all of their functions that it calls.
///
/// # Errors
/// One that does, or cannot be read.
pub(super) fn check(path: &Path) -> Result<()> {
    let failed = |e: &dyn std::fmt::Display| format!("cuda: {}: {e}", path.display());
    let data = fs::read(path).map_err(|e| failed(&e))?;
    let (needed, missing) = asks(&data).map_err(|e| failed(&e))?;
    let rare = |name: &&String| RARE.iter().any(|start| name.starts_with(start));
    if let Some(name) = needed.iter().find(rare) {
        return Err(failed(&format!(
            "expected no NVIDIA library among those it needs, found {name}"
        )));
    }
    let foreign = |name: &&String| FOREIGN.iter().any(|start| name.starts_with(start));
    if let Some(name) = missing.iter().find(foreign) {
        return Err(failed(&format!(
            "expected palaestra-cuda to have {name}, found it undefined"
        )));
    }
    println!("cuda: {} needs {}", path.display(), needed.join(", "));
    Ok(())
}

/// Libraries that are needed, and functions that are not there.
fn asks(data: &[u8]) -> object::Result<(Vec<String>, Vec<String>)> {
    let file = ElfFile64::<Endianness>::parse(data)?;
    let (endian, sections) = (file.endian(), file.elf_section_table());
    let mut needed = Vec::new();
    if let Some((entries, link)) = sections.dynamic(endian, data)? {
        let strings = sections.strings(endian, data, link)?;
        for entry in entries
            .iter()
            .filter(|e| e.tag32(endian) == Some(DT_NEEDED))
        {
            needed.push(String::from_utf8_lossy(entry.string(endian, strings)?).into_owned());
        }
    }
    let undefined = file.dynamic_symbols().filter(ObjectSymbol::is_undefined);
    let names = undefined.filter_map(|symbol| symbol.name().ok().map(str::to_owned));
    Ok((needed, names.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_needs_the_c_library_and_calls_into_it() {
        let program = std::env::current_exe().unwrap();
        let (needed, missing) = asks(&fs::read(&program).unwrap()).unwrap();
        assert!(
            needed.iter().any(|name| name.starts_with("libc.")),
            "{needed:?}"
        );
        assert!(missing.iter().any(|name| name == "malloc"), "{missing:?}");
        assert_eq!(check(&program), Ok(()));
        assert!(check(Path::new("nothing")).is_err());
    }
}
