//! How a highway is drawn: from above, the road folded into rows that are read like lines of text.

use palaestra_plugin_api::{canvas::Pen, prelude::*};

use super::{Highway, Road, Scenario, Status, Vehicle};

/// Width of a lane [m].
const LANE: f64 = 4.0;
/// Width of a vehicle [m].
const WIDTH: f64 = 2.0;
/// Room between the rows [m].
const GAP: f64 = 3.0;
/// Width over height of the picture.
const SHAPE: f64 = 1.5;
/// Way that a trail shows [s].
const TRAIL: f64 = 0.6;
/// Characters of a row of the text frame.
const TEXT: usize = 72;
/// A vehicle that decelerates by this part of the comfortable deceleration shows its brake lights.
const BRAKING: f64 = 0.5;

/// The folded road.
struct Rows {
    count: usize,
    length: f64,
    lanes: usize,
}

impl Rows {
    fn new(road: &Road) -> Self {
        let height = road.lanes as f64 * LANE + GAP;
        let count = (road.length / (SHAPE * height)).sqrt().round().max(1.0);
        Self {
            count: count as usize,
            length: road.length / count,
            lanes: road.lanes,
        }
    }

    fn row(&self, place: f64) -> usize {
        ((place / self.length) as usize).min(self.count - 1)
    }

    /// Height of the right edge of a row.
    fn base(&self, row: usize) -> f64 {
        (self.count - 1 - row) as f64 * (self.lanes as f64 * LANE + GAP)
    }

    fn height(&self) -> f64 {
        self.base(0) + self.lanes as f64 * LANE
    }

    /// Middle of a vehicle in the picture.
    fn point(&self, vehicle: &Vehicle) -> [f64; 2] {
        let row = self.row(vehicle.place);
        let across = (vehicle.lane as f64 + 0.5) * LANE;
        [
            vehicle.place - row as f64 * self.length,
            self.base(row) + across,
        ]
    }
}

pub(super) fn draw(world: &Highway, canvas: &mut Canvas) {
    let rows = Rows::new(&world.road);
    canvas.view(-2.0, -2.0, rows.length + 2.0, rows.height() + 2.0);
    for row in 0..rows.count {
        pave(world, canvas, &rows, row);
    }
    for (index, vehicle) in world.state.vehicles.iter().enumerate() {
        paint(world, canvas, &rows, index, vehicle);
    }
    let names: &[(&str, Color)] = match world.config.scenario {
        Scenario::Cruise => &[("vehicle", color(world, 0))],
        Scenario::Merge => &[
            ("on the road", Color::group(0)),
            ("by the ramp", Color::group(1)),
        ],
        Scenario::Platoon => &[("leader", Color::group(1)), ("follower", Color::group(0))],
    };
    let marks = [("brakes", Color::ACCENT), ("collided", Color::GREY)];
    canvas.legend(&[names, &marks].concat());
    let count = |status| {
        let vehicles = world.state.vehicles.iter();
        vehicles.filter(|v| v.status == status).count()
    };
    let driving = count(Status::Driving);
    let speeds = world.traffic.order.iter();
    let speed: f64 = speeds.map(|&v| world.state.vehicles[v].speed).sum();
    let caption = format!(
        "{driving} drive at {:.1} m/s, {} arrived, {} collided",
        speed / driving.max(1) as f64,
        count(Status::Arrived),
        count(Status::Collided),
    );
    canvas.text_frame(text(world, &rows));
    canvas.caption(caption);
}

/// What a vehicle is coloured by: how it came, or its part in its platoon.
fn color(world: &Highway, index: usize) -> Color {
    let other = match world.config.scenario {
        Scenario::Cruise => false,
        Scenario::Merge => world.state.vehicles[index].by_ramp,
        Scenario::Platoon => world.predecessor(index).is_none(),
    };
    Color::group(usize::from(other))
}

