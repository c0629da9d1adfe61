use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

mod parts;

use self::parts::Parts;

/// A JSON number: an integer, or a decimal, without loss.
///
/// Nothing that was read is lost. Integers are kept in the range of `i64` and `u64`, decimals as a double if
/// they are its shortest decimal, and all other numbers as text. So `1.10` prints as `1.1`, and
/// `0.12345678901234567890` unchanged.
///
/// An integer written with a fraction or an exponent (`1.0`, `1e3`) is a decimal
/// ([RFC 7643 §2.3.4](https://www.rfc-editor.org/rfc/rfc7643#section-2.3.4)). Numbers compare and
/// hash by value, exactly, whatever their form: `1 == 1.0`.
///
/// ```
/// use scim2_core::Number;
///
/// let big: Number = "9007199254740993".parse()?;                  // 2^53 + 1
/// assert!(big > "9007199254740992.0".parse()?);
/// assert!("0.12345678901234567890".parse::<Number>()? < "0.12345678901234567891".parse()?);
/// assert_eq!("1e3".parse::<Number>()?, Number::from(1000_i64));
/// assert!(!"1e3".parse::<Number>()?.is_integer());
/// assert!("1e999999999".parse::<Number>()? < "1e1000000000".parse()?);
/// assert!("01".parse::<Number>().is_err());
/// # Ok::<(), scim2_core::NumberError>(())
/// ```
///
/// # Limits
/// Exponents beyond ±2^61 count as ±2^61. A `Deserialize` that does not use
/// [`JsonReader`](crate::json::JsonReader) gets decimals as doubles, because serde has no longer type.
#[derive(Clone)]
pub struct Number(Repr);

#[derive(Clone)]
enum Repr {
    Signed(i64),
    /// INVARIANT: above `i64::MAX`.
    Unsigned(u64),
    /// INVARIANT: finite. The value is that of the shortest decimal which reads back as it.
    Double(f64),
    /// INVARIANT: a JSON number.
    Text(Box<Text>),
}

/// Boxed twice: with a thin pointer, a number takes only two words.
#[derive(Clone)]
struct Text(Box<str>);

impl Number {
    /// The decimal that the double prints as; `None` for infinities and NaN, which JSON does not have.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self(Repr::Double(value)))
    }

    /// INVARIANT: `text` is a JSON number.
    pub(crate) fn from_json(text: &str) -> Self {
        if let Some(integer) = integer(text) {
            return integer;
        }
        let parts = Parts::of(text);
        match text.parse::<f64>() {
            // A decimal with so few digits is always the shortest decimal of its double.
            Ok(double) if double.is_normal() && parts.digits().count() <= f64::DIGITS as usize => {
                Self(Repr::Double(double))
            }
            Ok(double) if double.is_finite() && parts.same_as_shortest(double) => Self(Repr::Double(double)),
            _ => Self(Repr::Text(Box::new(Text(text.into())))),
        }
    }

    /// Says whether the number was written without fraction and exponent.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        match &self.0 {
            Repr::Signed(_) | Repr::Unsigned(_) => true,
            Repr::Double(_) => false,
            Repr::Text(text) => !text.0.contains(['.', 'e', 'E']),
        }
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
            Repr::Double(_) | Repr::Text(_) => None,
        }
    }

    /// The nearest double; the largest double for larger numbers.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "the nearest double is what is asked for")]
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            Repr::Signed(value) => *value as f64,
            Repr::Unsigned(value) => *value as f64,
            Repr::Double(value) => *value,
            Repr::Text(text) => text.0.parse().unwrap_or(0.0_f64).clamp(f64::MIN, f64::MAX),
        }
    }

    /// A text for indexes: keys compare byte by byte as the numbers do.
    ///
    /// ASCII; a few bytes longer than the number's digits.
    #[must_use]
    pub fn key(&self) -> String {
        self.with_parts(|parts| parts.key())
    }

    fn as_i128(&self) -> Option<i128> {
        match self.0 {
            Repr::Signed(value) => Some(value.into()),
            Repr::Unsigned(value) => Some(value.into()),
            Repr::Double(_) | Repr::Text(_) => None,
        }
    }

    fn with_parts<T>(&self, see: impl FnOnce(Parts<'_>) -> T) -> T {
        match &self.0 {
            Repr::Text(text) => see(Parts::of(&text.0)),
            Repr::Signed(value) => see(Parts::of(parts::written(value).as_str())),
            Repr::Unsigned(value) => see(Parts::of(parts::written(value).as_str())),
            Repr::Double(value) => see(Parts::of(parts::shortest(*value).as_str())),
        }
    }
}

