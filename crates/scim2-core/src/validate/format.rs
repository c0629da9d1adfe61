//! The forms of strings: dates, base64, URIs, user names, and in strict mode those that single
//! attributes of the RFC's schemas ask for.

use iri_string::spec::{IriSpec, UriSpec};
use iri_string::validate::iri_reference;

use super::value::expectation;
use super::{ValidationError, ValidationErrorKind as Kind};
use crate::compare::{Instant, StringRule};
use crate::compat::{Compat, Mode, Quirk};
use crate::compiled::AttributeDef;
use crate::schema::AttributeType;
use crate::value::Value;

pub(super) fn check(def: &AttributeDef, text: &str, compat: &Compat) -> Result<(), ValidationError> {
    def.check_length(text)?;
    let fail = |kind, expected: &'static str| {
        Err(ValidationError::value(kind, def, expected, &Value::String(text.to_owned())))
    };
    let fits = match def.attribute_type() {
        AttributeType::DateTime => is_date_time(text),
        AttributeType::Binary => is_base64(text),
        AttributeType::Reference => is_uri_reference(text, compat.mode() == Mode::Default),
        _ => true,
    };
    if !fits {
        return fail(Kind::Format, expectation(def));
    }
    if def.string_rule() == StringRule::UserName {
        if text.chars().any(char::is_control) {
            return fail(Kind::Format, "a user name without control characters");
        }
        if !compat.allows(Quirk::UsernameAny) && !StringRule::UserName.admits(text) {
            return fail(
                Kind::Format,
                "a user name without spaces and symbols (PRECIS; the switch `username_any` takes any)",
            );
        }
    }
    if let Some(format) = def.format()
        && !text.is_empty()
        && (format.refuses_always(text) || (compat.mode() != Mode::Default && !format.admits(text)))
    {
        return fail(Kind::Format, format.expectation());
    }
    if compat.is_profile() && !def.canonical_values().is_empty() && !is_canonical(def, text) {
        return fail(Kind::NotCanonical, "one of the canonical values");
    }
    Ok(())
}

/// Says whether a text passed the check only because of this quirk.
pub(super) fn needs_username_any(def: &AttributeDef, text: &str, compat: &Compat) -> bool {
    def.string_rule() == StringRule::UserName
        && compat.allows(Quirk::UsernameAny)
        && !StringRule::UserName.admits(text)
}

impl AttributeDef {
    /// Says whether a string is short enough for the attribute: see
    /// [`StringLimits`](crate::compiled::StringLimits).
    ///
    /// # Errors
    /// [`TooLong`](Kind::TooLong).
    pub fn check_length(&self, text: &str) -> Result<(), ValidationError> {
        if text.len() <= self.max_bytes() {
            return Ok(());
        }
        let expected = format!("at most {} bytes", self.max_bytes());
        Err(ValidationError::new(Kind::TooLong, self.path(), expected, format!("{} bytes", text.len())))
    }
}

fn is_canonical(def: &AttributeDef, text: &str) -> bool {
    let key = def.string_rule().key(text);
    def.canonical_values().iter().any(|known| def.string_rule().eq_key(known, &key))
}

/// An `xsd:dateTime`: a date and a time, with or without fraction and time zone
/// ([RFC 7643 §2.3.5](https://www.rfc-editor.org/rfc/rfc7643#section-2.3.5)).
#[must_use]
pub fn is_date_time(text: &str) -> bool {
    text.parse::<Instant>().is_ok()
}

/// Base64 with or without its padding
/// ([RFC 7643 §2.3.6](https://www.rfc-editor.org/rfc/rfc7643#section-2.3.6)).
#[must_use]
pub fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let padded = padding == 0 || padding <= 2 && text.len().is_multiple_of(4);
    padded
        && digits.len() % 4 != 1
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

/// Says whether a text is an absolute or relative URI ([RFC 7643
/// §2.3.7](https://www.rfc-editor.org/rfc/rfc7643#section-2.3.7)) by the grammar of [RFC
/// 3986](https://www.rfc-editor.org/rfc/rfc3986#section-4.1). `bulkId:x` and the empty text are URI references
/// too.
///
/// With `lenient` the text may be an IRI ([RFC 3987](https://www.rfc-editor.org/rfc/rfc3987)), and its path, query and
/// fragment may hold `[`, `]` and further `#`, as the URLs of real applications do.
///
/// ```
/// use scim2_core::validate::is_uri_reference;
///
/// assert!(is_uri_reference("../Users/26118915", false));
/// assert!(is_uri_reference("http://[::1]:8080/", false));
/// assert!(!is_uri_reference("http://[::1", false));
/// assert!(!is_uri_reference("1http://example.com", false));
///
/// assert!(is_uri_reference("https://exämple.de/?tags[]=a", true));
/// assert!(!is_uri_reference("https://exämple.de/?tags[]=a", false));
/// ```
#[must_use]
pub fn is_uri_reference(text: &str, lenient: bool) -> bool {
    if !lenient {
        return iri_reference::<UriSpec>(text).is_ok();
    }
    iri_reference::<IriSpec>(text).is_ok()
        || text.contains(['[', ']', '#']) && iri_reference::<IriSpec>(&encode_after_authority(text)).is_ok()
}

/// Percent-encodes brackets, and each `#` except the first, after the authority.
fn encode_after_authority(text: &str) -> String {
    let after_scheme = match text.find([':', '/', '?', '#']) {
        Some(at) if text.get(at..).is_some_and(|rest| rest.starts_with(':')) => at + 1,
        _ => 0,
    };
    let rest = text.get(after_scheme..).unwrap_or_default();
    let authority =
        rest.strip_prefix("//").map_or(0, |rest| 2 + rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (kept, rest) = text.split_at_checked(after_scheme + authority).unwrap_or((text, ""));
    let mut encoded = kept.to_owned();
    let mut in_fragment = false;
    for letter in rest.chars() {
        match letter {
            '[' => encoded.push_str("%5B"),
            ']' => encoded.push_str("%5D"),
            '#' if in_fragment => encoded.push_str("%23"),
            _ => encoded.push(letter),
        }
        in_fragment |= letter == '#';
    }
    encoded
}
