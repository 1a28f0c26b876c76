//! What a scene is made of: shapes, and how they are painted.

use serde::{Deserialize, Serialize};

use super::color::Color;
use super::geometry::Point;

/// A line's colour and width.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pen {
    /// Colour of the line.
    pub color: Color,
    /// Width in pixels of a 600 × 400 frame; the host scales it with the frame.
    pub width: f32,
}

impl From<Color> for Pen {
    /// A pen two pixels wide.
    fn from(color: Color) -> Self {
        color.pen(2.0)
    }
}

/// How a closed shape is painted. Made from a [`Color`] (filled), from a [`Pen`] (outlined), or
/// by [`Color::outlined`] (both).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Style {
    /// Colour inside, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<Color>,
    /// Line around it, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outline: Option<Pen>,
}

impl From<Color> for Style {
    fn from(color: Color) -> Self {
        Self {
            fill: Some(color),
            outline: None,
        }
    }
}

impl From<Pen> for Style {
    fn from(pen: Pen) -> Self {
        Self {
            fill: None,
            outline: Some(pen),
        }
    }
}

/// Where a text's position lies on it, horizontally; vertically it is always the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    /// The text starts at its position.
    Left,
    /// The text is centred on its position.
    #[default]
    Center,
    /// The text ends at its position.
    Right,
}

/// One thing to draw; positions, radii and corners in world units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A disc or ring; round even in a stretched view.
    Circle {
        /// Centre.
        center: Point,
        /// Radius; a negative one draws nothing.
        radius: f32,
        /// Paint.
        style: Style,
    },
    /// An axis-aligned rectangle.
    Rect {
        /// One corner.
        from: Point,
        /// The opposite corner.
        to: Point,
        /// Radius of its rounded corners, 0 for sharp ones.
        corner: f32,
        /// Paint.
        style: Style,
    },
    /// A closed polygon.
    Polygon {
        /// Its corners, in order.
        points: Vec<Point>,
        /// Paint.
        style: Style,
    },
    /// Joined line segments.
    Polyline {
        /// Its points, in order.
        points: Vec<Point>,
        /// Line.
        pen: Pen,
    },
    /// A straight line with a head at its end.
    Arrow {
        /// Tail.
        from: Point,
        /// Tip.
        to: Point,
        /// Line; the head grows with the width.
        pen: Pen,
    },
    /// A path that fades and thins towards its first point, as a thing that moved leaves behind.
    Trail {
        /// Its points, oldest first.
        points: Vec<Point>,
        /// Line at the newest point.
        pen: Pen,
    },
    /// Where one moving thing is. Whoever shows several pictures of an episode follows it, and draws a
    /// [`Trail`](Self::Trail) of where it was in place of this; alone it is nothing to see.
    Track {
        /// Which thing it is, the same in every picture.
        id: u32,
        /// Where it is.
        at: Point,
        /// Line at the newest point.
        pen: Pen,
    },
    /// One line of text.
    Text {
        /// Where it is anchored.
        at: Point,
        /// Height of the font in pixels of a 600 × 400 frame.
        size: f32,
        /// The characters; control characters are left out.
        text: String,
        /// Colour.
        color: Color,
        /// Horizontal anchor.
        #[serde(default)]
        align: Align,
    },
}

impl Shape {
    /// What places the shape, as a list or as single points, and its other sizes.
    fn parts(&self) -> (&[Point], [Option<Point>; 2], [f32; 2]) {
        match self {
            Self::Circle {
                center,
                radius,
                style,
            } => (&[], [Some(*center), None], [*radius, outline_width(style)]),
            Self::Rect {
                from,
                to,
                corner,
                style,
            } => (
                &[],
                [Some(*from), Some(*to)],
                [*corner, outline_width(style)],
            ),
            Self::Polygon { points, style } => (points, [None; 2], [outline_width(style), 0.0]),
            Self::Polyline { points, pen } | Self::Trail { points, pen } => {
                (points, [None; 2], [pen.width, 0.0])
            }
            Self::Arrow { from, to, pen } => (&[], [Some(*from), Some(*to)], [pen.width, 0.0]),
            Self::Track { at, pen, .. } => (&[], [Some(*at), None], [pen.width, 0.0]),
            Self::Text { at, size, .. } => (&[], [Some(*at), None], [*size, 0.0]),
        }
    }

    /// Every point that places the shape.
    pub fn points(&self) -> impl Iterator<Item = Point> + '_ {
        let (many, few, _) = self.parts();
        many.iter().copied().chain(few.into_iter().flatten())
    }

    /// Whether every coordinate and size is a finite number.
    pub fn is_finite(&self) -> bool {
        let (_, _, sizes) = self.parts();
        self.points().all(Point::is_finite) && sizes.iter().all(|size| size.is_finite())
    }
}

fn outline_width(style: &Style) -> f32 {
    style.outline.map_or(0.0, |pen| pen.width)
}

/// A shape's share of [`MAX_POINTS`](super::MAX_POINTS): its points, and its characters in tens.
pub(super) fn weight(shape: &Shape) -> usize {
    match shape {
        Shape::Text { text, .. } => 1 + text.len() / 10,
        Shape::Polygon { points, .. }
        | Shape::Polyline { points, .. }
        | Shape::Trail { points, .. } => points.len().max(1),
        _ => 1,
    }
}
