//! Pictures from scenes: exact colours at known places, films of whole episodes, and scenes that
//! no sane plugin would send.

use std::fs::{self, File};
use std::time::{Duration, Instant};

use palaestra::render::{Frame, GifWriter, Header, Rasteriser, RenderError};
use palaestra_plugin_api::canvas::{Canvas, Color, Pen, Point, Scene, Shape, Style};

fn rgb(color: Color) -> Option<[u8; 3]> {
    Some([color.r, color.g, color.b])
}

fn draw(scene: &Scene, width: u32, height: u32) -> Frame {
    let header = Header {
        title: "demo/Test-v0".into(),
        step: 3,
        episode: 1,
        returns: vec![(String::new(), 2.5)],
    };
    let mut rasteriser = Rasteriser::new(width, height).unwrap();
    rasteriser.frame(scene, &header).unwrap()
}

/// A picture small enough to show the world alone: one world unit is ten pixels, y upwards.
fn bare(paint: impl FnOnce(&mut Canvas)) -> Frame {
    let mut canvas = Canvas::new();
    canvas.view(0.0, 0.0, 10.0, 8.0);
    paint(&mut canvas);
    draw(&canvas.into_scene(), 100, 80)
}

fn cart_pole(x: f64, angle: f64) -> Scene {
    let mut canvas = Canvas::new();
    canvas.view(-2.6, -0.6, 2.6, 1.8);
    canvas.line((-9.0, 0.0), (9.0, 0.0), Color::GREY.pen(1.5));
    canvas.rounded_rect((x - 0.25, -0.13), (x + 0.25, 0.13), 0.04, Color::INK);
    let tip = (x + 1.2 * angle.sin(), 0.05 + 1.2 * angle.cos());
    canvas.line((x, 0.05), tip, Color::group(1).pen(9.0));
    canvas.caption(format!("angle {:+.1}°", angle.to_degrees()));
    canvas.into_scene()
}

#[test]
fn shapes_have_their_exact_colours_where_they_belong() {
    let frame = bare(|canvas| {
        canvas.rect((1.0, 1.0), (3.0, 2.0), Color::group(0));
        canvas.circle(
            (7.0, 6.0),
            1.0,
            Color::group(2).outlined(Color::INK.pen(12.0)),
        );
        canvas.line((5.0, 0.0), (5.0, 8.0), Color::group(1).pen(15.0));
        canvas.polygon(&[(8.0, 1.0), (9.5, 1.0), (9.5, 3.0)], Color::ACCENT);
        canvas.rect((0.0, 7.0), (1.0, 8.0), Color::rgb(0, 0, 0).alpha(0.5));
    });
    let at = |x, y| frame.pixel(x, y);
    assert_eq!((frame.width, frame.height), (100, 80));
    assert_eq!(at(99, 79), rgb(Color::PALE));
    // The rectangle spans x 10 to 30 and, y being upwards, rows 60 to 70.
    assert_eq!(at(10, 60), rgb(Color::group(0)));
    assert_eq!(at(29, 69), rgb(Color::group(0)));
    assert_eq!(at(30, 65), rgb(Color::PALE));
    assert_eq!(at(20, 70), rgb(Color::PALE));
    assert_eq!(at(70, 20), rgb(Color::group(2)));
    assert_eq!(at(79, 20), rgb(Color::INK));
    assert_eq!(at(50, 0), rgb(Color::group(1)));
    assert_eq!(at(50, 79), rgb(Color::group(1)));
    assert_eq!(at(93, 67), rgb(Color::ACCENT));
    let [r, g, b] = at(5, 5).unwrap();
    assert!((120..=124).contains(&r) && (121..=125).contains(&g) && (122..=126).contains(&b));
}

