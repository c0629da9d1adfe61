//! Values as a person writes them. Every error says what was expected; the caller says where.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use scim2_store::{AuditKeys, PostgresOptions};
use url::Url;

use super::StoreUrl;
use crate::failure::say;
use crate::store::folders::is_folder_name;
use crate::terminal::Shown;

type Read<T> = Result<T, String>;

pub(super) fn boolean(text: &str) -> Read<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(format!("expected `true` or `false`, found `{}`", cut(text))),
    }
}

pub(super) fn one_of<T: Copy>(text: &str, choices: &[(&str, T)]) -> Read<T> {
    choices.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
        let names = match names.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => names.concat(),
        };
        format!("expected {names}, found `{}`", cut(text))
    })
}

pub(super) fn positive(text: &str) -> Read<usize> {
    in_range(text, 1, i32::MAX as usize)
}

/// The JSON reader recurses, so the depth has its bound.
pub(super) fn depth(text: &str) -> Read<usize> {
    in_range(text, 1, scim2_core::json::JsonReader::MAX_DEPTH)
}

pub(super) fn filter_depth(text: &str) -> Read<usize> {
    in_range(text, 0, scim2_filter::MAX_DEPTH_CEILING)
}

/// The most threads that may answer requests.
pub(super) const MAX_THREADS: usize = 1024;

pub(super) fn threads(text: &str) -> Read<usize> {
    in_range(text, 1, MAX_THREADS)
}

/// A time from a second to a day.
pub(super) fn seconds(text: &str) -> Read<Duration> {
    duration(text, 86_400)
}

/// A time of whole seconds: a number alone, or with `s`, `m`, `h` or `d`.
pub(super) fn duration(text: &str, longest: u64) -> Read<Duration> {
    let text = text.trim();
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let factor = match unit.trim() {
        "" | "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3600),
        "d" => Some(86_400),
        _ => None,
    };
    let seconds =
        digits.parse::<u64>().ok().zip(factor).and_then(|(number, factor)| number.checked_mul(factor));
    seconds.filter(|seconds| (1..=longest).contains(seconds)).map(Duration::from_secs).ok_or_else(|| {
        format!(
            "expected a time from 1 to {longest} seconds such as 90, 90s, 5m or 1h, found `{}`",
            cut(text)
        )
    })
}

/// A time in seconds, as long as a 32-bit number of a client can hold.
pub(super) fn long_seconds(text: &str) -> Read<usize> {
    let longest = i32::MAX as u64;
    // INVARIANT: 31 bits fit.
    duration(text, longest).map(|time| usize::try_from(time.as_secs()).unwrap_or(usize::MAX))
}

/// Like [`seconds`]; 0 means never.
pub(super) fn seconds_or_never(text: &str) -> Read<Duration> {
    if text.trim() == "0" {
        return Ok(Duration::ZERO);
    }
    seconds(text).map_err(|error| error.replacen("expected a time", "expected 0 for never, or a time", 1))
}

/// The keys in a file of that name.
pub(super) fn audit_keys(path: &str) -> Read<AuditKeys> {
    let shown = Shown(path);
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("the key file `{shown}` cannot be read: {error}"))?;
    warn_if_others_read(Path::new(path), "a key");
    AuditKeys::parse(&text).map_err(|error| format!("the key file `{shown}`: {error}"))
}

/// Warns if every user of the machine can read a file that holds a secret.
pub(super) fn warn_if_others_read(path: &Path, secret: &str) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o004 != 0) {
            let shown = path.display();
            say(format_args!(
                "warning: `{shown}` holds {secret}, and every user of this machine can read it; `chmod o-r {shown}`"
            ));
        }
    }
    #[cfg(not(unix))]
    let _ = (path, secret);
}

fn in_range(text: &str, least: usize, most: usize) -> Read<usize> {
    text.parse()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| format!("expected a whole number from {least} to {most}, found `{}`", cut(text)))
}

/// Bytes, with an optional `KiB` or `MiB`.
pub(super) fn size(text: &str) -> Read<usize> {
    let lower = text.to_ascii_lowercase();
    let (digits, unit) = match lower.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => lower.split_at(at),
        None => (lower.as_str(), ""),
    };
    let factor = match unit.trim() {
        "" | "b" => Some(1_usize),
        "kib" => Some(1 << 10),
        "mib" => Some(1 << 20),
        _ => None,
    };
    digits
        .parse::<usize>()
        .ok()
        .zip(factor)
        .and_then(|(number, factor)| number.checked_mul(factor))
        .filter(|bytes| (1..=i32::MAX as usize).contains(bytes))
        .ok_or_else(|| format!("expected a size such as 8388608 or 8MiB, found `{}`", cut(text)))
}

