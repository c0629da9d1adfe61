use alloc::boxed::Box;
use core::fmt;

/// Why a text is no [`AttrName`](crate::AttrName) or [`SchemaUri`](crate::SchemaUri).
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
    /// There is no text at all.
    Empty,
    /// A character cannot stand where it stands.
    Character,
    /// A schema URI has no scheme, or nothing behind it.
    NoScheme,
}

/// How much of the peer's text an error line repeats, in characters.
const SHOWN: usize = 80;

impl NameError {
    pub(crate) fn new(kind: NameErrorKind, rule: &'static str, text: &str, at: usize) -> Self {
        Self { kind, rule, text: text.chars().take(SHOWN).collect(), at }
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
