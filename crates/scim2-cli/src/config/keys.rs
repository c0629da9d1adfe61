//! The table of keys.

use std::sync::LazyLock;

use scim2_core::Quirk;
use scim2_core::discovery::PaginationMethod;

use super::{Config, LogFormat, PatchResponse, UnknownMember, read};

mod switches;

/// A configuration key.
pub(crate) struct Key {
    /// The name in the file; the flag and the variable follow from it.
    pub(crate) name: String,
    /// The flag without its dashes: `patch-response`.
    pub(crate) flag: String,
    /// What stands for the value in the help text.
    pub(crate) value_name: &'static str,
    /// What the key does, without its default.
    pub(crate) help: String,
    /// The default as a person writes it, if there is one.
    pub(crate) default: String,
    /// The heading in the help text.
    pub(crate) heading: &'static str,
    /// The commands that have the flag.
    pub(crate) scope: u8,
    /// Whether the value may be left out, for `true`.
    pub(crate) switch: bool,
    /// Whether the key may be given more than once.
    pub(crate) many: bool,
    apply: Apply,
}

pub(crate) const SERVE: u8 = 1;
pub(crate) const STORE: u8 = 2;
pub(crate) const FILTER: u8 = 4;
pub(crate) const CHECK: u8 = 8;
pub(crate) const LOAD: u8 = 16;

type Set = fn(&mut Config, &str) -> Result<(), String>;

enum Apply {
    /// The path of the file itself, which is read before any key.
    File,
    Set(Set),
    Quirk(Quirk),
}

/// All keys, in the order of the help text.
pub(crate) static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let mut keys = general();
    keys.extend(protocol());
    keys.extend(limits());
    keys.extend(operation());
    keys.extend(database());
    keys.extend(Quirk::ALL.iter().map(|quirk| switches::key(*quirk)));
    keys
});

/// The key of that name.
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

impl Key {
    /// The name in the environment: `SCIM2_PATCH_RESPONSE`.
    pub(crate) fn variable(&self) -> String {
        format!("SCIM2_{}", self.name.to_ascii_uppercase())
    }

    /// Whether the key names the file and so cannot stand in it.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.apply, Apply::File)
    }

    /// Reads a value into the configuration; the error says what was expected.
    pub(crate) fn apply(&self, config: &mut Config, text: &str) -> Result<(), String> {
        match self.apply {
            Apply::File => Ok(()),
            Apply::Set(set) => set(config, text),
            Apply::Quirk(quirk) => {
                config.quirks.push((quirk, read::boolean(text)?));
                Ok(())
            }
        }
    }
}

macro_rules! set {
    ($($field:ident).+, $read:expr) => {
        |config: &mut Config, text: &str| {
            config.$($field).+ = $read(text)?;
            Ok(())
        }
    };
}

fn general() -> Vec<Key> {
    let heading = "General";
    vec![
        Key {
            scope: SERVE | STORE | CHECK | FILTER | LOAD,
            apply: Apply::File,
            ..key(heading, "config", "FILE", "", "A TOML file with any of these keys", |_, _| Ok(()))
        },
        key(
            heading,
            "listen",
            "ADDR",
            "127.0.0.1:8080",
            "The address and port to listen on; port 0 takes a free one",
            set!(listen, read::address),
        ),
        Key {
            scope: SERVE | STORE | CHECK | LOAD,
            ..key(
                heading,
                "store",
                "URL",
                "sqlite:./scim2-data/scim2.db",
                "Where resources, tokens and the audit log are kept: `sqlite:PATH`, \
                 `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, or `memory`, which is gone when the program \
                 ends. A password belongs into the file or the environment: processes see each other's flags",
                set!(store, read::store),
            )
        },
        key(
            heading,
            "base_url",
            "URL",
            "(the listen address with the base path)",
            "The URL clients reach this service provider at; locations begin with it. Set it behind a \
             proxy and when listening on all addresses",
            set!(base_url, |text| read::base_url(text).map(Some)),
        ),
        key(
            heading,
            "base_path",
            "PATH",
            "/scim/v2",
            "The path under which requests arrive here",
            set!(base_path, read::base_path),
        ),
        Key {
            many: true,
            ..key(
                heading,
                "indexed",
                "ATTRIBUTES",
                "",
                "Attributes that filters and sorts find by an index beside those that are by default, as `TYPE:PATH` \
                 such as `User:title`; commas between them, may be given more than once. What is new is made in the \
                 background",
                |config, text| {
                    config.indexed.extend(text.split(',').map(|name| name.trim().to_owned()));
                    Ok(())
                },
            )
        },
        Key {
            many: true,
            ..key(
                heading,
                "unindexed",
                "ATTRIBUTES",
                "",
                "Attributes that are indexed by default and are not to be, as for `indexed`: less is written, and \
                 queries that name them look at more resources",
                |config, text| {
                    config.unindexed.extend(text.split(',').map(|name| name.trim().to_owned()));
                    Ok(())
                },
            )
        },
        Key {
            scope: SERVE | CHECK | FILTER | LOAD,
            many: true,
            ..key(
                heading,
                "schemas",
                "DIR",
                "",
                "A folder of JSON files with schemas and resource types (RFC 7643 §6 and §7), served like \
                 the built-in ones; may be given more than once",
                |config, text| {
                    config.schemas.push(text.into());
                    Ok(())
                },
            )
        },
    ]
}

