//! The printed table and its JSON form.

use std::time::Duration;

use serde_json::{Value, json};

use crate::load::Run;

/// The quantiles of a curve: from the median to one in 10 000.
const CURVE: [f64; 14] =
    [0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998, 0.9999];

/// One line of the table.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) ours: f64,
    pub(crate) yardstick: Option<f64>,
    pub(crate) bar: Option<Bar>,
    pub(crate) run: Option<Run>,
    pub(crate) unit: &'static str,
}

/// The bar of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bar {
    /// Ours is at least this fraction of the yardstick.
    Part(f64),
    /// Ours is at most this multiple of the yardstick.
    Times(f64),
    /// Ours is at least this, in the row's unit.
    Least(f64),
    /// Ours is at most this, in the row's unit.
    Most(f64),
}

impl Row {
    /// A row without a yardstick.
    pub(crate) fn alone(what: impl Into<String>, ours: f64, unit: &'static str) -> Self {
        Self { what: what.into(), ours, yardstick: None, bar: None, run: None, unit }
    }

    /// The rate of a run.
    pub(crate) fn rate(what: impl Into<String>, run: Run) -> Self {
        Self { run: Some(run.clone()), ..Self::alone(what, run.rate, "/s") }
    }

    pub(crate) fn beside(self, yardstick: f64) -> Self {
        Self { yardstick: Some(yardstick), ..self }
    }

    pub(crate) fn held_to(self, bar: Bar) -> Self {
        Self { bar: Some(bar), ..self }
    }

    fn ratio(&self) -> Option<f64> {
        self.yardstick.filter(|yardstick| *yardstick > 0.0).map(|yardstick| self.ours / yardstick)
    }

    /// Whether the row meets its bar; `None` if it has none.
    fn holds(&self) -> Option<bool> {
        Some(match self.bar? {
            Bar::Part(part) => self.ratio()? >= part,
            Bar::Times(times) => self.ratio()? <= times,
            Bar::Least(least) => self.ours >= least,
            Bar::Most(most) => self.ours <= most,
        })
    }

    fn bar(&self) -> String {
        match self.bar {
            None => String::new(),
            Some(Bar::Part(part)) => format!("≥ {:.0} %", part * 100.0),
            Some(Bar::Times(times)) => format!("≤ {times} ×"),
            Some(Bar::Least(least)) => format!("≥ {least:.0}"),
            Some(Bar::Most(most)) => format!("≤ {most:.0}"),
        }
    }
}

/// Prints the rows as a table for people.
pub(crate) fn table(rows: &[Row]) {
    println!(
        "{:<48} {:>12} {:>12} {:>7} {:>8} {:>4} {:>9} {:>9} {:>9} {:>6}",
        "what", "ours", "yardstick", "ratio", "bar", "", "p50", "p99", "p99.9", "errors"
    );
    for row in rows {
        let amount = |value: f64| {
            if value < 10.0 { format!("{value:.2} {}", row.unit) } else { format!("{value:.0} {}", row.unit) }
        };
        let time =
            |pick: fn(&Run) -> Duration| row.run.as_ref().map_or_else(String::new, |run| micros(pick(run)));
        println!(
            "{:<48} {:>12} {:>12} {:>7} {:>8} {:>4} {:>9} {:>9} {:>9} {:>6}",
            row.what,
            amount(row.ours),
            row.yardstick.map_or_else(String::new, amount),
            row.ratio().map_or_else(String::new, |ratio| format!("{:.0} %", ratio * 100.0)),
            row.bar(),
            row.holds().map_or("", |holds| if holds { "yes" } else { "NO" }),
            time(|run| run.p50),
            time(|run| run.p99),
            time(|run| run.p999),
            row.run.as_ref().map_or_else(String::new, |run| run.errors.to_string()),
        );
    }
}

/// The rows as JSON: driven workloads as `workloads`, which `plot` draws, and all other rows as `measures`.
pub(crate) fn json(rows: &[Row]) -> Value {
    let (mut workloads, mut measures) = (Vec::new(), Vec::new());
    for row in rows {
        let mut seen =
            row.run.as_ref().map_or_else(|| json!({ "what": row.what }), |run| workload(&row.what, run));
        if let Some(seen) = seen.as_object_mut() {
            seen.insert("ours".to_owned(), json!(row.ours));
            seen.insert("unit".to_owned(), json!(row.unit));
            seen.insert("yardstick".to_owned(), json!(row.yardstick));
            seen.insert("ratio".to_owned(), json!(row.ratio()));
            seen.insert("bar".to_owned(), json!(row.bar()));
            seen.insert("holds".to_owned(), json!(row.holds()));
        }
        if row.run.is_some() { workloads.push(seen) } else { measures.push(seen) }
    }
    json!({ "workloads": workloads, "measures": measures })
}

/// The results of a workload as JSON.
pub(crate) fn workload(name: &str, run: &Run) -> Value {
    let curve: Vec<Value> = CURVE
        .iter()
        .map(|quantile| json!([quantile, run.times.value_at_quantile(*quantile) / 1000]))
        .collect();
    json!({
        "workload": name,
        "requestsPerSecond": run.rate,
        "requests": run.times.len(),
        "p50_us": run.p50.as_micros(),
        "p99_us": run.p99.as_micros(),
        "p999_us": run.p999.as_micros(),
        "max_us": run.times.max() / 1000,
        "errors": run.errors,
        "curve_us": curve,
    })
}

/// A duration in microseconds or milliseconds, short.
pub(crate) fn micros(duration: Duration) -> String {
    let micros = duration.as_micros();
    if micros < 10_000 { format!("{micros} µs") } else { format!("{} ms", micros / 1000) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bar_is_met_or_missed() {
        let row = |bar| Row::alone("x", 40.0, "/s").beside(100.0).held_to(bar);
        for (bar, holds) in [
            (Bar::Part(0.4), true),
            (Bar::Part(0.41), false),
            (Bar::Times(0.4), true),
            (Bar::Times(0.3), false),
            (Bar::Least(40.0), true),
            (Bar::Least(41.0), false),
            (Bar::Most(40.0), true),
            (Bar::Most(39.0), false),
        ] {
            assert_eq!(row(bar).holds(), Some(holds), "{bar:?}");
        }
        assert_eq!(Row::alone("x", 1.0, "ms").holds(), None);
    }
}
