//! The fonts, and a cache of their glyphs.

use std::collections::HashMap;

use ab_glyph::{Font as _, FontRef, GlyphId, PxScale, ScaleFont as _, point};

/// Which of the bundled fonts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Face {
    /// Proportional: everything but text frames.
    Sans,
    /// Monospaced: text frames.
    Mono,
}

/// One glyph's coverage, 0 to 255, placed relative to the pen's whole pixel.
#[derive(Debug)]
pub(super) struct Coverage {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) width: usize,
    pub(super) alpha: Vec<u8>,
}

/// Glyphs start at quarters of a pixel.
const SUBPIXELS: f32 = 4.0;
/// Glyphs kept before the cache starts anew; a scene could use a thousand sizes.
const CACHE_LIMIT: usize = 4096;
/// Largest font size whose glyphs are kept, in pixels.
const CACHED_SIZE: f32 = 64.0;
/// Lifts faint coverage: the font is a light one, made for larger sizes.
const GAMMA: f32 = 0.72;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    face: Face,
    glyph: GlyphId,
    size: u32,
    subpixel: u8,
}

/// The bundled fonts at any size.
pub(super) struct Fonts {
    sans: FontRef<'static>,
    mono: FontRef<'static>,
    cache: HashMap<Key, Option<Coverage>>,
}

/// A glyph and where its pen stands, in pixels right of the text's start.
type Placed = (Face, GlyphId, f32);

impl Fonts {
    pub(super) fn new() -> Self {
        let parse = |bytes| FontRef::try_from_slice(bytes).expect("the bundled fonts are valid");
        Self {
            sans: parse(epaint_default_fonts::UBUNTU_LIGHT),
            mono: parse(epaint_default_fonts::HACK_REGULAR),
            cache: HashMap::new(),
        }
    }

    fn font(&self, face: Face) -> &FontRef<'static> {
        match face {
            Face::Sans => &self.sans,
            Face::Mono => &self.mono,
        }
    }

    /// ab_glyph's scale (the height of a line) for a font size (the em).
    fn scale(&self, face: Face, size: f32) -> PxScale {
        let font = self.font(face);
        PxScale::from(size * font.height_unscaled() / font.units_per_em().unwrap_or(1000.0))
    }

    /// The font and glyph of a character: what one font lacks comes from the other.
    fn glyph(&self, face: Face, character: char) -> (Face, GlyphId) {
        let other = match face {
            Face::Sans => Face::Mono,
            Face::Mono => Face::Sans,
        };
        [(face, character), (other, character), (face, '?')]
            .into_iter()
            .map(|(face, character)| (face, self.font(face).glyph_id(character)))
            .find(|(_, glyph)| glyph.0 != 0)
            .unwrap_or((face, GlyphId(0)))
    }

    /// The glyphs of one line and its width, in pixels.
    fn place(&self, face: Face, size: f32, text: &str) -> (Vec<Placed>, f32) {
        let mut placed: Vec<Placed> = Vec::new();
        let mut x = 0.0;
        for character in text.chars().filter(|c| !c.is_control()) {
            let (from, glyph) = self.glyph(face, character);
            let scaled = self.font(from).as_scaled(self.scale(from, size));
            if let Some(&(before, previous, _)) = placed.last()
                && before == from
            {
                x += scaled.kern(previous, glyph);
            }
            placed.push((from, glyph, x));
            x += scaled.h_advance(glyph);
        }
        (placed, x)
    }

    /// Width of one line in pixels.
    pub(super) fn width(&self, face: Face, size: f32, text: &str) -> f32 {
        self.place(face, size, text).1
    }

    /// The text, shortened with an ellipsis until it is at most `width` pixels wide.
    pub(super) fn fit(&self, face: Face, size: f32, text: &str, width: f32) -> String {
        let (placed, total) = self.place(face, size, text);
        if total <= width {
            return text.to_owned();
        }
        let room = width - self.width(face, size, "…");
        let kept = placed.iter().take_while(|(_, _, x)| *x <= room).count();
        if kept == 0 {
            return String::new();
        }
        let shown = text.chars().filter(|c| !c.is_control()).take(kept - 1);
        shown.chain(['…']).collect()
    }

    /// Calls `draw(x, y, coverage)` for every glyph of a line that starts at `x` on `baseline`;
    /// `x` and `y` are the whole pixel the coverage is relative to.
    pub(super) fn draw(
        &mut self,
        (face, size): (Face, f32),
        text: &str,
        x: f32,
        baseline: f32,
        mut draw: impl FnMut(i32, i32, &Coverage),
    ) {
        let baseline = baseline.round();
        for (face, glyph, offset) in self.place(face, size, text).0 {
            let at = ((x + offset) * SUBPIXELS).round() / SUBPIXELS;
            let whole = at.floor();
            let key = Key {
                face,
                glyph,
                size: size.to_bits(),
                subpixel: ((at - whole) * SUBPIXELS) as u8,
            };
            if size > CACHED_SIZE {
                if let Some(coverage) = self.rasterise(face, glyph, size, at - whole) {
                    draw(whole as i32, baseline as i32, &coverage);
                }
                continue;
            }
            if !self.cache.contains_key(&key) {
                if self.cache.len() >= CACHE_LIMIT {
                    self.cache.clear();
                }
                let coverage = self.rasterise(face, glyph, size, at - whole);
                self.cache.insert(key, coverage);
            }
            if let Some(Some(coverage)) = self.cache.get(&key) {
                draw(whole as i32, baseline as i32, coverage);
            }
        }
    }

    fn rasterise(&self, face: Face, glyph: GlyphId, size: f32, shift: f32) -> Option<Coverage> {
        let glyph = glyph.with_scale_and_position(self.scale(face, size), point(shift, 0.0));
        let outlined = self.font(face).outline_glyph(glyph)?;
        let bounds = outlined.px_bounds();
        let (width, height) = (bounds.width() as usize, bounds.height() as usize);
        let mut alpha = vec![0; width * height];
        outlined.draw(|x, y, coverage| {
            if let Some(cell) = alpha.get_mut(y as usize * width + x as usize) {
                *cell = (coverage.clamp(0.0, 1.0).powf(GAMMA) * 255.0).round() as u8;
            }
        });
        Some(Coverage {
            left: bounds.min.x as i32,
            top: bounds.min.y as i32,
            width,
            alpha,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_equally_wide_and_text_is_shortened_to_fit() {
        let fonts = Fonts::new();
        let width = |text| fonts.width(Face::Sans, 16.0, text);
        assert_eq!(width("1111"), width("8888"));
        assert_eq!(
            fonts.width(Face::Mono, 16.0, "i"),
            fonts.width(Face::Mono, 16.0, "W")
        );
        let text = "a long caption that does not fit";
        let short = fonts.fit(Face::Sans, 16.0, text, 100.0);
        assert!(short.ends_with('…') && width(&short) <= 100.0, "{short}");
        assert_eq!(fonts.fit(Face::Sans, 16.0, text, 1e4), text);
        assert_eq!(fonts.fit(Face::Sans, 16.0, text, -5.0), "");
    }

    #[test]
    fn unknown_and_control_characters_do_not_hurt() {
        let mut fonts = Fonts::new();
        let mut glyphs = 0;
        let text = "a\u{1b}\u{0}\u{10ffff}→─x";
        fonts.draw((Face::Sans, 12.0), text, 0.0, 0.0, |_, _, _| glyphs += 1);
        assert_eq!(glyphs, 5);
    }
}
