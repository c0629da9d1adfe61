//! Questions about eight bytes at a time, because the framer reads every byte of every head.

/// 1 in each byte.
const ONES: u64 = u64::MAX / 255;

/// The highest bit of each byte.
const HIGH_BITS: u64 = ONES << 7;

/// Whether some byte is less than a limit of at most 128.
pub(crate) const fn has_less(word: u64, limit: u8) -> bool {
    word.wrapping_sub(ONES * limit as u64) & !word & HIGH_BITS != 0
}

/// Whether some byte is this one.
pub(crate) const fn has(word: u64, byte: u8) -> bool {
    has_less(word ^ (ONES * byte as u64), 1)
}

/// Whether no eight bytes of a text have what is looked for. `false` also for a text of fewer than eight bytes.
pub(crate) fn none_has(text: &[u8], is_in: impl Fn(u64) -> bool) -> bool {
    let is_free = |word: &[u8; 8]| !is_in(u64::from_ne_bytes(*word));
    let (words, _) = text.as_chunks();
    text.last_chunk().is_some_and(is_free) && words.iter().all(is_free)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_found_at_every_place() {
        for byte in 0..=u8::MAX {
            for other in [0, 0x20, 0x7f, 0x80, 0xff] {
                for place in 0..8 {
                    let mut bytes = [other; 8];
                    bytes[place] = byte;
                    let word = u64::from_ne_bytes(bytes);
                    assert!(has(word, byte) && has(word, other), "{bytes:?}");
                    assert_eq!(has(word, 0x23), bytes.contains(&0x23), "{bytes:?}");
                    for limit in [1, 0x20, 0x21, 0x80] {
                        assert_eq!(
                            has_less(word, limit),
                            bytes.iter().any(|byte| *byte < limit),
                            "{bytes:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn text_is_searched_to_its_last_byte() {
        for length in 0..40_usize {
            let mut text = vec![b'a'; length];
            assert_eq!(none_has(&text, |word| has(word, b'#')), length >= 8);
            for at in 0..length {
                text[at] = b'#';
                assert!(!none_has(&text, |word| has(word, b'#')), "{at} of {length}");
                text[at] = b'a';
            }
        }
    }
}
