//! The PRECIS profiles for user names and passwords, in linear time.
//!
//! The contextual rules of PRECIS look at the whole text for one character, and the crate that has the tables
//! copies the text for each such character: 100 000 Arabic-Indic digits took 20 seconds. Here each rule is
//! checked on the few characters it depends on, and only those are passed to the crate.
//!
//! [RFC 8264 §9](https://www.rfc-editor.org/rfc/rfc8264#section-9),
//! [RFC 5892 appendix A](https://www.rfc-editor.org/rfc/rfc5892#appendix-A),
//! [RFC 8265 §3.3, §4.2](https://www.rfc-editor.org/rfc/rfc8265#section-3.3)

use std::borrow::Cow;

use precis_profiles::precis_core::profile::Rules as _;
use precis_profiles::precis_core::{DerivedPropertyValue, FreeformClass, IdentifierClass, StringClass};
use precis_profiles::{OpaqueString, UsernameCaseMapped};

/// A user name as the profile UsernameCaseMapped prepares it; `None` if the profile refuses it.
pub(super) fn user_name(text: &str) -> Option<Cow<'_, str>> {
    let profile = UsernameCaseMapped::new();
    let text = profile.width_mapping_rule(text).ok()?;
    if text.is_empty() || !allows(&IdentifierClass::default(), &text) {
        return None;
    }
    let text = profile.case_mapping_rule(text).ok()?;
    let text = profile.normalization_rule(text).ok()?;
    profile.directionality_rule(text).ok().filter(|text| !text.is_empty())
}

/// A password as the profile OpaqueString prepares it
/// ([RFC 8265 §4.2](https://www.rfc-editor.org/rfc/rfc8265#section-4.2)); `None` if it is empty or
/// holds characters that the profile refuses. It takes time in proportion to the length.
///
/// ```
/// use scim2_core::compare::opaque_string;
///
/// assert_eq!(opaque_string("correct\u{3000}horse").as_deref(), Some("correct horse"));
/// assert_eq!(opaque_string("tab\there"), None);
/// ```
#[must_use]
pub fn opaque_string(text: &str) -> Option<Cow<'_, str>> {
    if !allows(&FreeformClass::default(), text) {
        return None;
    }
    let profile = OpaqueString::new();
    let text = profile.additional_mapping_rule(text).ok()?;
    profile.normalization_rule(text).ok().filter(|text| !text.is_empty())
}

const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';
const MIDDLE_DOT: char = '\u{b7}';
const GREEK_KERAIA: char = '\u{375}';
const HEBREW_GERESH: char = '\u{5f3}';
const HEBREW_GERSHAYIM: char = '\u{5f4}';
const KATAKANA_MIDDLE_DOT: char = '\u{30fb}';

/// Says whether a string class allows all characters of a text, as [`StringClass::allows`] does.
fn allows(class: &impl StringClass, text: &str) -> bool {
    let mut seen = Seen::default();
    let mut before: Option<char> = None;
    // The offset after the last character with a contextual rule.
    let mut segment = 0;
    for (at, character) in text.char_indices() {
        match class.get_value_from_char(character) {
            DerivedPropertyValue::PValid | DerivedPropertyValue::SpecClassPval => {}
            DerivedPropertyValue::ContextJ | DerivedPropertyValue::ContextO => {
                let behind = at + character.len_utf8();
                let around = Around {
                    class,
                    before,
                    segment: text.get(segment..at).unwrap_or_default(),
                    rest: text.get(behind..).unwrap_or_default(),
                };
                if !around.allows(character, &mut seen) {
                    return false;
                }
                segment = behind;
            }
            _ => return false,
        }
        before = Some(character);
    }
    seen.agree(class, text)
}

/// The characters whose rules depend on the whole text, which is checked once at the end.
#[derive(Default)]
struct Seen {
    arabic_indic_digit: bool,
    extended_arabic_indic_digit: bool,
    katakana_middle_dot: bool,
}

impl Seen {
    fn agree(&self, class: &impl StringClass, text: &str) -> bool {
        // A text must not mix digits of the two kinds.
        if self.arabic_indic_digit && self.extended_arabic_indic_digit {
            return false;
        }
        // The Katakana middle dot needs a character of Hiragana, Katakana or Han in the same text.
        let is_japanese =
            |character: char| !character.is_ascii() && is_allowed(class, &[character, KATAKANA_MIDDLE_DOT]);
        !self.katakana_middle_dot || text.chars().any(is_japanese)
    }
}

