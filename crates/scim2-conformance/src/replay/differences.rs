//! Compares what an exchange expects with what a service provider returned.
//!
//! Only the listed keys of an object count. `null` means that the attribute is absent, null or an empty array. Arrays have
//! no order. Whether they may have more elements is [`Arrays`].

use serde_json::Value;

/// How the elements of an expected array are compared with those of an actual one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrays {
    /// Each expected element matches a different actual element, and there are no others: for the state of a resource.
    Exact,
    /// Each expected element matches a different actual element, and there may be others: for the body of a response.
    /// An empty expected array still matches an empty one only.
    Contains,
}

/// Where `actual` is not as `expected`, one line each.
pub(super) fn differences(expected: &Value, actual: &Value, arrays: Arrays) -> Vec<String> {
    let mut found = Vec::new();
    compare("", expected, actual, arrays, &mut found);
    found
}

// The depth is that of `expected`, which serde_json limits to 128.
fn compare(place: &str, expected: &Value, actual: &Value, arrays: Arrays, found: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Null, actual) if is_unassigned(actual) => {}
        (Value::Array(wanted), actual) if wanted.is_empty() && is_unassigned(actual) => {}
        (Value::Object(wanted), Value::Object(there)) => {
            for (key, wanted) in wanted {
                let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                compare(&place, wanted, there.get(key).unwrap_or(&Value::Null), arrays, found);
            }
        }
        (Value::Array(wanted), Value::Array(there)) => {
            if !assign(wanted, there, arrays, &mut vec![false; there.len()]) {
                found.push(format!("{place}: expected elements {expected}, got {actual}"));
            } else if there.len() > wanted.len() && (arrays == Arrays::Exact || wanted.is_empty()) {
                found.push(format!("{place}: expected nothing besides {expected}, got {actual}"));
            }
        }
        (expected, actual) if expected == actual => {}
        (expected, actual) => found.push(format!("{place}: expected {expected}, got {actual}")),
    }
}

/// Finds a different element of `there` for each of `wanted`. It tries every assignment, because the arrays of exchanges
/// are small.
fn assign(wanted: &[Value], there: &[Value], arrays: Arrays, taken: &mut Vec<bool>) -> bool {
    let Some((first, rest)) = wanted.split_first() else { return true };
    for (index, candidate) in there.iter().enumerate() {
        let free = taken.get(index).is_some_and(|taken| !taken);
        if free && differences(first, candidate, arrays).is_empty() {
            if let Some(slot) = taken.get_mut(index) {
                *slot = true;
            }
            if assign(rest, there, arrays, taken) {
                return true;
            }
            if let Some(slot) = taken.get_mut(index) {
                *slot = false;
            }
        }
    }
    false
}

/// [RFC 7643 §2.5](https://www.rfc-editor.org/rfc/rfc7643#section-2.5): absent, null and `[]` are one state.
fn is_unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(expected: Value, actual: Value, arrays: Arrays, matches: bool) {
        let found = differences(&expected, &actual, arrays);
        assert_eq!(found.is_empty(), matches, "{found:?}");
    }

    #[test]
    fn only_listed_keys_count() {
        check(json!({"a": 1}), json!({"a": 1, "b": 2}), Arrays::Exact, true);
        check(json!({"a": {"x": 1}}), json!({"a": {"x": 2}}), Arrays::Exact, false);
        check(json!({"a": 1}), json!({}), Arrays::Exact, false);
    }

    #[test]
    fn null_is_absent_null_or_empty() {
        for actual in [json!({}), json!({"a": null}), json!({"a": []})] {
            check(json!({"a": null}), actual.clone(), Arrays::Exact, true);
            check(json!({"a": []}), actual, Arrays::Contains, true);
        }
        check(json!({"a": null}), json!({"a": ""}), Arrays::Exact, false);
        check(json!({"a": []}), json!({"a": [1]}), Arrays::Contains, false);
    }

    #[test]
    fn state_arrays_have_no_order_and_no_rest() {
        check(json!([1, 2]), json!([2, 1]), Arrays::Exact, true);
        check(json!([1]), json!([1, 2]), Arrays::Exact, false);
        check(json!([1, 1]), json!([1, 2]), Arrays::Exact, false);
    }

    #[test]
    fn every_expected_element_needs_one_of_its_own() {
        // The first expected element fits both; taking the wrong one first must not lose the match.
        let expected = json!([{"type": "work"}, {"type": "work", "value": "a"}]);
        let actual = json!([{"type": "work", "value": "a"}, {"type": "work", "value": "b"}]);
        check(expected, actual, Arrays::Exact, true);
    }

    #[test]
    fn response_arrays_may_hold_more() {
        check(json!({"schemas": ["x"]}), json!({"schemas": ["y", "x"]}), Arrays::Contains, true);
        check(json!({"schemas": ["x"]}), json!({"schemas": ["y"]}), Arrays::Contains, false);
    }
}
