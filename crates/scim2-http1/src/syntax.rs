//! The lines of a request, as narrow as [RFC 9112](https://www.rfc-editor.org/rfc/rfc9112) lets a sender write them.

use crate::Ambiguity;
use crate::Ambiguity::{Coding, Length, LengthTooLarge, Syntax};

/// What a head says about the body behind it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Head {
    is_http_1_0: bool,
    length: Option<u64>,
    chunked: bool,
}

/// How long a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyLength {
    Known(u64),
    Chunked,
}

impl Head {
    /// Takes a header field.
    pub(crate) fn field(&mut self, line: &[u8]) -> Result<(), Ambiguity> {
        let (name, value) = field(line)?;
        if name.eq_ignore_ascii_case(b"content-length") {
            if self.length.is_some() {
                return Err(Length);
            }
            self.length = match number(value, 10) {
                None if value.len() > MAX_DIGITS && value.iter().all(u8::is_ascii_digit) => {
                    return Err(LengthTooLarge);
                }
                None => return Err(Length),
                length => length,
            };
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Coding);
            }
            self.chunked = true;
        }
        Ok(())
    }

    /// How long the body is, once all fields have come.
    pub(crate) fn body_length(self) -> Result<BodyLength, Ambiguity> {
        match (self.chunked, self.length) {
            (false, length) => Ok(BodyLength::Known(length.unwrap_or(0))),
            (true, Some(_)) => Err(Length),
            // RFC 9112 §6.1: the sender may be a proxy of HTTP/1.0 that does not know what it forwards.
            (true, None) if self.is_http_1_0 => Err(Coding),
            (true, None) => Ok(BodyLength::Chunked),
        }
    }
}

/// `method SP request-target SP HTTP-version`, without its line end.
///
/// `"`, `<` and `>` are taken in targets: they are encoded, or the HTTP library refuses them. `#` is not: libraries
/// cut the target off there, while a proxy may not. CONNECT is not taken either, for what follows it is no HTTP.
pub(crate) fn request_line(line: &[u8]) -> Result<Head, Ambiguity> {
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Syntax);
    };
    let is_allowed = |byte: &u8| !byte.is_ascii_control() && *byte != b'#';
    let is_target = is_target_form(method, target) && target.iter().all(is_allowed);
    if !is_token(method) || method == b"CONNECT" || !is_target {
        return Err(Syntax);
    }
    match version {
        b"HTTP/1.1" => Ok(Head::default()),
        b"HTTP/1.0" => Ok(Head { is_http_1_0: true, ..Head::default() }),
        _ => Err(Syntax),
    }
}

/// `origin-form`, `absolute-form`, or `asterisk-form`, which is for OPTIONS only. `authority-form` is for CONNECT only.
fn is_target_form(method: &[u8], target: &[u8]) -> bool {
    let is_absolute = || {
        let scheme =
            target.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte)).count();
        scheme > 0 && target.get(scheme..).is_some_and(|rest| rest.starts_with(b"://"))
    };
    target.starts_with(b"/") || target == b"*" && method == b"OPTIONS" || is_absolute()
}

/// `field-name ":" OWS field-value OWS`, without its line end. A line that continues the one before is refused.
pub(crate) fn field(line: &[u8]) -> Result<(&[u8], &[u8]), Ambiguity> {
    let colon = memchr::memchr(b':', line).ok_or(Syntax)?;
    let (name, value) = line.split_at_checked(colon).ok_or(Syntax)?;
    let value = value.strip_prefix(b":").ok_or(Syntax)?;
    if !is_token(name) || !value.iter().all(is_text) {
        return Err(Syntax);
    }
    Ok((name, trim(value)))
}

/// `chunk-size [ chunk-ext ]`, without its line end.
pub(crate) fn chunk_size(line: &[u8]) -> Result<u64, Ambiguity> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (size, extension) = line.split_at_checked(digits).ok_or(Syntax)?;
    let is_extension = extension.is_empty() || extension.starts_with(b";") && extension.iter().all(is_text);
    if !is_extension {
        return Err(Syntax);
    }
    number(size, 16).ok_or(Syntax)
}

/// The most digits of a number: it is far from overflowing, in hexadecimal too.
const MAX_DIGITS: usize = 15;

/// A number of digits and nothing else that is far from overflowing.
fn number(digits: &[u8], radix: u32) -> Option<u64> {
    if !(1..=MAX_DIGITS).contains(&digits.len()) {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = char::from(*digit).to_digit(radix)?;
        number.checked_mul(u64::from(radix))?.checked_add(u64::from(digit))
    })
}

/// `token`, the names of methods and fields.
fn is_token(text: &[u8]) -> bool {
    !text.is_empty()
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

/// What stands in a field value: visible characters, blanks, and bytes beyond ASCII.
fn is_text(byte: &u8) -> bool {
    *byte == b'\t' || !byte.is_ascii_control()
}

fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}
