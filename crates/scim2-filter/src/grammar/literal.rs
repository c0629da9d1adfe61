use alloc::string::String;

use super::{Context, Fault, Parsed, first, skip};
use crate::comp_value::{BoolWord, NumberLiteral, Word};
use crate::error::{FilterErrorKind, expected};
use crate::{CompValue, Leniency, Text};

/// `compValue = false / null / true / number / string`, each as RFC 8259 writes it.
#[inline]
pub(super) fn comp_value<'a>(cx: &Context, input: &'a str) -> Parsed<'a, CompValue> {
    if first(input) == Some(b'"') {
        let (rest, text) = json_string(input)?;
        return Ok((rest, CompValue::String(text)));
    }
    other_value(cx, input)
}

/// `false / null / true / number`, or a word without quotes.
fn other_value<'a>(cx: &Context, input: &'a str) -> Parsed<'a, CompValue> {
    let token = input.get(..token_len(input)).unwrap_or_default();
    let rest = skip(input, token.len());
    let value = match token {
        "true" => CompValue::Bool(true),
        "false" => CompValue::Bool(false),
        "null" => CompValue::Null,
        _ if json_number(token) => CompValue::Number(NumberLiteral::from_json(token)),
        _ => match lenient_value(cx, token) {
            Some(value) => value,
            None => {
                let kind = match token.as_bytes().first() {
                    Some(b'0'..=b'9' | b'-' | b'+' | b'.') => FilterErrorKind::Number,
                    _ => FilterErrorKind::CompValue,
                };
                return Err(Fault::at(input, kind, expected::COMP_VALUE));
            }
        },
    };
    Ok((rest, value))
}

/// A literal in another letter case, or a word without quotes. Both keep their text, because the meaning depends
/// on the type of the attribute, which resolution knows.
fn lenient_value(cx: &Context, token: &str) -> Option<CompValue> {
    if cx.leniency.literals_in_any_case {
        let literal = match BoolWord::parse(token) {
            Some(word) => Some(CompValue::BoolWord(word)),
            None => token.eq_ignore_ascii_case("null").then_some(CompValue::Null),
        };
        if literal.is_some() {
            cx.note(Leniency { literals_in_any_case: true, ..Leniency::NONE });
            return literal;
        }
    }
    let word = Word::parse(token).filter(|_| cx.leniency.unquoted_words)?;
    cx.note(Leniency { unquoted_words: true, ..Leniency::NONE });
    Some(CompValue::Word(word))
}

/// The text up to the next space, quote or bracket.
fn token_len(text: &str) -> usize {
    text.bytes()
        .position(|byte| matches!(byte, b' ' | b'"' | b'(' | b')' | b'[' | b']'))
        .unwrap_or(text.len())
}

/// Says whether a token without quotes can be meant as text: a name, an id, a number, an address.
///
/// Other tokens are mistakes of the client, and as text they would match nothing: quotes of another kind
/// around the value, percent-encoding or HTML entities that were not decoded, a placeholder that was not
/// filled in, another language's word for "no value".
pub(crate) fn is_word(token: &str) -> bool {
    const APOSTROPHES: [char; 2] = ['\'', '’'];
    const PLACEHOLDERS: [&str; 4] = ["undefined", "NaN", "None", "nil"];
    let text = |letter: char| {
        letter.is_alphanumeric()
            || !letter.is_ascii()
                && !letter.is_whitespace()
                && !letter.is_control()
                && !matches!(letter, '“' | '”' | '„' | '‟' | '‘' | '«' | '»' | '´')
    };
    let ends = |letter: Option<char>, others: &str| {
        letter.is_some_and(|letter| {
            text(letter) && !APOSTROPHES.contains(&letter) || letter.is_ascii() && others.contains(letter)
        })
    };
    let inside = |letter: char| text(letter) || letter.is_ascii() && "_-.@+/:=#~&,!'".contains(letter);
    ends(token.chars().next(), "_-.@+/#~")
        && ends(token.chars().next_back(), "_-.@+/=#~!")
        && token.chars().all(inside)
        && token.contains(char::is_alphanumeric)
        && !PLACEHOLDERS.contains(&token)
}

