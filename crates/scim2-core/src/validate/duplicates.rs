//! Elements that occur twice in one list ([RFC 7643 §2.4](https://www.rfc-editor.org/rfc/rfc7643#section-2.4)).

use std::borrow::Cow;

use super::primary::{has_primary, is_primary};
use crate::compare::{Instant, StringRule};
use crate::compiled::{AttributeDef, AttributeId, CompiledType};
use crate::schema::AttributeType;
use crate::value::{Object, Value};

mod index;

pub use index::ElementIndex;

/// Up to this many elements, each is compared with those before it, which allocates nothing. More elements are
/// hashed, so that a group of a million members costs no quadratic time.
const MAX_COMPARED_ELEMENTS: usize = 16;

impl CompiledType {
    /// The rule by which two elements of a multi-valued attribute are the same.
    ///
    /// # Panics
    /// If the number is another type's.
    #[must_use]
    pub fn element_identity(&self, id: AttributeId) -> ElementIdentity {
        ElementIdentity::of(self.attribute(id), self)
    }

    /// Keeps the first of several elements that are the same and [must be unique](ElementIdentity), and makes
    /// it primary if a removed one was. Returns whether any element was removed.
    ///
    /// # Panics
    /// If the number is another type's.
    pub fn remove_duplicates(&self, id: AttributeId, values: &mut Vec<Value>) -> bool {
        let identity = self.element_identity(id);
        let repeated = repeated(identity, values);
        if repeated.is_empty() {
            return false;
        }
        if has_primary(self, self.attribute(id)) {
            for (at, first) in &repeated {
                if values.get(*at).is_some_and(is_primary)
                    && let Some(Value::Object(first)) = values.get_mut(*first)
                {
                    first.insert("primary", true);
                }
            }
        }
        let mut repeated = repeated.into_iter().peekable();
        let mut at = 0;
        values.retain(|_| {
            at += 1;
            repeated.next_if(|(repeated, _)| *repeated == at - 1).is_none()
        });
        true
    }
}

/// The indexes of elements that repeat an earlier one, in order, each with the index of the first one.
fn repeated(identity: ElementIdentity, values: &[Value]) -> Vec<(usize, usize)> {
    let once = values.iter().enumerate().filter(|(_, value)| identity.occurs_once(value));
    if values.len() <= MAX_COMPARED_ELEMENTS {
        let first = |(at, value): (usize, &Value)| {
            let first = values.iter().take(at).position(|before| identity.same(before, value))?;
            Some((at, first))
        };
        once.filter_map(first).collect()
    } else {
        let mut index = ElementIndex::with_capacity(identity, values.len());
        once.filter_map(|(at, value)| Some((at, index.find_or_insert(values, value, at)?))).collect()
    }
}

/// The rule by which two elements of a multi-valued attribute are the same. It is used when a body is brought
/// into canonical form and when PATCH adds an element that may exist already.
///
/// - Memberships are the same if their `value` is, whatever their other sub-attributes: a resource is a member
///   or it is not.
/// - Elements with both `value` and `type` in their schema are the same if both are equal, each compared by the
///   rule of its attribute. An absent `type` equals only another absent one.
/// - Simple values are the same if they compare as equal, a `dateTime` if it is the same instant.
/// - Elements without a `value`, and those of other complex attributes, are the same if they are equal in
///   everything except `primary`, which is about the list. This also holds for elements whose `value` or `type`
///   is never returned.
///
/// Elements of the first three kinds must be unique within a list, because the RFC forbids the same pair of
/// `type` and `value` twice. Elements of the last kind, such as addresses, have no such pair. PATCH does not
/// add one that exists already, but a client that sends two equal ones has two.
///
/// ```
/// use scim2_core::{Registry, Value};
///
/// let registry = Registry::standard();
/// let user = registry.resource_type("User").expect("a standard type");
/// let emails = user.find(None, "emails", None).expect("a standard attribute");
/// let mut values: Vec<Value> = serde_json::from_str(
///     r#"[{"value":"ada@example.com","type":"work"},
///         {"value":"ADA@example.com","type":"Work","primary":true},
///         {"value":"ada@example.com","type":"home"}]"#,
/// )?;
/// assert!(user.element_identity(emails).same(&values[0], &values[1]));
/// assert!(user.remove_duplicates(emails, &mut values));
/// assert_eq!(values[0].to_string(), r#"{"value":"ada@example.com","type":"work","primary":true}"#);
/// assert_eq!(values.len(), 2);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElementIdentity(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The sub-attribute `value` of memberships.
    Member(Rule),
    /// The sub-attributes `value` and `type`.
    Pair(Rule, Rule),
    /// The whole complex value except `primary`.
    Whole,
    /// A simple value.
    Simple(Rule),
}

