//! How strings compare: one function for filters, uniqueness, store keys and sorting.
//!
//! Every comparison of strings goes through a *key*: prepare both sides with the same [`StringRule`], then
//! compare the keys byte by byte (which is by code point). ASCII text is its own key, or only needs its letters
//! folded. For other text of common length the key is made on the stack. Neither case allocates.
//!
//! [RFC 7644 §7.8](https://www.rfc-editor.org/rfc/rfc7644#section-7.8) asks for the preparation,
//! [RFC 7643 §2.2](https://www.rfc-editor.org/rfc/rfc7643#section-2.2) for `caseExact`,
//! [RFC 7644 §5](https://www.rfc-editor.org/rfc/rfc7644#section-5) for PRECIS in user names.

use std::borrow::Cow;
use std::cmp::Ordering;

use arrayvec::ArrayString;
use caseless::Caseless as _;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

mod instant;
mod precis;

pub use instant::{Instant, InstantError};
pub use precis::opaque_string;

/// Bytes of a key that is made for one comparison without an allocation.
const MAX_STACK_KEY_BYTES: usize = 256;

/// How the strings of an attribute are prepared before they are compared.
///
/// ```
/// use scim2_core::compare::StringRule;
///
/// assert_eq!(StringRule::CaseExact.key("Straße"), "Straße");
/// assert_eq!(StringRule::CaseIgnore.key("Straße"), "strasse");          // full case folding
/// assert_eq!(StringRule::CaseIgnore.key("e\u{301}"), "\u{e9}");         // NFC
/// assert_eq!(StringRule::UserName.key("Ａｌｉｃｅ"), "alice");          // PRECIS width mapping
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StringRule {
    /// Unicode normalization form C.
    CaseExact,
    /// Unicode normalization form C and full case folding.
    CaseIgnore,
    /// The PRECIS profile UsernameCaseMapped
    /// ([RFC 8265 §3.3](https://www.rfc-editor.org/rfc/rfc8265#section-3.3)); text that the
    /// profile refuses compares as under [`CaseIgnore`](Self::CaseIgnore).
    UserName,
    /// As [`CaseExact`](Self::CaseExact), but ignores path segments that name a version of the protocol (`v2`):
    /// URIs that differ only there refer to one resource ([RFC 7643
    /// §2.4](https://www.rfc-editor.org/rfc/rfc7643#section-2.4)).
    ResourceUri,
    /// As [`CaseExact`](Self::CaseExact), but ignores the padding of base64 ([RFC 7643
    /// §2.3.6](https://www.rfc-editor.org/rfc/rfc7643#section-2.3.6)).
    Base64,
}

