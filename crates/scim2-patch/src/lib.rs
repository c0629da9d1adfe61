//! SCIM 2.0 PATCH ([RFC 7644 §3.5.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2)) as a
//! pure function: a resource type, a resource and operations in, a resource or an error out.
//!
//! ```
//! use scim2_core::{Compat, Registry};
//! use scim2_patch::{Limits, PatchOp, apply};
//!
//! let registry = Registry::standard();
//! let type_ = registry.resource_type("User").expect("a standard type");
//! let mut user = serde_json::from_str(r#"{"userName":"ada","emails":[{"value":"ada@example.com","type":"work"}]}"#)?;
//!
//! let body = serde_json::from_str(
//!     r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
//!         {"op":"replace","path":"emails[type eq \"work\"].value","value":"ada@example.org"},
//!         {"op":"Add","value":{"active":"True"}}]}"#,
//! )?;
//! let op = PatchOp::from_object(body, &Compat::default(), &Limits::DEFAULT)?;
//! let applied = apply(&op, &mut user, type_, &Compat::default())?;
//!
//! assert_eq!(user.to_string(), r#"{"userName":"ada","emails":[{"value":"ada@example.org","type":"work"}],"active":true}"#);
//! let changed: Vec<_> = applied.attributes().iter().map(|id| type_.attribute(*id).path()).collect();
//! assert_eq!(changed, ["emails", "active"]);
//! assert_eq!(applied.leniencies(), [scim2_core::Quirk::StringBool]); // "True" is no boolean to the letter
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`PatchOp`] is the message: read within [`Limits`], built by hand, written.
//! - [`apply`] does it: in order, all or nothing. [`Applied`] says what changed, from what to what,
//!   what was tolerated and what was ignored.
//! - [`MemberDelta`] is what a PATCH does to the members of a group, without the group.
//! - [`diff`](fn@diff) goes the other way: two resources in, the operations that lead from one to
//!   the other out, within what a service provider understands ([`DiffOptions`]).
//! - [`PatchError`] says which operation is at fault and why.
//!
//! # The three operations
//! | target | `add` | `replace` | `remove` |
//! | --- | --- | --- | --- |
//! | singular, simple | sets it | sets it | unassigns it |
//! | singular, complex | sets the given sub-attributes | sets the given sub-attributes | unassigns it |
//! | multi-valued | appends what is not there | puts these values in place of all | unassigns it |
//! | `a[filter]` | merges into each match; replaces a simple value | replaces each match | removes each match |
//! | `a[filter].b` | sets `b` in each match | sets `b` in each match | unassigns `b` in each match |
//! | an extension's URI | sets the given attributes | sets the given attributes | unassigns all its attributes |
//! | nothing | each key is a path | each key is a path | an error |
//!
//! # Paths
//! | path | names |
//! | --- | --- |
//! | `title`, `NAME.givenName` | an attribute, a sub-attribute; letter case means nothing |
//! | `emails.type` | the sub-attribute of every value |
//! | `emails[type eq "work"]` | the values that a filter chooses |
//! | `emails[type eq "work"].value` | their sub-attribute |
//! | `name[givenName eq "Ada"].familyName` | of a singular complex attribute: a list of one |
//! | `tags[value eq "x"]`, `schemas[value eq "urn:…"]` | simple values, which are their own `value` |
//! | `urn:…:enterprise:2.0:User:manager.value` | an attribute by its full name |
//! | `urn:…:enterprise:2.0:User` | an extension |
//!
//! There are no indices, and no path ends in the URI of the base schema, which is the resource.
//! The grammar is that of [`scim2_filter`], which reads and resolves paths.
//!
//! # Readings, where the RFC leaves room
//! - **Nothing.** `null` and `[]` unassign by `replace` and change nothing by `add`. Attributes,
//!   values and extension objects of which nothing is left are gone. What is required cannot go:
//!   `mutability`. An empty string is a value of what is optional, and none of what is required:
//!   `invalidValue`.
//! - **Unknown names in a path** skip the operation where that is
//!   [tolerated](scim2_core::Quirk::UnknownPath), so that a deactivation beside it is not lost. If
//!   nothing else of the message is understood, the first of them is the error.
//! - **Unknown sub-attributes** are ignored where that is
//!   [tolerated](scim2_core::Quirk::UnknownAttribute), but nothing is replaced by a value that says
//!   nothing else: `invalidValue`.
//! - **Members.** Who a membership is of stands in its `value`, or where it has none at the end of
//!   its `$ref`. One that names nobody is refused.
//! - **The same value.** Which two values are the same [`scim2_core`](scim2_core::validate::ElementIdentity)
//!   says. Adding what is there adds what is new about it, but to a member nothing. A pair of `type`
//!   and `value` stands in a list once, whichever operation would make it two.
//! - **No match.** `add` at a filter that matches nothing makes the value that the filter's `eq`
//!   terms describe; `replace` does so where
//!   [`ValuepathCreate`](scim2_core::Quirk::ValuepathCreate) is tolerated. A singular attribute has
//!   no room for another value. `remove` succeeds where
//!   [`IdempotentRemove`](scim2_core::Quirk::IdempotentRemove) is, and of a member always. All else
//!   is `noTarget`.
//! - **Primary.** The values that an operation makes primary take over from the one that was; of
//!   several the first does.
//! - **References.** With another `value` the `$ref` beside it goes, unless the same operation says it.
//! - **`remove` with a `value`** removes only what that lists, or is refused: see
//!   [`RemoveWithValue`](scim2_core::Quirk::RemoveWithValue). A singular simple value goes if it is
//!   the listed one. Of a singular complex value or an extension the listed parts go. What matches
//!   nothing removes nothing. Behind a filter both the filter and the value must match. `null`, and
//!   an empty text where the path names one value at most, stand for no `value`.
//! - **Extensions.** `schemas` follows the extensions that have data. Taking an extension from it
//!   takes its data; the base schema stays. An extension that begins has what its schema requires
//!   when all operations are done.
//! - **Mutability.** A path to a readOnly attribute is refused, a key of a path-less value ignored.
//!   Immutable attributes are set once. A singular complex value with an immutable sub-attribute that
//!   is set cannot be removed: it could come back with another one. Members are immutable one by
//!   one, the set of them is not.
//! - **Secrets.** An operation on a never-returned attribute, such as a password, always counts as a change,
//!   and its value is in no report and no error.
//!
//! # What real clients send
//! Operations in capitals, booleans as strings, paths as keys, extension attributes without their
//! URI, filters without quotes: each is a [`Quirk`](scim2_core::Quirk) with a switch and a source,
//! tolerated by [`Compat::default`](scim2_core::Compat), refused by
//! [`Compat::strict`](scim2_core::Compat::strict), and reported by [`Applied::leniencies`], so that
//! a service provider can log which client needs which. The mode
//! [`Profile`](scim2_core::Mode::Profile) is narrower: no operation without a path, no filter
//! without a sub-attribute, and `replace` replaces complex attributes whole.
//!
//! # For clients
//! ```
//! use scim2_core::Registry;
//! use scim2_core::resource::User;
//! use scim2_patch::{DiffOptions, PatchOp};
//!
//! // By hand; a malformed path is an error here and not at the service provider.
//! let op = PatchOp::new().replace("name.givenName", "Ada")?.remove(r#"emails[type eq "home"]"#)?;
//! assert_eq!(op.operations().len(), 2);
//! assert_eq!(
//!     PatchOp::new().remove("emails[0]").unwrap_err().to_string(),
//!     "operation 1 (remove emails[0]): expected a filter within the brackets, found a number"
//! );
//!
//! // From two resources, for a service provider that knows no value paths.
//! let registry = Registry::standard();
//! let type_ = registry.resource_type("User").expect("a standard type");
//! let mut options = DiffOptions::DEFAULT;
//! options.value_paths = false;
//! let (ada, mut countess) = (User::new("ada"), User::new("ada"));
//! countess.title = Some("Countess".to_owned());
//! let op = PatchOp::between(&ada, &countess, type_, &options);
//! assert_eq!(op, PatchOp::new().add("title", "Countess")?);
//! # Ok::<(), scim2_patch::PatchError>(())
//! ```
//!
//! # Laws
//! Tried on generated schemas, resources and operations, and by the fuzzer:
//!
//! - `apply` does what a slow, obvious model does; a refused request changes nothing.
//! - What was canonical stays canonical.
//! - An operation done again changes nothing, unless a filter chose what is no longer there.
//! - `apply(a, diff(a, b))` is `b` with any options, but for the order of memberships, and
//!   `diff(a, a)` is empty.
//! - A delta of members leads where `apply` leads.
//!
//! # Limits
//! Time is linear in the operations and the values they touch: memberships are hashed, and adding
//! to them copies nothing that is there. The undo journal copies other attributes once, before
//! their first change. [`Limits`] bounds the operations, and the length, depth and terms of paths.
//! What one message may cause is bounded as well, in bytes that are looked at, compared or copied:
//! a gibibyte for [`apply`], what is left of a [`Work`](scim2_core::work::Work) for [`apply_within`].
//! Beyond that it is [`TooMuchWork`](PatchErrorKind::TooMuchWork). An [`Application`] does it in steps.
//!
//! # What it does not do
//! It loads and stores nothing, hashes no password, checks no uniqueness, knows nobody's id, and
//! computes neither `meta` nor `$ref` nor `groups`: all that is the service provider's, before and
//! after.
//!
//! # Features
//! - `schemars`: JSON Schema of the message.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod apply;
mod context;
mod diff;
mod elements;
mod error;
mod listed;
mod matcher;
mod member_delta;
mod patch_op;
mod path;
mod target;
mod values;

pub use apply::{Application, Applied, Change, Progress, apply, apply_within};
pub use diff::{DiffOptions, diff};
pub use error::{PatchError, PatchErrorKind};
pub use member_delta::MemberDelta;
pub use patch_op::{Limits, Op, Operation, PatchOp};

/// The blocks of this crate's README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
