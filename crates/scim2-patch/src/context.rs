//! What every step of applying a PATCH needs to know and to tell.

use scim2_core::schema::Returned;
use scim2_core::validate::{Report, ValidationError, ValidationErrorKind, log_path};
use scim2_core::work::Work;
use scim2_core::{AttributeDef, AttributeId, Compat, CompiledType, Quirk, Value};

use crate::error::PatchErrorKind;

/// The type and the tolerance that hold, and what was tolerated and ignored so far.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) type_: &'a CompiledType,
    pub(crate) compat: &'a Compat,
    pub(crate) leniencies: Vec<Quirk>,
    pub(crate) ignored: Vec<Box<str>>,
    /// Attributes and sub-attributes returned on request that the client gave.
    pub(crate) given_on_request: Vec<AttributeId>,
    /// The never-returned attributes and sub-attributes that were named so far.
    pub(crate) touched: Vec<AttributeId>,
    /// What the message may still cause.
    pub(crate) work: &'a Work<'a>,
}

/// What a [`Context`] notes. It can move to another thread, which a [`Work`] in use cannot.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    leniencies: Vec<Quirk>,
    ignored: Vec<Box<str>>,
    given_on_request: Vec<AttributeId>,
    touched: Vec<AttributeId>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(type_: &'a CompiledType, compat: &'a Compat, work: &'a Work<'a>) -> Self {
        Self {
            type_,
            compat,
            leniencies: Vec::new(),
            ignored: Vec::new(),
            given_on_request: Vec::new(),
            touched: Vec::new(),
            work,
        }
    }

    /// Continues with what was noted before a pause.
    pub(crate) fn resume(
        notes: Notes,
        type_: &'a CompiledType,
        compat: &'a Compat,
        work: &'a Work<'a>,
    ) -> Self {
        let Notes { leniencies, ignored, given_on_request, touched } = notes;
        Self { type_, compat, leniencies, ignored, given_on_request, touched, work }
    }

    /// What was noted so far.
    pub(crate) fn pause(self) -> Notes {
        let Self { leniencies, ignored, given_on_request, touched, .. } = self;
        Notes { leniencies, ignored, given_on_request, touched }
    }

    /// Spends bytes of the work that one message may cause. A long list is walked by each operation on it,
    /// and one long text can be set in each of its values: without a limit a few megabytes of
    /// operations would keep a processor busy for hours, or fill the memory.
    ///
    /// # Errors
    /// [`TooMuchWork`](PatchErrorKind::TooMuchWork) if there is not as much left.
    pub(crate) fn spend(&self, bytes: u64) -> Result<(), PatchErrorKind> {
        self.work.spend(bytes).map_err(|_| PatchErrorKind::TooMuchWork)
    }

    /// Says whether a quirk is tolerated, and notes that it was met.
    pub(crate) fn allows(&mut self, quirk: Quirk) -> bool {
        let allowed = self.compat.allows(quirk);
        if allowed {
            self.tolerate(quirk);
        }
        allowed
    }

    /// Notes that the client gave an attribute, if that is returned on request.
    pub(crate) fn given(&mut self, id: AttributeId) {
        let on_request = self.type_.attribute(id).returned() == Returned::Request;
        if on_request && !self.given_on_request.contains(&id) {
            self.given_on_request.push(id);
        }
    }

    /// Notes that an attribute is written, if no answer shows it: it then counts as changed, whatever it
    /// was, and nobody learns from the version whether a guess was right.
    pub(crate) fn touch(&mut self, def: &AttributeDef) {
        if def.is_never_returned() && !self.touched.contains(&def.id()) {
            self.touched.push(def.id());
        }
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
    /// [`keep_not_returned_by_default`](CompiledType::keep_not_returned_by_default) makes it canonical.
    pub(crate) fn canonical_replacement(
        &mut self,
        id: AttributeId,
        value: Value,
    ) -> Result<Option<Value>, PatchErrorKind> {
        let mut report = Report::new();
        let canonical = self.type_.canonical_replacement(id, value, self.compat, &mut report);
        self.noted(canonical, report)
    }

    /// The JSON array or object that a text is ([`Quirk::JsonText`]); otherwise the value as it is.
    pub(crate) fn read_json_text(
        &mut self,
        id: AttributeId,
        value: Value,
        given: Given,
    ) -> Result<Value, PatchErrorKind> {
        if !matches!(value, Value::String(_)) {
            return Ok(value);
        }
        let mut report = Report::new();
        let read = match given {
            Given::Whole => self.type_.read_json_text(id, value, self.compat, &mut report),
            Given::Element => self.type_.read_json_element(id, value, self.compat, &mut report),
        };
        self.noted(read, report)
    }

    fn noted<T>(
        &mut self,
        canonical: Result<T, ValidationError>,
        report: Report,
    ) -> Result<T, PatchErrorKind> {
        for (quirk, _) in report.leniencies {
            self.tolerate(quirk);
        }
        for sub in report.touched {
            self.touch(self.type_.attribute(sub));
        }
        for ignored in report.ignored {
            if let Some(quirk) = ignored.reason.quirk() {
                self.tolerate(quirk);
            }
            self.ignore(&ignored.path);
        }
        report.given_on_request.into_iter().for_each(|id| self.given(id));
        canonical.map_err(|error| match error.kind() {
            ValidationErrorKind::UnknownAttribute if self.compat.is_profile() => {
                PatchErrorKind::Unknown(error)
            }
            _ => PatchErrorKind::Value(error),
        })
    }

    /// Notes a key or path that was ignored, in a form that a log may keep.
    pub(crate) fn ignore(&mut self, path: &str) {
        let path = log_path(path).into();
        // A peer may repeat itself in ten thousand members: one note is enough, and so is a page of them.
        if self.ignored.len() < MAX_IGNORED && !self.ignored.contains(&path) {
            self.ignored.push(path);
        }
    }
}

/// What a value of an operation stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    /// All that an attribute is given.
    Whole,
    /// One element of a list, which a filter in the path chooses.
    Element,
}

/// The most ignored keys that a report lists.
const MAX_IGNORED: usize = 32;
