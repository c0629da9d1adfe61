//! Which attributes a response holds, and how a stored resource becomes one
//! ([RFC 7644 §3.9](https://www.rfc-editor.org/rfc/rfc7644#section-3.9)).

pub(crate) mod foreign;
mod plan;
mod render;

pub(crate) use plan::{Plan, check};
pub(crate) use render::{
    around_members, members_value, representation, write_located, write_members, write_resource,
};
