//! SCIM 2.0 PATCH ([RFC 7644 §3.5.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2)) as a
//! pure function: a resource type, a resource and operations in, a resource or an error out.

mod apply;
mod context;
mod elements;
mod error;
mod matcher;
mod member_delta;
mod patch_op;
mod target;
mod values;

pub use apply::{Applied, apply};
pub use error::{PatchError, PatchErrorKind};
pub use member_delta::MemberDelta;
pub use patch_op::{Limits, Op, Operation, PatchOp};
