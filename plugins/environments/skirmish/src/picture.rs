//! How a battle looks: bodies coloured by team and type, bars of health and shield, shots, sight.

use palaestra_plugin_api::canvas::{Canvas, Color};

use crate::{
    combat::{Field, Unit},
    units::UnitType,
};

/// Bodies are drawn larger than they are, or nobody would see them.
const ENLARGED: f64 = 1.5;
/// Height of a bar.
const BAR: f64 = 0.22;
/// Most allies whose sight is shown.
const SIGHT_SHOWN: usize = 10;

/// Draws the battle.
pub(crate) fn draw(field: &Field, canvas: &mut Canvas) {
    let [width, height] = field.scenario.size.map(f64::from);
    canvas.view(0.0, 0.0, width, height);
    canvas.rect(
        (0.0, 0.0),
        (width, height),
        Color::WHITE.outlined(Color::LIGHT.pen(1.0)),
    );
    let (allies, _) = field.units.split_at(field.allies);
    if field.allies <= SIGHT_SHOWN {
        for ally in allies.iter().filter(|unit| unit.is_alive()) {
            let sight = f64::from(ally.kind.stats().sight);
            canvas.circle(ally.position, sight, Color::group(0).alpha(0.04));
        }
    }
    let by_death = |alive: bool| {
        let units = field.units.iter().enumerate();
        units.filter(move |(_, unit)| unit.is_alive() == alive)
    };
    for (_, unit) in by_death(false) {
        cross(unit, canvas);
    }
    for (index, unit) in by_death(true) {
        let pen = color(team(field, index), unit.kind).pen(2.0);
        canvas.track(index, unit.position, pen);
    }
    for (index, unit) in field.units.iter().enumerate() {
        if let Some(target) = unit.shot {
            let color = color(team(field, index), unit.kind).alpha(0.7);
            let target = field.units[usize::from(target)].position;
            canvas.line(unit.position, target, color.pen(1.5));
        }
    }
    for (index, unit) in by_death(true) {
        body(unit, team(field, index), canvas);
        bars(unit, canvas);
    }
    canvas.legend(&legend(field));
    let living = [0..field.allies, field.enemies()].map(|team| field.living(team));
    canvas.caption(format!(
        "{}: {} of {} allies, {} of {} enemies",
        field.scenario.name,
        living[0],
        field.allies,
        living[1],
        field.enemies().len()
    ));
    canvas.text_frame(text(field));
}

fn team(field: &Field, unit: usize) -> usize {
    usize::from(unit >= field.allies)
}

/// Teams differ in colour, types in how light it is.
fn color(team: usize, kind: UnitType) -> Color {
    let base = Color::group(team);
    match kind {
        UnitType::Marine => base,
        UnitType::Stalker => base.mix(Color::INK, 0.35),
        UnitType::Zealot => base.mix(Color::WHITE, 0.35),
    }
}

/// A disc for marines, a square for stalkers, a diamond for zealots.
fn body(unit: &Unit, team: usize, canvas: &mut Canvas) {
    let style = color(team, unit.kind).outlined(Color::INK.pen(1.0));
    let [x, y] = unit.position.map(f64::from);
    let r = ENLARGED * f64::from(unit.kind.stats().radius);
    match unit.kind {
        UnitType::Marine => canvas.circle((x, y), r, style),
        UnitType::Stalker => canvas.rect(
            (x - 0.85 * r, y - 0.85 * r),
            (x + 0.85 * r, y + 0.85 * r),
            style,
        ),
        UnitType::Zealot => {
            canvas.polygon(&[(x, y + r), (x + r, y), (x, y - r), (x - r, y)], style);
        }
    }
}

/// Where somebody fell.
fn cross(unit: &Unit, canvas: &mut Canvas) {
    let [x, y] = unit.position.map(f64::from);
    let r = 0.7 * f64::from(unit.kind.stats().radius);
    canvas.line((x - r, y - r), (x + r, y + r), Color::GREY.pen(1.5));
    canvas.line((x - r, y + r), (x + r, y - r), Color::GREY.pen(1.5));
}

