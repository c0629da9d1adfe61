//! Cursors: positions in the answer to a query, signed
//! ([RFC 9865 §2](https://www.rfc-editor.org/rfc/rfc9865#section-2)).
//!
//! A cursor says after or before which position a page is, how large the pages are, and when it expires. The
//! server stores nothing for it. Its signature also covers the tenant and the query, so a cursor of another
//! tenant or query is refused like a forged one. A cursor grants nothing: every page is authenticated and
//! authorized like the first.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use scim2_core::compare::Instant;
use scim2_core::{ResourceId, ScimType};
use scim2_filter::SortValue;
use scim2_protocol::ErrorResponse;
use sha2::{Digest, Sha256};

use crate::context::TenantId;
use crate::store::{CursorKey, Position};

/// The longest sort key in a cursor, in bytes. Cursors are part of URIs.
pub(super) const LONGEST_KEY: usize = 1024;

/// The longest text that may be a cursor.
const LONGEST: usize = 4096;

/// The length of a signature, in bytes.
const TAG: usize = 16;

/// The version of the cursor format.
const FORM: u8 = 1;

/// The scope of a cursor: one query of one tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scope([u8; 32]);

impl Scope {
    /// The scope of a query by its parts, in their order.
    pub(super) fn new<'p>(tenant: &TenantId, parts: impl IntoIterator<Item = &'p str>) -> Self {
        let mut digest = Sha256::new();
        let mut add = |part: &str| {
            // The length separates a part from the next.
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        };
        add(tenant.as_str());
        parts.into_iter().for_each(&mut add);
        Self(digest.finalize().into())
    }
}

/// Where a page is, as a cursor says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) side: Side,
    pub(super) at: Place,
    /// How many resources a page has.
    pub(super) count: u32,
    /// The last second in which the cursor is valid, since 1970.
    pub(super) expires: i64,
}

/// On which side of its position a page lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Behind,
    Before,
}

/// A position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    At(Position),
    /// The position of a resource whose sort key is too long or too sensitive for a URI. It is valid while the
    /// resource has that key.
    OfResource {
        id: ResourceId,
        digest: [u8; TAG],
    },
    /// The beginning of the list, before all resources.
    Beginning,
}

/// Why a cursor is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CursorError {
    /// It is not one of our cursors, or belongs to another query.
    Invalid,
    /// It is too old, or the resource at its position has changed.
    Expired,
}

impl From<CursorError> for ErrorResponse {
    fn from(error: CursorError) -> Self {
        match error {
            CursorError::Invalid => ErrorResponse::of_scim_type(
                ScimType::InvalidCursor,
                "expected a `cursor` that came with a page of this query: begin again with an empty one",
            ),
            CursorError::Expired => ErrorResponse::of_scim_type(
                ScimType::ExpiredCursor,
                "the `cursor` is too old: begin again with an empty one",
            ),
        }
    }
}

/// Writes and reads the cursors of one query.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursors<'k> {
    key: &'k CursorKey,
    scope: Scope,
}

impl<'k> Cursors<'k> {
    pub(super) fn new(key: &'k CursorKey, scope: Scope) -> Self {
        Self { key, scope }
    }

    pub(super) fn write(&self, cursor: &Cursor) -> String {
        let Cursor { side, at, count, expires } = cursor;
        let mut bytes = vec![FORM, *side as u8];
        bytes.extend(expires.to_be_bytes());
        bytes.extend(count.to_be_bytes());
        match at {
            Place::At(Position { key, id }) => {
                write_key(&mut bytes, key);
                bytes.extend(id.as_str().as_bytes());
            }
            Place::OfResource { id, digest } => {
                bytes.push(OF_RESOURCE);
                bytes.extend(digest);
                bytes.extend(id.as_str().as_bytes());
            }
            Place::Beginning => bytes.push(BEGINNING),
        }
        let tag = self.sign(&bytes);
        bytes.extend(tag);
        // Letters, digits, `-` and `_`: all of them unreserved (P-2-02).
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub(super) fn read(&self, text: &str, now: i64) -> Result<Cursor, CursorError> {
        let bytes = Some(text).filter(|text| text.len() <= LONGEST);
        let bytes = bytes.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).ok_or(CursorError::Invalid)?;
        let (signed, tag) = bytes.split_last_chunk::<TAG>().ok_or(CursorError::Invalid)?;
        // Before anything else is looked at (P-5-05).
        if self.mac(signed).verify_truncated_left(tag).is_err() {
            return Err(CursorError::Invalid);
        }
        let cursor = read(signed).ok_or(CursorError::Invalid)?;
        if now > cursor.expires { Err(CursorError::Expired) } else { Ok(cursor) }
    }

    /// The digest that identifies a sort key which must not be in the cursor.
    pub(super) fn digest(&self, key: &SortValue<'_>) -> [u8; TAG] {
        let mut bytes = vec![0];
        write_key(&mut bytes, key);
        self.sign(&bytes)
    }

