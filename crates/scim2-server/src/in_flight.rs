//! The bytes that requests hold: one budget for the service provider, and a share of it for each credential.
//!
//! A client that sends half of a body, or reads nothing of a large answer, makes the service provider hold
//! bytes for it, in memory or in a spooled file. [`ByteBudget`] counts them from the moment they are held until
//! the last of them is written. Beyond a share a request is answered 429, beyond the whole budget 503, both
//! with `Retry-After`. Bodies and answers smaller than [`COUNTED_FROM`] are not counted: they cost less than
//! the connection.
//!
//! [`ScimService`](crate::ScimService) counts request bodies and answers by itself, within
//! [`Limits::bytes_in_flight`](crate::Limits::bytes_in_flight). A store that keeps bytes for an answer, for example to
//! spool the members of large groups, counts them by [`Context::hold_bytes`]:
//!
//! ```
//! use scim2_server::in_flight::{ByteBudget, BytesExceeded};
//! # use std::sync::Arc;
//! # use scim2_core::Registry;
//! # use scim2_server::{Context, TenantId};
//!
//! let bytes = ByteBudget::new(1000, 400);
//! # let cx = Context::new(Arc::new(Registry::standard()), TenantId::default(), "job", Default::default());
//! # let cx = Context { bytes: bytes.clone(), ..cx };
//! let held = cx.hold_bytes(300)?; // cx.bytes is `bytes`
//! assert_eq!(cx.hold_bytes(200).err(), Some(BytesExceeded::Share));
//! assert_eq!(bytes.used(), 300);
//! drop(held);
//! assert_eq!(bytes.used(), 0);
//! # Ok::<(), BytesExceeded>(())
//! ```

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::context::Context;
use crate::forwarded::client_network;
use crate::turns::Credential;

/// Bodies and answers below this size, in bytes, are not counted.
pub const COUNTED_FROM: usize = 64 << 10;

/// A budget of bytes that requests may hold at a time. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct ByteBudget {
    shared: Option<Arc<Shared>>,
    /// The network that holds the bytes of a request without a credential.
    source: Option<IpAddr>,
    counts_only: bool,
}

#[derive(Debug)]
struct Shared {
    limit: u64,
    share: u64,
    used: AtomicU64,
    holders: Mutex<HashMap<Holder, u64>>,
}

/// The credential or the network for whose requests bytes are held.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Holder {
    Credential(Credential),
    Source(IpAddr),
}

/// Why a request may hold no more bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BytesExceeded {
    /// The credential, or the source of a request without one, has used up its share.
    Share,
    /// The budget of the service provider is used up.
    Total,
}

impl fmt::Display for BytesExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Share => {
                "unfinished requests and unread answers of this credential take all the bytes it may hold: finish or \
                 read them, then try again"
            }
            Self::Total => {
                "unfinished requests and unread answers take all the bytes this service provider may hold: try again \
                 later"
            }
        })
    }
}

impl std::error::Error for BytesExceeded {}

impl ByteBudget {
    /// A budget of `limit` bytes, of which one credential may hold `share`.
    ///
    /// A credential that holds nothing may always hold one thing, however large; so may the first of all. Otherwise an
    /// answer larger than a share would never be answered.
    #[must_use]
    pub fn new(limit: u64, share: u64) -> Self {
        let shared = Shared { limit, share, used: AtomicU64::new(0), holders: Mutex::default() };
        Self { shared: Some(Arc::new(shared)), source: None, counts_only: false }
    }

