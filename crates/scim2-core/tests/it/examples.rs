//! The resources that the RFCs print, with values of our own.

use scim2_core::resource::{Group, Resource, User};
use scim2_core::validate::Purpose;
use scim2_core::{Compat, Object, Registry, Value};
use scim2_testkit::examples;

use crate::object;

/// Canonicalizes an example as a body of that type; gives what was sent and what came of it.
#[track_caller]
fn canonical(name: &str, type_: &str, compat: &Compat) -> (Object, Object) {
    let sent = object(examples::get(name).expect("an example"));
    let registry = Registry::standard_for(compat);
    let type_ = registry.resource_type(type_).expect("built in");
    let purpose = Purpose::Replace { current: &Object::new() };
    let canonical = type_.canonicalize(sent.clone(), purpose, compat).expect("valid").object;
    (sent, canonical)
}

/// An example without its readOnly attributes.
#[track_caller]
fn keeps_all_but(name: &str, type_: &str, read_only: &[&str]) {
    let (mut sent, canonical) = canonical(name, type_, &Compat::default());
    for path in ["id", "meta"].iter().chain(read_only) {
        match path.rsplit_once('/') {
            None => sent.remove(path),
            Some((parent, sub)) => {
                let (owner, parent) = parent.split_once('/').expect("owner and attribute");
                let owner = sent.get_mut(owner).and_then(Value::as_object_mut).expect("the extension");
                owner.get_mut(parent).and_then(Value::as_object_mut).expect("the attribute").remove(sub)
            }
        };
    }
    assert_eq!(canonical, sent, "{name}");
}

#[test]
fn rfc7643_8_1_user_minimal() {
    keeps_all_but("7643-8.1-user-minimal", "User", &[]);
    canonical("7643-8.1-user-minimal", "User", &Compat::strict());
}

#[test]
fn rfc7643_8_2_user_full() {
    keeps_all_but("7643-8.2-user-full", "User", &["groups"]);
}

#[test]
fn rfc7643_8_3_user_enterprise() {
    let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/manager/displayName";
    keeps_all_but("7643-8.3-user-enterprise", "User", &["groups", manager]);
}

#[test]
fn rfc7643_8_4_group() {
    keeps_all_but("7643-8.4-group", "Group", &[]);
    canonical("7643-8.4-group", "Group", &Compat::strict());
}

#[test]
fn rfc7644_3_3_and_3_5_1_bodies_of_create_and_replace() {
    keeps_all_but("7644-3.3-create-user-request", "User", &[]);
    keeps_all_but("7644-3.5.1-put-user-request", "User", &["roles"]); // an empty list
    canonical("7644-3.3-create-user-request", "User", &Compat::strict());
}

#[test]
fn typed_forms_lose_nothing_of_the_examples() {
    for name in ["7643-8.1-user-minimal", "7643-8.2-user-full", "7643-8.3-user-enterprise"] {
        let resource = Resource::from(object(examples::get(name).expect("an example")));
        let user = User::try_from(resource.clone()).expect("a user");
        assert_eq!(Resource::from(&user), resource, "{name}");
    }
    let resource = Resource::from(object(examples::get("7643-8.4-group").expect("an example")));
    assert_eq!(Group::try_from(resource.clone()).map(Resource::from), Ok(resource));
}
