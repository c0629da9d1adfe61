mod draw;
mod found;
mod hint;

use alloc::boxed::Box;
use core::fmt;
use core::ops::Range;

use self::draw::Window;
use self::found::Found;
use crate::grammar::Fault;

/// The items that the grammar allows where a parse stopped, each as it reads in a sentence.
pub(crate) type Expected = &'static [&'static str];

/// Why a text is not a filter or path, or why a tree cannot be built.
///
/// `{}` prints one line with the byte offset. `{:#}` draws the text with a caret below it, and a
/// hint for a common mistake. The line never repeats comparison values, because they
/// may be secret; the drawing shows a part of the received text.
///
/// ```
/// use scim2_filter::{Filter, FilterErrorKind};
///
/// let error = "userName eq bjensen".parse::<Filter>().unwrap_err();
/// assert_eq!(error.kind(), FilterErrorKind::CompValue);
/// assert_eq!(error.span(), 12..19);
/// assert_eq!(
///     error.to_string(),
///     "expected a comparison value, found a word without quotes at byte 12 (strings stand in double quotes)",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    kind: FilterErrorKind,
    span: Range<usize>,
    expected: Expected,
    found: Found,
    hint: Option<&'static str>,
    /// The byte offset of the bracket that is not closed.
    unclosed: Option<usize>,
    /// The limit that was exceeded.
    limit: usize,
    in_filter: bool,
    window: Window,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FilterErrorKind {
    /// The text is empty or holds only spaces, or a list of filters is empty.
    Empty,
    /// An operand is missing, as after `a pr and`.
    Operand,
    /// An attribute path is malformed: `a.b.c`, `1a`, `name.`.
    AttrPath,
    /// No operator follows the attribute, or one that SCIM does not know.
    Operator,
    /// A space is missing between an operator and a string.
    Space,
    /// No comparison value follows the operator, or something else does, such as a word without
    /// quotes.
    CompValue,
    /// A string is malformed: no closing quote, an unknown escape, a bare control character.
    String,
    /// A number is malformed: `01`, `+1`, `1.`.
    Number,
    /// Two expressions are not joined by `and` or `or`, or a bracket closes that was not opened.
    Connective,
    /// A parenthesis or bracket is not closed.
    Unclosed,
    /// Something follows a value path that cannot follow it, as in `emails[type pr].value pr`.
    ValuePath,
    /// A value path is nested in a value path.
    NestedValuePath,
    /// Something follows the end of a path: `emails[0].x`, `userName eq`.
    Trailing,
    /// The text is longer than allowed.
    TooLong,
    /// Parentheses and brackets nest deeper than allowed.
    TooDeep,
    /// More attributes are tested than allowed.
    TooManyTerms,
}

impl FilterError {
    #[cold]
    pub(crate) fn new(text: &str, fault: &Fault<'_>, limit: usize, is_path: bool) -> Self {
        let &Fault { rest, kind, expected, in_brackets } = fault;
        let start = text.len() - rest.len();
        let (found, len) = Found::at(kind, rest);
        let span = start..start + len;
        Self(Box::new(Inner {
            kind,
            expected,
            found,
            hint: hint::hint(kind, text.get(..start).unwrap_or_default(), rest),
            unclosed: if kind == FilterErrorKind::Unclosed { hint::unclosed(text) } else { None },
            limit,
            // A value path without a closing bracket is a malformed path.
            in_filter: !is_path || (in_brackets && text.contains(']')),
            window: Window::new(text, span.clone()),
            span,
        }))
    }

    #[cold]
    pub(crate) fn too_long(text: &str, limit: usize, is_path: bool) -> Self {
        let span = limit..text.len();
        Self(Box::new(Inner {
            kind: FilterErrorKind::TooLong,
            window: Window::new(text, limit..limit),
            span,
            expected: &[],
            found: Found::End,
            hint: None,
            unclosed: None,
            limit,
            in_filter: !is_path,
        }))
    }