    /// A budget that is never used up, for work without clients; the default.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self { shared: None, source: None, counts_only: false }
    }

    /// The same budget for a request without a credential: its bytes are counted by the [`client_network`] that it
    /// comes from.
    #[must_use]
    pub fn for_source(&self, address: IpAddr) -> Self {
        Self { source: Some(client_network(address)), ..self.clone() }
    }

    /// The same budget for the answer to a write: it counts bytes and refuses nothing, because the write is done.
    #[must_use]
    pub fn counting_only(&self) -> Self {
        Self { counts_only: true, ..self.clone() }
    }

    /// How many bytes are held.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.shared.as_ref().map_or(0, |shared| shared.used.load(Ordering::Relaxed))
    }

    /// A count of zero bytes for this credential or source.
    fn hold_none(&self, cx: &Context) -> HeldBytes {
        let held = self.shared.as_ref().map(|shared| {
            let holder = match self.source {
                Some(address) => Holder::Source(address),
                None => Holder::Credential(cx.credential()),
            };
            (Arc::clone(shared), holder)
        });
        HeldBytes { held, counts_only: self.counts_only, bytes: 0 }
    }
}

impl Context {
    /// Counts bytes that are held for this request until what is returned is dropped.
    ///
    /// # Errors
    /// If the budget or the share of the credential does not allow it.
    pub fn hold_bytes(&self, bytes: u64) -> Result<HeldBytes, BytesExceeded> {
        let mut held = self.bytes.hold_none(self);
        held.grow(bytes)?;
        Ok(held)
    }

    /// Counts bytes without a limit, for the answer to a write: it is too late to refuse the write.
    #[must_use]
    pub fn hold_bytes_anyway(&self, bytes: u64) -> HeldBytes {
        let mut held = self.bytes.hold_none(self);
        held.grow_anyway(bytes);
        held
    }