/// `number = [ "-" ] int [ frac ] [ exp ]`: no plus sign, no leading zeros.
pub(crate) fn json_number(text: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = text.strip_prefix('-').unwrap_or(text);
    let int = digits(rest);
    if int == 0 || (int > 1 && first(rest) == Some(b'0')) {
        return false;
    }
    let mut rest = skip(rest, int);
    if let Some(frac) = rest.strip_prefix('.') {
        let len = digits(frac);
        if len == 0 {
            return false;
        }
        rest = skip(frac, len);
    }
    if let Some(exp) = rest.strip_prefix(['e', 'E']) {
        let exp = exp.strip_prefix(['+', '-']).unwrap_or(exp);
        return !exp.is_empty() && digits(exp) == exp.len();
    }
    rest.is_empty()
}

/// `string = %x22 *char %x22`, escapes resolved, surrogates only in pairs.
#[inline]
fn json_string(input: &str) -> Parsed<'_, Text> {
    let body = skip(input, 1);
    let plain = plain_len(body);
    if first(skip(body, plain)) == Some(b'"') {
        return Ok((skip(body, plain + 1), body.get(..plain).unwrap_or_default().into()));
    }
    json_string_with_escapes(body)
}

/// The string after the opening quote.
fn json_string_with_escapes(body: &str) -> Parsed<'_, Text> {
    let mut text = String::new();
    let mut rest = body;
    loop {
        let plain = plain_len(rest);
        text.push_str(rest.get(..plain).unwrap_or_default());
        rest = skip(rest, plain);
        match first(rest) {
            Some(b'"') => return Ok((skip(rest, 1), text.into())),
            Some(b'\\') => {
                let (after, letter) = escape(rest)?;
                text.push(letter);
                rest = after;
            }
            Some(_) => return Err(Fault::at(rest, FilterErrorKind::String, expected::ESCAPED_CONTROL)),
            None => return Err(Fault::at(rest, FilterErrorKind::String, expected::CLOSING_QUOTE)),
        }
    }
}

/// The bytes up to the next quote, backslash or control character.
///
/// Eight bytes are looked at in one word, the first of them in its lowest byte. A byte less than `n`
/// borrows from the byte above when `n` is taken from it; what borrows lies above the first hit, so the
/// lowest hit is true.
fn plain_len(text: &str) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let less = |word: u64, n: u8| word.wrapping_sub(ONES * u64::from(n)) & !word;
    let equal = |word: u64, byte: u8| less(word ^ (ONES * u64::from(byte)), 1);
    let (words, rest) = text.as_bytes().as_chunks();
    for (index, bytes) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*bytes);
        let hits = (equal(word, b'"') | equal(word, b'\\') | less(word, 0x20)) & HIGH;
        if hits != 0 {
            return index * 8 + hits.trailing_zeros() as usize / 8;
        }
    }
    let special = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
    text.len() - rest.len() + special.unwrap_or(rest.len())
}

/// `escape = %x5C ( %x22 / %x5C / "/" / "b" / "f" / "n" / "r" / "t" / "u" 4HEXDIG )`
fn escape(input: &str) -> Parsed<'_, char> {
    let fail = || Fault::at(input, FilterErrorKind::String, expected::ESCAPE);
    let letter = match input.as_bytes().get(1) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            let unit = hex4(skip(input, 2)).ok_or_else(fail)?;
            if !(0xd800..0xdc00).contains(&unit) {
                let letter = char::from_u32(unit).ok_or_else(fail)?;
                return Ok((skip(input, 6), letter));
            }
            let second = skip(input, 6).strip_prefix("\\u").and_then(hex4).ok_or_else(fail)?;
            if !(0xdc00..0xe000).contains(&second) {
                return Err(fail());
            }
            let code = 0x1_0000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
            return Ok((skip(input, 12), char::from_u32(code).ok_or_else(fail)?));
        }
        _ => return Err(fail()),
    };
    Ok((skip(input, 2), letter))
}

fn hex4(text: &str) -> Option<u32> {
    let digits = text.get(..4)?;
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        u32::from_str_radix(digits, 16).ok()
    } else {
        None
    }
}