/// One row of the road with its lines, and with the ramp as far as there is one.
fn pave(world: &Highway, canvas: &mut Canvas, rows: &Rows, row: usize) {
    let (road, base) = (&world.road, rows.base(row));
    let from = row as f64 * rows.length;
    let within = |place: f64| (place - from).clamp(0.0, rows.length);
    let ramp = usize::from(!road.ring);
    let (right, left) = (base + ramp as f64 * LANE, base + road.lanes as f64 * LANE);
    // Where in this row the ramp can be left, and where it ends.
    let [leave, end] = match road.ring {
        true => [0.0; 2],
        false => road.merge.map(within),
    };
    canvas.rect((0.0, right), (rows.length, left), Color::LIGHT);
    if end > 0.0 {
        canvas.rect((0.0, base), (end, right), Color::LIGHT);
    }
    let (kerb, barrier) = (Color::GREY.pen(2.0), Color::DARK.pen(3.0));
    let mut line = |from: f64, to: f64, y: f64, pen: Pen| {
        if from < to {
            canvas.line((from, y), (to, y), pen);
        }
    };
    line(0.0, rows.length, left, kerb);
    line(0.0, end, base, kerb);
    line(end, rows.length, right, kerb);
    for lane in ramp + 1..road.lanes {
        let y = base + lane as f64 * LANE;
        line(0.0, rows.length, y, Color::WHITE.pen(1.5));
    }
    line(leave, end, right, Color::WHITE.pen(1.5));
    line(0.0, leave, right, barrier);
    if 0.0 < end && end < rows.length {
        canvas.line((end, base), (end, right), Color::ACCENT.pen(3.0));
    }
}

fn paint(world: &Highway, canvas: &mut Canvas, rows: &Rows, index: usize, vehicle: &Vehicle) {
    let ([x, y], half) = (rows.point(vehicle), 0.5 * world.config.vehicle_length);
    let (low, high) = ((x - half, y - 0.5 * WIDTH), (x + half, y + 0.5 * WIDTH));
    match vehicle.status {
        Status::Arrived => {}
        Status::Collided => {
            let pen = Color::GREY.pen(2.0);
            canvas.line(low, high, pen);
            canvas.line((low.0, high.1), (high.0, low.1), pen);
        }
        Status::Driving => {
            let color = color(world, index);
            let back = (x - half - TRAIL * vehicle.speed).max(0.0);
            if back < low.0 {
                canvas.trail(&[[back, y], [low.0, y]], color.pen(3.0));
            }
            let corner = 0.3 * WIDTH;
            canvas.rounded_rect(low, high, corner, color.outlined(Color::INK.pen(1.0)));
            if vehicle.acceleration < -BRAKING * world.config.deceleration {
                let lights = (low.0 + 0.2 * half, high.1);
                canvas.rect(low, lights, Color::ACCENT);
            }
        }
    }
}

/// Lanes as lines of text, the left one above.
fn text(world: &Highway, rows: &Rows) -> String {
    let (road, mut frame) = (&world.road, String::new());
    let mut line = vec![' '; TEXT];
    for row in 0..rows.count {
        for lane in (0..rows.lanes).rev() {
            for (column, character) in line.iter_mut().enumerate() {
                let place = (row as f64 + column as f64 / TEXT as f64) * rows.length;
                *character = if road.has_lane(lane as i64, place) {
                    '.'
                } else {
                    ' '
                };
            }
            for vehicle in &world.state.vehicles {
                if vehicle.lane != lane || rows.row(vehicle.place) != row {
                    continue;
                }
                let column = (rows.point(vehicle)[0] / rows.length * TEXT as f64) as usize;
                line[column.min(TEXT - 1)] = match vehicle.status {
                    Status::Driving => '>',
                    Status::Collided => 'x',
                    Status::Arrived => continue,
                };
            }
            frame.extend(&line);
            frame.push('\n');
        }
        frame.push('\n');
    }
    frame
}