    /// Checks whether this request may hold any bytes, before it reads them.
    ///
    /// # Errors
    /// If the budget or the share of the credential is used up.
    pub fn check_bytes(&self) -> Result<(), BytesExceeded> {
        match &self.bytes.shared {
            // Below the smaller limit no budget is used up: the frequent case takes no lock.
            Some(shared) if self.bytes.used() >= shared.limit.min(shared.share) => {
                self.bytes.hold_none(self).grow(1)
            }
            _ => Ok(()),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, HashMap<Holder, u64>> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn grow(&self, holder: &Holder, own: u64, more: u64, refuse: bool) -> Result<(), BytesExceeded> {
        let mut holders = self.lock();
        let held = holders.get(holder).copied().unwrap_or_default();
        let used = self.used.load(Ordering::Relaxed);
        if refuse {
            // A holder of nothing else may hold one thing of any size.
            if held != own && held.saturating_add(more) > self.share {
                return Err(BytesExceeded::Share);
            }
            if used != own && used.saturating_add(more) > self.limit {
                return Err(BytesExceeded::Total);
            }
        }
        holders.insert(holder.clone(), held.saturating_add(more));
        self.used.store(used.saturating_add(more), Ordering::Relaxed);
        Ok(())
    }

    fn shrink(&self, holder: &Holder, bytes: u64) {
        let mut holders = self.lock();
        match holders.get_mut(holder) {
            Some(held) if *held > bytes => *held -= bytes,
            _ => {
                holders.remove(holder);
            }
        }
        let used = self.used.load(Ordering::Relaxed);
        self.used.store(used.saturating_sub(bytes), Ordering::Relaxed);
    }
}

/// Bytes that are counted until this is dropped.
#[derive(Debug)]
pub struct HeldBytes {
    held: Option<(Arc<Shared>, Holder)>,
    counts_only: bool,
    bytes: u64,
}

impl HeldBytes {
    /// The number of bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Counts more.
    ///
    /// # Errors
    /// If the budget or the share of the credential does not allow it. What is held stays held.
    pub fn grow(&mut self, more: u64) -> Result<(), BytesExceeded> {
        if more > 0
            && let Some((shared, holder)) = &self.held
        {
            shared.grow(holder, self.bytes, more, !self.counts_only)?;
        }
        self.bytes = self.bytes.saturating_add(more);
        Ok(())
    }

    /// Counts more where it is too late to refuse.
    pub fn grow_anyway(&mut self, more: u64) {
        if more > 0
            && let Some((shared, holder)) = &self.held
        {
            // Nothing is refused here.
            let _ = shared.grow(holder, self.bytes, more, false);
        }
        self.bytes = self.bytes.saturating_add(more);
    }

    /// Counts fewer bytes, at least zero.
    pub fn shrink(&mut self, less: u64) {
        let less = less.min(self.bytes);
        self.bytes -= less;
        if less > 0
            && let Some((shared, holder)) = &self.held
        {
            shared.shrink(holder, less);
        }
    }

    /// Splits off some of the bytes, at most all of them.
    #[must_use]
    pub fn split(&mut self, bytes: u64) -> Self {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Self { held: self.held.clone(), counts_only: self.counts_only, bytes }
    }

    /// Data that stays counted until its last copy is dropped.
    #[must_use]
    pub fn attach(self, data: impl AsRef<[u8]> + Send + 'static) -> Bytes {
        Bytes::from_owner(Counted { data, _held: self })
    }
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        self.shrink(self.bytes);
    }
}

struct Counted<D> {
    data: D,
    _held: HeldBytes,
}

impl<D: AsRef<[u8]>> AsRef<[u8]> for Counted<D> {
    fn as_ref(&self) -> &[u8] {
        self.data.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use scim2_core::Registry;

    use super::*;
    use crate::context::TenantId;

    fn context(bytes: &ByteBudget, actor: &str) -> Context {
        Context {
            bytes: bytes.clone(),
            ..Context::new(
                Arc::new(Registry::standard()),
                TenantId::default(),
                actor,
                chrono::DateTime::default(),
            )
        }
    }

    #[test]
    fn share_and_total_are_refused_apart() {
        let bytes = ByteBudget::new(100, 60);
        let (ada, ben) = (context(&bytes, "ada"), context(&bytes, "ben"));
        let first = ada.hold_bytes(50).unwrap();
        assert_eq!(ada.hold_bytes(11).err(), Some(BytesExceeded::Share));
        let second = ben.hold_bytes(45).unwrap();
        assert_eq!(ada.hold_bytes(6).err(), Some(BytesExceeded::Total));
        assert_eq!(bytes.used(), 95);
        drop(first);
        assert!(ada.hold_bytes(50).is_ok());
        drop(second);
        assert_eq!(bytes.used(), 0);
        assert!(bytes.shared.unwrap().lock().is_empty());
    }

    #[test]
    fn whoever_holds_nothing_else_may_hold_one_thing_however_large() {
        let bytes = ByteBudget::new(100, 60);
        let ada = context(&bytes, "ada");
        let mut only = ada.hold_bytes(70).unwrap();
        assert_eq!(only.grow(70), Ok(()));
        assert_eq!(ada.check_bytes(), Err(BytesExceeded::Share));
        assert_eq!(context(&bytes, "ben").check_bytes(), Err(BytesExceeded::Total));
        only.shrink(100);
        assert_eq!((bytes.used(), ada.check_bytes()), (40, Ok(())));
    }

    #[test]
    fn split_and_attached_bytes_are_counted_until_they_are_dropped() {
        let bytes = ByteBudget::new(100, 100);
        let mut held = context(&bytes, "ada").hold_bytes(30).unwrap();
        let data = held.split(20).attach(b"data".to_vec());
        assert_eq!((held.bytes(), bytes.used(), &data[..]), (10, 30, &b"data"[..]));
        let copy = data.slice(1..);
        drop((held, data));
        assert_eq!(bytes.used(), 20);
        drop(copy);
        assert_eq!(bytes.used(), 0);
    }

    #[test]
    fn requests_without_a_credential_are_counted_by_source() {
        let bytes = ByteBudget::new(100, 10);
        let from = |address: &str| context(&bytes.for_source(address.parse().unwrap()), "anonymous");
        let _held = from("2001:db8::1").hold_bytes(10).unwrap();
        assert_eq!(from("2001:db8::2").hold_bytes(1).err(), Some(BytesExceeded::Share));
        assert!(from("2001:db8:0:1::1").hold_bytes(1).is_ok());
        assert!(from("192.0.2.1").hold_bytes(1).is_ok());
    }
}
