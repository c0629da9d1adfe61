//! A bar on a terminal, and nothing anywhere else.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How far a command is.
pub(super) struct Progress {
    bar: ProgressBar,
    begun: Instant,
    /// What is counted: `resources`.
    what: &'static str,
    done: u64,
}

impl Progress {
    /// A bar over `length` steps, or a spinner if nobody knows how many there are.
    pub(super) fn new(what: &'static str, length: Option<u64>, quiet: bool) -> Self {
        let bar = if quiet || !std::io::stderr().is_terminal() {
            ProgressBar::with_draw_target(length, ProgressDrawTarget::hidden())
        } else {
            ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr_with_hz(10))
        };
        let template = match length {
            Some(_) => "{wide_bar} {percent:>3} % {msg}, {elapsed} gone, {eta} to go",
            None => "{spinner} {msg}, {elapsed} gone",
        };
        // A template that does not fit leaves the default one.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, begun: Instant::now(), what, done: 0 }
    }

    /// Advances the bar by `steps` and counts `more`.
    pub(super) fn advance(&mut self, steps: u64, more: u64) {
        self.done += more;
        self.bar.inc(steps);
        self.bar.set_message(format!("{} {}, {}/s", self.done, self.what, self.rate()));
    }

    /// Says a line above the bar.
    pub(super) fn say(&self, line: &str) {
        self.bar.suspend(|| crate::failure::say(line));
    }

    /// How long it took, once nothing more is drawn.
    pub(super) fn finish(&self) -> Duration {
        self.bar.finish_and_clear();
        self.begun.elapsed()
    }

    fn rate(&self) -> u64 {
        rate(self.done, self.begun.elapsed())
    }
}

/// How many a second, in whole numbers.
pub(super) fn rate(count: u64, elapsed: Duration) -> u64 {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    count.saturating_mul(1000) / millis
}
