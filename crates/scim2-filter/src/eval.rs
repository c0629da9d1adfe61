//! Resolves filters and paths against a compiled resource type, and evaluates filters over resources.

mod compile;
mod condition;
mod error;
mod leniency;
mod matches;
mod operand;
mod prepared;
mod resolve;
mod sort;

pub use condition::{
    Comparison, CompiledFilter, Condition, ElementFilter, ExtensionSubject, Operand, Subject,
};
pub use error::{ResolveError, ResolveErrorKind};
pub use resolve::{Resolver, Target};
pub use sort::{SortKey, SortValue};
