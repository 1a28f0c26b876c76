//! How an intersection is drawn: from above.

use palaestra_plugin_api::prelude::*;

use super::{ARMS, Intersection, Status, Vehicle};

/// Length and width of a vehicle, in parts of its size.
const SHAPE: [f64; 2] = [1.3, 0.65];
/// Way that a trail shows [s], and its points.
const TRAIL: f64 = 0.8;
const POINTS: usize = 8;
/// Lines and columns of the text frame.
const TEXT: [usize; 2] = [25, 50];
/// Arms, for the legend.
const NAMES: [&str; ARMS] = [
    "from the south",
    "from the east",
    "from the north",
    "from the west",
];
/// Characters of vehicles by arm: where to they drive before they turn.
const ARROWS: [char; ARMS] = ['^', '<', 'v', '>'];

pub(super) fn draw(world: &Intersection, canvas: &mut Canvas) {
    let (config, crossing) = (&world.config, &world.crossing);
    // Long queues begin outside of the picture.
    let near = (config.start_distance + config.start_spacing).max(config.exit_length);
    let far = crossing.half + near + config.vehicle_size;
    canvas.view(-far, -far, far, far);
    pave(world, canvas, far);
    for (index, vehicle) in world.state.vehicles.iter().enumerate() {
        paint(world, canvas, index, vehicle);
    }
    let mut legend: Vec<(&str, Color)> = (0..ARMS).map(|a| (NAMES[a], Color::group(a))).collect();
    legend.push(("collided", Color::GREY));
    canvas.legend(&legend);
    let count = |status| {
        let vehicles = world.state.vehicles.iter();
        vehicles.filter(|v| v.status == status).count()
    };
    let caption = format!(
        "{} drive, {} passed, {} collided",
        count(Status::Driving),
        count(Status::Arrived),
        count(Status::Collided)
    );
    canvas.text_frame(text(world, far));
    canvas.caption(caption);
}

/// Both roads, their middle lines, and the stop lines.
fn pave(world: &Intersection, canvas: &mut Canvas, far: f64) {
    let (lane, half) = (world.crossing.lane, world.crossing.half);
    canvas.rect((-lane, -far), (lane, far), Color::LIGHT);
    canvas.rect((-far, -lane), (far, lane), Color::LIGHT);
    canvas.rect((-half, -half), (half, half), Color::LIGHT);
    for sign in [-1.0, 1.0] {
        let pen = Color::WHITE.pen(2.0);
        canvas.line((0.0, sign * half), (0.0, sign * far), pen);
        canvas.line((sign * half, 0.0), (sign * far, 0.0), pen);
        let pen = Color::GREY.pen(3.0);
        canvas.line((0.0, -sign * half), (sign * lane, -sign * half), pen);
        canvas.line((sign * half, 0.0), (sign * half, sign * lane), pen);
    }
}

fn paint(world: &Intersection, canvas: &mut Canvas, index: usize, vehicle: &Vehicle) {
    let pose = world.poses[index];
    let [x, y] = pose.position;
    let [forward, side] = pose.heading;
    let size = world.config.vehicle_size;
    let [length, width] = SHAPE.map(|part| 0.5 * part * size);
    let at = |ahead: f64, left: f64| {
        [
            x + ahead * forward - left * side,
            y + ahead * side + left * forward,
        ]
    };
    match vehicle.status {
        Status::Absent | Status::Arrived => {}
        Status::Collided => {
            let pen = Color::GREY.pen(2.0);
            canvas.line(at(-length, -width), at(length, width), pen);
            canvas.line(at(-length, width), at(length, -width), pen);
        }
        Status::Driving => {
            let color = Color::group(vehicle.arm);
            let back = TRAIL * vehicle.speed + length;
            let points: Vec<[f64; 2]> = (0..=POINTS)
                .map(|i| back * (1.0 - i as f64 / POINTS as f64))
                .map(|back| {
                    let way = vehicle.way - back;
                    world
                        .crossing
                        .pose(vehicle.arm, vehicle.route, way)
                        .position
                })
                .collect();
            canvas.trail(&points, color.pen(3.0));
            let nose = 0.6 * length;
            let body = [
                at(-length, -width),
                at(nose, -width),
                at(length, -0.4 * width),
                at(length, 0.4 * width),
                at(nose, width),
                at(-length, width),
            ];
            canvas.polygon(&body, color.outlined(Color::INK.pen(1.0)));
        }
    }
}

fn text(world: &Intersection, far: f64) -> String {
    let [lines, columns] = TEXT;
    let lane = world.crossing.lane;
    let middle = |i: usize, count: usize| ((i as f64 + 0.5) / count as f64 * 2.0 - 1.0) * far;
    let mut frame: Vec<Vec<char>> = (0..lines)
        .map(|line| {
            let y = middle(line, lines);
            let road = |x: f64| x.abs() <= lane || y.abs() <= lane;
            (0..columns)
                .map(|column| {
                    if road(middle(column, columns)) {
                        '.'
                    } else {
                        ' '
                    }
                })
                .collect()
        })
        .collect();
    for (vehicle, pose) in world.state.vehicles.iter().zip(&world.poses) {
        let character = match vehicle.status {
            Status::Driving => ARROWS[vehicle.arm],
            Status::Collided => 'x',
            Status::Absent | Status::Arrived => continue,
        };
        let [x, y] = pose.position;
        if x.abs().max(y.abs()) > far {
            continue;
        }
        let index = |x: f64, count: usize| {
            (((x / far + 1.0) * 0.5 * count as f64).max(0.0) as usize).min(count - 1)
        };
        frame[index(-y, lines)][index(x, columns)] = character;
    }
    let lines = frame.into_iter().map(String::from_iter);
    lines.map(|line: String| line + "\n").collect()
}
