//! `add` and `replace` at a path with a filter: `emails[type eq "work"]`, with or without a
//! sub-attribute after it.

use scim2_core::schema::Mutability;
use scim2_core::{AttributeDef, AttributeId, CompiledType, Object, Quirk, Value};
use scim2_filter::{ElementFilter, Filter};

use super::{Patch, assign, container, is_membership};
use crate::context::Context;
use crate::elements;
use crate::error::PatchErrorKind;
use crate::matcher;
use crate::patch_op::Op;
use crate::values;

impl Patch<'_, '_> {
    pub(super) fn assign_matching(
        &mut self,
        op: Op,
        top: AttributeId,
        filter: &Filter,
        sub: Option<AttributeId>,
        value: Value,
    ) -> Result<(), PatchErrorKind> {
        let type_ = self.cx.type_;
        let def = type_.attribute(top);
        let filter = matcher::compile(filter, def, &mut self.cx)?;
        let matches = matcher::matches(&filter, type_.get(self.resource, top), &self.cx)?;
        if matches.is_empty() {
            return self.create_matching(op, def, &filter, sub, value);
        }
        self.cx.spend(values::cost_of_copies(matches.len(), &value))?;
        self.save(top);
        let object = container(self.resource, type_, def.owner());
        let change = Change::of(op, def, sub.map(|sub| type_.attribute(sub)), value, &mut self.cx)?;
        if let (Change::Remove, false) = (&change, def.multi_valued()) {
            return assign::unassign(object, def, type_);
        }
        with_elements(object, def, |present| {
            if let Change::Remove = change {
                retain_others(present, &matches, |_| true);
                return Ok(());
            }
            for at in &matches {
                if let Some(element) = present.get_mut(*at) {
                    change.make(def, element, &mut self.cx)?;
                }
            }
            elements::settle(def, present, &matches, &mut self.cx)
        })?;
        assign::tidy(object, def, &self.cx)
    }

    /// Handles a filter that matches nothing. `add` creates the value that the filter describes. `replace` does so
    /// where that is tolerated (Q-VALUEPATH-CREATE, A-04). A singular attribute that has a value cannot get a second one.
    fn create_matching(
        &mut self,
        op: Op,
        def: &AttributeDef,
        filter: &ElementFilter,
        sub: Option<AttributeId>,
        value: Value,
    ) -> Result<(), PatchErrorKind> {
        let type_ = self.cx.type_;
        let full = !def.multi_valued()
            && type_.get(self.resource, def.id()).is_some_and(|value| !value.is_unassigned());
        if full || (op == Op::Replace && !self.cx.allows(Quirk::ValuepathCreate)) {
            return Err(PatchErrorKind::NoTarget);
        }
        if value.is_unassigned() {
            return Ok(());
        }
        let Some(mut made) = matcher::template(filter, def, &self.cx) else {
            return Err(PatchErrorKind::NoTarget);
        };
        matcher::check_lengths(&made, def, type_)?;
        match Change::of(Op::Add, def, sub.map(|sub| type_.attribute(sub)), value, &mut self.cx)? {
            Change::Remove => return Ok(()),
            // A conflict with an immutable sub-attribute of the new value means that the filter and the value disagree.
            change => change.make(def, &mut made, &mut self.cx).map_err(|error| match error {
                PatchErrorKind::Immutable(_) | PatchErrorKind::ImmutableRemoved(_) => {
                    PatchErrorKind::NoTarget
                }
                other => other,
            })?,
        }
        self.save(def.id());
        let list = vec![made];
        let object = container(self.resource, type_, def.owner());
        if !def.multi_valued() {
            elements::check_all(def, &list, self.cx.type_)?;
            object.insert(def.name(), list.into_iter().next().unwrap_or_default());
            return assign::tidy(object, def, &self.cx);
        }
        if !matches!(object.get(def.name()), Some(Value::Array(_))) {
            object.insert(def.name(), Value::Array(Vec::new()));
        }
        match object.get_mut(def.name()) {
            Some(Value::Array(present)) => elements::append(def, present, list, &mut self.cx),
            _ => Ok(()),
        }
    }
}

/// The change to each value that matches.
enum Change<'t> {
    /// Sets one sub-attribute.
    Set(Op, &'t AttributeDef, Value),
    /// Sets the sub-attributes that are given.
    Merge(Op, Object),
    /// Replaces the value (A-03: the literal reading).
    Replace(Value),
    /// Removes the value.
    Remove,
}

