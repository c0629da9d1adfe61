/// The deviations from the grammar that are read. Each is a form that a real client sends.
///
/// [`Leniency::NONE`] is the grammar of the RFC with its errata. [`Leniency::ALL`] sets every switch.
/// A switch changes only texts that are refused without it: a text that the strict grammar reads has
/// the same meaning under every leniency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct Leniency {
    /// A comparison value without quotes, `userName eq bjensen` or `externalId eq 0042`, is read as a
    /// [`CompValue::Word`](crate::CompValue::Word) (Q-FILTER-UNQUOTED). Resolution accepts it for string
    /// attributes only.
    pub unquoted_words: bool,
    /// `TRUE`, `False` and `NULL` are read, although JSON writes these literals in lower case. The first
    /// two keep their text: see [`CompValue::BoolWord`](crate::CompValue::BoolWord).
    pub literals_in_any_case: bool,
    /// The space before a string and around `and` and `or` beside a parenthesis may be missing:
    /// `value eq"x"`, `not(a pr)and(b pr)`. An example of RFC 7644 §3.5.2.2 omits it.
    pub missing_spaces: bool,
    /// `emails[type eq "work"].value eq "x"` is read as
    /// `emails[type eq "work" and value eq "x"]` (Q-FILTER-SUBATTR-OUTSIDE).
    pub sub_attribute_outside: bool,
    /// A dot instead of the colon after a schema is read: `urn:example:2.0:User.name.givenName`. Resolution decides
    /// its meaning (part of Q-URN-WRONG).
    pub dot_after_schema: bool,
}

impl Leniency {
    /// Only the grammar of the RFC and its errata.
    pub const NONE: Self = Self {
        unquoted_words: false,
        literals_in_any_case: false,
        missing_spaces: false,
        sub_attribute_outside: false,
        dot_after_schema: false,
    };

    /// The union of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        let Self {
            unquoted_words,
            literals_in_any_case,
            missing_spaces,
            sub_attribute_outside,
            dot_after_schema,
        } = other;
        Self {
            unquoted_words: self.unquoted_words | unquoted_words,
            literals_in_any_case: self.literals_in_any_case | literals_in_any_case,
            missing_spaces: self.missing_spaces | missing_spaces,
            sub_attribute_outside: self.sub_attribute_outside | sub_attribute_outside,
            dot_after_schema: self.dot_after_schema | dot_after_schema,
        }
    }

    /// Every known deviation.
    pub const ALL: Self = Self {
        unquoted_words: true,
        literals_in_any_case: true,
        missing_spaces: true,
        sub_attribute_outside: true,
        dot_after_schema: true,
    };
}
