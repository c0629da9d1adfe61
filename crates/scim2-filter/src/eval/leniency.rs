use alloc::vec::Vec;
use core::cell::RefCell;

use scim2_core::{Compat, Quirk};

use crate::Leniency;

impl From<&Compat> for Leniency {
    /// The leniency of the grammar for a service provider that tolerates these quirks.
    fn from(compat: &Compat) -> Self {
        Self {
            unquoted_words: compat.allows(Quirk::FilterUnquoted),
            literals_in_any_case: compat.allows(Quirk::FilterLoose),
            missing_spaces: compat.allows(Quirk::FilterLoose),
            sub_attribute_outside: compat.allows(Quirk::FilterSubattrOutside),
            dot_after_schema: compat.allows(Quirk::UrnWrong),
        }
    }
}

impl Leniency {
    /// The quirks that allow these deviations.
    pub fn quirks(self) -> impl Iterator<Item = Quirk> {
        let Self {
            unquoted_words,
            literals_in_any_case,
            missing_spaces,
            sub_attribute_outside,
            dot_after_schema,
        } = self;
        let quirks = [
            (unquoted_words, Quirk::FilterUnquoted),
            (literals_in_any_case || missing_spaces, Quirk::FilterLoose),
            (sub_attribute_outside, Quirk::FilterSubattrOutside),
            (dot_after_schema, Quirk::UrnWrong),
        ];
        quirks.into_iter().filter_map(|(used, quirk)| used.then_some(quirk))
    }
}

/// The quirks that resolution needed, each once, in the order of their first use.
#[derive(Debug, Default)]
pub(super) struct Noted(RefCell<Vec<Quirk>>);

impl Noted {
    pub(super) fn note(&self, quirk: Quirk) {
        let mut noted = self.0.borrow_mut();
        if !noted.contains(&quirk) {
            noted.push(quirk);
        }
    }

    pub(super) fn into_quirks(self) -> Vec<Quirk> {
        self.0.into_inner()
    }
}

impl From<Compat> for Leniency {
    fn from(compat: Compat) -> Self {
        Self::from(&compat)
    }
}
