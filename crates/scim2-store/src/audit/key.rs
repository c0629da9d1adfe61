//! The keys that the hashes of the audit log are made with.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

use super::{Entry, Hash};

/// Keys for the audit log that lie outside of the database.
///
/// If an attacker who can write the database and does not have the key changes the log,
/// [`fsck`](crate::Admin::fsck) finds the change. Without such keys the database's own key is used, which protects only
/// against those who cannot read the database.
///
/// ```
/// use scim2_store::AuditKeys;
///
/// let keys = AuditKeys::parse("# 2026\n6f1c2b…32 or more characters of randomness\n")?;
/// assert!(!keys.is_empty());
/// let error = AuditKeys::parse("short").unwrap_err();
/// assert_eq!(error.to_string(), "line 1: expected a key of 32 or more characters, such as `openssl rand -hex 32` makes");
/// # Ok::<(), scim2_store::AuditKeyError>(())
/// ```
#[derive(Clone, Default)]
pub struct AuditKeys {
    /// The last one is in use.
    keys: Arc<[ExternalKey]>,
}

#[derive(Clone)]
struct ExternalKey {
    id: [u8; 8],
    mac: Hmac<Sha256>,
}

impl AuditKeys {
    /// The fewest characters of a key.
    pub const MIN_LENGTH: usize = 32;

    /// Reads keys, one on each line. New rows are hashed with the last one; those before it are kept so that older
    /// rows can be checked. Empty lines and lines that begin with `#` are skipped.
    ///
    /// # Errors
    /// Names the line that is too short to be a key; line 1 if there is no key at all.
    pub fn parse(text: &str) -> Result<Self, AuditKeyError> {
        let lines = (1..).zip(text.lines().map(str::trim));
        let mut keys = Vec::new();
        for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            if line.chars().count() < Self::MIN_LENGTH {
                return Err(AuditKeyError { line: number });
            }
            let digest = Sha256::new().chain_update(b"scim2 audit key\0").chain_update(line).finalize();
            let mut id = [0; 8];
            id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
            keys.push(ExternalKey { id, mac: mac(line.as_bytes()) });
        }
        if keys.is_empty() {
            return Err(AuditKeyError { line: 1 });
        }
        Ok(Self { keys: keys.into() })
    }

    /// Says whether there is none, so that the database's own key is used.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// Two lists are equal if they have the same keys in the same order.
impl PartialEq for AuditKeys {
    fn eq(&self, other: &Self) -> bool {
        self.keys.iter().map(|key| key.id).eq(other.keys.iter().map(|key| key.id))
    }
}

impl Eq for AuditKeys {}

impl fmt::Debug for AuditKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| KeyId::External(key.id))).finish()
    }
}

/// A line that should be a key and is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditKeyError {
    line: usize,
}

impl fmt::Display for AuditKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = AuditKeys::MIN_LENGTH;
        let Self { line } = self;
        write!(
            f,
            "line {line}: expected a key of {least} or more characters, such as `openssl rand -hex 32` makes"
        )
    }
}

impl std::error::Error for AuditKeyError {}

/// How the hashes of a part of the log are made, as the table `audit_key` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyId {
    /// SHA-256 without a key.
    Plain,
    /// HMAC with the key that lies in the database.
    Own,
    /// HMAC with a key outside of it.
    External([u8; 8]),
    /// Bytes that identify no key.
    Unknown,
}

impl KeyId {
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        match bytes {
            [] => Self::Plain,
            [0] => Self::Own,
            bytes => bytes.try_into().map_or(Self::Unknown, Self::External),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Plain | Self::Unknown => &[],
            Self::Own => &[0],
            Self::External(id) => id,
        }
    }
}

/// What the next row of a log is hashed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NextKey {
    /// The first row of a log: with the key in use.
    First(KeyId),
    /// The key of the last row.
    Same(KeyId),
    /// A newer key of the same file. A [row that says so](super::KeyChange) comes first.
    Newer(KeyId),
    /// None: the log is hashed with the database's own key, and this process has a key that lies outside of it. An
    /// attacker who can write the database can write such a log, so only an operator may change it to that key.
    NotAdopted,
    /// None: the key of the last row was not given.
    NotGiven,
}

/// All keys that a process has for one database.
#[derive(Clone)]
pub(crate) struct Keyring {
    own: Hmac<Sha256>,
    external: AuditKeys,
}

