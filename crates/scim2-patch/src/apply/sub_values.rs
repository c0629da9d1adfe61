//! Values of a multi-valued sub-attribute that a filter chooses: `grants.scopes[value eq "read"]`.
//!
//! The schema allows no complex attribute within a complex one, so these values are simple.

use scim2_core::schema::Mutability;
use scim2_core::{AttributeDef, AttributeId, Object, Quirk, Value};
use scim2_filter::{ElementFilter, Filter};

use super::matching::{retain_others, with_elements};
use super::{Patch, assign, container};
use crate::elements;
use crate::error::PatchErrorKind;
use crate::listed;
use crate::matcher;
use crate::patch_op::Op;
use crate::values;

impl Patch<'_, '_> {
    pub(super) fn assign_sub_values(
        &mut self,
        op: Op,
        top: AttributeId,
        sub: AttributeId,
        filter: &Filter,
        value: Value,
    ) -> Result<(), PatchErrorKind> {
        let def = self.cx.type_.attribute(sub);
        let filter = matcher::compile(filter, def, &mut self.cx)?;
        let matches = self.count_matches(top, def, &filter)?;
        let value = values::unwrap_single(def, value, &mut self.cx)?;
        if matches == 0 {
            // As at a path to an attribute, `add` creates the value that the filter describes, and
            // `replace` does so where that is tolerated.
            let makes = op == Op::Add || self.cx.allows(Quirk::ValuepathCreate);
            if !makes || matcher::template(&filter, def, &self.cx).is_none() {
                return Err(PatchErrorKind::NoTarget);
            }
            // In a list of one the value is an element, so its text is not read as a JSON list.
            let value = if value.is_unassigned() { value } else { Value::Array(vec![value]) };
            return self.assign_sub(Op::Add, top, sub, value);
        }
        self.cx.spend(values::cost_of_copies(matches, &value))?;
        match self.cx.canonical_replacement(sub, value)? {
            Some(new) => self.change_sub_values(top, def, &filter, |values, chosen| {
                for at in chosen {
                    if let Some(value) = values.get_mut(*at) {
                        value.clone_from(&new);
                    }
                }
            }),
            None if op == Op::Add => Ok(()),
            None => self.remove_sub_values_chosen(top, def, &filter, None),
        }
    }

    pub(super) fn remove_sub_values(
        &mut self,
        top: AttributeId,
        sub: AttributeId,
        filter: &Filter,
        listed: Option<&[Value]>,
    ) -> Result<(), PatchErrorKind> {
        let def = self.cx.type_.attribute(sub);
        let filter = matcher::compile(filter, def, &mut self.cx)?;
        if self.count_matches(top, def, &filter)? == 0 {
            let gone = self.cx.allows(Quirk::IdempotentRemove);
            return if gone { Ok(()) } else { Err(PatchErrorKind::NoTarget) };
        }
        self.remove_sub_values_chosen(top, def, &filter, listed)
    }

    fn remove_sub_values_chosen(
        &mut self,
        top: AttributeId,
        def: &AttributeDef,
        filter: &ElementFilter,
        listed: Option<&[Value]>,
    ) -> Result<(), PatchErrorKind> {
        let type_ = self.cx.type_;
        self.change_sub_values(top, def, filter, |values, chosen| {
            retain_others(values, chosen, |value| listed::holds(listed, def, value, type_));
        })
    }

    fn count_matches(
        &self,
        top: AttributeId,
        def: &AttributeDef,
        filter: &ElementFilter,
    ) -> Result<usize, PatchErrorKind> {
        let parents = self.cx.type_.get(self.resource, top).into_iter().flat_map(Value::values);
        let lists = parents.filter_map(|parent| parent.as_object()?.get(def.name()));
        lists.map(|list| Ok(matcher::matches(filter, Some(list), &self.cx)?.len())).sum()
    }

    /// Changes the chosen values of the sub-attribute in each value of the top-level attribute.
    fn change_sub_values(
        &mut self,
        top: AttributeId,
        def: &AttributeDef,
        filter: &ElementFilter,
        change: impl Fn(&mut Vec<Value>, &[usize]),
    ) -> Result<(), PatchErrorKind> {
        self.save(top);
        let type_ = self.cx.type_;
        let parent = type_.attribute(top);
        let object = container(self.resource, type_, parent.owner());
        with_elements(object, parent, |present| {
            for element in present.iter_mut().filter_map(Value::as_object_mut) {
                let chosen = matcher::matches(filter, element.get(def.name()), &self.cx)?;
                if chosen.is_empty() {
                    continue;
                }
                let fixed = element.get(def.name()).filter(|_| def.mutability() == Mutability::Immutable);
                let fixed = fixed.cloned();
                if let Some(Value::Array(values)) = element.get_mut(def.name()) {
                    change(values, &chosen);
                    elements::tidy(def, values, type_);
                }
                match fixed {
                    Some(fixed) => assign::restore(element, def, fixed, type_)?,
                    None => assign::tidy(element, def, &self.cx)?,
                }
                elements::check_left(parent, element, type_)?;
            }
            if parent.multi_valued() {
                elements::tidy(parent, present, type_);
            } else {
                present.retain(|value| !value.as_object().is_some_and(Object::is_empty));
            }
            Ok(())
        })?;
        assign::tidy(object, parent, &self.cx)
    }
}
