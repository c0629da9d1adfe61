//! Never-returned attributes are kept apart from the body, so that none can leak.

use crate::compiled::{AttributeId, CompiledType, Owner};
use crate::value::{Object, Value};

impl CompiledType {
    /// Takes the never-returned attributes (writeOnly, or returned `never`) out of a resource.
    ///
    /// The removed parts keep their place: a sub-attribute is under its parent. For a multi-valued parent that
    /// is a list as long as the parent's, with empty objects for values without never-returned parts. A complex
    /// value or an extension of which nothing else is left is removed from the resource, because no response
    /// shows an empty object. [`restore_never_returned`](Self::restore_never_returned) puts all parts back.
    ///
    /// ```
    /// use scim2_core::{Object, Registry};
    ///
    /// let registry = Registry::standard();
    /// let user = registry.resource_type("User").expect("built in");
    /// let mut ada: Object = serde_json::from_str(r#"{"userName":"ada","password":"t1meMa$heen"}"#)?;
    /// let never_returned = user.take_never_returned(&mut ada);
    /// assert_eq!(ada.to_string(), r#"{"userName":"ada"}"#);
    /// assert!(never_returned.contains("password"));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn take_never_returned(&self, object: &mut Object) -> Object {
        let mut never_returned = Object::new();
        for id in self.never_returned_attributes() {
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
                    let kept =
                        extension.map_or(Some(&never_returned), |uri| never_returned.get(uri)?.as_object());
                    let before = kept.and_then(|kept| kept.get(parent)).cloned();
                    place
                        .get_mut(parent)
                        .and_then(|value| take_sub(value, def.name(), before))
                        .map(|value| (parent, value))
                }
            };
            if let Some((name, value)) = taken {
                let kept = match extension {
                    None => &mut never_returned,
                    Some(uri) => never_returned.object_entry(uri),
                };
                kept.insert(name, value);
            }
        }
        for (name, never_returned) in never_returned.iter() {
            match (self.find_extension(name), object.get_mut(name), never_returned) {
                (Some(_), Some(Value::Object(extension)), Value::Object(never_returned)) => {
                    never_returned.iter().for_each(|(name, _)| drop_emptied(extension, name));
                    drop_emptied(object, name);
                }
                _ => drop_emptied(object, name),
            }
        }
        never_returned
    }

    /// Puts never-returned attributes back where [`take_never_returned`](Self::take_never_returned) took them
    /// from, so that a change sees the whole resource and keeps the parts it does not touch.
    ///
    /// ```
    /// use scim2_core::{Object, Registry};
    ///
    /// let registry = Registry::standard();
    /// let user = registry.resource_type("User").expect("built in");
    /// let mut ada: Object = serde_json::from_str(r#"{"userName":"ada","password":"t1meMa$heen"}"#)?;
    /// let whole = ada.clone();
    /// let never_returned = user.take_never_returned(&mut ada);
    /// user.restore_never_returned(&mut ada, &never_returned);
    /// assert_eq!(ada, whole);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn restore_never_returned(&self, object: &mut Object, never_returned: &Object) {
        for (name, never_returned) in never_returned.iter() {
            match (self.find_extension(name), never_returned) {
                (Some(_), Value::Object(never_returned)) => {
                    let extension = object.object_entry(name);
                    never_returned
                        .iter()
                        .for_each(|(name, never_returned)| put_back(extension, name, never_returned));
                }
                _ => put_back(object, name, never_returned),
            }
        }
    }

    /// Completes the never-returned attributes of a replace with the current ones: attributes that the new
    /// resource does not mention stay, those in `cleared` do not (see
    /// [`Canonical::cleared`](super::Canonical)).
    ///
    /// Never-returned sub-attributes belong to the value they are part of: a replace keeps them if it is given
    /// [the whole current resource](Self::restore_never_returned).
    pub fn keep_never_returned(
        &self,
        never_returned: &mut Object,
        current: &Object,
        cleared: &[AttributeId],
    ) {
        for id in self.never_returned_attributes() {
            let def = self.attribute(*id);
            if def.parent().is_some() || cleared.contains(id) || self.get(never_returned, *id).is_some() {
                continue;
            }
            if let Some(value) = self.get(current, *id) {
                self.put(never_returned, *id, value.clone());
            }
        }
    }
}

/// Puts the never-returned part of an attribute back; values of a list are matched by their index.
fn put_back(place: &mut Object, name: &str, never_returned: &Value) {
    let complete = |value: &mut Object, never_returned: &Object| {
        for (name, never_returned) in never_returned.iter() {
            value.insert(name, never_returned.clone());
        }
    };
    match (place.get_mut(name), never_returned) {
        (Some(Value::Object(value)), Value::Object(never_returned)) => complete(value, never_returned),
        (Some(Value::Array(values)), Value::Array(never_returned)) => {
            for (value, never_returned) in values.iter_mut().zip(never_returned) {
                if let (Value::Object(value), Value::Object(never_returned)) = (value, never_returned) {
                    complete(value, never_returned);
                }
            }
        }
        (Some(_), _) => {}
        (None, never_returned) => {
            place.insert(name, never_returned.clone());
        }
    }
}

/// Removes a value of which only empty objects are left.
fn drop_emptied(place: &mut Object, name: &str) {
    let emptied = |value: &Value| value.as_object().is_some_and(Object::is_empty);
    if place.get(name).is_some_and(|value| value.values().all(emptied)) {
        place.remove(name);
    }
}

/// Removes a sub-attribute from each value of its parent and adds it to the parts removed `before`.
fn take_sub(value: &mut Value, name: &str, before: Option<Value>) -> Option<Value> {
    match value {
        Value::Object(object) => {
            let taken = object.remove(name)?;
            let mut never_returned = match before {
                Some(Value::Object(never_returned)) => never_returned,
                _ => Object::new(),
            };
            never_returned.insert(name, taken);
            Some(Value::Object(never_returned))
        }
        Value::Array(values) => {
            let mut never_returned = match before {
                Some(Value::Array(never_returned)) => never_returned,
                _ => vec![Value::Object(Object::new()); values.len()],
            };
            let mut any = false;
            for (value, never_returned) in values.iter_mut().zip(&mut never_returned) {
                let taken = value.as_object_mut().and_then(|object| object.remove(name));
                if let (Some(taken), Some(never_returned)) = (taken, never_returned.as_object_mut()) {
                    never_returned.insert(name, taken);
                    any = true;
                }
            }
            any.then_some(Value::Array(never_returned))
        }
        _ => None,
    }
}
