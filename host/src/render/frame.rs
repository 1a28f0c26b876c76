//! A picture in memory, and its PNG file.

use std::path::Path;

use palaestra_registry::AtomicFile;
use tiny_skia::{IntSize, Pixmap};

use super::RenderError;

/// An opaque picture, row by row from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `width × height × 3` bytes: red, green, blue of each pixel.
    pub rgb: Vec<u8>,
}

impl Frame {
    /// The colour at column `x`, row `y` from the top, if that lies on the picture.
    pub fn pixel(&self, x: u32, y: u32) -> Option<[u8; 3]> {
        if x >= self.width || y >= self.height {
            return None;
        }
        let start = (y as usize * self.width as usize + x as usize) * 3;
        self.rgb.get(start..start + 3)?.try_into().ok()
    }

    /// Writes the picture as a PNG file, whole or not at all.
    ///
    /// # Errors
    /// The file cannot be written, or `rgb` has not `width × height × 3` bytes.
    pub fn write_png(&self, path: &Path) -> Result<(), RenderError> {
        let bytes = self.to_png()?;
        AtomicFile::write(path, &bytes).map_err(|error| RenderError::io(path, error))
    }

    fn to_png(&self) -> Result<Vec<u8>, RenderError> {
        self.check()?;
        let rgba = self
            .rgb
            .chunks_exact(3)
            .flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255])
            .collect();
        IntSize::from_wh(self.width, self.height)
            .and_then(|size| Pixmap::from_vec(rgba, size))
            .and_then(|pixmap| pixmap.encode_png().ok())
            .ok_or_else(|| self.refusal())
    }

    /// Whether the bytes fit the size.
    pub(super) fn check(&self) -> Result<(), RenderError> {
        let expected = u128::from(self.width) * u128::from(self.height) * 3;
        if expected > 0 && self.rgb.len() as u128 == expected {
            Ok(())
        } else {
            Err(self.refusal())
        }
    }

    fn refusal(&self) -> RenderError {
        let Self { width, height, rgb } = self;
        RenderError::Request(format!(
            "frame: expected width × height × 3 bytes of a picture, found {} for {width} × {height}; \
             make frames with a rasteriser",
            rgb.len()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_png_file_holds_the_same_pixels() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frame.png");
        let frame = Frame {
            width: 2,
            height: 1,
            rgb: vec![1, 2, 3, 250, 128, 0],
        };
        frame.write_png(&path).unwrap();
        let read = Pixmap::load_png(&path).unwrap();
        assert_eq!((read.width(), read.height()), (2, 1));
        assert_eq!(read.data(), [1, 2, 3, 255, 250, 128, 0, 255]);
        assert_eq!(frame.pixel(1, 0), Some([250, 128, 0]));
        assert_eq!(frame.pixel(2, 0), None);
    }

    #[test]
    fn a_frame_whose_bytes_do_not_fit_is_refused() {
        let frame = Frame {
            width: u32::MAX,
            height: u32::MAX,
            rgb: vec![0; 3],
        };
        let message = frame
            .write_png(Path::new("never.png"))
            .unwrap_err()
            .to_string();
        assert!(message.starts_with("frame: expected"), "{message}");
    }
}
