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
//! - [`PatchOp`] is the message. Read it within [`Limits`], or build it by hand, and write it.
//! - [`apply`] applies the operations in order, all or none. [`Applied`] reports the changes, with the values before and
//!   after, what was tolerated, and what was ignored. [`apply_within`] does so within a limit of work, and an
//!   [`Application`] in steps.
//! - [`MemberDelta`] is the change that a PATCH makes to the members of a group, computed without the group.
//! - [`diff`](fn@diff) computes the operations that turn one resource into another, within what a service provider
//!   understands ([`DiffOptions`]).
//! - [`PatchError`] names the operation at fault and the reason.
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
//! | `title`, `NAME.givenName` | an attribute, a sub-attribute; letter case is ignored |
//! | `emails.type` | the sub-attribute of every value |
//! | `emails[type eq "work"]` | the values that a filter chooses |
//! | `emails[type eq "work"].value` | their sub-attribute |
//! | `name[givenName eq "Ada"].familyName` | a singular complex attribute, treated as a list of one |
//! | `tags[value eq "x"]`, `schemas[value eq "urn:…"]` | simple values, which are their own `value` |
//! | `urn:…:enterprise:2.0:User:manager.value` | an attribute by its full name |
//! | `urn:…:enterprise:2.0:User` | an extension |
//!
//! A path has no array index. The URI of the base schema alone is not a path, because it names the whole resource.
//! The grammar is that of [`scim2_filter`], which reads and resolves paths.
//!
//! # Readings, where the RFC leaves room
//! - **No value.** `replace` with `null` or `[]` unassigns; `add` with them changes nothing. An attribute, a complex value or
//!   an extension object with nothing left in it is removed. A required attribute cannot become unassigned: `mutability`.
//!   An empty string is a value of an optional attribute, but not of a required one: `invalidValue`.
//! - **Unknown names** are ignored where that is tolerated, so that one of them does not lose a deactivation next to it:
//!   in a path ([`UnknownPath`](scim2_core::Quirk::UnknownPath)), as a key of a value without path, and inside a complex
//!   value ([`UnknownAttribute`](scim2_core::Quirk::UnknownAttribute), [`UnknownExt`](scim2_core::Quirk::UnknownExt)). A
//!   message that names nothing known is refused with the error of its first unknown name.
//! - **Members.** The `value` of a membership identifies the member. Without a `value` the end of its `$ref` does. A
//!   membership with neither is refused.
//! - **Equal values.** [`ElementIdentity`](scim2_core::validate::ElementIdentity) says which two values are the same. `add`
//!   of a present value adds its new sub-attributes; a present member does not change. A list never holds the same pair of
//!   `type` and `value` twice, whichever operation caused it.
//! - **No match.** `add` at a filter that matches nothing creates the value that the filter's `eq` terms describe. `replace`
//!   does so where [`ValuepathCreate`](scim2_core::Quirk::ValuepathCreate) is tolerated, but cannot create a second value
//!   of a singular attribute. `remove` succeeds for members, and for other attributes where
//!   [`IdempotentRemove`](scim2_core::Quirk::IdempotentRemove) is tolerated. Otherwise the error is `noTarget`.
//! - **Primary.** If an operation makes a value primary, the previous primary value becomes non-primary. If it makes several
//!   values primary, the first one stays primary.
//! - **References.** A new `value` removes the `$ref` next to it, unless the same operation sets the `$ref`.
//! - **`remove` with a `value`** removes only the listed values, or is refused: see
//!   [`RemoveWithValue`](scim2_core::Quirk::RemoveWithValue). A singular simple value is removed if it equals the listed
//!   one. The listed parts of a singular complex value or an extension are removed. A listed value that matches nothing
//!   removes nothing. Behind a filter both the filter and the value must match. `null` counts as no `value`, and so does
//!   an empty string if the path names at most one value.
//! - **Extensions.** `schemas` names the extensions that have data. Removing an extension from it removes its data; the
//!   base schema cannot be removed. A new extension must have its required attributes after the last operation.
//! - **Mutability.** A path to a readOnly attribute is refused; a readOnly key of a value without path is ignored. An
//!   immutable attribute can be set once. A singular complex value with an assigned immutable sub-attribute cannot be
//!   removed, because it could come back with another value. Each membership is immutable, but the list is not.
//! - **Secrets.** An operation on an attribute that is returned `never`, such as a password, always counts as a change. Its
//!   value appears in no report and no error.
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
//! Tested on generated schemas, resources and operations, and by the fuzzer:
//!
//! - `apply` agrees with a slow, obvious model. A refused message changes nothing.
//! - A canonical resource stays canonical.
//! - A repeated operation changes nothing, unless its filter chose a value that no longer exists.
//! - `apply(a, diff(a, b))` is `b` with any options, except for the order of memberships. `diff(a, a)` is empty.
//! - A [`MemberDelta`] has the same result as `apply`.
//! - With exactly its cost in [`Work`](scim2_core::work::Work) a message succeeds; with one byte less it is refused.
//!
//! # Limits
//! Time is linear in the operations and the values that they touch. Memberships are hashed, so adding a member copies
//! none of the present ones. The undo journal copies another attribute once, before its first change. [`Limits`] bounds
//! the number of operations, and the length, depth and terms of paths. The work of one message is bounded in bytes that
//! are read, compared or copied: 1 GiB for [`apply`], or what is left of a [`Work`](scim2_core::work::Work) for
//! [`apply_within`]. Beyond that the error is [`TooMuchWork`](PatchErrorKind::TooMuchWork).
//!
//! # Not in this crate
//! It does not load, store or hash anything, does not check uniqueness or whether an id exists, and does not compute
//! `meta`, `$ref` or `groups`. The service provider does that, before and after.
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
