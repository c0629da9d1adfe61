use crate::error::{Expected, FilterErrorKind};

/// The place where the grammar stopped, the kind of the error, and what the grammar allows there.
#[derive(Debug)]
pub(crate) struct Fault<'a> {
    pub(crate) rest: &'a str,
    pub(crate) kind: FilterErrorKind,
    pub(crate) expected: Expected,
    /// The failure lies within the brackets of a value path.
    pub(crate) in_brackets: bool,
}

impl<'a> Fault<'a> {
    /// A final failure: no other production begins with the text before `rest`.
    #[cold]
    pub(crate) fn at(rest: &'a str, kind: FilterErrorKind, expected: Expected) -> nom::Err<Self> {
        nom::Err::Failure(Self { rest, kind, expected, in_brackets: false })
    }

    pub(crate) fn within_brackets(error: nom::Err<Self>) -> nom::Err<Self> {
        error.map(|fault| Self { in_brackets: true, ..fault })
    }
}

impl<'a> nom::error::ParseError<&'a str> for Fault<'a> {
    fn from_error_kind(rest: &'a str, _: nom::error::ErrorKind) -> Self {
        Self { rest, kind: FilterErrorKind::Connective, expected: &[], in_brackets: false }
    }

    fn append(_: &'a str, _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }
}
