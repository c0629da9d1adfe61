//! The forms that RFC 7643 asks of single attributes in prose and that no characteristic of a schema document
//! can express.

use crate::urn;

/// The form of a string, checked only in the modes `strict` and `profile`: real clients send `Germany` for a
/// country, and refusing it helps nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// A mailbox, `local@domain` ([RFC 5321](https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2)).
    Email,
    /// A telephone number, with or without `tel:` ([RFC 3966](https://www.rfc-editor.org/rfc/rfc3966)).
    Phone,
    /// A code of two letters of ISO 3166-1.
    Country,
    /// A list of language ranges with optional weights, as in the header `Accept-Language`.
    Languages,
    /// A language tag, with `-` or `_` between its parts ([BCP 47](https://www.rfc-editor.org/rfc/rfc5646)).
    Locale,
    /// The name of a time zone in the IANA database.
    TimeZone,
    /// Base64 of one certificate in DER.
    Certificate,
}

/// Which attribute has which form ([RFC 7643 §4.1](https://www.rfc-editor.org/rfc/rfc7643#section-4.1)).
const FORMATS: &[(&str, &str, Format)] = &[
    (urn::USER, "preferredLanguage", Format::Languages),
    (urn::USER, "locale", Format::Locale),
    (urn::USER, "timezone", Format::TimeZone),
    (urn::USER, "emails.value", Format::Email),
    (urn::USER, "phoneNumbers.value", Format::Phone),
    (urn::USER, "addresses.country", Format::Country),
    (urn::USER, "x509Certificates.value", Format::Certificate),
];

/// Attributes that are `true` on creation if the client does not mention them ([RFC 7644
/// §3.3](https://www.rfc-editor.org/rfc/rfc7644#section-3.3)): an account is active unless the client says
/// otherwise. No other attribute has a default.
const TRUE_ON_CREATE: &[(&str, &str)] = &[(urn::USER, "active")];

impl Format {
    /// The form of a core attribute or sub-attribute given by its path.
    pub(super) fn of(schema: &str, path: &str) -> Option<Self> {
        FORMATS
            .iter()
            .find(|(uri, known, _)| uri.eq_ignore_ascii_case(schema) && known.eq_ignore_ascii_case(path))
            .map(|(_, _, format)| *format)
    }

    /// What a value of this form is, for error lines.
    #[must_use]
    pub fn expectation(self) -> &'static str {
        match self {
            Self::Email => "an e-mail address",
            Self::Phone => "a telephone number such as `tel:+1-201-555-0123`",
            Self::Country => "a country code of two letters (ISO 3166-1)",
            Self::Languages => "languages as in Accept-Language, such as `en-US, en;q=0.8`",
            Self::Locale => "a language tag such as `en-US`",
            Self::TimeZone => "the name of a time zone such as `Europe/Berlin`",
            Self::Certificate => "one certificate in DER",
        }
    }

    /// Says whether a text is refused in every mode. A certificate that is cut short, or followed by other
    /// bytes, is not a dialect of any client: a reader that trusts it would trust something else. Other texts
    /// of the wrong form are refused only in the modes `strict` and `profile`.
    #[must_use]
    pub fn refuses_always(self, text: &str) -> bool {
        match self {
            Self::Certificate => begins_like_a_certificate(text) && !is_one_certificate(text),
            Self::Email | Self::Phone | Self::Country | Self::Languages | Self::Locale | Self::TimeZone => {
                false
            }
        }
    }

    /// Says whether a text has the form.
    #[must_use]
    pub fn admits(self, text: &str) -> bool {
        match self {
            Self::Email => is_email(text),
            Self::Phone => is_phone(text),
            Self::Country => COUNTRIES.split(' ').any(|code| code == text),
            Self::Languages => text.split(',').all(is_weighted_range),
            Self::Locale => is_language_tag(text),
            Self::TimeZone => is_time_zone(text),
            Self::Certificate => is_one_certificate(text),
        }
    }
}

