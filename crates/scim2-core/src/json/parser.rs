//! One pass over a JSON text: grammar, depth, repeated names, NUL and numbers.
//!
//! It accepts what [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259) accepts, and words its syntax errors as
//! `serde_json` does, because clients know them. A fuzz target compares the two.

use std::borrow::Cow;

use super::{JsonError, JsonErrorKind};
use crate::value::{Number, Object, UniqueMembers, Value, shorten};

/// The error is boxed, so that it does not make the `Result` of a value larger.
type Parsed<T> = Result<T, Box<JsonError>>;

/// The text and the position in it.
pub(super) struct Parser<'t> {
    text: &'t str,
    /// The byte offset of what is read next; never inside a character.
    at: usize,
}

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// Reads one object, in which arrays and objects nest at most `depth` deep, and nothing after it.
    pub(super) fn object(mut self, depth: usize) -> Parsed<Object> {
        let first = self.begin()?;
        let start = self.at;
        if first != b'{' {
            if first != b'[' {
                self.value(depth)?; // what is not JSON is called that
            }
            return Err(self.fault(JsonErrorKind::NotAnObject, start + 1));
        }
        let object = self.object_at(depth)?;
        self.end()?;
        Ok(object)
    }

    /// Reads one value of any kind, at most `depth` deep, and nothing after it.
    pub(super) fn any(mut self, depth: usize) -> Parsed<Value> {
        self.begin()?;
        let value = self.value(depth)?;
        self.end()?;
        Ok(value)
    }

    /// The first byte of the value.
    fn begin(&mut self) -> Parsed<u8> {
        let error = |kind| Box::new(JsonError::without_place(kind));
        if self.text.starts_with('\u{feff}') {
            return Err(error(JsonErrorKind::ByteOrderMark));
        }
        self.skip_spaces().ok_or_else(|| error(JsonErrorKind::Empty))
    }

    fn end(&mut self) -> Parsed<()> {
        match self.skip_spaces() {
            None => Ok(()),
            Some(_) => Err(self.unexpected("trailing characters")),
        }
    }

    /// `value = false / null / true / object / array / number / string`
    fn value(&mut self, depth: usize) -> Parsed<Value> {
        match self.skip_spaces() {
            Some(b'"') => Ok(Value::String(self.string_at()?.into_owned())),
            Some(b'{') => Ok(Value::Object(self.object_at(depth)?)),
            Some(b'[') => Ok(Value::Array(self.array_at(depth)?)),
            Some(b'-' | b'0'..=b'9') => Ok(Value::Number(self.number_at()?)),
            Some(b't') => self.literal_at("true").map(|()| Value::Bool(true)),
            Some(b'f') => self.literal_at("false").map(|()| Value::Bool(false)),
            Some(b'n') => self.literal_at("null").map(|()| Value::Null),
            Some(_) => Err(self.unexpected("expected value")),
            None => Err(self.unexpected("EOF while parsing a value")),
        }
    }

    /// `object = "{" [ member *( "," member ) ] "}"`, from its brace on.
    fn object_at(&mut self, depth: usize) -> Parsed<Object> {
        let depth = self.enter(depth)?;
        let mut members = UniqueMembers::default();
        match self.skip_spaces() {
            Some(b'}') => {
                self.at += 1;
                return Ok(Object::new());
            }
            Some(_) => {}
            None => return Err(self.unexpected("EOF while parsing an object")),
        }
        loop {
            match self.skip_spaces() {
                Some(b'"') => {}
                Some(b'}') => return Err(self.unexpected("trailing comma")),
                Some(_) => return Err(self.unexpected("key must be a string")),
                None => return Err(self.unexpected("EOF while parsing a value")),
            }
            let name = self.string_at()?;
            if members.repeats(&name) {
                return Err(self.fault(JsonErrorKind::DuplicateName(shorten(&name)), self.at));
            }
            match self.skip_spaces() {
                Some(b':') => self.at += 1,
                Some(_) => return Err(self.unexpected("expected `:`")),
                None => return Err(self.unexpected("EOF while parsing an object")),
            }
            let value = self.value(depth)?;
            members.push(name.into(), value);
            match self.skip_spaces() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(members.into_object());
                }
                Some(_) => return Err(self.unexpected("expected `,` or `}`")),
                None => return Err(self.unexpected("EOF while parsing an object")),
            }
        }
    }

    /// `array = "[" [ value *( "," value ) ] "]"`, from its bracket on.
    fn array_at(&mut self, depth: usize) -> Parsed<Vec<Value>> {
        let depth = self.enter(depth)?;
        let mut values = Vec::new();
        match self.skip_spaces() {
            Some(b']') => {
                self.at += 1;
                return Ok(values);
            }
            Some(_) => {}
            None => return Err(self.unexpected("EOF while parsing a list")),
        }
        loop {
            values.push(self.value(depth)?);
            match self.skip_spaces() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(values);
                }
                Some(_) => return Err(self.unexpected("expected `,` or `]`")),
                None => return Err(self.unexpected("EOF while parsing a list")),
            }
            if self.skip_spaces() == Some(b']') {
                return Err(self.unexpected("trailing comma"));
            }
        }
    }

    /// Skips an opening brace or bracket. Returns how deep its content may nest.
    fn enter(&mut self, depth: usize) -> Parsed<usize> {
        self.at += 1;
        depth.checked_sub(1).ok_or_else(|| self.fault(JsonErrorKind::Depth, self.at))
    }

    /// `true`, `false` or `null`, from its first letter on.
    fn literal_at(&mut self, literal: &'static str) -> Parsed<()> {
        for expected in literal.bytes() {
            match self.peek() {
                Some(byte) if byte == expected => self.at += 1,
                Some(_) => return Err(self.unexpected("expected ident")),
                None => return Err(self.unexpected("EOF while parsing a value")),
            }
        }
        Ok(())
    }

    /// `number = [ "-" ] int [ frac ] [ exp ]`, from its first character on.
    fn number_at(&mut self) -> Parsed<Number> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.unexpected("invalid number")); // only a zero may begin with a zero
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Number::from_json(self.since(start)))
    }

    /// `1*DIGIT`
    fn digits(&mut self) -> Parsed<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        match self.peek() {
            _ if self.at > start => Ok(()),
            Some(_) => Err(self.unexpected("invalid number")),
            None => Err(self.unexpected("EOF while parsing a value")),
        }
    }

    /// `string = %x22 *char %x22`, from its opening quote on; a copy only if there are escapes.
    fn string_at(&mut self) -> Parsed<Cow<'t, str>> {
        self.at += 1;
        let start = self.at;
        self.skip_plain();
        if self.peek() == Some(b'"') {
            let plain = self.since(start);
            self.at += 1;
            return Ok(Cow::Borrowed(plain));
        }
        self.string_with_escapes(start).map(Cow::Owned)
    }

    /// The string that began at `start` and is plain up to here.
    fn string_with_escapes(&mut self, mut start: usize) -> Parsed<String> {
        let mut text = String::new();
        let mut nul = false;
        loop {
            text.push_str(self.since(start));
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    break;
                }
                Some(b'\\') => {
                    self.at += 1;
                    let letter = self.escape_at()?;
                    nul |= letter == '\0';
                    text.push(letter);
                }
                Some(_) => {
                    return Err(
                        self.unexpected("control character (\\u0000-\\u001F) found while parsing a string")
                    );
                }
                None => return Err(self.unexpected("EOF while parsing a string")),
            }
            start = self.at;
            self.skip_plain();
        }
        if nul { Err(self.fault(JsonErrorKind::Nul, self.at)) } else { Ok(text) }
    }

    /// What follows a backslash.
    fn escape_at(&mut self) -> Parsed<char> {
        let letter = match self.peek() {
            Some(letter @ (b'"' | b'\\' | b'/')) => char::from(letter),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_at();
            }
            Some(_) => return Err(self.unexpected("invalid escape")),
            None => return Err(self.unexpected("EOF while parsing a string")),
        };
        self.at += 1;
        Ok(letter)
    }

    /// The digits of `\uXXXX`, and a second escape if they are the first half of a surrogate pair.
    fn unicode_at(&mut self) -> Parsed<char> {
        let first = self.hex_at()?;
        let code = match first {
            0xd800..0xdc00 => {
                for expected in *b"\\u" {
                    match self.peek() {
                        Some(byte) if byte == expected => self.at += 1,
                        Some(_) => return Err(self.unexpected("unexpected end of hex escape")),
                        None => return Err(self.unexpected("EOF while parsing a string")),
                    }
                }
                match self.hex_at()? {
                    second @ 0xdc00..0xe000 => 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00),
                    _ => first,
                }
            }
            _ => first,
        };
        // Half of a pair is not a character.
        char::from_u32(code).ok_or_else(|| self.syntax("lone leading surrogate in hex escape", self.at))
    }

    /// `4HEXDIG`
    fn hex_at(&mut self) -> Parsed<u32> {
        let Some(digits) = self.text.as_bytes().get(self.at..self.at + 4) else {
            self.at = self.text.len();
            return Err(self.unexpected("EOF while parsing a string"));
        };
        let value =
            digits.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?));
        match value {
            Some(value) => {
                self.at += 4; // digits are ASCII
                Ok(value)
            }
            None => Err(self.syntax("invalid escape", self.at + 4)),
        }
    }

    /// Goes to the next quote, backslash or control character, or to the end.
    ///
    /// Tests eight bytes in one word, the first of them in its lowest byte. A byte less than `n` borrows from
    /// the byte above when `n` is subtracted from it. Only bytes above the first hit can be wrong because of a
    /// borrow, so the lowest hit is right.
    #[inline]
    fn skip_plain(&mut self) {
        const ONES: u64 = u64::from_ne_bytes([1; 8]);
        const HIGH: u64 = ONES << 7;
        let less = |word: u64, n: u8| word.wrapping_sub(ONES * u64::from(n)) & !word;
        let equal = |word: u64, byte: u8| less(word ^ (ONES * u64::from(byte)), 1);
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let (words, tail) = rest.as_chunks();
        for (index, bytes) in words.iter().enumerate() {
            let word = u64::from_le_bytes(*bytes);
            let hits = (equal(word, b'"') | equal(word, b'\\') | less(word, 0x20)) & HIGH;
            if hits != 0 {
                self.at += index * 8 + hits.trailing_zeros() as usize / 8;
                return;
            }
        }
        let special = tail.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
        self.at += rest.len() - tail.len() + special.unwrap_or(tail.len());
    }

    /// The text read since `start`.
    fn since(&self, start: usize) -> &'t str {
        // INVARIANT: both ends are next to an ASCII character or at an end of the text.
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Skips spaces and returns the byte that follows them.
    #[inline]
    fn skip_spaces(&mut self) -> Option<u8> {
        loop {
            match self.peek() {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                other => return other,
            }
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The error of a next byte, or an end of the text, that the grammar does not allow here.
    #[cold]
    fn unexpected(&self, message: &'static str) -> Box<JsonError> {
        self.syntax(message, self.text.len().min(self.at + 1))
    }

    #[cold]
    fn syntax(&self, message: &'static str, end: usize) -> Box<JsonError> {
        Box::new(JsonError { message, ..*self.fault(JsonErrorKind::Syntax, end) })
    }

    /// An error at the byte before the offset `end`.
    #[cold]
    fn fault(&self, kind: JsonErrorKind, end: usize) -> Box<JsonError> {
        let before = self.text.as_bytes().get(..end).unwrap_or_default();
        let start_of_line = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Box::new(JsonError { kind, message: "", line, column: end - start_of_line })
    }
}
