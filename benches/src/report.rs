//! What is printed.

use std::time::Duration;

use serde_json::{Value, json};

use crate::load::Run;

/// One line of the table.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) ours: f64,
    pub(crate) yardstick: Option<f64>,
    pub(crate) bar: Option<f64>,
    pub(crate) run: Option<Run>,
    pub(crate) unit: &'static str,
}

impl Row {
    fn ratio(&self) -> Option<f64> {
        self.yardstick.filter(|yardstick| *yardstick > 0.0).map(|yardstick| self.ours / yardstick)
    }
}

/// Prints the rows as a table for people.
pub(crate) fn table(rows: &[Row]) {
    println!(
        "{:<44} {:>12} {:>12} {:>7} {:>6} {:>9} {:>9} {:>9} {:>6}",
        "what", "ours", "yardstick", "ratio", "bar", "p50", "p99", "p99.9", "errors"
    );
    for row in rows {
        let percent =
            |value: Option<f64>| value.map_or_else(String::new, |value| format!("{:.0} %", value * 100.0));
        let time =
            |pick: fn(&Run) -> Duration| row.run.as_ref().map_or_else(String::new, |run| micros(pick(run)));
        println!(
            "{:<44} {:>12} {:>12} {:>7} {:>6} {:>9} {:>9} {:>9} {:>6}",
            row.what,
            format!("{:.0} {}", row.ours, row.unit),
            row.yardstick.map_or_else(String::new, |value| format!("{value:.0} {}", row.unit)),
            percent(row.ratio()),
            percent(row.bar),
            time(|run| run.p50),
            time(|run| run.p99),
            time(|run| run.p999),
            row.run.as_ref().map_or_else(String::new, |run| run.errors.to_string()),
        );
    }
}

/// The rows as JSON.
pub(crate) fn json(rows: &[Row]) -> Value {
    rows.iter()
        .map(|row| {
            json!({
                "what": row.what, "ours": row.ours, "yardstick": row.yardstick, "unit": row.unit,
                "ratio": row.ratio(), "bar": row.bar,
                "p50_us": row.run.as_ref().map(|run| run.p50.as_micros()),
                "p99_us": row.run.as_ref().map(|run| run.p99.as_micros()),
                "errors": row.run.as_ref().map(|run| run.errors),
            })
        })
        .collect()
}

/// A duration in microseconds or milliseconds, short.
pub(crate) fn micros(duration: Duration) -> String {
    let micros = duration.as_micros();
    if micros < 10_000 { format!("{micros} µs") } else { format!("{} ms", micros / 1000) }
}
