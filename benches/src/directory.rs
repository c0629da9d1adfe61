//! The directory that is measured. Its users and groups follow from a seed and a number, so that every id and name can
//! be computed without asking the server.

use serde_json::{Value, json};

use crate::random::Random;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

const GIVEN: [&str; 8] = ["Barbara", "Ada", "Grace", "Alan", "Edsger", "Margaret", "Ken", "Barbara"];
const FAMILY: [&str; 8] =
    ["Jensen", "Lovelace", "Hopper", "Turing", "Dijkstra", "Hamilton", "Liskov", "Jones"];

/// Users and groups of one seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Directory {
    pub(crate) seed: u64,
    pub(crate) users: u64,
}

impl Directory {
    /// The id of a user: a random UUID, as in real directories.
    pub(crate) fn user_id(self, number: u64) -> String {
        uuid(self.seed, number)
    }

    /// The id of the group with this many members.
    pub(crate) fn group_id(self, members: u64) -> String {
        uuid(!self.seed, members)
    }

    /// A user as an export writes it.
    pub(crate) fn user(self, number: u64) -> Value {
        let mut user = user_body(number);
        if let Some(user) = user.as_object_mut() {
            user.insert("id".to_owned(), self.user_id(number).into());
        }
        user
    }

    /// A group of the first users, as an export writes it.
    pub(crate) fn group(self, members: u64) -> Value {
        let values: Vec<Value> =
            (0..members).map(|number| json!({ "value": self.user_id(number), "type": "User" })).collect();
        json!({
            "schemas": [GROUP],
            "id": self.group_id(members),
            "displayName": group_name(members),
            "members": values
        })
    }
}

fn uuid(seed: u64, number: u64) -> String {
    let mut random = Random::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ number);
    let (high, low) = (random.next(), random.next());
    let (high, low) = (high & !0xf000 | 0x4000, low & !(0b11 << 62) | 0b10 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

/// The userName of a user, which is also the e-mail address.
pub(crate) fn user_name(number: u64) -> String {
    format!("user{number:020}@example.com")
}

/// The externalId of a user.
pub(crate) fn external_id(number: u64) -> String {
    format!("ext-{number:020}")
}

/// The displayName of the group with this many members.
pub(crate) fn group_name(members: u64) -> String {
    format!("bench group of {members}")
}

/// A user as an identity provider sends it, some 700 bytes.
pub(crate) fn user_body(number: u64) -> Value {
    let name = user_name(number);
    let pick = |names: [&'static str; 8], bits: u64| {
        names.get(usize::try_from(bits % 8).unwrap_or_default()).copied().unwrap_or_default()
    };
    let (given, family) = (pick(GIVEN, number), pick(FAMILY, number >> 3));
    json!({
        "schemas": [USER, ENTERPRISE],
        "externalId": external_id(number),
        "userName": name,
        "name": { "formatted": format!("{given} {family}"), "familyName": family, "givenName": given },
        "displayName": format!("{given} {family} {number}"),
        "title": "Tour Guide",
        "active": true,
        "emails": [{ "value": name, "type": "work", "primary": true }],
        "phoneNumbers": [{ "value": "+1-201-555-0123", "type": "work" }],
        ENTERPRISE: {
            "employeeNumber": format!("{number:020}"),
            "department": "Tour Operations"
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_uuids_of_seed_and_number() {
        let directory = Directory { seed: 42, users: 1000 };
        let ids: HashSet<String> = (0..1000).map(|number| directory.user_id(number)).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 36 && id.as_bytes()[14] == b'4'));
        assert_ne!(directory.user_id(1), Directory { seed: 43, users: 1000 }.user_id(1));
        assert!(!ids.contains(&directory.group_id(1)));
    }

    #[test]
    fn a_group_has_the_first_users() {
        let directory = Directory { seed: 42, users: 10 };
        let group = directory.group(3);
        assert_eq!(group["members"][2]["value"], directory.user_id(2).as_str());
    }
}
