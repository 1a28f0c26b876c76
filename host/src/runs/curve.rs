//! The learning curve: returns over environment steps, as a picture.
//!
//! Evaluation returns are a line with a band of one standard error; the training return is a thin
//! grey line, a random policy's return a dashed one. Of several seeds each is a thin line, and
//! their mean, with the standard error over seeds, the thick one.

mod axes;

use palaestra_plugin_api::canvas::{Align, Canvas, Color};

use crate::render::{Frame, Rasteriser, RenderError};
use axes::{Axes, dashed};

/// Size of the picture in pixels.
const PIXELS: [u32; 2] = [960, 600];
/// Its size in the units of all lengths here, those of a 600 × 400 frame.
const SIZE: [f64; 2] = [640.0, 400.0];
/// Free space left, below, right and above the axes.
const MARGINS: [f64; 4] = [54.0, 44.0, 20.0, 58.0];
const EDGE: f64 = 10.0;
const TITLE: f64 = 15.0;
const TEXT: f64 = 12.0;
/// Space between the entries of the legend, and length of its lines.
const GAP: f64 = 16.0;
const SAMPLE: f64 = 20.0;
/// Most points of one line; more are averaged.
const RESOLUTION: usize = 800;

const EVALUATION: Color = Color::rgb(0x1f, 0x6f, 0xb4);
const TRAINING: Color = Color::rgb(0xae, 0xb6, 0xbf);
const RANDOM: Color = Color::rgb(0xb8, 0x50, 0x28);

/// Returns of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EvaluationPoint {
    /// Environment steps before it.
    pub steps: u64,
    /// Mean return of its episodes.
    pub mean: f64,
    /// Standard error of that mean; 0 if unknown.
    pub standard_error: f64,
}

/// One training run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeedCurve {
    /// Evaluations by step.
    pub evaluation: Vec<EvaluationPoint>,
    /// (environment steps, mean return of the episodes that ended), by step.
    pub training: Vec<(u64, f64)>,
}

/// What the picture shows. Values that are not finite are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// Above the picture, such as `core/PPO-v0 on classic/CartPole-v1`.
    pub title: String,
    /// What is evaluated, such as `return` or `return of group good`.
    pub quantity: String,
    /// One entry per seed.
    pub seeds: Vec<SeedCurve>,
    /// Mean return of a random policy.
    pub random: Option<f64>,
}

type Point = [f64; 2];

/// Draws a learning curve; write it with [`Frame::write_png`].
///
/// # Errors
/// None for data of any size and any values; [`RenderError`] is the rasteriser's.
pub fn learning_curve(curve: &Curve) -> Result<Frame, RenderError> {
    let seeds: Vec<Line> = curve.seeds.iter().map(Line::of_seed).collect();
    let main = match seeds.as_slice() {
        [one] => one.clone(),
        several => Line::mean(several),
    };
    let training: Vec<Vec<Point>> = curve
        .seeds
        .iter()
        .map(|seed| thinned(&finite(&seed.training)))
        .collect();
    let random = curve.random.filter(|value| value.is_finite());
    let axes = Axes::around(&seeds, &main, &training, random);

    let mut rasteriser = Rasteriser::new(PIXELS[0], PIXELS[1])?;
    let mut canvas = Canvas::new();
    canvas.view_stretched(0.0, 0.0, SIZE[0], SIZE[1]);
    canvas.background(Color::WHITE);
    axes.draw(&mut canvas);
    for line in &training {
        axes.line(&mut canvas, line, TRAINING, 0.9);
    }
    if let Some(value) = random {
        axes.dashes(&mut canvas, value, RANDOM);
    }
    if seeds.len() > 1 {
        for seed in &seeds {
            axes.line(&mut canvas, &seed.mean, EVALUATION.alpha(0.45), 0.9);
        }
    }
    axes.band(&mut canvas, &main, EVALUATION.alpha(0.2));
    axes.line(&mut canvas, &main.mean, EVALUATION, 2.0);
    headings(&mut canvas, curve, &rasteriser);
    if main.mean.is_empty() && training.iter().all(Vec::is_empty) {
        let at = axes.inside([0.5, 0.5]);
        canvas.text(pair(at), TEXT, "no returns yet", Color::GREY);
    }
    rasteriser.bare_frame(&canvas.into_scene())
}

/// Means over steps, and standard errors of the same length.
#[derive(Clone, Debug, Default, PartialEq)]
struct Line {
    mean: Vec<Point>,
    error: Vec<f64>,
}

impl Line {
    fn of_seed(seed: &SeedCurve) -> Self {
        let points = seed.evaluation.iter().filter(|p| p.mean.is_finite());
        points
            .map(|p| {
                let error = Some(p.standard_error).filter(|e| e.is_finite());
                ([p.steps as f64, p.mean], error.unwrap_or(0.0).abs())
            })
            .unzip_line()
    }

