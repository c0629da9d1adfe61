//! The values of a multi-valued attribute as a set: which are the same, which is primary.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use hashbrown::HashTable;
use scim2_core::{AttributeDef, CompiledType, Number, Object, Quirk, Value};

use crate::context::Context;
use crate::error::PatchErrorKind;
use crate::values::invalid;

/// Up to this many new values are searched for one by one; more of them are worth a hash table.
const LINEAR: usize = 8;

/// Appends the values that are not there yet (S-3.5.2.1-07). If one of them is primary, no other
/// stays so (S-3.5.2-13).
pub(crate) fn append(
    def: &AttributeDef,
    present: &mut Vec<Value>,
    list: Vec<Value>,
    cx: &mut Context<'_>,
) -> Result<(), PatchErrorKind> {
    let identity = Identity::of(def, cx.type_);
    let mut primary = Vec::new();
    let mut place = |present: &mut Vec<Value>, found: Option<usize>, value: Value| -> Option<usize> {
        if is_primary(&value) {
            primary.push(found.unwrap_or(present.len()));
        }
        match found {
            Some(at) => {
                // The same value, which may have become primary.
                if let (Some(Value::Object(there)), true) = (present.get_mut(at), is_primary(&value)) {
                    there.insert("primary", true);
                }
                None
            }
            None => {
                present.push(value);
                Some(present.len() - 1)
            }
        }
    };
    if list.len() <= LINEAR {
        for value in list {
            let found = present.iter().position(|there| identity.same(there, &value));
            place(present, found, value);
        }
    } else {
        let mut index = Index::new(identity, present);
        for value in list {
            let hash = index.hash(&value);
            let found = index.find(hash, present, &value);
            if let Some(at) = place(present, found, value) {
                index.insert(hash, at);
            }
        }
    }
    settle_primary(def, present, &primary, cx)
}

/// Takes away the values that `list` names. A membership is named by its `value`, another complex
/// value by any of its sub-attributes, which must all be equal.
pub(crate) fn remove_listed(
    def: &AttributeDef,
    present: &mut Vec<Value>,
    list: &[Value],
    type_: &CompiledType,
) {
    let identity = Identity::of(def, type_);
    if identity == Identity::Value || !def.is_complex() {
        let mut index = Index::new(identity, &[]);
        for (at, value) in list.iter().enumerate() {
            let hash = index.hash(value);
            index.insert(hash, at);
        }
        present.retain(|value| index.find(index.hash(value), list, value).is_none());
    } else {
        present.retain(|value| !list.iter().any(|named| names(def, named, value, type_)));
    }
}

fn names(def: &AttributeDef, named: &Value, value: &Value, type_: &CompiledType) -> bool {
    let (Value::Object(named), Value::Object(value)) = (named, value) else { return false };
    !named.is_empty()
        && named.iter().all(|(name, expected)| match (expected, value.get(name)) {
            (Value::String(expected), Some(Value::String(found))) => {
                type_.find_sub(def.id(), name).is_some_and(|sub| {
                    let rule = type_.attribute(sub).string_rule();
                    rule.key(expected) == rule.key(found)
                })
            }
            (expected, found) => found == Some(expected),
        })
}

/// Q-PRIMARY: of the values that an operation made primary one stays so, and no other value is.
/// `set` are the places that the operation wrote to.
pub(crate) fn settle_primary(
    def: &AttributeDef,
    values: &mut [Value],
    set: &[usize],
    cx: &mut Context<'_>,
) -> Result<(), PatchErrorKind> {
    let mut candidates = set.iter().copied().filter(|at| values.get(*at).is_some_and(is_primary));
    let Some(winner) = candidates.next() else { return Ok(()) };
    if candidates.any(|at| at != winner) && !cx.allows(Quirk::Primary) {
        return Err(invalid(def, "expected one primary value at most, found several".to_owned()));
    }
    for (at, value) in values.iter_mut().enumerate() {
        if at != winner
            && is_primary(value)
            && let Value::Object(value) = value
        {
            value.insert("primary", false);
        }
    }
    Ok(())
}

/// Says whether a complex value is the primary one.
pub(crate) fn is_primary(value: &Value) -> bool {
    value.as_object().and_then(|value| value.get("primary")).and_then(Value::as_bool) == Some(true)
}

/// Checks that complex values have what their schema requires, and memberships their `value`.
pub(crate) fn check_all(
    def: &AttributeDef,
    list: &[Value],
    cx: &mut Context<'_>,
) -> Result<(), PatchErrorKind> {
    let membership = Identity::of(def, cx.type_) == Identity::Value;
    for value in list {
        if let Value::Object(value) = value {
            if membership && value.get_str("value").is_none_or(str::is_empty) {
                return Err(invalid(def, "expected each value to have the sub-attribute `value`".to_owned()));
            }
            check_required(def, value, cx.type_)?;
        }
    }
    Ok(())
}