#[test]
fn later_shapes_cover_earlier_ones_and_trails_fade() {
    let frame = bare(|canvas| {
        canvas.rect((0.0, 0.0), (10.0, 8.0), Color::WHITE);
        canvas.trail(&[(1.0, 2.0), (9.0, 2.0)], Color::INK.pen(30.0));
        canvas.rect((4.0, 4.0), (6.0, 6.0), Color::group(0));
        canvas.rect((4.5, 4.5), (5.5, 5.5), Color::group(1));
    });
    assert_eq!(frame.pixel(42, 22), rgb(Color::group(0)));
    assert_eq!(frame.pixel(50, 30), rgb(Color::group(1)));
    let [old, middle, new] = [15, 50, 85].map(|x| frame.pixel(x, 60).unwrap()[0]);
    assert!(
        old > middle + 30 && middle > new + 30,
        "{old} {middle} {new}"
    );
}

#[test]
fn a_grid_paints_its_cells_from_the_top() {
    let mut canvas = Canvas::new();
    canvas.grid(8, 10);
    canvas.cell(0, 9, Color::group(0));
    canvas.cell(7, 0, Color::group(1));
    let frame = draw(&canvas.into_scene(), 100, 80);
    assert_eq!(frame.pixel(95, 5), rgb(Color::group(0)));
    assert_eq!(frame.pixel(5, 75), rgb(Color::group(1)));
    assert_eq!(frame.pixel(5, 5), rgb(Color::WHITE));
    assert_eq!(frame.pixel(50, 5), rgb(Color::LIGHT));
}

#[test]
fn header_legend_and_caption_are_written_around_the_panel() {
    let mut canvas = Canvas::new();
    canvas.view(0.0, 0.0, 1.0, 1.0);
    let plain = draw(&canvas.into_scene(), 600, 400);
    let mut canvas = Canvas::new();
    canvas.view(0.0, 0.0, 1.0, 1.0);
    canvas.legend(&[("prey", Color::group(4))]);
    canvas.caption("caught");
    let framed = draw(&canvas.into_scene(), 600, 400);
    let dark = |frame: &Frame, columns: std::ops::Range<u32>, rows: std::ops::Range<u32>| {
        rows.flat_map(|y| columns.clone().map(move |x| (x, y)))
            .filter(|&(x, y)| frame.pixel(x, y).unwrap()[0] < 150)
            .count()
    };
    assert!(dark(&plain, 10..120, 5..32) > 100, "title");
    assert!(dark(&plain, 400..590, 5..32) > 50, "step and return");
    assert_eq!(dark(&plain, 10..300, 374..400), 0, "no caption");
    assert!(dark(&framed, 10..80, 374..400) > 50, "caption");
    assert_eq!(plain.pixel(590, 390), rgb(Color::WHITE));
    assert_eq!(plain.pixel(300, 200), rgb(Color::PALE));
    let swatches = (500..600).filter(|&x| framed.pixel(x, 46) == rgb(Color::group(4)));
    assert!(swatches.count() >= 9);
}

#[test]
fn nothing_is_painted_outside_the_panel() {
    let mut canvas = Canvas::new();
    canvas.view(0.0, 0.0, 1.0, 1.0);
    canvas.rect((-1e9, -1e9), (1e9, 1e9), Color::INK);
    let frame = draw(&canvas.into_scene(), 600, 400);
    assert_eq!(frame.pixel(300, 200), rgb(Color::INK));
    for (x, y) in [(2, 200), (597, 200), (300, 397), (10, 36), (300, 33)] {
        assert_eq!(frame.pixel(x, y), rgb(Color::WHITE), "{x}, {y}");
    }
}

#[test]
fn a_text_frame_alone_becomes_a_picture() {
    let mut canvas = Canvas::new();
    canvas.text_frame("K  ?\n\npot 2");
    let scene = canvas.into_scene();
    let frame = draw(&scene, 600, 400);
    let ink = (40..390).flat_map(|y| (20..580).map(move |x| (x, y)));
    let inked = ink.filter(|&(x, y)| frame.pixel(x, y) == rgb(Color::INK));
    assert!(inked.count() > 50);
    assert_eq!(scene.text.as_deref(), Some("K  ?\n\npot 2"));
}