    /// Mean and standard error over seeds, at the steps that all of them have.
    fn mean(seeds: &[Self]) -> Self {
        let Some((first, others)) = seeds.split_first() else {
            return Self::default();
        };
        let at = |seed: &Self, step: f64| {
            let mut points = seed.mean.iter();
            points.find(|point| point[0] == step).map(|point| point[1])
        };
        let count = seeds.len() as f64;
        let points = first.mean.iter().filter_map(|&[step, value]| {
            let others: Option<Vec<f64>> = others.iter().map(|seed| at(seed, step)).collect();
            let mut values = others?;
            values.push(value);
            let mean = values.iter().sum::<f64>() / count;
            let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
            Some(([step, mean], (squares / (count - 1.0) / count).sqrt()))
        });
        points.unzip_line()
    }

    fn edge(&self, sign: f64) -> impl DoubleEndedIterator<Item = Point> + '_ {
        let points = self.mean.iter().zip(&self.error);
        points.map(move |(&[x, y], error)| [x, y + sign * error])
    }
}

/// Collects pairs of points and errors.
trait UnzipLine {
    fn unzip_line(self) -> Line;
}

impl<I: Iterator<Item = (Point, f64)>> UnzipLine for I {
    fn unzip_line(self) -> Line {
        let (mean, error) = self.unzip();
        Line { mean, error }
    }
}

fn finite(points: &[(u64, f64)]) -> Vec<Point> {
    let points = points.iter().filter(|(_, value)| value.is_finite());
    points.map(|&(step, value)| [step as f64, value]).collect()
}

/// At most [`RESOLUTION`] points: means of neighbours.
fn thinned(points: &[Point]) -> Vec<Point> {
    let size = points.len().div_ceil(RESOLUTION).max(1);
    points
        .chunks(size)
        .map(|chunk| {
            let count = chunk.len() as f64;
            [0, 1].map(|axis| chunk.iter().map(|p| p[axis] / count).sum())
        })
        .collect()
}

/// The title, and below it what is shown: the quantity over its axis, and the lines.
fn headings(canvas: &mut Canvas, curve: &Curve, rasteriser: &Rasteriser) {
    let mut text = |[x, y]: Point, size: f64, text: &str, color: Color, room: f64| {
        // Names can be long: smaller then, not cut.
        let width = rasteriser.text_width(size, text);
        let size = size * (room / width).min(1.0);
        canvas.text_aligned((x, y), size, text, color, Align::Left);
        width.min(room)
    };
    let room = SIZE[0] - 2.0 * EDGE;
    text(
        [EDGE, SIZE[1] - 17.0],
        TITLE,
        &curve.title,
        Color::INK,
        room,
    );
    let y = SIZE[1] - MARGINS[3] + 14.0;
    let entries = legend(curve);
    let entry = |text: &str| GAP + SAMPLE + 5.0 + rasteriser.text_width(TEXT, text);
    let wanted: f64 = entries.iter().map(|e| entry(&e.text)).sum();
    let quantity = (room - wanted).max(0.2 * room);
    let used = text([EDGE, y], TEXT, &curve.quantity, Color::INK, quantity);
    let shrink = ((room - used) / wanted).min(1.0);
    let mut x = EDGE + used;
    for Entry { text: name, .. } in &entries {
        let room = (entry(name) * shrink - GAP - SAMPLE - 5.0).max(1.0);
        text([x + GAP + SAMPLE + 5.0, y], TEXT, name, Color::DARK, room);
        x += entry(name) * shrink;
    }
    let mut x = EDGE + used;
    for Entry { text, color, pen } in &entries {
        let (from, to) = (x + GAP, x + GAP + SAMPLE);
        match pen {
            Some(width) => canvas.line((from, y), (to, y), color.pen(*width)),
            None => dashed(canvas, from, to, y, *color),
        }
        x += entry(text) * shrink;
    }
}

/// A line of the legend; dashed without a pen.
struct Entry {
    text: String,
    color: Color,
    pen: Option<f32>,
}

fn legend(curve: &Curve) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut entry = |text: String, color, pen| entries.push(Entry { text, color, pen });
    if curve.seeds.iter().any(|seed| !seed.evaluation.is_empty()) {
        let text = match curve.seeds.len() {
            1 => "evaluation ± standard error".to_owned(),
            n => format!("evaluation, mean of {n} seeds ± standard error"),
        };
        entry(text, EVALUATION, Some(2.0));
    }
    if curve.seeds.iter().any(|seed| !seed.training.is_empty()) {
        entry("training".to_owned(), TRAINING, Some(1.2));
    }
    if let Some(value) = curve.random.filter(|value| value.is_finite()) {
        let text = format!("random policy, {}", short(value));
        entry(text, RANDOM, None);
    }
    entries
}