    fn sign(&self, bytes: &[u8]) -> [u8; TAG] {
        let tag = self.mac(bytes).finalize().into_bytes();
        tag.first_chunk::<TAG>().copied().unwrap_or_default()
    }

    fn mac(&self, bytes: &[u8]) -> Hmac<Sha256> {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(self.key.as_bytes()).expect("a key");
        mac.update(&self.scope.0);
        mac.update(bytes);
        mac
    }
}

/// The length of a sort key within a cursor, in bytes, more or less.
pub(super) fn key_length(key: &SortValue<'_>) -> usize {
    match key {
        SortValue::Text(text) => text.len(),
        SortValue::Number(number) => number.to_string().len(),
        SortValue::Bool(_) | SortValue::Instant(_) | SortValue::Missing => 0,
    }
}

const MISSING: u8 = 0;
const BOOL: u8 = 1;
const NUMBER: u8 = 2;
const INSTANT: u8 = 3;
const TEXT: u8 = 4;
const OF_RESOURCE: u8 = 5;
const BEGINNING: u8 = 6;

fn write_key(bytes: &mut Vec<u8>, key: &SortValue<'_>) {
    let text = |bytes: &mut Vec<u8>, kind, text: &str| {
        bytes.push(kind);
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    };
    match key {
        SortValue::Missing => bytes.push(MISSING),
        SortValue::Bool(value) => bytes.extend([BOOL, u8::from(*value)]),
        SortValue::Number(number) => text(bytes, NUMBER, &number.to_string()),
        SortValue::Instant(instant) => {
            bytes.push(INSTANT);
            bytes.extend(instant.seconds().to_be_bytes());
            bytes.extend(instant.nanoseconds().to_be_bytes());
        }
        SortValue::Text(value) => text(bytes, TEXT, value),
    }
}

fn read(bytes: &[u8]) -> Option<Cursor> {
    let (&[form, side], rest) = bytes.split_first_chunk()?;
    let (expires, rest) = rest.split_first_chunk()?;
    let (count, rest) = rest.split_first_chunk()?;
    let side = match side {
        _ if form != FORM => return None,
        side if side == Side::Behind as u8 => Side::Behind,
        side if side == Side::Before as u8 => Side::Before,
        _ => return None,
    };
    let (&kind, rest) = rest.split_first()?;
    let id = |rest: &[u8]| ResourceId::parse(std::str::from_utf8(rest).ok()?).ok();
    let at = match kind {
        BEGINNING => Place::Beginning,
        OF_RESOURCE => {
            let (digest, rest) = rest.split_first_chunk()?;
            Place::OfResource { id: id(rest)?, digest: *digest }
        }
        _ => {
            let (key, rest) = read_key(kind, rest)?;
            Place::At(Position { key, id: id(rest)? })
        }
    };
    Some(Cursor { side, at, count: u32::from_be_bytes(*count), expires: i64::from_be_bytes(*expires) })
}

fn read_key(kind: u8, rest: &[u8]) -> Option<(SortValue<'static>, &[u8])> {
    Some(match kind {
        MISSING => (SortValue::Missing, rest),
        BOOL => {
            let (value, rest) = rest.split_first()?;
            (SortValue::Bool(*value != 0), rest)
        }
        INSTANT => {
            let (seconds, rest) = rest.split_first_chunk()?;
            let (nanoseconds, rest) = rest.split_first_chunk()?;
            let instant = Instant::new(i64::from_be_bytes(*seconds), u32::from_be_bytes(*nanoseconds))?;
            (SortValue::Instant(instant), rest)
        }
        NUMBER | TEXT => {
            let (length, rest) = rest.split_first_chunk()?;
            let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
            let (text, rest) = rest.split_at_checked(length)?;
            let text = std::str::from_utf8(text).ok()?;
            let key = if kind == TEXT {
                SortValue::Text(text.to_owned().into())
            } else {
                // Not by `serde_json`, which rounds: `-11e101` would come back as another number.
                SortValue::Number(text.parse().ok()?)
            };
            (key, rest)
        }
        _ => return None,
    })
}

