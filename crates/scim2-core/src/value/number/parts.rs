//! The value of a number, whatever its spelling: sign, digits and exponent.

use std::cmp::Ordering;
use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};

/// Larger exponents count as this one, so that the sum of an exponent and the length of a text cannot overflow.
const MAX_EXPONENT: i64 = 1 << 61;

/// `±0.d₁d₂d₃… × 10^exponent`, without zeros before or after the digits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    negative: bool,
    exponent: i64,
    /// The digits before the point.
    whole: &'a [u8],
    /// The digits after the point.
    fraction: &'a [u8],
}

impl<'a> Parts<'a> {
    /// INVARIANT: `text` is a JSON number.
    pub(super) fn of(text: &'a str) -> Self {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let whole = whole.trim_start_matches('0');
        // INVARIANT: the exponent has digits only, so parsing fails only if it is out of range.
        let beyond = if exponent.starts_with('-') { -MAX_EXPONENT } else { MAX_EXPONENT };
        let exponent = exponent.parse::<i64>().unwrap_or(beyond).clamp(-MAX_EXPONENT, MAX_EXPONENT);
        let length = |text: &str| i64::try_from(text.len()).unwrap_or(MAX_EXPONENT);
        let (exponent, fraction) = if whole.is_empty() {
            let significant = fraction.trim_start_matches('0');
            (exponent - (length(fraction) - length(significant)), significant)
        } else {
            (exponent + length(whole), fraction)
        };
        let fraction = fraction.trim_end_matches('0');
        let whole = if fraction.is_empty() { whole.trim_end_matches('0') } else { whole };
        let zero = whole.is_empty() && fraction.is_empty();
        Self {
            negative: negative && !zero,
            exponent: if zero { 0 } else { exponent },
            whole: whole.as_bytes(),
            fraction: fraction.as_bytes(),
        }
    }

    /// The significant digits; none for zero.
    pub(super) fn digits(&self) -> impl Iterator<Item = u8> + use<'a> {
        self.whole.iter().chain(self.fraction).copied()
    }

    /// Says whether the double prints as this number.
    pub(super) fn same_as_shortest(&self, double: f64) -> bool {
        self.cmp(&Parts::of(shortest(double).as_str())).is_eq()
    }

    pub(super) fn cmp(&self, other: &Parts<'_>) -> Ordering {
        let magnitude = || self.exponent.cmp(&other.exponent).then_with(|| self.digits().cmp(other.digits()));
        match (self.sign(), other.sign()) {
            (Ordering::Greater, Ordering::Greater) => magnitude(),
            (Ordering::Less, Ordering::Less) => magnitude().reverse(),
            (a, b) => a.cmp(&b),
        }
    }

    fn sign(&self) -> Ordering {
        match (self.negative, self.digits().next()) {
            (_, None) => Ordering::Equal,
            (true, Some(_)) => Ordering::Less,
            (false, Some(_)) => Ordering::Greater,
        }
    }

    /// The sign, the number of digits of the exponent, the exponent, the digits. For a negative number
    /// everything after the sign is reversed by [`turned`].
    pub(super) fn key(&self) -> String {
        let mut key = String::from(match self.sign() {
            Ordering::Less => "0",
            Ordering::Equal => return "1".to_owned(),
            Ordering::Greater => "2",
        });
        let mut magnitude = String::new();
        let exponent = format!("{:x}", self.exponent.unsigned_abs());
        let length = u8::try_from(exponent.len()).unwrap_or(u8::MAX);
        if self.exponent < 0 {
            magnitude.push(char::from(b'P' - length));
            magnitude.extend(exponent.chars().map(turned));
        } else {
            magnitude.push(char::from(b'P' + length));
            magnitude.push_str(&exponent);
        }
        magnitude.extend(self.digits().map(char::from));
        if self.negative {
            key.extend(magnitude.chars().map(turned));
            // If two numbers have the same first digits, the longer one is farther from zero.
            key.push('~');
        } else {
            key.push_str(&magnitude);
        }
        key
    }
}

/// The printable character at the same distance from the last one as `letter` has from the first one.
fn turned(letter: char) -> char {
    u8::try_from(letter).map_or(letter, |byte| char::from(b'~' - byte.saturating_sub(b' ')))
}

impl Hash for Parts<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.negative.hash(state);
        self.exponent.hash(state);
        self.digits().for_each(|digit| state.write_u8(digit));
    }
}

/// `number = [ "-" ] int [ frac ] [ exp ]` ([RFC 8259 §6](https://www.rfc-editor.org/rfc/rfc8259#section-6)).
pub(super) fn is_json(text: &str) -> bool {
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    all_digits(whole)
        && (whole.len() == 1 || !whole.starts_with('0'))
        && fraction.is_none_or(all_digits)
        && exponent.is_none_or(|exponent| all_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

/// The text of a short number, written without allocating.
pub(super) struct Written {
    bytes: [u8; Self::MAX_BYTES],
    length: usize,
}

impl Written {
    /// A double has at most 17 digits, a sign, a point and an exponent of four characters; 64-bit
    /// integers have at most 20 characters.
    const MAX_BYTES: usize = 32;

    pub(super) fn as_str(&self) -> &str {
        let written = self.bytes.get(..self.length).unwrap_or_default();
        std::str::from_utf8(written).unwrap_or_default()
    }
}

impl Write for Written {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        let room = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// An integer of 64 bits as text.
pub(super) fn written(number: impl fmt::Display) -> Written {
    let mut text = Written { bytes: [0; Written::MAX_BYTES], length: 0 };
    // INVARIANT: it fits.
    let fits = write!(text, "{number}");
    debug_assert!(fits.is_ok());
    text
}

/// The shortest decimal that reads back as a finite double, as `serde_json` writes it. If two decimals are
/// equally short and near, `std` may choose another one.
pub(super) fn shortest(double: f64) -> Written {
    // INVARIANT: it is finite.
    serde_json::Number::from_f64(double).map_or_else(|| written(0), written)
}
