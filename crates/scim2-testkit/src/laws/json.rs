use scim2_core::Value;
use scim2_core::json::{JsonErrorKind, JsonReader};

/// `JsonReader` reads what `serde_json` reads, and words and places syntax errors as it does.
///
/// `JsonReader` refuses more: repeated names, U+0000, and what nests deeper than its limit. It also accepts more:
/// numbers beyond the range of a double. What it reads never nests deeper than the limit, and prints as JSON that
/// reads back as itself.
///
/// # Panics
/// If one of these does not hold.
pub fn json_matches_serde_json(bytes: &[u8]) {
    for limit in [1, 3, JsonReader::DEFAULT_MAX_DEPTH, JsonReader::MAX_DEPTH] {
        let reader = JsonReader::new().max_depth(limit);
        let ours = reader.value(bytes);
        if let Ok(value) = &ours {
            assert!(depth(value) <= limit, "{value} within {limit} levels");
            assert_eq!(reader.value(value.to_string().as_bytes()).as_ref(), Ok(value));
        }
        compare(ours, serde_json::from_slice(bytes));
    }
}

fn compare(
    ours: Result<Value, scim2_core::json::JsonError>,
    theirs: Result<serde_json::Value, serde_json::Error>,
) {
    let out_of_range = |error: &serde_json::Error| error.to_string().starts_with("number out of range");
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => assert!(same(&ours, &theirs), "{ours} and {theirs}"),
        (Ok(ours), Err(theirs)) => assert!(out_of_range(&theirs), "{ours} and {theirs}"),
        (Err(ours), Ok(theirs)) => assert!(
            matches!(
                ours.kind(),
                JsonErrorKind::DuplicateName(_) | JsonErrorKind::Nul | JsonErrorKind::Depth
            ),
            "{ours} and {theirs}"
        ),
        (Err(ours), Err(theirs)) => {
            if *ours.kind() == JsonErrorKind::Syntax && !out_of_range(&theirs) {
                let theirs = theirs.to_string().replace(" at line ", ", at line ");
                assert_eq!(ours.to_string(), format!("the body is not JSON: {theirs}"));
            }
        }
    }
}

/// Says whether a value is what `serde_json` read, which rounds decimals.
fn same(ours: &Value, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(a), serde_json::Value::Bool(b)) => a == b,
        (Value::String(a), serde_json::Value::String(b)) => a == b,
        (Value::Number(a), serde_json::Value::Number(b)) => {
            let (x, y) = (a.to_f64(), b.as_f64().unwrap_or(f64::NAN));
            // Near zero, doubles are fewer and rounding is coarser.
            a.as_u64() == b.as_u64() && a.as_i64() == b.as_i64() || (x - y).abs() <= x.abs() * 1e-9 + 1e-300
        }
        (Value::Array(a), serde_json::Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), serde_json::Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => false,
    }
}

/// How many arrays and objects stand inside each other.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Object(object) => 1 + object.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
        _ => 0,
    }
}
