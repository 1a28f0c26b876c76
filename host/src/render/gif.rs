//! Frames to an animated GIF, written as they come.

use std::collections::HashMap;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ::gif::{DisposalMethod, Encoder, EncodingError, Repeat};
use palaestra_registry::AtomicFile;

use super::palette::{Palette, Rgb, TRANSPARENT};
use super::{Frame, RenderError};

/// Where the global palette starts in a GIF file: after signature and screen descriptor.
const PALETTE_OFFSET: u64 = 13;
/// Frames per second: viewers slow down anything faster than 50.
const RATES: std::ops::RangeInclusive<f64> = 0.01..=50.0;
/// Longest time one frame can be shown, in hundredths of a second.
const LONGEST_DELAY: f64 = 65535.0;

/// Writes frames of one size as a GIF that repeats for ever.
///
/// Only what changed since the frame before is stored. All frames share one palette, which grows
/// while there is room; a frame with colours beyond it brings its own. The file appears under its
/// name at [`GifWriter::finish`]; dropped before that, nothing remains.
pub struct GifWriter {
    path: PathBuf,
    file: Option<AtomicFile>,
    encoder: Option<Encoder<AtomicFile>>,
    palette: Palette,
    previous: Frame,
    seconds: f64,
    /// Time shown so far, and the part of it that GIF's hundredths could express.
    elapsed: f64,
    written: f64,
    frames: usize,
}

/// A rectangle of pixels: left, top, width, height.
type Changed = [usize; 4];

impl GifWriter {
    /// Opens a film at `fps` frames per second (0.01 to 50; more cannot be shown). GIF counts in
    /// hundredths of a second: delays alternate so that the film as a whole keeps time.
    ///
    /// # Errors
    /// A rate out of range, or a file that cannot be made.
    pub fn create(path: &Path, fps: f64) -> Result<Self, RenderError> {
        if !RATES.contains(&fps) {
            return Err(RenderError::Request(format!(
                "gif: expected {} to {} frames per second, found {fps}; \
                 to show a faster film leave out frames",
                RATES.start(),
                RATES.end()
            )));
        }
        let file = AtomicFile::create(path).map_err(|error| RenderError::io(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            file: Some(file),
            encoder: None,
            palette: Palette::new(),
            previous: Frame {
                width: 0,
                height: 0,
                rgb: Vec::new(),
            },
            seconds: 1.0 / fps,
            elapsed: 0.0,
            written: 0.0,
            frames: 0,
        })
    }

    /// Adds a frame.
    ///
    /// # Errors
    /// A frame of another size than the first, or a failed write.
    pub fn push(&mut self, frame: &Frame) -> Result<(), RenderError> {
        self.push_for(frame, self.seconds)
    }

    /// Adds a frame that is shown for `seconds`: the last one of an episode deserves a moment.
    ///
    /// # Errors
    /// As [`GifWriter::push`].
    pub fn push_for(&mut self, frame: &Frame, seconds: f64) -> Result<(), RenderError> {
        frame.check()?;
        if self.frames == 0 {
            self.start(frame)?;
        }
        if (frame.width, frame.height) != (self.previous.width, self.previous.height) {
            return Err(RenderError::Request(format!(
                "gif: expected frames of {} × {} pixels as the first, found {} × {}; \
                 use one rasteriser",
                self.previous.width, self.previous.height, frame.width, frame.height
            )));
        }
        let delay = self.delay(seconds);
        let changed = if self.frames == 0 {
            [0, 0, frame.width as usize, frame.height as usize]
        } else {
            // GIF has no empty frame: an unchanged one repeats a pixel.
            changed(&self.previous, frame).unwrap_or([0, 0, 1, 1])
        };
        let image = self.image(frame, changed, delay);
        let encoder = self.encoder.as_mut().expect("made with the first frame");
        encoder
            .write_frame(&image)
            .map_err(|error| failed(&self.path, error))?;
        self.previous.rgb.copy_from_slice(&frame.rgb);
        self.frames += 1;
        Ok(())
    }

    /// Completes the file and puts it in place; gives the number of frames.
    ///
    /// # Errors
    /// No frame was pushed, or a failed write.
    pub fn finish(mut self) -> Result<usize, RenderError> {
        let Some(encoder) = self.encoder.take() else {
            return Err(RenderError::Request(
                "gif: expected at least one frame, found none; render a step before finishing"
                    .to_owned(),
            ));
        };
        let mut file = encoder
            .into_inner()
            .map_err(|error| failed(&self.path, error))?;
        let mut complete = || {
            file.seek(SeekFrom::Start(PALETTE_OFFSET))?;
            file.write_all(&self.palette.bytes())
        };
        complete()
            .and_then(|()| file.commit())
            .map_err(|error| RenderError::io(&self.path, error))?;
        Ok(self.frames)
    }

