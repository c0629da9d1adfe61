//! Values that stand twice in one list
//! ([RFC 7643 §2.4](https://www.rfc-editor.org/rfc/rfc7643#section-2.4)).

use std::borrow::Cow;
use std::collections::HashSet;

use super::Report;
use super::report::IgnoredReason;
use crate::compiled::{AttributeDef, CompiledType};
use crate::value::Value;

/// Keeps the first of several elements with the same pair of `type` and `value`; of members the
/// first with the same `value`, whatever else they say.
pub(super) fn remove(type_: &CompiledType, def: &AttributeDef, values: &mut Vec<Value>, report: &mut Report) {
    let Some(value_id) = type_.find_sub(def.id(), "value") else { return };
    let value_rule = type_.attribute(value_id).string_rule();
    let label = if type_.members() == Some(def.id()) {
        None
    } else {
        type_.find_sub(def.id(), "type").map(|id| type_.attribute(id).string_rule())
    };
    let repeated: Vec<bool> = {
        let mut seen: HashSet<(Cow<'_, str>, Cow<'_, str>)> = HashSet::with_capacity(values.len());
        values
            .iter()
            .map(|element| {
                let Some(object) = element.as_object() else { return false };
                let Some(value) = object.get_str("value") else { return false };
                let label = label.and_then(|rule| Some(rule.key(object.get_str("type")?)));
                !seen.insert((value_rule.key(value), label.unwrap_or_default()))
            })
            .collect()
    };
    if repeated.contains(&true) {
        let mut repeated = repeated.into_iter();
        values.retain(|_| !repeated.next().unwrap_or(false));
        report.ignore(def.path(), IgnoredReason::Duplicate);
    }
}
