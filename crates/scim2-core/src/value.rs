//! JSON values as SCIM sees them: member names compare without case, the order of members is kept and means
//! nothing, numbers lose no digits.

use std::fmt;
use std::str::FromStr;

use scim2_names::eq_ignore_case;

use crate::json::{JsonError, JsonReader};

mod members;
mod number;
mod serde_impls;

pub(crate) use members::{UniqueMembers, shorten};

pub use number::{Number, NumberError};

/// The value of an attribute, or any JSON value.
///
/// ```
/// use scim2_core::Value;
///
/// let value: Value = serde_json::from_str(r#"{"type":"work","primary":true}"#)?;
/// let email = value.as_object().expect("an object");
/// assert_eq!(email.get("TYPE").and_then(Value::as_str), Some("work")); // RFC 7643 §2.1
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Absent, `null` and the empty array are one state, *unassigned*
/// ([RFC 7643 §2.5](https://www.rfc-editor.org/rfc/rfc7643#section-2.5)): see
/// [`is_unassigned`](Self::is_unassigned).
#[derive(Clone, PartialEq, Default)]
pub enum Value {
    /// `null`, which says that an attribute is unassigned.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer or a decimal.
    Number(Number),
    /// A string; dates, references and binary data are strings on the wire.
    String(String),
    /// The values of a multi-valued attribute.
    Array(Vec<Value>),
    /// The sub-attributes of a complex attribute, or the attributes of an extension.
    Object(Object),
}

impl Value {
    /// Says whether the value is `null` or an empty array, which is the same as being absent.
    #[must_use]
    pub fn is_unassigned(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Array(values) => values.is_empty(),
            _ => false,
        }
    }

    /// The string, if this is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The boolean, if this is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The number, if this is one.
    #[must_use]
    pub fn as_number(&self) -> Option<&Number> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }

    /// The elements, if this is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Self::Array(values) = self { Some(values) } else { None }
    }

    /// The elements, if this is an array.
    #[must_use]
    pub fn as_array_mut(&mut self) -> Option<&mut Vec<Value>> {
        if let Self::Array(values) = self { Some(values) } else { None }
    }

    /// The members, if this is an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// The members, if this is an object.
    #[must_use]
    pub fn as_object_mut(&mut self) -> Option<&mut Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// The values of an attribute: the elements of an array, nothing for `null`, otherwise the value itself.
    pub fn values(&self) -> std::slice::Iter<'_, Value> {
        match self {
            Self::Null => [].iter(),
            Self::Array(values) => values.iter(),
            other => std::slice::from_ref(other).iter(),
        }
    }

    /// The kind of the value, for error lines: `a string`, `an object`, …
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Number(value.into())
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Number(value.into())
    }
}

impl From<Number> for Value {
    fn from(value: Number) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::Array(values.into_iter().map(Into::into).collect())
    }
}

impl From<Object> for Value {
    fn from(value: Object) -> Self {
        Self::Object(value)
    }
}

impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(number) => Self::Number(number.into()),
            serde_json::Value::String(text) => Self::String(text),
            serde_json::Value::Array(values) => Self::Array(values.into_iter().map(Into::into).collect()),
            serde_json::Value::Object(members) => {
                Self::Object(members.into_iter().map(|(name, value)| (name, Self::from(value))).collect())
            }
        }
    }
}

impl From<Value> for serde_json::Value {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => Self::Number(number.into()),
            Value::String(text) => Self::String(text),
            Value::Array(values) => Self::Array(values.into_iter().map(Into::into).collect()),
            Value::Object(object) => object.into(),
        }
    }
}

impl FromStr for Value {
    type Err = JsonError;

    /// Reads JSON without loss, as deep as [`JsonReader`] can.
    fn from_str(json: &str) -> Result<Self, JsonError> {
        JsonReader::new().max_depth(JsonReader::MAX_DEPTH).value(json.as_bytes())
    }
}

impl fmt::Display for Value {
    /// Writes compact JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::String(text) => fmt::Debug::fmt(text, f),
            Self::Array(values) => f.debug_list().entries(values).finish(),
            Self::Object(object) => object.fmt(f),
        }
    }
}

