//! The forms of strings: dates, base64, URIs, user names, and in strict mode those that single
//! attributes of the RFC's schemas ask for.

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

/// Whether a text that passed the check did so only by this quirk.
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

/// An absolute or relative URI
/// ([RFC 7643 §2.3.7](https://www.rfc-editor.org/rfc/rfc7643#section-2.3.7)): no character that a
/// URI cannot hold, and each `%` followed by two hexadecimal digits; what stands before its first
/// colon is a scheme, and what stands in brackets a host
/// ([RFC 3986 §3](https://www.rfc-editor.org/rfc/rfc3986#section-3)). With `iri`, letters beyond
/// ASCII are let through too, and brackets in paths and queries. `bulkId:x` is a URI like any other.
///
/// ```
/// use scim2_core::validate::is_uri_reference;
///
/// assert!(is_uri_reference("../Users/26118915", false));
/// assert!(is_uri_reference("http://[::1]:8080/", false));
/// assert!(!is_uri_reference("http://[::1", false));
/// assert!(!is_uri_reference("1http://example.com", false));
/// ```
#[must_use]
pub fn is_uri_reference(text: &str, iri: bool) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let fine = match byte {
            b'%' => {
                bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit())
                    && bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit())
            }
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => false,
            0x80.. => iri,
            _ => byte.is_ascii_graphic(),
        };
        if !fine {
            return false;
        }
    }
    let rest = match text.split_once([':', '/', '?', '#']) {
        Some((scheme, rest)) if text.as_bytes().get(scheme.len()) == Some(&b':') => {
            if !is_scheme(scheme) {
                return false;
            }
            rest
        }
        _ => text,
    };
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())),
        None => ("", rest),
    };
    is_authority(authority) && (iri || !path.contains(['[', ']']))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// `[userinfo "@"] host [":" port]`
fn is_authority(text: &str) -> bool {
    let place = text.rsplit_once('@').map_or(text, |(_, place)| place);
    let (host, port) = match place.strip_prefix('[') {
        Some(literal) => match literal.split_once(']') {
            Some((host, "")) if !host.is_empty() => (host, ""),
            Some((host, rest)) if !host.is_empty() => match rest.strip_prefix(':') {
                Some(port) => (host, port),
                None => return false,
            },
            _ => return false,
        },
        None => place.rsplit_once(':').unwrap_or((place, "")),
    };
    !host.contains(['[', ']']) && port.bytes().all(|byte| byte.is_ascii_digit())
}