fn protocol() -> Vec<Key> {
    let heading = "Protocol";
    vec![
        Key {
            scope: SERVE | CHECK | FILTER | LOAD,
            ..key(
                heading,
                "compat",
                "MODE",
                "default",
                "`default` tolerates what real identity providers send, `strict` is the letter of the RFCs, \
                 `profile` the interoperability profile draft",
                set!(mode, |text| read::mode(text).map(Some)),
            )
        },
        key(
            heading,
            "patch_response",
            "WHAT",
            "auto",
            "What answers a PATCH: `body` (200 with the resource), `no-content` (204), or `auto`: 204 for \
             groups, else 200. Asking for attributes always gets the resource",
            set!(patch_response, |text| {
                read::one_of(
                    text,
                    &[
                        ("auto", PatchResponse::Auto),
                        ("body", PatchResponse::Body),
                        ("no-content", PatchResponse::NoContent),
                    ],
                )
            }),
        ),
        key(
            heading,
            "unknown_member",
            "WHAT",
            "refuse",
            "What becomes of a group member that does not exist: `refuse` (400 invalidValue) or `drop`",
            set!(unknown_member, |text| {
                read::one_of(text, &[("refuse", UnknownMember::Refuse), ("drop", UnknownMember::Drop)])
            }),
        ),
        key(
            heading,
            "max_results",
            "N",
            "200",
            "The largest page; a larger `count` is clamped to it",
            set!(max_results, read::positive),
        ),
        key(
            heading,
            "default_page_size",
            "N",
            "100",
            "The size of a page when the request has no `count`; no more than `max_results`",
            set!(default_page_size, read::positive),
        ),
        key(
            heading,
            "default_pagination",
            "WAY",
            "index",
            "How pages are divided if a request names neither `startIndex` nor `cursor`: `index` or `cursor`",
            set!(default_pagination, |text| {
                read::one_of(
                    text,
                    &[("index", PaginationMethod::Index), ("cursor", PaginationMethod::Cursor)],
                )
            }),
        ),
        key(
            heading,
            "cursor_timeout",
            "TIME",
            "3600",
            "How long a cursor is good after the page it came with",
            set!(cursor_timeout, read::long_seconds),
        ),
        key(
            heading,
            "scan_limit",
            "N",
            "(no limit)",
            "How many resources a query may look at, or match, before it is refused: 400 tooMany. What an index \
             leaves out is not looked at; the store `memory` has none and looks at all",
            set!(scan_limit, |text| read::positive(text).map(Some)),
        ),
        switched(
            heading,
            "trust_host",
            "Whether locations are built from the Host header of the request",
            set!(trust_host, read::boolean),
        ),
        switched(
            heading,
            "trust_forwarded",
            "Whether X-Forwarded-Proto and X-Forwarded-Host decide what locations begin with (Host where they are \
             missing), and X-Forwarded-For which address is the client's; only behind proxies that set or append to \
             them",
            set!(trust_forwarded, read::boolean),
        ),
        key(
            heading,
            "forwarded_hops",
            "N",
            "1",
            "With `trust_forwarded`: the number of proxies in front that each append to the X-Forwarded fields, or set \
             them. Values are counted from the right; those further to the left come from the client and are ignored",
            set!(forwarded_hops, read::positive),
        ),
        switched(
            heading,
            "anonymous_discovery",
            "Whether /ServiceProviderConfig, /ResourceTypes and /Schemas are answered without a token \
             (RFC 7644 §4)",
            set!(anonymous_discovery, read::boolean),
        ),
        Key {
            many: true,
            ..key(
                heading,
                "sensitive_attributes",
                "PATHS",
                "",
                "Attributes that a filter in a URI must not name, for URIs end up in logs: 403 sensitive, while \
                 POST to /.search is answered (RFC 7644 §7.5.2): full paths such as `emails.value` or \
                 `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber`, of whichever type, a \
                 complex attribute with all its parts; commas between them, may be given more than once",
                |config, text| {
                    for path in text.split(',') {
                        config.sensitive_attributes.push(read::attribute(path.trim())?);
                    }
                    Ok(())
                },
            )
        },
        key(
            heading,
            "documentation_uri",
            "URL",
            "",
            "Where people read about this service provider, for /ServiceProviderConfig",
            set!(documentation_uri, |text| read::url(text).map(Some)),
        ),
    ]
}