impl ElementIdentity {
    fn of(def: &AttributeDef, type_: &CompiledType) -> Self {
        // Never-returned sub-attributes match nothing, so that clients cannot guess them.
        let seen = |id: &AttributeId| !type_.attribute(*id).is_never_returned();
        let rule = |name| {
            let sub = type_.find_sub(def.id(), name);
            sub.filter(|id| def.is_never_returned() || seen(id)).map(|id| Rule::of(type_.attribute(id)))
        };
        Self(match (rule("value"), rule("type")) {
            _ if def.attribute_type() != AttributeType::Complex => Kind::Simple(Rule::of(def)),
            (Some(value), _) if type_.members() == Some(def.id()) => Kind::Member(value),
            (Some(value), Some(type_)) => Kind::Pair(value, type_),
            _ => Kind::Whole,
        })
    }

    /// Says whether the elements are memberships, which are compared by `value` alone.
    #[must_use]
    pub fn is_membership(self) -> bool {
        matches!(self.0, Kind::Member(_))
    }

    /// Says whether an element may occur only once in a list.
    #[must_use]
    pub fn occurs_once(self, element: &Value) -> bool {
        matches!(self.0, Kind::Simple(_)) || self.key(element).is_some()
    }

    /// Says whether two elements are the same.
    #[must_use]
    pub fn same(self, a: &Value, b: &Value) -> bool {
        match (self.key(a), self.key(b)) {
            (Some((a, a_type)), Some((b, b_type))) => {
                self.value_rule().same(a, b) && self.type_rule().same(a_type, b_type)
            }
            (None, None) => match (a, b) {
                (Value::Object(a), Value::Object(b)) => equal_but_primary(a, b),
                (a, b) => self.value_rule().same(a, b),
            },
            _ => false,
        }
    }

    /// The index of the first element of a list that is the same as `value`. For more than a few look-ups an
    /// [index](ElementIndex) is faster.
    #[must_use]
    pub fn position(self, values: &[Value], value: &Value) -> Option<usize> {
        let Some((Value::String(text), type_)) = self.key(value) else {
            return values.iter().position(|there| self.same(there, value));
        };
        // The key of `value` is computed once.
        let (rule, type_rule) = (self.value_rule(), self.type_rule());
        let key = rule.key(text);
        values.iter().position(|there| match self.key(there) {
            Some((Value::String(there), there_type)) => {
                rule.has_key(there, &key) && type_rule.same(there_type, type_)
            }
            _ => false,
        })
    }

    /// The part of an element that identifies it; `None` if the whole element does.
    fn key(self, element: &Value) -> Option<(&Value, &Value)> {
        const ABSENT: &Value = &Value::Null;
        let object = element.as_object()?;
        match self.0 {
            Kind::Member(_) => Some((object.get("value")?, ABSENT)),
            Kind::Pair(..) => Some((object.get("value")?, object.get("type").unwrap_or(ABSENT))),
            Kind::Whole | Kind::Simple(_) => None,
        }
    }

    fn value_rule(self) -> Rule {
        match self.0 {
            Kind::Member(rule) | Kind::Pair(rule, _) | Kind::Simple(rule) => rule,
            Kind::Whole => Rule::Text(StringRule::CaseExact),
        }
    }

    fn type_rule(self) -> Rule {
        match self.0 {
            Kind::Pair(_, rule) => rule,
            Kind::Member(_) | Kind::Whole | Kind::Simple(_) => Rule::Text(StringRule::CaseExact),
        }
    }
}

/// How simple values are compared: strings by the rule, others as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Text(StringRule),
    /// Compared as instants (C-2.3.5-02).
    DateTime,
}

impl Rule {
    fn of(def: &AttributeDef) -> Self {
        match def.attribute_type() {
            AttributeType::DateTime => Self::DateTime,
            _ => Self::Text(def.string_rule()),
        }
    }

    fn same(self, a: &Value, b: &Value) -> bool {
        match (self, a, b) {
            (Self::Text(rule), Value::String(a), Value::String(b)) => rule.eq(a, b),
            (Self::DateTime, Value::String(a), Value::String(b)) => a == b || self.key(a) == self.key(b),
            (_, a, b) => a == b,
        }
    }

