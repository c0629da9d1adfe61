//! The canonical text: operators in lower case, one space, the fewest parentheses, JSON escapes.

use core::fmt::{self, Write};

use crate::{AttrExp, CompValue, Filter, PatchPath, ValuePath};

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(operands) => {
                for (index, operand) in operands.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { " and " })?;
                    match operand {
                        Self::Or(_) => write!(f, "({operand})")?,
                        _ => operand.fmt(f)?,
                    }
                }
                Ok(())
            }
            Self::Or(operands) => {
                for (index, operand) in operands.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { " or " })?;
                    operand.fmt(f)?;
                }
                Ok(())
            }
            Self::Not(negation) => write!(f, "not ({})", negation.filter()),
            Self::Attr(exp) => exp.fmt(f),
            Self::ValuePath(value_path) => value_path.fmt(f),
        }
    }
}

impl fmt::Display for AttrExp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present { path } => write!(f, "{path} pr"),
            Self::Compare { path, op, value } => write!(f, "{path} {op} {value}"),
        }
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.attr(), self.filter())
    }
}

impl fmt::Display for PatchPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attr(path) => path.fmt(f),
            Self::Value { value_path, sub_attribute: None } => value_path.fmt(f),
            Self::Value { value_path, sub_attribute: Some(name) } => write!(f, "{value_path}.{name}"),
        }
    }
}

impl fmt::Display for CompValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => write_json_string(f, text),
            Self::Number(number) => number.fmt(f),
            Self::Bool(value) => value.fmt(f),
            Self::Null => f.write_str("null"),
            Self::BoolWord(word) => f.write_str(word.as_str()),
            Self::Word(word) => f.write_str(word.as_str()),
        }
    }
}

/// Escapes only the characters that RFC 8259 requires to be escaped.
fn write_json_string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20) {
        let (plain, special) = rest.split_at_checked(at).unwrap_or((rest, ""));
        f.write_str(plain)?;
        let mut letters = special.chars();
        match letters.next() {
            Some('"') => f.write_str("\\\"")?,
            Some('\\') => f.write_str("\\\\")?,
            Some('\n') => f.write_str("\\n")?,
            Some('\r') => f.write_str("\\r")?,
            Some('\t') => f.write_str("\\t")?,
            Some('\u{8}') => f.write_str("\\b")?,
            Some('\u{c}') => f.write_str("\\f")?,
            Some(other) => write!(f, "\\u{:04x}", u32::from(other))?,
            None => {}
        }
        rest = letters.as_str();
    }
    f.write_str(rest)?;
    f.write_char('"')
}
