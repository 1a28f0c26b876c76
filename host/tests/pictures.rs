//! Every environment of the workspace can be watched: as a picture, as a film, and as text.

mod common;

use common::session;
use palaestra::render::{Frame, Header, Rasteriser, TextStyle, TextWriter};
use palaestra::session::EnvironmentMaker;
use palaestra_plugin_api::abi::RenderMode;
use palaestra_plugin_api::canvas::Scene;
use palaestra_plugin_api::client::{EnvironmentBatch, RandomPolicy};
use palaestra_registry::Kind;
use serde_json::json;

/// Steps that are drawn.
const STEPS: u64 = 20;

/// The pictures of the first steps of random play.
fn scenes(maker: &EnvironmentMaker) -> Vec<Scene> {
    let made = EnvironmentBatch::new(&maker.request(), 1, 1, |what| maker.make(what));
    let mut batch = made.unwrap();
    let mut random = RandomPolicy::new(batch.spec(), batch.slabs(), 0, 0);
    batch.reset(&json!({"manual_reset": true}), 0).unwrap();
    let draw = |batch: &mut EnvironmentBatch| {
        let (mut shard, index) = batch.locate(0);
        let bytes = shard.render(index, RenderMode::Scene).unwrap();
        Scene::from_json(&String::from_utf8(bytes).unwrap()).unwrap()
    };
    let mut scenes = vec![draw(&mut batch)];
    for time in 0..STEPS {
        random.fill(&mut batch.locate(0).0, 0, time).unwrap();
        batch.step(0, 0).unwrap();
        scenes.push(draw(&mut batch));
    }
    scenes
}

/// Colours of the part below the title and above the caption.
fn colors(frame: &Frame) -> usize {
    let row = 3 * frame.width as usize;
    let panel = &frame.rgb[50 * row..frame.rgb.len() - 40 * row];
    let mut colors: Vec<_> = panel.chunks_exact(3).collect();
    colors.sort_unstable();
    colors.dedup();
    colors.len()
}

fn text(scene: &Scene) -> String {
    let mut writer = TextWriter::new(Vec::new(), TextStyle::Plain, 80, 20);
    writer.push(scene, &Header::default()).unwrap();
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

#[test]
fn every_environment_is_drawn_and_written() {
    let (session, _folder) = session();
    let entries = session.registry().entries(Kind::Environment);
    let ids: Vec<String> = entries.map(|entry| entry.export.id.to_string()).collect();
    assert!(
        ids.len() >= 50,
        "{ids:?}; run the tests with cargo xtask test"
    );
    let mut rasteriser = Rasteriser::new(600, 400).unwrap();
    for id in ids.iter().filter(|id| !id.starts_with("stress/")) {
        let maker = session.environment(id, &json!({})).unwrap();
        let scenes = scenes(&maker);
        for scene in &scenes {
            assert_eq!(scene.skipped, 0, "{id}: nothing is left out");
        }
        let [first, .., last] = &scenes[..] else {
            unreachable!("there are {STEPS} steps")
        };
        let frames =
            [first, last].map(|scene| rasteriser.frame(scene, &Header::default()).unwrap());
        // Background, lines and agents; edges are blended.
        assert!(frames.iter().all(|frame| colors(frame) >= 4), "{id}");
        for scene in [first, last] {
            // Under the heading stands more than a line.
            let lines = text(scene).lines().filter(|l| !l.trim().is_empty()).count();
            assert!(lines >= 3, "{id}:\n{}", text(scene));
        }
        let moved = |a: &Scene, b: &Scene| a.to_json() != b.to_json();
        assert!(
            scenes.windows(2).any(|pair| moved(&pair[0], &pair[1])),
            "{id}: {STEPS} steps look alike"
        );
    }
}
