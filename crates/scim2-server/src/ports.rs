//! The small ports: authentication, time, ids, password hashes and long work.

use std::borrow::Cow;
use std::future::Future;

use chrono::{DateTime, Utc};
use scim2_core::ResourceId;
use scim2_core::compare::opaque_string;

use crate::context::Principal;
pub use crate::credential::{AuthError, MalformedCredential, bearer_token};

/// Identifies the client that makes a request ([RFC 7644
/// §2](https://www.rfc-editor.org/rfc/rfc7644#section-2)).
pub trait Authenticator: Send + Sync + 'static {
    /// The principal of a request, found from its head alone.
    ///
    /// # Errors
    /// All are answered 401 with [`challenge`](Self::challenge), except [`AuthError::TooManyFailures`],
    /// which is 429, and [`AuthError::Unavailable`], which is 503. A bulk request authenticates again about
    /// once a second, so it stops soon after its credential is revoked.
    fn authenticate(
        &self,
        head: &http::request::Parts,
    ) -> impl Future<Output = Result<Principal, AuthError>> + Send;

    /// The value of `WWW-Authenticate` in an answer 401. If it is one of the scheme Bearer, the service adds
    /// `error="invalid_token"` where a bearer token came.
    fn challenge(&self) -> &str {
        "Bearer realm=\"scim\""
    }

    /// What the operator can do about a credential that is not valid, for the log.
    fn advice(&self) -> Option<&'static str> {
        None
    }
}

/// Returns the time.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> DateTime<Utc>;
}

/// Makes ids.
pub trait IdSource: Send + Sync + 'static {
    /// An id that no resource ever had.
    fn resource_id(&self) -> ResourceId;
}

/// Runs work that would hold an asynchronous thread for milliseconds, or up to about a second.
pub trait LongWork: Send + Sync + 'static {
    /// Runs `work` once, and returns when it is done. On a runtime with several threads, other tasks of this thread
    /// should run elsewhere meanwhile, as with `tokio::task::block_in_place`.
    fn run(&self, work: &mut dyn FnMut());
}

/// Runs long work where it is called, as any other.
#[derive(Debug, Clone, Copy, Default)]
pub struct InPlace;

impl LongWork for InPlace {
    fn run(&self, work: &mut dyn FnMut()) {
        work();
    }
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// UUIDs of version 7, whose order is that of their creation.
#[derive(Debug, Clone, Copy, Default)]
pub struct UuidSource;

impl IdSource for UuidSource {
    fn resource_id(&self) -> ResourceId {
        #[expect(clippy::expect_used, reason = "36 letters, digits and hyphens are an id")]
        ResourceId::parse(uuid::Uuid::now_v7().as_hyphenated().encode_lower(&mut [0; 36])).expect("an id")
    }
}

/// Turns a password into what may be stored
/// ([RFC 7643 §9.2](https://www.rfc-editor.org/rfc/rfc7643#section-9.2)).
pub trait PasswordHasher: Send + Sync + 'static {
    /// A salted hash that cannot be turned back, in a form that names its algorithm.
    ///
    /// # Errors
    /// If the hasher cannot work now; the request is answered 503.
    fn hash(&self, password: String) -> impl Future<Output = Result<String, HashError>> + Send;
}

/// A password as it is hashed, prepared as
/// [RFC 8265 §4.2](https://www.rfc-editor.org/rfc/rfc8265#section-4.2) says; `None` if it is empty or holds
/// characters that the profile OpaqueString refuses. A hash made elsewhere agrees only if it was made of
/// this.
///
/// ```
/// use scim2_server::ports::prepare_password;
///
/// assert_eq!(prepare_password("correct\u{3000}horse").as_deref(), Some("correct horse"));
/// assert_eq!(prepare_password(""), None);
/// ```
#[must_use]
pub fn prepare_password(clear: &str) -> Option<String> {
    opaque_string(clear).map(Cow::into_owned)
}

/// The hasher could not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashError;

impl std::fmt::Display for HashError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the password cannot be hashed now")
    }
}

impl std::error::Error for HashError {}