impl StringRule {
    /// The comparison key of a text.
    #[must_use]
    pub fn key(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::CaseExact => nfc(text),
            Self::Base64 => nfc(text.trim_end_matches('=')),
            Self::ResourceUri => match without_versions(text) {
                Cow::Borrowed(text) => nfc(text),
                Cow::Owned(text) => Cow::Owned(nfc(&text).into_owned()),
            },
            // PRECIS changes only the letter case of printable ASCII.
            Self::CaseIgnore | Self::UserName if text.is_ascii() => fold_ascii(text),
            Self::CaseIgnore | Self::UserName => Cow::Owned(folded(&self.prepared(text)).collect()),
        }
    }

    /// A text beyond ASCII before it is folded.
    fn prepared(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::UserName => precis::user_name(text).unwrap_or(Cow::Borrowed(text)),
            _ => Cow::Borrowed(text),
        }
    }

    /// Says whether the PRECIS profile of the rule admits the text; rules without a profile admit
    /// everything.
    #[must_use]
    pub fn admits(self, text: &str) -> bool {
        match self {
            Self::CaseExact | Self::CaseIgnore | Self::ResourceUri | Self::Base64 => true,
            Self::UserName if text.is_ascii() => text.bytes().all(|byte| byte.is_ascii_graphic()),
            Self::UserName => precis::user_name(text).is_some(),
        }
    }

    /// Passes the comparison key of a text to `compare`. A key of at most [`MAX_STACK_KEY_BYTES`] bytes is not
    /// allocated, except by PRECIS for a user name with capital letters beyond ASCII.
    fn with_key<T>(self, text: &str, compare: impl FnOnce(&str) -> T) -> T {
        match self {
            Self::CaseExact => with_nfc(text, compare),
            Self::Base64 => with_nfc(text.trim_end_matches('='), compare),
            Self::CaseIgnore | Self::UserName if text.is_ascii() => {
                held(text.bytes().map(|byte| char::from(byte.to_ascii_lowercase())), compare)
            }
            Self::CaseIgnore | Self::UserName => held(folded(&self.prepared(text)), compare),
            Self::ResourceUri => compare(&self.key(text)),
        }
    }

    /// Says whether two texts have the same key.
    #[must_use]
    pub fn eq(self, a: &str, b: &str) -> bool {
        if a == b {
            return true;
        }
        match self {
            Self::CaseExact if a.is_ascii() && b.is_ascii() => false,
            Self::CaseIgnore | Self::UserName if a.is_ascii() && b.is_ascii() => a.eq_ignore_ascii_case(b),
            _ => self.with_key(a, |a| self.with_key(b, |b| a == b)),
        }
    }

    /// Says whether `text` has exactly the key `key`.
    #[must_use]
    pub fn eq_key(self, text: &str, key: &str) -> bool {
        if self.ends_otherwise(text, key) {
            false
        } else if self.keeps_length(text) {
            text.len() == key.len() && self.eq_ascii(text.as_bytes(), key)
        } else {
            self.with_key(text, |text| text == key)
        }
    }

    /// Says whether the key of `text` starts with `key`.
    #[must_use]
    pub fn starts_with_key(self, text: &str, key: &str) -> bool {
        if self.keeps_length(text) {
            text.as_bytes().get(..key.len()).is_some_and(|start| self.eq_ascii(start, key))
        } else {
            self.with_key(text, |text| text.starts_with(key))
        }
    }

    /// Says whether the key of `text` ends with `key`.
    #[must_use]
    pub fn ends_with_key(self, text: &str, key: &str) -> bool {
        if self.keeps_length(text) {
            let start = text.len().checked_sub(key.len());
            start.and_then(|at| text.as_bytes().get(at..)).is_some_and(|end| self.eq_ascii(end, key))
        } else {
            self.with_key(text, |text| text.ends_with(key))
        }
    }

    /// Says whether the key of `text` contains `key`.
    #[must_use]
    pub fn contains_key(self, text: &str, key: &str) -> bool {
        /// Up to this product of both lengths, a search byte by byte is the fastest. Beyond it, that search
        /// would take quadratic time.
        const MAX_BYTE_COMPARISONS: usize = 512;
        let few = text.len().saturating_mul(key.len()) <= MAX_BYTE_COMPARISONS;
        match self {
            Self::CaseIgnore | Self::UserName if few && text.is_ascii() => {
                key.is_empty() || text.as_bytes().windows(key.len()).any(|part| self.eq_ascii(part, key))
            }
            _ => self.with_key(text, |text| text.contains(key)),
        }
    }

    /// Compares only the last characters: an ASCII character at the end composes with nothing, so if they
    /// differ, `key` cannot be the key of `text`. This is quick for ids issued one after the other and for
    /// addresses of one domain, which differ at one of their ends.
    fn ends_otherwise(self, text: &str, key: &str) -> bool {
        match (self, text.as_bytes().last(), key.as_bytes().last()) {
            (Self::CaseExact | Self::CaseIgnore, Some(a), Some(b)) if a.is_ascii() && b.is_ascii() => {
                !a.eq_ignore_ascii_case(b)
            }
            _ => false,
        }
    }

    /// Says whether the key of a text differs from the text only in ASCII letter case.
    fn keeps_length(self, text: &str) -> bool {
        !matches!(self, Self::ResourceUri | Self::Base64) && text.is_ascii()
    }

    /// Says whether an ASCII text of the length of `key` has that key.
    fn eq_ascii(self, text: &[u8], key: &str) -> bool {
        match self {
            Self::CaseExact | Self::ResourceUri | Self::Base64 => text == key.as_bytes(),
            Self::CaseIgnore | Self::UserName => {
                text.iter().zip(key.bytes()).all(|(a, b)| a.to_ascii_lowercase() == b)
            }
        }
    }

    /// Orders the key of `text` against `key`.
    #[must_use]
    pub fn cmp_key(self, text: &str, key: &str) -> Ordering {
        match self {
            Self::CaseIgnore | Self::UserName if text.is_ascii() => {
                text.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(key.bytes())
            }
            _ => self.with_key(text, |text| text.cmp(key)),
        }
    }
}

