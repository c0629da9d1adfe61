//! What clients do not see of a resource stays when they replace it, unless they mention it (A-23,
//! S-3.5.1-04): hidden attributes, and those returned only on request, so that a PUT of what a GET
//! answered changes nothing.

use std::collections::{HashMap, VecDeque};

use crate::compiled::{AttributeDef, AttributeId, CompiledType, Owner};
use crate::value::{Object, Value};

impl CompiledType {
    /// Where a top-level attribute stands in a body.
    pub(super) fn get_mut<'o>(&self, object: &'o mut Object, def: &AttributeDef) -> Option<&'o mut Value> {
        let place = match def.owner() {
            Owner::Common | Owner::Core => object,
            Owner::Extension(id) => object.get_mut(self.extension(id).uri().as_str())?.as_object_mut()?,
        };
        place.get_mut(def.name())
    }
}

/// Carries over what the client did not see of one top-level attribute. An unseen part of a value
/// stays while the value does: the one value of a singular attribute, and of a list the element
/// that is the same.
pub(super) fn keep(
    type_: &CompiledType,
    object: &mut Object,
    current: &Object,
    def: &AttributeDef,
    mentioned: bool,
) {
    let old = type_.get(current, def.id()).filter(|old| !old.is_unassigned());
    match (type_.get_mut(object, def), old) {
        (None, Some(old)) => {
            let seen = || old.values().any(|value| says_more(type_, def, value));
            if !mentioned && (def.is_unseen() || !seen()) {
                type_.put(object, def.id(), old.clone());
            }
        }
        // What is hidden as a whole is given as a whole.
        (Some(_), _) if def.is_hidden() => {}
        (Some(Value::Object(new)), Some(Value::Object(old))) => complete(type_, def.id(), new, old),
        (Some(Value::Array(new)), Some(Value::Array(old))) if def.is_complex() => {
            let mut unmatched = Elements::of(type_, def.id(), old);
            for new in new.iter_mut().filter_map(Value::as_object_mut) {
                if let Some(old) = unmatched.take(new) {
                    complete(type_, def.id(), new, old);
                }
            }
        }
        _ => {}
    }
    unmark(type_, object, def);
}

/// Takes the marks of what the client unassigned away, and values of which nothing is left.
fn unmark(type_: &CompiledType, object: &mut Object, def: &AttributeDef) {
    let unmark = |value: &mut Value| match value {
        Value::Object(value) => {
            value.retain(|_, value| *value != Value::Null);
            !value.is_empty()
        }
        _ => true,
    };
    let left = match type_.get_mut(object, def) {
        Some(Value::Array(values)) => {
            values.retain_mut(unmark);
            !values.is_empty()
        }
        Some(value) => unmark(value),
        None => return,
    };
    if !left {
        match def.owner() {
            Owner::Common | Owner::Core => object.remove(def.name()),
            Owner::Extension(id) => {
                let extension = object.get_mut(type_.extension(id).uri().as_str());
                extension.and_then(Value::as_object_mut).and_then(|object| object.remove(def.name()))
            }
        };
    }
}

/// Says whether a client saw anything of a value.
fn says_more(type_: &CompiledType, def: &AttributeDef, value: &Value) -> bool {
    match value {
        Value::Object(value) => value.iter().any(|(name, _)| !is_unseen(type_, def.id(), name)),
        _ => true,
    }
}

fn is_unseen(type_: &CompiledType, parent: AttributeId, name: &str) -> bool {
    type_.find_sub(parent, name).is_some_and(|sub| type_.attribute(sub).is_unseen())
}

/// Gives a complex value the unseen sub-attributes of the present one that it does not mention.
fn complete(type_: &CompiledType, id: AttributeId, new: &mut Object, old: &Object) {
    for sub in type_.sub_attributes(id).iter().filter(|sub| sub.is_unseen()) {
        if let Some(value) = old.get(sub.name()).filter(|_| !new.contains(sub.name())) {
            new.insert(sub.name(), value.clone());
        }
    }
}

/// The present elements of a list, each to be found once: by all that is seen of it, or else by
/// what [tells it apart](super::ElementIdentity).
struct Elements<'a> {
    type_: &'a CompiledType,
    id: AttributeId,
    elements: Vec<Option<&'a Object>>,
    /// The places of elements by what is seen of them.
    seen: HashMap<String, VecDeque<usize>>,
    /// The places of elements by `value` and `type`.
    keys: HashMap<String, VecDeque<usize>>,
}

impl<'a> Elements<'a> {
    fn of(type_: &'a CompiledType, id: AttributeId, list: &'a [Value]) -> Self {
        let elements: Vec<Option<&Object>> = list.iter().map(Value::as_object).collect();
        let mut found = Self { type_, id, elements, seen: HashMap::new(), keys: HashMap::new() };
        for (at, element) in found.elements.iter().enumerate() {
            let Some(element) = element else { continue };
            found.seen.entry(seen(type_, id, element)).or_default().push_back(at);
            if let Some(key) = key(type_, id, element) {
                found.keys.entry(key).or_default().push_back(at);
            }
        }
        found
    }

    /// The element that a new one stands for, which no other then does.
    fn take(&mut self, new: &Object) -> Option<&'a Object> {
        let (seen, key) = (seen(self.type_, self.id, new), key(self.type_, self.id, new));
        let by_key = key.and_then(|key| self.keys.get_mut(&key));
        for places in self.seen.get_mut(&seen).into_iter().chain(by_key) {
            while let Some(at) = places.pop_front() {
                if let Some(element) = self.elements.get_mut(at).and_then(Option::take) {
                    return Some(element);
                }
            }
        }
        None
    }
}

/// All that is seen of an element, in whatever order a client sends it back.
fn seen(type_: &CompiledType, id: AttributeId, element: &Object) -> String {
    let mut parts: Vec<(String, String)> = element
        .iter()
        .filter(|(name, _)| !is_unseen(type_, id, name))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_string()))
        .collect();
    parts.sort_unstable();
    format!("{parts:?}")
}

/// `value` and `type` of an element, if it has a `value` that is seen.
fn key(type_: &CompiledType, id: AttributeId, element: &Object) -> Option<String> {
    let part = |name: &str| {
        let sub = type_.attribute(type_.find_sub(id, name)?);
        match element.get(sub.name()).filter(|_| !sub.is_unseen())? {
            Value::String(text) => Some(sub.string_rule().key(text).into_owned()),
            other => Some(other.to_string()),
        }
    };
    Some(format!("{:?}", (part("value")?, part("type"))))
}
