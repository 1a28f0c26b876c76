//! Where pictures go: a GIF, one PNG, or text on standard output.

use std::io::{self, IsTerminal, Stdout};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use palaestra_plugin_api::canvas::Scene;
use palaestra_plugin_api::{Error, ErrorKind, Result};

use super::player::Picture;
use crate::render::{Frame, GifWriter, Header, Rasteriser, RenderError, TextStyle, TextWriter};

/// How long the last picture of an episode is shown [s].
const LAST_FRAME: f64 = 1.0;
/// Size of text pictures made from shapes [characters].
const TEXT_SIZE: (usize, usize) = (80, 20);

/// Takes the pictures of a run, in order.
pub(crate) enum Film {
    /// An animated GIF.
    Gif {
        /// Draws scenes.
        rasteriser: Box<Rasteriser>,
        /// Writes frames.
        writer: Box<GifWriter>,
    },
    /// A still: the last picture.
    Png {
        /// Draws scenes.
        rasteriser: Box<Rasteriser>,
        /// The file.
        path: PathBuf,
        /// The last picture so far.
        last: Option<Frame>,
    },
    /// Text on standard output.
    Text {
        /// Writes pictures.
        writer: TextWriter<Stdout>,
        /// When the next picture is due, on a terminal.
        due: Option<Instant>,
        /// Time between pictures on a terminal.
        pause: Duration,
    },
}

/// Whether anybody still looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Viewer {
    /// Go on.
    Watching,
    /// The reader of standard output has gone away.
    Gone,
}

impl Film {
    /// A film in a file whose name ends in `.gif` or `.png`, of `size` (width, height) pixels.
    ///
    /// # Errors
    /// Kind `Config` for another ending, size or rate, `Io` for a file that cannot be made.
    pub(crate) fn file(path: &Path, fps: f64, (width, height): (u32, u32)) -> Result<Self> {
        let rasteriser = Box::new(Rasteriser::new(width, height).map_err(failed)?);
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("gif") => {
                let writer = Box::new(GifWriter::create(path, fps).map_err(failed)?);
                Ok(Self::Gif { rasteriser, writer })
            }
            Some("png") => Ok(Self::Png {
                rasteriser,
                path: path.to_owned(),
                last: None,
            }),
            _ => Err(Error::config(format!(
                "--out {}: expected a name that ends in .gif or .png",
                path.display()
            ))),
        }
    }

    /// Text on standard output: in place on a terminal, one picture after another elsewhere.
    pub(crate) fn text(fps: f64) -> Self {
        let out = io::stdout();
        let terminal = out.is_terminal();
        let style = if terminal {
            TextStyle::Terminal
        } else {
            TextStyle::Plain
        };
        Self::Text {
            writer: TextWriter::new(out, style, TEXT_SIZE.0, TEXT_SIZE.1),
            due: terminal.then(Instant::now),
            pause: Duration::from_secs_f64(1.0 / fps.max(0.01)),
        }
    }

    /// Takes a picture; `last` marks the last one of an episode.
    ///
    /// # Errors
    /// A picture that cannot be drawn, or a failed write.
    pub(crate) fn push(
        &mut self,
        picture: &Picture,
        header: &Header,
        last: bool,
    ) -> Result<Viewer> {
        match self {
            Self::Gif { rasteriser, writer } => {
                let frame = drawn(rasteriser, picture, header)?;
                let pushed = if last {
                    writer.push_for(&frame, LAST_FRAME)
                } else {
                    writer.push(&frame)
                };
                pushed.map_err(failed)?;
            }
            Self::Png {
                rasteriser, last, ..
            } => *last = Some(drawn(rasteriser, picture, header)?),
            Self::Text { writer, due, pause } => {
                if let Some(due) = due {
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    *due = Instant::now() + *pause;
                }
                return written(writer.push(text_scene(picture)?, header));
            }
        }
        Ok(Viewer::Watching)
    }

    /// Puts the file in place.
    ///
    /// # Errors
    /// No picture at all, or a failed write.
    pub(crate) fn finish(self) -> Result<()> {
        match self {
            Self::Gif { writer, .. } => writer.finish().map(drop).map_err(failed),
            Self::Png { path, last, .. } => match last {
                Some(frame) => frame.write_png(&path).map_err(failed),
                None => Err(Error::new(
                    ErrorKind::Host,
                    "png: expected a picture, found none",
                )),
            },
            Self::Text { .. } => Ok(()),
        }
    }
}

fn drawn(rasteriser: &mut Rasteriser, picture: &Picture, header: &Header) -> Result<Frame> {
    match picture {
        Picture::Scene(scene) => rasteriser.frame(scene, header).map_err(failed),
        Picture::Pixels(frame) => Ok(frame.clone()),
    }
}

fn text_scene(picture: &Picture) -> Result<&Scene> {
    match picture {
        Picture::Scene(scene) => Ok(scene),
        Picture::Pixels(_) => Err(Error::unsupported(
            "render: expected a scene or text, found pixels; render them with --out FILE.gif",
        )),
    }
}

fn written(result: Result<(), RenderError>) -> Result<Viewer> {
    match result {
        Ok(()) => Ok(Viewer::Watching),
        Err(RenderError::Io { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => {
            Ok(Viewer::Gone)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Who is to blame for a picture that could not be made.
fn failed(error: RenderError) -> Error {
    let kind = match error {
        RenderError::Scene(_) => ErrorKind::Plugin,
        RenderError::Request(_) => ErrorKind::Config,
        RenderError::Io { .. } => ErrorKind::Io,
    };
    Error::new(kind, error.to_string())
}
