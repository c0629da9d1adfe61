//! The filter of a value path: which values it chooses, and which value it describes.

use scim2_core::{AttributeDef, Compat, Object, Quirk, Value};
use scim2_filter::{CompareOp, Condition, ElementFilter, Filter, Resolver};

use crate::context::Context;
use crate::error::PatchErrorKind;
use crate::path;

/// A filter that fits an attribute.
///
/// # Errors
/// [`Resolve`](PatchErrorKind::Resolve) if it does not: a name is no sub-attribute, a literal is of
/// another type.
pub(crate) fn compile(
    filter: &Filter,
    def: &AttributeDef,
    cx: &mut Context<'_>,
) -> Result<ElementFilter, PatchErrorKind> {
    let with = |compat: Compat| Resolver::new(cx.type_, compat).element_filter(filter, def.id());
    // A filter to the letter needs no tolerance; of another it is asked what it needs.
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
pub(crate) fn matches(filter: &ElementFilter, values: Option<&Value>) -> Vec<usize> {
    let values = values.into_iter().flat_map(Value::values).enumerate();
    values.filter(|(_, value)| filter.matches(value)).map(|(at, _)| at).collect()
}

/// How many tests a filter makes of one value, at most. The parser bounds how deep it nests.
pub(crate) fn terms(filter: &Filter) -> usize {
    match filter {
        Filter::And(operands) | Filter::Or(operands) => operands.iter().map(terms).sum(),
        Filter::Not(negation) => terms(negation.filter()),
        Filter::Attr(_) => 1,
        Filter::ValuePath(value_path) => terms(value_path.filter()),
    }
}

/// The value that a filter of `eq` terms describes; `None` if it says anything else, or what no one
/// value is.
pub(crate) fn template(filter: &ElementFilter, def: &AttributeDef, cx: &Context<'_>) -> Option<Value> {
    described(filter, def, cx).filter(|value| filter.matches(value))
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
            // `eq null` describes a value by what it has not.
            Condition::Not(absent) if matches!(**absent, Condition::Present(_)) => {}
            _ => return None,
        }
    }
    Some(Value::Object(made))
}
