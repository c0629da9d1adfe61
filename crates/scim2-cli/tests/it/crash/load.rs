//! What clients write until the server is gone, and what of it was answered.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::mpsc::Sender;

use scim2_testkit::http::{Answer, Endpoint, encode};
use serde_json::{Value, json};

/// What the answers said is stored.
#[derive(Default)]
pub(super) struct Answered {
    group: String,
    users: BTreeMap<String, User>,
    /// The users that were written since they were last looked at.
    fresh: BTreeSet<String>,
    /// Whether an id is a member of the group.
    members: BTreeMap<String, Known<bool>>,
}

/// What is known of something that a write was sent for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Known<T> {
    As(T),
    /// A write of it was sent, and not answered.
    No,
}

/// A user as far as it is known.
#[derive(Clone, Copy)]
pub(super) enum User {
    /// It is there, with this display name.
    There(Known<&'static str>),
    Deleted,
    /// Its deletion was not answered.
    Perhaps,
}

/// One answered write, or one that is sent now.
pub(super) enum Write {
    User(String, User),
    Member(String, Known<bool>),
}

/// Somebody who writes.
pub(super) struct Client<'g> {
    endpoint: Endpoint,
    group: String,
    answered: Sender<Write>,
    /// Whether the server may give wrong answers by now.
    gone: Box<dyn Fn() -> bool + Send + 'g>,
}

impl<'g> Client<'g> {
    pub(super) fn new(endpoint: &Endpoint, answered: &Answered, sender: &Sender<Write>) -> Self {
        Self {
            endpoint: endpoint.clone(),
            group: answered.group.clone(),
            answered: sender.clone(),
            gone: Box::new(|| false),
        }
    }

    /// Once this is true, an answer other than success counts as the end of the server.
    pub(super) fn until(self, gone: impl Fn() -> bool + Send + 'g) -> Self {
        Self { gone: Box::new(gone), ..self }
    }

    /// Writes until the server is gone, reporting each write after its answer.
    pub(super) fn write(self, name: &str) {
        let _ = (0..).try_for_each(|number| self.write_one(&format!("{name}n{number}"), number));
    }

    /// A user and what becomes of it; `None` once the server is gone.
    fn write_one(&self, name: &str, number: usize) -> Option<()> {
        if number % 7 == 6 {
            return self.write_bulk(name);
        }
        let created = self.succeed("POST", "/Users", Some(&user(name)))?;
        let id = created["id"].as_str().expect("an id").to_owned();
        self.report(Write::User(id.clone(), User::There(Known::As("created"))));

        let path = format!("/Users/{id}");
        if number.is_multiple_of(3) {
            let change = patch(json!({"op": "replace", "path": "displayName", "value": "patched"}));
            // Its outcome is unknown from here to the answer, and stays so without one.
            self.report(Write::User(id.clone(), User::There(Known::No)));
            self.succeed("PATCH", &path, Some(&change))?;
            self.report(Write::User(id.clone(), User::There(Known::As("patched"))));
        }
        if number % 5 == 4 {
            self.report(Write::User(id.clone(), User::Perhaps));
            self.succeed("DELETE", &path, None)?;
            self.report(Write::User(id, User::Deleted));
            return Some(());
        }
        let add = json!({"op": "add", "path": "members", "value": [{"value": id}]});
        self.change_member(&id, add, true)?;
        if number % 5 == 3 {
            let remove = json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")});
            self.change_member(&id, remove, false)?;
        }
        Some(())
    }

    fn change_member(&self, id: &str, operation: Value, is_member: bool) -> Option<()> {
        self.report(Write::Member(id.to_owned(), Known::No));
        self.succeed("PATCH", &format!("/Groups/{}", self.group), Some(&patch(operation)))?;
        self.report(Write::Member(id.to_owned(), Known::As(is_member)));
        Some(())
    }

