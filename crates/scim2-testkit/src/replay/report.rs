//! What came of a replay, for people.

use std::fmt;

use crate::dialects::{Evidence, Exchange};

/// What came of one exchange.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The exchange's id.
    pub id: String,
    /// How sure we are of it.
    pub evidence: Evidence,
    /// The deviations it shows.
    pub quirks: Vec<String>,
    /// The status that came, where an answer came.
    pub status: Option<u16>,
    /// The `scimType` of the answer, where it was an error with one.
    pub scim_type: Option<String>,
    /// What was not as expected, one line each; empty where the exchange passed.
    pub failures: Vec<String>,
}

impl Outcome {
    pub(super) fn of(exchange: &Exchange) -> Self {
        Self {
            id: exchange.id.clone(),
            evidence: exchange.evidence,
            quirks: exchange.quirks.clone(),
            status: None,
            scim_type: None,
            failures: Vec::new(),
        }
    }

    /// Whether everything was as expected.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.passed() { "pass" } else { "FAIL" };
        write!(f, "{verdict} {:<11} {} [{}]", self.evidence, self.id, self.quirks.join(" "))?;
        for failure in &self.failures {
            write!(f, "\n       {failure}")?;
        }
        Ok(())
    }
}

/// What came of a replay; prints a line per exchange, failures with their reasons.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// One outcome per exchange, in the order they ran.
    pub outcomes: Vec<Outcome>,
}

impl Report {
    /// The exchanges that did not pass.
    pub fn failed(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| !outcome.passed())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for outcome in &self.outcomes {
            writeln!(f, "{outcome}")?;
        }
        let failed = self.failed().count();
        write!(
            f,
            "{} exchanges, {} passed, {failed} failed",
            self.outcomes.len(),
            self.outcomes.len() - failed
        )
    }
}
