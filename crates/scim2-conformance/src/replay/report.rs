//! The report of a replay.

use std::fmt;

use crate::exchange::{Evidence, Exchange};

/// What became of one exchange. It prints as a line, and a line for each failure.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The `id` of the exchange.
    pub id: String,
    /// How certain the exchange is.
    pub evidence: Evidence,
    /// The deviations it shows.
    pub quirks: Vec<String>,
    /// The status code of the response; `None` if there was no response.
    pub status: Option<u16>,
    /// The `scimType` of the response, if it is an error that has one.
    pub scim_type: Option<String>,
    /// What was not as expected, one line each. Empty if the exchange passed.
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

    /// Says whether everything was as expected.
    #[must_use]
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

/// What became of a list of exchanges. It prints its outcomes and a summary.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// One outcome for each exchange, in the order in which they ran.
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