/// Health above the body, the shield above that.
fn bars(unit: &Unit, canvas: &mut Canvas) {
    let stats = unit.kind.stats();
    let [x, y] = unit.position.map(f64::from);
    let half = ENLARGED * f64::from(stats.radius);
    let mut bottom = y + half + BAR;
    for (left, full, color) in [
        (unit.health, stats.health, health_color()),
        (unit.shield, stats.shield, shield_color()),
    ] {
        if full > 0.0 {
            let end = x - half + 2.0 * half * f64::from(left / full);
            canvas.rect((x - half, bottom), (x + half, bottom + BAR), Color::LIGHT);
            canvas.rect((x - half, bottom), (end, bottom + BAR), color);
            bottom += 1.4 * BAR;
        }
    }
}

fn health_color() -> Color {
    Color::group(2)
}

fn shield_color() -> Color {
    Color::group(5)
}

fn legend(field: &Field) -> Vec<(String, Color)> {
    let mut entries: Vec<(String, Color)> = Vec::new();
    for (index, unit) in field.units.iter().enumerate() {
        let side = ["ally", "enemy"][team(field, index)];
        let label = format!("{side}: {}", unit.kind.stats().name);
        if entries.iter().all(|entry| entry.0 != label) {
            entries.push((label, color(team(field, index), unit.kind)));
        }
    }
    entries.push(("health".into(), health_color()));
    if field.units.iter().any(|u| u.kind.stats().shield > 0.0) {
        entries.push(("shield".into(), shield_color()));
    }
    entries
}

/// The map with one character for 1 × 2 of it, allies in upper case, and what is left of everybody in percent.
fn text(field: &Field) -> String {
    let [width, height] = field.scenario.size;
    let (columns, rows) = (width as usize, height as usize / 2);
    let mut map = vec![vec!['.'; columns]; rows];
    for (index, unit) in field.units.iter().enumerate() {
        if unit.is_alive() {
            let [x, y] = unit.position;
            let letter = match unit.kind {
                UnitType::Marine => 'm',
                UnitType::Stalker => 's',
                UnitType::Zealot => 'z',
            };
            let row = ((height - y) / 2.0) as usize;
            map[row.min(rows - 1)][(x as usize).min(columns - 1)] = if index < field.allies {
                letter.to_ascii_uppercase()
            } else {
                letter
            };
        }
    }
    let left = |unit: &Unit| {
        let stats = unit.kind.stats();
        let part = (unit.health + unit.shield) / (stats.health + stats.shield);
        format!("{:3.0}", 100.0 * part)
    };
    let (allies, enemies) = field.units.split_at(field.allies);
    let team = |units: &[Unit]| units.iter().map(left).collect::<Vec<_>>().join(" ");
    let map: Vec<String> = map.into_iter().map(String::from_iter).collect();
    format!(
        "{}\nallies  {}\nenemies {}",
        map.join("\n"),
        team(allies),
        team(enemies)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{SCENARIOS, Scenario};

    #[test]
    fn the_text_is_the_map_and_what_is_left() {
        let mut field = Field::new(Scenario::named("2s3z").unwrap());
        field.units[0].position = [0.5, 31.5];
        field.units[0].shield = 0.0;
        field.units[9].position = [32.0, 0.0];
        field.units[8].health = 0.0;
        field.units[8].shield = 0.0;
        let text = text(&field);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 18);
        assert!(lines[0].starts_with("S....") && lines[15].ends_with("....z"));
        assert_eq!(lines[16], "allies   50 100 100 100 100");
        assert_eq!(lines[17], "enemies 100 100 100   0 100");
    }

    #[test]
    fn every_scenario_draws_with_shots_and_bars() {
        for scenario in &SCENARIOS {
            let mut field = Field::new(scenario);
            let still = |field: &Field| {
                let mut canvas = Canvas::new();
                draw(field, &mut canvas);
                canvas.into_scene()
            };
            let before = still(&field);
            assert!(before.check().is_ok() && before.skipped == 0);
            field.units[0].shot = Some(field.allies as u8);
            assert_eq!(still(&field).shapes.len(), before.shapes.len() + 1);
        }
    }
}
