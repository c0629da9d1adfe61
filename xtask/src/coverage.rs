//! Checks that docs/coverage.md names existing tests.
//!
//! A row is `| id | level | section | requirement | earned by |`, or `| id | where | reading | earned by |`. The last
//! cell names test functions in backticks, or reads `not claimed: ` and a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::workspace::Workspace;

/// The last cell of a row that is not answered yet.
const OPEN: &str = "not claimed yet";

/// Prints the counts by section. Fails if a row has no answer or names a test that does not exist.
pub(crate) fn check(workspace: &Workspace) -> Result<(), String> {
    let path = workspace.root().join("docs").join("coverage.md");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut tests = BTreeSet::new();
    for folder in ["crates", "benches", "xtask"] {
        collect_tests(&workspace.root().join(folder), &mut tests)?;
    }
    let rows = rows(&text);
    let mut problems = Vec::new();
    let mut sections: BTreeMap<&str, Count> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for row in &rows {
        if !seen.insert(row.id) {
            problems.push(format!("{}: two rows have this id", row.id));
        }
        let count = sections.entry(row.section).or_default();
        match row.answer(&tests) {
            Answer::Earned => count.earned += 1,
            Answer::NotClaimed => count.not_claimed += 1,
            Answer::Open => count.open += 1,
            Answer::Wrong(problem) => problems.push(format!("{}: {problem}", row.id)),
        }
    }
    for (section, count) in &sections {
        let Count { earned, not_claimed, open } = count;
        println!("{earned:>4} earned {not_claimed:>4} not claimed {open:>4} open   {section}");
    }
    let total = |part: fn(&Count) -> usize| sections.values().map(part).sum::<usize>();
    let open = total(|count| count.open);
    println!(
        "{:>4} earned {:>4} not claimed {open:>4} open   in all",
        total(|c| c.earned),
        total(|c| c.not_claimed)
    );
    if rows.is_empty() {
        problems.push("docs/coverage.md has no rows".to_owned());
    }
    if open > 0 {
        problems.push(format!("{open} rows have no answer yet"));
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

#[derive(Default)]
struct Count {
    earned: usize,
    not_claimed: usize,
    open: usize,
}

/// One requirement.
struct Row<'a> {
    section: &'a str,
    id: &'a str,
    earned_by: &'a str,
}

/// The meaning of a row's last cell.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Earned,
    NotClaimed,
    Open,
    Wrong(String),
}

impl Row<'_> {
    fn answer(&self, tests: &BTreeSet<String>) -> Answer {
        if self.earned_by == OPEN {
            return Answer::Open;
        }
        if let Some(reason) = self.earned_by.strip_prefix("not claimed: ") {
            let has_reason = !reason.trim().is_empty();
            return if has_reason {
                Answer::NotClaimed
            } else {
                Answer::Wrong("no reason is given".to_owned())
            };
        }
        let named: Vec<&str> = self.earned_by.split('`').skip(1).step_by(2).collect();
        if named.is_empty() {
            return Answer::Wrong(format!("expected tests or `not claimed: `, got `{}`", self.earned_by));
        }
        match named.iter().find(|name| !tests.contains(**name)) {
            Some(missing) => Answer::Wrong(format!("there is no test `{missing}`")),
            None => Answer::Earned,
        }
    }
}

fn rows(text: &str) -> Vec<Row<'_>> {
    let mut section = "";
    let mut rows = Vec::new();
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading;
        }
        let Some(cells) = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) else { continue };
        // The requirement may contain escaped bars. The cells before and after it contain none.
        let (Some((id, _)), Some((_, earned_by))) = (cells.split_once(" | "), cells.rsplit_once(" | "))
        else {
            continue;
        };
        if id.starts_with(['A', 'C', 'S', 'P', 'E', 'D', 'I']) && id.contains('-') {
            rows.push(Row { section, id, earned_by });
        }
    }
    rows
}

/// The names of all functions with a test attribute below a folder.
fn collect_tests(folder: &Path, tests: &mut BTreeSet<String>) -> Result<(), String> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                collect_tests(&path, tests)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            tests.extend(test_names(&text).map(str::to_owned));
        }
    }
    Ok(())
}

/// The functions after `#[test]`, `#[tokio::test(…)]` and similar attributes. Other attributes and comments may lie
/// between.
fn test_names(text: &str) -> impl Iterator<Item = &str> {
    let mut is_test = false;
    text.lines().filter_map(move |line| {
        let line = line.trim();
        if line.starts_with("#[") {
            is_test |= line.contains("test]") || line.contains("test(");
            return None;
        }
        if line.is_empty() || line.starts_with("//") {
            return None;
        }
        let name = line.split_once("fn ").and_then(|(_, rest)| rest.split(['(', '<']).next());
        std::mem::take(&mut is_test).then_some(name).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_functions_are_found() {
        let text = "#[test]\nfn one() {}\nfn two() {}\n#[tokio::test(flavor = \"x\")]\n#[cfg(unix)]\nasync fn three() {}\n\
                    #[cfg(test)]\nmod tests {\n fn four() {}\n}\n#[test]\n// why\nfn five(x in 0..1) {}\n";
        assert_eq!(test_names(text).collect::<Vec<_>>(), ["one", "three", "five"]);
    }

    #[test]
    fn rows_are_read_and_answered() {
        let text = "## A. Things\n\n| id | level | section | requirement | earned by |\n|---|---|---|---|---|\n\
                    | C-1-01 | MUST | 1 | a \\| b | `one`, `three` |\n| C-1-02 | MAY | 1 | c | not claimed: nobody asked |\n\
                    | C-1-03 | MAY | 1 | d | not claimed yet |\n| C-1-04 | MAY | 1 | e | `gone` |\n";
        let tests = BTreeSet::from(["one".to_owned(), "three".to_owned()]);
        let answers: Vec<_> = rows(text).iter().map(|row| row.answer(&tests)).collect();
        let gone = Answer::Wrong("there is no test `gone`".to_owned());
        assert_eq!(answers, [Answer::Earned, Answer::NotClaimed, Answer::Open, gone]);
        assert_eq!(rows(text)[0].section, "A. Things");
    }
}
