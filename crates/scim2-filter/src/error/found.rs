use alloc::boxed::Box;
use core::fmt::{self, Write};

use super::FilterErrorKind;

/// How many characters of the client's text an error line repeats.
const MAX_SHOWN_CHARS: usize = 40;

/// The text where a parse stopped, without comparison values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// There is no text, because a tree was built by hand.
    Nothing,
    End,
    Text(Box<str>),
    Class(&'static str),
}

impl Found {
    /// The first token of `rest`, and its length in bytes.
    pub(super) fn at(kind: FilterErrorKind, rest: &str) -> (Self, usize) {
        let Some(first) = rest.chars().next() else { return (Self::End, 0) };
        let token = token(rest);
        match kind {
            FilterErrorKind::String if first == '\\' => {
                let len = rest.chars().take(2).map(char::len_utf8).sum();
                (Self::text(rest.get(..len).unwrap_or_default()), len)
            }
            FilterErrorKind::String => (Self::Class("a bare control character"), first.len_utf8()),
            FilterErrorKind::Number => (Self::Class("something that is not a JSON number"), token.len()),
            FilterErrorKind::CompValue if first.is_alphanumeric() => {
                (Self::Class("a word without quotes"), token.len())
            }
            FilterErrorKind::CompValue => {
                (Self::text(rest.get(..first.len_utf8()).unwrap_or_default()), token.len())
            }
            _ if first == '"' => (Self::Class("a string"), 1),
            _ => (Self::text(token), token.len()),
        }
    }

    fn text(text: &str) -> Self {
        let cut = text.char_indices().nth(MAX_SHOWN_CHARS).map_or(text.len(), |(at, _)| at);
        Self::Text(text.get(..cut).unwrap_or_default().into())
    }
}

/// The word up to the next space, quote or bracket, or one character that cannot be part of a word.
fn token(rest: &str) -> &str {
    let stops = |letter: char| letter.is_whitespace() || matches!(letter, '"' | '(' | ')' | '[' | ']');
    let len = match rest.find(stops) {
        Some(0) => rest.chars().next().map_or(0, char::len_utf8),
        Some(len) => len,
        None => rest.len(),
    };
    rest.get(..len).unwrap_or_default()
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::End => f.write_str("the end"),
            Self::Text(text) if &**text == " " => f.write_str("a space"),
            Self::Text(text) => {
                f.write_char('`')?;
                text.chars().try_for_each(|letter| match letter.is_control() {
                    true => write!(f, "{}", letter.escape_debug()),
                    false => f.write_char(letter),
                })?;
                f.write_char('`')
            }
            Self::Class(class) => f.write_str(class),
        }
    }
}