/// Says whether base64 begins like every certificate in DER: with a SEQUENCE whose first part is a SEQUENCE. The outer
/// tag alone would also match one in 256 random texts. A text that ends before the inner tag matches, too: it is cut.
fn begins_like_a_certificate(base64: &str) -> bool {
    // 12 digits are 9 bytes: a tag, at most 5 bytes of length, and the inner tag.
    let head = base64.get(..12).unwrap_or(base64);
    let Some(bytes) = decode(head) else { return false };
    let Some((0x30, rest)) = bytes.split_first() else { return false };
    let length_bytes = match rest.first() {
        Some(long @ 0x81..=0x84) => usize::from(long - 0x80) + 1,
        _ => 1,
    };
    rest.get(length_bytes).is_none_or(|tag| *tag == 0x30)
}

/// Says whether a core attribute given by its path is `true` on creation unless mentioned.
pub(super) fn true_on_create(schema: &str, path: &str) -> bool {
    TRUE_ON_CREATE
        .iter()
        .any(|(uri, known)| uri.eq_ignore_ascii_case(schema) && known.eq_ignore_ascii_case(path))
}

fn is_email(text: &str) -> bool {
    // RFC 5321 §4.5.3.1: 64 bytes and 255 bytes.
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let atom = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| !c.is_ascii() || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c))
    };
    let quoted = local.len() > 2
        && local.starts_with('"')
        && local.ends_with('"')
        && !local.chars().any(char::is_control);
    let label = |text: &str| {
        !text.is_empty()
            && !text.starts_with('-')
            && !text.ends_with('-')
            && text.chars().all(|c| !c.is_ascii() || c.is_ascii_alphanumeric() || c == '-')
    };
    let literal = domain.starts_with('[')
        && domain.ends_with(']')
        && domain.bytes().all(|byte| byte.is_ascii_graphic());
    local.len() <= 64
        && domain.len() <= 255
        && (local.split('.').all(atom) || quoted)
        && (domain.split('.').all(label) || literal)
}