/// The members of a JSON object in their order, looked up in any ASCII case.
///
/// No two members have names that are equal without case ([RFC 7643
/// §2.1](https://www.rfc-editor.org/rfc/rfc7643#section-2.1)). Reading JSON that repeats a name is an error.
/// Two objects are equal if they have equal members in any order.
///
/// ```
/// use scim2_core::{Object, Value};
///
/// let mut name = Object::new();
/// name.insert("givenName", "Ada");
/// name.insert("GIVENNAME", "Augusta"); // replaces, and keeps the first spelling
/// assert_eq!(name.to_string(), r#"{"givenName":"Augusta"}"#);
/// ```
#[derive(Clone, Default)]
pub struct Object {
    // INVARIANT: names are pairwise unequal under `eq_ignore_case`.
    members: Vec<(Box<str>, Value)>,
}

impl Object {
    /// An object without members.
    #[must_use]
    pub const fn new() -> Self {
        Self { members: Vec::new() }
    }

    /// An object without members that has room for `capacity` of them.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { members: Vec::with_capacity(capacity) }
    }

    /// Sets a member and returns its old value. A name that is already there keeps its position and spelling.
    pub fn insert(
        &mut self,
        name: impl AsRef<str> + Into<Box<str>>,
        value: impl Into<Value>,
    ) -> Option<Value> {
        match self.get_mut(name.as_ref()) {
            Some(old) => Some(std::mem::replace(old, value.into())),
            None => {
                self.members.push((name.into(), value.into()));
                None
            }
        }
    }

    /// Sets a member as the first one.
    pub fn insert_first(&mut self, name: impl AsRef<str> + Into<Box<str>>, value: impl Into<Value>) {
        self.remove(name.as_ref());
        self.members.insert(0, (name.into(), value.into()));
    }

    /// Removes a member. The others keep their order.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.position(name)?;
        Some(self.members.remove(at).1)
    }

    /// Keeps only the members for which `keep` returns `true`.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Value) -> bool) {
        self.members.retain_mut(|(name, value)| keep(name, value));
    }

    /// The object under `name`. If there is none, or another value, an empty object is put there.
    pub fn object_entry(&mut self, name: &str) -> &mut Object {
        let at = match self.position(name) {
            Some(at) => at,
            None => {
                self.members.push((name.into(), Value::Null));
                self.members.len() - 1
            }
        };
        #[expect(clippy::indexing_slicing, reason = "`at` was found or pushed just above")]
        let value = &mut self.members[at].1;
        if !matches!(value, Value::Object(_)) {
            *value = Value::Object(Object::new());
        }
        match value {
            Value::Object(object) => object,
            _ => unreachable!("an object was put there just above"),
        }
    }

    /// The value of a member.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        // Canonical bodies use the spelling of the schema, so the exact comparison mostly decides.
        self.members.iter().find(|(known, _)| eq_ignore_case(known, name)).map(|(_, value)| value)
    }

    /// The value of a member.
    #[must_use]
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.members.iter_mut().find(|(known, _)| eq_ignore_case(known, name)).map(|(_, value)| value)
    }

    /// The name as it is spelled here, and the value.
    #[must_use]
    pub fn get_key_value(&self, name: &str) -> Option<(&str, &Value)> {
        self.members
            .iter()
            .find(|(known, _)| eq_ignore_case(known, name))
            .map(|(known, value)| (&**known, value))
    }

    /// The string under `name`, if there is one.
    #[must_use]
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// Says whether there is a member of that name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// The number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Says whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The members in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> + DoubleEndedIterator {
        self.members.iter().map(|(name, value)| (&**name, value))
    }

    /// The members in order, with values that can be changed.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&str, &mut Value)> {
        self.members.iter_mut().map(|(name, value)| (&**name, value))
    }

    /// Adds a member whose name is known to be new.
    pub(crate) fn push_new(&mut self, name: Box<str>, value: Value) {
        debug_assert!(!self.contains(&name), "INVARIANT: names are pairwise unequal");
        self.members.push((name, value));
    }

    /// Rewrites each member, in place where it can. `rewrite` must not give two members one name.
    pub(crate) fn try_map<E>(
        self,
        mut rewrite: impl FnMut(Box<str>, Value) -> Result<Option<(Box<str>, Value)>, E>,
    ) -> Result<Self, E> {
        let members = self
            .members
            .into_iter()
            .filter_map(|(name, value)| rewrite(name, value).transpose())
            .collect::<Result<_, E>>()?;
        Ok(Self { members })
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|(known, _)| eq_ignore_case(known, name))
    }
}

