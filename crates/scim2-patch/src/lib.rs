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
//! - [`apply`] does it: in order, all or nothing, and [`Applied`] says what changed.
//! - [`MemberDelta`] is what a PATCH does to the members of a group, without the group.
//! - [`diff`](fn@diff) goes the other way: two resources in, the operations that lead from one to the other out.
//! - [`PatchError`] says which operation is at fault and why.
//!
//! # The three operations
//! | target | `add` | `replace` | `remove` |
//! | --- | --- | --- | --- |
//! | singular, simple | sets it | sets it | unassigns it |
//! | singular, complex | sets the given sub-attributes | sets the given sub-attributes | unassigns it |
//! | multi-valued | appends what is not there | puts these values in place of all | unassigns it |
//! | `a[filter]` | merges into each match | puts the value in place of each match | takes the matches away |
//! | `a[filter].b` | sets `b` in each match | sets `b` in each match | unassigns `b` in each match |
//! | an extension's URI | sets the given attributes | sets the given attributes | unassigns all its attributes |
//! | nothing | each key is a path | each key is a path | an error |
//!
//! # Readings, where the RFC leaves room
//! - `null` and `[]` unassign by `replace` and change nothing by `add`. Attributes, values and
//!   extension objects of which nothing is left are gone.
//! - Which two values are the same [`scim2_core`](scim2_core::validate::ElementIdentity) says.
//!   Adding what is there adds what is new about it, but to a member nothing. A pair of `type` and
//!   `value` stands in a list once, whichever operation would make it two.
//! - A filter on a singular complex attribute chooses from a list of one. Where it does not match,
//!   there is no room for another value.
//! - With another `value` the `$ref` beside it goes, unless the same operation says it.
//! - The URI of the base schema is the resource and no path.
//! - `remove` with a `value` takes only what that names, or is refused: see
//!   [`RemoveWithValue`](scim2_core::Quirk::RemoveWithValue). Of a singular attribute it is of no
//!   account what it was thought to hold.
//! - `add` at a filter that matches nothing makes the value that the filter's `eq` terms describe;
//!   `replace` does so where [`ValuepathCreate`](scim2_core::Quirk::ValuepathCreate) is tolerated.
//! - The values that an operation makes primary take over from the one that was; of several the
//!   first does.
//! - A sub-attribute of a multi-valued attribute, without a filter, is that of all its values.
//! - `schemas` follows the extensions that have data. Taking an extension from it takes its data;
//!   the base schema stays.
//! - Immutable attributes are set once. Members are immutable one by one, the set of them is not.
//! - An operation on a hidden attribute, such as a password, always counts as a change.
//!
//! What real clients send beyond the RFC is tolerated switch by switch: see
//! [`Quirk`](scim2_core::Quirk). The mode [`Profile`](scim2_core::Mode::Profile) is narrower: no
//! operation without a path, no filter without a sub-attribute, and `replace` replaces complex
//! attributes whole.
//!
//! # Limits
//! Time is linear in the operations and the values they touch: memberships are hashed, and adding
//! to them copies nothing that is there. The undo journal copies other attributes once, before
//! their first change.
//!
//! # Features
//! - `schemars`: JSON Schema of the message.

mod apply;
mod context;
mod diff;
mod elements;
mod error;
mod matcher;
mod member_delta;
mod patch_op;
mod path;
mod target;
mod values;

pub use apply::{Applied, Change, apply};
pub use diff::{DiffOptions, diff};
pub use error::{PatchError, PatchErrorKind};
pub use member_delta::MemberDelta;
pub use patch_op::{Limits, Op, Operation, PatchOp};
