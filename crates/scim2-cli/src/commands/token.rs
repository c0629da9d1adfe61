//! `scim2 token`: bearer tokens.

use chrono::{DateTime, TimeDelta, Utc};
use scim2_auth::TokenSecret;
use scim2_server::{Access, TenantId};
use scim2_store::Token;
use serde_json::json;

use crate::args::{DONE, TokenArgs, TokenCommand, TokenCreateArgs, TokenListArgs, TokenRevokeArgs};
use crate::commands::{configured, print, print_json, time};
use crate::config::StoreUrl;
use crate::failure::{Failure, Outcome, say};
use crate::store::{self, OPERATOR};
use crate::terminal::Shown;

pub(crate) async fn run(args: &TokenArgs) -> Outcome {
    match &args.command {
        TokenCommand::Create(args) => create(args).await,
        TokenCommand::List(args) => list(args).await,
        TokenCommand::Revoke(args) => revoke(args).await,
    }
}

/// The token alone goes to standard output, so that a script can catch it.
async fn create(args: &TokenCreateArgs) -> Outcome {
    let config = configured(&args.settings)?;
    let now = Utc::now();
    let name = args.name.trim();
    if name.is_empty() || Shown(name).to_string() != name || name.chars().count() > 100 {
        return Err(Failure::usage(
            "`--name`: expected 1 to 100 characters, none of them a control or invisible character",
        ));
    }
    let expires =
        args.expires.as_deref().map(|text| expiry(text, now)).transpose().map_err(Failure::usage)?;
    let access = if args.read_only { Access::Read } else { Access::Write };
    let secret = TokenSecret::generate().map_err(Failure::run)?;
    let token = store::new_token(name, &secret, access, expires);
    let is_new = matches!(&config.store, StoreUrl::Sqlite(path) if !path.exists());
    let admin = store::admin_or_create(&config).await?;
    admin.create_token(&token, OPERATOR, Utc::now()).await.map_err(Failure::run)?;
    let until =
        expires.map_or_else(|| "does not expire".to_owned(), |expires| format!("until {}", time(expires)));
    let store = config.store.absolute();
    if is_new {
        say(format_args!(
            "the store {store} is new; a server refuses the token unless it is started with this --store"
        ));
    }
    say(format_args!(
        "token {} `{name}`, {}, {until}; it is shown this once:",
        token.id,
        access_name(access)
    ));
    print(secret.reveal())?;
    DONE
}

async fn list(args: &TokenListArgs) -> Outcome {
    let config = configured(&args.settings)?;
    let tokens = store::admin(&config).await?.tokens(None).await.map_err(Failure::run)?;
    let now = Utc::now();
    if !args.json {
        print(format_args!(
            "{:36}  {:7}  {:10}  {:24}  {:24}  {:24}  NAME",
            "ID", "STATE", "ACCESS", "CREATED", "EXPIRES", "LAST USED"
        ))?;
    }
    for token in tokens {
        let more = if args.json { print_json(as_json(&token, now)) } else { print(as_row(&token, now)) };
        if !more? {
            break;
        }
    }
    DONE
}

fn as_row(token: &Token, now: DateTime<Utc>) -> String {
    let when = |instant: Option<DateTime<Utc>>| instant.map_or_else(|| "-".to_owned(), time);
    format!(
        "{:36}  {:7}  {:10}  {:24}  {:24}  {:24}  {}",
        Shown(&token.id),
        state(token, now),
        access_name(token.access),
        time(token.created),
        when(token.expires),
        when(token.last_used),
        Shown(&token.name)
    )
}

fn as_json(token: &Token, now: DateTime<Utc>) -> serde_json::Value {
    json!({
        "id": token.id,
        "name": &*token.name,
        "state": state(token, now),
        "access": access_name(token.access),
        "created": time(token.created),
        "expires": token.expires.map(time),
        "lastUsed": token.last_used.map(time),
        "revoked": token.revoked.map(time),
        "tenant": token.tenant.as_str(),
    })
}

async fn revoke(args: &TokenRevokeArgs) -> Outcome {
    let config = configured(&args.settings)?;
    let admin = store::admin(&config).await?;
    let tokens = admin.tokens(None).await.map_err(Failure::run)?;
    let id = chosen(&tokens, &args.token).map_err(Failure::run)?;
    let revoked = admin.revoke_token(&TenantId::default(), &id, OPERATOR, Utc::now()).await;
    if !revoked.map_err(Failure::run)? {
        return Err(Failure::run(format!("token {id} is revoked already")));
    }
    say(format_args!("token {id} is revoked; a running server refuses it after a second at the latest"));
    DONE
}

/// The id, or the id of the only token of that name that is not revoked.
fn chosen(tokens: &[Token], wanted: &str) -> Result<String, String> {
    if let Some(token) = tokens.iter().find(|token| token.id == wanted) {
        return Ok(token.id.clone());
    }
    let mut named = tokens.iter().filter(|token| *token.name == *wanted && token.revoked.is_none());
    let is_known = tokens.iter().any(|token| *token.name == *wanted);
    let wanted = wanted.escape_debug();
    match (named.next(), named.next()) {
        (Some(token), None) => Ok(token.id.clone()),
        (Some(_), Some(_)) => Err(format!("more than one token is called `{wanted}`; give its id")),
        (None, _) if is_known => Err(format!("token `{wanted}` is revoked already")),
        (None, _) => Err(format!("there is no token `{wanted}`")),
    }
}

fn state(token: &Token, now: DateTime<Utc>) -> &'static str {
    match token.revoked {
        Some(_) => "revoked",
        None if token.is_valid(now) => "valid",
        None => "expired",
    }
}

fn access_name(access: Access) -> &'static str {
    match access {
        Access::Write => "read-write",
        _ => "read-only",
    }
}

/// A dateTime, or a number and `s`, `m`, `h` or `d` from now.
fn expiry(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let instant = match DateTime::parse_from_rfc3339(text) {
        Ok(instant) => Some(instant.to_utc()),
        Err(_) => span(text).and_then(|span| now.checked_add_signed(span)),
    };
    match instant {
        Some(instant) if instant > now => Ok(instant),
        Some(_) => Err("`--expires`: expected a time to come".to_owned()),
        None => Err(format!(
            "`--expires`: expected a dateTime such as 2027-01-31T00:00:00Z or a time from now such as 90d, \
             found `{}`",
            text.escape_debug()
        )),
    }
}

fn span(text: &str) -> Option<TimeDelta> {
    let unit = text.chars().next_back()?;
    let number: i64 = text.strip_suffix(unit)?.parse().ok()?;
    match unit {
        's' => TimeDelta::try_seconds(number),
        'm' => TimeDelta::try_minutes(number),
        'h' => TimeDelta::try_hours(number),
        'd' => TimeDelta::try_days(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_is_an_instant_or_a_time_from_now() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(expiry("90d", now).unwrap().timestamp(), 90 * 86_400);
        assert_eq!(expiry("12h", now).unwrap().timestamp(), 12 * 3600);
        assert_eq!(expiry("1970-01-01T01:00:10+01:00", now).unwrap().timestamp(), 10);
        assert_eq!(expiry("0s", now).unwrap_err(), "`--expires`: expected a time to come");
        for bad in
            ["", "90", "d", "9y", "tomorrow", "99999999999999999999d", "9223372036854775807d", "1970-01-01"]
        {
            assert!(expiry(bad, now).unwrap_err().contains("expected a dateTime"), "{bad}");
        }
    }
}