pub(super) fn address(text: &str) -> Read<SocketAddr> {
    let text = text.strip_prefix("http://").unwrap_or(text);
    let named = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    named
        .as_deref()
        .unwrap_or(text)
        .parse()
        .map_err(|_| format!("expected an address and a port such as 127.0.0.1:8080, found `{}`", cut(text)))
}

pub(super) fn store(text: &str) -> Read<StoreUrl> {
    match text.split_once(':') {
        None if text == "memory" => Ok(StoreUrl::Memory),
        Some(("sqlite", path)) if !path.is_empty() => {
            // Other programs write an absolute path as `sqlite:///var/lib/scim2.db`.
            let path = path.strip_prefix("//").filter(|path| path.starts_with('/')).unwrap_or(path);
            if is_folder_name(Path::new(path)) {
                return Err(format!("expected the name of a file, found the folder `{}`", cut(path)));
            }
            Ok(StoreUrl::Sqlite(PathBuf::from(path)))
        }
        Some(("postgres" | "postgresql", _)) => match PostgresOptions::new(text) {
            Ok(options) => Ok(StoreUrl::Postgres(Box::new(options))),
            // The text may hold a password.
            Err(error) => Err(format!("expected `postgres://USER:PASSWORD@HOST/DATABASE`: {error}")),
        },
        _ => Err(format!(
            "expected `sqlite:PATH`, `postgres://USER@HOST/DATABASE` or `memory`, found `{}`",
            cut(text)
        )),
    }
}

pub(super) fn base_url(text: &str) -> Read<Url> {
    let fits = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.host().is_some()
            && url.query().is_none()
            && url.fragment().is_none()
            // RFC 7644 §7.1: no user name or password in URIs.
            && url.username().is_empty()
            && url.password().is_none()
    };
    Url::parse(text).ok().filter(fits).ok_or_else(|| {
        "expected an http or https URL without user, query and fragment, such as \
         https://scim.example.com/scim/v2"
            .to_owned()
    })
}

pub(super) fn url(text: &str) -> Read<Url> {
    let fits = |url: &Url| matches!(url.scheme(), "http" | "https") && url.host().is_some();
    let read = Url::parse(text).ok().filter(fits);
    read.ok_or_else(|| format!("expected an http or https URL, found `{}`", cut(text)))
}

/// The path of an attribute, whichever schema has it.
pub(super) fn attribute(text: &str) -> Read<String> {
    match scim2_filter::FilterParser::new().parse_attr_path(text) {
        Ok(path) => Ok(path.to_string()),
        Err(_) => {
            Err(format!("expected an attribute such as userName or emails.value, found `{}`", cut(text)))
        }
    }
}

/// A path with a leading and without a trailing slash; empty for the root.
pub(super) fn base_path(text: &str) -> Read<String> {
    let path = text.trim_end_matches('/');
    let fits = (path.is_empty() || path.starts_with('/'))
        && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte));
    fits.then(|| path.to_owned())
        .ok_or_else(|| format!("expected a path such as /scim/v2, found `{}`", cut(text)))
}

pub(super) fn log(text: &str) -> Read<String> {
    // `EnvFilter` would take a single unknown word for a module: log that at `trace`, and nothing else.
    let has_level = |directive: &str| {
        let level = ["off", "error", "warn", "info", "debug", "trace"];
        directive.contains(['=', '[', ':']) || level.iter().any(|known| known.eq_ignore_ascii_case(directive))
    };
    // A comma in brackets separates fields, not directives.
    let fits = text.contains('[') || text.split(',').all(|directive| has_level(directive.trim()));
    match tracing_subscriber::EnvFilter::try_new(text) {
        Ok(_) if fits => Ok(text.to_owned()),
        _ => Err(format!(
            "expected `error`, `warn`, `info`, `debug`, `trace` or a list such as `warn,scim2=debug`, found \
             `{}`",
            cut(text)
        )),
    }
}

/// Enough of a value to recognize it, without the user and password of a URL.
fn cut(text: &str) -> String {
    let text = without_user(text);
    let mut cut: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().count() > 60 {
        cut.push('…');
    }
    cut
}

