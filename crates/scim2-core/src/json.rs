//! Reading JSON that a peer sent: bounded depth, no repeated names, no NUL, numbers without loss.

mod parser;

use std::fmt;

use self::parser::Parser;
use crate::value::{Object, Value};

/// Reads JSON within limits.
///
/// Repeated member names, in the same or another ASCII case, are always an error: JSON leaves their meaning
/// open, and two readers could see two different requests.
///
/// ```
/// use scim2_core::json::{JsonErrorKind, JsonReader};
///
/// let reader = JsonReader::new();
/// let user = reader.object(br#"{"userName":"ada"}"#)?;
/// assert_eq!(user.get_str("username"), Some("ada"));
///
/// let error = reader.object(br#"{"userName":"ada","USERNAME":"bob"}"#).unwrap_err();
/// assert!(matches!(error.kind(), JsonErrorKind::DuplicateName(_)));
/// assert_eq!(error.to_string(), "the name `USERNAME` occurs twice in one object, at line 1 column 28");
/// # Ok::<(), scim2_core::json::JsonError>(())
/// ```
///
/// Numbers keep all their digits, however many, and any magnitude.
#[derive(Debug, Clone, Copy)]
pub struct JsonReader {
    max_depth: usize,
}

impl JsonReader {
    /// The default of [`max_depth`](Self::max_depth). A resource needs four levels, a bulk request seven. 32
    /// leaves room for deeper schemas and costs little stack.
    pub const DEFAULT_MAX_DEPTH: usize = 32;

    /// The deepest limit that can be set: each level takes some stack.
    pub const MAX_DEPTH: usize = 120;

    /// A reader with the default limit.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_depth: Self::DEFAULT_MAX_DEPTH }
    }

    /// Sets how many arrays and objects may be inside each other, the outermost included; at most
    /// [`MAX_DEPTH`](Self::MAX_DEPTH).
    #[must_use]
    pub const fn max_depth(mut self, depth: usize) -> Self {
        self.max_depth = if depth > Self::MAX_DEPTH { Self::MAX_DEPTH } else { depth };
        self
    }

    /// Reads one object and nothing after it.
    ///
    /// # Errors
    /// See [`JsonErrorKind`].
    pub fn object(&self, json: &[u8]) -> Result<Object, JsonError> {
        Parser::new(utf8(json)?).object(self.max_depth).map_err(|error| *error)
    }

    /// Reads one value of any kind and nothing after it.
    ///
    /// # Errors
    /// See [`JsonErrorKind`].
    pub fn value(&self, json: &[u8]) -> Result<Value, JsonError> {
        Parser::new(utf8(json)?).any(self.max_depth).map_err(|error| *error)
    }
}

/// The check of the encoding is one pass at memory speed, and lets the parser trust the text.
fn utf8(json: &[u8]) -> Result<&str, JsonError> {
    std::str::from_utf8(json)
        .map_err(|error| JsonError::without_place(JsonErrorKind::Encoding(error.valid_up_to())))
}

impl Default for JsonReader {
    fn default() -> Self {
        Self::new()
    }
}

/// Why a peer's JSON was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    kind: JsonErrorKind,
    /// What is wrong with the syntax; empty for the other kinds.
    message: &'static str,
    line: usize,
    column: usize,
}

/// What is wrong with the JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonErrorKind {
    /// The bytes are not UTF-8 from this offset on.
    Encoding(usize),
    /// The text is empty, or holds only spaces.
    Empty,
    /// The text begins with a byte order mark, which JSON must not have
    /// ([RFC 8259 §8.1](https://www.rfc-editor.org/rfc/rfc8259#section-8.1)).
    ByteOrderMark,
    /// The text is not JSON.
    Syntax,
    /// The value is not an object.
    NotAnObject,
    /// Arrays and objects nest deeper than the limit.
    Depth,
    /// A name occurs twice in one object, in the same or another letter case.
    DuplicateName(Box<str>),
    /// A string holds the character U+0000, which some stores and logs cannot keep.
    Nul,
}

impl JsonError {
    fn without_place(kind: JsonErrorKind) -> Self {
        Self { kind, message: "", line: 0, column: 0 }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &JsonErrorKind {
        &self.kind
    }

    /// The line, counted from 1; 0 if the error has no position.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column in bytes, counted from 1; 0 if the error has no position.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "the body", true)
    }
}

impl JsonError {
    /// The error line for a text that is not the body of a message, such as `the file`.
    #[must_use]
    pub fn in_text(&self, text: &str) -> String {
        self.line_for(text, true)
    }

    /// The same for a text of one line, whose line number the caller reports.
    #[must_use]
    pub fn in_line(&self, text: &str) -> String {
        self.line_for(text, false)
    }

