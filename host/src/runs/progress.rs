//! How far a run is: a bar on a terminal, plain lines elsewhere, nothing when asked to be quiet.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::output;

/// Percent of the way between two lines.
const LINE_PERCENT: f64 = 5.0;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgressMode {
    /// A bar that is drawn over and over.
    Bar,
    /// One line per log interval.
    Lines,
    /// Not at all.
    Silent,
}

impl ProgressMode {
    /// Silent with `--json` or `--quiet`, a bar if standard error is a terminal, lines otherwise.
    pub fn choose(json: bool, quiet: bool) -> Self {
        if json || quiet {
            Self::Silent
        } else if io::stderr().is_terminal() {
            Self::Bar
        } else {
            Self::Lines
        }
    }
}

enum Display {
    Bar(ProgressBar),
    /// And the share of the steps, in percent, at which the next line is due.
    Lines(Box<dyn Write + Send>, f64),
    Silent,
}

/// Shows steps, steps per second, time left and the latest return, on standard error.
pub struct Progress {
    display: Display,
    first: u64,
    total: u64,
    start: Instant,
    latest: Option<f64>,
}

impl Progress {
    /// Progress from `first` environment steps (0, or where a run was resumed) to `total`.
    pub fn new(mode: ProgressMode, first: u64, total: u64) -> Self {
        let display = match mode {
            ProgressMode::Bar => Display::Bar(bar(first, total)),
            ProgressMode::Lines => Display::Lines(Box::new(io::stderr()), 0.0),
            ProgressMode::Silent => Display::Silent,
        };
        Self {
            display,
            first,
            total,
            start: Instant::now(),
            latest: None,
        }
    }

    /// Moves the bar; cheap enough for every fragment.
    pub fn advance(&mut self, steps: u64) {
        if let Display::Bar(bar) = &self.display {
            bar.set_message(self.message(steps, self.start.elapsed()));
            bar.set_position(steps);
        }
    }

    /// To be called once per log interval, with the latest return if there is one: moves the bar
    /// or, every twentieth of the way, prints a line.
    pub fn log(&mut self, steps: u64, latest_return: Option<f64>) {
        self.latest = latest_return.or(self.latest);
        self.advance(steps);
        let elapsed = self.start.elapsed();
        let message = self.message(steps, elapsed);
        let total = self.total;
        if let Display::Lines(out, due) = &mut self.display {
            let percent = 100.0 * steps as f64 / total.max(1) as f64;
            if percent < *due && steps < total {
                return;
            }
            *due = percent + LINE_PERCENT;
            let (steps, total) = (grouped(steps), grouped(total));
            // Nobody is left to tell that standard error is closed.
            let _ = writeln!(out, "{steps} / {total} steps ({percent:.0} %), {message}");
            let _ = out.flush();
        }
    }

    /// Prints a line on standard error, above the bar if there is one; in every mode.
    pub fn remark(&self, kind: &str, text: &str) {
        match &self.display {
            Display::Bar(bar) => bar.suspend(|| output::remark(kind, text)),
            _ => output::remark(kind, text),
        }
    }

    /// Removes the bar.
    pub fn finish(&mut self) {
        if let Display::Bar(bar) = &self.display {
            bar.finish_and_clear();
        }
    }

    fn message(&self, steps: u64, elapsed: Duration) -> String {
        let taken = steps.saturating_sub(self.first);
        let speed = taken as f64 / elapsed.as_secs_f64().max(1e-9);
        let mut text = format!("{} steps/s", grouped(speed as u64));
        if taken > 0 && steps < self.total {
            let left = (self.total - steps) as f64 / speed;
            text.push_str(&format!(", {} left", clock(left)));
        }
        if let Some(latest) = self.latest {
            text.push_str(&format!(", return {latest:.2}"));
        }
        text
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

fn bar(first: u64, total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {human_pos}/{human_len} steps, {wide_msg}");
    ProgressBar::new(total)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_position(first)
}

/// A number with a comma between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Seconds as `m:ss` or `h:mm:ss`.
fn clock(seconds: f64) -> String {
    let seconds = seconds.min(1e9).round() as u64;
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{rest:02}")
    } else {
        format!("{minutes}:{rest:02}")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn one_line_per_twentieth_of_the_way_and_none_in_between() {
        let out = Shared::default();
        let mut progress = Progress::new(ProgressMode::Silent, 0, 100_000);
        progress.display = Display::Lines(Box::new(out.clone()), 0.0);
        progress.advance(1_000);
        progress.log(12_000, None);
        progress.advance(13_000);
        // Less than a twentieth later.
        progress.log(16_000, None);
        progress.log(100_000, Some(487.253));
        let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].starts_with("12,000 / 100,000 steps (12 %), "));
        assert!(lines[0].contains(" left") && !lines[0].contains("return"));
        assert!(lines[1].starts_with("100,000 / 100,000 steps (100 %), "));
        assert!(lines[1].ends_with(", return 487.25"), "{text}");
    }

    #[test]
    fn speed_and_time_left_count_from_where_the_run_was_resumed() {
        let mut progress = Progress::new(ProgressMode::Silent, 50_000, 100_000);
        progress.latest = Some(-3.0);
        assert_eq!(
            progress.message(60_000, Duration::from_secs(10)),
            "1,000 steps/s, 0:40 left, return -3.00"
        );
        assert_eq!(
            progress.message(50_000, Duration::ZERO),
            "0 steps/s, return -3.00"
        );
        assert_eq!(clock(3_725.4), "1:02:05");
        assert_eq!(clock(f64::INFINITY), "277777:46:40");
    }

    #[test]
    fn json_and_quiet_are_silent() {
        assert_eq!(ProgressMode::choose(true, false), ProgressMode::Silent);
        assert_eq!(ProgressMode::choose(false, true), ProgressMode::Silent);
    }
}
