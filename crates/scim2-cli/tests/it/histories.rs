//! 64 clients use the same resources at once, and get answers that one client after the other could have got.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

use scim2_testkit::http::{Answer, Endpoint, encode};
use scim2_testkit::postgres::Database;
use serde_json::{Value, json};

use crate::binary::expect;
use crate::crash;
use crate::harness::launch;

mod linear;

use linear::{Event, Model, Moments, explain};

const CLIENTS: usize = 64;

/// How often each client does something with each of the three.
const ROUNDS: usize = 4;

/// What comes and goes as a member.
const MEMBERS: usize = 5;

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

#[test]
fn one_history_explains_all_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let launch = launch(&folder);
    let server = launch.start().expect("the server starts");
    have_one_history(&[server.endpoint().clone()]);
    crash::fsck(&launch);
}

#[test]
fn one_history_explains_all_answers_over_postgres() {
    over_postgres(1);
}

#[test]
fn one_history_explains_all_answers_of_three_nodes() {
    over_postgres(3);
}

fn over_postgres(nodes: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(database) = Database::create().expect("a database") else { return };
    let launch = launch(&folder).store_at(database.url());
    let nodes: Vec<_> = (0..nodes).map(|_| launch.start().expect("a node starts")).collect();
    let endpoints: Vec<Endpoint> = nodes.iter().map(|node| node.endpoint().clone()).collect();
    have_one_history(&endpoints);
    crash::fsck(&launch);
}

/// Has all clients work at once on a name, on a user and on a group, each at a node of its own.
fn have_one_history(nodes: &[Endpoint]) {
    let user = |name: &str| Some(json!({"userName": name, "title": "0"}));
    let id = |created: Value| created["id"].as_str().expect("an id").to_owned();
    let first = &nodes[0];
    let counted = id(expect(first, 201, "POST", "/Users", user("counted")));
    let members: Vec<String> = (0..MEMBERS)
        .map(|number| id(expect(first, 201, "POST", "/Users", user(&format!("member{number}")))))
        .collect();
    let group = id(expect(first, 201, "POST", "/Groups", Some(json!({"displayName": "All"}))));
    let (counted, group) = (format!("/Users/{counted}"), format!("/Groups/{group}"));
    let begin = |path: &str| version(&first.call("GET", path, None).expect("an answer"));
    let (counted_begin, group_begin) = (begin(&counted), begin(&group));

    let (moments, barrier) = (Moments::default(), Barrier::new(CLIENTS));
    let (mut names, mut counts, mut groups) = (Vec::new(), Vec::new(), Vec::new());
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let client = Client { node: &nodes[number % nodes.len()], moments: &moments };
                let (barrier, counted, group, members) = (&barrier, &counted, &group, &members);
                scope.spawn(move || {
                    let (mut names, mut counts, mut groups) = (Vec::new(), Vec::new(), Vec::new());
                    for round in 0..ROUNDS {
                        // All have read the same before the first writes.
                        counts.push(client.read_count(counted));
                        if round == 0 {
                            barrier.wait();
                        }
                        let seen = counts.last().map(|event| event.what.clone());
                        counts.extend(seen.map(|seen| client.count_on(counted, seen)));
                        client.change_name(number + round, &mut names);
                        let who = (number * 7 + round * 3) % MEMBERS;
                        groups.push(client.change_member(
                            group,
                            &members[who],
                            who,
                            (number + round).is_multiple_of(2),
                        ));
                        groups.push(client.read_members(group, members));
                    }
                    (names, counts, groups)
                })
            })
            .collect();
        for client in clients {
            let (name, count, group) = client.join().expect("no panic");
            names.extend(name);
            counts.extend(count);
            groups.extend(group);
        }
    });
    // They were in each other's way.
    let taken = names.iter().filter(|event| matches!(event.what, OfName::Taken)).count();
    let refused = counts.iter().filter(|event| matches!(event.what, OfCount::Refused(_))).count();
    assert!(taken > 0 && refused > 0, "{taken} {refused}");
    explain(Holder(None), &names).unwrap_or_else(|end| panic!("the user name: {end}"));
    explain(Count { version: counted_begin, number: 0 }, &counts)
        .unwrap_or_else(|end| panic!("the user: {end}"));
    let begin = Members { version: group_begin, who: BTreeSet::new() };
    explain(begin, &groups).unwrap_or_else(|end| panic!("the group: {end}"));
}

/// The id of the user that has a user name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Holder(Option<String>);

#[derive(Debug, Clone)]
enum OfName {
    Created(String),
    /// It could not be created.
    Taken,
    /// What a filter found.
    Found(Option<String>),
    Deleted(String),
    /// It was deleted already.
    Gone(String),
}

impl Model for Holder {
    type Operation = OfName;

    fn after(&self, operation: &OfName) -> Option<Self> {
        let Self(holder) = self;
        match operation {
            OfName::Created(id) => holder.is_none().then(|| Self(Some(id.clone()))),
            OfName::Taken => holder.is_some().then(|| self.clone()),
            OfName::Found(found) => (holder == found).then(|| self.clone()),
            OfName::Deleted(id) => (holder.as_ref() == Some(id)).then_some(Self(None)),
            OfName::Gone(id) => (holder.as_ref() != Some(id)).then(|| self.clone()),
        }
    }
}

/// A number that each write makes one more, if it is what the writer has read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Count {
    version: u64,
    number: u64,
}

#[derive(Debug, Clone)]
enum OfCount {
    Read(Count),
    /// From what was read, what it became.
    Written(Count, Count),
    /// With that version.
    Refused(u64),
}

impl Model for Count {
    type Operation = OfCount;

