//! Plots of the output of `run --json`, as SVG.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::full_palette::{BLUE_700, GREY_600};
use serde_json::Value;

use crate::Result;

const SIZE: (u32, u32) = (960, 540);

/// Draws the times of the workloads over their quantiles, or their rates.
pub(crate) fn run(report: &Path, output: &Path, rates: bool, only: &[String]) -> Result<()> {
    let report: Value = serde_json::from_slice(&std::fs::read(report)?)?;
    let workloads = report.get("workloads").and_then(Value::as_array).ok_or("no report of `run --json`")?;
    let workloads: Vec<&Value> = workloads.iter().filter(|workload| is_wanted(workload, only)).collect();
    let area = SVGBackend::new(output, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    if rates {
        bars(&area, &workloads)?
    } else {
        curves(&area, &workloads)?
    }
    area.present()?;
    Ok(())
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn is_wanted(workload: &Value, only: &[String]) -> bool {
    let name = workload.get("workload").and_then(Value::as_str).unwrap_or_default();
    only.is_empty() || only.iter().any(|wanted| name.contains(wanted))
}

/// Time over quantile, both by powers of ten: the time of the slowest of ten, hundred and thousand requests.
fn curves(area: &Area<'_>, workloads: &[&Value]) -> Result<()> {
    let curves: Vec<(&str, Vec<(f64, f64)>)> = workloads.iter().copied().filter_map(curve).collect();
    let times = || curves.iter().flat_map(|(_, curve)| curve.iter().map(|(_, time)| *time));
    let (least, most) = (times().fold(f64::INFINITY, f64::min), times().fold(1.0, f64::max));
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .caption("time of a request", ("sans-serif", 18))
        .x_label_area_size(36)
        .y_label_area_size(72)
        .build_cartesian_2d((1.0..10_000.0_f64).log_scale(), (least.max(1.0)..most * 1.2).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("the slowest of so many requests")
        .y_desc("µs")
        .x_label_formatter(&|one_of: &f64| format!("{one_of:.0}"))
        .y_label_formatter(&|time: &f64| format!("{time:.0}"))
        .light_line_style(WHITE)
        .draw()?;
    for (at, (name, curve)) in curves.into_iter().enumerate() {
        let color = Palette99::pick(at).to_rgba();
        chart
            .draw_series(LineSeries::new(curve, color.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(GREY_600)
        .draw()?;
    Ok(())
}

/// The name of a workload and its points: a number of requests, and the time of the slowest of so many.
fn curve(workload: &Value) -> Option<(&str, Vec<(f64, f64)>)> {
    let points = workload.get("curve_us")?.as_array()?.iter().filter_map(|point| {
        let (quantile, time) = (point.get(0)?.as_f64()?, point.get(1)?.as_f64()?);
        Some((1.0 / (1.0 - quantile), time.max(1.0)))
    });
    Some((workload.get("workload")?.as_str()?, points.collect()))
}

fn bars(area: &Area<'_>, workloads: &[&Value]) -> Result<()> {
    let rates: Vec<(&str, f64)> = workloads
        .iter()
        .filter_map(|workload| {
            Some((workload.get("workload")?.as_str()?, workload.get("requestsPerSecond")?.as_f64()?))
        })
        .collect();
    let most = rates.iter().map(|(_, rate)| *rate).fold(1.0, f64::max);
    let count = i32::try_from(rates.len())?;
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .caption("requests a second", ("sans-serif", 18))
        .x_label_area_size(36)
        .y_label_area_size(330)
        .build_cartesian_2d(0.0..most * 1.1, (0..count.max(1)).into_segmented())?;
    let name = |at: &SegmentValue<i32>| match at {
        SegmentValue::CenterOf(at) => {
            usize::try_from(*at).ok().and_then(|at| rates.get(at)).map_or("", |(name, _)| name).to_owned()
        }
        _ => String::new(),
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .light_line_style(WHITE)
        .y_labels(rates.len())
        .y_label_formatter(&name)
        .x_label_formatter(&|rate: &f64| format!("{rate:.0}"))
        .draw()?;
    chart.draw_series((0..count).zip(&rates).map(|(at, (_, rate))| {
        let mut bar = Rectangle::new(
            [(0.0, SegmentValue::Exact(at)), (*rate, SegmentValue::Exact(at + 1))],
            BLUE_700.filled(),
        );
        bar.set_margin(4, 4, 0, 0);
        bar
    }))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_becomes_two_plots() {
        let folder = tempfile::tempdir().expect("a folder");
        let report = json!({ "workloads": [
            { "workload": "get", "requestsPerSecond": 20000.0, "curve_us": [[0.0, 100], [0.5, 200], [0.99, 900]] },
            { "workload": "post", "requestsPerSecond": 5000.0, "curve_us": [[0.0, 300], [0.5, 800], [0.99, 9000]] },
        ]});
        let path = folder.path().join("report.json");
        std::fs::write(&path, report.to_string()).expect("writes");
        for rates in [false, true] {
            let output = folder.path().join("plot.svg");
            run(&path, &output, rates, &[]).expect("draws");
            let svg = std::fs::read_to_string(&output).expect("reads");
            assert!(svg.starts_with("<svg") && svg.contains("get") && svg.contains("post"), "{svg}");
            run(&path, &output, rates, &["pos".to_owned()]).expect("draws");
            let svg = std::fs::read_to_string(&output).expect("reads");
            assert!(!svg.contains("get") && svg.contains("post"), "{svg}");
        }
    }
}