impl Keyring {
    /// `own` is the key that lies in the database.
    pub(crate) fn new(own: &[u8], external: AuditKeys) -> Self {
        Self { own: mac(own), external }
    }

    /// The key for a log that begins now.
    pub(crate) fn in_use(&self) -> KeyId {
        self.external.keys.last().map_or(KeyId::Own, |key| KeyId::External(key.id))
    }

    /// How hashes are made with a key; `None` if nobody gave it.
    pub(crate) fn find(&self, id: KeyId) -> Option<Link<'_>> {
        match id {
            KeyId::Plain => Some(Link(None)),
            KeyId::Own => Some(Link(Some(&self.own))),
            KeyId::External(id) => {
                self.external.keys.iter().find(|key| key.id == id).map(|key| Link(Some(&key.mac)))
            }
            KeyId::Unknown => None,
        }
    }

    /// The key for the next row of a log that has `rows` rows, of which the last has the key `last`. A later key
    /// follows an earlier one and never the other way around, so nodes that do not all have the new key yet do not
    /// take turns.
    pub(crate) fn next(&self, rows: i64, last: KeyId) -> NextKey {
        let in_use = self.in_use();
        match last {
            _ if rows == 0 => NextKey::First(in_use),
            KeyId::Plain | KeyId::Own if in_use != KeyId::Own => NextKey::NotAdopted,
            last if last == in_use => NextKey::Same(last),
            // Only a layout without keys has these rows.
            KeyId::Plain => NextKey::Newer(in_use),
            KeyId::External(_) if self.find(last).is_some() => NextKey::Newer(in_use),
            KeyId::Own | KeyId::External(_) | KeyId::Unknown => NextKey::NotGiven,
        }
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("external", &self.external).finish_non_exhaustive()
    }
}

/// How a row is bound to the one before it: with a key or without.
#[derive(Clone, Copy)]
pub(crate) struct Link<'k>(Option<&'k Hmac<Sha256>>);

impl Link<'_> {
    /// The hash of a row behind the one with the hash `before`.
    pub(crate) fn hash(&self, before: &Hash, seq: i64, entry: &Entry<'_>) -> Hash {
        match self.0 {
            None => {
                let mut digest = Sha256::new();
                entry.feed(before, seq, |bytes| digest.update(bytes));
                digest.finalize().into()
            }
            Some(key) => {
                let mut mac = key.clone();
                entry.feed(before, seq, |bytes| mac.update(bytes));
                mac.finalize().into_bytes().into()
            }
        }
    }
}

/// The state of an HMAC that has taken in its key.
fn mac(key: &[u8]) -> Hmac<Sha256> {
    match Hmac::new_from_slice(key) {
        Ok(mac) => mac,
        Err(_) => unreachable!("HMAC takes keys of any length"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_key_follows_an_earlier_one_and_an_unknown_one_is_kept() {
        let (first, second) = ("a".repeat(32), "b".repeat(32));
        let one = AuditKeys::parse(&first).expect("a key");
        let both = AuditKeys::parse(&format!("# old\n{first}\n\n{second}\n")).expect("two keys");
        let (none, old, new) = (
            Keyring::new(b"own", AuditKeys::default()),
            Keyring::new(b"own", one),
            Keyring::new(b"own", both),
        );
        assert_eq!(none.next(1, KeyId::Own), NextKey::Same(KeyId::Own));
        assert_eq!(none.next(1, KeyId::Plain), NextKey::Newer(KeyId::Own));
        assert_eq!(old.next(0, KeyId::Own), NextKey::First(old.in_use()));
        assert_eq!(old.next(1, KeyId::Own), NextKey::NotAdopted);
        assert_eq!(old.next(1, KeyId::Plain), NextKey::NotAdopted);
        assert_eq!(new.next(1, old.in_use()), NextKey::Newer(new.in_use()));
        assert_eq!(new.next(1, new.in_use()), NextKey::Same(new.in_use()));
        // A process without the key of the last row uses no other.
        assert_eq!(old.next(1, new.in_use()), NextKey::NotGiven);
        assert_eq!(none.next(1, old.in_use()), NextKey::NotGiven);
        assert!(none.find(old.in_use()).is_none() && new.find(old.in_use()).is_some());
        assert!(!format!("{new:?}").contains("bbbb"));
    }
}
