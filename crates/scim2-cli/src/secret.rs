//! Bearer tokens as this program makes them: `scim2_` and 43 characters for 256 random bits, then a
//! checksum of 6.
//!
//! The prefix and the checksum help scanners that look for leaked secrets; they are never required:
//! what a store knows by its hash is a token, whatever it looks like.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The first characters of a token made here.
pub(crate) const PREFIX: &str = "scim2_";

/// A bearer token in clear: shown once, never stored.
pub(crate) struct Secret(String);

impl Secret {
    /// A new token from the randomness of the operating system.
    ///
    /// # Errors
    /// If the operating system has none.
    pub(crate) fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        let body = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        let checksum = checksum(&body);
        Ok(Self(body + &checksum))
    }

    /// A token that somebody else made: 16 or more visible ASCII characters.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let fits = text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }

    /// Whether the text looks as if it was made by chance. It cannot be known how a text was made, but words,
    /// repetitions and rows of neighbours have few bits by any measure: those that are counted are the bits by
    /// the frequency of characters, or of the steps from one to the next if these are fewer. 16 random
    /// characters of base 64 come to about 60.
    pub(crate) fn is_hard_to_guess(&self) -> bool {
        /// The least number of bits.
        const LEAST: f64 = 56.0;
        let bytes = self.0.as_bytes();
        let steps = bytes.windows(2).map(|pair| match pair {
            [a, b] => b.wrapping_sub(*a),
            _ => 0,
        });
        bits(bytes.iter().copied()).min(bits(steps)) >= LEAST
    }

    /// The token itself, for the one time it is shown.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub(crate) fn hash(&self) -> [u8; 32] {
        hash(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The SHA-256 of a token. Stretching would add nothing: 256 random bits cannot be guessed.
pub(crate) fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The bits of a text of bytes by how often each of them occurs.
fn bits(bytes: impl Iterator<Item = u8>) -> f64 {
    let mut counts = [0_u32; 256];
    let mut all = 0_u32;
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
            all += 1;
        }
    }
    let all = f64::from(all);
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) * (all / f64::from(*count)).log2())
        .sum()
}

/// Six base-62 digits of the CRC-32 of the text.
fn checksum(text: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = crc32(text.as_bytes()) as usize;
    let mut digits = [0_u8; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS.get(rest % DIGITS.len()).copied().unwrap_or_default();
        rest /= DIGITS.len();
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

/// The CRC-32 of zip and PNG, bit by bit: a token is short.
fn crc32(bytes: &[u8]) -> u32 {
    let crc =
        bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 }
            })
        });
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_prefix_body_and_checksum() {
        let token = Secret::generate().unwrap();
        let text = token.reveal();
        assert_eq!(text.len(), PREFIX.len() + 43 + 6);
        let (body, sum) = text.split_at(PREFIX.len() + 43);
        assert_eq!(checksum(body), sum);
        assert_ne!(text, Secret::generate().unwrap().reveal());
        assert!(!format!("{token:?}").contains(sum));
    }

    #[test]
    fn the_checksum_is_crc_32() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(checksum("").len(), 6);
    }

    #[test]
    fn words_and_rows_are_easy_to_guess() {
        for easy in [
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "0123456789abcdefghijklmnopqrstuvwxyz",
            "1111222233334444",
            "secretsecretsecret",
            "changemechangeme",
            "password12345678",
        ] {
            assert!(!Secret::parse(easy).unwrap().is_hard_to_guess(), "{easy}");
        }
        for hard in ["4efee9fcb8c5f3ce8ff33d4012150be4", "j2aqBs1tqH0ZzPto", "correct-horse-battery-staple"] {
            assert!(Secret::parse(hard).unwrap().is_hard_to_guess(), "{hard}");
        }
        assert!(Secret::generate().unwrap().is_hard_to_guess());
    }

    #[test]
    fn any_visible_ascii_of_16_characters_is_a_token() {
        assert!(Secret::parse("testkit-token-00").is_some());
        for bad in
            ["testkit-token-0", "with a space inside", "ümlaut-and-more-letters", "tab\tand-more-letters"]
        {
            assert!(Secret::parse(bad).is_none(), "{bad}");
        }
    }
}
