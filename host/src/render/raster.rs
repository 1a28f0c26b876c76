//! Scene to picture.

use palaestra_plugin_api::canvas::{Align, Area, Color, Mapping, Scene};
use tiny_skia::Pixmap;

use super::font::{Face, Fonts};
use super::paint::{Label, Painter, PixelPen};
use super::shapes::Stage;
use super::surround::Layout;
use super::{Frame, Header, RenderError};

/// Least and most pixels of a side.
const SIDES: std::ops::RangeInclusive<u32> = 16..=4096;
/// Most lines of a text frame that is drawn as a picture.
const TEXT_LINES: usize = 200;

/// Draws scenes as frames of one size. Keep it for a whole episode: it owns the picture's memory
/// and the glyphs drawn so far.
pub struct Rasteriser {
    pixmap: Pixmap,
    fonts: Fonts,
}

impl Rasteriser {
    /// A rasteriser for frames of `width` × `height` pixels, each 16 to 4096.
    ///
    /// # Errors
    /// A side out of that range.
    pub fn new(width: u32, height: u32) -> Result<Self, RenderError> {
        let valid = SIDES.contains(&width) && SIDES.contains(&height);
        valid
            .then(|| Pixmap::new(width, height))
            .flatten()
            .map(|pixmap| Self {
                pixmap,
                fonts: Fonts::new(),
            })
            .ok_or_else(|| {
                RenderError::Request(format!(
                    "frame size: expected {} to {} pixels a side, found {width} × {height}; \
                     600 × 400 suits most environments",
                    SIDES.start(),
                    SIDES.end()
                ))
            })
    }

    /// Draws a scene: its world in a panel, the header above, legend and caption beside.
    ///
    /// Frames too small for text (under 270 × 180) show the world alone. Shapes that are not
    /// finite are left out; a scene that is nothing but a text frame is drawn as text.
    ///
    /// # Errors
    /// Whatever [`Scene::check`] refuses.
    pub fn frame(&mut self, scene: &Scene, header: &Header) -> Result<Frame, RenderError> {
        let (width, height) = (self.pixmap.width(), self.pixmap.height());
        let layout = Layout::new(width, height, scene, &self.fonts);
        self.paint(scene, &layout, Some(header))
    }

    /// Draws a scene alone, over the whole frame: charts, which bring their own text.
    ///
    /// # Errors
    /// Whatever [`Scene::check`] refuses.
    pub fn bare_frame(&mut self, scene: &Scene) -> Result<Frame, RenderError> {
        let (width, height) = (self.pixmap.width(), self.pixmap.height());
        let layout = Layout::bare(f64::from(width), f64::from(height));
        self.paint(scene, &layout, None)
    }

    /// Width of a line of text of height `size`, in the unit of `size`.
    pub fn text_width(&self, size: f64, text: &str) -> f64 {
        let (width, height) = (self.pixmap.width(), self.pixmap.height());
        let unit = Layout::bare(f64::from(width), f64::from(height)).unit;
        let pixels = self.fonts.width(Face::Sans, (size * unit) as f32, text);
        f64::from(pixels) / unit
    }

    fn paint(
        &mut self,
        scene: &Scene,
        layout: &Layout,
        header: Option<&Header>,
    ) -> Result<Frame, RenderError> {
        scene.check()?;
        let (width, height) = (self.pixmap.width(), self.pixmap.height());
        let background = scene.background.unwrap_or(Color::PALE);
        let background = Color {
            a: 255,
            ..Color::WHITE.mix(background, f32::from(background.a) / 255.0)
        };
        self.pixmap.fill(tiny_skia::Color::from_rgba8(
            background.r,
            background.g,
            background.b,
            255,
        ));
        let mut painter = Painter {
            pixmap: &mut self.pixmap,
            fonts: &mut self.fonts,
        };
        match &scene.text {
            Some(text) if scene.shapes.is_empty() && scene.grid.is_none() => {
                text_picture(&mut painter, layout, text);
            }
            _ => world(&mut painter, layout, scene, background)?,
        }
        if let Some(header) = header.filter(|_| layout.annotated) {
            painter.surround(layout.panel, layout.corner, Color::WHITE);
            let edge = PixelPen {
                color: Color::LIGHT,
                width: layout.unit,
            };
            painter.rounded_rect(layout.panel, layout.corner, None, Some(edge));
            layout.header(&mut painter, header);
            layout.caption(&mut painter, scene);
            layout.legend(&mut painter, scene);
        }
        let pixels = self.pixmap.data().chunks_exact(4);
        let mut rgb = Vec::with_capacity(pixels.len() * 3);
        for pixel in pixels {
            rgb.extend_from_slice(&pixel[..3]);
        }
        Ok(Frame { width, height, rgb })
    }
}

/// Paints grid and shapes into the panel.
fn world(
    painter: &mut Painter<'_>,
    layout: &Layout,
    scene: &Scene,
    background: Color,
) -> Result<(), RenderError> {
    let inner = shrunk(layout.panel, layout.padding);
    let stage = Stage {
        mapping: Mapping::fit(scene.visible()?, scene.stretch, inner, 1.0),
        unit: layout.unit,
        background,
    };
    if let Some(size) = scene.grid {
        stage.grid(painter, size);
    }
    for shape in scene.shapes.iter().filter(|shape| shape.is_finite()) {
        stage.draw(painter, shape);
    }
    Ok(())
}

/// Writes a text frame in the middle of the panel, as large as fits.
fn text_picture(painter: &mut Painter<'_>, layout: &Layout, text: &str) {
    let inner = shrunk(layout.panel, 2.0 * layout.padding);
    let text = text.replace('\t', "    ");
    let lines: Vec<&str> = text.lines().take(TEXT_LINES).collect();
    let columns = lines.iter().map(|line| line.chars().count()).max();
    let columns = columns.unwrap_or(0).max(1);
    let advance = f64::from(painter.fonts.width(Face::Mono, 100.0, "0")) / 100.0;
    let line_height = 1.25;
    let widest = inner.width / (advance * columns as f64);
    let tallest = inner.height / (line_height * lines.len().max(1) as f64);
    let size = widest.min(tallest).clamp(4.0, 22.0 * layout.unit.max(0.2));
    let left = inner.left + (inner.width - size * advance * columns as f64).max(0.0) / 2.0;
    let block = size * line_height * lines.len() as f64;
    let top = inner.top + (inner.height - block).max(0.0) / 2.0;
    for (index, line) in lines.iter().enumerate() {
        let label = Label {
            text: line,
            face: Face::Mono,
            size,
            color: Color::INK,
            align: Align::Left,
        };
        let y = top + (index as f64 + 0.5) * size * line_height;
        painter.label([left, y], label);
    }
}

/// An area without `by` pixels on every side.
fn shrunk(area: Area, by: f64) -> Area {
    let by = by.min(area.width / 4.0).min(area.height / 4.0);
    Area {
        left: area.left + by,
        top: area.top + by,
        width: area.width - 2.0 * by,
        height: area.height - 2.0 * by,
    }
}
