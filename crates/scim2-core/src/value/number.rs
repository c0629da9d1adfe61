use std::cmp::Ordering;
use std::fmt;

/// A JSON number: an integer exact over the range of `i64` and `u64`, else a decimal.
///
/// An integer written with a fraction or an exponent (`1.0`, `1e3`) is a decimal
/// ([RFC 7643 §2.3.4](https://www.rfc-editor.org/rfc/rfc7643#section-2.3.4)). Numbers compare by
/// value, exactly, whatever their form: `1 == 1.0`, and integers beyond 2^53 are not rounded.
///
/// A decimal is a binary fraction of 64 bits: of more than 15 digits the last may change when it
/// is read from JSON.
///
/// ```
/// use scim2_core::Number;
///
/// let big = Number::from(9_007_199_254_740_993_i64);
/// assert!(big > Number::from_f64(9_007_199_254_740_992.0).expect("finite"));
/// assert_eq!(Number::from(1_i64), Number::from_f64(1.0).expect("finite"));
/// assert!(!Number::from_f64(1.0).expect("finite").is_integer());
/// ```
#[derive(Clone, Copy)]
pub struct Number(Repr);

#[derive(Clone, Copy)]
enum Repr {
    Signed(i64),
    /// Only above `i64::MAX`.
    Unsigned(u64),
    /// Only finite.
    Decimal(f64),
}

impl Number {
    /// A decimal; `None` for what JSON cannot say (infinities and NaN).
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self(Repr::Decimal(value)))
    }

    /// Says whether the number was written without fraction and exponent.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        !matches!(self.0, Repr::Decimal(_))
    }

    /// The integer, if it is one and fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        if let Repr::Signed(value) = self.0 { Some(value) } else { None }
    }

    /// The integer, if it is one and fits.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match self.0 {
            Repr::Signed(value) => value.try_into().ok(),
            Repr::Unsigned(value) => Some(value),
            Repr::Decimal(_) => None,
        }
    }

    /// The nearest decimal.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "the nearest decimal is what is asked for")]
    pub fn to_f64(&self) -> f64 {
        match self.0 {
            Repr::Signed(value) => value as f64,
            Repr::Unsigned(value) => value as f64,
            Repr::Decimal(value) => value,
        }
    }

    fn as_i128(&self) -> Option<i128> {
        match self.0 {
            Repr::Signed(value) => Some(value.into()),
            Repr::Unsigned(value) => Some(value.into()),
            Repr::Decimal(_) => None,
        }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(Repr::Signed(value))
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self(i64::try_from(value).map_or(Repr::Unsigned(value), Repr::Signed))
    }
}

impl From<serde_json::Number> for Number {
    fn from(number: serde_json::Number) -> Self {
        if let Some(value) = number.as_i64() {
            value.into()
        } else if let Some(value) = number.as_u64() {
            value.into()
        } else {
            // A number of serde_json is finite unless another crate turns on its arbitrary precision.
            number.as_f64().and_then(Self::from_f64).unwrap_or(Self(Repr::Decimal(f64::MAX)))
        }
    }
}

impl From<Number> for serde_json::Number {
    fn from(number: Number) -> Self {
        match number.0 {
            Repr::Signed(value) => value.into(),
            Repr::Unsigned(value) => value.into(),
            Repr::Decimal(value) => Self::from_f64(value).unwrap_or_else(|| 0.into()),
        }
    }
}

impl serde::Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Repr::Signed(value) => serializer.serialize_i64(value),
            Repr::Unsigned(value) => serializer.serialize_u64(value),
            Repr::Decimal(value) => serializer.serialize_f64(value),
        }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.as_i128(), other.as_i128()) {
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(integer), None) => cmp_integer_decimal(integer, other.to_f64()),
            (None, Some(integer)) => cmp_integer_decimal(integer, self.to_f64()).reverse(),
            // Both are finite; adding zero makes -0.0 and 0.0 one value.
            (None, None) => (self.to_f64() + 0.0).total_cmp(&(other.to_f64() + 0.0)),
        }
    }
}

/// Compares without rounding: the decimal is split into its integral part, exact as an `i128` in
/// the range of 64-bit integers, and the rest.
fn cmp_integer_decimal(integer: i128, decimal: f64) -> Ordering {
    const BEYOND: f64 = 36_893_488_147_419_103_232.0; // 2^65
    if decimal >= BEYOND {
        return Ordering::Less;
    }
    if decimal <= -BEYOND {
        return Ordering::Greater;
    }
    let floor = decimal.floor();
    #[expect(clippy::cast_possible_truncation, reason = "within ±2^65 and integral")]
    let whole = floor as i128;
    integer.cmp(&whole).then(if decimal > floor { Ordering::Less } else { Ordering::Equal })
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Repr::Signed(value) => value.fmt(f),
            Repr::Unsigned(value) => value.fmt(f),
            Repr::Decimal(_) => serde_json::Number::from(*self).fmt(f),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn number(json: &str) -> Number {
        let Ok(super::super::Value::Number(number)) = serde_json::from_str(json) else { panic!("{json}") };
        number
    }

    #[test]
    fn compares_by_value_without_rounding() {
        let ascending = [
            "-1e300",
            "-9223372036854775808",
            "-1.5",
            "-1",
            "0",
            "0.1",
            "1",
            "9007199254740992",
            "9007199254740993",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
            "1e300",
        ];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(number(a).cmp(&number(b)), i.cmp(&j), "{a} and {b}");
            }
        }
        assert_eq!(number("-0.0"), number("0"));
        assert_eq!(number("-0.0"), number("0.0"));
        assert_eq!(number("1e3"), number("1000"));
    }

    #[test]
    fn rfc7643_2_3_4_an_integer_has_neither_fraction_nor_exponent() {
        assert!(number("1000").is_integer());
        assert!(number("18446744073709551615").is_integer());
        assert!(!number("1e3").is_integer());
        assert!(!number("1.0").is_integer());
    }

    #[test]
    fn prints_what_it_was() {
        for text in ["0", "-1", "18446744073709551615", "0.5", "10.0", "1.5e-9"] {
            assert_eq!(number(text).to_string(), text);
        }
    }
}