    /// Says whether `key` is the key of a text.
    fn has_key(self, text: &str, key: &str) -> bool {
        match self {
            Self::Text(rule) => rule.eq_key(text, key),
            Self::DateTime => self.key(text) == key,
        }
    }

    /// The key that equal strings share.
    fn key(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Text(rule) => rule.key(text),
            Self::DateTime => match text.parse::<Instant>() {
                Ok(instant) => format!("{}.{:09}", instant.seconds(), instant.nanoseconds()).into(),
                Err(_) => text.into(),
            },
        }
    }
}

fn equal_but_primary(a: &Object, b: &Object) -> bool {
    let count = |object: &Object| object.len() - usize::from(object.contains("primary"));
    count(a) == count(b)
        && a.iter()
            .filter(|(name, _)| !name.eq_ignore_ascii_case("primary"))
            .all(|(name, value)| b.get(name) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;
    use crate::schema::{ResourceType, Schema};

    fn values(json: &str) -> Vec<Value> {
        serde_json::from_str(json).unwrap()
    }

    /// A type with lists of every kind that the standard types lack.
    fn registry() -> Registry {
        let schema: Schema = serde_json::from_str(
            r#"{"id":"urn:example:T","name":"T","attributes":[
                {"name":"tags","type":"string","multiValued":true},
                {"name":"codes","type":"string","multiValued":true,"caseExact":true},
                {"name":"sizes","type":"decimal","multiValued":true},
                {"name":"notes","type":"complex","multiValued":true,"subAttributes":[
                    {"name":"value","type":"string"},{"name":"primary","type":"boolean"}]},
                {"name":"levels","type":"complex","multiValued":true,"subAttributes":[
                    {"name":"value","type":"integer"},{"name":"type","type":"string","caseExact":true}]}]}"#,
        )
        .unwrap();
        let type_: ResourceType =
            serde_json::from_str(r#"{"name":"T","endpoint":"/Ts","schema":"urn:example:T"}"#).unwrap();
        let standard = Registry::standard();
        let schemas = standard.schemas().cloned().chain([schema]);
        let types = standard.resource_types().map(|type_| type_.resource_type().clone()).chain([type_]);
        Registry::with(schemas.collect::<Vec<_>>(), types.collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn elements_that_must_be_unique_in_a_list() {
        // Resource type, attribute, elements, the elements that are kept.
        let cases = [
            // Pairs, each half by its own rule.
            (
                "User",
                "emails",
                r#"[{"value":"a","type":"work"},{"value":"A","type":"WORK","display":"x"}]"#,
                r#"[{"value":"a","type":"work"}]"#,
            ),
            (
                "User",
                "emails",
                r#"[{"value":"a","type":"work"},{"value":"a","type":"home"},{"value":"a"}]"#,
                r#"[{"value":"a","type":"work"},{"value":"a","type":"home"},{"value":"a"}]"#,
            ),
            ("User", "emails", r#"[{"value":"a"},{"value":"a"}]"#, r#"[{"value":"a"}]"#),
            (
                "T",
                "levels",
                r#"[{"value":1,"type":"x"},{"value":1.0,"type":"x"},{"value":1,"type":"X"}]"#,
                r#"[{"value":1,"type":"x"},{"value":1,"type":"X"}]"#,
            ),
            // A removed element passes on that it is primary.
            (
                "User",
                "emails",
                r#"[{"value":"b"},{"value":"a","primary":false},{"value":"a","primary":true}]"#,
                r#"[{"value":"b"},{"value":"a","primary":true}]"#,
            ),
            // Members by `value` alone.
            (
                "Group",
                "members",
                r#"[{"value":"a","type":"User"},{"value":"a","type":"Group"},{"value":"A"}]"#,
                r#"[{"value":"a","type":"User"},{"value":"A"}]"#,
            ),
            // Simple values.
            ("T", "tags", r#"["a","b","A"]"#, r#"["a","b"]"#),
            ("T", "codes", r#"["a","A","a"]"#, r#"["a","A"]"#),
            ("T", "sizes", r#"[1,1.0,0,-0.0,2]"#, r#"[1,0,2]"#),
            // No pairs.
            (
                "User",
                "photos",
                r#"[{"type":"photo"},{"type":"photo"}]"#,
                r#"[{"type":"photo"},{"type":"photo"}]"#,
            ),
            (
                "User",
                "addresses",
                r#"[{"locality":"a"},{"locality":"a"}]"#,
                r#"[{"locality":"a"},{"locality":"a"}]"#,
            ),
            ("T", "notes", r#"[{"value":"a"},{"value":"a"}]"#, r#"[{"value":"a"},{"value":"a"}]"#),
        ];
        let registry = registry();
        for (type_name, name, before, after) in cases {
            let type_ = registry.resource_type(type_name).unwrap();
            let id = type_.find(None, name, None).unwrap();
            let mut few = values(before);
            let went = type_.remove_duplicates(id, &mut few);
            assert_eq!(few, values(after), "{name} {before}");
            assert_eq!(went, before != after, "{name} {before}");
            // The same after so many other elements that they are hashed.
            let other = |at: usize| match few.first() {
                Some(Value::String(_)) => Value::from(format!("other {at}")),
                Some(Value::Number(_)) => Value::from(i64::try_from(at).unwrap() + 100),
                _ => Object::from_iter([("value", format!("other {at}"))]).into(),
            };
            let others: Vec<Value> = (0..MAX_COMPARED_ELEMENTS).map(other).collect();
            let mut many = [others.clone(), values(before)].concat();
            assert_eq!(type_.remove_duplicates(id, &mut many), went);
            assert_eq!(many, [others, values(after)].concat(), "{name} {before}");
        }
    }

    #[test]
    fn equal_elements_have_one_identity() {
        let registry = registry();
        let cases = [
            ("User", "photos", r#"[{"type":"photo"},{"type":"photo","primary":true}]"#, true),
            ("User", "photos", r#"[{"type":"photo"},{"TYPE":"photo"}]"#, true),
            ("User", "photos", r#"[{"type":"photo"},{"type":"thumbnail"}]"#, false),
            ("User", "photos", r#"[{"type":"photo"},{"type":"photo","value":"urn:x"}]"#, false),
            (
                "User",
                "addresses",
                r#"[{"locality":"a","region":"b"},{"region":"b","locality":"a","primary":false}]"#,
                true,
            ),
            ("User", "addresses", r#"[{"locality":"a","region":"b"},{"locality":"a"}]"#, false),
            ("T", "notes", r#"[{"value":"a"},{"value":"a","primary":true}]"#, true),
            ("T", "notes", r#"[{"value":"a"},{"value":"A"}]"#, false),
            ("Group", "members", r#"[{"value":"0-1"},{"value":"0-1","display":"x"}]"#, true),
            ("Group", "members", r#"[{"value":"0-1"},{"value":"0-2"}]"#, false),
            ("Group", "members", r#"[{"value":"0-1"},{"value":"1-1"}]"#, false),
            ("Group", "members", r#"[{"value":"e\u0301"},{"value":"\u00e9"}]"#, true),
            ("User", "emails", r#"[{"value":"a@x","type":"work"},{"value":"A@X","type":"WORK"}]"#, true),
            ("User", "emails", r#"[{"value":"a@x","type":"work"},{"value":"a@x","type":"home"}]"#, false),
            ("User", "emails", r#"[{"value":"a@x"},{"display":"a@x"}]"#, false),
            ("User", "emails", r#"[{"value":"\u212a"},{"value":"k"}]"#, true),
            ("T", "levels", r#"[{"value":1},{"value":1.0}]"#, true),
        ];
        for (type_name, name, pair, same) in cases {
            let type_ = registry.resource_type(type_name).unwrap();
            let identity = type_.element_identity(type_.find(None, name, None).unwrap());
            let pair = values(pair);
            let [a, b] = pair.as_slice() else { panic!("two") };
            assert_eq!(identity.same(a, b), same, "{name} {pair:?}");
            assert_eq!(identity.same(b, a), same, "{name} {pair:?}");
            assert_eq!(identity.position(&pair[..1], b), same.then_some(0), "{name} {pair:?}");
            let index = ElementIndex::new(identity, std::slice::from_ref(a));
            assert_eq!(index.find(std::slice::from_ref(a), b), same.then_some(0), "{name} {pair:?}");
        }
    }

    #[test]
    fn many_elements_without_pairs_are_found_in_linear_time() {
        let registry = Registry::standard();
        let user = registry.resource_type("User").unwrap();
        let id = user.find(None, "addresses", None).unwrap();
        let plain = vec![Value::from(Object::from_iter([("locality", "x")])); 20_000];
        let index = ElementIndex::new(user.element_identity(id), &plain);
        let other = &values(r#"[{"locality":"x","primary":false}]"#)[0];
        for _ in 0..plain.len() {
            assert_eq!(index.find(&plain, other), Some(0));
        }
    }
}
