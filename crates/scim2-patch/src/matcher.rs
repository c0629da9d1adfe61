//! The filter of a value path, applied to the values of its attribute.

use std::cmp::Ordering;

use scim2_core::schema::AttributeType;
use scim2_core::{AttributeDef, AttributeId, Number, Object, Quirk, Value};
use scim2_filter::{AttrExp, AttrPath, CompValue, CompareOp, Filter};

use crate::context::Context;
use crate::error::{PatchErrorKind, cut};
use crate::values;

/// A filter that fits an attribute. Its tree is no deeper than the grammar's limit, and so is the
/// recursion over it.
pub(crate) enum Matcher<'t> {
    And(Vec<Matcher<'t>>),
    Or(Vec<Matcher<'t>>),
    Not(Box<Matcher<'t>>),
    Present(Option<&'t AttributeDef>),
    Compare(Option<&'t AttributeDef>, CompareOp, Literal),
}

/// A literal, prepared as its attribute compares.
pub(crate) enum Literal {
    Null,
    Text(Box<str>, scim2_core::compare::StringRule),
    Bool(bool),
    Number(Number),
}

impl<'t> Matcher<'t> {
    /// # Errors
    /// [`Filter`](PatchErrorKind::Filter) if a name is no sub-attribute or a literal is of another type.
    pub(crate) fn compile(
        filter: &Filter,
        top: AttributeId,
        cx: &mut Context<'t>,
    ) -> Result<Self, PatchErrorKind> {
        let mut all = |operands: &[Filter]| {
            operands.iter().map(|operand| Self::compile(operand, top, cx)).collect::<Result<Vec<_>, _>>()
        };
        match filter {
            Filter::And(operands) => Ok(Self::And(all(operands)?)),
            Filter::Or(operands) => Ok(Self::Or(all(operands)?)),
            Filter::Not(negation) => Ok(Self::Not(Box::new(Self::compile(negation.filter(), top, cx)?))),
            Filter::Attr(AttrExp::Present { path }) => Ok(Self::Present(sub_attribute(path, top, cx)?)),
            Filter::Attr(AttrExp::Compare { path, op, value }) => {
                let sub = sub_attribute(path, top, cx)?;
                let def = sub.unwrap_or(cx.type_.attribute(top));
                Ok(Self::Compare(sub, *op, literal(def, value, cx)?))
            }
            Filter::ValuePath(inner) => Err(no_such(cx.type_.attribute(top), inner.attr())),
        }
    }

    pub(crate) fn matches(&self, value: &Value) -> bool {
        match self {
            Self::And(all) => all.iter().all(|matcher| matcher.matches(value)),
            Self::Or(any) => any.iter().any(|matcher| matcher.matches(value)),
            Self::Not(matcher) => !matcher.matches(value),
            Self::Present(sub) => part(value, *sub).any(present),
            Self::Compare(sub, CompareOp::Ne, literal) => {
                let mut values = part(value, *sub).filter(|value| present(value)).peekable();
                match literal {
                    Literal::Null => values.peek().is_some(),
                    _ => {
                        values.peek().is_none() || values.any(|value| !compare(value, CompareOp::Eq, literal))
                    }
                }
            }
            Self::Compare(sub, CompareOp::Eq, Literal::Null) => !part(value, *sub).any(present),
            Self::Compare(sub, op, literal) => part(value, *sub).any(|value| compare(value, *op, literal)),
        }
    }
}

/// The value that a filter of `eq` terms describes; `None` if it says anything else.
pub(crate) fn template(
    filter: &Filter,
    def: &AttributeDef,
    cx: &mut Context<'_>,
) -> Result<Option<Value>, PatchErrorKind> {
    let terms = match filter {
        Filter::And(operands) => operands,
        single => std::slice::from_ref(single),
    };
    let mut made = Object::new();
    for term in terms {
        let Filter::Attr(AttrExp::Compare { path, op: CompareOp::Eq, value }) = term else { return Ok(None) };
        let sub = sub_attribute(path, def.id(), cx)?;
        let value = match value {
            CompValue::String(text) => Value::from(&**text),
            CompValue::Word(word) => Value::from(word.as_str()),
            CompValue::Bool(value) => Value::Bool(*value),
            CompValue::Number(number) => match serde_json::from_str(&number.to_string()) {
                Ok(number) => number,
                Err(_) => return Ok(None),
            },
            _ => continue,
        };
        match sub {
            None => return values::singular(def, value, cx),
            Some(sub) => {
                if let Some(value) = values::singular(sub, value, cx)? {
                    made.insert(sub.name(), value);
                }
            }
        }
    }
    Ok(Some(Value::Object(made)))
}

/// What a name within the brackets stands for; `None` is the value itself, of a simple attribute.
fn sub_attribute<'t>(
    path: &AttrPath,
    top: AttributeId,
    cx: &Context<'t>,
) -> Result<Option<&'t AttributeDef>, PatchErrorKind> {
    let def = cx.type_.attribute(top);
    if path.schema().is_some() || path.sub_attribute().is_some() {
        return Err(no_such(def, path));
    }
    if !def.is_complex() {
        return if path.name().eq_ignore_ascii_case("value") { Ok(None) } else { Err(no_such(def, path)) };
    }
    let sub = cx.type_.find_sub(top, path.name()).ok_or_else(|| no_such(def, path))?;
    Ok(Some(cx.type_.attribute(sub)))
}

fn no_such(def: &AttributeDef, path: &AttrPath) -> PatchErrorKind {
    let reason = format!("`{}` has no sub-attribute `{}` to filter by", def.path(), cut(path.as_str()));
    PatchErrorKind::Filter(reason.into())
}

fn literal(def: &AttributeDef, value: &CompValue, cx: &mut Context<'_>) -> Result<Literal, PatchErrorKind> {
    let mismatch = || {
        let reason = format!("`{}` is compared with a value of another type", def.path());
        PatchErrorKind::Filter(reason.into())
    };
    let text = match value {
        CompValue::String(text) => Some(&**text),
        CompValue::Word(word) => Some(word.as_str()),
        _ => None,
    };
    match (def.attribute_type(), value) {
        (_, CompValue::Null) => Ok(Literal::Null),
        (AttributeType::Boolean, CompValue::Bool(value)) => Ok(Literal::Bool(*value)),
        (AttributeType::Boolean, _) => {
            let at = text
                .and_then(|text| ["false", "true"].iter().position(|word| text.eq_ignore_ascii_case(word)));
            match at {
                Some(at) if cx.allows(Quirk::StringBoolFilter) => Ok(Literal::Bool(at == 1)),
                _ => Err(mismatch()),
            }
        }
        (AttributeType::Integer | AttributeType::Decimal, CompValue::Number(number)) => {
            serde_json::from_str::<Value>(&number.to_string())
                .ok()
                .and_then(|value| value.as_number().copied())
                .map(Literal::Number)
                .ok_or_else(mismatch)
        }
        (AttributeType::Integer | AttributeType::Decimal | AttributeType::Complex, _) => Err(mismatch()),
        _ => {
            let text = text.ok_or_else(mismatch)?;
            Ok(Literal::Text(def.string_rule().key(text).into(), def.string_rule()))
        }
    }
}

fn part<'v>(value: &'v Value, sub: Option<&AttributeDef>) -> std::slice::Iter<'v, Value> {
    match sub {
        None => std::slice::from_ref(value).iter(),
        Some(sub) => match value.as_object().and_then(|value| value.get(sub.name())) {
            Some(value) => value.values(),
            None => [].iter(),
        },
    }
}

///
fn present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(object) => !object.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn compare(value: &Value, op: CompareOp, literal: &Literal) -> bool {
    let ordered = |ordering: Ordering| match op {
        CompareOp::Eq => ordering == Ordering::Equal,
        CompareOp::Gt => ordering == Ordering::Greater,
        CompareOp::Ge => ordering != Ordering::Less,
        CompareOp::Lt => ordering == Ordering::Less,
        CompareOp::Le => ordering != Ordering::Greater,
        _ => false,
    };
    match (value, literal) {
        (Value::String(text), Literal::Text(key, rule)) => match op {
            CompareOp::Eq => rule.eq_key(text, key),
            CompareOp::Co => rule.key(text).contains(&**key),
            CompareOp::Sw => rule.key(text).starts_with(&**key),
            CompareOp::Ew => rule.key(text).ends_with(&**key),
            _ => ordered(rule.cmp_key(text, key)),
        },
        (Value::Bool(value), Literal::Bool(literal)) => op == CompareOp::Eq && value == literal,
        (Value::Number(value), Literal::Number(literal)) => value.partial_cmp(literal).is_some_and(ordered),
        _ => false,
    }
}