fn nfc(text: &str) -> Cow<'_, str> {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(text.nfc().collect()),
    }
}

/// The URI without the segments `v1`, `v2`, … of its path.
fn without_versions(uri: &str) -> Cow<'_, str> {
    let is_version = |segment: &str| {
        let digits = segment.strip_prefix(['v', 'V']).unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    // The host of an absolute URI is not a segment of its path.
    let (before, path) = match uri.split_once("://") {
        Some((scheme, rest)) => uri.split_at(scheme.len() + 3 + rest.find('/').unwrap_or(rest.len())),
        None => ("", uri),
    };
    if !path.split('/').any(is_version) {
        return Cow::Borrowed(uri);
    }
    let kept: Vec<&str> = path.split('/').filter(|segment| !is_version(segment)).collect();
    Cow::Owned(format!("{before}{}", kept.join("/")))
}

fn fold_ascii(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

fn with_nfc<T>(text: &str, compare: impl FnOnce(&str) -> T) -> T {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => compare(text),
        IsNormalized::No | IsNormalized::Maybe => held(text.nfc(), compare),
    }
}

/// NFC, then full case folding, then NFC again, because folding can undo the normalization.
fn folded(text: &str) -> impl Iterator<Item = char> + '_ {
    text.nfc().default_case_fold().nfc()
}

