//! Colours, and the palette every environment shares.
//!
//! Group colours are those of Okabe and Ito ("Color Universal Design", 2008), which people with
//! any common form of colour blindness can tell apart; one group looks alike in every environment.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::shape::{Pen, Style};

/// An sRGB colour with straight (not premultiplied) alpha; in JSON `"#rrggbb"` or `"#rrggbbaa"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Color {
    /// Red, 0 to 255.
    pub r: u8,
    /// Green, 0 to 255.
    pub g: u8,
    /// Blue, 0 to 255.
    pub b: u8,
    /// Alpha: 0 is transparent, 255 opaque.
    pub a: u8,
}

/// Okabe and Ito's colours, neighbours chosen to differ most; their black is a softer grey here.
const GROUPS: [Color; 8] = [
    Color::rgb(0x00, 0x72, 0xb2), // blue
    Color::rgb(0xd5, 0x5e, 0x00), // vermilion
    Color::rgb(0x00, 0x9e, 0x73), // bluish green
    Color::rgb(0xcc, 0x79, 0xa7), // reddish purple
    Color::rgb(0xe6, 0x9f, 0x00), // orange
    Color::rgb(0x56, 0xb4, 0xe9), // sky blue
    Color::rgb(0xf0, 0xe4, 0x42), // yellow
    Color::rgb(0x3b, 0x41, 0x49), // charcoal
];

impl Color {
    /// Nearly black: text, outlines, bodies.
    pub const INK: Self = Self::rgb(0x1f, 0x24, 0x2b);
    /// Dark grey: walls, secondary bodies.
    pub const DARK: Self = Self::rgb(0x4f, 0x58, 0x63);
    /// Middle grey: tracks, axes, notes.
    pub const GREY: Self = Self::rgb(0x8b, 0x94, 0x9e);
    /// Light grey: guides, grid lines.
    pub const LIGHT: Self = Self::rgb(0xd3, 0xd9, 0xe0);
    /// Barely grey: the usual background.
    pub const PALE: Self = Self::rgb(0xf4, 0xf6, 0xf8);
    /// White.
    pub const WHITE: Self = Self::rgb(0xff, 0xff, 0xff);
    /// What the eye should find first: a goal, a collision, a chosen action.
    pub const ACCENT: Self = Self::rgb(0xd8, 0x1b, 0x60);

    /// Number of colours that [`Color::group`] gives before it repeats.
    pub const GROUP_COUNT: usize = 3 * GROUPS.len();

    /// An opaque colour from its red, green and blue parts.
    pub const fn rgb(r: u8, g: u8, b: u8) -> Self {
        Self { r, g, b, a: 255 }
    }

    /// The colour of agent group (or team, or agent) `index`.
    ///
    /// The first eight are safe for colour-blind people; the next eight are lighter, the next
    /// eight darker forms of the same; then they repeat.
    pub fn group(index: usize) -> Self {
        let base = GROUPS[index % GROUPS.len()];
        match index / GROUPS.len() % 3 {
            0 => base,
            1 => base.mix(Self::WHITE, 0.45),
            _ => base.mix(Self::INK, 0.45),
        }
    }

    /// The same colour with opacity `alpha` in 0 to 1 (clamped).
    pub fn alpha(self, alpha: f32) -> Self {
        // A float-to-integer cast saturates, and takes NaN to 0.
        Self {
            a: (alpha * 255.0).round() as u8,
            ..self
        }
    }

    /// The colour at `t` in 0 to 1 (clamped) on the way from this colour to `other`.
    pub fn mix(self, other: Self, t: f32) -> Self {
        let t = if t.is_nan() { 0.0 } else { t.clamp(0.0, 1.0) };
        let part =
            |from: u8, to: u8| (f32::from(from) + (f32::from(to) - f32::from(from)) * t).round();
        Self {
            r: part(self.r, other.r) as u8,
            g: part(self.g, other.g) as u8,
            b: part(self.b, other.b) as u8,
            a: part(self.a, other.a) as u8,
        }
    }

    /// A pen of this colour, `width` pixels wide in a 600 × 400 frame.
    pub const fn pen(self, width: f32) -> Pen {
        Pen { color: self, width }
    }

    /// This colour as a fill, with an outline around it.
    pub const fn outlined(self, outline: Pen) -> Style {
        Style {
            fill: Some(self),
            outline: Some(outline),
        }
    }

    /// Perceived lightness in 0 (black) to 1 (white), by the weights of ITU-R BT.601.
    pub fn lightness(self) -> f32 {
        (0.299 * f32::from(self.r) + 0.587 * f32::from(self.g) + 0.114 * f32::from(self.b)) / 255.0
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let value = u32::from_str_radix(digits, 16).ok()?;
        let [a, b, c, d] = value.to_be_bytes();
        match digits.len() {
            6 => Some(Self::rgb(b, c, d)),
            8 => Some(Self {
                r: a,
                g: b,
                b: c,
                a: d,
            }),
            _ => None,
        }
    }
}

impl Serialize for Color {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { r, g, b, a } = *self;
        if a == 255 {
            serializer.collect_str(&format_args!("#{r:02x}{g:02x}{b:02x}"))
        } else {
            serializer.collect_str(&format_args!("#{r:02x}{g:02x}{b:02x}{a:02x}"))
        }
    }
}

impl<'de> Deserialize<'de> for Color {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::invalid_value(de::Unexpected::Str(&text), &"#rrggbb or #rrggbbaa")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_colours_are_distinct_until_they_repeat() {
        for i in 0..Color::GROUP_COUNT {
            for j in 0..i {
                assert_ne!(Color::group(i), Color::group(j), "groups {i} and {j}");
            }
        }
        assert_eq!(Color::group(Color::GROUP_COUNT), Color::group(0));
        assert_eq!(
            Color::group(usize::MAX),
            Color::group(usize::MAX % Color::GROUP_COUNT)
        );
    }

    #[test]
    fn json_form_is_hexadecimal_and_round_trips() {
        let color = Color::rgb(0, 114, 178);
        assert_eq!(serde_json::to_string(&color).unwrap(), "\"#0072b2\"");
        let faint = color.alpha(0.5);
        assert_eq!(serde_json::to_string(&faint).unwrap(), "\"#0072b280\"");
        assert_eq!(
            serde_json::from_str::<Color>("\"#0072b280\"").unwrap(),
            faint
        );
        for bad in ["\"red\"", "\"#12345\"", "\"#+12345\"", "\"#éé\"", "7"] {
            assert!(serde_json::from_str::<Color>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn mixing_and_opacity_clamp_and_survive_nan() {
        assert_eq!(Color::INK.mix(Color::WHITE, 2.0), Color::WHITE);
        assert_eq!(Color::INK.mix(Color::WHITE, f32::NAN), Color::INK);
        assert_eq!(Color::INK.alpha(-1.0).a, 0);
        assert_eq!(Color::INK.alpha(7.0).a, 255);
        assert_eq!(Color::INK.alpha(f32::NAN).a, 0);
    }
}
