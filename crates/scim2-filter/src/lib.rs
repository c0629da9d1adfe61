//! Filters and paths of SCIM 2.0: parse, print, build, walk, resolve and evaluate them.
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
//! # Ten minutes of SCIM filters
//! A *filter* is a condition on a resource, which is a JSON object:
//!
//! | filter | holds for |
//! | --- | --- |
//! | `userName eq "bjensen"` | the user of that name; operators are read in any letter case |
//! | `title pr` | those with a title: `pr` is *present* |
//! | `name.familyName co "sen"` | a sub-attribute that contains a string; `sw` and `ew`: starts and ends with |
//! | `meta.lastModified gt "2011-05-13T04:42:34Z"` | later instants; `gt`, `ge`, `lt`, `le` compare strings, numbers and dates |
//! | `userType eq "Temp" or active eq true and not (title pr)` | `not` binds tightest, then `and`, then `or`; parentheses group |
//! | `emails co "@example.com"` | any of several values; a complex value is compared by its `value` |
//! | `emails[type eq "work" and value co "@example.com"]` | *one* e-mail that is both: a *value path* |
//! | `urn:…:enterprise:2.0:User:department eq "R&D"` | an attribute of an extension, by the URI of its schema |
//!
//! A *path* names what a PATCH operation changes: `name.familyName`, `addresses[type eq "work"].locality`,
//! or the URI of an extension alone ([`PatchPath`]). `sortBy` and `attributes` take an [`AttrPath`].
//!
//! ## From text to result
//! 1. [`FilterParser`] (or [`str::parse`]) turns text into a tree, [`Filter`], or returns a
//!    [`FilterError`]. This needs no schema.
//! 2. A [`Resolver`] looks the names up in a resource type and checks operators and values against the
//!    types of the attributes: the result is a [`CompiledFilter`], or a [`ResolveError`].
//! 3. [`CompiledFilter::matches`] tests a resource, and allocates nothing.
//!
//! ```
//! # #[cfg(feature = "eval")] {
//! use scim2_core::{Compat, Object, Registry};
//! use scim2_filter::{CompiledFilter, Filter};
//!
//! let registry = Registry::standard();
//! let user = registry.resource_type("User").expect("built in");
//! let filter: Filter = r#"emails[type eq "work" and value ew "@example.com"]"#.parse()?;
//! let filter = CompiledFilter::new(&filter, user, Compat::default())?;
//!
//! let ada: Object = r#"{"userName":"ada","emails":[{"type":"work","value":"ada@example.com"}]}"#.parse()?;
//! assert!(filter.matches(&ada));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## Building and changing trees
//! [`Filter::attr`] starts a filter; [`and`](Filter::and), [`or`](Filter::or), [`negate`](Filter::negate) and
//! [`matching`](AttrTerm::matching) extend it. Every tree that they build prints as a valid filter. Trees are enums. They are walked by
//! [`visit`](Filter::visit) and [`attr_paths`](Filter::attr_paths), converted by
//! [`fold`](Filter::fold), and shortened by [`simplify`](Filter::simplify):
//!
//! ```
//! use scim2_filter::{Filter, Folded};
//!
//! let filter: Filter = r#"title pr and (title pr or not (not (active eq true)))"#.parse()?;
//! assert_eq!(filter.simplify().to_string(), "title pr");
//!
//! let filter: Filter = r#"userName eq "a" or emails[type eq "work"]"#.parse()?;
//! let names: Vec<String> = filter.attr_paths().map(|used| used.to_string()).collect();
//! assert_eq!(names, ["userName", "emails", "emails.type"]);
//! let terms: usize = filter.fold(&mut |node| match node {
//!     Folded::And(terms) | Folded::Or(terms) => terms.into_iter().sum(),
//!     Folded::Not(terms) | Folded::ValuePath(_, terms) => terms,
//!     Folded::Attr(_) => 1,
//! });
//! assert_eq!(terms, 2);
//! # Ok::<(), scim2_filter::FilterError>(())
//! ```
//!
//! ## Errors
//! An error has a [kind](FilterError::kind), the [bytes](FilterError::span) at fault, what was
//! [expected](FilterError::expected) there and, for the common mistakes, a [hint](FilterError::hint).
//! `{}` is one line for a SCIM error's `detail`, `{:#}` draws it for a terminal:
//!
//! ```
//! # use scim2_filter::Filter;
//! let error = "userName eq bjensen".parse::<Filter>().unwrap_err();
//! assert_eq!(format!("{error:#}"), "\
//! expected a comparison value, found a word without quotes at byte 12
//!   | userName eq bjensen
//!   |             ^^^^^^^
//!   = hint: strings stand in double quotes");
//! ```
//!
//! ## Real clients
//! Some identity providers send forms that the grammar refuses. Each of them is a switch of [`Leniency`], off
//! by default. [`FilterParser::parse_reporting`] and [`CompiledFilter::leniencies`] report which ones were needed.
//!
//! ```
//! # use scim2_filter::{FilterParser, Leniency};
//! let entra = r#"emails[type eq "work"].value eq "x""#;
//! let mut leniency = Leniency::NONE;
//! leniency.sub_attribute_outside = true;
//! let parser = FilterParser::new().leniency(leniency);
//! assert_eq!(parser.parse(entra)?.to_string(), r#"emails[type eq "work" and value eq "x"]"#);
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
//! literals in lower case. `SP` is one space or more; spaces inside brackets, after `not`
//! and around the whole filter are skipped.
//!
//! # Readings, where the RFC leaves room
//! - Errata 4690 and 7322: no value path within a value path. Erratum 7319: a space after `not`.
//! - `not` without parentheses is refused; `not pr` asks whether an attribute called `not` has a value.
//! - `$` may stand in names and `$ref` is one, as RFC 7643 uses them.
//! - A URN holds dots and colons, so a path is split at its last colon. The whole text is kept, because only
//!   resolution knows the schemas ([`AttrPath`]).
//! - Forms that real clients send and the grammar refuses are read only under a switch of [`Leniency`].
//!
//! # Laws
//! For every [`Filter`] and [`PatchPath`], read or built: the same parser reads the printed text back as an equal tree, within
//! its limits. Printing a parsed filter, parsing that and printing it again gives the same text. A simplified filter
//! matches the same resources, is not deeper and does not test more attributes. A negated filter matches exactly the resources that the filter does not match.
//!
//! # Limits
//! | limit | default | set by |
//! | --- | --- | --- |
//! | bytes of text | 16 KiB ([`DEFAULT_MAX_LENGTH`]) | [`FilterParser::max_length`] |
//! | levels of parentheses and brackets | 64 ([`DEFAULT_MAX_DEPTH`]), never more than 256 ([`MAX_DEPTH_CEILING`]) | [`FilterParser::max_depth`] |
//! | attributes tested | 1024 ([`DEFAULT_MAX_TERMS`]) | [`FilterParser::max_terms`] |
//!
//! Reading is linear in the text. Walking, printing, comparing, evaluating and dropping a tree recurse no
//! deeper than its [nesting](Filter::depth): `and` and `or` hold lists, so a chain of 100,000 terms is wide
//! and not deep. A tree that is built nests no deeper than [`DEFAULT_MAX_DEPTH`].
//!
//! # Meaning
//! With the feature `eval` a [`Resolver`] looks names up in a resource type of `scim2-core`,
//! and a [`CompiledFilter`] tests resources. Some results surprise people:
//!
//! | filter | matches |
//! | --- | --- |
//! | `title ne "Boss"` | resources without a title, too |
//! | `emails.type ne "work"` | if one address has another type; `not (emails.type eq "work")` if no address has this type |
//! | `emails[not (type eq "work")]` | if one address has another type or none; not if there is no address |
//! | `title pr`, `title ne null` | if the title is not absent, null or `""`; `false` and `0` are present |
//! | `emails co "@example.com"` | by `value`, because `emails` is complex; `name co "x"` is an error |
//! | `emails.primary eq false` | if an address has `primary` false or no `primary` |
//! | `userName eq "BJensen"` | in any letter case, unless the attribute is `caseExact`: strings are normalized (NFC) and fully case folded, user names prepared by PRECIS |
//! | `meta.created lt "2024-01-01T00:00:00"` | as instants, here in UTC |
//! | `count eq 9007199254740993` | this number and not its neighbor: no number is rounded |
//! | `active gt true`, `nope pr`, `password pr` | nothing: they do not compile |
//!
//! The page of [`CompiledFilter`] states all readings; [`SortKey`] does the same for `sortBy`.
//!
//! # Not in this crate
//! It does not translate filters into SQL or another query language: walk [`CompiledFilter::condition`] for that. It does
//! not test attributes that are returned `never`, and does not compare strings by the rules of a language.
//!
//! # Examples
//! `examples/filter_jsonl.rs` prints the lines of a file of resources that match, `examples/explain.rs`
//! explains a filter.
//!
//! # Features
//! - `eval` (default): resolution and evaluation, on `scim2-core`. Without it the crate is the grammar
//!   alone, and depends on nom, smol_str and `scim2-names`.
//! - `serde`: filters and paths are serialized as their text.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]

extern crate alloc;

mod attr_exp;
mod attr_path;
mod comp_value;
mod filter;
mod patch_path;
mod text;
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
pub use comp_value::{BoolWord, CompValue, NumberError, NumberLiteral, Word};
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
pub use text::Text;
pub use value_path::ValuePath;
pub use walk::{AttrPaths, AttrUse, Folded};

/// The blocks of this crate's README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