fn limits() -> Vec<Key> {
    let heading = "Limits (sizes in bytes, also written 64KiB or 8MiB)";
    vec![
        Key {
            scope: SERVE | LOAD,
            ..key(
                heading,
                "max_body",
                "SIZE",
                "8MiB",
                "The largest request body, bulk requests aside, and the largest resource that a PATCH may make, its \
             members aside; more is 413",
                set!(limits.max_body, read::size),
            )
        },
        key(
            heading,
            "max_depth",
            "N",
            "32",
            "How deep JSON may nest, at most 120",
            set!(limits.max_depth, read::depth),
        ),
        Key {
            scope: SERVE | LOAD,
            ..key(
                heading,
                "max_string",
                "SIZE",
                "1MiB",
                "The longest string of a resource, base64 and references included; more is 400 invalidValue. What is \
             stored already stays",
                set!(limits.max_string, read::size),
            )
        },
        Key {
            scope: SERVE | LOAD,
            ..key(
                heading,
                "max_user_name",
                "SIZE",
                "1KiB",
                "The longest `userName`; more is 400 invalidValue",
                set!(limits.max_user_name, read::size),
            )
        },
        Key {
            scope: SERVE | LOAD,
            ..key(
                heading,
                "max_password",
                "SIZE",
                "4KiB",
                "The longest `password`; more is 400 invalidValue",
                set!(limits.max_password, read::size),
            )
        },
        Key {
            scope: SERVE | FILTER,
            ..key(
                heading,
                "max_filter_length",
                "SIZE",
                "16KiB",
                "The longest filter in a URI, and the longest path of a PATCH operation",
                set!(limits.max_filter_length, read::size),
            )
        },
        key(
            heading,
            "max_search_filter_length",
            "SIZE",
            "256KiB",
            "The longest filter in the body of a POST to /.search, and at least `max_filter_length`: what does not fit \
             into a URI goes there",
            set!(limits.max_search_filter_length, read::size),
        ),
        Key {
            scope: SERVE | FILTER,
            ..key(
                heading,
                "max_filter_depth",
                "N",
                "64",
                "How deep parentheses and brackets of a filter or a PATCH path may nest, at most 256",
                set!(limits.max_filter_depth, read::filter_depth),
            )
        },
        Key {
            scope: SERVE | FILTER,
            ..key(
                heading,
                "max_filter_terms",
                "N",
                "1024",
                "How many attributes a filter, or the path of a PATCH operation, may test",
                set!(limits.max_filter_terms, read::positive),
            )
        },
        key(
            heading,
            "max_patch_operations",
            "N",
            "1000",
            "How many operations a PATCH may have; more is 413",
            set!(limits.max_patch_operations, read::positive),
        ),
        key(
            heading,
            "bulk_max_operations",
            "N",
            "1000",
            "How many operations a bulk request may have; more is 413",
            set!(limits.bulk_max_operations, read::positive),
        ),
        key(
            heading,
            "bulk_max_payload",
            "SIZE",
            "8MiB",
            "The largest bulk request; more is 413",
            set!(limits.bulk_max_payload, read::size),
        ),
        key(
            heading,
            "bulk_timeout",
            "TIME",
            "60",
            "How long the operations of a bulk request may take; those that have not begun by then are \
             answered 503 each, to be sent again",
            set!(limits.bulk_timeout, read::seconds),
        ),
        key(
            heading,
            "bulk_concurrent",
            "N",
            "4",
            "How many bulk requests of one credential are worked on at once, and how many of its PATCH and PUT requests \
             that change large resources; others wait, and more than 64 that wait are answered 429",
            set!(limits.bulk_concurrent, read::positive),
        ),
        key(
            heading,
            "max_work",
            "SIZE",
            "1024MiB",
            "How much work one request may cause, counted in the bytes that filters, PATCH, sorting and the \
             operations of a bulk request look at; 1024MiB are about a second of one processor. More is 400 \
             tooMany, and 503 for each operation of a bulk request that comes after, to be sent again",
            set!(limits.max_work, read::size),
        ),
        key(
            heading,
            "max_page_bytes",
            "SIZE",
            "64MiB",
            "How large a page may be, counting each resource as it is stored, with its members and groups and \
             without `meta` and references: it ends before the resource that would be too much, and \
             `itemsPerPage` says where the next one begins",
            set!(limits.max_page_bytes, read::size),
        ),
        key(
            heading,
            "query_timeout",
            "TIME",
            "30",
            "How long the store may work on one query before it is stopped and refused: 400 tooMany. Waiting for a \
             thread or for a connection to the database is not counted",
            set!(limits.query_timeout, read::seconds),
        ),
        key(
            heading,
            "credential_share",
            "N",
            "(three quarters of them)",
            "How many of the threads for scans (SQLite, which has 3) or of the connections to the database (PostgreSQL) \
             the requests of one credential may have at once; the others wait their turn, and are answered 429 if too \
             many wait already",
            set!(limits.credential_share, |text| read::positive(text).map(Some)),
        ),
        key(
            heading,
            "max_bytes_in_flight",
            "SIZE",
            "512MiB",
            "How many bytes of requests that are not complete and of answers that are not read may be held at a time, \
             in memory and in spooled groups; beyond that requests get 503. What is smaller than 64 KiB is not counted, \
             nor are the heads of requests (up to about 300 KiB for each connection, see `max_connections`)",
            set!(limits.max_bytes_in_flight, read::size),
        ),
        key(
            heading,
            "max_bytes_in_flight_per_credential",
            "SIZE",
            "128MiB",
            "How many of them one credential may hold, or one address where no credential is needed; beyond that its \
             requests get 429. One answer at a time is never refused for its size",
            set!(limits.max_bytes_in_flight_per_credential, read::size),
        ),
    ]
}