#[test]
fn the_same_scene_gives_the_same_bytes() {
    let scene = cart_pole(0.3, 0.2);
    let read = Scene::from_json(&scene.to_json()).unwrap();
    assert!(draw(&scene, 600, 400) == draw(&read, 600, 400));
    let mut rasteriser = Rasteriser::new(600, 400).unwrap();
    let first = rasteriser.frame(&scene, &Header::default()).unwrap();
    rasteriser
        .frame(&cart_pole(1.0, 0.1), &Header::default())
        .unwrap();
    assert!(first == rasteriser.frame(&scene, &Header::default()).unwrap());
}

#[test]
fn a_film_of_an_episode_is_small_and_plays_every_frame() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("episode.gif");
    let mut rasteriser = Rasteriser::new(600, 400).unwrap();
    let mut gif = GifWriter::create(&path, 50.0).unwrap();
    let mut frames = Vec::new();
    for step in 0..100 {
        let time = f64::from(step) * 0.02;
        let header = Header {
            title: "classic/CartPole-v1".into(),
            step: step as u64,
            ..Header::default()
        };
        let scene = cart_pole((1.3 * time).sin(), 0.2 * (5.0 * time).sin());
        let frame = rasteriser.frame(&scene, &header).unwrap();
        gif.push(&frame).unwrap();
        frames.push(frame);
    }
    assert_eq!(gif.finish().unwrap(), 100);
    // 500 such frames must stay well under 3 MB.
    let size = fs::metadata(&path).unwrap().len();
    assert!(size < 400_000, "{size} bytes");

    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(File::open(&path).unwrap()).unwrap();
    assert_eq!((decoder.width(), decoder.height()), (600, 400));
    let mut screen = vec![0; 600 * 400 * 3];
    let mut count = 0;
    while let Some(image) = decoder.read_next_frame().unwrap() {
        for (i, pixel) in image.buffer.chunks_exact(4).enumerate() {
            let x = i % usize::from(image.width) + usize::from(image.left);
            let y = i / usize::from(image.width) + usize::from(image.top);
            if pixel[3] > 0 {
                screen[(y * 600 + x) * 3..][..3].copy_from_slice(&pixel[..3]);
            }
        }
        let pairs = screen.iter().zip(&frames[count].rgb);
        let worst = pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(worst <= 26, "frame {count}: {worst}");
        count += 1;
    }
    assert_eq!(count, 100);
}

/// Every kind of shape with its numbers taken in turn from `values`.
fn shapes_from(values: &[f32]) -> Vec<Shape> {
    let mut turn = values.iter().copied().cycle();
    let mut next = || turn.next().unwrap();
    let mut shapes = Vec::new();
    for round in 0..values.len() * 3 {
        let mut point = || Point {
            x: next(),
            y: next(),
        };
        let (from, to, third) = (point(), point(), point());
        let points = vec![from, to, third, from];
        let pen = Pen {
            color: Color::group(round),
            width: next(),
        };
        let style = Style {
            fill: (round % 3 != 0).then_some(Color::group(round).alpha(0.7)),
            outline: (round % 2 == 0).then_some(pen),
        };
        let size = next();
        shapes.extend([
            Shape::Circle {
                center: from,
                radius: size,
                style,
            },
            Shape::Rect {
                from,
                to,
                corner: size,
                style,
            },
            Shape::Polygon {
                points: points.clone(),
                style,
            },
            Shape::Polygon {
                points: vec![],
                style,
            },
            Shape::Polyline {
                points: points.clone(),
                pen,
            },
            Shape::Polyline {
                points: vec![from],
                pen,
            },
            Shape::Arrow { from, to, pen },
            Shape::Trail { points, pen },
            Shape::Track {
                id: round as u32,
                at: from,
                pen,
            },
            Shape::Trail {
                points: vec![],
                pen,
            },
            Shape::Text {
                at: from,
                size,
                text: "far\u{7}\u{202e}→\u{10ffff}".repeat(round % 3),
                color: pen.color,
                align: Default::default(),
            },
        ]);
        next();
    }
    shapes
}