    /// Two users, one of them a member, in one request.
    fn write_bulk(&self, name: &str) -> Option<()> {
        let create = |id: &str| {
            let data = user(&format!("{name}{id}"));
            json!({"method": "POST", "path": "/Users", "bulkId": id, "data": data})
        };
        let add = patch(json!({"op": "add", "path": "members", "value": [{"value": "bulkId:a"}]}));
        let add = json!({"method": "PATCH", "path": format!("/Groups/{}", self.group), "data": add});
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [create("a"), create("b"), add],
        });
        let answer = self.succeed("POST", "/Bulk", Some(&body))?;
        let mut ids = Vec::new();
        for operation in answer["Operations"].as_array().expect("operations") {
            let status = operation["status"].as_str().expect("a status");
            if !status.starts_with('2') {
                assert!((self.gone)(), "{answer}");
                continue;
            }
            if operation["method"] == "POST" {
                let location = operation["location"].as_str().expect("a location");
                let id = location.rsplit('/').next().expect("an id").to_owned();
                self.report(Write::User(id.clone(), User::There(Known::As("created"))));
                ids.push(id);
            } else {
                self.report(Write::Member(ids.first().expect("the user").clone(), Known::As(true)));
            }
        }
        Some(())
    }

    fn report(&self, write: Write) {
        self.answered.send(write).expect("the test listens to the end");
    }

    /// The body of a successful answer, `null` where it has none; `None` once the server is gone.
    fn succeed(&self, method: &str, target: &str, body: Option<&Value>) -> Option<Value> {
        let answer: Answer = self.endpoint.call(method, target, body).ok()?;
        if !answer.is_success() && (self.gone)() {
            return None;
        }
        let text = String::from_utf8_lossy(&answer.body);
        assert!(answer.is_success(), "{method} {target}: {} {text}", answer.status);
        Some(answer.json().unwrap_or_default())
    }
}

fn user(name: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": format!("{name}@example.com"),
        "displayName": "created",
    })
}

fn patch(operation: Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]})
}

impl Answered {
    /// Makes the group that users are added to.
    pub(super) fn with_group(endpoint: &Endpoint) -> Self {
        let group =
            json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Everybody"});
        let group =
            endpoint.call("POST", "/Groups", Some(&group)).expect("an answer").json().expect("a group");
        Self { group: group["id"].as_str().expect("an id").to_owned(), ..Self::default() }
    }

    pub(super) fn record(&mut self, write: Write) {
        match write {
            Write::User(id, user) => {
                self.fresh.insert(id.clone());
                self.users.insert(id, user);
            }
            Write::Member(id, member) => {
                self.members.insert(id, member);
            }
        }
    }

    /// Holds what was answered of all users and members against what is there.
    #[track_caller]
    pub(super) fn check_all(&self, endpoint: &Endpoint) {
        let missing = self.missing(endpoint, self.users.keys());
        assert!(missing.is_empty(), "{missing:#?}");
    }

    /// The same for all members, and the users that were written since the last call.
    #[track_caller]
    pub(super) fn check_fresh(&mut self, endpoint: &Endpoint) {
        let fresh = std::mem::take(&mut self.fresh);
        let missing = self.missing(endpoint, fresh.iter());
        assert!(missing.is_empty(), "{missing:#?}");
    }

    /// What was answered of these users, and of all members, and is not there.
    pub(super) fn missing<'a>(
        &'a self,
        endpoint: &Endpoint,
        users: impl Iterator<Item = &'a String>,
    ) -> Vec<String> {
        let mut missing: Vec<String> = users
            .filter_map(|id| {
                let user = self.users.get(id)?;
                wrong(endpoint, id, *user).map(|wrong| format!("{id}: {wrong}"))
            })
            .collect();
        let group = endpoint.call("GET", &format!("/Groups/{}", self.group), None).expect("an answer");
        let group = group.json().expect("a group");
        let there: HashSet<_> = group["members"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|member| member["value"].as_str())
            .collect();
        for (id, member) in &self.members {
            if *member == Known::As(!there.contains(id.as_str())) {
                let change = if there.contains(id.as_str()) { "removed" } else { "added" };
                missing.push(format!("{id} was {change} as a member"));
            }
        }
        missing
    }

    /// The same of all users.
    pub(super) fn all_missing(&self, endpoint: &Endpoint) -> Vec<String> {
        self.missing(endpoint, self.users.keys())
    }
}

/// How a user differs from the last answer.
fn wrong(endpoint: &Endpoint, id: &str, known: User) -> Option<String> {
    let answer = endpoint.call("GET", &format!("/Users/{id}"), None).expect("an answer");
    let display_name = match known {
        User::Deleted => return (answer.status != 404).then(|| "it was deleted".to_owned()),
        User::Perhaps => {
            return (!matches!(answer.status, 200 | 404)).then(|| format!("{}", answer.status));
        }
        User::There(display_name) => display_name,
    };
    if answer.status != 200 {
        return Some(format!("it was created: {}", answer.status));
    }
    let user = answer.json().expect("a user");
    if let Known::As(display_name) = display_name
        && user["displayName"] != display_name
    {
        return Some(format!("it was {display_name}: {user}"));
    }
    let filter = encode(&format!("userName eq {}", user["userName"]));
    let found = endpoint.call("GET", &format!("/Users?filter={filter}"), None).expect("an answer");
    let found = found.json().expect("a list");
    let is_found = found["totalResults"] == 1 && found["Resources"][0]["id"] == id;
    (!is_found).then(|| format!("not found by its userName: {found}"))
}
