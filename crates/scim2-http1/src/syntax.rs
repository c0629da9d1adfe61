//! The lines of a request, as narrow as [RFC 9112](https://www.rfc-editor.org/rfc/rfc9112) lets a sender write them.

use crate::Ambiguity;
use crate::Ambiguity::{Coding, Length, LengthTooLarge, Syntax};
use crate::words;

/// The facts of a head that decide how long its body is.
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
    /// Reads a header field.
    pub(crate) fn field(&mut self, line: &[u8]) -> Result<(), Ambiguity> {
        let (name, value) = field(line)?;
        if name.eq_ignore_ascii_case(b"content-length") {
            if self.length.is_some() {
                return Err(Length);
            }
            let value = trim(value);
            self.length = match number(value, 10) {
                None if value.len() > MAX_DIGITS && value.iter().all(u8::is_ascii_digit) => {
                    return Err(LengthTooLarge);
                }
                None => return Err(Length),
                length => length,
            };
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.chunked || !trim(value).eq_ignore_ascii_case(b"chunked") {
                return Err(Coding);
            }
            self.chunked = true;
        }
        Ok(())
    }

    /// The length of the body, after all fields were read.
    pub(crate) fn body_length(self) -> Result<BodyLength, Ambiguity> {
        match (self.chunked, self.length) {
            (false, length) => Ok(BodyLength::Known(length.unwrap_or(0))),
            (true, Some(_)) => Err(Length),
            // RFC 9112 §6.1: the sender may be a proxy of HTTP/1.0 that does not know the coding it forwards.
            (true, None) if self.is_http_1_0 => Err(Coding),
            (true, None) => Ok(BodyLength::Chunked),
        }
    }
}

/// `method SP request-target SP HTTP-version`, without its line end.
///
/// `"`, `<` and `>` are accepted in a target: they are encoded, or the HTTP library refuses them. `#` is refused, because
/// HTTP libraries cut the target off there, while a proxy may not. CONNECT is refused too, because what follows it is
/// not HTTP.
pub(crate) fn request_line(line: &[u8]) -> Result<Head, Ambiguity> {
    let (method, rest) = split_token(line).ok_or(Syntax)?;
    let (target, version) = rest.strip_prefix(b" ").and_then(<[u8]>::split_last_chunk::<9>).ok_or(Syntax)?;
    if method == b"CONNECT" || !is_target_form(method, target) || !is_target_text(target) {
        return Err(Syntax);
    }
    match version {
        b" HTTP/1.1" => Ok(Head::default()),
        b" HTTP/1.0" => Ok(Head { is_http_1_0: true, ..Head::default() }),
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

/// `field-name ":" OWS field-value OWS`, without its line end: the name, and the value with its blanks. A line that
/// continues the previous one is refused.
pub(crate) fn field(line: &[u8]) -> Result<(&[u8], &[u8]), Ambiguity> {
    let (name, rest) = split_token(line).ok_or(Syntax)?;
    let value = rest.strip_prefix(b":").ok_or(Syntax)?;
    if is_text(value) { Ok((name, value)) } else { Err(Syntax) }
}

/// `chunk-size [ chunk-ext ]`, without its line end.
pub(crate) fn chunk_size(line: &[u8]) -> Result<u64, Ambiguity> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (size, extension) = line.split_at_checked(digits).ok_or(Syntax)?;
    let is_extension = extension.is_empty() || extension.starts_with(b";") && is_text(extension);
    if !is_extension {
        return Err(Syntax);
    }
    number(size, 16).ok_or(Syntax)
}

/// The most digits of a number: hexadecimal numbers of this length do not overflow either.
const MAX_DIGITS: usize = 15;

/// A number that is written with digits only, and with few enough of them.
fn number(digits: &[u8], radix: u32) -> Option<u64> {
    if !(1..=MAX_DIGITS).contains(&digits.len()) {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = char::from(*digit).to_digit(radix)?;
        number.checked_mul(u64::from(radix))?.checked_add(u64::from(digit))
    })
}

/// The `token` at the start of a line, which is a method or the name of a field, and the rest of the line.
fn split_token(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = line.iter().position(|byte| !is_token_byte(byte)).filter(|length| *length > 0)?;
    line.split_at_checked(length)
}

fn is_token_byte(byte: &u8) -> bool {
    /// Whether each byte may stand in a token. A look-up costs less than comparisons, and every head has dozens.
    static IN_TOKEN: [bool; 256] = {
        let mut table = [false; 256];
        let mut rest: &[u8] =
            b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        while let [byte, tail @ ..] = rest {
            let (before, _) = table.split_at_mut(*byte as usize + 1);
            if let Some(last) = before.last_mut() {
                *last = true;
            }
            rest = tail;
        }
        table
    };
    IN_TOKEN.get(usize::from(*byte)).is_some_and(|is_in| *is_in)
}

/// Whether a field value holds only visible characters, blanks, and bytes beyond ASCII.
fn is_text(text: &[u8]) -> bool {
    let is_allowed = |byte: &u8| *byte == b'\t' || !byte.is_ascii_control();
    words::none_has(text, |word| words::has_less(word, 0x20) || words::has(word, 0x7f))
        || text.iter().all(is_allowed)
}

/// Whether a target holds no control character, no space and no `#`.
fn is_target_text(text: &[u8]) -> bool {
    let is_allowed = |byte: &u8| !byte.is_ascii_control() && !matches!(*byte, b' ' | b'#');
    let has_other = |word| words::has_less(word, 0x21) || words::has(word, 0x7f) || words::has(word, b'#');
    words::none_has(text, has_other) || text.iter().all(is_allowed)
}

fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}
