//! Percent-encoding of bytes that a target must not hold.

use std::ops::Range;

use memchr::memchr3_iter;

/// Bytes that are handed on. They are copied only if some of them are encoded.
pub(crate) struct Output<'a> {
    sent: &'a [u8],
    /// How many bytes of `sent` are in `changed`.
    copied: usize,
    changed: Option<Vec<u8>>,
}

impl<'a> Output<'a> {
    pub(crate) fn new(sent: &'a [u8]) -> Self {
        Self { sent, copied: 0, changed: None }
    }

    /// Encodes the bytes of a range. Ranges must be given in ascending order.
    pub(crate) fn encode(&mut self, range: Range<usize>) {
        let part = self.sent.get(range.clone()).unwrap_or_default();
        for found in memchr3_iter(b'"', b'<', b'>', part) {
            let at = range.start + found;
            let changed = self.changed.get_or_insert_with(|| Vec::with_capacity(self.sent.len() + 32));
            changed.extend_from_slice(self.sent.get(self.copied..at).unwrap_or_default());
            changed.extend_from_slice(self.sent.get(at).map_or(&[], |byte| escape(*byte)));
            self.copied = at + 1;
        }
    }

    /// The bytes to hand on instead, if they differ.
    pub(crate) fn into_changed(self) -> Option<Vec<u8>> {
        let mut changed = self.changed?;
        changed.extend_from_slice(self.sent.get(self.copied..).unwrap_or_default());
        Some(changed)
    }
}

/// A target with `"`, `<` and `>` percent-encoded.
#[must_use]
pub fn encode_target(target: &[u8]) -> Vec<u8> {
    let mut output = Output::new(target);
    output.encode(0..target.len());
    output.into_changed().unwrap_or_else(|| target.to_vec())
}

fn escape(byte: u8) -> &'static [u8] {
    match byte {
        b'"' => b"%22",
        b'<' => b"%3C",
        _ => b"%3E",
    }
}
