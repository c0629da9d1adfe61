//! Two tables at the end of a run: what it installed, and what it could not run.

use std::cell::RefCell;

/// Collects lines for the summary while the steps run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    installed: RefCell<Vec<(String, String)>>,
    not_run: RefCell<Vec<(String, String)>>,
}

impl Report {
    /// Records what was installed, and where.
    pub(crate) fn installed(&self, what: impl Into<String>, place: impl Into<String>) {
        self.installed.borrow_mut().push((what.into(), place.into()));
    }

    /// Records what was not run, and why.
    pub(crate) fn not_run(&self, what: impl Into<String>, reason: impl Into<String>) {
        self.not_run.borrow_mut().push((what.into(), reason.into()));
    }

    /// Prints both tables; a table without rows says `nothing`.
    pub(crate) fn print(&self) {
        print_table("installed by this run", &self.installed.borrow());
        print_table("not run", &self.not_run.borrow());
    }
}

fn print_table(title: &str, rows: &[(String, String)]) {
    println!("\n== {title}");
    if rows.is_empty() {
        println!("nothing");
    }
    let width = rows.iter().map(|(first, _)| first.chars().count()).max().unwrap_or_default();
    for (first, second) in rows {
        println!("{first:<width$}  {second}");
    }
}
