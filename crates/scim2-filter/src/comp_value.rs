use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use crate::Text;
use crate::grammar::{is_word, json_number};

/// The value that an attribute is compared with, the RFC's `compValue`: a JSON value that is not an array or
/// object.
///
/// [RFC 7644 §3.4.2.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.2),
/// [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259)
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CompValue {
    /// A JSON string, with its escapes resolved.
    String(Text),
    /// A JSON number, without loss.
    Number(NumberLiteral),
    /// `true` or `false`.
    Bool(bool),
    /// `null`, which means "no value".
    Null,
    /// `TRUE` or `False`, read only under
    /// [`Leniency::literals_in_any_case`](crate::Leniency::literals_in_any_case). Compared with a string
    /// attribute it is the text as written, if words without quotes are tolerated.
    BoolWord(BoolWord),
    /// A word without quotes, read only under
    /// [`Leniency::unquoted_words`](crate::Leniency::unquoted_words). Resolution accepts it only
    /// for a string attribute. `701984` and `true` are not words but JSON literals, which a string attribute accepts as
    /// text too.
    Word(Word),
}

impl From<&str> for CompValue {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for CompValue {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<Text> for CompValue {
    fn from(text: Text) -> Self {
        Self::String(text)
    }
}

impl From<bool> for CompValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for CompValue {
    fn from(value: i64) -> Self {
        Self::Number(value.into())
    }
}

impl From<u64> for CompValue {
    fn from(value: u64) -> Self {
        Self::Number(value.into())
    }
}

impl From<i32> for CompValue {
    fn from(value: i32) -> Self {
        Self::Number(i64::from(value).into())
    }
}

impl From<NumberLiteral> for CompValue {
    fn from(value: NumberLiteral) -> Self {
        Self::Number(value)
    }
}

/// A JSON number as it was written.
///
/// Equality compares the spelling: `1.0` and `1` are different literals. Evaluation compares the values.
///
/// ```
/// use scim2_filter::NumberLiteral;
///
/// let large: NumberLiteral = "9007199254740993".parse()?; // 2^53 + 1
/// assert_eq!(large.as_i64(), Some(9_007_199_254_740_993));
/// let decimal: NumberLiteral = "-1.50e3".parse()?;
/// assert_eq!((decimal.as_i64(), decimal.as_str()), (None, "-1.50e3"));
/// assert!("01".parse::<NumberLiteral>().is_err());
/// # Ok::<(), scim2_filter::NumberError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NumberLiteral(Text);

impl NumberLiteral {
    /// INVARIANT: `text` is a JSON number.
    pub(crate) fn from_json(text: &str) -> Self {
        Self(text.into())
    }

    /// The literal as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number, if it was written as an integer that fits. `None` for `-0`, which would print as `0`.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok().filter(|_| self.as_str() != "-0")
    }

    /// The number, if it was written as an integer that fits.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }
}

impl From<i64> for NumberLiteral {
    fn from(value: i64) -> Self {
        Self(value.to_string().into())
    }
}

impl From<u64> for NumberLiteral {
    fn from(value: u64) -> Self {
        Self(value.to_string().into())
    }
}

impl FromStr for NumberLiteral {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        if json_number(text) { Ok(Self::from_json(text)) } else { Err(NumberError(())) }
    }
}

impl fmt::Display for NumberLiteral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NumberLiteral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a JSON number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberError(());

impl fmt::Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a JSON number such as `7`, `-1.5` or `2e3`")
    }
}

impl core::error::Error for NumberError {}

/// A boolean literal in another letter case than that of JSON: `TRUE`, `False`.
///
/// Equality compares the spelling, as for numbers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BoolWord(Text);

impl BoolWord {
    /// The literal that `token` spells, in any letter case except that of JSON.
    pub(crate) fn parse(token: &str) -> Option<Self> {
        let literal = ["true", "false"].iter().find(|literal| token.eq_ignore_ascii_case(literal))?;
        (token != *literal).then(|| Self(token.into()))
    }

    /// Its value for a boolean attribute.
    #[must_use]
    pub fn value(&self) -> bool {
        self.0.eq_ignore_ascii_case("true")
    }

    /// The literal as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A comparison value without quotes, as some clients send it: `userName eq bjensen`, `externalId eq 0042`.
///
/// It looks like a name, an id, a number or an address. Text with quotes around it, percent-encoded text,
/// HTML entities, placeholders such as `$1` or `undefined`, and JSON literals are not words.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Word(Text);

impl Word {
    /// The word that `token` is, if it is one. `token` is not a JSON literal.
    pub(crate) fn parse(token: &str) -> Option<Self> {
        is_word(token).then(|| Self(token.into()))
    }

    /// The word as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_kept_as_written() {
        for text in [
            "0",
            "-0",
            "7",
            "-7",
            "1.0",
            "1e5",
            "1E+5",
            "-0.0",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775808",
            "-9223372036854775809",
        ] {
            assert_eq!(text.parse::<NumberLiteral>().unwrap().to_string(), text);
        }
        for text in ["", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x1", "NaN", "1 ", "--1", "1.2.3"] {
            assert!(text.parse::<NumberLiteral>().is_err(), "{text:?}");
        }
        assert_eq!(NumberLiteral::from(u64::MAX).as_u64(), Some(u64::MAX));
        assert_eq!(NumberLiteral::from(7_u64), NumberLiteral::from(7_i64));
        assert_eq!(NumberLiteral::from(-1_i64).as_u64(), None);
    }
}
