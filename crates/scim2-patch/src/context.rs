//! The shared state of applying a PATCH: the resource type, the tolerance, and the notes for the report.

use scim2_core::schema::Returned;
use scim2_core::validate::{Ignored, IgnoredReason, Report, ValidationError, ValidationErrorKind};
use scim2_core::work::Work;
use scim2_core::{AttributeDef, AttributeId, Compat, CompiledType, Quirk, Value};

use crate::error::PatchErrorKind;

/// The resource type, the tolerance, and the notes so far.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) type_: &'a CompiledType,
    pub(crate) compat: &'a Compat,
    pub(crate) notes: Notes,
    /// The remaining work of the message.
    pub(crate) work: &'a Work<'a>,
}

/// What a [`Context`] notes. It can move to another thread, which a [`Work`] in use cannot.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) leniencies: Vec<Quirk>,
    pub(crate) ignored: Vec<Ignored>,
    /// Attributes and sub-attributes returned `request` that the client gave.
    pub(crate) given_on_request: Vec<AttributeId>,
    /// Attributes and sub-attributes returned `never` that the client named.
    pub(crate) touched: Vec<AttributeId>,
    /// Whether any part of the message was understood. See [`Context::end_part`].
    pub(crate) understood: bool,
    /// The number of unknown names that were ignored.
    unknown_names: usize,
    /// The error of the first unknown name, until [`Context::take_unknown`].
    unknown: Option<Box<PatchErrorKind>>,
}

impl Notes {
    /// No notes about a message of which another part may have been understood already.
    pub(crate) fn new(understood: bool) -> Self {
        Self { understood, ..Self::default() }
    }
}

impl<'a> Context<'a> {
    pub(crate) fn new(type_: &'a CompiledType, compat: &'a Compat, work: &'a Work<'a>) -> Self {
        Self { type_, compat, notes: Notes::default(), work }
    }

    /// Spends bytes of the work of this message. Each operation on a long list reads all of it, and one long text can be
    /// set in each of its values. Without a limit a few megabytes of operations would keep a processor busy for
    /// hours, or fill the memory.
    ///
    /// # Errors
    /// [`TooMuchWork`](PatchErrorKind::TooMuchWork) if fewer bytes are left.
    pub(crate) fn spend(&self, bytes: u64) -> Result<(), PatchErrorKind> {
        self.work.spend(bytes).map_err(|_| PatchErrorKind::TooMuchWork)
    }

    /// Says whether a quirk is tolerated, and notes it if so.
    pub(crate) fn allows(&mut self, quirk: Quirk) -> bool {
        let allowed = self.compat.allows(quirk);
        if allowed {
            self.tolerate(quirk);
        }
        allowed
    }

    /// Notes that the client gave an attribute, if it is returned `request`.
    pub(crate) fn given(&mut self, id: AttributeId) {
        let on_request = self.type_.attribute(id).returned() == Returned::Request;
        if on_request && !self.notes.given_on_request.contains(&id) {
            self.notes.given_on_request.push(id);
        }
    }

    /// Notes that an attribute is written, if it is returned `never`. It then counts as changed even if the value is the
    /// same, so that the version does not confirm a guess.
    pub(crate) fn touch(&mut self, def: &AttributeDef) {
        if def.is_never_returned() && !self.notes.touched.contains(&def.id()) {
            self.notes.touched.push(def.id());
        }
    }

    /// Notes a quirk that was tolerated.
    pub(crate) fn tolerate(&mut self, quirk: Quirk) {
        if !self.notes.leniencies.contains(&quirk) {
            self.notes.leniencies.push(quirk);
        }
    }

    /// A value in canonical form. `None` if it is unassigned.
    pub(crate) fn canonical_element(
        &mut self,
        id: AttributeId,
        value: Value,
    ) -> Result<Option<Value>, PatchErrorKind> {
        let mut report = Report::new();
        let canonical = self.type_.canonical_element(id, value, self.compat, &mut report);
        let canonical = self.noted(canonical, report)?;
        self.understand(canonical.as_ref());
        Ok(canonical)
    }

    /// The same for a value that replaces another one.
    /// [`keep_not_returned_by_default`](CompiledType::keep_not_returned_by_default) then completes it.
    pub(crate) fn canonical_replacement(
        &mut self,
        id: AttributeId,
        value: Value,
    ) -> Result<Option<Value>, PatchErrorKind> {
        let mut report = Report::new();
        let canonical = self.type_.canonical_replacement(id, value, self.compat, &mut report);
        let canonical = self.noted(canonical, report)?;
        self.understand(canonical.as_ref());
        Ok(canonical)
    }

