//! The service provider: a store, the schemas, and how to behave.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use scim2_core::Registry;
use scim2_core::json::JsonReader;

use crate::counters::{Counters, Counts};
use crate::engine::RecentPages;
use crate::in_flight::ByteBudget;
use crate::options::Options;
use crate::ports::{
    Authenticator, Clock, HashError, IdSource, InPlace, LongWork, PasswordHasher, SystemClock, UuidSource,
};
use crate::refusals::{Refusals, Refused};
use crate::service::ScimService;
use crate::store::{CursorKey, ResourceStore};
use crate::turns::{TurnLimits, Turns};

/// How many bulk requests of one credential may wait for its other bulk requests, and how many long
/// evaluations.
const WAITING: usize = 64;

/// How many long evaluations are under way at once. Each can need a thread of its own.
const LONG_EVALUATIONS: usize = 16;

/// A SCIM service provider over a [`ResourceStore`]. Cloning is cheap.
///
/// It turns requests that are read and routed into answers; [`service`](Self::service) puts HTTP
/// before it.
///
/// ```
/// use scim2_server::{BaseUrl, MemoryStore, ServiceProvider};
///
/// let provider = ServiceProvider::builder(MemoryStore::new())
///     .options(|options| options.base_url = BaseUrl::fixed("https://example.com/scim/v2"))
///     .build();
/// assert_eq!(provider.options().base_url.path(), "/scim/v2");
/// ```
pub struct ServiceProvider<S> {
    pub(crate) inner: Arc<Inner<S>>,
}

pub(crate) struct Inner<S> {
    pub(crate) store: S,
    pub(crate) registry: Arc<Registry>,
    pub(crate) options: Options,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) ids: Box<dyn IdSource>,
    pub(crate) hasher: Option<Box<dyn ErasedHasher>>,
    pub(crate) json: JsonReader,
    /// The key that signs cursors, once a cursor was needed.
    pub(crate) cursor_key: OnceLock<CursorKey>,
    pub(crate) recent_pages: RecentPages,
    pub(crate) counters: Counters,
    pub(crate) refusals: Refusals,
    /// Bulk requests under way.
    pub(crate) bulk_turns: Turns,
    /// Long evaluations under way. A bulk request holds its own turn and takes one of these for each long
    /// operation. A request that holds one of these never waits for a turn of a bulk request, so there is no
    /// deadlock.
    pub(crate) long_turns: Turns,
    pub(crate) long_work: Box<dyn LongWork>,
    pub(crate) bytes: ByteBudget,
}

impl<S> Inner<S> {
    /// Counts and logs a refused request, or a refused operation of a bulk request.
    pub(crate) fn note_refusal(&self, refused: &Refused<'_>) {
        self.counters.refuse(refused.error, refused.reason);
        self.refusals.log(refused, self.clock.now());
    }
}

/// Puts a [`ServiceProvider`] together.
pub struct Builder<S> {
    store: S,
    registry: Option<Registry>,
    options: Options,
    clock: Box<dyn Clock>,
    ids: Box<dyn IdSource>,
    hasher: Option<Box<dyn ErasedHasher>>,
    long_work: Box<dyn LongWork>,
}

impl<S: ResourceStore> ServiceProvider<S> {
    /// Begins with the standard schemas, the default options, the machine's clock, UUIDs and no
    /// password hasher.
    #[must_use]
    pub fn builder(store: S) -> Builder<S> {
        Builder {
            store,
            registry: None,
            options: Options::default(),
            clock: Box::new(SystemClock),
            ids: Box::new(UuidSource),
            hasher: None,
            long_work: Box::new(InPlace),
        }
    }

    /// The service provider as a [`tower_service::Service`] over HTTP requests.
    #[must_use]
    pub fn service<A: Authenticator>(&self, authenticator: A) -> ScimService<S, A> {
        ScimService::new(self.clone(), authenticator)
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.inner.store
    }

