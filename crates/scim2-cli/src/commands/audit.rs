//! `scim2 audit`: who changed what and when.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::Utc;
use scim2_core::{Compat, CompiledType, Object, Registry, Value};
use scim2_filter::{CompiledFilter, FilterParser};
use scim2_server::TenantId;
use scim2_store::AuditRecord;

use crate::args::{AuditArgs, DONE};
use crate::commands::{configured, print, print_json, time};
use crate::config::Config;
use crate::failure::{Failure, Outcome, say};
use crate::store::{self, OPERATOR};
use crate::terminal::Shown;

/// An entry of the audit log as SCIM sees it, so that it can be filtered.
const SCHEMA: &str = include_str!("audit/schema.json");

pub(crate) async fn run(args: &AuditArgs) -> Outcome {
    let config = configured(&args.settings)?;
    if args.adopt_key {
        return adopt_key(&config).await;
    }
    let filter = args.filter.as_deref().map(compile).transpose()?;
    let admin = store::admin(&config).await?;
    if args.head {
        for head in admin.audit_heads().await.map_err(Failure::run)? {
            if !print(head)? {
                break;
            }
        }
        return DONE;
    }
    let tenant = TenantId::default();

    let show = |entry: &Object| if args.json { print_json(as_json(entry)) } else { print(as_line(entry)) };
    let mut newest = VecDeque::new();
    let mut outcome = Ok(true);
    admin
        .audit(&tenant, 0, |record| {
            let entry = entry(&record, &tenant);
            if !filter.as_ref().is_none_or(|filter| filter.matches(&entry)) {
                return true;
            }
            match args.limit {
                None => outcome = show(&entry),
                Some(0) => {}
                Some(limit) => {
                    if newest.len() == limit {
                        newest.pop_front();
                    }
                    newest.push_back(entry);
                }
            }
            matches!(outcome, Ok(true))
        })
        .await
        .map_err(Failure::run)?;
    outcome?;
    for entry in &newest {
        if !show(entry)? {
            break;
        }
    }
    DONE
}

/// Prints the heads before, each on a line.
async fn adopt_key(config: &Config) -> Outcome {
    if config.audit_keys.is_empty() {
        return Err(Failure::usage(
            "`--adopt-key`: there is no key to adopt; give its file as `--audit-key-file`",
        ));
    }
    let admin = store::admin(config).await?;
    let request = format!("adopt-key-{}", uuid::Uuid::now_v7());
    let adopted = admin.adopt_audit_key(OPERATOR, &request, Utc::now()).await;
    let heads = adopted.map_err(|error| store::refused(config, &error))?;
    if heads.is_empty() {
        say("no audit log is hashed with the store's own key: there is nothing to do");
        return DONE;
    }
    for head in &heads {
        print(head)?;
    }
    say(
        "these were the heads of the audit logs; from here on they are hashed with the key of `audit_key_file`: \
         keep that file, servers do not start without it",
    );
    DONE
}

fn compile(text: &str) -> Result<CompiledFilter, Failure> {
    let filter = FilterParser::new().parse(text).map_err(|error| Failure::drawn(format!("{error:#}")))?;
    let resource_type = resource_type().map_err(Failure::run)?;
    CompiledFilter::new(&filter, &resource_type, Compat::strict()).map_err(Failure::usage)
}

fn resource_type() -> Result<Arc<CompiledType>, String> {
    let schema: scim2_core::schema::Schema =
        serde_json::from_str(SCHEMA).map_err(|error| error.to_string())?;
    let entry = scim2_core::schema::ResourceType::new("AuditEntry", "/AuditEntries", schema.id.clone());
    let registry = Registry::with(vec![schema], vec![entry]).map_err(|error| error.to_string())?;
    registry.resource_types().next().cloned().ok_or_else(|| "no resource type".to_owned())
}

/// Empty fields are left out: in SCIM they are unassigned.
fn entry(record: &AuditRecord, tenant: &TenantId) -> Object {
    let mut entry = Object::new();
    let mut put = |name: &str, value: Value| {
        if value.as_str() != Some("") && !value.is_unassigned() {
            entry.insert(name, value);
        }
    };
    put("number", Value::from(record.seq));
    put("time", Value::from(time(record.at)));
    put("actor", Value::from(record.actor.as_str()));
    put("operation", Value::from(record.action.as_str()));
    put("resourceType", Value::from(record.resource_type.as_str()));
    put("resourceId", Value::from(record.resource_id.as_str()));
    put("version", Value::from(record.version.as_str()));
    put("changed", Value::Array(record.changed.iter().map(|path| Value::from(path.as_str())).collect()));
    put("requestId", Value::from(record.request_id.as_str()));
    put("tenant", Value::from(tenant.as_str()));
    put("hash", Value::from(record.hash.as_str()));
    entry
}

fn as_json(entry: &Object) -> String {
    // An object of texts and numbers always has a JSON form.
    serde_json::to_string(entry).unwrap_or_default()
}

/// `2026-11-22T08:00:00.000Z  okta  modify  User 0192…  active, name.givenName`
fn as_line(entry: &Object) -> String {
    let text = |name: &str| Shown(entry.get_str(name).unwrap_or("-"));
    let changed: Vec<_> = entry.get("changed").map(Value::values).into_iter().flatten().collect();
    let changed: Vec<_> = changed.iter().filter_map(|path| path.as_str()).collect();
    let line = format!(
        "{:24}  {:12}  {:12}  {} {}  {}",
        text("time"),
        text("operation"),
        text("actor"),
        text("resourceType"),
        text("resourceId"),
        Shown(changed.join(", "))
    );
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_filtered_by_all_that_it_holds() {
        let mut entry = Object::new();
        entry.insert("number", Value::from(7_u64));
        entry.insert("time", Value::from("2026-11-22T08:00:00.000Z"));
        entry.insert("resourceType", Value::from("User"));
        entry.insert("operation", Value::from("modify"));
        entry.insert("changed", Value::Array(vec![Value::from("active"), Value::from("name.givenName")]));
        for (filter, matches) in [
            (r#"resourceType eq "User" and operation ne "delete""#, true),
            (r#"time ge "2026-11-22T09:00:00+01:00""#, true),
            (r#"time lt "2026-11-22T08:00:00Z""#, false),
            (r#"changed eq "active""#, true),
            (r#"changed eq "title""#, false),
            ("number gt 6 and not (version pr)", true),
        ] {
            assert_eq!(compile(filter).unwrap().matches(&entry), matches, "{filter}");
        }
        assert!(compile(r#"userName eq "x""#).is_err());
        assert!(compile("number eq").unwrap_err().to_string().contains('^'));
    }

    #[test]
    fn a_line_shows_no_control_characters() {
        let mut entry = Object::new();
        entry.insert("actor", Value::from("a\u{1b}[31m\n\u{202e}"));
        let line = as_line(&entry);
        assert!(line.is_ascii() && line.lines().count() == 1 && !line.contains('\u{1b}'), "{line}");
    }
}
