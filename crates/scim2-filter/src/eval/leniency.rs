use scim2_core::{Compat, Quirk};

use crate::Leniency;

impl From<&Compat> for Leniency {
    /// What the grammar reads when a service provider tolerates these quirks.
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

impl From<Compat> for Leniency {
    fn from(compat: Compat) -> Self {
        Self::from(&compat)
    }
}
