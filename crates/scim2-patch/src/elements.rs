//! The values of a multi-valued attribute as a set: which are the same, which is primary.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use hashbrown::HashTable;
use scim2_core::compare::StringRule;
use scim2_core::{AttributeDef, CompiledType, Number, Object, Quirk, Value};

use crate::apply::set;
use crate::context::Context;
use crate::error::PatchErrorKind;
use crate::patch_op::Op;
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
    let mut index = (list.len() > LINEAR).then(|| Index::new(identity, present));
    let mut primary = Vec::new();
    for value in list {
        let hash = index.as_ref().map(|index| index.hash(&value));
        let found = match (&index, hash) {
            (Some(index), Some(hash)) => index.find(hash, present, &value),
            _ => present.iter().position(|there| identity.same(there, &value)),
        };
        let at = found.unwrap_or(present.len());
        if is_primary(&value) {
            primary.push(at);
        }
        match present.get_mut(at) {
            None => {
                present.push(value);
                if let (Some(index), Some(hash)) = (&mut index, hash) {
                    index.insert(hash, at);
                }
            }
            // Who is a member already stays as he is; another value takes what is new about it.
            Some(_) if identity.is_member() => {}
            Some(there) => enrich(def, there, value, cx)?,
        }
    }
    settle_primary(def, present, &primary, cx)
}

/// Adds to a value what another, the same by `value` and `type`, says beyond that.
fn enrich(
    def: &AttributeDef,
    there: &mut Value,
    value: Value,
    cx: &mut Context<'_>,
) -> Result<(), PatchErrorKind> {
    let (Value::Object(there), Value::Object(value)) = (there, value) else { return Ok(()) };
    for (name, value) in value {
        let known = name.eq_ignore_ascii_case("value") || name.eq_ignore_ascii_case("type");
        if !known && let Some(sub) = cx.type_.find_sub(def.id(), &name) {
            set(there, cx.type_.attribute(sub), Op::Add, value, cx)?;
        }
    }
    Ok(())
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
    if identity.is_member() || !def.is_complex() {
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
    cx.type_.normalise_primary(def.id(), values, Some(winner));
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
    let membership = Identity::of(def, cx.type_).is_member();
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

/// What makes two values of an attribute the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The sub-attribute `value`, of memberships: the same member, whatever its `display`.
    Member(StringRule),
    /// The sub-attributes `value` and `type`, of which a pair stands once in a list
    /// ([RFC 7643 §2.4](https://www.rfc-editor.org/rfc/rfc7643#section-2.4)).
    Pair(StringRule, StringRule),
    /// All of it but `primary`, which says something about the list.
    Whole,
}

impl Identity {
    pub(crate) fn of(def: &AttributeDef, type_: &CompiledType) -> Self {
        let rule = |name| type_.find_sub(def.id(), name).map(|id| type_.attribute(id).string_rule());
        match (rule("value"), rule("type")) {
            (Some(value), _) if type_.members() == Some(def.id()) => Self::Member(value),
            (Some(value), Some(type_)) => Self::Pair(value, type_),
            _ => Self::Whole,
        }
    }

    pub(crate) fn is_member(self) -> bool {
        matches!(self, Self::Member(_))
    }

    /// The texts by which a value is told apart; `None` if it takes all of it.
    fn key<'v>(self, value: &'v Value) -> Option<(Cow<'v, str>, Cow<'v, str>)> {
        let (value_rule, type_rule) = match self {
            Self::Member(value) => (value, None),
            Self::Pair(value, type_) => (value, Some(type_)),
            Self::Whole => return None,
        };
        let object = value.as_object()?;
        let type_ = type_rule.and_then(|rule| object.get_str("type").map(|text| rule.key(text)));
        Some((value_rule.key(object.get_str("value")?), type_.unwrap_or_default()))
    }

    pub(crate) fn same(self, a: &Value, b: &Value) -> bool {
        match (self.key(a), self.key(b)) {
            (Some(a), Some(b)) => a == b,
            (None, None) => whole(a, b),
            _ => false,
        }
    }
}

fn whole(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let count = |object: &Object| object.len() - usize::from(object.contains("primary"));
            count(a) == count(b)
                && a.iter()
                    .filter(|(name, _)| !name.eq_ignore_ascii_case("primary"))
                    .all(|(name, value)| b.get(name) == Some(value))
        }
        (a, b) => a == b,
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
        match self.identity.key(value) {
            Some(key) => self.state.hash_one(key),
            None => hash_value(&self.state, value),
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
