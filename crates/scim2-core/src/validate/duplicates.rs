//! Values that stand twice in one list
//! ([RFC 7643 §2.4](https://www.rfc-editor.org/rfc/rfc7643#section-2.4)).

use std::borrow::Cow;
use std::collections::HashSet;

use super::Report;
use super::report::IgnoredReason;
use crate::compare::StringRule;
use crate::compiled::{AttributeDef, CompiledType};
use crate::value::Value;

/// Up to this many elements each is compared with those before it, which allocates nothing; more
/// are hashed, so that a group of a million members costs no quadratic time.
const FEW: usize = 16;

/// Keeps the first of several elements with the same pair of `type` and `value`; of members the
/// first with the same `value`, whatever else they say.
pub(super) fn remove(type_: &CompiledType, def: &AttributeDef, values: &mut Vec<Value>, report: &mut Report) {
    let Some(value_id) = type_.find_sub(def.id(), "value") else { return };
    let value_rule = type_.attribute(value_id).string_rule();
    let label_rule = if type_.members() == Some(def.id()) {
        None
    } else {
        type_.find_sub(def.id(), "type").map(|id| type_.attribute(id).string_rule())
    };
    let labelled = label_rule.is_some();
    let label_rule = label_rule.unwrap_or(StringRule::CaseExact);
    let repeated: Vec<usize> = if values.len() <= FEW {
        let same = |a: &Value, b: &Value| match (pair(a, labelled), pair(b, labelled)) {
            (Some((value, label)), Some((other, other_label))) => {
                value_rule.eq(value, other) && label_rule.eq(label, other_label)
            }
            _ => false,
        };
        let is_repeated =
            |(at, value): &(usize, &Value)| values.iter().take(*at).any(|before| same(before, value));
        values.iter().enumerate().filter(is_repeated).map(|(at, _)| at).collect()
    } else {
        let mut seen: HashSet<(Cow<'_, str>, Cow<'_, str>)> = HashSet::with_capacity(values.len());
        let pairs =
            values.iter().enumerate().filter_map(|(at, element)| Some((at, pair(element, labelled)?)));
        pairs
            .filter(|(_, (value, label))| !seen.insert((value_rule.key(value), label_rule.key(label))))
            .map(|(at, _)| at)
            .collect()
    };
    if !repeated.is_empty() {
        let mut repeated = repeated.into_iter().peekable();
        let mut at = 0;
        values.retain(|_| {
            at += 1;
            repeated.next_if_eq(&(at - 1)).is_none()
        });
        report.ignore(def.path(), IgnoredReason::Duplicate);
    }
}

/// What makes an element a duplicate of another; one without a string as `value` is none.
fn pair(element: &Value, labelled: bool) -> Option<(&str, &str)> {
    let object = element.as_object()?;
    let label = if labelled { object.get_str("type") } else { None };
    Some((object.get_str("value")?, label.unwrap_or_default()))
}
