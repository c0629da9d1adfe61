//! What both engines store: resources as rows, the index, and the keys in it.

pub(crate) mod content;
pub(crate) mod ids;
pub(crate) mod index;
pub(crate) mod indexing;
pub(crate) mod key;
pub(crate) mod members;
pub(crate) mod row;
