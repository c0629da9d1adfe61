//! Applies operations to a resource
//! ([RFC 7644 §3.5.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2)).

use scim2_core::json::JsonReader;
use scim2_core::schema::Mutability;
use scim2_core::validate::IgnoredReason;
use scim2_core::work::{VISIT, Work, WorkBudget};
use scim2_core::{AttributeDef, AttributeId, Compat, CompiledType, ExtensionId, Object, Owner, Quirk, Value};
use scim2_filter::{Filter, PatchPath};

use crate::context::{Context, Scope};
use crate::elements;
use crate::error::{PatchError, PatchErrorKind};
use crate::matcher;
use crate::patch_op::{Op, Operation, PatchOp};
use crate::target::{Target, resolve};
use crate::values;

mod applied;
mod assign;
mod journal;
mod matching;
mod pathless;
mod remove;
mod schemas;
mod steps;
mod sub_values;

pub use applied::{Applied, Change};
pub(crate) use assign::{forget_reference, set, take, unassign};
pub use steps::{Application, Progress};

use journal::{Journal, Slot};

/// Applies the operations in order, all or none.
///
/// `resource` is a body in canonical form, as a service provider stores it: names in the schema's
/// spelling, multi-valued attributes as arrays, extensions under their URI. Attributes that the
/// caller keeps elsewhere (a password) may be absent. A value that a client sets is put into `resource`.
/// An operation on an attribute that is [returned `never`](AttributeDef::is_never_returned) always counts as a
/// change, because its stored value is not there to compare with.
///
/// ```
/// use scim2_core::{Compat, Registry};
/// use scim2_patch::{PatchOp, apply};
///
/// let registry = Registry::standard();
/// let group = registry.resource_type("Group").expect("a standard type");
/// let mut tour = serde_json::from_str(r#"{"displayName":"Tour","members":[{"value":"a"}]}"#)?;
///
/// let op = PatchOp::new().add("members", serde_json::json!([{"value": "a"}, {"value": "b"}]))?;
/// let applied = apply(&op, &mut tour, group, &Compat::default())?;
/// assert!(applied.changed());
/// assert_eq!(tour.to_string(), r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"}]}"#);
///
/// let again = apply(&op, &mut tour, group, &Compat::default())?;
/// assert!(!again.changed());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The first operation that cannot be applied, and the reason: see [`PatchErrorKind`]. The resource is then
/// unchanged.
pub fn apply(
    op: &PatchOp,
    resource: &mut Object,
    type_: &CompiledType,
    compat: &Compat,
) -> Result<Applied, PatchError> {
    apply_within(op, resource, type_, compat, &Work::with_limit(WorkBudget::DEFAULT_LIMIT))
}

/// Applies the operations as [`apply`] does, and spends the bytes that they read, compare and copy from `work`. A caller
/// that applies several messages for one request shares one [`WorkBudget`] between them.
///
/// # Errors
/// As [`apply`], and [`TooMuchWork`](PatchErrorKind::TooMuchWork) if too few bytes are left.
pub fn apply_within(
    op: &PatchOp,
    resource: &mut Object,
    type_: &CompiledType,
    compat: &Compat,
    work: &Work<'_>,
) -> Result<Applied, PatchError> {
    let mut application = Application::new(op, resource, type_, compat);
    loop {
        match application.advance(work, u64::MAX)? {
            Progress::Paused(rest) => application = rest,
            Progress::Done(applied) => return Ok(applied),
        }
    }
}

/// A PATCH that is being applied.
struct Patch<'a, 'r> {
    cx: Context<'a>,
    journal: Journal,
    resource: &'r mut Object,
    /// The extensions that got their first data by the current operation.
    begun: Vec<ExtensionId>,
}