    fn line_for(&self, text: &str, with_line: bool) -> String {
        struct In<'a>(&'a JsonError, &'a str, bool);
        impl fmt::Display for In<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.write(f, self.1, self.2)
            }
        }
        In(self, text, with_line).to_string()
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, text: &str, with_line: bool) -> fmt::Result {
        match &self.kind {
            JsonErrorKind::Encoding(at) => return write!(f, "{text} is not UTF-8 from byte {at} on"),
            JsonErrorKind::Empty => return write!(f, "{text} is empty, expected JSON"),
            JsonErrorKind::ByteOrderMark => {
                return write!(
                    f,
                    "{text} begins with a byte order mark, which JSON does not have: send it without"
                );
            }
            JsonErrorKind::Syntax => write!(f, "{text} is not JSON: {}", self.message)?,
            JsonErrorKind::NotAnObject => f.write_str("expected a JSON object, found another value")?,
            JsonErrorKind::Depth => f.write_str("arrays and objects nest deeper than the limit")?,
            JsonErrorKind::DuplicateName(name) => {
                write!(f, "the name `{}` occurs twice in one object", name.escape_debug())?;
            }
            JsonErrorKind::Nul => f.write_str("a string holds the character U+0000")?,
        }
        f.write_str(", at ")?;
        if with_line {
            write!(f, "line {} ", self.line)?;
        }
        write!(f, "column {}", self.column)
    }
}

impl std::error::Error for JsonError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(json: impl AsRef<[u8]>) -> JsonErrorKind {
        JsonReader::new().object(json.as_ref()).expect_err("refused").kind().clone()
    }

    #[test]
    fn each_kind_has_its_input() {
        assert_eq!(refused(b"{\"a\":\"\xff\"}"), JsonErrorKind::Encoding(6));
        assert_eq!(refused("{"), JsonErrorKind::Syntax);
        assert_eq!(refused("{} x"), JsonErrorKind::Syntax);
        assert_eq!(refused(""), JsonErrorKind::Empty);
        assert_eq!(refused(" \r\n"), JsonErrorKind::Empty);
        assert_eq!(refused("\u{feff}{}"), JsonErrorKind::ByteOrderMark);
        assert_eq!(refused("[]"), JsonErrorKind::NotAnObject);
        assert_eq!(refused(r#"{"a":"\u0000"}"#), JsonErrorKind::Nul);
        assert_eq!(refused(r#"{"a\u0000":1}"#), JsonErrorKind::Nul);
        assert_eq!(refused(r#"{"a":{"b":1,"B":2}}"#), JsonErrorKind::DuplicateName("B".into()));
    }

    #[test]
    fn c_2_3_3_01_numbers_are_read_without_loss() {
        let json =
            r#"{"a":0.12345678901234567890,"b":["1.5",-0,18446744073709551616,1.50],"c":{"d":1e-400}}"#;
        let object = JsonReader::new().object(json.as_bytes()).expect("valid");
        let printed =
            r#"{"a":0.12345678901234567890,"b":["1.5",0,18446744073709551616,1.5],"c":{"d":1e-400}}"#;
        assert_eq!(object.to_string(), printed);
        let huge = format!(r#"{{"a":1e400,"b":[-2.5e+999999999,{}],"c":0.5}}"#, "9".repeat(400));
        let object = JsonReader::new().object(huge.as_bytes()).expect("valid");
        assert_eq!(object.to_string(), huge);
        assert_eq!("1e400".parse::<Value>().map(|value| value.to_string()), Ok("1e400".to_owned()));
        for broken in ["{\"a\":01e999}", "{\"a\":1.e999}", "{\"a\":1e999 x}", "{\"a\":1e999-5}"] {
            assert_eq!(refused(broken), JsonErrorKind::Syntax, "{broken}");
        }
        assert_eq!(refused(r#"{"a":1e400,"A":1}"#), JsonErrorKind::DuplicateName("A".into()));
        let tiny = JsonReader::new().value(b"1e-999999999999999999999").expect("valid");
        assert_eq!(tiny.to_string(), "1e-999999999999999999999");
        assert_eq!("[1.50]".parse::<Value>().map(|value| value.to_string()), Ok("[1.5]".to_owned()));
    }

    #[test]
    fn depth_is_bounded_at_the_limit_and_far_beyond() {
        let nested =
            |depth: usize| format!("{}{}", r#"{"a":"#.repeat(depth - 1) + "{}", "}".repeat(depth - 1));
        assert!(JsonReader::new().object(nested(32).as_bytes()).is_ok());
        assert_eq!(refused(nested(33)), JsonErrorKind::Depth);
        assert_eq!(refused(nested(100_000)), JsonErrorKind::Depth);
        assert_eq!(refused(format!(r#"{{"a":{}"#, "[".repeat(100_000))), JsonErrorKind::Depth);
    }

    #[test]
    fn a_hundred_thousand_names_take_no_quadratic_time() {
        let members: Vec<String> = (0..100_000).map(|n| format!("\"a{n}\":1")).collect();
        let json = format!("{{{}}}", members.join(","));
        assert_eq!(JsonReader::new().object(json.as_bytes()).expect("valid").len(), 100_000);
        let repeated = format!("{{{},\"A99999\":1}}", members.join(","));
        assert_eq!(refused(repeated), JsonErrorKind::DuplicateName("A99999".into()));
    }
}
