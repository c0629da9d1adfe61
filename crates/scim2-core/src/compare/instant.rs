use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use chrono::{Days, NaiveDate};

/// A point in time, read from the text of a `dateTime` attribute.
///
/// The text is an `xsd:dateTime`: `2011-05-13T04:42:34.123Z`, with an offset, or without one, which is read as
/// UTC. Two texts of the same instant are equal whatever their offset and precision; digits below a nanosecond
/// are dropped. `24:00:00` is the midnight that follows.
///
/// ```
/// use scim2_core::compare::Instant;
///
/// let noon: Instant = "2024-02-29T12:00:00Z".parse()?;
/// assert_eq!(noon, "2024-02-29T14:00:00.000+02:00".parse()?);
/// assert_eq!(noon, "2024-02-29T12:00:00".parse()?);
/// assert!(noon < "2024-02-29T12:00:00.001Z".parse()?);
/// assert!("2024-02-30T12:00:00Z".parse::<Instant>().is_err());
/// # Ok::<(), scim2_core::compare::InstantError>(())
/// ```
///
/// [RFC 7643 §2.3.5](https://www.rfc-editor.org/rfc/rfc7643#section-2.3.5)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Instant {
    seconds: i64,
    nanoseconds: u32,
}

impl Instant {
    /// The instant `seconds` and `nanoseconds` after 1970-01-01T00:00:00Z; `None` if `nanoseconds` is a second
    /// or more.
    #[must_use]
    pub const fn new(seconds: i64, nanoseconds: u32) -> Option<Self> {
        if nanoseconds < 1_000_000_000 { Some(Self { seconds, nanoseconds }) } else { None }
    }

    /// Seconds since 1970-01-01T00:00:00Z, negative before.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds after [`seconds`](Self::seconds), below 1,000,000,000.
    #[must_use]
    pub const fn nanoseconds(self) -> u32 {
        self.nanoseconds
    }
}

impl Ord for Instant {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.seconds, self.nanoseconds).cmp(&(other.seconds, other.nanoseconds))
    }
}

impl PartialOrd for Instant {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for Instant {
    type Err = InstantError;

    fn from_str(text: &str) -> Result<Self, InstantError> {
        read(text.as_bytes()).ok_or(InstantError(()))
    }
}

/// `YYYY-MM-DDThh:mm:ss[.fraction][offset]`. The parsers of `chrono` take more (spaces, one digit for two, a second 60) and
/// less (no `24:00:00`, no missing offset), so only its calendar is used.
fn read(text: &[u8]) -> Option<Instant> {
    let (year, text) = number(text, 4)?;
    let (month, text) = number(expect(text, b'-')?, 2)?;
    let (day, text) = number(expect(text, b'-')?, 2)?;
    let (hour, text) = number(expect(text, b'T')?, 2)?;
    let (minute, text) = number(expect(text, b':')?, 2)?;
    let (second, text) = number(expect(text, b':')?, 2)?;
    let (nanoseconds, text) = fraction(text)?;
    let offset = offset(text)?;
    let date = NaiveDate::from_ymd_opt(year.try_into().ok()?, month, day)?;
    let local = if (hour, minute, second, nanoseconds) == (24, 0, 0, 0) {
        date.and_hms_opt(0, 0, 0)? + Days::new(1)
    } else {
        date.and_hms_nano_opt(hour, minute, second, nanoseconds)?
    };
    Some(Instant { seconds: local.and_utc().timestamp() - offset, nanoseconds })
}

/// The seconds of an offset from UTC: `Z`, `+hh:mm` or `-hh:mm` up to 14 hours, or nothing.
fn offset(text: &[u8]) -> Option<i64> {
    let (sign, rest) = match text.split_first() {
        None | Some((b'Z', [])) => return Some(0),
        Some((b'+', rest)) => (1, rest),
        Some((b'-', rest)) => (-1, rest),
        Some(_) => return None,
    };
    let (hours, rest) = number(rest, 2)?;
    let (minutes, rest) = number(expect(rest, b':')?, 2)?;
    let in_range = rest.is_empty() && minutes <= 59 && hours * 60 + minutes <= 14 * 60;
    in_range.then(|| sign * i64::from(hours * 60 + minutes) * 60)
}

/// A number of exactly `digits` digits.
fn number(text: &[u8], digits: usize) -> Option<(u32, &[u8])> {
    let (head, rest) = text.split_at_checked(digits)?;
    let mut value = 0;
    for byte in head {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + u32::from(byte - b'0');
    }
    Some((value, rest))
}

fn expect(text: &[u8], byte: u8) -> Option<&[u8]> {
    text.split_first().and_then(|(first, rest)| (*first == byte).then_some(rest))
}

/// `.` and at least one digit, or nothing.
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let Some(digits) = expect(text, b'.') else { return Some((0, text)) };
    let len = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = digits.split_at_checked(len)?;
    let shown = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
    (len > 0).then(|| (shown.fold(0, |value, byte| value * 10 + u32::from(byte - b'0')), rest))
}

/// The text is not an `xsd:dateTime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstantError(());

impl fmt::Display for InstantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a dateTime such as `2011-05-13T04:42:34Z`")
    }
}

impl std::error::Error for InstantError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn at(text: &str, seconds: i64, nanoseconds: u32) {
        assert_eq!(text.parse(), Ok(Instant { seconds, nanoseconds }), "{text}");
    }

    #[test]
    fn c_2_3_5_instants() {
        at("1970-01-01T00:00:00Z", 0, 0);
        at("1969-12-31T23:59:59Z", -1, 0);
        at("2011-05-13T04:42:34Z", 1_305_261_754, 0);
        at("2000-02-29T24:00:00Z", 951_868_800, 0);
        at("2024-02-29T14:00:00+02:00", 1_709_208_000, 0);
        at("2024-02-29T06:30:00.123456789012-05:30", 1_709_208_000, 123_456_789);
        at("0000-03-01T00:00:00Z", -62_162_035_200, 0);
        at("9999-12-31T23:59:59.9", 253_402_300_799, 900_000_000);
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let days = |year, month, day| {
            let midnight: Result<Instant, _> = format!("{year}-{month:02}-{day:02}T00:00:00Z").parse();
            midnight.ok().map(|midnight| midnight.seconds() / 86_400)
        };
        let mut last = days(1899, 12, 31);
        for year in 1900..=2100 {
            for month in 1..=12 {
                for day in (1..=31).filter_map(|day| days(year, month, day)) {
                    assert_eq!(Some(day - 1), last);
                    last = Some(day);
                }
            }
        }
    }

    #[test]
    fn malformed_texts_are_refused() {
        for text in [
            "",
            "2011",
            "2011-05-13",
            "2011-05-13T04:42Z",
            "2011-05-13 04:42:34Z",
            "2011-13-01T00:00:00Z",
            "2011-00-01T00:00:00Z",
            "2011-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2011-05-13T25:00:00Z",
            "2011-05-13T24:00:01Z",
            "2011-05-13T04:60:00Z",
            "2011-05-13T04:42:60Z",
            "2011-05-13T04:42:34.Z",
            "2011-05-13T04:42:34z",
            "2011-05-13T04:42:34+0200",
            "2011-05-13T04:42:34+15:00",
            "2011-05-13T04:42:34ZZ",
            "11-05-13T04:42:34Z",
            "2011-05-13T04:42:34.1é",
        ] {
            assert!(text.parse::<Instant>().is_err(), "{text:?}");
        }
    }
}
