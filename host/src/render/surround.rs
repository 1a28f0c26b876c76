//! What stands around a picture: header, caption and legend.

use palaestra_plugin_api::canvas::{Align, Area, Color, Scene};

use super::Header;
use super::font::{Face, Fonts};
use super::paint::{Label, Painter};

/// Lengths in pixels of a 600 × 400 frame.
const MARGIN: f64 = 10.0;
const HEADER: f64 = 36.0;
const CAPTION: f64 = 28.0;
const TITLE_SIZE: f64 = 16.0;
const SMALL_SIZE: f64 = 13.0;
const LEGEND_ROW: f64 = 21.0;
const SWATCH: f64 = 11.0;
/// Widest legend as a part of the frame.
const LEGEND_SHARE: f64 = 0.3;
/// Below this scale text cannot be read: the picture takes the whole frame.
const SMALLEST_UNIT: f64 = 0.45;

/// Where the parts of a frame lie, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Layout {
    /// Pixels per unit of a 600 × 400 frame.
    pub(super) unit: f64,
    /// Where the world is shown.
    pub(super) panel: Area,
    /// Radius of the panel's corners.
    pub(super) corner: f64,
    /// Space between the panel's edge and the view.
    pub(super) padding: f64,
    /// Whether there is room for header, caption and legend.
    pub(super) annotated: bool,
}

impl Layout {
    /// Divides a frame between the scene and its surroundings.
    pub(super) fn new(width: u32, height: u32, scene: &Scene, fonts: &Fonts) -> Self {
        let (width, height) = (f64::from(width), f64::from(height));
        let unit = (width / 600.0).min(height / 400.0);
        if unit < SMALLEST_UNIT {
            return Self::bare(width, height);
        }
        let below = if note(scene).is_empty() {
            MARGIN
        } else {
            CAPTION
        };
        let beside = legend_width(scene, unit, width, fonts);
        let panel = Area {
            left: (MARGIN * unit).round(),
            top: (HEADER * unit).round(),
            width: (width - 2.0 * MARGIN * unit - beside).round(),
            height: (height - (HEADER + below) * unit).round(),
        };
        Self {
            unit,
            panel,
            corner: 6.0 * unit,
            padding: 8.0 * unit,
            annotated: true,
        }
    }

    /// The whole frame for the scene.
    pub(super) fn bare(width: f64, height: f64) -> Self {
        let panel = Area {
            left: 0.0,
            top: 0.0,
            width,
            height,
        };
        Self {
            unit: (width / 600.0).min(height / 400.0),
            panel,
            corner: 0.0,
            padding: 0.0,
            annotated: false,
        }
    }