/// The number, if it is an integer without fraction and exponent that fits into 64 bits.
fn integer(text: &str) -> Option<Number> {
    text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok()
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

impl FromStr for Number {
    type Err = NumberError;

    /// Reads a number as JSON writes it.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        if parts::is_json(text) { Ok(Self::from_json(text)) } else { Err(NumberError(())) }
    }
}

impl From<serde_json::Number> for Number {
    fn from(number: serde_json::Number) -> Self {
        Self::from_json(&number.to_string())
    }
}

impl From<Number> for serde_json::Number {
    /// The nearest number that `serde_json` has.
    fn from(number: Number) -> Self {
        match number.0 {
            Repr::Signed(value) => value.into(),
            Repr::Unsigned(value) => value.into(),
            Repr::Double(_) | Repr::Text(_) => Self::from_f64(number.to_f64()).unwrap_or_else(|| 0.into()),
        }
    }
}

impl serde::Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Repr::Signed(value) => serializer.serialize_i64(*value),
            Repr::Unsigned(value) => serializer.serialize_u64(*value),
            Repr::Double(value) => serializer.serialize_f64(*value),
            Repr::Text(text) => {
                let raw = serde_json::value::RawValue::from_string(text.0.clone().into_string());
                raw.map_err(serde::ser::Error::custom)?.serialize(serializer)
            }
        }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Repr::Signed(a), Repr::Signed(b)) => a.cmp(b),
            // Shortest decimals have the order of their doubles. Adding zero turns -0.0 into 0.0.
            (Repr::Double(a), Repr::Double(b)) => (a + 0.0).total_cmp(&(b + 0.0)),
            _ => match (self.as_i128(), other.as_i128()) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => self.with_parts(|a| other.with_parts(|b| a.cmp(&b))),
            },
        }
    }
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

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.with_parts(|parts| parts.hash(state));
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Signed(value) => value.fmt(f),
            Repr::Unsigned(value) => value.fmt(f),
            Repr::Double(_) => serde_json::Number::from(self.clone()).fmt(f),
            Repr::Text(text) => f.write_str(&text.0),
        }
    }
}

impl fmt::Debug for Number {
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

impl std::error::Error for NumberError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn number(json: &str) -> Number {
        json.parse().expect("a number")
    }

    fn hash(number: &Number) -> u64 {
        let mut hasher = std::collections::hash_map::DefaultHasher::new();
        number.hash(&mut hasher);
        hasher.finish()
    }

    const ASCENDING: &[&str] = &[
        "-1e1000000",
        "-1e300",
        "-9223372036854775809",
        "-9223372036854775808",
        "-1.5",
        "-1",
        "-1e-400",
        "0",
        "1e-1000000",
        "5e-324",
        "0.1",
        "0.12345678901234567",
        "0.123456789012345678900000000000000001",
        "0.1234567890123456789001",
        "1",
        "9007199254740992",
        "9007199254740992.5",
        "9007199254740993",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551615.000000000000000000001",
        "18446744073709551616",
        "1e300",
        "1e999999999",
        "1e1000000000",
    ];

    #[test]
    fn compares_by_value_without_rounding() {
        for (i, a) in ASCENDING.iter().enumerate() {
            for (j, b) in ASCENDING.iter().enumerate() {
                let (a, b) = (number(a), number(b));
                assert_eq!(a.cmp(&b), i.cmp(&j), "{a} and {b}");
                assert_eq!(a.key().cmp(&b.key()), i.cmp(&j), "{a} and {b}: {} {}", a.key(), b.key());
            }
        }
    }

