//! Opaque tokens: `scim2_`, 43 characters for 256 random bits, and a checksum of 6 characters.
//!
//! The prefix and the checksum help scanners that look for leaked secrets. They are never required: a token that
//! somebody else made may look different.

use std::fmt;
use std::hash::{Hash, Hasher};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The first characters of a generated token.
const PREFIX: &str = "scim2_";

/// The shortest token that somebody else made.
const MIN_LENGTH: usize = 16;

/// The fewest bits of a token that somebody else made, as [`TokenSecret::is_hard_to_guess`] counts them.
const MIN_BITS: f64 = 56.0;

/// A bearer token in plain text: shown once, never stored. `Debug` does not show it.
///
/// ```
/// use scim2_auth::{TokenHash, TokenSecret};
///
/// let secret = TokenSecret::generate()?;
/// assert!(secret.reveal().starts_with("scim2_"));
/// assert_eq!(secret.hash(), TokenHash::of(secret.reveal()));
///
/// let chosen = TokenSecret::parse("changemechangeme").expect("16 characters");
/// assert!(!chosen.is_hard_to_guess());
/// assert!(TokenSecret::parse("too short").is_none());
/// # Ok::<(), scim2_auth::GenerateError>(())
/// ```
pub struct TokenSecret(String);

impl TokenSecret {
    /// A new token from the random numbers of the operating system.
    ///
    /// # Errors
    /// If the operating system has none.
    pub fn generate() -> Result<Self, GenerateError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(GenerateError)?;
        let body = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        let checksum = checksum(&body);
        Ok(Self(body + &checksum))
    }

    /// A token that somebody else made: 16 or more visible ASCII characters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() >= MIN_LENGTH && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }

    /// Whether the token looks random. Nobody can know how a text was made, but words, repetitions and sequences
    /// of neighbors such as `abcd` have few bits by any measure. This estimates the bits twice, from the frequency
    /// of the characters and from the frequency of the steps between neighbors. It takes the smaller estimate, and
    /// requires 56 bits. 16 random characters of base64 have about 60.
    #[must_use]
    pub fn is_hard_to_guess(&self) -> bool {
        let bytes = self.0.as_bytes();
        let steps = bytes.windows(2).map(|pair| match pair {
            [a, b] => b.wrapping_sub(*a),
            _ => 0,
        });
        bits(bytes.iter().copied()).min(bits(steps)) >= MIN_BITS
    }

    /// The token itself, for the one time it is shown.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The hash to store.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSecret(…)")
    }
}

/// The SHA-256 hash of a token. Equality takes constant time. A slow hash would add nothing: nobody can guess 256
/// random bits.
#[derive(Debug, Clone, Copy)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a token in plain text, as a client sent it.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// The bytes to store, or to look up.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for TokenHash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenHash {}

impl Hash for TokenHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

/// The operating system has no random numbers for a token.
#[derive(Debug)]
pub struct GenerateError(getrandom::Error);

impl fmt::Display for GenerateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the operating system has no random numbers for a token: {}", self.0)
    }
}

impl std::error::Error for GenerateError {}

/// The information content of bytes, in bits, estimated from how often each byte occurs.
fn bits(bytes: impl Iterator<Item = u8>) -> f64 {
    let mut counts = [0_u32; 256];
    let mut total = 0_u32;
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
            total += 1;
        }
    }
    let total = f64::from(total);
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) * (total / f64::from(*count)).log2())
        .sum()
}

/// Six base62 digits of the CRC-32 of the text.
fn checksum(text: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = crc32fast::hash(text.as_bytes()) as usize;
    let mut digits = [0_u8; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS.get(rest % DIGITS.len()).copied().unwrap_or_default();
        rest /= DIGITS.len();
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_token_has_prefix_body_and_checksum() {
        let token = TokenSecret::generate().unwrap();
        let text = token.reveal();
        assert_eq!(text.len(), PREFIX.len() + 43 + 6);
        let (body, sum) = text.split_at(PREFIX.len() + 43);
        assert_eq!(checksum(body), sum);
        assert_ne!(text, TokenSecret::generate().unwrap().reveal());
        assert!(!format!("{token:?}").contains(sum));
    }

    #[test]
    fn checksum_is_crc_32() {
        // 0xCBF43926, the check value of CRC-32, in base62.
        assert_eq!(checksum("123456789"), "3jZRME");
        assert_eq!(checksum(""), "000000");
    }

    #[test]
    fn words_and_sequences_are_easy_to_guess() {
        for easy in [
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "0123456789abcdefghijklmnopqrstuvwxyz",
            "1111222233334444",
            "secretsecretsecret",
            "changemechangeme",
            "password12345678",
        ] {
            assert!(!TokenSecret::parse(easy).unwrap().is_hard_to_guess(), "{easy}");
        }
        for hard in ["4efee9fcb8c5f3ce8ff33d4012150be4", "j2aqBs1tqH0ZzPto", "correct-horse-battery-staple"] {
            assert!(TokenSecret::parse(hard).unwrap().is_hard_to_guess(), "{hard}");
        }
        assert!(TokenSecret::generate().unwrap().is_hard_to_guess());
    }

    #[test]
    fn visible_ascii_of_16_characters_is_a_token() {
        assert!(TokenSecret::parse("testkit-token-00").is_some());
        for bad in
            ["testkit-token-0", "with a space inside", "ümlaut-and-more-letters", "tab\tand-more-letters"]
        {
            assert!(TokenSecret::parse(bad).is_none(), "{bad}");
        }
    }
}