    fn label<'a>(&self, text: &'a str, size: f64, color: Color, align: Align) -> Label<'a> {
        Label {
            text,
            face: Face::Sans,
            size: size * self.unit,
            color,
            align,
        }
    }

    /// Writes the name on the left, and episode, step and returns on the right.
    pub(super) fn header(&self, painter: &mut Painter<'_>, header: &Header) {
        let unit = self.unit;
        let y = HEADER / 2.0 * unit;
        let frame = f64::from(painter.pixmap.width());
        let size = (SMALL_SIZE * unit) as f32;
        let digit = f64::from(painter.fonts.width(Face::Sans, size, "0"));
        let space = 5.0 * unit;
        let slots: Vec<_> = header
            .fields()
            .into_iter()
            .map(|(name, value, reserved)| {
                let name = painter
                    .fonts
                    .fit(Face::Sans, size, &name, 110.0 * unit as f32);
                let wide = f64::from(painter.fonts.width(Face::Sans, size, &value));
                let label = f64::from(painter.fonts.width(Face::Sans, size, &name));
                let slot = label + space + wide.max(digit * reserved as f64);
                (name, value, slot)
            })
            .collect();
        let gap = 16.0 * unit;
        let mut right = frame - (MARGIN + 2.0) * unit;
        // Returns go last, so the rightmost fields are dropped first when there are too many.
        let limit = 0.35 * frame;
        let mut shown = slots.len();
        let needed = |count: usize| -> f64 { slots[..count].iter().map(|s| s.2 + gap).sum() };
        while shown > 0 && right - needed(shown) < limit {
            shown -= 1;
        }
        for (name, value, slot) in slots[..shown].iter().rev() {
            right -= slot;
            let label = f64::from(painter.fonts.width(Face::Sans, size, name));
            let name = self.label(name, SMALL_SIZE, Color::GREY, Align::Left);
            painter.label([right, y], name);
            let value = self.label(value, SMALL_SIZE, Color::INK, Align::Left);
            painter.label([right + label + space, y], value);
            right -= gap;
        }
        let left = (MARGIN + 2.0) * unit;
        let title_size = (TITLE_SIZE * unit) as f32;
        let room = (right - left) as f32;
        let title = painter
            .fonts
            .fit(Face::Sans, title_size, &header.title, room);
        let title = self.label(&title, TITLE_SIZE, Color::INK, Align::Left);
        painter.label([left, y], title);
    }

    /// Writes the caption under the panel, and what was left out of the picture.
    pub(super) fn caption(&self, painter: &mut Painter<'_>, scene: &Scene) {
        let note = note(scene);
        let size = (SMALL_SIZE * self.unit) as f32;
        let text = painter
            .fonts
            .fit(Face::Sans, size, &note, (self.panel.width - 4.0) as f32);
        let color = if scene.skipped > 0 {
            Color::ACCENT
        } else {
            Color::DARK
        };
        let y = self.panel.top + self.panel.height + CAPTION / 2.0 * self.unit;
        let left = self.panel.left + 2.0 * self.unit;
        painter.label([left, y], self.label(&text, SMALL_SIZE, color, Align::Left));
    }

    /// Lists labels and their colours beside the panel.
    pub(super) fn legend(&self, painter: &mut Painter<'_>, scene: &Scene) {
        let unit = self.unit;
        let left = self.panel.left + self.panel.width + MARGIN * unit;
        let room = f64::from(painter.pixmap.width()) - left - (MARGIN + SWATCH + 6.0) * unit;
        let rows = (self.panel.height / (LEGEND_ROW * unit)) as usize;
        let entries = &scene.legend;
        let shown = if entries.len() > rows {
            rows.saturating_sub(1)
        } else {
            entries.len()
        };
        let size = (SMALL_SIZE * unit) as f32;
        let mut y = self.panel.top + LEGEND_ROW / 2.0 * unit;
        let mut row = |painter: &mut Painter<'_>, text: &str, swatch: Option<Color>| {
            if let Some(color) = swatch {
                let area = Area {
                    left,
                    top: (y - SWATCH / 2.0 * unit).round(),
                    width: SWATCH * unit,
                    height: SWATCH * unit,
                };
                painter.rounded_rect(area, 2.5 * unit, Some(color), None);
            }
            let text = painter.fonts.fit(Face::Sans, size, text, room as f32);
            let label = self.label(&text, SMALL_SIZE, Color::DARK, Align::Left);
            painter.label([left + (SWATCH + 6.0) * unit, y], label);
            y += LEGEND_ROW * unit;
        };
        for (text, color) in &entries[..shown] {
            row(painter, text, Some(*color));
        }
        if shown < entries.len() {
            row(painter, &format!("{} more", entries.len() - shown), None);
        }
    }
}

/// The line under the picture.
fn note(scene: &Scene) -> String {
    let skipped = match scene.skipped {
        0 => String::new(),
        1 => "1 shape has no finite place".to_owned(),
        n => format!("{n} shapes have no finite place"),
    };
    match (scene.caption.is_empty(), skipped.is_empty()) {
        (_, true) => scene.caption.clone(),
        (true, false) => skipped,
        (false, false) => format!("{}   ({skipped})", scene.caption),
    }
}

/// Pixels that the legend takes from the panel, its margin included.
fn legend_width(scene: &Scene, unit: f64, frame: f64, fonts: &Fonts) -> f64 {
    let size = (SMALL_SIZE * unit) as f32;
    scene
        .legend
        .iter()
        .map(|(label, _)| f64::from(fonts.width(Face::Sans, size, label)))
        .reduce(f64::max)
        .map_or(0.0, |widest| {
            (widest + 2.0 + (SWATCH + 6.0 + MARGIN) * unit).min(LEGEND_SHARE * frame)
        })
}
