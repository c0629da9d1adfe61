use alloc::boxed::Box;

use crate::error::{NameError, NameErrorKind};
use crate::fold::name_traits;

/// The name of an attribute or sub-attribute, the RFC's `ATTRNAME`.
///
/// A letter followed by letters, digits, `-`, `_` and `$`. The only other name is `$ref`: RFC 7643 uses it
/// although its grammar does not derive it. Names compare, hash and order without ASCII case and print as they
/// were written.
///
/// ```
/// # use scim2_names::AttrName;
/// assert_eq!(AttrName::parse("userName")?, AttrName::parse("USERNAME")?);
/// assert_eq!(AttrName::parse("$ref")?.to_string(), "$ref");
/// assert_eq!(
///     AttrName::parse("a.b").unwrap_err().to_string(),
///     "an attribute name holds letters, digits, `-`, `_` and `$`, found `.` at byte 1 of `a.b`",
/// );
/// # Ok::<(), scim2_names::NameError>(())
/// ```
///
/// [RFC 7643 §2.1](https://www.rfc-editor.org/rfc/rfc7643#section-2.1)
#[derive(Clone)]
pub struct AttrName(Box<str>);

/// The bytes that a name may hold. Parsers look up every byte of every name.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which would refuse")]
const NAME_CHAR: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'$');
        byte += 1;
    }
    table
};

impl AttrName {
    /// Checks `text` against the grammar of attribute names.
    ///
    /// # Errors
    /// [`NameErrorKind::Empty`] for an empty text, [`NameErrorKind::Character`] for a character that is not
    /// allowed at its position.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        match Self::prefix_len(text) {
            0 if text.is_empty() => Err(NameError::new(NameErrorKind::Empty, "an attribute name", text, 0)),
            len if len == text.len() => Ok(Self(text.into())),
            0 => Err(NameError::new(
                NameErrorKind::Character,
                "an attribute name begins with a letter",
                text,
                0,
            )),
            len => Err(NameError::new(
                NameErrorKind::Character,
                "an attribute name holds letters, digits, `-`, `_` and `$`",
                text,
                len,
            )),
        }
    }

    /// The length in bytes of the longest attribute name that `text` begins with, 0 for none.
    ///
    /// Only this function knows the grammar of a name. Parsers build on it.
    #[must_use]
    pub fn prefix_len(text: &str) -> usize {
        let bytes = text.as_bytes();
        match bytes.first() {
            Some(first) if first.is_ascii_alphabetic() => bytes
                .iter()
                .position(|byte| !NAME_CHAR.get(usize::from(*byte)).is_some_and(|allowed| *allowed))
                .unwrap_or(bytes.len()),
            Some(b'$') => {
                let reference = bytes.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"$ref"));
                let ends = !bytes
                    .get(4)
                    .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'$'));
                if reference && ends { 4 } else { 0 }
            }
            _ => 0,
        }
    }

    /// The name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

name_traits!(AttrName);

impl AsRef<str> for AttrName {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use core::hash::{BuildHasher, Hash};

    #[track_caller]
    fn check(text: &str, accepted: bool) {
        assert_eq!(AttrName::parse(text).is_ok(), accepted, "{text:?}");
    }

    #[test]
    fn rfc7643_2_1_grammar() {
        for text in ["a", "userName", "a-b", "a_b", "a$b", "a1", "$ref", "$REF"] {
            check(text, true);
        }
        for text in ["", "1a", "a.b", "a b", "$", "$value", "$refs", "-a", "ä", "aä", "a:b", " a"] {
            check(text, false);
        }
    }

    #[test]
    fn equal_names_hash_alike() {
        struct Fnv(u64);
        impl core::hash::Hasher for Fnv {
            fn finish(&self) -> u64 {
                self.0
            }
            fn write(&mut self, bytes: &[u8]) {
                for byte in bytes {
                    self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
                }
            }
        }
        #[derive(Default)]
        struct Build;
        impl BuildHasher for Build {
            type Hasher = Fnv;
            fn build_hasher(&self) -> Fnv {
                Fnv(0xcbf2_9ce4_8422_2325)
            }
        }
        fn hash(value: &impl Hash) -> u64 {
            Build.hash_one(value)
        }
        let (a, b) = (AttrName::parse("userName").unwrap(), AttrName::parse("USERname").unwrap());
        assert_eq!(a, b);
        assert_eq!(hash(&a), hash(&b));
        assert_eq!(a.cmp(&b), core::cmp::Ordering::Equal);
        assert_eq!(b.to_string(), "USERname");
    }
}