fn database() -> Vec<Key> {
    let heading = "PostgreSQL";
    vec![
        key(
            heading,
            "database_connections",
            "N",
            "16",
            "How many connections to the database are kept at most",
            set!(postgres.connections, read::positive),
        ),
        key(
            heading,
            "database_wait",
            "TIME",
            "5",
            "How long a request waits for one of them before it is answered 503",
            set!(postgres.wait, read::seconds),
        ),
        key(
            heading,
            "database_timeout",
            "TIME",
            "30",
            "How long one statement of a write or of a read by id may take before it is stopped and the request \
             answered 503; a query is limited as a whole, by `query_timeout`",
            set!(postgres.timeout, read::seconds),
        ),
        Key {
            scope: SERVE | STORE | CHECK | LOAD,
            switch: true,
            ..key(
                heading,
                "database_prepare",
                "BOOL",
                "true",
                "Whether statements are prepared once for each connection; `false` behind a pooler of \
                 transactions that does not follow them, such as pgbouncer before 1.21",
                set!(postgres.prepare, read::boolean),
            )
        },
    ]
}

fn operation() -> Vec<Key> {
    let heading = "Operation";
    vec![
        key(
            heading,
            "worker_threads",
            "N",
            "(one for each core)",
            "How many threads answer requests",
            set!(worker_threads, read::threads),
        ),
        key(
            heading,
            "max_connections",
            "N",
            "4096",
            "How many connections are served at a time. A new one beyond that takes the place of an idle one; if there \
             is none, health checks are answered on it and everything else gets 503. The last quarter is kept for \
             addresses that hold few, unless `max_connections_per_address` is as large. Fewer are served if the process may \
             not open as many files, which a line at the start says",
            set!(max_connections, read::positive),
        ),
        key(
            heading,
            "max_connections_per_address",
            "N",
            "(half of `max_connections`, all of them with `trust_forwarded`)",
            "How many of them one client address (of IPv6 one /64 network) may have; beyond that requests get 429. \
             Behind a proxy all connections come from its address: without `trust_forwarded` set it to \
             `max_connections` there, and limit clients at the proxy",
            set!(max_connections_per_address, |text| read::positive(text).map(Some)),
        ),
        key(
            heading,
            "request_timeout",
            "TIME",
            "60",
            "How long the head, and then the body, of a request may take to arrive",
            set!(request_timeout, read::seconds),
        ),
        key(
            heading,
            "send_timeout",
            "TIME",
            "60",
            "How long a client may take no byte of an answer that waits for it before its connection is closed; a client \
             that reads slowly is served",
            set!(send_timeout, read::seconds),
        ),
        key(
            heading,
            "shutdown_timeout",
            "TIME",
            "30",
            "How long accepted requests may take to finish after SIGTERM or Ctrl-C",
            set!(shutdown_timeout, read::seconds),
        ),
        Key {
            scope: SERVE | STORE | CHECK | LOAD,
            ..key(
                heading,
                "log",
                "LEVEL",
                "warn",
                "What is logged to standard error: `error`, `warn`, `info`, `debug`, `trace`, or a list such \
                 as `warn,scim2=debug`",
                set!(log, read::log),
            )
        },
        Key {
            scope: SERVE | STORE | CHECK | LOAD,
            ..key(
                heading,
                "log_format",
                "FORMAT",
                "text",
                "How log lines look: `text` or `json`",
                set!(log_format, |text| {
                    read::one_of(text, &[("text", LogFormat::Text), ("json", LogFormat::Json)])
                }),
            )
        },
        Key {
            scope: SERVE | STORE | CHECK | LOAD,
            ..key(
                heading,
                "audit_key_file",
                "FILE",
                "",
                "A file with a key for the hashes of the audit log, 32 or more characters on a line, such as \
                 `openssl rand -hex 32` makes. Keep it where those who can write the store or its backups cannot \
                 read it. New rows use the last line; earlier lines are keys of before. Without it a key in the \
                 store is used",
                set!(audit_keys, read::audit_keys),
            )
        },
        key(
            heading,
            "audit_head_interval",
            "TIME",
            "3600",
            "How often the length of the audit log and the hash of its last row are logged, whatever `log` says, for \
             `scim2 fsck --head`; also at start and stop. 0 for never",
            set!(audit_head_interval, read::seconds_or_never),
        ),
        switched(
            heading,
            "explain_queries",
            "Whether each query is logged with its plan: the statement the database gets, without the values it \
             compares with, what is left to the evaluator, how many rows came back and how many match",
            set!(explain_queries, read::boolean),
        ),
    ]
}