    /// The schemas and resource types as they are served.
    #[must_use]
    pub fn registry(&self) -> &Arc<Registry> {
        &self.inner.registry
    }

    /// How many bytes of request bodies and of answers are held.
    #[must_use]
    pub fn bytes_in_flight(&self) -> u64 {
        self.inner.bytes.used()
    }

    /// The options.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// Counts of tolerated deviations and refused requests since the start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.inner.counters.counts()
    }

    /// Logs how many refusals of past minutes were only counted. Each refusal does the same. Call this about once a
    /// minute, so that the count is logged even if no more refusals come.
    pub fn flush_log(&self) {
        self.inner.refusals.flush(self.inner.clock.now());
    }
}

impl<S: ResourceStore> Builder<S> {
    /// Sets the schemas and resource types. Without it they are the standard ones, as the tolerance of the
    /// options has them ([`Registry::standard_for`]); to add to them, begin with
    /// [`Registry::standard_documents`].
    #[must_use]
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Changes options.
    #[must_use]
    pub fn options(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options);
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Sets where ids come from.
    #[must_use]
    pub fn ids(mut self, ids: impl IdSource) -> Self {
        self.ids = Box::new(ids);
        self
    }

    /// Sets what hashes passwords. Without one a request that sets a password is answered 501, and
    /// `changePassword` is advertised as not supported.
    #[must_use]
    pub fn password_hasher(mut self, hasher: impl PasswordHasher) -> Self {
        self.hasher = Some(Box::new(hasher));
        self
    }

    /// Sets where long work runs, such as parsing a large body or a PATCH of thousands of values. Without it,
    /// it runs on the thread of its request and yields that thread between two steps.
    #[must_use]
    pub fn long_work(mut self, long_work: impl LongWork) -> Self {
        self.long_work = Box::new(long_work);
        self
    }

    /// The service provider.
    #[must_use]
    pub fn build(self) -> ServiceProvider<S> {
        let Self { store, registry, options, clock, ids, hasher, long_work } = self;
        let json = JsonReader::new().max_depth(options.limits.json_depth);
        let registry = registry.unwrap_or_else(|| Registry::standard_for(&options.compat));
        let registry = Arc::new(registry.with_string_limits(options.limits.strings));
        let (cursor_key, recent_pages) = (OnceLock::new(), RecentPages::default());
        let (counters, refusals) = (Counters::default(), Refusals::default());
        let of_bulks = TurnLimits {
            at_once: usize::MAX,
            share: options.limits.bulk_concurrent,
            waiting: usize::MAX,
            waiting_share: WAITING,
        };
        let bulk_turns = Turns::new(of_bulks);
        let long_turns = Turns::new(TurnLimits { at_once: LONG_EVALUATIONS, ..of_bulks });
        let limits = &options.limits;
        let bytes = ByteBudget::new(limits.bytes_in_flight, limits.bytes_in_flight_per_credential);
        let inner = Inner {
            store,
            registry,
            options,
            clock,
            ids,
            hasher,
            json,
            cursor_key,
            recent_pages,
            counters,
            refusals,
            bulk_turns,
            long_turns,
            long_work,
            bytes,
        };
        ServiceProvider { inner: Arc::new(inner) }
    }
}

impl<S> Clone for ServiceProvider<S> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<S> fmt::Debug for ServiceProvider<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceProvider").field("options", &self.inner.options).finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for Builder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("options", &self.options).finish_non_exhaustive()
    }
}

/// A [`PasswordHasher`] of any type. Passwords are rare and hashing is slow: the cost of a box does not matter.
pub(crate) trait ErasedHasher: Send + Sync {
    fn hash_boxed(&self, password: String) -> BoxFuture<'_, Result<String, HashError>>;
}

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl<H: PasswordHasher> ErasedHasher for H {
    fn hash_boxed(&self, password: String) -> BoxFuture<'_, Result<String, HashError>> {
        Box::pin(self.hash(password))
    }
}
