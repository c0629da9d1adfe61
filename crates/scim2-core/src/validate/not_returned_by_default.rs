//! A replace keeps the parts of a resource that default answers do not show, unless the client mentions them
//! (A-23, S-3.5.1-04): never-returned attributes, and those returned on request. So a PUT of a GET answer
//! changes nothing.
//!
//! # How elements are matched
//! A part of an element that is not shown stays as long as the element does. So the elements of the new list
//! are matched with the current ones by the parts that are shown. Each current element is matched at most once,
//! and a closer match comes first, whatever the order of the lists:
//!
//! 1. all shown parts of both are equal;
//! 2. `value` and `type` are the same, compared as their attributes are;
//! 3. `value` is the same;
//! 4. neither has a shown `value`, and both have the same index in lists of the same length.
//!
//! An element that is not shown at all stays as long as the list does, if the client saw other elements: it
//! could not mention this one.
//!
//! An element with another `value` is another element and inherits nothing: the secret of one key must not
//! become the secret of the next.

use std::collections::{HashMap, VecDeque};

use super::Report;
use super::ValidationError;
use super::value::Canonicalizer;
use crate::compat::Compat;
use crate::compiled::{AttributeDef, AttributeId, CompiledType, Owner};
use crate::value::{Object, Value};

impl CompiledType {
    /// Canonicalizes one element as [`canonical_element`](Self::canonical_element) does, for a list or value
    /// that replaces a current one. A sub-attribute that is not returned by default and that the client
    /// unassigns becomes `null`, until [`keep_not_returned_by_default`](Self::keep_not_returned_by_default) has
    /// processed it.
    ///
    /// # Errors
    /// As [`canonical_value`](Self::canonical_value).
    ///
    /// # Panics
    /// If the number is another type's.
    pub fn canonical_replacement(
        &self,
        id: AttributeId,
        value: Value,
        compat: &Compat,
        report: &mut Report,
    ) -> Result<Option<Value>, ValidationError> {
        Canonicalizer { type_: self, compat, report, marks: true }.single(self.attribute(id), value)
    }

    /// Completes the elements of a list that replaces another: each gets the sub-attributes of its matching
    /// current element that are not returned by default and that it does not mention. Elements of which nothing
    /// is left are removed.
    ///
    /// An element matches a current one if all shown parts are equal, or else `value` and `type`, or else
    /// `value`. An element without a `value` matches the one at its index in a list of the same length.
    ///
    /// ```
    /// use scim2_core::schema::{ResourceType, Schema};
    /// use scim2_core::{CompiledType, Value};
    ///
    /// let schema: Schema = serde_json::from_str(
    ///     r#"{"id":"urn:example:Safe","attributes":[{"name":"keys","type":"complex","multiValued":true,
    ///         "subAttributes":[{"name":"value"},{"name":"type"},{"name":"pin","returned":"never"}]}]}"#,
    /// )?;
    /// let type_: ResourceType =
    ///     serde_json::from_str(r#"{"name":"Safe","endpoint":"/Safes","schema":"urn:example:Safe"}"#)?;
    /// let safe = CompiledType::compile(type_, |_| Some(&schema))?;
    /// let keys = safe.find(None, "keys", None).expect("an attribute");
    ///
    /// let present: Vec<Value> = serde_json::from_str(r#"[{"value":"a","type":"x","pin":"1"}]"#)?;
    /// let mut next: Vec<Value> = serde_json::from_str(r#"[{"value":"b"},{"value":"a","type":"y"}]"#)?;
    /// safe.keep_not_returned_by_default(keys, &mut next, &present);
    /// assert_eq!(Value::Array(next).to_string(), r#"[{"value":"b"},{"value":"a","type":"y","pin":"1"}]"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// If the number is another type's.
    pub fn keep_not_returned_by_default(&self, id: AttributeId, values: &mut Vec<Value>, present: &[Value]) {
        if values.is_empty() || !self.sub_attributes(id).iter().any(AttributeDef::is_not_returned_by_default)
        {
            return;
        }
        complete_list(self, id, values, present);
        values.retain_mut(unmark);
    }

