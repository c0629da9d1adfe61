//! What criterion measured, as ratios: the figures of two machines differ, their ratios hardly.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::Criterion;

/// What is asked of one group of benchmarks.
pub(crate) struct Bar {
    /// The group, whose benchmark `scim2` is ours.
    pub(crate) group: &'static str,
    /// Nanoseconds on a machine like the one the bars were set on.
    pub(crate) nanoseconds: f64,
    /// Another benchmark of the group, and what our time may be of its time.
    pub(crate) ratio: Option<(&'static str, f64)>,
}

/// The name of our own benchmark in each group.
pub(crate) const OURS: &str = "scim2";

/// Short measurements: these questions take nanoseconds.
pub(crate) fn criterion() -> Criterion {
    Criterion::default()
        .output_directory(&directory())
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1200))
        .sample_size(40)
        .configure_from_args()
}

/// Beside the other things that are built.
fn directory() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from)
        .join("criterion")
}

/// Prints ours, each other and the ratio, and whether the bar was met.
pub(crate) fn print(bars: &[Bar]) {
    println!("\n{:<34} {:<24} {:>12} {:>8}  bar", "what", "who", "median ns", "ours/it");
    for bar in bars {
        let mut medians = medians(&directory().join(bar.group));
        medians.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        let Some(ours) = medians.iter().find(|(name, _)| name == OURS).map(|(_, median)| *median) else {
            continue; // not among those asked for on the command line
        };
        let met = |met: bool| if met { "met" } else { "MISSED" };
        let verdict = met(ours < bar.nanoseconds);
        println!(
            "{:<34} {OURS:<24} {ours:>12.1} {:>8}  under {} ns: {verdict}",
            bar.group, "", bar.nanoseconds
        );
        for (name, median) in medians.iter().filter(|(name, _)| name != OURS) {
            let ratio = ours / median;
            let verdict = bar
                .ratio
                .filter(|(other, _)| other == name)
                .map_or(String::new(), |(_, most)| format!("at most {most}: {}", met(ratio <= most)));
            println!("{:<34} {name:<24} {median:>12.1} {ratio:>8.2}  {verdict}", "");
        }
    }
}

fn medians(group: &Path) -> Vec<(String, f64)> {
    let median = |folder: PathBuf| -> Option<(String, f64)> {
        let name = folder.file_name()?.to_str()?.to_owned();
        let text = fs::read(folder.join("new/estimates.json")).ok()?;
        let estimates: serde_json::Value = serde_json::from_slice(&text).ok()?;
        Some((name, estimates.pointer("/median/point_estimate")?.as_f64()?))
    };
    let folders = fs::read_dir(group).into_iter().flatten().flatten();
    folders.filter_map(|folder| median(folder.path())).collect()
}
