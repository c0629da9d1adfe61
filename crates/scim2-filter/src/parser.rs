use core::cell::Cell;

use crate::error::{FilterErrorKind, expected};
use crate::grammar::{self, Context, Fault, Parsed};
use crate::{AttrPath, Filter, FilterError, Leniency, PatchPath, ValuePath};

/// The default limit of a text, in bytes. Real filters are much shorter, and most servers refuse a URL of this length.
pub const DEFAULT_MAX_LENGTH: usize = 16 * 1024;

/// The default limit of nested parentheses and brackets. Hand-written filters stay below 5.
/// 64 levels fit a thread with 256 KiB of stack even without optimization.
pub const DEFAULT_MAX_DEPTH: usize = 64;

/// The default limit of attributes that one filter tests. The longest filters of real clients are lists of
/// a few hundred `or` terms. Each term may cost an index look-up.
pub const DEFAULT_MAX_TERMS: usize = 1024;

/// The highest limit of nesting that can be set. The tree is walked by recursion, and four times the default
/// fits the stack of any main thread.
pub const MAX_DEPTH_CEILING: usize = 256;

/// A configured parser for filters and paths.
///
/// Parsing takes time linear in the text. It consumes the whole text, or the error names the place where it
/// stopped.
///
/// ```
/// use scim2_filter::{FilterErrorKind, FilterParser, Leniency};
///
/// let parser = FilterParser::new().max_terms(2);
/// assert!(parser.parse("a pr or b pr").is_ok());
/// assert_eq!(parser.parse("a pr or b pr or c pr").unwrap_err().kind(), FilterErrorKind::TooManyTerms);
///
/// let text = r#"emails[type eq "work"].value eq "x""#;
/// assert!(parser.parse(text).is_err());
/// let filter = parser.leniency(Leniency::ALL).parse(text)?;
/// assert_eq!(filter.to_string(), r#"emails[type eq "work" and value eq "x"]"#);
/// # Ok::<(), scim2_filter::FilterError>(())
/// ```
///
/// [RFC 7644 §3.4.2.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.2)
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct FilterParser {
    max_length: usize,
    max_depth: usize,
    max_terms: usize,
    leniency: Leniency,
}

impl FilterParser {
    /// The strict grammar, with the limits [`DEFAULT_MAX_LENGTH`], [`DEFAULT_MAX_DEPTH`] and
    /// [`DEFAULT_MAX_TERMS`].
    pub const fn new() -> Self {
        Self {
            max_length: DEFAULT_MAX_LENGTH,
            max_depth: DEFAULT_MAX_DEPTH,
            max_terms: DEFAULT_MAX_TERMS,
            leniency: Leniency::NONE,
        }
    }

    /// The longest text that is read, in bytes; at most 4 GiB.
    pub fn max_length(self, max_length: usize) -> Self {
        Self { max_length: max_length.min(u32::MAX as usize), ..self }
    }

    /// How deeply parentheses and brackets may nest, at most [`MAX_DEPTH_CEILING`]; 0 allows none.
    pub fn max_depth(self, max_depth: usize) -> Self {
        Self { max_depth: max_depth.min(MAX_DEPTH_CEILING), ..self }
    }

    /// How many attributes a filter may test.
    pub fn max_terms(self, max_terms: usize) -> Self {
        Self { max_terms, ..self }
    }

    /// The deviations from the grammar that are read.
    pub fn leniency(self, leniency: Leniency) -> Self {
        Self { leniency, ..self }
    }

    /// Reads a filter; spaces around it are skipped.
    ///
    /// # Errors
    /// A [`FilterError`] with the kind and place of the first token that the grammar does not allow there, or with the
    /// limit that was exceeded.
    pub fn parse(&self, text: &str) -> Result<Filter, FilterError> {
        self.run(text, false, grammar::filter)
    }

    /// Reads the path of a PATCH operation.
    ///
    /// # Errors
    /// As [`parse`](Self::parse); [`FilterError::in_filter`] says whether the fault is within the
    /// brackets.
    pub fn parse_path(&self, text: &str) -> Result<PatchPath, FilterError> {
        self.run(text, true, grammar::patch_path)
    }

    /// Reads a filter as [`parse`](Self::parse) does, and reports the deviations from the grammar that it
    /// needed, so that a service provider can log them.
    ///
    /// ```
    /// use scim2_filter::{FilterParser, Leniency};
    ///
    /// let parser = FilterParser::new().leniency(Leniency::ALL);
    /// let (_, used) = parser.parse_reporting("userName eq bjensen")?;
    /// assert!(used.unquoted_words && !used.missing_spaces);
    /// # Ok::<(), scim2_filter::FilterError>(())
    /// ```
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_reporting(&self, text: &str) -> Result<(Filter, Leniency), FilterError> {
        self.run_reporting(text, false, grammar::filter)
    }

    /// Reads the path of a PATCH operation as [`parse_path`](Self::parse_path) does, and reports the deviations from the
    /// grammar that it needed.
    ///
    /// # Errors
    /// As [`parse_path`](Self::parse_path).
    pub fn parse_path_reporting(&self, text: &str) -> Result<(PatchPath, Leniency), FilterError> {
        self.run_reporting(text, true, grammar::patch_path)
    }

    /// Reads the path of an attribute, as in `sortBy` and `attributes`.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_attr_path(&self, text: &str) -> Result<AttrPath, FilterError> {
        self.run(text, true, |cx, input| {
            let (rest, path) = grammar::attr_path(cx, input)?;
            if rest.is_empty() {
                return Ok((rest, path));
            }
            Err(Fault::at(rest, FilterErrorKind::Trailing, expected::END))
        })
    }

    /// Reads a value path.
    ///
    /// # Errors
    /// As [`parse_path`](Self::parse_path).
    pub fn parse_value_path(&self, text: &str) -> Result<ValuePath, FilterError> {
        self.run(text, true, grammar::value_path_only)
    }

    fn run<'a, T>(
        &self,
        text: &'a str,
        is_path: bool,
        production: impl FnOnce(&Context, &'a str) -> Parsed<'a, T>,
    ) -> Result<T, FilterError> {
        self.run_reporting(text, is_path, production).map(|(value, _)| value)
    }

    #[inline]
    fn run_reporting<'a, T>(
        &self,
        text: &'a str,
        is_path: bool,
        production: impl FnOnce(&Context, &'a str) -> Parsed<'a, T>,
    ) -> Result<(T, Leniency), FilterError> {
        if text.len() > self.max_length {
            return Err(FilterError::too_long(text, self.max_length, is_path));
        }
        let cx = Context {
            leniency: self.leniency,
            max_depth: self.max_depth,
            terms_left: Cell::new(self.max_terms),
            used: Cell::new(Leniency::NONE),
        };
        match production(&cx, text) {
            Ok((_, value)) => Ok((value, cx.used.get())),
            Err(nom::Err::Failure(fault) | nom::Err::Error(fault)) => {
                let limit = match fault.kind {
                    FilterErrorKind::TooManyTerms => self.max_terms,
                    _ => self.max_depth,
                };
                Err(FilterError::new(text, &fault, limit, is_path))
            }
            // INVARIANT: only `complete` parsers are used, and they never ask for more.
            Err(nom::Err::Incomplete(_)) => Err(FilterError::of_tree(FilterErrorKind::Empty)),
        }
    }
}

impl Default for FilterParser {
    fn default() -> Self {
        Self::new()
    }
}