    /// A value of which something is left was understood, even if unknown names were ignored in it.
    fn understand(&mut self, canonical: Option<&Value>) {
        self.notes.understood |= match canonical {
            Some(Value::Object(complex)) => !complex.is_empty(),
            canonical => canonical.is_some(),
        };
    }

    /// Reads a text that is a JSON array or object ([`Quirk::JsonText`]). Other values are returned unchanged.
    pub(crate) fn read_json_text(
        &mut self,
        id: AttributeId,
        value: Value,
        given: Scope,
    ) -> Result<Value, PatchErrorKind> {
        if !matches!(value, Value::String(_)) {
            return Ok(value);
        }
        let mut report = Report::new();
        let read = match given {
            Scope::Whole => self.type_.read_json_text(id, value, self.compat, &mut report),
            Scope::Element => self.type_.read_json_element(id, value, self.compat, &mut report),
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
            match ignored.reason {
                IgnoredReason::UnknownAttribute
                | IgnoredReason::UnknownExtension
                | IgnoredReason::Ambiguous => {
                    let kind = PatchErrorKind::UnknownAttribute(ignored.path.as_str().into());
                    self.ignore_unknown(&ignored.path, ignored.reason, kind);
                }
                _ => self.note_ignored(ignored),
            }
        }
        report.given_on_request.into_iter().for_each(|id| self.given(id));
        canonical.map_err(|error| match error.kind() {
            ValidationErrorKind::UnknownAttribute if self.compat.is_profile() => {
                PatchErrorKind::Unknown(error)
            }
            _ => PatchErrorKind::Value(error),
        })
    }

    /// Begins a part of the message: an operation, a key of a path-less value, or a key of a complex value.
    /// Pass the result to [`end_part`](Self::end_part).
    pub(crate) fn begin_part(&self) -> Part {
        Part { unknown_names: self.notes.unknown_names }
    }

    /// Ends a part of the message. It is understood if it held no unknown name; otherwise each part within it
    /// decides for itself. A message of which no part is understood is refused, so that a client learns that
    /// its PATCH did nothing.
    pub(crate) fn end_part(&mut self, part: &Part) {
        self.notes.understood |= !self.met_unknown_name(part);
    }

    /// Says whether an unknown name was ignored since the part began.
    pub(crate) fn met_unknown_name(&self, part: &Part) -> bool {
        self.notes.unknown_names > part.unknown_names
    }

    /// Notes a name that is ignored because the resource type does not have it, or because several of its
    /// extensions have it. `kind` is the error if no part of the message is understood.
    pub(crate) fn ignore_unknown(&mut self, name: &str, reason: IgnoredReason, kind: PatchErrorKind) {
        match &kind {
            PatchErrorKind::Resolve(error) if kind.is_ambiguous() => {
                error.candidates().iter().for_each(|path| self.ignore(path, IgnoredReason::Ambiguous));
            }
            _ => self.ignore(name, reason),
        }
        self.notes.unknown_names += 1;
        self.notes.unknown.get_or_insert_with(|| Box::new(kind));
    }

    /// Takes the error of the first unknown name since the last call.
    pub(crate) fn take_unknown(&mut self) -> Option<Box<PatchErrorKind>> {
        self.notes.unknown.take()
    }

    /// Notes something that was ignored, in a form that a log may hold.
    pub(crate) fn ignore(&mut self, path: &str, reason: IgnoredReason) {
        let mut report = Report::new();
        report.ignore(path, reason);
        report.ignored.into_iter().for_each(|ignored| self.note_ignored(ignored));
    }

    fn note_ignored(&mut self, ignored: Ignored) {
        // A client may repeat one unknown name in ten thousand members, so each is noted once.
        if self.notes.ignored.len() < MAX_IGNORED && !self.notes.ignored.contains(&ignored) {
            self.notes.ignored.push(ignored);
        }
    }
}

/// A part of the message that is being applied.
#[derive(Debug)]
pub(crate) struct Part {
    unknown_names: usize,
}

/// What a value of an operation replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The whole attribute.
    Whole,
    /// One element of a list, chosen by a filter in the path.
    Element,
}

/// How many ignored names a report lists at most.
const MAX_IGNORED: usize = 32;