fn key(
    heading: &'static str,
    name: &str,
    value_name: &'static str,
    default: &str,
    help: &str,
    set: Set,
) -> Key {
    Key {
        name: name.to_owned(),
        flag: name.replace('_', "-"),
        value_name,
        help: help.to_owned(),
        default: default.to_owned(),
        heading,
        scope: SERVE,
        switch: false,
        many: false,
        apply: Apply::Set(set),
    }
}

fn switched(heading: &'static str, name: &str, help: &str, set: Set) -> Key {
    Key { switch: true, ..key(heading, name, "BOOL", "false", help, set) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_key_has_a_name_of_its_own() {
        let names: HashSet<_> = KEYS.iter().map(|key| key.name.as_str()).collect();
        assert_eq!(names.len(), KEYS.len());
    }

    #[test]
    fn the_defaults_of_the_help_text_are_the_defaults() {
        let mut config = Config::default();
        // A default with spaces is a sentence that nobody can type as a value.
        let said = |key: &&Key| !key.default.is_empty() && !key.default.contains(' ');
        for key in KEYS.iter().filter(said) {
            assert_eq!(key.apply(&mut config, &key.default), Ok(()), "{}", key.name);
        }
        assert_eq!(config.compat(), Config::default().compat());
        config.mode = None;
        config.quirks.clear();
        assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
    }

    /// The page for operators is made from this table; `SCIM2_WRITE_DOCS=1 cargo test -p scim2-cli` writes it.
    #[test]
    fn the_page_for_operators_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        let page = std::fs::read_to_string(path).unwrap();
        let (prose, _) = page.split_once("\n## ").unwrap();
        let mut wanted = prose.to_owned();
        let mut heading = "";
        for key in KEYS.iter() {
            if key.heading != heading {
                heading = key.heading;
                wanted.push_str(&format!(
                    "\n## {heading}\n\n| key | default | what it does |\n|---|---|---|\n"
                ));
            }
            let help = key.help.replace('|', "\\|");
            wanted.push_str(&format!("| `{}` | {} | {help} |\n", key.name, key.default));
        }
        if std::env::var_os("SCIM2_WRITE_DOCS").is_some() {
            std::fs::write(path, &wanted).unwrap();
        }
        assert_eq!(page, wanted, "SCIM2_WRITE_DOCS=1 writes it");
    }

    #[test]
    fn one_rule_makes_the_three_names() {
        let key = find("patch_response").unwrap();
        assert_eq!((key.flag.as_str(), key.variable().as_str()), ("patch-response", "SCIM2_PATCH_RESPONSE"));
        assert_eq!(find("string_bool").unwrap().variable(), "SCIM2_STRING_BOOL");
    }
}
