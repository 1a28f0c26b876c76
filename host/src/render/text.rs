//! Text frames, to a terminal or a file.

use std::io::{self, Write};

use palaestra_plugin_api::canvas::Scene;

use super::{Header, RenderError};

/// How frames follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextStyle {
    /// Each frame replaces the one before on the screen.
    Terminal,
    /// Frames follow each other, an empty line between them.
    Plain,
}

/// Writes scenes as text: the author's own text frame, or a rough one made from the shapes.
///
/// Control characters of a plugin never reach the terminal.
#[derive(Debug)]
pub struct TextWriter<W> {
    out: W,
    style: TextStyle,
    columns: usize,
    rows: usize,
    frames: usize,
}

impl<W: Write> TextWriter<W> {
    /// A writer whose rough pictures have at most `columns` × `rows` characters; 80 × 20 suits a
    /// usual terminal.
    pub fn new(out: W, style: TextStyle, columns: usize, rows: usize) -> Self {
        Self {
            out,
            style,
            columns,
            rows,
            frames: 0,
        }
    }

    /// Writes a frame under a line with name, episode, step and returns.
    ///
    /// # Errors
    /// A scene that [`Scene::check`] refuses, or a failed write.
    pub fn push(&mut self, scene: &Scene, header: &Header) -> Result<(), RenderError> {
        scene.check()?;
        let picture = match &scene.text {
            Some(text) => with_caption(text, &scene.caption),
            None => scene.to_text(self.columns, self.rows)?,
        };
        let before = match self.style {
            // Home, then clear to the end of the screen.
            TextStyle::Terminal => "\x1b[H\x1b[J",
            TextStyle::Plain if self.frames > 0 => "\n",
            TextStyle::Plain => "",
        };
        let text = format!("{before}{}\n{}", heading(header), printable(&picture));
        self.frames += 1;
        self.out
            .write_all(text.as_bytes())
            .and_then(|()| self.out.flush())
            .map_err(|error| RenderError::io("text output".as_ref(), error))
    }

    /// Gives the output back.
    ///
    /// # Errors
    /// A failed flush.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

fn heading(header: &Header) -> String {
    let mut line = printable(&header.title).trim_end().to_owned();
    for (label, value, _) in header.fields() {
        line.push_str(&format!("   {} {value}", printable(&label).trim_end()));
    }
    line
}

fn with_caption(text: &str, caption: &str) -> String {
    let mut text = text.trim_end_matches('\n').to_owned();
    for part in ["\n", caption] {
        text.push_str(part);
    }
    text
}

/// The text with a line feed at its end and no other control character.
fn printable(text: &str) -> String {
    let mut shown: String = text
        .trim_end_matches('\n')
        .replace('\t', "    ")
        .chars()
        .filter(|&c| c == '\n' || !c.is_control())
        .collect();
    shown.push('\n');
    shown
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::canvas::{Canvas, Color};

    use super::*;

    fn header() -> Header {
        Header {
            title: "cards/Demo-v0".into(),
            step: 7,
            episode: 2,
            returns: vec![("east".into(), 1.0), ("west".into(), -1234.5)],
        }
    }

    #[test]
    fn own_text_frames_are_written_as_they_are_golden() {
        let mut canvas = Canvas::new();
        canvas.text_frame("K ?\tpot 2\nbet\n");
        canvas.caption("east to act");
        let scene = canvas.into_scene();
        let mut writer = TextWriter::new(Vec::new(), TextStyle::Plain, 80, 20);
        writer.push(&scene, &header()).unwrap();
        writer.push(&scene, &header()).unwrap();
        let frame = "cards/Demo-v0   episode 2   step 7   east 1.00   west -1234\n\
                     K ?    pot 2\nbet\neast to act\n";
        let written = String::from_utf8(writer.finish().unwrap()).unwrap();
        assert_eq!(written, format!("{frame}\n{frame}"));
    }

    #[test]
    fn without_one_the_shapes_become_characters() {
        let mut canvas = Canvas::new();
        canvas.grid(1, 3);
        canvas.cell(0, 2, Color::group(0));
        let mut writer = TextWriter::new(Vec::new(), TextStyle::Plain, 80, 20);
        writer
            .push(&canvas.into_scene(), &Header::default())
            .unwrap();
        let written = String::from_utf8(writer.finish().unwrap()).unwrap();
        assert!(written.ends_with("\n. . A\n"), "{written}");
    }

    #[test]
    fn a_plugin_cannot_steer_the_terminal() {
        let mut canvas = Canvas::new();
        canvas.text_frame("a\x1b[2Jb\u{9b}31mc\x07\r");
        let mut writer = TextWriter::new(Vec::new(), TextStyle::Terminal, 80, 20);
        let header = Header {
            title: "x\x1b]0;owned\x07".into(),
            ..Header::default()
        };
        writer.push(&canvas.into_scene(), &header).unwrap();
        let written = String::from_utf8(writer.finish().unwrap()).unwrap();
        let rest = written.strip_prefix("\x1b[H\x1b[J").unwrap();
        assert!(
            rest.chars().all(|c| c == '\n' || !c.is_control()),
            "{rest:?}"
        );
    }
}
