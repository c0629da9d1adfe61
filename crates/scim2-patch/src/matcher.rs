//! The filter of a value path: the values that it chooses, and the value that it describes.

use scim2_core::work::{VISIT, text_cost};
use scim2_core::{AttributeDef, Compat, CompiledType, Object, Quirk, Value};
use scim2_filter::{AttrExp, CompValue, CompareOp, Condition, ElementFilter, Filter, Resolver};

use crate::context::Context;
use crate::error::PatchErrorKind;
use crate::path;

/// Compiles a filter for the values of an attribute.
///
/// # Errors
/// [`Resolve`](PatchErrorKind::Resolve) if it does not fit: a name is not a sub-attribute, or a
/// literal has another type.
pub(crate) fn compile(
    filter: &Filter,
    def: &AttributeDef,
    cx: &mut Context<'_>,
) -> Result<ElementFilter, PatchErrorKind> {
    let with = |compat: Compat| Resolver::new(cx.type_, compat).element_filter(filter, def.id());
    // A filter that follows the RFC needs no quirk. For another one find out which quirks it needs.
    const TOLERATED: [Quirk; 4] =
        [Quirk::StringBoolFilter, Quirk::UrnWrong, Quirk::FilterUnquoted, Quirk::FilterLoose];
    let letter = TOLERATED.into_iter().fold(*cx.compat, |compat, quirk| compat.with(quirk, false));
    if let Ok(compiled) = with(letter) {
        return Ok(compiled);
    }
    let compiled = with(*cx.compat).map_err(PatchErrorKind::Resolve)?;
    let needed: Vec<Quirk> = path::needed(cx.compat, &TOLERATED, |compat| with(*compat).is_ok()).collect();
    needed.into_iter().for_each(|quirk| cx.tolerate(quirk));
    Ok(compiled)
}

/// The places of the values that a filter chooses, in order.
///
/// # Errors
/// [`TooMuchWork`](PatchErrorKind::TooMuchWork).
pub(crate) fn matches(
    filter: &ElementFilter,
    values: Option<&Value>,
    cx: &Context<'_>,
) -> Result<Vec<usize>, PatchErrorKind> {
    let mut places = Vec::new();
    for (at, value) in values.into_iter().flat_map(Value::values).enumerate() {
        if is_match(filter, value, cx)? {
            places.push(at);
        }
    }
    Ok(places)
}

/// Says whether a filter chooses a value.
///
/// # Errors
/// [`TooMuchWork`](PatchErrorKind::TooMuchWork).
pub(crate) fn is_match(
    filter: &ElementFilter,
    value: &Value,
    cx: &Context<'_>,
) -> Result<bool, PatchErrorKind> {
    filter.matches_within(value, cx.work).map_err(|_| PatchErrorKind::TooMuchWork)
}

/// The work of compiling a filter: each term is looked up, and each literal is converted to its comparison key. The parser
/// bounds the depth of the recursion.
pub(crate) fn cost(filter: &Filter) -> u64 {
    match filter {
        Filter::And(operands) | Filter::Or(operands) => {
            operands.iter().map(cost).fold(0, u64::saturating_add)
        }
        Filter::Not(negation) => cost(negation.filter()),
        Filter::Attr(AttrExp::Compare { value: CompValue::String(text), .. }) => VISIT + text_cost(text),
        Filter::Attr(_) => VISIT,
        Filter::ValuePath(value_path) => cost(value_path.filter()),
    }
}

/// The value that a filter of `eq` terms describes. `None` if the filter has other terms, or contradicts itself.
pub(crate) fn template(filter: &ElementFilter, def: &AttributeDef, cx: &Context<'_>) -> Option<Value> {
    described(filter, def, cx).filter(|value| filter.matches(value))
}

/// Checks the lengths of the strings that a [template](self::template) takes from the filter, because they were not
/// canonicalized.
pub(crate) fn check_lengths(
    made: &Value,
    def: &AttributeDef,
    type_: &CompiledType,
) -> Result<(), PatchErrorKind> {
    let check = |def: &AttributeDef, value: &Value| {
        value.as_str().map_or(Ok(()), |text| def.check_length(text).map_err(PatchErrorKind::Value))
    };
    let Value::Object(made) = made else { return check(def, made) };
    made.iter().try_for_each(|(name, value)| match type_.find_sub(def.id(), name) {
        Some(sub) => check(type_.attribute(sub), value),
        None => Ok(()),
    })
}

fn described(filter: &ElementFilter, def: &AttributeDef, cx: &Context<'_>) -> Option<Value> {
    let terms = match filter.condition() {
        Condition::And(terms) => terms,
        single => std::slice::from_ref(single),
    };
    let mut made = Object::new();
    for term in terms {
        match term {
            Condition::Compare(term) if term.op() == CompareOp::Eq => {
                if !def.is_complex() {
                    return Some(term.value().clone());
                }
                made.insert(cx.type_.attribute(term.subject().attribute()).name(), term.value().clone());
            }
            // `eq null` says that the value lacks the sub-attribute.
            Condition::Not(absent) if matches!(**absent, Condition::Present(_)) => {}
            _ => return None,
        }
    }
    Some(Value::Object(made))
}
