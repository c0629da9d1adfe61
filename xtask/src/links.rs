//! Checks that the Markdown files name existing files: the targets of relative links, and paths in backticks that begin
//! with a folder of the workspace.

use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::Workspace;

/// A path in backticks is checked if it begins with one of these.
const FOLDERS: &[&str] = &["crates/", "benches/", "docs/", "fuzz/", "xtask/"];

/// Fails if a Markdown file names a file or folder that does not exist; prints the number of names.
pub(crate) fn check(workspace: &Workspace) -> Result<(), String> {
    let root = workspace.root();
    let mut files = Vec::new();
    collect(root, &mut files)?;
    let mut names = 0;
    let mut missing = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let folder = file.parent().unwrap_or(root);
        for (number, line) in text.lines().enumerate() {
            let links = link_targets(line).map(|target| folder.join(target));
            let paths = code_spans(line).filter(|span| is_path(span)).map(|path| root.join(path));
            for target in links.chain(paths) {
                names += 1;
                if !target.exists() {
                    let file = file.strip_prefix(root).unwrap_or(file);
                    missing.push(format!(
                        "{}:{}: there is no {}",
                        file.display(),
                        number + 1,
                        target.display()
                    ));
                }
            }
        }
    }
    println!("{names} files are named in {} Markdown files", files.len());
    if missing.is_empty() { Ok(()) } else { Err(missing.join("\n")) }
}

/// The Markdown files below a folder, without those of builds.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            let skipped = ["target", ".git", "corpus"].iter().any(|name| entry.file_name() == *name);
            if !skipped {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    Ok(())
}

/// The targets of the links in a line that are relative to the file, without their fragments.
fn link_targets(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let targets = targets.filter_map(|target| target.split('#').next());
    targets.filter(|target| !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:"))
}

/// The texts between backticks.
fn code_spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Whether the text is a path of the workspace, without placeholders.
fn is_path(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    FOLDERS.iter().any(|folder| text.starts_with(folder)) && text.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_paths_are_found_in_a_line() {
        let line = "see [a](b.md#c), [d](https://e/f), [g](#h), `crates/x/y.rs`, `crates/<name>/y.rs`, `xtask` and `fuzz/z`";
        assert_eq!(link_targets(line).collect::<Vec<_>>(), ["b.md"]);
        assert_eq!(
            code_spans(line).filter(|span| is_path(span)).collect::<Vec<_>>(),
            ["crates/x/y.rs", "fuzz/z"]
        );
    }
}
