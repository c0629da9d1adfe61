//! A hash table of elements by their identity.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use hashbrown::HashTable;

use super::{ElementIdentity, Rule};
use crate::value::Value;

/// A hash table of the elements of a list by their [identity](ElementIdentity): looking for a thousand elements
/// among ten thousand reads each of them once.
///
/// The list itself is passed to each call. The hasher has a random key, because a peer chooses the elements.
///
/// ```
/// use scim2_core::validate::ElementIndex;
/// use scim2_core::{Registry, Value};
///
/// let registry = Registry::standard();
/// let group = registry.resource_type("Group").expect("a standard type");
/// let members = group.members().expect("a group has members");
/// let values: Vec<Value> = serde_json::from_str(r#"[{"value":"a"},{"value":"b","display":"Bea"}]"#)?;
///
/// let index = ElementIndex::new(group.element_identity(members), &values);
/// assert_eq!(index.find(&values, &serde_json::from_str(r#"{"value":"b"}"#)?), Some(1));
/// assert_eq!(index.find(&values, &serde_json::from_str(r#"{"value":"c"}"#)?), None);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug)]
pub struct ElementIndex {
    identity: ElementIdentity,
    state: RandomState,
    table: HashTable<(u64, usize)>,
}

impl ElementIndex {
    /// The index of a list.
    #[must_use]
    pub fn new(identity: ElementIdentity, values: &[Value]) -> Self {
        let mut index = Self::with_capacity(identity, values.len());
        for (at, value) in values.iter().enumerate() {
            let hash = index.hash(value);
            let known = match identity.occurs_once(value) {
                true => index.find_hashed(hash, values, value),
                // Keeps only one of several elements that differ in `primary` alone, so that chains stay short.
                false => index.find_equal(hash, values, value),
            };
            if known.is_none() {
                index.insert_hashed(hash, at);
            }
        }
        index
    }

    /// An empty index with room for so many elements.
    #[must_use]
    pub fn with_capacity(identity: ElementIdentity, capacity: usize) -> Self {
        Self { identity, state: RandomState::new(), table: HashTable::with_capacity(capacity) }
    }

    /// The index of an element that is the same as `value`. If there is none, records that `value` is, or is
    /// about to be, at index `at`.
    pub fn find_or_insert(&mut self, values: &[Value], value: &Value, at: usize) -> Option<usize> {
        let hash = self.hash(value);
        let found = self.find_hashed(hash, values, value);
        if found.is_none() {
            self.insert_hashed(hash, at);
        }
        found
    }

    /// The index, in the list `values` that was indexed, of an element that is the same as `value`. If elements
    /// [may repeat](ElementIdentity::occurs_once), one with the same `primary` is preferred.
    #[must_use]
    pub fn find(&self, values: &[Value], value: &Value) -> Option<usize> {
        let hash = self.hash(value);
        let equal =
            if self.identity.occurs_once(value) { None } else { self.find_equal(hash, values, value) };
        equal.or_else(|| self.find_hashed(hash, values, value))
    }

    fn find_hashed(&self, hash: u64, values: &[Value], value: &Value) -> Option<usize> {
        self.find_where(hash, values, |there| self.identity.same(there, value))
    }

    fn find_equal(&self, hash: u64, values: &[Value], value: &Value) -> Option<usize> {
        self.find_where(hash, values, |there| there == value)
    }

    fn find_where(&self, hash: u64, values: &[Value], is: impl Fn(&Value) -> bool) -> Option<usize> {
        self.table.find(hash, |(_, at)| values.get(*at).is_some_and(&is)).map(|(_, at)| *at)
    }

    fn insert_hashed(&mut self, hash: u64, at: usize) {
        self.table.insert_unique(hash, (hash, at), |(hash, _)| *hash);
    }

    fn hash(&self, value: &Value) -> u64 {
        match self.identity.key(value) {
            Some((value, type_)) => {
                let hash = |rule: Rule, value: &Value| match value {
                    Value::String(text) => self.state.hash_one(rule.key(text)),
                    other => hash_value(&self.state, other),
                };
                let pair = (hash(self.identity.value_rule(), value), hash(self.identity.type_rule(), type_));
                self.state.hash_one(pair)
            }
            None => match value {
                Value::String(text) => self.state.hash_one(self.identity.value_rule().key(text)),
                other => hash_value(&self.state, other),
            },
        }
    }
}

/// Hashes equal values equally: the order and the letter case of names do not matter.
fn hash_value(state: &RandomState, value: &Value) -> u64 {
    let mut hasher = state.build_hasher();
    match value {
        Value::Null => hasher.write_u8(0),
        Value::Bool(value) => value.hash(&mut hasher),
        Value::Number(number) => number.hash(&mut hasher),
        Value::String(text) => text.hash(&mut hasher),
        // Values of attributes nest at most three levels: an element, its sub-attributes, their values.
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