impl<'a> Patch<'a, '_> {
    /// Applies an operation as one [part](Context::begin_part) of the message.
    fn operation(&mut self, operation: &Operation) -> Result<(), PatchErrorKind> {
        let part = self.cx.begin_part();
        self.apply(operation)?;
        self.cx.end_part(&part);
        Ok(())
    }

    fn apply(&mut self, operation: &Operation) -> Result<(), PatchErrorKind> {
        let value = operation.value().cloned();
        let Some(path) = operation.path() else {
            return match operation.op() {
                Op::Remove => Err(PatchErrorKind::NoPath),
                _ if self.cx.compat.is_profile() => Err(PatchErrorKind::PathlessRefused),
                op => {
                    let object = self.attributes_of(value.ok_or(PatchErrorKind::NoValue)?)?;
                    self.pathless(op, object)
                }
            };
        };
        let target = match resolve(path, &mut self.cx) {
            Ok(target) => target,
            Err(kind) => return self.skip(path, kind),
        };
        if let Target::Attribute { filter: Some(_), sub: None, .. } = target
            && self.cx.compat.is_profile()
        {
            return Err(PatchErrorKind::FilterWithoutSubAttribute);
        }
        let understood_before = self.cx.notes.understood;
        let done = match operation.op() {
            Op::Remove => self.remove(target, value),
            op => {
                let value = value.ok_or(PatchErrorKind::NoValue)?;
                self.record_nesting(nested_in(path, self.cx.type_), |patch| patch.assign(op, target, value))
            }
        };
        match done {
            // The filter is resolved before the first change, so there is nothing to undo.
            Err(kind) if target.has_filter() => {
                // The value of a skipped operation does not count, even if it was understood.
                self.cx.notes.understood = understood_before;
                self.skip(path, kind)
            }
            done => done,
        }
    }

    /// Skips an operation whose path holds an unknown name, if
    /// [`UnknownPath`](Quirk::UnknownPath) is tolerated: the other operations may deactivate an account.
    fn skip(&mut self, path: &PatchPath, kind: PatchErrorKind) -> Result<(), PatchErrorKind> {
        if !kind.is_unknown_name() || !self.cx.allows(Quirk::UnknownPath) {
            return Err(kind);
        }
        self.cx.ignore_unknown(&path.to_string(), IgnoredReason::UnknownAttribute, kind);
        Ok(())
    }

    fn assign(&mut self, op: Op, target: Target<'_>, value: Value) -> Result<(), PatchErrorKind> {
        match target {
            Target::Extension(extension) => self.assign_extension(op, extension, value),
            Target::SubValues { top, sub, filter } => {
                self.check_writable(top, Some(sub))?;
                self.spend_on(top, Some(filter), Some(&value))?;
                self.guarded(top, |patch| patch.assign_sub_values(op, top, sub, filter, value))
            }
            Target::Attribute { top, filter, sub } => {
                self.check_writable(top, sub)?;
                std::iter::once(top).chain(sub).for_each(|id| self.cx.given(id));
                let named = self.cx.type_.attribute(sub.unwrap_or(top));
                let given = if filter.is_some() && named.multi_valued() && sub.is_none() {
                    Scope::Element
                } else {
                    Scope::Whole
                };
                let value = values::unwrap_named(named, value, given, &mut self.cx)?;
                if self.is_schemas(top) {
                    return self.assign_schemas(op, value);
                }
                self.spend_on(top, filter, Some(&value))?;
                self.guarded(top, |patch| match (filter, sub) {
                    (None, None) => patch.assign_attribute(op, top, value),
                    (None, Some(sub)) => patch.assign_sub(op, top, sub, value),
                    (Some(filter), sub) => patch.assign_matching(op, top, filter, sub, value),
                })
            }
        }
    }

    /// Runs a step on one top-level attribute. Afterwards an immutable attribute is unchanged, or the
    /// step is refused, and `schemas` names the attribute's extension if it has data (S-3.5.2-11, A-69).
    fn guarded(
        &mut self,
        top: AttributeId,
        step: impl FnOnce(&mut Self) -> Result<(), PatchErrorKind>,
    ) -> Result<(), PatchErrorKind> {
        let type_ = self.cx.type_;
        let def = type_.attribute(top);
        let fixed = (def.mutability() == Mutability::Immutable)
            .then(|| type_.get(self.resource, top).filter(|value| !value.is_unassigned()).cloned())
            .flatten();
        let extension = match def.owner() {
            Owner::Extension(extension) => Some((extension, self.has_extension(extension))),
            Owner::Common | Owner::Core => None,
        };
        step(self)?;
        if let Some(fixed) = fixed {
            assign::check_untouched(def, &self.cx)?;
            assign::restore(container(self.resource, type_, def.owner()), def, fixed, type_)?;
        }
        if def.is_never_returned() {
            self.journal.force(top);
        }
        if let Some((extension, had)) = extension {
            self.settle_extension(extension, had);
        }
        Ok(())
    }

    /// S-3.5.2-08: an explicit path to a readOnly attribute is refused.
    fn check_writable(&self, top: AttributeId, sub: Option<AttributeId>) -> Result<(), PatchErrorKind> {
        for id in std::iter::once(top).chain(sub) {
            let def = self.cx.type_.attribute(id);
            if def.mutability() == Mutability::ReadOnly {
                return Err(PatchErrorKind::ReadOnly(def.path().into()));
            }
        }
        Ok(())
    }

    fn attributes_of(&mut self, value: Value) -> Result<Object, PatchErrorKind> {
        match value {
            Value::Object(object) => Ok(object),
            Value::Array(mut values) if values.len() == 1 && self.cx.compat.allows(Quirk::SingleAsArray) => {
                let Some(Value::Object(object)) = values.pop() else {
                    return Err(PatchErrorKind::NotAnObject);
                };
                self.cx.tolerate(Quirk::SingleAsArray);
                Ok(object)
            }
            Value::String(text) if self.cx.compat.allows(Quirk::JsonText) => {
                let object =
                    JsonReader::new().object(text.as_bytes()).map_err(|_| PatchErrorKind::NotAnObject)?;
                self.cx.tolerate(Quirk::JsonText);
                Ok(object)
            }
            _ => Err(PatchErrorKind::NotAnObject),
        }
    }

    /// Spends the bytes that an operation reads before it finds anything: the present values of its attribute, which are
    /// compared with the given ones, the given values, and the text of the filter. The filter itself spends the bytes
    /// of the values that it tests.
    fn spend_on(
        &self,
        top: AttributeId,
        filter: Option<&Filter>,
        given: Option<&Value>,
    ) -> Result<(), PatchErrorKind> {
        let def = self.cx.type_.attribute(top);
        let present = self.cx.type_.get(self.resource, top);
        let present = match present {
            // A membership is identified by its id alone, so the other bytes of a membership are not read.
            Some(values) if is_membership(def, self.cx.type_) => values.values().len() as u64 * VISIT,
            present => present.map_or(0, values::cost),
        };
        let compared = given.map_or(0, |given| given.values().len().min(elements::MAX_LINEAR_SEARCH)) as u64;
        let given = given.map_or(0, values::cost);
        let filter = filter.map_or(0, matcher::cost);
        self.cx.spend(
            present.saturating_mul(compared.saturating_add(1)).saturating_add(given).saturating_add(filter),
        )
    }

    /// Saves a top-level attribute in the journal before it changes.
    fn save(&mut self, top: AttributeId) {
        let slot = Slot::of(top, self.cx.type_);
        self.journal.save(slot, self.resource, self.cx.type_);
    }

    /// Runs a step that may create the inner extension, and then records that it is nested in the outer one.
    fn record_nesting(
        &mut self,
        nested: Option<(ExtensionId, ExtensionId)>,
        step: impl FnOnce(&mut Self) -> Result<(), PatchErrorKind>,
    ) -> Result<(), PatchErrorKind> {
        let Some((outer, inner)) = nested else { return step(self) };
        let had = self.has_extension(inner);
        step(self)?;
        if !had && self.has_extension(inner) {
            self.cx.type_.put_within(self.resource, inner, outer);
        }
        Ok(())
    }

    fn has_extension(&self, id: ExtensionId) -> bool {
        self.cx
            .type_
            .owner_object(self.resource, Owner::Extension(id))
            .is_some_and(|object| !object.is_empty())
    }
}

/// The outer and the inner extension, if a path names both.
fn nested_in(path: &PatchPath, type_: &CompiledType) -> Option<(ExtensionId, ExtensionId)> {
    if type_.can_nest() { type_.split_nested(&path.to_string()) } else { None }
}

/// The object that holds the attributes of an owner. For an extension it is created if it does not exist.
fn container<'r>(resource: &'r mut Object, type_: &CompiledType, owner: Owner) -> &'r mut Object {
    match owner {
        Owner::Common | Owner::Core => resource,
        Owner::Extension(id) => resource.object_entry(type_.extension(id).uri().as_str()),
    }
}

/// Says whether the values of an attribute are memberships, which are identified by `value` alone.
fn is_membership(def: &AttributeDef, type_: &CompiledType) -> bool {
    type_.members() == Some(def.id())
}
