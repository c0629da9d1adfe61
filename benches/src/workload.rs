//! The workloads: the lines of the table in docs/performance.md.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::ValueEnum;
use http::Method;
use serde_json::{Value, json};

use crate::Result;
use crate::directory::{Directory, external_id, group_name, user_body, user_name};
use crate::load::Make;
use crate::target::Target;

/// How many ids are looked up if the server chose them, spread evenly over the directory.
const IDS: u64 = 50_000;

/// A workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// GET /Users/{id}
    Get,
    /// filter=userName eq
    FilterUserName,
    /// filter=externalId eq
    FilterExternalId,
    /// filter=emails[type eq "work"].value eq
    FilterEmail,
    /// POST /Users, with names and numbers in random order
    Post,
    /// POST /Users, with names and numbers in ascending order
    PostInOrder,
    /// PATCH active of a user
    PatchActive,
    /// PATCH that adds a member to the smallest group and takes it away again
    MemberSmall,
    /// PATCH that adds a member to the largest group and takes it away again
    MemberLarge,
    /// PUT of a group with one member changed, up to 10 000 members
    PutGroup,
    /// The first page of 100
    ListFirst,
    /// The last page of 100
    ListLast,
    /// Pages of 100 by cursor, one after the other
    ListCursor,
    /// Page 10 000 of 100 by cursor, or the last page; the pages before it are read first and not counted
    ListDeep,
    /// A page of 100 at a random startIndex
    ListJump,
    /// filter=nickName co, which is in no index
    Contains,
    /// 70 % GET, 15 % filters, 10 % PATCH active, 5 % members
    Mixed,
}

impl Workload {
    /// The name on the command line and in reports.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// The ids of the directory's users.
#[derive(Clone)]
enum Ids {
    /// All ids, computed from the seed.
    Seeded(Directory),
    /// Some ids that the server chose.
    Listed(Arc<[String]>),
}

impl Ids {
    fn of(target: &Target, directory: Directory) -> Result<Self> {
        Ok(if target.has_ids_of(directory)? {
            Self::Seeded(directory)
        } else {
            Self::Listed(target.user_ids(directory, IDS.min(directory.users))?.into())
        })
    }

    fn len(&self) -> u64 {
        match self {
            Self::Seeded(directory) => directory.users,
            Self::Listed(ids) => ids.len() as u64,
        }
    }

    /// The id for a number; any number has one.
    fn pick(&self, at: u64) -> String {
        let at = at % self.len().max(1);
        match self {
            Self::Seeded(directory) => directory.user_id(at),
            Self::Listed(ids) => {
                usize::try_from(at).ok().and_then(|at| ids.get(at)).cloned().unwrap_or_default()
            }
        }
    }

    /// The id for a number, counted from the end.
    fn pick_back(&self, at: u64) -> String {
        let length = self.len().max(1);
        self.pick(length - 1 - at % length)
    }
}

/// What the workloads need to know about the directory.
pub(crate) struct Known {
    target: Target,
    directory: Directory,
    ids: Ids,
    groups: Vec<u64>,
    /// The number of the next new user, which no other run has used.
    next: Arc<AtomicU64>,
}

impl Known {
    pub(crate) fn new(target: Target, directory: Directory, groups: &[u64], stamp: u64) -> Result<Self> {
        let ids = Ids::of(&target, directory)?;
        let mut groups = groups.to_vec();
        groups.sort_unstable();
        Ok(Self { target, directory, ids, groups, next: Arc::new(AtomicU64::new(stamp)) })
    }

    /// The generator of a workload's requests.
    pub(crate) fn make(&self, workload: Workload) -> Result<Arc<Make>> {
        let (target, ids, users) = (self.target.clone(), self.ids.clone(), self.directory.users);
        let by_filter = {
            let target = target.clone();
            move |filter: String| target.get(&format!("/Users?filter={filter}"))
        };
        let patch_active = {
            let (target, ids) = (target.clone(), ids.clone());
            move |at: u64, active: bool| {
                let operation = json!({ "op": "replace", "path": "active", "value": active });
                target.request(Method::PATCH, &format!("/Users/{}", ids.pick(at)), patch(&operation))
            }
        };
        Ok(match workload {
            Workload::Get => {
                Arc::new(move |random, _| target.get(&format!("/Users/{}", ids.pick(random.next()))))
            }
            Workload::FilterUserName => {
                Arc::new(move |random, _| by_filter(eq("userName", &user_name(random.below(users)))))
            }
            Workload::FilterExternalId => {
                Arc::new(move |random, _| by_filter(eq("externalId", &external_id(random.below(users)))))
            }
            Workload::FilterEmail => Arc::new(move |random, _| {
                by_filter(eq("emails%5Btype%20eq%20%22work%22%5D.value", &user_name(random.below(users))))
            }),
            Workload::Post => self.post(scattered),
            Workload::PostInOrder => self.post(|number| number),
            Workload::PatchActive => {
                Arc::new(move |random, sequence| patch_active(random.next(), sequence % 2 == 0))
            }
            Workload::MemberSmall => self.members(self.groups.first())?,
            Workload::MemberLarge => self.members(self.groups.last())?,
            Workload::PutGroup => self.put_group()?,
            Workload::ListFirst => Arc::new(move |_, _| target.get("/Users?count=100&startIndex=1")),
            Workload::ListLast => {
                let start = users.saturating_sub(99).max(1);
                Arc::new(move |_, _| target.get(&format!("/Users?count=100&startIndex={start}")))
            }
            Workload::ListCursor => self.cursors()?,
            Workload::ListDeep => self.deep()?,
            Workload::ListJump => Arc::new(move |random, _| {
                target.get(&format!("/Users?count=100&startIndex={}", 1 + random.below(users.max(1))))
            }),
            Workload::Contains => {
                Arc::new(move |_, _| by_filter("nickName%20co%20%22zz%22&count=1".to_owned()))
            }
            Workload::Mixed => {
                let member = self.members(self.groups.last())?;
                Arc::new(move |random, sequence| match random.below(100) {
                    0..70 => target.get(&format!("/Users/{}", ids.pick(random.next()))),
                    70..85 => by_filter(eq("userName", &user_name(random.below(users)))),
                    85..95 => patch_active(random.next(), sequence % 2 == 0),
                    _ => member(random, sequence),
                })
            }
        })
    }

