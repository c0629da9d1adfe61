//! The comparison keys of long strings, computed once however many terms compare them.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;

use scim2_core::compare::StringRule;
use scim2_core::work::{Work, WorkExceeded, text_cost};

/// The keys that one evaluation of a filter has computed so far. An empty set allocates nothing.
pub(super) struct PreparedKeys<'o> {
    /// By the address and length of the text. The texts are borrowed as long as this lives, so an
    /// address means the same text throughout.
    keys: BTreeMap<(usize, usize, StringRule), Cow<'o, str>>,
}

impl<'o> PreparedKeys<'o> {
    /// For a string of up to this many bytes, each comparison computes the key on the stack, without an allocation.
    const MAX_SHORT: usize = 256;

    pub(super) fn new() -> Self {
        Self { keys: BTreeMap::new() }
    }

    /// Says whether the key of a string is kept, because the string is long.
    pub(super) fn suits(text: &str) -> bool {
        text.len() > Self::MAX_SHORT
    }

    /// The key of a string. The first call computes it and spends its cost.
    pub(super) fn key(
        &mut self,
        rule: StringRule,
        text: &'o str,
        work: &Work<'_>,
    ) -> Result<&str, WorkExceeded> {
        match self.keys.entry((text.as_ptr().addr(), text.len(), rule)) {
            alloc::collections::btree_map::Entry::Occupied(entry) => Ok(entry.into_mut()),
            alloc::collections::btree_map::Entry::Vacant(entry) => {
                work.spend(text_cost(text))?;
                Ok(entry.insert(rule.key(text)))
            }
        }
    }
}