    fn after(&self, operation: &OfCount) -> Option<Self> {
        match operation {
            OfCount::Read(read) => (self == read).then(|| self.clone()),
            OfCount::Written(from, to) => (self == from && to.version != from.version).then(|| to.clone()),
            OfCount::Refused(version) => (self.version != *version).then(|| self.clone()),
        }
    }
}

/// The members of the group. Each change has a version, one more than the version before.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Members {
    version: u64,
    who: BTreeSet<usize>,
}

#[derive(Debug, Clone)]
enum OfMembers {
    Read(Members),
    Added(usize, u64),
    Removed(usize, u64),
}

impl Model for Members {
    type Operation = OfMembers;

    fn after(&self, operation: &OfMembers) -> Option<Self> {
        let mut who = self.who.clone();
        let (changed, version) = match operation {
            OfMembers::Read(read) => return (self == read).then(|| self.clone()),
            OfMembers::Added(one, version) => (who.insert(*one), *version),
            OfMembers::Removed(one, version) => (who.remove(one), *version),
        };
        (version == self.version + u64::from(changed)).then_some(Self { version, who })
    }
}

/// Somebody who asks a node, and notes when.
struct Client<'t> {
    node: &'t Endpoint,
    moments: &'t Moments,
}

impl Client<'_> {
    fn call(&self, method: &str, target: &str, body: Option<&Value>) -> Answer {
        self.node.call(method, target, body).expect("an answer")
    }

    /// Creates the one user of the name, looks for it, or deletes it.
    fn change_name(&self, turn: usize, events: &mut Vec<Event<OfName>>) {
        let event = self.moments.of(|| {
            let answer = self.call("POST", "/Users", Some(&json!({"userName": "ada"})));
            match answer.status {
                201 => {
                    OfName::Created(answer.json().expect("JSON")["id"].as_str().expect("an id").to_owned())
                }
                status => {
                    assert_eq!(status, 409, "{}", String::from_utf8_lossy(&answer.body));
                    OfName::Taken
                }
            }
        });
        events.push(event);
        let event = self.moments.of(|| {
            let filter = encode(r#"userName eq "ADA""#);
            let found = self.call("GET", &format!("/Users?attributes=id&filter={filter}"), None);
            let found = found.json().expect("a list");
            assert!(found["totalResults"].as_u64() <= Some(1), "{found}");
            OfName::Found(found["Resources"][0]["id"].as_str().map(str::to_owned))
        });
        let found = if let OfName::Found(found) = &event.what { found.clone() } else { None };
        events.push(event);
        if let Some(id) = found.filter(|_| turn.is_multiple_of(2)) {
            events.push(self.moments.of(|| {
                let answer = self.call("DELETE", &format!("/Users/{id}"), None);
                match answer.status {
                    204 => OfName::Deleted(id),
                    status => {
                        assert_eq!(status, 404, "{}", String::from_utf8_lossy(&answer.body));
                        OfName::Gone(id)
                    }
                }
            }));
        }
    }

    fn read_count(&self, path: &str) -> Event<OfCount> {
        self.moments.of(|| OfCount::Read(count(&self.call("GET", path, None))))
    }

    /// Adds one to what was read, if that is so still.
    fn count_on(&self, path: &str, read: OfCount) -> Event<OfCount> {
        let OfCount::Read(from) = read else { unreachable!("it was just read") };
        let to = json!({"op": "replace", "path": "title", "value": (from.number + 1).to_string()});
        let body = json!({"schemas": [PATCH], "Operations": [to]}).to_string();
        let headers = [
            ("Authorization".to_owned(), format!("Bearer {}", self.node.token())),
            ("Content-Type".to_owned(), "application/scim+json".to_owned()),
            ("If-Match".to_owned(), format!("W/\"{}\"", from.version)),
        ];
        self.moments.of(|| {
            let answer = self.node.send("PATCH", path, &headers, Some(body.as_bytes())).expect("an answer");
            match answer.status {
                200 => OfCount::Written(from, count(&answer)),
                status => {
                    assert_eq!(status, 412, "{}", String::from_utf8_lossy(&answer.body));
                    OfCount::Refused(from.version)
                }
            }
        })
    }

    fn change_member(&self, group: &str, id: &str, who: usize, adds: bool) -> Event<OfMembers> {
        let operation = if adds {
            json!({"op": "add", "path": "members", "value": [{"value": id}]})
        } else {
            json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")})
        };
        let body = json!({"schemas": [PATCH], "Operations": [operation]});
        self.moments.of(|| {
            let answer = self.call("PATCH", group, Some(&body));
            assert!(answer.is_success(), "members never conflict: {answer:?}");
            let version = version(&answer);
            if adds { OfMembers::Added(who, version) } else { OfMembers::Removed(who, version) }
        })
    }

    fn read_members(&self, group: &str, members: &[String]) -> Event<OfMembers> {
        self.moments.of(|| {
            let answer = self.call("GET", group, None);
            let there = answer.json().expect("a group");
            let there = there["members"].as_array().into_iter().flatten();
            let number = |member: &Value| members.iter().position(|id| member["value"] == id.as_str());
            let who = there.map(|member| number(member).expect("one of ours")).collect();
            OfMembers::Read(Members { version: version(&answer), who })
        })
    }
}

/// The number in the header `ETag`.
fn version(answer: &Answer) -> u64 {
    let tag = answer.header("etag").unwrap_or_else(|| panic!("it has a version: {answer:?}"));
    let number = tag.strip_prefix("W/\"").and_then(|rest| rest.strip_suffix('"'));
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("it is a number: {tag}"))
}

fn count(answer: &Answer) -> Count {
    let user = answer.json().expect("a user");
    let number = user["title"].as_str().expect("a title").parse().expect("a number");
    Count { version: version(answer), number }
}