/// Above this many members, a linear search per member is replaced by sorting or hashing. So no body of a peer
/// costs quadratic time.
const MAX_LINEAR_MEMBERS: usize = 24;

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        if self.len() != other.len() {
            return false;
        }
        if self.len() <= MAX_LINEAR_MEMBERS {
            return self.iter().all(|(name, value)| other.get(name) == Some(value));
        }
        let sorted = |object: &Self| {
            let mut order: Vec<(String, usize)> =
                object.iter().enumerate().map(|(at, (name, _))| (name.to_ascii_lowercase(), at)).collect();
            order.sort_unstable();
            order
        };
        sorted(self).into_iter().zip(sorted(other)).all(|((name, at), (other_name, other_at))| {
            name == other_name
                && self.members.get(at).map(|member| &member.1)
                    == other.members.get(other_at).map(|member| &member.1)
        })
    }
}

impl<K: Into<Box<str>> + AsRef<str>, V: Into<Value>> FromIterator<(K, V)> for Object {
    /// Later members replace earlier ones of the same name.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Self {
        let mut object = Self::new();
        object.extend(members);
        object
    }
}

impl<K: Into<Box<str>> + AsRef<str>, V: Into<Value>> Extend<(K, V)> for Object {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, members: I) {
        for (name, value) in members {
            self.insert(name, value);
        }
    }
}

impl IntoIterator for Object {
    type Item = (Box<str>, Value);
    type IntoIter = std::vec::IntoIter<(Box<str>, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.members.into_iter()
    }
}

impl From<Object> for serde_json::Value {
    fn from(object: Object) -> Self {
        Self::Object(object.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl FromStr for Object {
    type Err = JsonError;

    /// Reads JSON without loss, as deep as [`JsonReader`] can.
    fn from_str(json: &str) -> Result<Self, JsonError> {
        JsonReader::new().max_depth(JsonReader::MAX_DEPTH).object(json.as_bytes())
    }
}

impl fmt::Display for Object {
    /// Writes compact JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(json: &str) -> Object {
        serde_json::from_str(json).expect("valid JSON")
    }

    #[test]
    fn rfc7643_2_3_8_order_of_members_means_nothing() {
        assert_eq!(object(r#"{"a":1,"B":[2,3]}"#), object(r#"{"b":[2,3],"A":1}"#));
        assert_ne!(object(r#"{"a":[2,3]}"#), object(r#"{"a":[3,2]}"#));
    }

    #[test]
    fn large_objects_compare_like_small_ones() {
        let large = |reverse: bool| {
            let mut members: Vec<(String, Value)> =
                (0..1000_i64).map(|n| (format!("a{n}"), Value::from(n))).collect();
            if reverse {
                members.reverse();
            }
            members.into_iter().collect::<Object>()
        };
        let mut other = large(true);
        assert_eq!(large(false), other);
        other.insert("a500", "x");
        assert_ne!(large(false), other);
    }

    #[test]
    fn object_entry_makes_or_replaces() {
        let mut object = object(r#"{"name":"x"}"#);
        object.object_entry("NAME").insert("givenName", "Ada");
        object.object_entry("manager").insert("value", "1");
        assert_eq!(object.to_string(), r#"{"name":{"givenName":"Ada"},"manager":{"value":"1"}}"#);
        assert_eq!(object.remove("Name").map(|value| value.kind()), Some("an object"));
        assert!(!object.contains("name"));
    }
}
