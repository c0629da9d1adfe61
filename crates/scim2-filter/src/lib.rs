//! The filters and paths of SCIM 2.0: read, print, build and walk them.
//!
//! ```
//! use scim2_filter::{AttrExp, Filter};
//!
//! let filter: Filter = r#"userName Eq "bjensen" and not(title pr)"#.parse()?;
//! assert_eq!(filter.to_string(), r#"userName eq "bjensen" and not (title pr)"#);
//!
//! let Filter::And(operands) = &filter else { unreachable!() };
//! assert!(matches!(&operands[0], Filter::Attr(AttrExp::Compare { .. })));
//!
//! let built = Filter::attr("userName")?
//!     .eq("bjensen")
//!     .and(Filter::attr("title")?.pr().negate()?)?;
//! assert_eq!(filter, built);
//!
//! let error = "userName = 'bjensen'".parse::<Filter>().unwrap_err();
//! assert_eq!(error.span(), 9..10);
//! # Ok::<(), scim2_filter::FilterError>(())
//! ```
//!
//! # The grammar
//! ```abnf
//! filter    = and-list *( SP "or" SP and-list )
//! and-list  = operand *( SP "and" SP operand )
//! operand   = [ "not" ] "(" filter ")" / valuePath / attrExp
//! valuePath = attrPath "[" filter "]"            ; without a valuePath in it
//! attrExp   = attrPath SP "pr" / attrPath SP compareOp SP compValue
//! compareOp = "eq" / "ne" / "co" / "sw" / "ew" / "gt" / "ge" / "lt" / "le"
//! compValue = string / number / "true" / "false" / "null"      ; as in JSON
//! attrPath  = [ URI ":" ] name [ "." name ]
//! PATH      = attrPath / valuePath [ "." name ]                ; of a PATCH operation
//! ```
//! `not` binds tightest, then `and`, then `or`. Names and words are read in any case, the JSON
//! literals in lower case. One space or more stands wherever `SP` does; spaces inside brackets, after `not`
//! and around the whole filter are skipped.
//!
//! # Readings, where the RFC leaves room
//! - Errata 4690 and 7322: no value path within a value path. Erratum 7319: a space after `not`.
//! - `not` without parentheses is refused; `not pr` asks whether an attribute called `not` has a value.
//! - `$` may stand in names and `$ref` is one, as RFC 7643 uses them.
//! - A URN holds dots and colons, so a path is split at its last colon, and the whole text is kept
//!   for those who know which schemas there are ([`AttrPath`]).
//! - Forms that real clients send and the grammar refuses are read if they are named in
//!   [`Leniency`]; the default is none.
//!
//! # Laws
//! For every [`Filter`] and [`PatchPath`], read or built: the same parser, its limits permitting,
//! reads the printed text back as an equal tree. Printing what was read and reading it again
//! changes the text no more.
//!
//! # Limits
//! Reading is linear in the text and bounded by [`DEFAULT_MAX_LENGTH`], [`DEFAULT_MAX_DEPTH`] and
//! [`DEFAULT_MAX_TERMS`], each of which can be set on the [`FilterParser`]. Walking, printing,
//! comparing and dropping a tree recurse no deeper than its [nesting](Filter::depth).
//!
//! # Meaning
//! With the feature `eval` a [`Resolver`] finds what names mean for a resource type of `scim2-core`,
//! and a [`CompiledFilter`] says which resources match; its page states the readings taken.
//! [`SortKey`] does the same for `sortBy`.
//!
//! # Features
//! - `eval` (default): resolution and evaluation, on `scim2-core`. Without it the crate is the grammar
//!   alone, and depends on nom and `scim2-names`.
//! - `serde`: filters and paths travel as their text.
#![no_std]

extern crate alloc;

mod attr_exp;
mod attr_path;
mod comp_value;
mod filter;
mod patch_path;
mod value_path;

mod builder;
mod print;
mod simplify;
mod walk;

#[cfg(feature = "eval")]
mod eval;

mod error;
mod grammar;
mod leniency;
mod parser;
#[cfg(feature = "serde")]
mod text_serde;

pub use scim2_names::{AttrName, SchemaUri};

pub use attr_exp::{AttrExp, CompareOp};
pub use attr_path::AttrPath;
pub use builder::AttrTerm;
pub use comp_value::{CompValue, Number, NumberError, Word};
pub use error::{FilterError, FilterErrorKind};
#[cfg(feature = "eval")]
pub use eval::{
    Comparison, CompiledFilter, Condition, ElementFilter, ExtensionSubject, Operand, ResolveError,
    ResolveErrorKind, Resolver, SortKey, SortValue, Subject, Target,
};
pub use filter::{Filter, Negation, Operands};
pub use leniency::Leniency;
pub use parser::{DEFAULT_MAX_DEPTH, DEFAULT_MAX_LENGTH, DEFAULT_MAX_TERMS, FilterParser, MAX_DEPTH_CEILING};
pub use patch_path::PatchPath;
pub use value_path::ValuePath;
pub use walk::{AttrPaths, AttrUse, Folded};