    /// Completes the elements of a list that equal current ones in all shown parts, so that adding what a GET
    /// answered adds nothing.
    ///
    /// # Panics
    /// If the number is another type's.
    pub fn recognise(&self, id: AttributeId, values: &mut [Value], present: &[Value]) {
        if self.sub_attributes(id).iter().any(AttributeDef::is_not_returned_by_default) {
            complete_all(self, id, &[seen], values, present);
        }
    }

    /// Says whether default answers show anything of an attribute's value, which may be a list.
    ///
    /// # Panics
    /// If the number is another type's.
    #[must_use]
    pub fn is_seen(&self, id: AttributeId, value: &Value) -> bool {
        let def = self.attribute(id);
        !def.is_not_returned_by_default() && value.values().any(|value| says_more(self, def, value))
    }

    /// The position of a top-level attribute in a body.
    pub(super) fn get_mut<'o>(&self, object: &'o mut Object, def: &AttributeDef) -> Option<&'o mut Value> {
        let place = match def.owner() {
            Owner::Common | Owner::Core => object,
            Owner::Extension(id) => object.get_mut(self.extension(id).uri().as_str())?.as_object_mut()?,
        };
        place.get_mut(def.name())
    }
}

/// Carries over the parts of one top-level attribute that the client could not see. Such a part of a value
/// stays as long as the value does: the one value of a singular attribute, or the matching element of a list.
pub(super) fn keep(
    type_: &CompiledType,
    object: &mut Object,
    current: &Object,
    def: &AttributeDef,
    mentioned: bool,
) {
    let old = type_.get(current, def.id()).filter(|old| !old.is_unassigned());
    match (type_.get_mut(object, def), old) {
        (None, Some(old)) if !mentioned && !type_.is_seen(def.id(), old) => {
            type_.put(object, def.id(), old.clone());
        }
        // An attribute that is never shown is given as a whole.
        (Some(_), _) if def.is_never_returned() => {}
        (Some(Value::Object(new)), Some(Value::Object(old))) => complete(type_, def.id(), new, old),
        (Some(Value::Array(new)), Some(Value::Array(old))) if def.is_complex() => {
            complete_list(type_, def.id(), new, old);
        }
        _ => {}
    }
    unmark_all(type_, object, def);
}

/// Removes the `null` marks of unassigned parts. Returns whether anything of the value is left.
fn unmark(value: &mut Value) -> bool {
    match value {
        Value::Object(value) => {
            value.retain(|_, value| *value != Value::Null);
            !value.is_empty()
        }
        _ => true,
    }
}

/// Removes the marks from an attribute, and the parts that are empty without them.
fn unmark_all(type_: &CompiledType, object: &mut Object, def: &AttributeDef) {
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
        Value::Object(value) => shows(type_, def.id(), value),
        _ => true,
    }
}

fn is_not_returned_by_default(type_: &CompiledType, parent: AttributeId, name: &str) -> bool {
    type_.find_sub(parent, name).is_some_and(|sub| type_.attribute(sub).is_not_returned_by_default())
}

/// Gives a complex value the sub-attributes of the current one that are not returned by default and that it
/// does not mention.
fn complete(type_: &CompiledType, id: AttributeId, new: &mut Object, old: &Object) {
    for sub in type_.sub_attributes(id).iter().filter(|sub| sub.is_not_returned_by_default()) {
        if let Some(value) = old.get(sub.name()).filter(|_| !new.contains(sub.name())) {
            new.insert(sub.name(), value.clone());
        }
    }
}

/// The key by which a new and a current element match; `None` if they cannot match in this way.
type MatchKey = fn(&CompiledType, AttributeId, &Object) -> Option<String>;

/// The ways to match, closest first, without the one for elements that have no `value`.
const MATCH_KEYS: [MatchKey; 3] = [seen, value_and_type, value];