/// Collects the characters, on the stack if they fit.
fn held<T>(mut characters: impl Iterator<Item = char>, compare: impl FnOnce(&str) -> T) -> T {
    let mut short = ArrayString::<MAX_STACK_KEY_BYTES>::new();
    while let Some(character) = characters.next() {
        if short.try_push(character).is_err() {
            let mut long = short.as_str().to_owned();
            long.push(character);
            long.extend(characters);
            return compare(&long);
        }
    }
    compare(&short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn same(rule: StringRule, a: &str, b: &str, expected: bool) {
        assert_eq!(rule.key(a) == rule.key(b), expected, "{rule:?} {a:?} {b:?}");
        assert_eq!(rule.eq_key(a, &rule.key(b)), expected, "{rule:?} {a:?} {b:?}");
        assert_eq!(rule.eq(a, b), expected, "{rule:?} {a:?} {b:?}");
    }

    #[test]
    fn s_7_8_01_normal_forms_compare_equal() {
        same(StringRule::CaseExact, "Jose\u{301}", "Jos\u{e9}", true);
        same(StringRule::CaseIgnore, "JOSE\u{301}", "jos\u{e9}", true);
        same(StringRule::CaseExact, "JOS\u{c9}", "jos\u{e9}", false);
    }

    #[test]
    fn s_3_4_2_2_20_case_folding_is_full() {
        same(StringRule::CaseIgnore, "STRASSE", "straße", true);
        same(StringRule::CaseIgnore, "ΣΊΣΥΦΟΣ", "σίσυφος", true);
        same(StringRule::CaseExact, "bjensen", "BJensen", false);
        same(StringRule::CaseIgnore, "bjensen", "BJensen", true);
    }

    #[test]
    fn c_2_4_04_the_version_segment_of_a_resource_uri_does_not_count() {
        let rule = StringRule::ResourceUri;
        same(rule, "/Users/1", "/v2/Users/1", true);
        same(rule, "https://example.com/scim/v2/Users/1", "https://example.com/scim/Users/1", true);
        same(rule, "https://example.com/v1/Users/1", "https://example.com/v2/Users/1", true);
        same(rule, "https://example.com/v2/Users/v", "https://example.com/v2/Users/1", false);
        same(rule, "https://example.com/Users/a", "https://example.com/Users/A", false);
        same(StringRule::CaseExact, "/Users/1", "/v2/Users/1", false);
        same(rule, "https://v2/Users/1", "https://v1/Users/1", false);
        assert!(rule.contains_key("https://example.com/v2/Users/1", "com/Users"));
    }

    #[test]
    fn c_2_3_6_02_the_padding_of_base64_does_not_count() {
        same(StringRule::Base64, "AAE=", "AAE", true);
        same(StringRule::Base64, "AA==", "AA", true);
        same(StringRule::Base64, "AAEC", "AAE=", false);
        same(StringRule::Base64, "AAE=", "aae=", false);
        same(StringRule::CaseExact, "AAE=", "AAE", false);
    }

    #[test]
    fn s_5_02_user_names_are_prepared_by_precis() {
        same(StringRule::UserName, "Ａｌｉｃｅ", "alice", true);
        same(StringRule::UserName, "Alice@example.com", "ALICE@example.com", true);
        assert!(StringRule::UserName.admits("alice+x@example.com"));
        assert!(StringRule::UserName.admits("ålice"));
        for refused in ["al ice", "al\u{7}ice", "alice\u{1F600}", ""] {
            assert_eq!(StringRule::UserName.admits(refused), refused.is_empty(), "{refused:?}");
        }
    }

    proptest! {
        #[test]
        fn a_key_is_its_own_key(text in any::<String>()) {
            for rule in [
                StringRule::CaseExact,
                StringRule::CaseIgnore,
                StringRule::UserName,
                StringRule::ResourceUri,
                StringRule::Base64,
            ] {
                let key = rule.key(&text).into_owned();
                prop_assert!(rule.eq_key(&text, &key));
                prop_assert_eq!(rule.cmp_key(&text, &key), Ordering::Equal);
                let again = rule.key(&key).into_owned();
                prop_assert_eq!(&again, &key);
            }
        }

        #[test]
        fn texts_of_any_length_compare_by_their_keys(a in "[aAéÉße\u{301}\u{fb01}]{120,140}", more in "[eß\u{301}]{0,2}") {
            for rule in [StringRule::CaseExact, StringRule::CaseIgnore, StringRule::UserName, StringRule::Base64] {
                let b = format!("{}{more}", a.to_uppercase());
                let (key_a, key_b) = (rule.key(&a), rule.key(&b));
                prop_assert_eq!(rule.eq(&a, &b), key_a == key_b);
                prop_assert_eq!(rule.eq_key(&a, &key_b), key_a == key_b);
                prop_assert_eq!(rule.cmp_key(&a, &key_b), key_a.cmp(&key_b));
            }
        }

        #[test]
        fn parts_are_parts_of_the_key(text in "[aAbBßsS\u{301}e]{0,8}", part in "[aAbBßsS\u{301}e]{0,3}") {
            for rule in [
                StringRule::CaseExact,
                StringRule::CaseIgnore,
                StringRule::UserName,
                StringRule::ResourceUri,
                StringRule::Base64,
            ] {
                let (whole, part) = (rule.key(&text), rule.key(&part));
                prop_assert_eq!(rule.starts_with_key(&text, &part), whole.starts_with(&*part));
                prop_assert_eq!(rule.ends_with_key(&text, &part), whole.ends_with(&*part));
                prop_assert_eq!(rule.contains_key(&text, &part), whole.contains(&*part));
            }
        }
    }
}