/// Checks that a complex value has what its schema requires.
pub(crate) fn check_required(
    def: &AttributeDef,
    value: &Object,
    type_: &CompiledType,
) -> Result<(), PatchErrorKind> {
    let missing = type_.sub_attributes(def.id()).iter().find(|sub| {
        sub.required()
            && sub.mutability() != scim2_core::schema::Mutability::ReadOnly
            && value.get(sub.name()).is_none_or(Value::is_unassigned)
    });
    match missing {
        Some(sub) => Err(invalid(def, format!("expected the sub-attribute `{}`", sub.name()))),
        None => Ok(()),
    }
}

/// Drops complex values of which nothing is left.
pub(crate) fn drop_empty(values: &mut Vec<Value>) {
    values.retain(|value| !value.as_object().is_some_and(Object::is_empty));
}

/// What makes two values the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The sub-attribute `value` alone: the same member, whatever its `display`.
    Value,
    /// Everything but `primary`, which says something about the set.
    Whole,
}

impl Identity {
    pub(crate) fn of(def: &AttributeDef, type_: &CompiledType) -> Self {
        if type_.members() == Some(def.id()) { Self::Value } else { Self::Whole }
    }

    pub(crate) fn same(self, a: &Value, b: &Value) -> bool {
        match (self, a, b) {
            (Self::Value, Value::Object(a), Value::Object(b)) => {
                matches!((a.get("value"), b.get("value")), (Some(a), Some(b)) if a == b)
            }
            (Self::Whole, Value::Object(a), Value::Object(b)) => {
                let of = |object: &Object| object.len() - usize::from(object.contains("primary"));
                of(a) == of(b)
                    && a.iter()
                        .filter(|(name, _)| !name.eq_ignore_ascii_case("primary"))
                        .all(|(name, value)| b.get(name) == Some(value))
            }
            (_, a, b) => a == b,
        }
    }
}

/// A hash table of values by their identity: to add a thousand to ten thousand looks at each once.
/// The hasher is keyed at random, since a peer chooses the values.
struct Index {
    identity: Identity,
    state: RandomState,
    table: HashTable<(u64, usize)>,
}

impl Index {
    fn new(identity: Identity, values: &[Value]) -> Self {
        let mut index =
            Self { identity, state: RandomState::new(), table: HashTable::with_capacity(values.len()) };
        for (at, value) in values.iter().enumerate() {
            let hash = index.hash(value);
            index.insert(hash, at);
        }
        index
    }

    fn insert(&mut self, hash: u64, at: usize) {
        self.table.insert_unique(hash, (hash, at), |(hash, _)| *hash);
    }

    fn find(&self, hash: u64, values: &[Value], value: &Value) -> Option<usize> {
        self.table
            .find(hash, |(_, at)| values.get(*at).is_some_and(|there| self.identity.same(there, value)))
            .map(|(_, at)| *at)
    }

    fn hash(&self, value: &Value) -> u64 {
        match (self.identity, value) {
            (Identity::Value, Value::Object(object)) => {
                hash_value(&self.state, object.get("value").unwrap_or(&Value::Null))
            }
            _ => hash_value(&self.state, value),
        }
    }
}

/// Hashes equal values equally: the order and the letter case of names mean nothing.
fn hash_value(state: &RandomState, value: &Value) -> u64 {
    let mut hasher = state.build_hasher();
    match value {
        Value::Null => hasher.write_u8(0),
        Value::Bool(value) => value.hash(&mut hasher),
        Value::Number(number) => hash_number(number, &mut hasher),
        Value::String(text) => text.hash(&mut hasher),
        // Values of attributes nest three levels deep at most: an element, its sub-attributes, their values.
        Value::Array(values) => values.iter().for_each(|value| hasher.write_u64(hash_value(state, value))),
        Value::Object(object) => {
            let sum = object
                .iter()
                .filter(|(name, _)| !name.eq_ignore_ascii_case("primary"))
                .map(|(name, value)| {
                    let mut member = state.build_hasher();
                    name.bytes().for_each(|byte| member.write_u8(byte.to_ascii_lowercase()));
                    member.write_u64(hash_value(state, value));
                    member.finish()
                })
                .fold(0, u64::wrapping_add);
            hasher.write_u64(sum);
        }
    }
    hasher.finish()
}

fn hash_number(number: &Number, hasher: &mut impl Hasher) {
    // Zero has two signs and is one number.
    (number.to_f64() + 0.0).to_bits().hash(hasher);
}
