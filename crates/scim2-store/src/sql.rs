//! SQL text with its parameters.

use std::borrow::Cow;

/// The value of a `?`. Input of a client is always a parameter, never part of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Param {
    Integer(i64),
    /// An integer or NULL.
    MaybeInteger(Option<i64>),
    Blob(Vec<u8>),
    Text(String),
    /// A display name or NULL: bytes on PostgreSQL, because its texts cannot hold a NUL.
    Display(Option<Vec<u8>>),
}

/// SQL text, and the values of its `?` in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sql {
    pub(crate) text: Cow<'static, str>,
    pub(crate) params: Vec<Param>,
}

impl Sql {
    pub(crate) fn new(text: impl Into<Cow<'static, str>>, params: impl IntoIterator<Item = Param>) -> Self {
        Self { text: text.into(), params: params.into_iter().collect() }
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.text.to_mut().push_str(text);
    }

    pub(crate) fn append(&mut self, other: &Self) {
        self.text.to_mut().push_str(&other.text);
        self.params.extend(other.params.iter().cloned());
    }

    /// The number of `SELECT`s in the text.
    pub(crate) fn selects(&self) -> usize {
        self.text.matches("SELECT").count()
    }

    /// Puts text before and behind this.
    pub(crate) fn within(mut self, before: &str, after: &str) -> Self {
        self.text = [before, &*self.text, after].concat().into();
        self
    }

    /// Joins pieces with `word`, in nested pairs. Databases limit the depth of an expression, and a chain of a
    /// thousand operands would be a thousand deep.
    pub(crate) fn join(pieces: Vec<Self>, word: &str) -> Option<Self> {
        let mut pieces = pieces;
        while pieces.len() > 1 {
            let mut pairs = Vec::with_capacity(pieces.len().div_ceil(2));
            let mut left = pieces.into_iter();
            while let Some(mut first) = left.next() {
                if let Some(second) = left.next() {
                    first = first.within("(", word);
                    first.append(&second);
                    first.push(")");
                }
                pairs.push(first);
            }
            pieces = pairs;
        }
        pieces.pop()
    }
}

pub(crate) fn integer(value: i64) -> Param {
    Param::Integer(value)
}

pub(crate) fn blob(value: Vec<u8>) -> Param {
    Param::Blob(value)
}

pub(crate) fn text(value: impl Into<String>) -> Param {
    Param::Text(value.into())
}

pub(crate) fn maybe_integer(value: Option<i64>) -> Param {
    Param::MaybeInteger(value)
}

pub(crate) fn display(name: Option<Box<str>>) -> Param {
    Param::Display(name.map(|name| name.into_string().into_bytes()))
}
