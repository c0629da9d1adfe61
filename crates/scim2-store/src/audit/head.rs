//! The head of a tenant's audit log: how many rows it has and the hash of the last one.

use std::fmt;
use std::str::FromStr;

use scim2_server::TenantId;

use super::{Hash, hexadecimal};

/// How long a tenant's audit log was, and the hash of its last row then.
///
/// Kept somewhere else, such as in the log of a server, it shows later whether rows were removed from the end of the
/// log or the log was rewritten: [`FsckOptions::heads`](crate::FsckOptions::heads).
///
/// ```
/// use scim2_store::AuditHead;
///
/// let hash = "0f".repeat(32);
/// let head: AuditHead = format!("12:{hash}").parse()?;
/// assert_eq!((head.tenant().as_str(), head.rows(), head.hash()), ("default", 12, hash.as_str()));
/// assert_eq!(head.to_string(), format!("12:{hash}"));
/// assert_eq!(format!("acme=12:{hash}").parse::<AuditHead>()?.tenant().as_str(), "acme");
/// assert!("12:0f".parse::<AuditHead>().is_err());
/// # Ok::<(), scim2_store::AuditHeadError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditHead {
    tenant: TenantId,
    rows: u64,
    hash: String,
}

impl AuditHead {
    pub(crate) fn new(tenant: TenantId, rows: i64, hash: &Hash) -> Self {
        Self { tenant, rows: rows.unsigned_abs(), hash: hexadecimal(hash) }
    }

    /// Whose log it is.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// How many rows the log had.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The hash of the last of them, in 64 hexadecimal digits; zeros if there was none.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

/// `COUNT:HASH`, with `TENANT=` in front of it unless that is the tenant `default`.
impl fmt::Display for AuditHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tenant, rows, hash } = self;
        if *tenant != TenantId::default() {
            write!(f, "{}=", tenant.as_str())?;
        }
        write!(f, "{rows}:{hash}")
    }
}

impl FromStr for AuditHead {
    type Err = AuditHeadError;

    fn from_str(text: &str) -> Result<Self, AuditHeadError> {
        let (tenant, head) = match text.split_once('=') {
            Some((name, head)) => (TenantId::parse(name).ok_or(AuditHeadError)?, head),
            None => (TenantId::default(), text),
        };
        let (rows, hash) = head.split_once(':').ok_or(AuditHeadError)?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        Ok(Self {
            tenant,
            rows: rows.parse().map_err(|_| AuditHeadError)?,
            hash: is_hash.then(|| hash.to_ascii_lowercase()).ok_or(AuditHeadError)?,
        })
    }
}

/// A text that is not a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditHeadError;

impl fmt::Display for AuditHeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected COUNT:HASH, as `scim2 audit --head` prints it, with TENANT= in front for other tenants",
        )
    }
}

impl std::error::Error for AuditHeadError {}
