//! One instance played step by step, with the picture after each.

use palaestra_plugin_api::abi::{NO_GROUP, RenderMode, id};
use palaestra_plugin_api::canvas::{Canvas, Scene};
use palaestra_plugin_api::{Error, ErrorKind, Result};

use super::play::Play;
use crate::render::{Frame, Header, Tracks};

/// What an environment shows.
pub(crate) enum Picture {
    /// A display list, or text.
    Scene(Box<Scene>),
    /// Finished pixels.
    Pixels(Frame),
}

/// What a step led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The episode goes on.
    On,
    /// The episode ended.
    Ended,
    /// The script has no further actions.
    OutOfActions,
}

/// One instance, who acts in it, and what has happened so far.
pub(crate) struct Player {
    play: Box<dyn Play>,
    header: Header,
    tracks: Tracks,
    /// The first mode that worked.
    mode: Option<RenderMode>,
    /// The episode of the header has ended.
    ended: bool,
}

impl Player {
    /// Starts the first episode.
    ///
    /// # Errors
    /// What the plugin reports.
    pub(crate) fn start(title: &str, mut play: Box<dyn Play>) -> Result<Self> {
        play.begin()?;
        let groups = &play.batch().spec().groups;
        let name = |name: &String| {
            if groups.len() == 1 {
                String::new()
            } else {
                name.clone()
            }
        };
        let returns = groups.iter().map(|g| (name(&g.name), 0.0)).collect();
        let header = Header {
            title: title.to_owned(),
            returns,
            ..Header::default()
        };
        Ok(Self {
            play,
            header,
            tracks: Tracks::default(),
            mode: None,
            ended: false,
        })
    }

    /// Episode, step and returns (the mean over a group's agents) so far.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// Plays one step.
    ///
    /// # Errors
    /// What the plugin reports.
    pub(crate) fn step(&mut self) -> Result<Outcome> {
        if !self.play.step()? {
            return Ok(Outcome::OutOfActions);
        }
        self.header.step += 1;
        let (slot, batch) = (self.play.slot(), self.play.batch());
        for (group, (_, sum)) in self.header.returns.iter_mut().enumerate() {
            if let Some(key) = batch.slabs().key::<f32>(id::REWARD, group as u32) {
                let rewards = batch.rows(key, slot);
                *sum += rewards.iter().map(|&r| f64::from(r)).sum::<f64>() / rewards.len() as f64;
            }
        }
        self.ended = [id::TERMINATED, id::TRUNCATED].iter().any(|&flag| {
            let key = batch.slabs().key::<u8>(flag, NO_GROUP);
            key.is_some_and(|key| batch.rows(key, slot)[0] != 0)
        });
        Ok(if self.ended {
            Outcome::Ended
        } else {
            Outcome::On
        })
    }

    /// Turns to the next episode; one that was cut short is given up.
    ///
    /// # Errors
    /// What the plugin reports.
    pub(crate) fn next_episode(&mut self) -> Result<()> {
        if !self.ended || !self.has_begun_anew() {
            self.play.restart()?;
        }
        self.ended = false;
        self.tracks.restart();
        self.header.episode += 1;
        self.header.step = 0;
        self.header
            .returns
            .iter_mut()
            .for_each(|(_, sum)| *sum = 0.0);
        Ok(())
    }

    /// Whether the step that ended the episode has begun the next one: an object that does not know
    /// `manual_reset`. Its present picture is not that of the end.
    pub(crate) fn has_begun_anew(&mut self) -> bool {
        let (slot, batch) = (self.play.slot(), self.play.batch());
        let first = batch.slabs().key::<u8>(id::FIRST, NO_GROUP);
        self.ended && first.is_some_and(|key| batch.rows(key, slot)[0] != 0)
    }

    /// The present picture: a scene if the environment draws one, else pixels, else text. To be asked for once a step:
    /// trails follow the pictures.
    ///
    /// # Errors
    /// Kind `Unsupported` when it has no rendering at all; what the plugin reports.
    pub(crate) fn picture(&mut self) -> Result<Picture> {
        let modes = [RenderMode::Scene, RenderMode::Rgb, RenderMode::Text];
        let modes = self
            .mode
            .as_ref()
            .map_or(&modes[..], std::slice::from_ref)
            .to_vec();
        for mode in modes {
            let (mut shard, index) = self.play.batch().locate(0);
            match shard.render(index, mode) {
                Ok(bytes) => {
                    self.mode = Some(mode);
                    let mut picture = read(mode, bytes)?;
                    if let Picture::Scene(scene) = &mut picture {
                        self.tracks.follow(scene);
                    }
                    return Ok(picture);
                }
                Err(e) if e.kind == ErrorKind::Unsupported => {}
                Err(e) => return Err(e),
            }
        }
        Err(Error::unsupported(format!(
            "render {}: expected a scene, pixels or text, found none; it has no rendering",
            self.header.title
        )))
    }
}

fn read(mode: RenderMode, bytes: Vec<u8>) -> Result<Picture> {
    match mode {
        RenderMode::Scene => {
            let text = utf8(bytes)?;
            let scene = Scene::from_json(&text).map_err(|e| Error::plugin(e.to_string()))?;
            Ok(Picture::Scene(Box::new(scene)))
        }
        RenderMode::Rgb => pixels(&bytes).map(Picture::Pixels),
        RenderMode::Text => {
            let mut canvas = Canvas::new();
            canvas.text_frame(utf8(bytes)?);
            Ok(Picture::Scene(Box::new(canvas.into_scene())))
        }
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes)
        .map_err(|e| Error::plugin(format!("render: expected UTF-8, found {e}")))
}

/// `width: u32, height: u32` little-endian, then `3 · width · height` bytes.
fn pixels(bytes: &[u8]) -> Result<Frame> {
    let wrong = |found: String| {
        Error::plugin(format!(
            "render: expected width, height and 3 · width · height bytes, found {found}"
        ))
    };
    let Some((size, rgb)) = bytes.split_first_chunk::<8>() else {
        return Err(wrong(format!("{} bytes", bytes.len())));
    };
    let [w0, w1, w2, w3, h0, h1, h2, h3] = *size;
    let (width, height) = (
        u32::from_le_bytes([w0, w1, w2, w3]),
        u32::from_le_bytes([h0, h1, h2, h3]),
    );
    if rgb.is_empty() || u64::from(width) * u64::from(height) * 3 != rgb.len() as u64 {
        return Err(wrong(format!("{width} × {height} and {} bytes", rgb.len())));
    }
    Ok(Frame {
        width,
        height,
        rgb: rgb.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_read_and_a_wrong_length_is_refused() {
        let mut bytes = [2u32.to_le_bytes(), 1u32.to_le_bytes()].concat();
        bytes.extend([1, 2, 3, 4, 5, 6]);
        let frame = pixels(&bytes).unwrap();
        assert_eq!(
            (frame.width, frame.height, frame.pixel(1, 0)),
            (2, 1, Some([4, 5, 6]))
        );
        bytes.pop();
        assert!(
            pixels(&bytes)
                .unwrap_err()
                .to_string()
                .contains("found 2 × 1 and 5 bytes")
        );
        assert_eq!(pixels(&[0; 8]).unwrap_err().kind.exit_code(), 3);
    }
}