impl<'t> Change<'t> {
    fn of(
        op: Op,
        def: &AttributeDef,
        sub: Option<&'t AttributeDef>,
        value: Value,
        cx: &mut Context<'_>,
    ) -> Result<Self, PatchErrorKind> {
        if let Some(sub) = sub {
            return Ok(Self::Set(op, sub, value));
        }
        let value = values::unwrap_single(def, value, cx)?;
        match value {
            Value::Null if op == Op::Replace => Ok(Self::Remove),
            Value::Null => Ok(Self::Merge(op, Object::new())),
            // A string is the sub-attribute `value`. It is merged, so that the terms of the filter stay true.
            value if def.is_complex() && (op == Op::Add || matches!(value, Value::String(_))) => {
                let string = if def.multi_valued() { Quirk::MemberString } else { Quirk::ManagerString };
                Ok(values::object(def, value, string, cx)?
                    .map_or(Self::Remove, |given| Self::Merge(op, given)))
            }
            value => {
                let said = values::says_something(&value);
                let part = cx.begin_part();
                let value = cx.canonical_replacement(def.id(), value)?;
                match value.filter(|value| !value.as_object().is_some_and(Object::is_empty)) {
                    Some(value) => Ok(Self::Replace(value)),
                    None if said && cx.met_unknown_name(&part) => Ok(Self::Merge(Op::Add, Object::new())),
                    None if said => Err(values::nothing_writable(def)),
                    None => Ok(Self::Remove),
                }
            }
        }
    }

    fn make(
        &self,
        def: &AttributeDef,
        element: &mut Value,
        cx: &mut Context<'_>,
    ) -> Result<(), PatchErrorKind> {
        match (self, &mut *element) {
            (Self::Set(op, sub, value), Value::Object(element)) => {
                assign::set(element, sub, *op, value.clone(), cx)?;
            }
            (Self::Merge(op, given), Value::Object(element)) => {
                assign::merge(element, def, *op, given.clone(), cx)?;
            }
            (Self::Replace(value), _) => {
                if let (Value::Object(old), Value::Object(new)) = (&*element, value)
                    && stays(old, new, def, cx.type_)
                {
                    check_never_returned_immutables(old, new, def, cx.type_)?;
                }
                let mut new = vec![value.clone()];
                cx.type_.keep_not_returned_by_default(def.id(), &mut new, std::slice::from_ref(element));
                let mut new = new.pop().unwrap_or_else(|| Value::Object(Object::new()));
                if let (Value::Object(old), Value::Object(new)) = (&*element, &mut new)
                    && (!def.multi_valued() || stays(old, new, def, cx.type_))
                {
                    assign::restore_all(new, assign::immutables(old, def, cx.type_), cx.type_)?;
                }
                *element = new;
            }
            _ => {}
        }
        match element {
            Value::Object(element) => elements::check_left(def, element, cx.type_),
            _ => Ok(()),
        }
    }
}

/// Refuses a new value of an assigned immutable sub-attribute that is returned `never`.
fn check_never_returned_immutables(
    old: &Object,
    new: &Object,
    def: &AttributeDef,
    type_: &CompiledType,
) -> Result<(), PatchErrorKind> {
    let is_given = |sub: &&AttributeDef| {
        sub.is_never_returned()
            && sub.mutability() == Mutability::Immutable
            && old.get(sub.name()).is_some_and(|value| !value.is_unassigned())
            && new.get(sub.name()).is_some_and(|value| !value.is_unassigned())
    };
    match type_.sub_attributes(def.id()).iter().find(is_given) {
        Some(sub) => Err(PatchErrorKind::NeverReturnedImmutable(sub.path().into())),
        None => Ok(()),
    }
}

/// Says whether an element that replaces another one is the same element with changes, and not another one: then its
/// `value`, if it has one, is the same. For memberships the answer is always no, because their other sub-attributes are
/// computed.
fn stays(old: &Object, new: &Object, def: &AttributeDef, type_: &CompiledType) -> bool {
    let same = |old: &Value, new: &Value| match (type_.find_sub(def.id(), "value"), old, new) {
        (Some(sub), Value::String(old), Value::String(new)) => {
            type_.attribute(sub).string_rule().eq(old, new)
        }
        (_, old, new) => old == new,
    };
    let never_returned =
        type_.find_sub(def.id(), "value").is_some_and(|sub| type_.attribute(sub).is_never_returned());
    !is_membership(def, type_)
        && match (old.get("value"), new.get("value")) {
            (Some(old), Some(new)) if !never_returned => same(old, new),
            _ => true,
        }
}

/// Removes the values at these places, in ascending order, for which `goes` is true.
pub(super) fn retain_others(values: &mut Vec<Value>, places: &[usize], goes: impl Fn(&Value) -> bool) {
    let mut places = places.iter().peekable();
    let mut at = 0;
    values.retain(|value| {
        let chosen = places.next_if(|place| **place == at).is_some();
        at += 1;
        !(chosen && goes(value))
    });
}

/// Changes the values of an attribute as a list. A singular complex value is a list of one. The list may be empty
/// afterwards: call [`assign::tidy`].
pub(super) fn with_elements(
    object: &mut Object,
    def: &AttributeDef,
    change: impl FnOnce(&mut Vec<Value>) -> Result<(), PatchErrorKind>,
) -> Result<(), PatchErrorKind> {
    match object.get_mut(def.name()) {
        Some(Value::Array(present)) => change(present),
        Some(single @ Value::Object(_)) => {
            let mut list = vec![std::mem::take(single)];
            let changed = change(&mut list);
            *single = list.pop().unwrap_or_default();
            changed
        }
        _ => Ok(()),
    }
}
