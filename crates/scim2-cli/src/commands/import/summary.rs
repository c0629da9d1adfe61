//! What became of the lines.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use scim2_core::validate::{Ignored, IgnoredReason};
use scim2_store::{Loaded, Unresolved};
use serde_json::json;

use super::report::Report;
use crate::commands::progress::{Progress, rate};
use crate::commands::{counted, print_json};
use crate::failure::{Failure, say};
use crate::terminal::{self, Shown};

/// How many reasons are printed to standard error; the report has all of them.
const TOLD: u64 = 50;

/// How many names of unknown attributes are printed.
const NAMES: usize = 50;

/// How many characters of such a name are printed.
const MAX_NAME_LENGTH: usize = 100;

/// Counts and reasons.
#[derive(Default)]
pub(super) struct Summary {
    created: u64,
    replaced: u64,
    unchanged: u64,
    extended: u64,
    refused: u64,
    left_out: u64,
    told: u64,
    unknown: BTreeMap<String, u64>,
    /// The attributes of extensions that a short name could mean, each with its URI.
    ambiguous: BTreeMap<String, u64>,
    report: Option<Report>,
    report_failed: Option<String>,
}

impl Summary {
    pub(super) fn new(report: Option<Report>) -> Self {
        Self { report, ..Self::default() }
    }

    /// Leaves no report behind: nothing was done.
    pub(super) fn give_up(&mut self) {
        if let Some(report) = self.report.take() {
            report.give_up();
        }
    }

    /// Notes what the store made of a line.
    pub(super) fn outcome(&mut self, line: u64, outcome: &Loaded, progress: &Progress) {
        match outcome {
            Loaded::Created => self.created += 1,
            Loaded::Replaced => self.replaced += 1,
            Loaded::Unchanged => self.unchanged += 1,
            Loaded::Extended => self.extended += 1,
            Loaded::Differs => {
                self.refused(
                    line,
                    "it is there and differs; --replace gives it the line's content",
                    progress,
                );
            }
            Loaded::Refused(error) => self.refused(line, &error.to_string(), progress),
            _ => self.refused(line, "the store did something this program does not know", progress),
        }
    }

    /// Notes a line that is not stored.
    pub(super) fn refused(&mut self, line: u64, reason: &str, progress: &Progress) {
        self.refused += 1;
        self.tell(line, reason, progress);
    }

    /// Notes a member for which there is no resource.
    pub(super) fn left_out(&mut self, member: &Unresolved, progress: &Progress) {
        let Unresolved { tag, position, of, .. } = member;
        self.left_out += 1;
        self.tell(*tag, &format!("member {position} of {of} does not exist here and was left out"), progress);
    }

    /// Notes attributes that were left out.
    pub(super) fn unknown(&mut self, ignored: &[Ignored]) {
        for Ignored { path, reason, .. } in ignored {
            let counts = match reason {
                IgnoredReason::Ambiguous => &mut self.ambiguous,
                _ => &mut self.unknown,
            };
            let path = cut(path);
            if let Some(count) = counts.get_mut(&*path) {
                *count += 1;
            } else if counts.len() < NAMES {
                counts.insert(path.into_owned(), 1);
            }
        }
    }

    /// Says whether everything is stored.
    pub(super) fn is_clean(&self) -> bool {
        self.refused == 0 && self.left_out == 0
    }

    fn tell(&mut self, line: u64, reason: &str, progress: &Progress) {
        self.told += 1;
        if self.told <= TOLD {
            progress.say(&format!("line {line}: {}", Shown(reason)));
        }
        if let Some(report) = &mut self.report
            && let Err(error) =
                writeln!(report, "{}", terminal::json(&json!({ "line": line, "reason": reason }).to_string()))
        {
            self.report_failed = Some(error.to_string());
        }
    }

    /// # Errors
    /// If the report could not be written.
    pub(super) fn close(&mut self) -> Result<(), Failure> {
        let flushed = self.report.as_mut().map_or(Ok(()), std::io::Write::flush);
        let failed = self.report_failed.take().or(flushed.err().map(|error| error.to_string()));
        failed.map_or(Ok(()), |error| Err(Failure::run(format!("`--report`: {error}"))))
    }

    /// Says it to a person, or to a program.
    pub(super) fn print(
        &self,
        file: &Path,
        elapsed: Duration,
        json: bool,
        quiet: bool,
        dry_run: bool,
    ) -> Result<(), Failure> {
        let Self {
            created, replaced, unchanged, extended, refused, left_out, told, unknown, ambiguous, ..
        } = self;
        if *told > TOLD {
            let hint = if self.report.is_some() { "" } else { "; --report FILE keeps all of them" };
            say(format_args!("and {} more{hint}", told - TOLD));
        }
        let rate = rate(created + replaced + unchanged, elapsed);
        if json {
            let summary = json!({
                "file": file.display().to_string(),
                "dryRun": dry_run,
                "created": created,
                "replaced": replaced,
                "unchanged": unchanged,
                "memberLines": extended,
                "refused": refused,
                "membersLeftOut": left_out,
                "unknownAttributes": unknown,
                "ambiguousAttributes": ambiguous,
                "seconds": elapsed.as_secs_f64(),
                "resourcesPerSecond": rate,
            });
            print_json(summary)?;
        }
        if quiet {
            return Ok(());
        }
        for (path, count) in unknown {
            say(format_args!(
                "no schema has the attribute `{}`: ignored on {}",
                Shown(path),
                counted(*count, "line", "lines")
            ));
        }
        for (path, count) in ambiguous {
            say(format_args!(
                "a short name could mean `{}`, or an attribute of another extension: ignored on {}; write the URI of \
                 the extension before the name",
                Shown(path),
                counted(*count, "line", "lines")
            ));
        }
        let verb = if dry_run { "would be " } else { "" };
        say(format_args!(
            "{}: {created} {verb}created, {replaced} replaced, {unchanged} unchanged, {refused} refused, \
             {} left out; {:.1} s, {rate}/s",
            file.display(),
            counted(*left_out, "member", "members"),
            elapsed.as_secs_f64()
        ));
        Ok(())
    }
}

/// The beginning of a name that is too long to be printed. The file decides how long a name is.
fn cut(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(MAX_NAME_LENGTH) {
        None => Cow::Borrowed(name),
        Some((end, _)) => Cow::Owned(format!("{}…", name.get(..end).unwrap_or_default())),
    }
}