/// Gives each element the parts of its matching current element that are not shown, and the list the elements
/// that are not shown at all: see [above](self).
fn complete_list(type_: &CompiledType, id: AttributeId, new: &mut Vec<Value>, old: &[Value]) {
    let unmatched = complete_all(type_, id, &MATCH_KEYS, new, old);
    if !old.iter().filter_map(Value::as_object).any(|old| shows(type_, id, old)) {
        return;
    }
    for (at, old) in unmatched.into_iter().enumerate() {
        if let Some(old) = old.filter(|old| !shows(type_, id, old)) {
            new.insert(at.min(new.len()), Value::Object(old.clone()));
        }
    }
}

/// Gives each element the sub-attributes of its matching current element that are not returned by default.
/// Returns the current elements without a match, at their indexes.
fn complete_all<'o>(
    type_: &CompiledType,
    id: AttributeId,
    match_keys: &[MatchKey],
    new: &mut [Value],
    old: &'o [Value],
) -> Vec<Option<&'o Object>> {
    // Answers may leave out elements of which nothing is shown.
    let shown = |old: &Value| old.as_object().is_some_and(|old| shows(type_, id, old));
    let mut places: Vec<usize> = (0..old.len()).collect();
    if new.len() != old.len() {
        places = old.iter().enumerate().filter(|(_, old)| shown(old)).map(|(at, _)| at).collect();
    }
    let by_place = match_keys.len() > 1 && new.len() == places.len();
    let mut unmatched: Vec<Option<&Object>> = old.iter().map(Value::as_object).collect();
    let mut wanting: Vec<(usize, &mut Object)> =
        new.iter_mut().enumerate().filter_map(|(at, new)| Some((at, new.as_object_mut()?))).collect();
    for match_key in match_keys {
        let mut places: HashMap<String, VecDeque<usize>> = HashMap::new();
        for (at, old) in unmatched.iter().enumerate() {
            if let Some(key) = old.and_then(|old| match_key(type_, id, old)) {
                places.entry(key).or_default().push_back(at);
            }
        }
        wanting.retain_mut(|(_, new)| {
            let at = match_key(type_, id, new).and_then(|key| places.get_mut(&key)?.pop_front());
            let old = at.and_then(|at| unmatched.get_mut(at)?.take());
            old.map(|old| complete(type_, id, new, old)).is_none()
        });
    }
    let nameless = |element: &Object| value(type_, id, element).is_none();
    for (at, new) in wanting.into_iter().filter(|(_, new)| by_place && nameless(new)) {
        let old = places.get(at).and_then(|at| unmatched.get_mut(*at));
        if let Some(old) = old.filter(|old| old.is_some_and(nameless)).and_then(Option::take) {
            complete(type_, id, new, old);
        }
    }
    unmatched
}

/// Says whether answers show anything of an element.
fn shows(type_: &CompiledType, id: AttributeId, element: &Object) -> bool {
    element.iter().any(|(name, _)| !is_not_returned_by_default(type_, id, name))
}

/// All shown parts of an element, in any order in which a client may send them back.
fn seen(type_: &CompiledType, id: AttributeId, element: &Object) -> Option<String> {
    let mut parts: Vec<(String, String)> = element
        .iter()
        .filter(|(name, _)| !is_not_returned_by_default(type_, id, name))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_string()))
        .collect();
    parts.sort_unstable();
    Some(format!("{parts:?}"))
}

/// `value` and `type` of an element, if it has a shown `value`.
fn value_and_type(type_: &CompiledType, id: AttributeId, element: &Object) -> Option<String> {
    Some(format!("{:?}", (value(type_, id, element)?, seen_part(type_, id, element, "type"))))
}

/// `value` of an element, if it is shown.
fn value(type_: &CompiledType, id: AttributeId, element: &Object) -> Option<String> {
    seen_part(type_, id, element, "value")
}

fn seen_part(type_: &CompiledType, id: AttributeId, element: &Object, name: &str) -> Option<String> {
    let sub = type_.attribute(type_.find_sub(id, name)?);
    match element.get(sub.name()).filter(|_| !sub.is_not_returned_by_default())? {
        Value::String(text) => Some(sub.string_rule().key(text).into_owned()),
        other => Some(other.to_string()),
    }
}