/// The text without the user and password of a URL.
pub(super) fn without_user(text: &str) -> String {
    let hidden = text.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1)));
    hidden.map_or_else(|| text.to_owned(), |(scheme, rest)| format!("{scheme}://…@{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!(size("8388608"), Ok(8 << 20));
        assert_eq!(size("8MiB"), Ok(8 << 20));
        assert_eq!(size("16 kib"), Ok(16 << 10));
        for bad in ["", "0", "8MB", "-1", "99999999999999999999", "9999999MiB", "8 MiB x"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_have_units_and_bare_numbers_are_seconds() {
        for (text, expected) in
            [("60", 60), ("60s", 60), ("5m", 300), ("1h", 3600), ("1d", 86_400), (" 2 m ", 120)]
        {
            assert_eq!(seconds(text), Ok(Duration::from_secs(expected)), "{text}");
        }
        for bad in ["", "0", "0s", "-1", "1.5h", "1w", "m", "2d", "99999999999999999999d", "1h30m", "60 000"]
        {
            assert!(
                seconds(bad).is_err_and(|error| error.starts_with("expected a time from 1 to 86400")),
                "{bad}"
            );
        }
        assert_eq!(long_seconds("30d"), Ok(2_592_000));
        assert_eq!(seconds_or_never(" 0 "), Ok(Duration::ZERO));
        let error = seconds_or_never("2d").unwrap_err();
        assert!(error.starts_with("expected 0 for never, or a time from 1 to 86400"), "{error}");
    }

    #[test]
    fn store_is_a_url_or_memory() {
        assert_eq!(store("memory"), Ok(StoreUrl::Memory));
        assert_eq!(store("sqlite:a.db"), Ok(StoreUrl::Sqlite("a.db".into())));
        assert_eq!(store("sqlite:///a.db"), Ok(StoreUrl::Sqlite("/a.db".into())));
        let postgres = store("postgres://ada:secret@db.example.com/scim2").unwrap();
        assert_eq!(postgres.to_string(), "postgres://ada@db.example.com:5432/scim2");
        for bad in [
            "",
            "sqlite:",
            "sqlite:a/",
            "sqlite:/",
            "postgres://",
            "postgres://h/d?sslmode=always",
            "mysql://h/d",
            "/a.db",
        ] {
            assert!(store(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_urls_and_paths_are_checked() {
        assert_eq!(address("localhost:1").unwrap(), address("127.0.0.1:1").unwrap());
        assert!(address("8080").is_err() && address("127.0.0.1").is_err() && address("[::1]:80").is_ok());
        assert!(base_url("https://scim.example.com/scim/v2").is_ok());
        for bad in ["scim.example.com", "ftp://a/b", "https://u:p@a/b", "https://a/b?c", "https://a/#d"] {
            assert!(base_url(bad).is_err(), "{bad}");
        }
        assert_eq!(base_path("/scim/v2/").unwrap(), "/scim/v2");
        assert_eq!(base_path("/").unwrap(), "");
        assert!(base_path("scim").is_err() && base_path("/a?b").is_err());
    }

    #[test]
    fn unknown_log_level_is_refused() {
        for good in ["info", "WARN", "off", "warn,scim2=debug", "warn,hyper::proto=trace"] {
            assert_eq!(log(good).as_deref(), Ok(good));
        }
        for bad in ["", "foo", "inf", "warn,debgu", "scim2=loud"] {
            assert!(log(bad).is_err_and(|error| error.starts_with("expected `error`, `warn`")), "{bad}");
        }
    }

    #[test]
    fn errors_have_no_password_of_a_url() {
        for address in [
            "mysql://u:secretpw@h/db",
            "postgres://u:secretpw@tail@h/db",
            "postgres://u:secretpw/tail@h/db",
            "postgres://u:secretpw?tail@h/db",
            "postgres://u:secretpw/tail?x@h/db",
            "postgres://u:x#secretpw@h:port/db",
            "postgresql://u:secretpw@h:1:2/db",
            "https://u:secretpw@[h/",
        ] {
            for error in [
                store(address).unwrap_err(),
                url(&address.replacen("postgres", "x", 1)).err().unwrap_or_default(),
            ] {
                assert!(!error.contains("secretpw") && !error.contains("tail"), "{address}: {error}");
            }
        }
    }

    #[test]
    fn long_value_is_cut() {
        let error = boolean(&"x".repeat(1000)).unwrap_err();
        assert!(error.len() < 120, "{error}");
    }
}