/// A cursor of any signed bytes is written as a cursor that reads back as itself, and no text is a cursor without its
/// signature. The fuzz target of this name and a test hold this law.
///
/// # Panics
/// If that does not hold.
#[cfg(any(test, fuzzing))]
#[cfg_attr(test, expect(unreachable_pub, reason = "the fuzz target reaches it"))]
pub fn cursor_roundtrip(bytes: &[u8]) {
    let secret = CursorKey::from([7; 32]);
    let cursors = Cursors::new(&secret, Scope::new(&TenantId::default(), ["User"]));
    let unsigned = URL_SAFE_NO_PAD.encode(bytes);
    assert_eq!(cursors.read(&unsigned, i64::MIN), Err(CursorError::Invalid));
    assert_eq!(cursors.read(&String::from_utf8_lossy(bytes), i64::MIN), Err(CursorError::Invalid));
    let signed = URL_SAFE_NO_PAD.encode([bytes, &cursors.sign(bytes)].concat());
    if let Ok(cursor) = cursors.read(&signed, i64::MIN) {
        assert_eq!(cursors.read(&cursors.write(&cursor), i64::MIN), Ok(cursor));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    fn key() -> impl Strategy<Value = SortValue<'static>> {
        prop_oneof![
            Just(SortValue::Missing),
            any::<bool>().prop_map(SortValue::Bool),
            any::<i64>().prop_map(|number| SortValue::Number(number.into())),
            any::<String>().prop_map(|text| SortValue::Text(text.into())),
            (any::<i64>(), 0..1_000_000_000_u32)
                .prop_map(|(s, n)| SortValue::Instant(Instant::new(s, n).expect("in range"))),
        ]
    }

    fn cursor() -> impl Strategy<Value = Cursor> {
        let side = prop_oneof![Just(Side::Behind), Just(Side::Before)];
        let id = "[a-z0-9-]{1,36}".prop_map(|id| ResourceId::parse(&id).expect("an id"));
        let place = (key(), id, any::<Option<[u8; TAG]>>()).prop_map(|(key, id, digest)| match digest {
            None => Place::At(Position { key, id }),
            Some(digest) => Place::OfResource { id, digest },
        });
        let place = prop_oneof![9 => place, 1 => Just(Place::Beginning)];
        (side, place, any::<u32>(), any::<i64>()).prop_map(|(side, at, count, expires)| Cursor {
            side,
            at,
            count,
            expires,
        })
    }

    fn scope(query: &str) -> Scope {
        Scope::new(&TenantId::default(), ["User", query])
    }

    proptest! {
        #[test]
        fn a_cursor_is_read_as_it_was_written(cursor in cursor()) {
            let secret = CursorKey::from([7; 32]);
            let cursors = Cursors::new(&secret, scope("a"));
            let text = cursors.write(&cursor);
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)));
            prop_assert_eq!(cursors.read(&text, i64::MIN), Ok(cursor));
        }

        #[test]
        fn no_other_text_is_a_cursor(cursor in cursor(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let secret = CursorKey::from([7; 32]);
            let cursors = Cursors::new(&secret, scope("a"));
            let mut bytes = URL_SAFE_NO_PAD.decode(cursors.write(&cursor)).expect("base64");
            let place = at.index(bytes.len());
            if bytes[place] != byte {
                bytes[place] = byte;
                let forged = URL_SAFE_NO_PAD.encode(&bytes);
                prop_assert_eq!(cursors.read(&forged, i64::MIN), Err(CursorError::Invalid));
            }
            let cut = URL_SAFE_NO_PAD.encode(&bytes[..place]);
            prop_assert_eq!(cursors.read(&cut, i64::MIN), Err(CursorError::Invalid));
        }

        #[test]
        fn any_text_is_refused(text in any::<String>()) {
            let secret = CursorKey::from([7; 32]);
            prop_assert_eq!(Cursors::new(&secret, scope("a")).read(&text, 0), Err(CursorError::Invalid));
        }
    }

    #[test]
    fn law_holds_for_the_seeds_of_the_fuzz_target() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/cursor_roundtrip");
        let seeds = std::fs::read_dir(&folder).expect("the seeds are there");
        let replayed = seeds.map(|seed| {
            cursor_roundtrip(&std::fs::read(seed.expect("an entry").path()).expect("a file"));
        });
        assert!(replayed.count() > 0, "there are no seeds");
    }

    #[test]
    fn a_cursor_is_good_for_its_query_its_key_and_its_time() {
        let (secret, other) = (CursorKey::from([7; 32]), CursorKey::from([8; 32]));
        let at = Place::At(Position { key: SortValue::Missing, id: ResourceId::parse("1").expect("an id") });
        let cursor = Cursor { side: Side::Behind, at, count: 10, expires: 100 };
        let text = Cursors::new(&secret, scope("a")).write(&cursor);
        assert_eq!(Cursors::new(&secret, scope("a")).read(&text, 100), Ok(cursor));
        assert_eq!(Cursors::new(&secret, scope("a")).read(&text, 101), Err(CursorError::Expired));
        assert_eq!(Cursors::new(&secret, scope("b")).read(&text, 100), Err(CursorError::Invalid));
        assert_eq!(Cursors::new(&other, scope("a")).read(&text, 100), Err(CursorError::Invalid));
        let tenant = Scope::new(&TenantId::parse("b").expect("a name"), ["User", "a"]);
        assert_eq!(Cursors::new(&secret, tenant).read(&text, 100), Err(CursorError::Invalid));
        assert_ne!(
            Scope::new(&TenantId::default(), ["ab", "c"]),
            Scope::new(&TenantId::default(), ["a", "bc"])
        );
    }
}
