//! The audit log against itself and against what it tells of: tokens and versions of resources.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

use super::{AuditHead, Entry, FIRST, Hash, KeyChange, KeyId, Keyring, hexadecimal};
use crate::admin::fsck::Report;
use crate::token::revocation;

/// The check of one tenant's log. It is given all rows of the log, then all tokens and resources of the tenant.
pub(crate) struct LogCheck<'a> {
    tenant: &'a str,
    keys: &'a Keyring,
    /// From which row on which key is used, in order.
    epochs: Vec<(i64, KeyId)>,
    heads: Vec<&'a AuditHead>,
    report: &'a mut Report,
    seq: i64,
    hash: Hash,
    key: KeyId,
    /// Whether a row was found that does not follow. The rows after it cannot be checked.
    is_broken: bool,
    /// The resources that exist according to the log, by a hash of type and id. Some 40 bytes each.
    resources: HashMap<u64, LastWrite>,
    hasher: RandomState,
    tokens: HashMap<String, LoggedToken>,
}

/// The last row about a resource.
struct LastWrite {
    seq: i64,
    version: i64,
}

/// What the log says of a token.
#[derive(Default)]
struct LoggedToken {
    /// Empty in logs of an older layout.
    details: String,
    revoked: Option<String>,
}

impl<'a> LogCheck<'a> {
    pub(crate) fn new(
        tenant: &'a str,
        keys: &'a Keyring,
        epochs: Vec<(i64, KeyId)>,
        heads: &'a [AuditHead],
        report: &'a mut Report,
    ) -> Self {
        if matches!(keys.in_use(), KeyId::External(_)) {
            report.database_key_rows.get_or_insert_default();
        }
        Self {
            tenant,
            keys,
            epochs,
            heads: heads.iter().filter(|head| head.tenant().as_str() == tenant).collect(),
            report,
            seq: 0,
            hash: FIRST,
            key: KeyId::Own,
            is_broken: false,
            resources: HashMap::new(),
            hasher: RandomState::new(),
            tokens: HashMap::new(),
        }
    }

    /// The next row of the log.
    pub(crate) fn row(&mut self, seq: i64, entry: &Entry<'_>, hash: &[u8]) {
        self.link(seq, entry, hash);
        self.replay(seq, entry);
    }

    /// Compares the last row with the copy in another table. This finds rows that are missing at the end of the log.
    #[cfg(feature = "postgres")]
    pub(crate) fn last(&mut self, seq: i64, hash: &Hash) {
        if !self.is_broken && (seq, hash) != (self.seq, &self.hash) {
            self.is_broken = true;
            self.fault(format!("row {} was changed, removed or put in", self.seq + 1));
        }
    }

    /// A row that is not in the chain yet.
    #[cfg(feature = "postgres")]
    pub(crate) fn waiting(&mut self, entry: &Entry<'_>) {
        self.replay(0, entry);
    }

    fn link(&mut self, seq: i64, entry: &Entry<'_>, hash: &[u8]) {
        let expected = self.seq + 1;
        let epochs = self.epochs.iter().take_while(|(from, _)| *from <= expected);
        let before = std::mem::replace(&mut self.key, epochs.last().map_or(KeyId::Own, |(_, key)| *key));
        if let Some(rows) = &mut self.report.database_key_rows
            && matches!(self.key, KeyId::Plain | KeyId::Own)
        {
            *rows += 1;
        }
        if !self.is_broken && expected > 1 && self.key != before && matches!(self.key, KeyId::External(_)) {
            let change = KeyChange { from: before, rows: self.seq, hash: self.hash }.to_string();
            if entry.action != KeyChange::ACTION || entry.changed != change {
                self.fault(format!(
                    "row {expected} is the first one with another key, and does not say so: rows before it may have \
                     been rewritten"
                ));
            }
        }
        if !self.is_broken {
            let fault = match self.keys.find(self.key) {
                None => Some("is hashed with a key that was not given; give `--audit-key-file`"),
                Some(link) if seq == expected && link.hash(&self.hash, seq, entry) == *hash => None,
                Some(_) => Some("was changed, removed or put in"),
            };
            if let Some(fault) = fault {
                self.is_broken = true;
                self.fault(format!("row {expected} {fault}"));
            }
        }
        for head in self.heads.iter().filter(|head| head.rows() == seq.unsigned_abs()) {
            if head.hash() != hexadecimal(hash) {
                self.report.fault(format!(
                    "the audit log of tenant {}: row {seq} is not the one of the head {head}: the log was rewritten",
                    self.tenant
                ));
            }
        }
        self.seq = seq;
        self.hash = hash.try_into().unwrap_or(FIRST);
    }