    /// Writes the header; the palette's place is kept and filled at the end.
    fn start(&mut self, frame: &Frame) -> Result<(), RenderError> {
        let side = |n: u32| {
            u16::try_from(n).map_err(|_| {
                RenderError::Request(format!(
                    "gif: expected at most 65535 pixels a side, found {n}; choose a smaller frame"
                ))
            })
        };
        let (width, height) = (side(frame.width)?, side(frame.height)?);
        let file = self.file.take().expect("taken by the first frame alone");
        let mut encoder = Encoder::new(file, width, height, &self.palette.bytes())
            .map_err(|error| failed(&self.path, error))?;
        encoder
            .set_repeat(Repeat::Infinite)
            .map_err(|error| failed(&self.path, error))?;
        self.encoder = Some(encoder);
        self.previous = Frame {
            rgb: vec![0; frame.rgb.len()],
            ..*frame
        };
        Ok(())
    }

    /// Hundredths of a second for the next frame, so that the film does not drift.
    fn delay(&mut self, seconds: f64) -> u16 {
        self.elapsed += seconds.max(0.0) * 100.0;
        let delay = (self.elapsed - self.written)
            .round()
            .clamp(2.0, LONGEST_DELAY);
        self.written += delay;
        delay as u16
    }

    /// The changed rectangle as palette indices; pixels that stay are transparent.
    fn image(
        &mut self,
        frame: &Frame,
        [left, top, width, height]: Changed,
        delay: u16,
    ) -> ::gif::Frame<'static> {
        let first = self.frames == 0;
        let stride = frame.width as usize * 3;
        let rows = (top..top + height).map(|row| row * stride + left * 3);
        let pixels: Vec<Option<Rgb>> = rows
            .flat_map(|start| {
                let new = frame.rgb[start..start + width * 3].chunks_exact(3);
                let old = self.previous.rgb[start..start + width * 3].chunks_exact(3);
                new.zip(old)
                    .map(|(new, old)| (first || new != old).then(|| [new[0], new[1], new[2]]))
            })
            .collect();
        let counts = count(&pixels);
        let (buffer, palette) = if self.palette.admit(&counts) {
            (indices(&pixels, &mut self.palette), None)
        } else {
            let mut own = Palette::coarse(&counts);
            let buffer = indices(&pixels, &mut own);
            (buffer, Some(own.bytes().to_vec()))
        };
        ::gif::Frame {
            delay,
            dispose: DisposalMethod::Keep,
            transparent: Some(TRANSPARENT),
            // No side is longer than the film's, which fits.
            left: left as u16,
            top: top as u16,
            width: width as u16,
            height: height as u16,
            palette,
            buffer: buffer.into(),
            ..::gif::Frame::default()
        }
    }
}

/// Smallest rectangle that holds every pixel in which two frames of one size differ.
fn changed(before: &Frame, after: &Frame) -> Option<Changed> {
    let stride = before.width as usize * 3;
    let rows = || {
        before
            .rgb
            .chunks_exact(stride)
            .zip(after.rgb.chunks_exact(stride))
    };
    let top = rows().position(|(a, b)| a != b)?;
    let bottom = rows().rposition(|(a, b)| a != b)?;
    let (mut left, mut right) = (stride, 0);
    for (a, b) in rows().take(bottom + 1).skip(top) {
        let differs = |&column: &usize| a[column] != b[column];
        if let Some(first) = (0..left).find(differs) {
            left = first;
        }
        if let Some(last) = (right..stride).rev().find(differs) {
            right = last;
        }
    }
    let (left, right) = (left / 3, right / 3);
    Some([left, top, right - left + 1, bottom - top + 1])
}

fn count(pixels: &[Option<Rgb>]) -> HashMap<Rgb, u32> {
    let mut counts = HashMap::new();
    for run in pixels.chunk_by(|a, b| a == b) {
        if let Some(color) = run[0] {
            *counts.entry(color).or_insert(0) += run.len() as u32;
        }
    }
    counts
}

fn indices(pixels: &[Option<Rgb>], palette: &mut Palette) -> Vec<u8> {
    let mut indices = Vec::with_capacity(pixels.len());
    for run in pixels.chunk_by(|a, b| a == b) {
        let index = run[0].map_or(TRANSPARENT, |color| palette.index(color));
        indices.resize(indices.len() + run.len(), index);
    }
    indices
}