    /// Creates users. `place` maps each number to another one.
    fn post(&self, place: fn(u64) -> u64) -> Arc<Make> {
        let (target, next) = (self.target.clone(), Arc::clone(&self.next));
        Arc::new(move |_, _| {
            let number = place(next.fetch_add(1, Ordering::Relaxed));
            target.request(Method::POST, "/Users", user_body(number).to_string())
        })
    }

    /// Adds a member and removes it again. These members are not among those that the group was made with.
    fn members(&self, size: Option<&u64>) -> Result<Arc<Make>> {
        let size = size.ok_or("the workload needs a group; give --groups as `seed` had them")?;
        let target = self.target.clone();
        let group = self.target.group_id(&group_name(*size))?;
        // Each connection changes members of its own, so that each request has something to do.
        let ids = self.ids.clone();
        Ok(Arc::new(move |_, sequence| {
            let (connection, turn) = (sequence >> 40, sequence & 0xff_ffff_ffff);
            let id = ids.pick_back(connection * 61 + turn / 2 % 61);
            let operation = if turn % 2 == 1 {
                json!({ "op": "add", "path": "members", "value": [{ "value": id }] })
            } else {
                json!({ "op": "remove", "path": format!("members[value eq \"{id}\"]") })
            };
            target.request(Method::PATCH, &format!("/Groups/{group}"), patch(&operation))
        }))
    }

    /// Replaces a group of 10 000 members, or the largest group below that, with one member changed.
    fn put_group(&self) -> Result<Arc<Make>> {
        let size = self.groups.iter().rev().find(|size| **size <= 10_000);
        let size =
            size.ok_or("the workload needs a group of at most 10 000; give --groups as `seed` had them")?;
        let target = self.target.clone();
        let group = self.target.group_id(&group_name(*size))?;
        let mut body = self.target.json(&format!("/Groups/{group}"))?;
        let ids = self.ids.clone();
        let members =
            body.get_mut("members").and_then(Value::as_array_mut).ok_or("the group has no members")?;
        members.pop();
        let rest = serde_json::to_string(&members)?;
        let rest = rest.trim_end_matches(']').to_owned();
        let name = group_name(*size);
        let turn = AtomicU64::new(0);
        Ok(Arc::new(move |_, _| {
            let id = ids.pick_back(turn.fetch_add(1, Ordering::Relaxed) % 64);
            let body = format!(
                r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"{name}","members":{rest},{{"value":"{id}"}}]}}"#
            );
            target.request(Method::PUT, &format!("/Groups/{group}"), body)
        }))
    }

    /// The targets of the first pages by cursor.
    fn walk(&self, pages: usize) -> Result<Vec<String>> {
        let mut targets = vec!["/Users?count=100&cursor".to_owned()];
        while targets.len() < pages {
            let last = targets.last().map_or("", String::as_str);
            let page = self.target.json(last)?;
            match page.get("nextCursor").and_then(Value::as_str) {
                Some(cursor) => targets.push(format!("/Users?count=100&cursor={cursor}")),
                None if targets.len() == 1 => return Err("the server gives no cursors".into()),
                None => break,
            }
        }
        Ok(targets)
    }

    /// The last of many pages by cursor.
    fn deep(&self) -> Result<Arc<Make>> {
        let target = self.target.clone();
        let last = self.walk(10_000)?.pop().unwrap_or_default();
        Ok(Arc::new(move |_, _| target.get(&last)))
    }

    /// The first pages by cursor, in turn.
    fn cursors(&self) -> Result<Arc<Make>> {
        let target = self.target.clone();
        let targets = self.walk(256)?;
        let turn = AtomicU64::new(0);
        Ok(Arc::new(move |_, _| {
            let at = turn.fetch_add(1, Ordering::Relaxed) % targets.len().max(1) as u64;
            target.get(usize::try_from(at).ok().and_then(|at| targets.get(at)).map_or("", String::as_str))
        }))
    }
}

/// Maps each number to another one, in random order. An odd factor maps different numbers to different numbers.
pub(crate) fn scattered(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn eq(path: &str, value: &str) -> String {
    format!("{path}%20eq%20%22{value}%22")
}

fn patch(operation: &Value) -> String {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation] })
        .to_string()
}
