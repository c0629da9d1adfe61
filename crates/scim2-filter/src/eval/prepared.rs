//! The comparison keys of long texts, made once however many terms compare them.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;

use scim2_core::compare::StringRule;
use scim2_core::work::{Work, WorkExceeded, text_cost};

/// The keys that one evaluation of a filter has made so far. An empty one allocates nothing.
pub(super) struct PreparedKeys<'o> {
    /// By the address and length of the text. The texts are borrowed as long as this lives, so an
    /// address means the same text throughout.
    keys: BTreeMap<(usize, usize, StringRule), Cow<'o, str>>,
}

impl<'o> PreparedKeys<'o> {
    /// Up to so many bytes a key is made on the stack for each comparison, without an allocation.
    const MAX_SHORT: usize = 256;

    pub(super) fn new() -> Self {
        Self { keys: BTreeMap::new() }
    }

    /// Says whether a text is long enough for its key to be kept.
    pub(super) fn suits(text: &str) -> bool {
        text.len() > Self::MAX_SHORT
    }

    /// The key of a text, which is made and paid for the first time.
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