/// The text around a character with a contextual rule.
struct Around<'t, C> {
    class: &'t C,
    /// The character before it.
    before: Option<char>,
    /// The characters before it, up to the last one with such a rule.
    segment: &'t str,
    /// The characters after it.
    rest: &'t str,
}

impl<C: StringClass> Around<'_, C> {
    fn allows(&self, character: char, seen: &mut Seen) -> bool {
        let after = self.rest.chars().next();
        match (character, self.before, after) {
            ('\u{660}'..='\u{669}', ..) => {
                seen.arabic_indic_digit = true;
                true
            }
            ('\u{6f0}'..='\u{6f9}', ..) => {
                seen.extended_arabic_indic_digit = true;
                true
            }
            (KATAKANA_MIDDLE_DOT, ..) => {
                seen.katakana_middle_dot = true;
                true
            }
            (MIDDLE_DOT, before, after) => (before, after) == (Some('l'), Some('l')),
            // The character beside it has the same rule, and satisfies it.
            (GREEK_KERAIA, _, Some(after)) => is_allowed(self.class, &[character, after, 'α']),
            (HEBREW_GERESH | HEBREW_GERSHAYIM, Some(before), _) => {
                is_allowed(self.class, &['א', before, character])
            }
            (ZERO_WIDTH_JOINER, Some(before), _) => is_allowed(self.class, &[before, character]),
            (ZERO_WIDTH_NON_JOINER, Some(before), _) => {
                is_allowed(self.class, &[before, character]) || self.joins()
            }
            _ => false,
        }
    }

    /// Says whether a ZERO WIDTH NON-JOINER is between characters that would join. The rule skips transparent
    /// characters. Characters with rules of their own are neither transparent nor joining, so the search ends
    /// at the next of them.
    fn joins(&self) -> bool {
        let is_contextual = |character: char| {
            matches!(
                self.class.get_value_from_char(character),
                DerivedPropertyValue::ContextJ | DerivedPropertyValue::ContextO
            )
        };
        let end = self.rest.find(is_contextual).unwrap_or(self.rest.len());
        let behind = self.rest.get(..end).unwrap_or_default();
        self.class.allows(format!("{}{ZERO_WIDTH_NON_JOINER}{behind}", self.segment)).is_ok()
    }
}

/// Asks the crate about a few characters.
fn is_allowed(class: &impl StringClass, characters: &[char]) -> bool {
    class.allows(String::from_iter(characters)).is_ok()
}

#[cfg(test)]
mod tests {
    use allocation_counter::measure;
    use precis_profiles::precis_core::profile::PrecisFastInvocation as _;
    use proptest::prelude::*;

    use super::*;

    /// All characters with rules, what the rules ask for, and some that are refused.
    const ALPHABET: &str = "[lL·͵α׳״אا・アｱ漢あ٠٩۰۹\u{200c}\u{200d}\u{94d}\u{64b}\u{62f}\u{6c3}क\u{628}\u{1820}é\u{301}aA Ａ\u{3000}😀\u{378}\u{1170}-]{0,8}";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn profiles_say_what_the_crate_says(text in ALPHABET) {
            prop_assert_eq!(user_name(&text), UsernameCaseMapped::enforce(text.as_str()).ok());
            prop_assert_eq!(opaque_string(&text), OpaqueString::enforce(text.as_str()).ok());
        }

        #[test]
        fn profiles_say_what_the_crate_says_of_any_text(text in any::<String>()) {
            prop_assert_eq!(user_name(&text), UsernameCaseMapped::enforce(text.as_str()).ok());
            prop_assert_eq!(opaque_string(&text), OpaqueString::enforce(text.as_str()).ok());
        }
    }

    /// The crate copies the text for each character with a rule, so what it allocates grows with the square of
    /// the length.
    #[test]
    fn every_contextual_rule_takes_linear_time() {
        const COUNT: usize = 5_000;
        for unit in [
            "\u{660}",
            "\u{6f0}",
            "ア\u{30fb}",
            "\u{30fb}",
            "l\u{b7}l",
            "\u{375}α",
            "\u{375}",
            "א\u{5f3}",
            "\u{5f3}",
            "\u{94d}\u{200d}",
            "\u{94d}\u{200c}",
            "\u{628}\u{200c}",
            "\u{628}\u{64b}\u{200c}\u{64b}",
            "\u{64b}",
        ] {
            let text = format!("a\u{628}{}\u{628}", unit.repeat(COUNT));
            for prepare in [user_name, opaque_string] {
                let bytes = measure(|| drop(prepare(&text))).bytes_total;
                assert!(bytes < 200 * text.len() as u64, "{unit:?}: {bytes} for {}", text.len());
            }
        }
    }
}