    fn replay(&mut self, seq: i64, entry: &Entry<'_>) {
        match entry.action {
            "create" | "modify" => {
                let name = self.name(entry.resource_type, entry.resource_id);
                // A row without a version says nothing of it.
                let known = self.resources.get(&name).map_or(0, |last| last.version);
                let version = entry.version.parse().unwrap_or(known);
                self.resources.insert(name, LastWrite { seq, version });
            }
            "delete" => {
                self.resources.remove(&self.name(entry.resource_type, entry.resource_id));
            }
            "token.create" => {
                let token = LoggedToken { details: entry.changed.to_owned(), revoked: None };
                self.tokens.insert(entry.resource_id.to_owned(), token);
            }
            "token.revoke" => {
                let told = entry.changed.lines().find(|line| line.starts_with("revoked="));
                let revoked = told.map_or_else(|| revocation(entry.at), str::to_owned);
                self.tokens.entry(entry.resource_id.to_owned()).or_default().revoked = Some(revoked);
            }
            _ => {}
        }
    }

    /// A row of the table of tokens: its id, what the audit log should say of it, and when it was revoked.
    pub(crate) fn token(&mut self, id: &str, details: &str, revoked: Option<i64>) {
        self.report.tokens += 1;
        let fault = match self.tokens.remove(id) {
            None => "is not in the audit log",
            Some(logged) if !logged.details.is_empty() && logged.details != details => {
                "is not the one that was created according to the audit log"
            }
            Some(logged) => match (&logged.revoked, revoked.map(revocation)) {
                (Some(_), None) => "is not revoked, and was revoked according to the audit log",
                (None, Some(_)) => "is revoked, and was not revoked according to the audit log",
                (logged, revoked) if *logged != revoked => {
                    "was revoked at another time according to the audit log"
                }
                _ => return,
            },
        };
        let id = id.escape_debug();
        self.report.fault(format!("tenant {}: token {id} {fault}", self.tenant));
    }

    /// A resource with its version. The version of a group also grows when one of its members is deleted, which is
    /// logged for the member only: `may_be_ahead`.
    pub(crate) fn resource(&mut self, resource_type: &str, id: &str, version: i64, may_be_ahead: bool) {
        let fault = match self.resources.remove(&self.name(resource_type, id)) {
            None => "is not in the audit log".to_owned(),
            Some(last) if last.version == version || (may_be_ahead && last.version < version) => return,
            Some(last) => format!("has version {version}, and {} according to the audit log", last.version),
        };
        let id = id.escape_debug();
        self.report.fault(format!("tenant {}: {resource_type} {id} {fault}", self.tenant));
    }

    /// To be called after all of it. Returns the rows of the log about resources that should be there and are not.
    pub(crate) fn finish(mut self) -> Vec<i64> {
        for head in std::mem::take(&mut self.heads) {
            if head.rows() > self.seq.unsigned_abs() {
                self.fault(format!(
                    "it has {} rows, fewer than the head {head}: rows were removed",
                    self.seq
                ));
            }
        }
        // Without this check, an attacker could rewrite the log with the key that lies in the database.
        if self.seq > 0
            && !self.is_broken
            && matches!(self.keys.in_use(), KeyId::External(_))
            && !matches!(self.key, KeyId::External(_))
        {
            self.fault(
                "its last row is hashed with the database's own key and not with one of `--audit-key-file`; if that \
                 key is new, compare the head of the log with one that you kept, and run `scim2 audit --adopt-key`",
            );
        }
        let mut tokens: Vec<_> = self.tokens.keys().map(|id| id.escape_debug().to_string()).collect();
        tokens.sort_unstable();
        for id in tokens {
            let tenant = self.tenant;
            self.report.fault(format!("tenant {tenant}: token {id} is in the audit log and not there"));
        }
        let mut missing: Vec<i64> = self.resources.values().map(|last| last.seq).collect();
        missing.sort_unstable();
        missing.truncate(Report::MOST);
        missing
    }

    fn name(&self, resource_type: &str, id: &str) -> u64 {
        self.hasher.hash_one((resource_type, id))
    }

    fn fault(&mut self, fault: impl std::fmt::Display) {
        self.report.fault(format!("the audit log of tenant {}: {fault}", self.tenant));
    }
}

/// The fault of a resource that the log has and the database does not.
pub(crate) fn missing(tenant: &str, resource_type: &str, id: &str) -> String {
    format!("tenant {tenant}: {resource_type} {} is in the audit log and not there", id.escape_debug())
}