    /// An error without a text: the tree would not print as a valid filter.
    #[cold]
    pub(crate) fn of_tree(kind: FilterErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            span: 0..0,
            expected: &[],
            found: Found::Nothing,
            hint: None,
            unclosed: None,
            limit: crate::DEFAULT_MAX_DEPTH,
            in_filter: true,
            window: Window::default(),
        }))
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> FilterErrorKind {
        self.0.kind
    }

    /// The byte range of the text that is wrong. Empty if something is missing there.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.0.span.clone()
    }

    /// What the grammar allows there, each item as it reads in a sentence: "`and`", "a string".
    #[must_use]
    pub fn expected(&self) -> &'static [&'static str] {
        self.0.expected
    }

    /// What the author probably meant, for a common mistake.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        self.0.hint
    }

    /// The line for logs, without any received text. Even the text in the place of an operator may be part of a value
    /// without quotes.
    ///
    /// ```
    /// use scim2_filter::Filter;
    ///
    /// let error = r#"displayName eq "Mel"Brooks""#.parse::<Filter>().unwrap_err();
    /// assert!(error.to_string().contains("Brooks"));
    /// assert_eq!(error.log_line(), "expected `and`, `or` or the end, found other text at byte 20");
    /// ```
    #[must_use]
    pub fn log_line(&self) -> alloc::string::String {
        let found = match &self.0.found {
            Found::Text(_) => Found::Class("other text"),
            other => other.clone(),
        };
        alloc::format!("{}", Line { inner: &self.0, found: &found })
    }

    /// Says whether a filter is at fault (also one within the brackets of a path), and not a path. This is the difference
    /// between the SCIM errors `invalidFilter` and `invalidPath`.
    ///
    /// [RFC 7644 §3.12, Table 9](https://www.rfc-editor.org/rfc/rfc7644#section-3.12)
    #[must_use]
    pub fn in_filter(&self) -> bool {
        self.0.in_filter
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        Line { inner, found: &inner.found }.fmt(f)?;
        if f.alternate() {
            return inner.window.draw(f, inner.hint);
        }
        match inner.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// The line of an error. `found` describes the text at the fault.
struct Line<'a> {
    inner: &'a Inner,
    found: &'a Found,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inner, found } = *self;
        let Inner { kind, span, expected, unclosed, limit, in_filter, .. } = inner;
        let at = span.start;
        let what = if *in_filter { "filter" } else { "path" };
        match (kind, found) {
            (FilterErrorKind::TooLong, _) => {
                return write!(f, "a {what} has at most {limit} bytes, found {}", span.end);
            }
            (FilterErrorKind::TooManyTerms, _) => {
                return write!(f, "a filter tests at most {limit} attributes, found more at byte {at}");
            }
            (FilterErrorKind::TooDeep, Found::Nothing) => {
                return write!(f, "parentheses and brackets nest at most {limit} deep");
            }
            (FilterErrorKind::TooDeep, _) => {
                return write!(
                    f,
                    "parentheses and brackets nest at most {limit} deep, found more at byte {at}"
                );
            }
            (FilterErrorKind::NestedValuePath, _) => {
                f.write_str("a value path cannot stand within a value path")?;
                return if *found == Found::Nothing { Ok(()) } else { write!(f, ", found one at byte {at}") };
            }
            (FilterErrorKind::Empty, Found::Nothing) => return f.write_str("expected at least one filter"),
            (FilterErrorKind::Empty, _) => return write!(f, "expected a {what}, found nothing"),
            _ => {}
        }
        f.write_str("expected ")?;
        for (index, item) in expected.iter().enumerate() {
            let last = index + 1 == expected.len();
            f.write_str(match index {
                0 => "",
                _ if last => " or ",
                _ => ", ",
            })?;
            f.write_str(item)?;
        }
        write!(f, ", found {found} at byte {at}")?;
        if let Some(open) = unclosed {
            write!(f, "; the bracket at byte {open} is not closed")?;
        }
        Ok(())
    }
}

impl core::error::Error for FilterError {}

/// The allowed items at each place where the grammar can stop.
pub(crate) mod expected {
    use super::Expected;

    pub(crate) const OPERAND: Expected = &["an attribute", "`not (`", "`(`"];
    pub(crate) const ATTR_PATH: Expected = &["an attribute"];
    pub(crate) const SUB_ATTRIBUTE: Expected = &["a sub-attribute"];
    pub(crate) const NAME_AFTER_URI: Expected = &["an attribute after the schema URI"];
    pub(crate) const NO_FURTHER_SUB_ATTRIBUTE: Expected = &["at most one sub-attribute"];
    pub(crate) const AFTER_PATH: Expected = &["a space and an operator", "`[`"];
    pub(crate) const OPERATOR: Expected =
        &["`pr`", "`eq`", "`ne`", "`co`", "`sw`", "`ew`", "`gt`", "`ge`", "`lt`", "`le`"];
    pub(crate) const SPACE: Expected = &["a space before the string"];
    pub(crate) const COMP_VALUE: Expected = &["a comparison value"];
    pub(crate) const CLOSING_QUOTE: Expected = &["a closing `\"`"];
    pub(crate) const ESCAPE: Expected = &["an escape that JSON knows"];
    pub(crate) const ESCAPED_CONTROL: Expected = &["control characters to be escaped"];
    pub(crate) const CONNECTIVE_OR_END: Expected = &["`and`", "`or`", "the end"];
    pub(crate) const CONNECTIVE_OR_PARENTHESIS: Expected = &["`and`", "`or`", "`)`"];
    pub(crate) const CONNECTIVE_OR_BRACKET: Expected = &["`and`", "`or`", "`]`"];
    pub(crate) const BRACKET: Expected = &["`[`"];
    pub(crate) const BRACKET_OR_END: Expected = &["`[`", "the end"];
    pub(crate) const DOT_OR_END: Expected = &["`.`", "the end"];
    pub(crate) const END: Expected = &["the end"];
    pub(crate) const LESS_NESTING: Expected = &[];
    pub(crate) const FEWER_TERMS: Expected = &[];
}