#[test]
fn absurd_numbers_are_clipped_or_left_out_and_never_panic() {
    let values = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::MAX,
        f32::MIN,
        f32::MIN_POSITIVE,
        1e-45,
        1e7,
        -1e10,
        3e4,
        1e5,
        0.5,
        2.0,
        1e3,
        40.0,
        -7e4,
        1e20,
        1e6,
        123.456,
    ];
    let tame: Vec<f32> = values.iter().copied().filter(|v| v.is_finite()).collect();
    for values in [
        &values[..],
        &tame,
        &tame[2..9],
        &[0.5, 1e6, -1e6, 30.0, 1e5],
    ] {
        let shapes = shapes_from(values);
        for view in [
            [0.0, 0.0, 1.0, 1.0],
            [-1e30, -1e30, 1e30, 1e30],
            [0.0, 0.0, 1e-6, 1e9],
        ] {
            for (width, height, stretch) in [(600, 400, false), (33, 4096, true), (16, 16, false)] {
                let scene = Scene {
                    view: Some(view.into()),
                    stretch,
                    shapes: shapes.clone(),
                    legend: vec![("x".repeat(5000), Color::INK); 300],
                    caption: "y".repeat(100_000),
                    ..Scene::default()
                };
                draw(&scene, width, height);
                scene.to_text(80, 24).unwrap();
            }
        }
    }
}

#[test]
fn scenes_that_cannot_be_drawn_are_refused_on_one_line() {
    let dot = Shape::Circle {
        center: Point { x: 0.5, y: 0.5 },
        radius: 0.1,
        style: Color::INK.into(),
    };
    let scenes = [
        Scene {
            view: Some([0.0; 4].into()),
            ..Scene::default()
        },
        Scene {
            view: Some([f32::NAN, 0.0, 1.0, 1.0].into()),
            ..Scene::default()
        },
        Scene {
            view: Some([1.0, 1.0, 0.0, 0.0].into()),
            ..Scene::default()
        },
        Scene {
            grid: Some([1_000_000, 1_000_000]),
            ..Scene::default()
        },
        Scene {
            shapes: vec![dot; 1_000_000],
            ..Scene::default()
        },
    ];
    let mut rasteriser = Rasteriser::new(600, 400).unwrap();
    for scene in scenes {
        let error = rasteriser.frame(&scene, &Header::default()).unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, RenderError::Scene(_)));
        assert!(
            message.contains("expected") && !message.contains('\n'),
            "{message}"
        );
    }
    for (width, height) in [
        (0, 0),
        (600, 0),
        (15, 400),
        (5000, 400),
        (u32::MAX, u32::MAX),
    ] {
        let error = Rasteriser::new(width, height).err().unwrap();
        assert!(error.to_string().starts_with("frame size: expected"));
    }
}

#[test]
fn the_largest_allowed_scene_is_drawn_in_bounded_time() {
    let mut canvas = Canvas::new();
    canvas.view(0.0, 0.0, 1.0, 1.0);
    for i in 0..200_000 {
        let (x, y) = (f64::from(i % 447) / 447.0, f64::from(i / 447) / 447.0);
        canvas.circle((x, y), 0.004, Color::group(i as usize));
    }
    let start = Instant::now();
    draw(&canvas.into_scene(), 600, 400);
    assert!(
        start.elapsed() < Duration::from_secs(30),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn skipped_shapes_are_told_under_the_picture() {
    let mut canvas = Canvas::new();
    canvas.view(0.0, 0.0, 1.0, 1.0);
    canvas.circle((f64::NAN, 0.0), 0.1, Color::INK);
    let frame = draw(&canvas.into_scene(), 600, 400);
    let accent = (10..300).flat_map(|x| (374..400).map(move |y| (x, y)));
    let told = accent.filter(|&(x, y)| {
        let [r, g, _] = frame.pixel(x, y).unwrap();
        r > 200 && g < 120
    });
    assert!(told.count() > 30);
}