fn pair([x, y]: Point) -> (f64, f64) {
    (x, y)
}

/// A value with about three digits.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 1e6 || (size > 0.0 && size < 1e-3) => format!("{value:.1e}"),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(shift: f64) -> SeedCurve {
        let training = (0..5_000_u64).map(|i| {
            let noise = 30.0 * ((i * 7919 % 101) as f64 / 50.0 - 1.0);
            (i * 20, 480.0 * (i as f64 / 2_000.0).tanh() + noise + shift)
        });
        let evaluation = (0..=20_u64).map(|i| EvaluationPoint {
            steps: i * 5_000,
            mean: 500.0 * (i as f64 / 6.0).tanh() + shift,
            standard_error: 40.0 / (1.0 + i as f64 / 4.0),
        });
        SeedCurve {
            evaluation: evaluation.collect(),
            training: training.collect(),
        }
    }

    fn curve(seeds: Vec<SeedCurve>) -> Curve {
        Curve {
            title: "core/PPO-v0 on classic/CartPole-v1".into(),
            quantity: "return".into(),
            seeds,
            random: Some(22.3),
        }
    }

    fn share(frame: &Frame, wanted: impl Fn([u8; 3]) -> bool) -> usize {
        let pixels = frame.rgb.chunks_exact(3);
        pixels.filter(|p| wanted([p[0], p[1], p[2]])).count()
    }

    fn is(color: Color) -> impl Fn([u8; 3]) -> bool {
        move |pixel| pixel == [color.r, color.g, color.b]
    }

    #[test]
    fn every_line_is_on_the_picture() {
        let one = learning_curve(&curve(vec![seed(0.0)])).unwrap();
        assert_eq!([one.width, one.height], PIXELS);
        for color in [EVALUATION, TRAINING, RANDOM] {
            assert!(share(&one, is(color)) > 200, "{color:?}");
        }
        // A value alone lies in the middle.
        let axes = Axes::around(&[], &Line::default(), &[], Some(1.0));
        let [_, y] = axes.place([0.0, 1.0]);
        assert!((y - axes.inside([0.0, 0.5])[1]).abs() < 1e-9);
        let seeds = vec![seed(-60.0), seed(0.0), seed(60.0)];
        let several = learning_curve(&Curve {
            title: "core/MAPPO-v0 on mpe/SimpleWorldComm-v3 with comm/Broadcast-v0, \
                    learning rate 0.0003, everything else as published"
                .into(),
            quantity: "return of group leadadversary".into(),
            ..curve(seeds)
        });
        let several = several.unwrap();
        assert_ne!(one, several);
        if let Some(folder) = std::env::var_os("PALAESTRA_TEST_PICTURES") {
            let folder = std::path::Path::new(&folder);
            one.write_png(&folder.join("curve_one.png")).unwrap();
            several
                .write_png(&folder.join("curve_several.png"))
                .unwrap();
        }
    }

    #[test]
    fn no_data_and_wild_data_make_a_picture() {
        let point = |steps, mean, standard_error| EvaluationPoint {
            steps,
            mean,
            standard_error,
        };
        let only = |evaluation| SeedCurve {
            evaluation,
            training: Vec::new(),
        };
        let dot = learning_curve(&curve(vec![only(vec![point(0, 5.0, 1.0)])])).unwrap();
        assert!(share(&dot, is(EVALUATION)) > 20);
        for seeds in [
            vec![],
            vec![SeedCurve::default()],
            vec![only(vec![point(0, f64::NAN, f64::NAN)])],
            vec![only(vec![
                point(0, f64::MAX, f64::MAX),
                point(u64::MAX, -f64::MAX, f64::INFINITY),
            ])],
            vec![
                only(vec![point(0, 0.0, 0.0), point(1, 0.0, 0.0)]),
                only(vec![]),
            ],
        ] {
            let random = seeds.len() == 1;
            let mut curve = curve(seeds);
            curve.random = curve.random.filter(|_| random);
            learning_curve(&curve).unwrap();
        }
    }

    #[test]
    fn the_mean_is_over_steps_that_all_seeds_have() {
        let line = |points: &[Point]| Line {
            mean: points.to_vec(),
            error: vec![0.0; points.len()],
        };
        let mean = Line::mean(&[
            line(&[[0.0, 1.0], [5.0, 2.0], [10.0, 3.0]]),
            line(&[[0.0, 3.0], [10.0, 9.0]]),
        ]);
        assert_eq!(mean.mean, [[0.0, 2.0], [10.0, 6.0]]);
        // s = √2 and √18; divided by √2.
        assert!((mean.error[0] - 1.0).abs() < 1e-12 && (mean.error[1] - 3.0).abs() < 1e-12);
    }

    #[test]
    fn values_are_short() {
        assert_eq!([22.31, -531.0, 2e7].map(short), ["22.3", "-531", "2.0e7"]);
    }
}
