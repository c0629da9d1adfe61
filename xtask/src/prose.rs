//! Checks the English of comments, documentation, help texts and messages against a list of words.
//!
//! The list in `prose/words.rs` holds expressions that readers had to read twice, each with a plainer one. It cannot
//! judge a sentence: it only keeps the worst patterns from coming back. Code is not checked, neither the code between
//! comments and string literals nor the words in backticks.

mod text;
mod words;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::workspace::Workspace;

/// What is checked, relative to the root of the workspace.
const PLACES: &[&str] = &["crates", "benches", "fuzz", "xtask", "docs"];

/// Folders that hold no text of ours.
const SKIPPED_FOLDERS: &[&str] = &["target", "corpus", "seeds", "snapshots"];

/// Files that quote what is banned: the word list, and the requirements in the words of the RFCs.
const QUOTING: &[&str] = &["xtask/src/prose/words.rs", "docs/coverage.md"];

/// Files and folders that still have findings. They do not fail the check. A new file does not belong here: the list can only become
/// shorter.
const UNFINISHED: &[&str] = &[];

/// The findings of each file, by its path relative to the root of the workspace.
type Findings = BTreeMap<String, Vec<String>>;

/// Prints each finding with its place and what to write instead. Fails if a file that is not in [`UNFINISHED`] has one.
pub(crate) fn check(workspace: &Workspace) -> Result<(), String> {
    let findings = read_all(workspace)?;
    let is_unfinished = |name: &str| UNFINISHED.iter().any(|place| name.starts_with(place));
    let (unfinished, wrong): (Findings, Findings) =
        findings.into_iter().partition(|(name, _)| is_unfinished(name));
    print(&wrong);
    if !unfinished.is_empty() {
        println!(
            "{} findings in {} unfinished files do not count; `cargo xtask prose` prints them",
            count(&unfinished),
            unfinished.len()
        );
    }
    if !wrong.is_empty() {
        return Err(format!(
            "{} findings: rewrite the passages, or correct xtask/src/prose/words.rs",
            count(&wrong)
        ));
    }
    for place in UNFINISHED.iter().filter(|place| !unfinished.keys().any(|name| name.starts_with(**place))) {
        println!("{place} has no findings any more: remove it from UNFINISHED in xtask/src/prose.rs");
    }
    Ok(())
}

/// Prints the findings of the files whose path begins with one of these, or of all files. Fails if there are any.
pub(crate) fn list(workspace: &Workspace, places: &[&str]) -> Result<(), String> {
    let mut findings = read_all(workspace)?;
    findings.retain(|name, _| places.is_empty() || places.iter().any(|place| name.starts_with(place)));
    print(&findings);
    match count(&findings) {
        0 => Ok(()),
        count => Err(format!("{count} findings in {} files", findings.len())),
    }
}

fn print(findings: &Findings) {
    for line in findings.values().flatten() {
        println!("{line}");
    }
}

fn count(findings: &Findings) -> usize {
    findings.values().map(Vec::len).sum()
}

fn read_all(workspace: &Workspace) -> Result<Findings, String> {
    let mut findings = Findings::new();
    let mut visit = |path: &Path| -> Result<(), String> {
        let name = path.strip_prefix(workspace.root()).unwrap_or(path).display().to_string();
        if QUOTING.contains(&name.as_str()) {
            return Ok(());
        }
        let source = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let passages =
            if name.ends_with(".rs") { text::of_rust(&source) } else { text::of_markdown(&source) };
        for passage in passages {
            for finding in words::findings(passage.text()) {
                let line = passage.line(finding.at);
                findings.entry(name.clone()).or_default().push(format!("{name}:{line}: {finding}"));
            }
        }
        Ok(())
    };
    for place in PLACES {
        walk(&workspace.root().join(place), &mut visit)?;
    }
    let root = workspace.root();
    let entries = fs::read_dir(root).map_err(|error| format!("{}: {error}", root.display()))?;
    for entry in entries.flatten().filter(|entry| is_text(&entry.path())) {
        visit(&entry.path())?;
    }
    Ok(findings)
}

/// Visits the text files below a folder in the order of their names.
fn walk(folder: &Path, visit: &mut impl FnMut(&Path) -> Result<(), String>) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            let skipped =
                path.file_name().is_some_and(|name| SKIPPED_FOLDERS.iter().any(|folder| name == *folder));
            if !skipped {
                walk(&path, visit)?;
            }
        } else if is_text(&path) {
            visit(&path)?;
        }
    }
    Ok(())
}

fn is_text(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs" || extension == "md")
}
