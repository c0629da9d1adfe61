//! Attributes that no response ever holds, kept apart from the body so that none can leak.

use crate::compiled::{AttributeId, CompiledType, Owner};
use crate::value::{Object, Value};

impl CompiledType {
    /// Takes the hidden attributes (writeOnly, or returned `never`) out of a resource.
    ///
    /// What is taken keeps its place: a hidden sub-attribute stands under its parent, and for a
    /// multi-valued parent in a list as long as the parent's, with empty objects for the values
    /// that hide nothing. A complex value or an extension of which nothing else is left goes from
    /// the resource: no response shows an empty object. [`put_hidden`](Self::put_hidden) puts all
    /// of it back.
    ///
    /// ```
    /// use scim2_core::{Object, Registry};
    ///
    /// let registry = Registry::standard();
    /// let user = registry.resource_type("User").expect("built in");
    /// let mut ada: Object = serde_json::from_str(r#"{"userName":"ada","password":"t1meMa$heen"}"#)?;
    /// let hidden = user.take_hidden(&mut ada);
    /// assert_eq!(ada.to_string(), r#"{"userName":"ada"}"#);
    /// assert!(hidden.contains("password"));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn take_hidden(&self, object: &mut Object) -> Object {
        let mut hidden = Object::new();
        for id in self.hidden_attributes() {
            let def = self.attribute(*id);
            let extension = match def.owner() {
                Owner::Common | Owner::Core => None,
                Owner::Extension(id) => Some(self.extension(id).uri().as_str()),
            };
            let place = match extension {
                None => Some(&mut *object),
                Some(uri) => object.get_mut(uri).and_then(Value::as_object_mut),
            };
            let Some(place) = place else { continue };
            let taken = match def.parent() {
                None => place.remove(def.name()).map(|value| (def.name(), value)),
                Some(parent) => {
                    let parent = self.attribute(parent).name();
                    let kept = extension.map_or(Some(&hidden), |uri| hidden.get(uri)?.as_object());
                    let before = kept.and_then(|kept| kept.get(parent)).cloned();
                    place
                        .get_mut(parent)
                        .and_then(|value| take_sub(value, def.name(), before))
                        .map(|value| (parent, value))
                }
            };
            if let Some((name, value)) = taken {
                let kept = match extension {
                    None => &mut hidden,
                    Some(uri) => hidden.object_entry(uri),
                };
                kept.insert(name, value);
            }
        }
        for (name, hidden) in hidden.iter() {
            match (self.find_extension(name), object.get_mut(name), hidden) {
                (Some(_), Some(Value::Object(extension)), Value::Object(hidden)) => {
                    hidden.iter().for_each(|(name, _)| drop_emptied(extension, name));
                    drop_emptied(object, name);
                }
                _ => drop_emptied(object, name),
            }
        }
        hidden
    }

    /// Puts hidden attributes back where [`take_hidden`](Self::take_hidden) took them from, so that
    /// a change sees the whole resource and what it does not touch stays.
    ///
    /// ```
    /// use scim2_core::{Object, Registry};
    ///
    /// let registry = Registry::standard();
    /// let user = registry.resource_type("User").expect("built in");
    /// let mut ada: Object = serde_json::from_str(r#"{"userName":"ada","password":"t1meMa$heen"}"#)?;
    /// let whole = ada.clone();
    /// let hidden = user.take_hidden(&mut ada);
    /// user.put_hidden(&mut ada, &hidden);
    /// assert_eq!(ada, whole);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn put_hidden(&self, object: &mut Object, hidden: &Object) {
        for (name, hidden) in hidden.iter() {
            match (self.find_extension(name), hidden) {
                (Some(_), Value::Object(hidden)) => {
                    let extension = object.object_entry(name);
                    hidden.iter().for_each(|(name, hidden)| put_back(extension, name, hidden));
                }
                _ => put_back(object, name, hidden),
            }
        }
    }

    /// Completes the hidden attributes of a replace with the present ones: what the new resource
    /// does not mention stays, `cleared` goes (see [`Canonical::cleared`](super::Canonical)).
    ///
    /// Hidden sub-attributes go with the value they are part of: a replace keeps them if it is given
    /// [the whole present resource](Self::put_hidden).
    pub fn keep_hidden(&self, hidden: &mut Object, current: &Object, cleared: &[AttributeId]) {
        for id in self.hidden_attributes() {
            let def = self.attribute(*id);
            if def.parent().is_some() || cleared.contains(id) || self.get(hidden, *id).is_some() {
                continue;
            }
            if let Some(value) = self.get(current, *id) {
                self.put(hidden, *id, value.clone());
            }
        }
    }
}

/// Puts the hidden part of an attribute back: the values of a list by their places.
fn put_back(place: &mut Object, name: &str, hidden: &Value) {
    let complete = |value: &mut Object, hidden: &Object| {
        for (name, hidden) in hidden.iter() {
            value.insert(name, hidden.clone());
        }
    };
    match (place.get_mut(name), hidden) {
        (Some(Value::Object(value)), Value::Object(hidden)) => complete(value, hidden),
        (Some(Value::Array(values)), Value::Array(hidden)) => {
            for (value, hidden) in values.iter_mut().zip(hidden) {
                if let (Value::Object(value), Value::Object(hidden)) = (value, hidden) {
                    complete(value, hidden);
                }
            }
        }
        (Some(_), _) => {}
        (None, hidden) => {
            place.insert(name, hidden.clone());
        }
    }
}

/// Takes away a value of which only empty objects are left.
fn drop_emptied(place: &mut Object, name: &str) {
    let emptied = |value: &Value| value.as_object().is_some_and(Object::is_empty);
    if place.get(name).is_some_and(|value| value.values().all(emptied)) {
        place.remove(name);
    }
}

/// Takes a sub-attribute out of each value of its parent and adds it to what was taken `before`.
fn take_sub(value: &mut Value, name: &str, before: Option<Value>) -> Option<Value> {
    match value {
        Value::Object(object) => {
            let taken = object.remove(name)?;
            let mut hidden = match before {
                Some(Value::Object(hidden)) => hidden,
                _ => Object::new(),
            };
            hidden.insert(name, taken);
            Some(Value::Object(hidden))
        }
        Value::Array(values) => {
            let mut hidden = match before {
                Some(Value::Array(hidden)) => hidden,
                _ => vec![Value::Object(Object::new()); values.len()],
            };
            let mut any = false;
            for (value, hidden) in values.iter_mut().zip(&mut hidden) {
                let taken = value.as_object_mut().and_then(|object| object.remove(name));
                if let (Some(taken), Some(hidden)) = (taken, hidden.as_object_mut()) {
                    hidden.insert(name, taken);
                    any = true;
                }
            }
            any.then_some(Value::Array(hidden))
        }
        _ => None,
    }
}
