//! What every step of applying a PATCH needs to know and to tell.

use scim2_core::validate::{Report, ValidationError, ValidationErrorKind};
use scim2_core::{AttributeId, Compat, CompiledType, Quirk, Value};

use crate::error::PatchErrorKind;

/// The type and the tolerance that hold, and what was tolerated and ignored so far.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) type_: &'a CompiledType,
    pub(crate) compat: &'a Compat,
    pub(crate) leniencies: Vec<Quirk>,
    pub(crate) ignored: Vec<Box<str>>,
    /// What is left of [`MAX_WORK`].
    work: usize,
}

impl<'a> Context<'a> {
    pub(crate) fn new(type_: &'a CompiledType, compat: &'a Compat) -> Self {
        Self { type_, compat, leniencies: Vec::new(), ignored: Vec::new(), work: MAX_WORK }
    }

    /// Takes from the work that one message may cause.
    ///
    /// # Errors
    /// [`TooMuchWork`](PatchErrorKind::TooMuchWork) if there is not as much left.
    pub(crate) fn spend(&mut self, work: usize) -> Result<(), PatchErrorKind> {
        self.work = self.work.checked_sub(work).ok_or(PatchErrorKind::TooMuchWork)?;
        Ok(())
    }

    /// Says whether a quirk is tolerated, and notes that it was met.
    pub(crate) fn allows(&mut self, quirk: Quirk) -> bool {
        let allowed = self.compat.allows(quirk);
        if allowed {
            self.tolerate(quirk);
        }
        allowed
    }

    /// Notes a quirk that was tolerated.
    pub(crate) fn tolerate(&mut self, quirk: Quirk) {
        if !self.leniencies.contains(&quirk) {
            self.leniencies.push(quirk);
        }
    }

    /// One value in canonical form; `None` for one that says nothing.
    pub(crate) fn canonical_element(
        &mut self,
        id: AttributeId,
        value: Value,
    ) -> Result<Option<Value>, PatchErrorKind> {
        let mut report = Report::new();
        let canonical = self.type_.canonical_element(id, value, self.compat, &mut report);
        self.noted(canonical, report)
    }

    /// The same for one that takes the place of another, or of a list's:
    /// [`keep_unseen`](CompiledType::keep_unseen) makes it canonical.
    pub(crate) fn canonical_replacement(
        &mut self,
        id: AttributeId,
        value: Value,
    ) -> Result<Option<Value>, PatchErrorKind> {
        let mut report = Report::new();
        let canonical = self.type_.canonical_replacement(id, value, self.compat, &mut report);
        self.noted(canonical, report)
    }

    fn noted(
        &mut self,
        canonical: Result<Option<Value>, ValidationError>,
        report: Report,
    ) -> Result<Option<Value>, PatchErrorKind> {
        for (quirk, _) in report.leniencies {
            self.tolerate(quirk);
        }
        for ignored in report.ignored {
            self.ignore(ignored.path);
        }
        canonical.map_err(|error| match error.kind() {
            ValidationErrorKind::UnknownAttribute if self.compat.is_profile() => {
                PatchErrorKind::Unknown(error)
            }
            _ => PatchErrorKind::Value(error),
        })
    }

    /// Notes a key that was ignored.
    pub(crate) fn ignore(&mut self, path: impl Into<Box<str>>) {
        let path = path.into();
        // A peer may repeat itself in ten thousand members: one note is enough, and so is a page of them.
        if self.ignored.len() < MAX_IGNORED && !self.ignored.contains(&path) {
            self.ignored.push(path);
        }
    }
}

/// The most work that one message may cause: each operation costs the values of its attribute, as
/// often as its filter has terms, and the bytes that it copies into them. Without it a few megabytes
/// of operations on a long list would keep a processor busy for hours, and one long text set in each
/// of its values would fill the memory. A thousand operations on a list of four thousand values
/// stay below it, and so do a few on a million.
const MAX_WORK: usize = 1 << 23;

/// The most ignored keys that a report lists.
const MAX_IGNORED: usize = 32;
