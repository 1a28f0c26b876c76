//! The files of a new crate: the template's own, under other names.

use std::path::{Path, PathBuf};

use palaestra_plugin_api::{Error, ErrorKind, Result};

use super::name::Names;
use super::template::Template;

/// Where the new crate finds the project's crates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    /// The folder of `palaestra-plugin-api` on this machine, in a checkout of the project.
    Path(PathBuf),
    /// The published crates, of this version of the ABI.
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

    /// The dependency on `palaestra-plugin-api` as TOML, with a feature if one is named.
    fn dependency(&self, feature: Option<&str>) -> String {
        let feature = feature
            .map(|f| format!(", features = [\"{f}\"]"))
            .unwrap_or_default();
        match self {
            Self::Path(path) => {
                let path = text(path);
                format!("palaestra-plugin-api = {{ path = {path}{feature} }}")
            }
            Self::Version(version) => {
                format!("palaestra-plugin-api = {{ version = \"{version}\"{feature} }}")
            }
        }
    }

    /// The dependency on the learning kit as TOML.
    fn learning(&self) -> String {
        match self {
            Self::Path(path) => {
                let folder = path.parent().unwrap_or(path).join("plugins/learning");
                format!("palaestra-learning = {{ path = {} }}", text(&folder))
            }
            Self::Version(_) => {
                format!("palaestra-learning = \"{}\"", env!("CARGO_PKG_VERSION"))
            }
        }
    }
}

/// A path as a TOML string.
fn text(path: &Path) -> toml::Value {
    toml::Value::String(path.display().to_string())
}

/// The files of the crate: path below its folder, and text.
pub(crate) fn files(template: &Template, names: &Names, api: &Api) -> Vec<(String, String)> {
    let renamed = |text: &str| rename(text, template, names);
    let mut files = vec![
        (".gitignore".to_owned(), "/target\n".to_owned()),
        ("Cargo.toml".to_owned(), manifest(template, names, api)),
        ("README.md".to_owned(), renamed(template.readme)),
        ("src/lib.rs".to_owned(), renamed(template.root)),
        (format!("src/{}.rs", names.module), renamed(template.source)),
    ];
    for (name, text) in template.parts {
        files.push((format!("src/{}/{name}", names.module), renamed(text)));
    }
    files
}

/// The template's words replaced, the longer ones first.
fn rename(text: &str, template: &Template, names: &Names) -> String {
    let (old, file) = (
        template.type_name,
        format!("{}-v{}", names.name, names.version),
    );
    text.replace(&format!("template/{old}-v0"), &names.id())
        .replace(&format!("{old}-v0"), &file)
        .replace(&format!("lib{}.so", template.library), &names.library())
        .replace(old, &names.type_name)
        .replace(&old.to_lowercase(), &names.module)
}

/// The kit and what it stands on are too slow for a test without optimisation.
const LEARNING_PROFILE: &str = "\n[profile.dev.package.palaestra-learning]\nopt-level = 3\n\n\
     [profile.dev.package.dfdx]\nopt-level = 3\n\n[profile.dev.package.gemm-f32]\nopt-level = 3\n\n\
     [profile.dev.package.gemm-common]\nopt-level = 3\n";

fn manifest(template: &Template, names: &Names, api: &Api) -> String {
    let (package, what, id) = (&names.package, template.what, names.id());
    let (edition, rust) = ("2024", env!("CARGO_PKG_RUST_VERSION"));
    let (learning, profile) = match template.learns {
        true => (format!("{}\n", api.learning()), LEARNING_PROFILE),
        false => (String::new(), ""),
    };
    format!(
        "[package]\nname = \"{package}\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\nrust-version = \"{rust}\"\n\
         license = \"MIT OR Apache-2.0\"\ndescription = \"The {what} {id}\"\n\n\
         [lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\n\
         [dependencies]\n{learning}{}\n\n[dev-dependencies]\n{}\n\n\
         # A panic must unwind to be caught at the plugin boundary.\n\
         [profile.dev]\npanic = \"unwind\"\nopt-level = 1\n{profile}\n[profile.release]\npanic = \"unwind\"\n\n\
         # This crate stands alone, wherever its folder lies.\n[workspace]\n",
        api.dependency(None),
        api.dependency(Some("testing")),
    )
}

#[cfg(test)]
mod tests {
    use super::super::template::{ALGORITHM, COORDINATION, ENVIRONMENT};
    use super::*;

    #[test]
    fn nothing_of_a_template_is_left_over() {
        for template in [&ENVIRONMENT, &ALGORITHM, &COORDINATION] {
            let names = Names::parse("rescue/BigFlood-v2", template.taken).unwrap();
            let files = files(template, &names, &Api::Version("1.0".into()));
            let old = template.type_name.to_lowercase();
            for (path, text) in &files {
                let lower = text.to_lowercase();
                assert!(
                    !lower.contains(&old)
                        && !lower.contains("libtemplate")
                        && !lower.contains("template/"),
                    "{path}"
                );
            }
            let text = |name: &str| &files.iter().find(|(path, _)| path == name).unwrap().1;
            assert!(text("src/lib.rs").contains("pub mod big_flood;"));
            assert!(
                text("src/big_flood.rs")
                    .contains("const ID: &'static str = \"rescue/BigFlood-v2\";")
            );
            let manifest: toml::Table = text("Cargo.toml").parse().unwrap();
            assert_eq!(
                manifest["package"]["name"].as_str(),
                Some("rescue-big-flood")
            );
            let dependencies = manifest["dependencies"].as_table().unwrap();
            assert_eq!(
                dependencies["palaestra-plugin-api"]["version"].as_str(),
                Some("1.0")
            );
            assert_eq!(
                dependencies.contains_key("palaestra-learning"),
                template.learns
            );
        }
    }

    #[test]
    fn types_that_a_template_uses_are_taken() {
        for template in [&ENVIRONMENT, &ALGORITHM, &COORDINATION] {
            assert!(template.taken.is_sorted(), "{}", template.what);
            for word in template.taken {
                let parts = template.parts.iter().map(|(_, text)| *text);
                let mut used = parts.chain([template.source]);
                assert!(used.any(|text| text.contains(word)), "{word} is not used");
                assert!(Names::parse(word, template.taken).is_err(), "{word}");
            }
        }
        assert!(Names::parse("Adam", ENVIRONMENT.taken).is_ok());
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
