//! Index keys: bytes that compare as the values do.
//!
//! The key of a text is its comparison key ([`StringRule::key`]), the same that the evaluator compares. So the
//! index can answer equality, order, prefixes, suffixes and substrings. A value that is too long for the index, or
//! does not have its schema's type, is stored as a hash behind the byte [`OPAQUE`]. Such keys only tell equality;
//! for everything else the evaluator decides.

use scim2_core::compare::{Instant, StringRule};
use scim2_core::schema::AttributeType;
use scim2_core::{AttributeDef, Number, Value};
use sha2::{Digest, Sha256};

/// The longest key of a text, in bytes. At least ten such keys fit on a page of the index.
pub(crate) const LONGEST: usize = 256;

/// The first byte of a key that only tells equality. UTF-8 text and other keys never begin with it. So these keys
/// come last within a path, and a range finds them.
pub(crate) const OPAQUE: u8 = 0xff;

/// How the values of an attribute become keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Text(StringRule),
    Boolean,
    Number,
    Time,
}

impl KeyKind {
    /// The kind of an attribute's keys; `None` if it cannot be indexed.
    pub(crate) fn of(def: &AttributeDef) -> Option<Self> {
        Some(match def.attribute_type() {
            // A rule without a name of ours cannot be stored in a database.
            AttributeType::String | AttributeType::Reference | AttributeType::Binary => {
                rule_name(def.string_rule())?;
                Self::Text(def.string_rule())
            }
            AttributeType::Boolean => Self::Boolean,
            AttributeType::Decimal | AttributeType::Integer => Self::Number,
            AttributeType::DateTime => Self::Time,
            AttributeType::Complex => return None,
        })
    }

    /// The name in the database. If keys are made in another way, the name must change, so that existing rows are
    /// computed again.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text(rule) => match rule_name(rule) {
                Some(name) => name,
                // No kind has such a rule.
                None => "fold",
            },
            Self::Boolean => "boolean",
            Self::Number => "decimal",
            Self::Time => "time",
        }
    }

    /// The key of a value that is not complex.
    pub(crate) fn key(self, value: &Value) -> Vec<u8> {
        match (self, value) {
            (Self::Text(rule), Value::String(text)) => text_key(&rule.key(text)),
            (Self::Boolean, Value::Bool(value)) => boolean_key(*value),
            (Self::Number, Value::Number(number)) => number_key(number),
            (Self::Time, Value::String(text)) => match text.parse() {
                Ok(instant) => time_key(instant),
                Err(_) => opaque(text.as_bytes()),
            },
            (_, other) => opaque(other.to_string().as_bytes()),
        }
    }
}

const fn rule_name(rule: StringRule) -> Option<&'static str> {
    Some(match rule {
        StringRule::CaseExact => "exact",
        StringRule::CaseIgnore => "fold",
        StringRule::UserName => "user-name",
        StringRule::ResourceUri => "resource-uri",
        StringRule::Base64 => "base64",
        _ => return None,
    })
}

/// The key of a text that is already a comparison key.
pub(crate) fn text_key(prepared: &str) -> Vec<u8> {
    if prepared.len() <= LONGEST { prepared.as_bytes().to_vec() } else { opaque(prepared.as_bytes()) }
}

pub(crate) fn boolean_key(value: bool) -> Vec<u8> {
    vec![u8::from(value)]
}

/// The key of a number, which compares as the number does. A number with too many digits becomes a hash.
pub(crate) fn number_key(number: &Number) -> Vec<u8> {
    text_key(&number.key())
}

/// The key of an instant, to the nanosecond.
pub(crate) fn time_key(instant: Instant) -> Vec<u8> {
    let mut key = Vec::with_capacity(13);
    key.push(b't');
    key.extend((instant.seconds() as u64 ^ 1 << 63).to_be_bytes());
    key.extend(instant.nanoseconds().to_be_bytes());
    key
}

fn opaque(bytes: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(33);
    key.push(OPAQUE);
    key.extend(Sha256::digest(bytes));
    key
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number() -> impl Strategy<Value = Number> {
        prop_oneof![
            any::<i64>().prop_map(Number::from),
            any::<u64>().prop_map(Number::from),
            (-1_i64 << 54..1 << 54).prop_map(Number::from),
            any::<i64>().prop_map(|n| Number::from_f64(n as f64).expect("finite")),
            prop::num::f64::NORMAL.prop_map(|n| Number::from_f64(n).expect("finite")),
            Just(Number::from_f64(-0.0).expect("finite")),
            "-?[1-9][0-9]{0,30}(\\.[0-9]{1,30})?(e-?[0-9]{1,4})?".prop_map(|n| n.parse().expect("a number")),
        ]
    }

    fn instant() -> impl Strategy<Value = Instant> {
        ("(0001|19[67][0-9]|2024|9999)", 1..=12, 0..3)
            .prop_map(|(year, month, tenths)| format!("{year}-{month:02}-01T00:00:00.{tenths}Z"))
            .prop_map(|text| text.parse().expect("an instant"))
    }

    proptest! {
        #[test]
        fn keys_of_numbers_compare_as_the_numbers(a in number(), b in number()) {
            prop_assert_eq!(number_key(&a).cmp(&number_key(&b)), a.cmp(&b));
        }

        #[test]
        fn keys_of_instants_compare_as_the_instants(a in instant(), b in instant()) {
            prop_assert_eq!(time_key(a).cmp(&time_key(b)), a.cmp(&b));
        }

        #[test]
        fn keys_of_text_compare_as_comparison_keys(a in any::<String>(), b in any::<String>()) {
            let kind = KeyKind::Text(StringRule::CaseIgnore);
            let (key_a, key_b) = (kind.key(&a.as_str().into()), kind.key(&b.as_str().into()));
            if key_a.first() != Some(&OPAQUE) && key_b.first() != Some(&OPAQUE) {
                prop_assert_eq!(key_a.cmp(&key_b), StringRule::CaseIgnore.cmp_key(&a, &StringRule::CaseIgnore.key(&b)));
            }
        }
    }

    #[test]
    fn text_is_a_key_up_to_the_bound_and_a_hash_past_it() {
        for (length, opaque) in [(LONGEST, false), (LONGEST + 1, true), (100 * LONGEST, true)] {
            let key = text_key(&"x".repeat(length));
            assert_eq!(key.first() == Some(&OPAQUE), opaque, "{length}");
            assert!(key.len() <= LONGEST);
        }
    }
}
