use alloc::boxed::Box;
use core::fmt;

/// Why a text is not an [`AttrName`](crate::AttrName) or [`SchemaUri`](crate::SchemaUri).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameError {
    kind: NameErrorKind,
    rule: &'static str,
    text: Box<str>,
    at: usize,
}

/// The rule that a name broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameErrorKind {
    /// The text is empty.
    Empty,
    /// A character is not allowed at its position.
    Character,
    /// A schema URI has no scheme, or nothing after it.
    NoScheme,
}

/// The most characters of the peer's text that an error line repeats.
const MAX_SHOWN_CHARS: usize = 80;

impl NameError {
    pub(crate) fn new(kind: NameErrorKind, rule: &'static str, text: &str, at: usize) -> Self {
        Self { kind, rule, text: text.chars().take(MAX_SHOWN_CHARS).collect(), at }
    }

    /// The rule that was broken.
    #[must_use]
    pub fn kind(&self) -> NameErrorKind {
        self.kind
    }

    /// The byte offset in the text at which the rule was broken.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.at
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, rule, text, at } = self;
        match kind {
            NameErrorKind::Empty => write!(f, "expected {rule}, found nothing"),
            NameErrorKind::NoScheme => {
                write!(
                    f,
                    "expected {rule} such as `urn:example:schemas:1.0:Thing`, found `{}`",
                    text.escape_debug()
                )
            }
            NameErrorKind::Character => match text.get(*at..).and_then(|rest| rest.chars().next()) {
                Some(found) => write!(
                    f,
                    "{rule}, found `{}` at byte {at} of `{}`",
                    found.escape_debug(),
                    text.escape_debug()
                ),
                None => write!(f, "{rule}, found another character at byte {at}"),
            },
        }
    }
}

impl core::error::Error for NameError {}
