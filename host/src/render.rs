//! Pictures of environments: a plugin's display list becomes frames, GIF and PNG files, or text.
//!
//! ```
//! # use palaestra::render::{GifWriter, Header, Rasteriser};
//! # use palaestra_plugin_api::canvas::{Canvas, Color};
//! # fn main() -> Result<(), palaestra::render::RenderError> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("episode.gif");
//! let mut rasteriser = Rasteriser::new(600, 400)?;
//! let mut gif = GifWriter::create(&path, 20.0)?;
//! for step in 0..3 {
//!     let mut canvas = Canvas::new();
//!     canvas.view(-1.0, -1.0, 1.0, 1.0);
//!     canvas.circle((0.1 * step as f64, 0.0), 0.2, Color::group(0));
//!     let header = Header { title: "demo/Disc-v0".into(), step, ..Header::default() };
//!     gif.push(&rasteriser.frame(&canvas.into_scene(), &header)?)?;
//! }
//! gif.finish()?;
//! # Ok(())
//! # }
//! ```

mod font;
mod frame;
mod gif;
mod paint;
mod palette;
mod raster;
mod shapes;
mod surround;
mod text;
mod tracks;

use std::fmt;
use std::path::{Path, PathBuf};

use palaestra_plugin_api::canvas::SceneError;

pub use frame::Frame;
pub use gif::GifWriter;
pub use raster::Rasteriser;
pub use text::{TextStyle, TextWriter};
pub use tracks::Tracks;

/// What the host writes above a picture.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Header {
    /// Name of the environment.
    pub title: String,
    /// Steps taken in this episode.
    pub step: u64,
    /// Number of the episode, from 0.
    pub episode: u64,
    /// Returns so far: one with an empty name, or one per group.
    pub returns: Vec<(String, f64)>,
}

impl Header {
    /// Episode, step and returns as (label, value, characters to reserve for the value), so that
    /// labels stay in place while values change.
    fn fields(&self) -> Vec<(String, String, usize)> {
        let counts = [("episode", self.episode, 2), ("step", self.step, 4)];
        let mut fields: Vec<_> = counts
            .map(|(label, count, width)| (label.to_owned(), count.to_string(), width))
            .into();
        for (name, value) in &self.returns {
            let label = if name.is_empty() { "return" } else { name };
            fields.push((label.to_owned(), number(*value), 6));
        }
        fields
    }
}

/// A return with the digits that matter at its size.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1e6 => format!("{value:.2e}"),
        size if size >= 1e3 => format!("{value:.0}"),
        size if size >= 1e2 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Why a picture could not be made or written.
#[derive(Debug)]
pub enum RenderError {
    /// The plugin's scene cannot be drawn.
    Scene(SceneError),
    /// A size or rate the caller asked for is out of range.
    Request(String),
    /// A file could not be written.
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl RenderError {
    fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scene(error) => error.fmt(f),
            Self::Request(message) => f.write_str(message),
            Self::Io { path, source } => write!(
                f,
                "{}: expected to write the file, found {source}; check folder and free space",
                path.display()
            ),
        }
    }
}

impl std::error::Error for RenderError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Scene(error) => Some(error),
            Self::Request(_) => None,
            Self::Io { source, .. } => Some(source),
        }
    }
}

impl From<SceneError> for RenderError {
    fn from(error: SceneError) -> Self {
        Self::Scene(error)
    }
}
