//! The grammar as nom functions, one for each production.
//!
//! ```abnf
//! filter      = or-expr
//! or-expr     = and-expr *( sp "or" sp and-expr )
//! and-expr    = unary *( sp "and" sp unary )
//! unary       = [ "not" [sp] ] "(" [sp] or-expr [sp] ")" / valuePath / attrExp
//! valuePath   = attrPath "[" [sp] or-expr [sp] "]"      ; without a valuePath in it
//! attrExp     = attrPath sp "pr" / attrPath sp compareOp sp compValue
//! PATH        = attrPath / valuePath [ "." ATTRNAME ]
//! ```
//!
//! The figure of RFC 7644 §3.4.2.2 is left-recursive and gives no precedence; the list after it
//! does. Two errata are included: 7319 (space after `not`) and 4690 with 7322 (no nested value
//! paths).
//!
//! The grammar needs no backtracking: the next token decides. So every failure is the
//! farthest one, and is raised as nom's `Failure` at once.

mod expression;
mod fault;
mod literal;
mod path;

use core::cell::Cell;

use nom::IResult;

pub(crate) use expression::{filter, patch_path, value_path_only};
pub(crate) use fault::Fault;
pub(crate) use literal::{is_word, json_number};
pub(crate) use path::attr_path;

use crate::Leniency;
use crate::error::{FilterErrorKind, expected};

pub(crate) type Parsed<'a, T> = IResult<&'a str, T, Fault<'a>>;

/// The limits of a parse, and how much of them is used.
pub(crate) struct Context {
    pub(crate) leniency: Leniency,
    pub(crate) max_depth: usize,
    pub(crate) terms_left: Cell<usize>,
    /// The deviations from the grammar in the text so far.
    pub(crate) used: Cell<Leniency>,
}

impl Context {
    /// Notes a deviation from the grammar.
    #[cold]
    fn note(&self, departure: Leniency) {
        self.used.set(self.used.get().union(departure));
    }

    /// Counts one more tested attribute.
    fn count_term<'a>(&self, input: &'a str) -> Result<(), nom::Err<Fault<'a>>> {
        match self.terms_left.get().checked_sub(1) {
            Some(left) => {
                self.terms_left.set(left);
                Ok(())
            }
            None => Err(Fault::at(input, FilterErrorKind::TooManyTerms, expected::FEWER_TERMS)),
        }
    }

    /// Checks the depth of a bracket inside `depth` others.
    fn descend<'a>(&self, depth: usize, input: &'a str) -> Result<usize, nom::Err<Fault<'a>>> {
        if depth < self.max_depth {
            Ok(depth + 1)
        } else {
            Err(Fault::at(input, FilterErrorKind::TooDeep, expected::LESS_NESTING))
        }
    }
}

/// `input` without its first `len` bytes.
fn skip(input: &str, len: usize) -> &str {
    input.get(len..).unwrap_or_default()
}

/// `input` without the spaces it begins with.
fn skip_spaces(input: &str) -> &str {
    skip(input, input.bytes().take_while(|byte| *byte == b' ').count())
}

fn first(input: &str) -> Option<u8> {
    input.as_bytes().first().copied()
}
