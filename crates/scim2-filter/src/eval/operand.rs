//! Converts literals for comparison.

use alloc::borrow::Cow;
use alloc::string::ToString;

use scim2_core::compare::StringRule;
use scim2_core::schema::AttributeType;
use scim2_core::{AttributeDef, Mode, Number, Quirk, Value};

use super::compile::Compiler;
use super::condition::Operand;
use super::error::{Purpose, ResolveError, ResolveErrorKind as Kind};
use crate::{CompValue, CompareOp};

/// The converted literal for `def`, which is not complex, and the literal as a value of the attribute.
pub(super) fn operand(
    compiler: &Compiler<'_>,
    def: &AttributeDef,
    op: CompareOp,
    literal: &CompValue,
) -> Result<(Operand, Value), ResolveError> {
    let resolver = compiler.resolver;
    let type_ = def.attribute_type();
    if !applies(op, type_) || (*literal == CompValue::Null) {
        let with = if *literal == CompValue::Null { "null" } else { noun(type_) };
        return Err(ResolveError::with(
            Kind::Operator,
            def.path(),
            resolver.resource_type(),
            Purpose::Filter,
            with,
            op.as_str(),
        ));
    }
    let mismatch = |expected: &'static str| {
        let found = match literal {
            CompValue::String(_) => "a string",
            CompValue::Number(_) => "a number",
            CompValue::Bool(_) => "a boolean",
            CompValue::Null => "null",
            CompValue::BoolWord(_) => "a boolean in capitals",
            CompValue::Word(_) => "a word without quotes",
        };
        let found = if found == expected { "another one" } else { found };
        ResolveError::with(
            Kind::Value,
            def.path(),
            resolver.resource_type(),
            Purpose::Filter,
            expected,
            found,
        )
    };
    let coerces = resolver.compat.allows(Quirk::StringBoolFilter);
    let coerced = || compiler.noted.note(Quirk::StringBoolFilter);
    let unquoted = resolver.compat.allows(Quirk::FilterUnquoted);
    let text = match literal {
        CompValue::String(text) => Some(&**text),
        CompValue::Word(word) if unquoted => {
            compiler.noted.note(Quirk::FilterUnquoted);
            Some(word.as_str())
        }
        _ => None,
    };
    match type_ {
        AttributeType::String | AttributeType::Reference | AttributeType::Complex => {
            let text = match (text, literal) {
                (Some(text), _) => Cow::Borrowed(text),
                // The attribute is a string, so the client meant the literal as a string (Q-FILTER-UNQUOTED).
                (None, CompValue::Number(_) | CompValue::Bool(_) | CompValue::BoolWord(_)) if unquoted => {
                    compiler.noted.note(Quirk::FilterUnquoted);
                    Cow::Owned(literal.to_string())
                }
                (None, _) => return Err(mismatch("a string")),
            };
            let rule = def.string_rule();
            if resolver.compat.mode() == Mode::Default && holds_escaped_control(rule, &text) {
                return Err(ResolveError::with(
                    Kind::Value,
                    def.path(),
                    resolver.resource_type(),
                    Purpose::Filter,
                    "text without control characters",
                    "an escape such as `\\b`, which JSON reads as one (write `\\\\` for a backslash)",
                ));
            }
            Ok((Operand::Text { key: rule.key(&text).into(), rule }, Value::from(&*text)))
        }
        AttributeType::Binary => {
            let CompValue::String(text) = literal else { return Err(mismatch("a string")) };
            let rule = def.string_rule();
            Ok((Operand::Text { key: rule.key(text).into(), rule }, Value::from(&**text)))
        }
        AttributeType::Boolean => {
            let value = match (literal, text) {
                (CompValue::Bool(value), _) => *value,
                (CompValue::BoolWord(word), _) if resolver.compat.allows(Quirk::FilterLoose) => {
                    compiler.noted.note(Quirk::FilterLoose);
                    word.value()
                }
                (_, Some(text)) if coerces && text.eq_ignore_ascii_case("true") => {
                    coerced();
                    true
                }
                (_, Some(text)) if coerces && text.eq_ignore_ascii_case("false") => {
                    coerced();
                    false
                }
                _ => return Err(mismatch("a boolean")),
            };
            Ok((Operand::Bool(value), Value::Bool(value)))
        }
        AttributeType::Integer | AttributeType::Decimal => {
            let text = match (literal, text) {
                (CompValue::Number(number), _) => number.as_str(),
                (_, Some(text)) if coerces => {
                    coerced();
                    text
                }
                _ => return Err(mismatch("a number")),
            };
            let number: Number = text.parse().map_err(|_| mismatch("a number"))?;
            Ok((Operand::Number(number.clone()), Value::Number(number)))
        }
        AttributeType::DateTime => {
            let CompValue::String(text) = literal else { return Err(mismatch("a dateTime string")) };
            let instant = text.parse().map_err(|_| mismatch("a dateTime such as `2011-05-13T04:42:34Z`"))?;
            Ok((Operand::Instant(instant), Value::from(&**text)))
        }
    }
}

/// Says whether a text holds a control character that no value has, so that the client meant a backslash:
/// `"CORP\bjorn"` holds a backspace. Addresses may hold line breaks and tabs; a user name cannot.
fn holds_escaped_control(rule: StringRule, text: &str) -> bool {
    let allowed = |letter| matches!(letter, '\n' | '\r' | '\t') && rule != StringRule::UserName;
    text.chars().any(|letter| letter.is_ascii_control() && !allowed(letter))
}

fn applies(op: CompareOp, type_: AttributeType) -> bool {
    match type_ {
        AttributeType::String | AttributeType::Reference | AttributeType::Complex => true,
        AttributeType::Integer | AttributeType::Decimal | AttributeType::DateTime => !op.is_substring(),
        AttributeType::Boolean | AttributeType::Binary => !op.is_substring() && !op.is_ordering(),
    }
}

fn noun(type_: AttributeType) -> &'static str {
    match type_ {
        AttributeType::Complex => "complex attribute",
        AttributeType::Binary => "binary attribute",
        other => other.as_str(),
    }
}
