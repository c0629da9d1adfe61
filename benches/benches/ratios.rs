//! The measurements of criterion as ratios. The figures of two machines differ; their ratios hardly do.
//!
//! The fastest sample of each benchmark counts, because other work on the machine can only add time.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::Criterion;

/// The bar for one group of benchmarks.
pub(crate) struct Bar {
    /// The group, whose benchmark `scim2` is ours.
    pub(crate) group: &'static str,
    /// The most nanoseconds, on a machine like the one on which the bars were set; infinite if there is no such bar.
    pub(crate) nanoseconds: f64,
    /// Another benchmark of the group, and the largest ratio of our time to its time.
    pub(crate) ratio: Option<(&'static str, f64)>,
}

/// The name of our own benchmark in each group.
pub(crate) const OURS: &str = "scim2";

/// Many samples, the first of them of a few microseconds, so that even on a busy machine some samples are not
/// interrupted.
pub(crate) fn criterion() -> Criterion {
    Criterion::default()
        .output_directory(&directory())
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1500))
        .sample_size(300)
        .nresamples(1000)
        .configure_from_args()
}

/// The folder of criterion, in the target folder.
fn directory() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from)
        .join("criterion")
}

/// Prints our time, each other time with its ratio, and whether the bar was met.
pub(crate) fn print(bars: &[Bar]) {
    println!("\n{:<26} {:<14} {:>12} {:>8}  bar", "what", "who", "ns", "ours/it");
    for bar in bars {
        let mut times = times(&directory().join(bar.group));
        times.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        let Some(ours) = times.iter().find(|(name, _)| name == OURS).map(|(_, time)| *time) else {
            continue; // not among those asked for on the command line
        };
        let met = |met: bool| if met { "met" } else { "MISSED" };
        let verdict = match bar.nanoseconds {
            most if most.is_finite() => format!("under {most} ns: {}", met(ours < most)),
            _ => String::new(),
        };
        println!("{:<26} {OURS:<14} {ours:>12.1} {:>8}  {verdict}", bar.group, "");
        for (name, time) in times.iter().filter(|(name, _)| name != OURS) {
            let ratio = ours / time;
            let verdict = bar
                .ratio
                .filter(|(other, _)| other == name)
                .map_or(String::new(), |(_, most)| format!("at most {most}: {}", met(ratio <= most)));
            println!("{:<26} {name:<14} {time:>12.1} {ratio:>8.2}  {verdict}", "");
        }
    }
}

/// The benchmarks of a group, and the nanoseconds of each.
fn times(group: &Path) -> Vec<(String, f64)> {
    let time = |folder: PathBuf| -> Option<(String, f64)> {
        let name = folder.file_name()?.to_str()?.to_owned();
        let text = fs::read(folder.join("new/sample.json")).ok()?;
        let sample: serde_json::Value = serde_json::from_slice(&text).ok()?;
        let numbers = |name: &str| sample.get(name).and_then(|list| list.as_array());
        let each = numbers("times")?.iter().zip(numbers("iters")?);
        let each = each.filter_map(|(time, iterations)| Some(time.as_f64()? / iterations.as_f64()?));
        Some((name, each.fold(f64::MAX, f64::min)))
    };
    let folders = fs::read_dir(group).into_iter().flatten().flatten();
    folders.filter_map(|folder| time(folder.path())).collect()
}
