use std::fmt;

use scim2_core::ScimType;
use scim2_core::json::JsonError;

/// Why a message or query parameters were refused.
///
/// The line names the member or parameter and what was expected. It repeats at most
/// [`MessageError::MAX_SHOWN_CHARS`] characters of the client's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageError {
    kind: MessageErrorKind,
    line: Box<str>,
    /// The line without values, if the line holds one.
    log_line: Option<Box<str>>,
}

/// What is wrong with the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageErrorKind {
    /// The body is not a JSON object, or is one that two readers would read differently.
    Json,
    /// `schemas` is missing or names another message.
    Schemas,
    /// A member that the message needs is missing.
    MissingMember,
    /// The message does not have this member.
    UnknownMember,
    /// A member has the wrong JSON type.
    WrongType,
    /// A bulk operation has a method that bulk requests do not know.
    UnknownMethod,
    /// A value is not allowed for its member or parameter.
    InvalidValue,
    /// `filter` is empty or given twice.
    InvalidFilter,
    /// `count` is not an integer, or given twice, in a query with a `cursor`.
    InvalidCount,
}

impl MessageError {
    /// How many characters of the client's text an error line repeats at most.
    pub const MAX_SHOWN_CHARS: usize = 64;

    /// An error whose line holds names only, and no values.
    pub(crate) fn new(kind: MessageErrorKind, line: impl Into<Box<str>>) -> Self {
        Self { kind, line: line.into(), log_line: None }
    }

    /// Sets another line for logs, without the text of the client.
    pub(crate) fn with_log_line(self, log_line: String) -> Self {
        Self { log_line: Some(log_line.into()), ..self }
    }

    pub(crate) fn invalid_value(what: &str, expected: &str, found: &str) -> Self {
        Self::unexpected(MessageErrorKind::InvalidValue, what, expected, found)
    }

    pub(crate) fn unexpected(kind: MessageErrorKind, what: &str, expected: &str, found: &str) -> Self {
        let log_line = format!("expected {expected} in `{what}`");
        let line = format!("{log_line}, found `{}`", shorten(found));
        Self { kind, line: line.into(), log_line: Some(log_line.into()) }
    }

    /// The same of the `count` of a page that is asked for by cursor or by index: by cursor it has a
    /// keyword of its own ([RFC 9865 §2.1](https://www.rfc-editor.org/rfc/rfc9865#section-2.1)).
    pub(crate) fn of_count(self, by_cursor: bool) -> Self {
        match self.kind {
            MessageErrorKind::InvalidValue if by_cursor => {
                Self { kind: MessageErrorKind::InvalidCount, ..self }
            }
            _ => self,
        }
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> MessageErrorKind {
        self.kind
    }

    /// The line without values, for logs.
    #[must_use]
    pub fn log_line(&self) -> String {
        self.log_line.as_ref().unwrap_or(&self.line).to_string()
    }

    /// The keyword of the error response
    /// ([RFC 7644 §3.12](https://www.rfc-editor.org/rfc/rfc7644#section-3.12)).
    #[must_use]
    pub const fn scim_type(&self) -> ScimType {
        match self.kind {
            MessageErrorKind::Json
            | MessageErrorKind::Schemas
            | MessageErrorKind::MissingMember
            | MessageErrorKind::UnknownMember
            | MessageErrorKind::WrongType
            | MessageErrorKind::UnknownMethod => ScimType::InvalidSyntax,
            MessageErrorKind::InvalidValue => ScimType::InvalidValue,
            MessageErrorKind::InvalidFilter => ScimType::InvalidFilter,
            MessageErrorKind::InvalidCount => ScimType::InvalidCount,
        }
    }
}

impl From<JsonError> for MessageError {
    fn from(error: JsonError) -> Self {
        Self::new(MessageErrorKind::Json, error.to_string())
    }
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

impl std::error::Error for MessageError {}

/// The part of the client's text that an error line repeats.
pub(crate) fn shorten(text: &str) -> String {
    one_line(text, MessageError::MAX_SHOWN_CHARS)
}

/// The client's text on one line, cut after `longest` characters.
pub(crate) fn one_line(text: &str, longest: usize) -> String {
    let mut line = String::new();
    for c in text.chars().take(longest) {
        if c.is_control() { line.extend(c.escape_debug()) } else { line.push(c) }
    }
    if text.chars().nth(longest).is_some() {
        line.push('…');
    }
    line
}
