//! References of complex attributes such as `manager`
//! ([RFC 7643 §4.3](https://www.rfc-editor.org/rfc/rfc7643#section-4.3)).

use scim2_core::{CompiledType, Object, Owner, Value};

/// Takes away each `$ref` that a PATCH left behind with the `value` it belonged to.
///
/// By the letter of [RFC 7644 §3.5.2.3](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2.3) a
/// new `value` leaves the other sub-attributes as they were, and the reference would go on leading
/// to the manager of before.
pub(super) fn drop_stale(type_: &CompiledType, old: &Object, new: &mut Object) {
    for def in type_.attributes() {
        if def.parent().is_some() || !def.is_complex() || def.multi_valued() {
            continue;
        }
        let (Some(value), Some(reference)) =
            (type_.find_sub(def.id(), VALUE), type_.find_sub(def.id(), REFERENCE))
        else {
            continue;
        };
        let Some(before) = type_.get(old, def.id()).and_then(Value::as_object) else { continue };
        let name = |id| type_.attribute(id).name();
        let stale = |now: &Object| {
            now.get(name(value)).is_some_and(|now| before.get(name(value)) != Some(now))
                && now.get(name(reference)) == before.get(name(reference))
        };
        let holder = match def.owner() {
            Owner::Extension(id) => {
                new.get_mut(type_.extension(id).uri().as_str()).and_then(Value::as_object_mut)
            }
            Owner::Common | Owner::Core => Some(&mut *new),
        };
        let now = holder.and_then(|holder| holder.get_mut(def.name())).and_then(Value::as_object_mut);
        if let Some(now) = now.filter(|now| stale(now)) {
            now.remove(name(reference));
        }
    }
}

const VALUE: &str = "value";
const REFERENCE: &str = "$ref";