fn is_phone(text: &str) -> bool {
    let prefix = text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("tel:"));
    let number = if prefix { text.get(4..).unwrap_or_default() } else { text };
    let (number, parameters) = number.split_once(';').unwrap_or((number, "ext=0"));
    let digits = number.strip_prefix('+').unwrap_or(number);
    let separator = |byte| matches!(byte, b'-' | b'.' | b'(' | b')') || byte == b' ' && !prefix;
    digits.bytes().any(|byte| byte.is_ascii_digit())
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'*' | b'#') || separator(byte))
        && parameters.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_language_tag(text: &str) -> bool {
    let mut parts = text.split(['-', '_']);
    let language = parts.next().unwrap_or_default();
    let alphabetic = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let language_fits = alphabetic(language)
        && ((2..=8).contains(&language.len())
            || language.eq_ignore_ascii_case("x")
            || language.eq_ignore_ascii_case("i"));
    language_fits
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

fn is_weighted_range(text: &str) -> bool {
    let (range, weight) = match text.split_once(';') {
        Some((range, weight)) => (range.trim(), Some(weight.trim())),
        None => (text.trim(), None),
    };
    let weight_fits = weight.is_none_or(|weight| {
        let digits = weight.strip_prefix("q=").or_else(|| weight.strip_prefix("Q="));
        digits.is_some_and(|digits| {
            let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
            let fits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
            fits && (whole == "0" || whole == "1" && fraction.bytes().all(|byte| byte == b'0'))
        })
    });
    weight_fits && (range == "*" || !range.contains('_') && is_language_tag(range))
}

fn is_time_zone(text: &str) -> bool {
    use std::str::FromStr;
    chrono_tz::Tz::from_str(text).is_ok()
}

/// Decodes base64, with or without padding. `None` if there is another character.
fn decode(base64: &str) -> Option<Vec<u8>> {
    let digits = base64.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 3);
    for chunk in digits.as_bytes().chunks(4) {
        let mut group: u32 = 0;
        for digit in chunk {
            let value = match digit {
                b'A'..=b'Z' => digit - b'A',
                b'a'..=b'z' => digit - b'a' + 26,
                b'0'..=b'9' => digit - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            group = group << 6 | u32::from(value);
        }
        group <<= 6 * (4 - chunk.len().min(4));
        let [_, a, b, c] = group.to_be_bytes();
        bytes.extend([a, b, c].into_iter().take(chunk.len().saturating_sub(1)));
    }
    Some(bytes)
}

/// Says whether the bytes are exactly one SEQUENCE: one certificate, not two and not a chain.
fn is_one_certificate(base64: &str) -> bool {
    let Some(bytes) = decode(base64) else { return false };
    let Some((0x30, rest)) = bytes.split_first() else { return false };
    // The DER length: one byte below 0x80, or 0x80 plus the number of length bytes, here at most four.
    match rest.split_first() {
        Some((short @ ..=0x7f, content)) => content.len() == usize::from(*short),
        Some((long @ 0x81..=0x84, rest)) => {
            let Some((length, content)) = rest.split_at_checked(usize::from(long - 0x80)) else {
                return false;
            };
            let length = length.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
            content.len() == length && content.first() == Some(&0x30) // the part that is signed
        }
        _ => false,
    }
}

/// The codes of ISO 3166-1, officially assigned.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR \
BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI \
FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS \
IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO \
MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA \
RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT \
TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: Format, admitted: &[&str], refused: &[&str]) {
        for text in admitted {
            assert!(format.admits(text), "{format:?} admits {text:?}");
        }
        for text in refused {
            assert!(!format.admits(text), "{format:?} refuses {text:?}");
        }
    }

    #[test]
    fn c_4_1_1_05_preferred_language_has_accept_language_syntax() {
        check(
            Format::Languages,
            &["en", "en-US", "en-US, en;q=0.8", "da, en-gb;q=0.8, *;q=0.1", "en;q=1.000"],
            &["", "english (US)", "en;q=2", "en;q=0.1234", "en,,de", "en;level=1"],
        );
    }

    #[test]
    fn c_4_1_1_06_locale_is_a_language_tag() {
        check(
            Format::Locale,
            &["en", "en-US", "en_US", "zh-Hant-TW", "x-private"],
            &["english (US)", "e", "en--US", ""],
        );
    }

    #[test]
    fn c_4_1_1_07_timezone_is_an_iana_name() {
        check(
            Format::TimeZone,
            &["America/Los_Angeles", "UTC", "Europe/Berlin"],
            &["PST8 maybe", "Mars/Phobos", ""],
        );
    }

    #[test]
    fn c_4_1_2_01_emails_are_mailboxes() {
        check(
            Format::Email,
            &["bjensen@example.com", "a.b+c@x", "\"a b\"@example.com", "josé@exämple.de", "a@[127.0.0.1]"],
            &["nobody", "@example.com", "a@", "a@b@c d", "a..b@example.com", "a@-x.com", "a b@example.com"],
        );
    }

    #[test]
    fn c_4_1_2_02_phone_numbers() {
        check(
            Format::Phone,
            &[
                "tel:+1-201-555-0123",
                "+1-201-555-0123",
                "555-555-5555",
                "tel:7042;phone-context=example.com",
                "(201) 555 0123",
            ],
            &["", "call me", "tel:", "+", "12\u{663}4"],
        );
    }

    #[test]
    fn c_4_1_2_05_countries_have_two_letters() {
        check(Format::Country, &["US", "DE"], &["USA", "us", "Germany", "XX", "US DE", ""]);
        assert_eq!(COUNTRIES.split(' ').count(), 249);
    }

    #[test]
    fn c_4_1_2_09_one_certificate_in_der() {
        // SEQUENCE { SEQUENCE {} } with a short and with a long length; the same twice; a cut one.
        check(
            Format::Certificate,
            &["MAIwAA==", "MAIwAA", "MIECMAA="],
            &["MAIwADACMAA=", "MAMwAA==", "AAAA", ""],
        );
        for (text, always) in [
            ("MAIwADACMAA=", true),
            ("MAMwAA==", true),
            ("MIIBCjCC", true),
            // Cut within the length of the outer SEQUENCE.
            ("MIIB", true),
            ("MA==", true),
            ("M", false),
            ("MAIwAA==", false),
            ("AAAA", false),
            // Random bytes, of which one in 256 has the tag of a SEQUENCE.
            ("MHqau+DNRseOgQ/qvOISIg==", false),
        ] {
            assert_eq!(Format::Certificate.refuses_always(text), always, "{text}");
        }
    }
}
