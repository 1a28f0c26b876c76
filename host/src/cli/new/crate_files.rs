//! The files of a new crate: the template's own, under other names.

use std::path::{Path, PathBuf};

use palaestra_plugin_api::{Error, ErrorKind, Result};

use super::name::Names;

const LIBRARY: &str = include_str!("../../../../plugins/template/src/lib.rs");
const ENVIRONMENT: &str = include_str!("../../../../plugins/template/src/beacon.rs");
const README: &str = include_str!("../../../../plugins/template/README.md");

/// Where the new crate finds `palaestra-plugin-api`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    /// A folder on this machine.
    Path(PathBuf),
    /// The published crate of this version.
    Version(String),
}

impl Api {
    /// The folder `given`; without one that of the workspace this program was built in, if it is still there.
    ///
    /// # Errors
    /// Kind `Config` for a given folder that holds no crate.
    pub(crate) fn choose(given: Option<&Path>) -> Result<Self> {
        let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin-api");
        let folder = given.unwrap_or(&built_in);
        if folder.join("Cargo.toml").is_file() {
            let real = folder.canonicalize();
            return real
                .map(Self::Path)
                .map_err(|e| Error::new(ErrorKind::Io, format!("{}: {e}", folder.display())));
        }
        match given {
            Some(folder) => Err(Error::config(format!(
                "--api-path {}: expected the folder of palaestra-plugin-api, found no Cargo.toml in it",
                folder.display()
            ))),
            None => Ok(Self::Version(
                palaestra_plugin_api::abi::ABI_VERSION.to_owned(),
            )),
        }
    }

    /// The dependency as TOML, with a feature if one is named.
    fn dependency(&self, feature: Option<&str>) -> String {
        let feature = feature
            .map(|f| format!(", features = [\"{f}\"]"))
            .unwrap_or_default();
        match self {
            Self::Path(path) => {
                let path = toml::Value::String(path.display().to_string());
                format!("palaestra-plugin-api = {{ path = {path}{feature} }}")
            }
            Self::Version(version) => {
                format!("palaestra-plugin-api = {{ version = \"{version}\"{feature} }}")
            }
        }
    }
}

/// The files of the crate: path below its folder, and text.
pub(crate) fn files(names: &Names, api: &Api) -> Vec<(String, String)> {
    let renamed = |text: &str| rename(text, names);
    vec![
        (".gitignore".to_owned(), "/target\n".to_owned()),
        ("Cargo.toml".to_owned(), manifest(names, api)),
        ("README.md".to_owned(), renamed(README)),
        ("src/lib.rs".to_owned(), renamed(LIBRARY)),
        (format!("src/{}.rs", names.module), renamed(ENVIRONMENT)),
    ]
}

/// The template's words replaced, the longer ones first.
fn rename(text: &str, names: &Names) -> String {
    let file = format!("{}-v{}", names.name, names.version);
    text.replace("template/Beacon-v0", &names.id())
        .replace("Beacon-v0", &file)
        .replace("libtemplate.so", &names.library())
        .replace("Beacon", &names.type_name)
        .replace("beacon", &names.module)
}

fn manifest(names: &Names, api: &Api) -> String {
    let (package, id) = (&names.package, names.id());
    let (edition, rust) = ("2024", env!("CARGO_PKG_RUST_VERSION"));
    format!(
        "[package]\nname = \"{package}\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\nrust-version = \"{rust}\"\n\
         license = \"MIT OR Apache-2.0\"\ndescription = \"The environment {id}\"\n\n\
         [lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\n\
         [dependencies]\n{}\n\n[dev-dependencies]\n{}\n\n\
         # A panic must unwind to be caught at the plugin boundary.\n\
         [profile.dev]\npanic = \"unwind\"\nopt-level = 1\n\n[profile.release]\npanic = \"unwind\"\n\n\
         # This crate stands alone, wherever its folder lies.\n[workspace]\n",
        api.dependency(None),
        api.dependency(Some("testing")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_template_is_left_over() {
        let names = Names::parse("rescue/BigFlood-v2").unwrap();
        let files = files(&names, &Api::Version("1.0".into()));
        for (path, text) in &files {
            let lower = text.to_lowercase();
            assert!(
                !lower.contains("beacon")
                    && !lower.contains("libtemplate")
                    && !lower.contains("template/"),
                "{path}"
            );
        }
        let text = |name: &str| &files.iter().find(|(path, _)| path == name).unwrap().1;
        assert!(text("src/lib.rs").contains("pub mod big_flood;"));
        assert!(
            text("src/big_flood.rs").contains("const ID: &'static str = \"rescue/BigFlood-v2\";")
        );
        let manifest: toml::Table = text("Cargo.toml").parse().unwrap();
        assert_eq!(
            manifest["package"]["name"].as_str(),
            Some("rescue-big-flood")
        );
        assert_eq!(
            manifest["dependencies"]["palaestra-plugin-api"]["version"].as_str(),
            Some("1.0")
        );
    }

    #[test]
    fn a_path_with_quotes_stays_a_path() {
        let api = Api::Path("/a \"b\"\\c".into());
        let table: toml::Table = api.dependency(Some("testing")).parse().unwrap();
        assert_eq!(
            table["palaestra-plugin-api"]["path"].as_str(),
            Some("/a \"b\"\\c")
        );
    }
}