    #[test]
    fn a_double_is_the_decimal_it_prints_as() {
        // Halfway between two decimals of the same length.
        for text in ["-1468891877673785.25", "1125899906842624.75", "2251799813685249.5"] {
            let double: f64 = text.parse().expect("a double");
            let number = Number::from_f64(double).expect("finite");
            assert_eq!(number, self::number(&number.to_string()));
            let text = Number(Repr::Text(Box::new(Text(number.to_string().into()))));
            assert_eq!((&number, number.key()), (&text, text.key()));
        }
    }

    #[test]
    fn one_value_has_many_spellings() {
        for (a, b) in [
            ("-0.0", "0"),
            ("-0", "0.0"),
            ("0e99", "0"),
            ("1e3", "1000"),
            ("1.50", "15e-1"),
            ("0.00012", "1.2E-4"),
            ("12345678901234567890123", "1.2345678901234567890123e+22"),
            ("1e0000000000000000000000000000000000000001", "10"),
            ("1e99999999999999999999999999", "1e88888888888888888888888888"),
        ] {
            let (a, b) = (number(a), number(b));
            assert_eq!(a, b);
            assert_eq!(hash(&a), hash(&b), "{a} and {b}");
            assert_eq!(a.key(), b.key());
        }
    }

    #[test]
    fn rfc7643_2_3_4_an_integer_has_neither_fraction_nor_exponent() {
        for text in ["1000", "18446744073709551615", "18446744073709551616", "-0"] {
            assert!(number(text).is_integer(), "{text}");
        }
        assert!(!number("1e3").is_integer());
        assert!(!number("1.0").is_integer());
        assert_eq!(number("18446744073709551616").as_u64(), None);
    }

    #[test]
    fn prints_what_it_was() {
        for text in [
            "0",
            "-1",
            "18446744073709551615",
            "0.5",
            "10.0",
            "1.5e-9",
            "0.12345678901234567890",
            "123456789012345678901234567890",
            "1e400",
            "-1E-400",
        ] {
            assert_eq!(number(text).to_string(), text);
            assert_eq!(serde_json::to_string(&number(text)).expect("JSON"), text);
        }
    }

    #[test]
    fn only_json_numbers_are_read() {
        for text in
            ["", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "0x1", "NaN", "inf", "1 ", "--1", "1.2.3"]
        {
            assert!(text.parse::<Number>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_double_is_clamped_and_finite() {
        assert_eq!(number("1e400").to_f64(), f64::MAX);
        assert_eq!(number("-1e400").to_f64(), f64::MIN);
        assert_eq!(number("1e-400").to_f64(), 0.0);
        assert!(Number::from_f64(f64::NAN).is_none());
        assert!(Number::from_f64(f64::INFINITY).is_none());
        assert_eq!(serde_json::Number::from(number("1e400")).as_f64(), Some(f64::MAX));
    }

    /// Numbers with few digits, so that many are near each other.
    fn near() -> impl Strategy<Value = (i64, i32)> {
        (-1200_i64..1200, -4_i32..4)
    }

    proptest! {
        #[test]
        fn order_is_that_of_fractions((a, ea) in near(), (b, eb) in near()) {
            let scaled = |digits: i64, exponent: i32| i128::from(digits) * 10_i128.pow((exponent + 4) as u32);
            let expected = scaled(a, ea).cmp(&scaled(b, eb));
            let (x, y) = (number(&format!("{a}e{ea}")), number(&format!("{b}e{eb}")));
            prop_assert_eq!(x.cmp(&y), expected);
            prop_assert_eq!(x.key().cmp(&y.key()), expected);
            prop_assert_eq!(x == y, hash(&x) == hash(&y));
        }

        #[test]
        fn forms_agree(a in any::<i64>(), b in any::<f64>()) {
            prop_assume!(b.is_finite());
            let (a, b) = (Number::from(a), Number::from_f64(b).expect("finite"));
            let texts = (Number(Repr::Text(Box::new(Text(a.to_string().into())))),
                Number(Repr::Text(Box::new(Text(b.to_string().into())))));
            prop_assert_eq!(&a, &texts.0);
            prop_assert_eq!(&b, &texts.1);
            prop_assert_eq!(a.cmp(&b), texts.0.cmp(&texts.1));
            prop_assert_eq!(number(&b.to_string()), b);
        }
    }
}