fn failed(path: &Path, error: EncodingError) -> RenderError {
    let source = match error {
        EncodingError::Io(source) => source,
        other => std::io::Error::other(other),
    };
    RenderError::io(path, source)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    fn flat(width: u32, height: u32, color: Rgb) -> Frame {
        Frame {
            width,
            height,
            rgb: color.repeat((width * height) as usize),
        }
    }

    fn set(frame: &mut Frame, x: u32, y: u32, color: Rgb) {
        let start = ((y * frame.width + x) * 3) as usize;
        frame.rgb[start..start + 3].copy_from_slice(&color);
    }

    /// Plays a GIF file: every frame as it is seen, with its delay.
    fn play(path: &Path) -> Vec<(Frame, u16)> {
        let mut options = ::gif::DecodeOptions::new();
        options.set_color_output(::gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(File::open(path).unwrap()).unwrap();
        assert_eq!(decoder.repeat(), Repeat::Infinite);
        let (width, height) = (decoder.width(), decoder.height());
        let mut screen = flat(width.into(), height.into(), [0; 3]);
        let mut seen = Vec::new();
        while let Some(image) = decoder.read_next_frame().unwrap() {
            for (i, pixel) in image.buffer.chunks_exact(4).enumerate() {
                let (x, y) = (i % image.width as usize, i / image.width as usize);
                if pixel[3] > 0 {
                    let (x, y) = (
                        x as u32 + u32::from(image.left),
                        y as u32 + u32::from(image.top),
                    );
                    set(&mut screen, x, y, [pixel[0], pixel[1], pixel[2]]);
                }
            }
            seen.push((screen.clone(), image.delay));
        }
        seen
    }

    #[test]
    fn a_film_plays_back_exactly() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.gif");
        let mut frames = vec![flat(20, 10, [244, 246, 248]); 4];
        set(&mut frames[1], 3, 2, [255, 0, 0]);
        set(&mut frames[1], 19, 9, [0, 0, 0]);
        set(&mut frames[3], 0, 0, [0, 90, 200]);
        let mut gif = GifWriter::create(&path, 30.0).unwrap();
        for frame in &frames {
            gif.push(frame).unwrap();
        }
        gif.push_for(&frames[3], 1.5).unwrap();
        assert!(!path.exists());
        assert_eq!(gif.finish().unwrap(), 5);
        let seen = play(&path);
        assert_eq!(seen.len(), 5);
        for (index, frame) in frames.iter().enumerate() {
            assert!(seen[index].0 == *frame, "frame {index}");
        }
        let delays: Vec<u16> = seen.iter().map(|(_, delay)| *delay).collect();
        assert_eq!(delays, [3, 4, 3, 3, 150]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn colours_beyond_one_palette_stay_close() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("colours.gif");
        let mut frame = flat(64, 64, [255; 3]);
        let mut frames = Vec::new();
        for blue in [0, 90, 180, 255] {
            for i in 0..4096 {
                let (x, y) = (i % 64, i / 64);
                set(&mut frame, x, y, [(x * 4) as u8, (y * 4) as u8, blue]);
            }
            frames.push(frame.clone());
        }
        let mut gif = GifWriter::create(&path, 10.0).unwrap();
        for frame in &frames {
            gif.push(frame).unwrap();
        }
        gif.finish().unwrap();
        for (seen, frame) in play(&path).iter().zip(&frames) {
            let off = seen.0.rgb.iter().zip(&frame.rgb);
            let worst = off.map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(worst <= 34, "{worst}");
        }
    }

    #[test]
    fn what_cannot_be_a_film_is_refused_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bad.gif");
        for fps in [0.0, -1.0, f64::NAN, f64::INFINITY, 51.0] {
            assert!(GifWriter::create(&path, fps).is_err(), "{fps}");
        }
        let empty = GifWriter::create(&path, 10.0).unwrap();
        assert!(empty.finish().is_err());
        let mut gif = GifWriter::create(&path, 10.0).unwrap();
        gif.push(&flat(4, 4, [9; 3])).unwrap();
        assert!(gif.push(&flat(5, 4, [9; 3])).is_err());
        let short = Frame {
            width: 4,
            height: 4,
            rgb: vec![0; 5],
        };
        assert!(gif.push(&short).is_err());
        drop(gif);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let missing = folder.path().join("no/such/film.gif");
        assert!(matches!(
            GifWriter::create(&missing, 10.0),
            Err(RenderError::Io { .. })
        ));
    }

    #[test]
    fn the_changed_rectangle_is_tight() {
        let before = flat(8, 6, [5; 3]);
        assert_eq!(changed(&before, &before), None);
        let mut after = before.clone();
        set(&mut after, 6, 1, [5, 5, 6]);
        set(&mut after, 2, 4, [6, 5, 5]);
        assert_eq!(changed(&before, &after), Some([2, 1, 5, 4]));
    }
}
