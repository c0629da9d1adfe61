//! Checks of single resources.

use scim2_core::{Object, Version};

use super::{Bench, Check, done, holds, same, store_error, text};
use crate::store::{Include, Outcome, ResourceStore, StoreErrorKind, StoredResource, Write};

const NEVER_RETURNED: Include = Include { members: false, groups: false, never_returned: true };

pub(super) async fn a_created_resource_is_retrieved<S: ResourceStore>(bench: &Bench<S>) -> Check {
    let attributes = r#","name":{"givenName":"Ada ⚙"},"emails":[{"value":"a@example.com","primary":false}]"#;
    let created = bench.create(bench.user("u1", "Ada", attributes)?).await?;
    let retrieved = bench.retrieve("User", "u1", Include::default()).await?;
    for stored in [&created, &retrieved] {
        let body = stored.attributes().map_err(store_error)?;
        let expected = bench.user("u1", "Ada", attributes)?.body;
        same("the attributes", body.as_ref(), &expected)?;
        same("the id", stored.id.as_str(), "u1")?;
        same("the resource type", stored.resource_type.name(), "User")?;
        same("`created`", stored.created, bench.cx().now)?;
        same("`lastModified`", stored.last_modified, stored.created)?;
    }
    same("the version", &created.version, &retrieved.version)
}

pub(super) async fn never_returned_attributes_come_only_when_asked_for<S: ResourceStore>(
    bench: &Bench<S>,
) -> Check {
    let never_returned = Object::from_iter([("password", "$hash$")]);
    let write = Write { never_returned: never_returned.clone(), ..bench.user("u1", "ada", "")? };
    let created = bench.create(write).await?;
    same("the never-returned attributes of an answer that did not ask", created.never_returned, None)?;
    let asked = bench.retrieve("User", "u1", NEVER_RETURNED).await?;
    same("the never-returned attributes", asked.never_returned.as_ref(), Some(&never_returned))?;
    let body = asked.attributes().map_err(store_error)?.into_owned();
    holds("no never-returned attribute is in the body", !body.contains("password"))?;
    let other = Object::from_iter([("password", "$other$")]);
    let write = Write {
        never_returned: other.clone(),
        changed: vec!["password".into()],
        ..bench.user("u1", "ada", "")?
    };
    let again = write.clone();
    let first = done(bench.store.replace(&bench.cx(), &asked.version, write).await.map_err(store_error)?)?;
    same(
        "the never-returned attributes after a replace",
        bench.retrieve("User", "u1", NEVER_RETURNED).await?.never_returned,
        Some(other),
    )?;
    // Otherwise the version would tell a client that may not read the value whether it guessed right.
    let second = done(bench.store.replace(&bench.cx(), &first.version, again).await.map_err(store_error)?)?;
    holds(
        "a write that names a never-returned attribute in `changed` gets a new version, even if the value stays the same",
        second.version != first.version,
    )
}

pub(super) async fn what_is_not_there_is_none<S: ResourceStore>(bench: &Bench<S>) -> Check {
    bench.create(bench.user("u1", "ada", "")?).await?;
    for id in ["", "U1", "u", "u11", "u1/", "%", "'; --", "\u{0}", "ü", &"x".repeat(10_000)] {
        holds(&format!("nothing has the id {id:?}"), !bench.exists("User", id).await?)?;
    }
    let cx = bench.cx();
    let type_ = bench.type_("User")?;
    let write = bench.user("u2", "bob", "")?;
    let replaced = bench.store.replace(&cx, &Version::from(1), write).await.map_err(store_error)?;
    holds("a replace of nothing is NotFound", matches!(replaced, Outcome::NotFound))?;
    let deleted = bench.store.delete(&cx, type_, "u2", None).await.map_err(store_error)?;
    same("a delete of nothing", deleted, Outcome::NotFound)
}

pub(super) async fn resource_types_are_apart<S: ResourceStore>(bench: &Bench<S>) -> Check {
    bench.create(bench.user("u1", "ada", "")?).await?;
    holds("a User is not a Group", !bench.exists("Group", "u1").await?)?;
    let deleted = bench.store.delete(&bench.cx(), bench.type_("Group")?, "u1", None).await;
    same("a delete of a User as a Group", deleted.map_err(store_error)?, Outcome::NotFound)?;
    holds("the User is still there", bench.exists("User", "u1").await?)
}

pub(super) async fn tenants_are_apart<S: ResourceStore>(bench: &Bench<S>) -> Check {
    let created = bench.create(bench.user("u1", "ada", "")?).await?;
    let other = bench.cx_of("other", 0);
    let type_ = bench.type_("User")?;
    let found = bench.store.retrieve(&other, type_, "u1", Include::default()).await.map_err(store_error)?;
    holds("another tenant does not see it", found.is_none())?;
    let listed = bench.store.list(&other, type_, None, 10, Include::default()).await.map_err(store_error)?;
    same("the list of another tenant", listed.len(), 0)?;
    let deleted = bench.store.delete(&other, type_, "u1", None).await.map_err(store_error)?;
    same("a delete by another tenant", deleted, Outcome::NotFound)?;
    let write = bench.user("u1", "eve", "")?;
    let replaced = bench.store.replace(&other, &created.version, write).await.map_err(store_error)?;
    holds("another tenant does not replace it", matches!(replaced, Outcome::NotFound))?;
    let write = bench.user("u2", "ada", "")?;
    bench.store.create(&other, write).await.map_err(|error| format!("uniqueness is per tenant: {error}"))?;
    Ok(())
}

pub(super) async fn a_replace_needs_the_present_version<S: ResourceStore>(bench: &Bench<S>) -> Check {
    let first = bench.create(bench.user("u1", "ada", "")?).await?;
    let later = bench.cx_of("default", 60);
    let second = replace(bench, &first.version, r#","title":"Dr""#).await?;
    holds("a change gives another version", second.version != first.version)?;
    same("`lastModified`", second.last_modified, later.now)?;
    same("`created`", second.created, first.created)?;
    same("the title", &*text(&second, "title")?, "Dr")?;

    let write = Write { changed: vec!["title".into()], ..bench.user("u1", "ada", r#","title":"Sir""#)? };
    match bench.store.replace(&later, &first.version, write).await.map_err(store_error)? {
        Outcome::Conflict(version) => same("the version in the conflict", version, second.version)?,
        other => return Err(format!("expected a conflict, found {other:?}")),
    }
    let present = bench.retrieve("User", "u1", Include::default()).await?;
    same("the title", &*text(&present, "title")?, "Dr")
}

pub(super) async fn a_replace_that_changes_nothing_keeps_the_version<S: ResourceStore>(
    bench: &Bench<S>,
) -> Check {
    let first = bench.create(bench.user("u1", "ada", "")?).await?;
    let write = bench.user("u1", "ada", "")?;
    let outcome = bench.store.replace(&bench.cx_of("default", 60), &first.version, write).await;
    let second = done(outcome.map_err(store_error)?)?;
    same("the version", &second.version, &first.version)?;
    same("`lastModified`", second.last_modified, first.last_modified)?;
    let named = replace(bench, &first.version, r#","title":"Sir","nickName":"A""#).await?;
    let in_another_order = replace(bench, &named.version, r#","nickName":"A","title":"Sir""#).await?;
    same("the version of the same in another order", &in_another_order.version, &named.version)
}

pub(super) async fn a_version_never_comes_again<S: ResourceStore>(bench: &Bench<S>) -> Check {
    let first = bench.create(bench.user("u1", "ada", "")?).await?;
    let second = replace(bench, &first.version, r#","title":"Dr""#).await?;
    let third = replace(bench, &second.version, "").await?;
    holds("three versions differ", third.version != second.version && third.version != first.version)
}

pub(super) async fn a_deleted_resource_is_gone<S: ResourceStore>(bench: &Bench<S>) -> Check {
    let created = bench.create(bench.user("u1", "ada", "")?).await?;
    let (cx, type_) = (bench.cx(), bench.type_("User")?);
    let deleted = bench.store.delete(&cx, type_, "u1", None).await.map_err(store_error)?;
    same("the delete", deleted, Outcome::Done(()))?;
    holds("it is gone", !bench.exists("User", "u1").await?)?;
    let listed = bench.store.list(&cx, type_, None, 10, Include::default()).await.map_err(store_error)?;
    same("the list", listed.len(), 0)?;
    let write = bench.user("u1", "ada", "")?;
    let replaced = bench.store.replace(&cx, &created.version, write).await.map_err(store_error)?;
    holds("a replace is NotFound", matches!(replaced, Outcome::NotFound))?;
    let again = bench.store.delete(&cx, type_, "u1", None).await.map_err(store_error)?;
    same("a second delete", again, Outcome::NotFound)
}

pub(super) async fn a_delete_may_need_the_present_version<S: ResourceStore>(bench: &Bench<S>) -> Check {
    let first = bench.create(bench.user("u1", "ada", "")?).await?;
    let second = replace(bench, &first.version, r#","title":"Dr""#).await?;
    let (cx, type_) = (bench.cx(), bench.type_("User")?);
    let stale = bench.store.delete(&cx, type_, "u1", Some(&first.version)).await.map_err(store_error)?;
    same("a delete of an old version", stale, Outcome::Conflict(second.version.clone()))?;
    holds("it is still there", bench.exists("User", "u1").await?)?;
    let fresh = bench.store.delete(&cx, type_, "u1", Some(&second.version)).await.map_err(store_error)?;
    same("a delete of the present version", fresh, Outcome::Done(()))
}

pub(super) async fn unique_values_are_refused_on_create<S: ResourceStore>(bench: &Bench<S>) -> Check {
    bench.create(bench.user("u1", "Ada@example.com", "")?).await?;
    for same_name in ["Ada@example.com", "ADA@EXAMPLE.COM"] {
        let write = bench.user("u2", same_name, "")?;
        refused(bench.store.create(&bench.cx(), write).await)?;
        holds("nothing is stored", !bench.exists("User", "u2").await?)?;
    }
    bench.create(bench.user("u2", "bob@example.com", "")?).await.map(|_| ())
}

pub(super) async fn unique_values_are_refused_on_replace<S: ResourceStore>(bench: &Bench<S>) -> Check {
    let ada = bench.create(bench.user("u1", "ada", "")?).await?;
    bench.create(bench.user("u2", "bob", "")?).await?;
    let write = Write { changed: vec!["userName".into()], ..bench.user("u1", "BOB", "")? };
    refused(bench.store.replace(&bench.cx(), &ada.version, write).await)?;
    let present = bench.retrieve("User", "u1", Include::default()).await?;
    same("the version", &present.version, &ada.version)?;
    same("the name", &*text(&present, "userName")?, "ada")?;
    // A resource does not conflict with itself.
    let write = Write { changed: vec!["userName".into()], ..bench.user("u1", "ADA", "")? };
    done(bench.store.replace(&bench.cx(), &ada.version, write).await.map_err(store_error)?).map(|_| ())
}

pub(super) async fn unique_values_are_free_again_after_delete<S: ResourceStore>(bench: &Bench<S>) -> Check {
    let ada = bench.create(bench.user("u1", "ada", "")?).await?;
    let write = Write { changed: vec!["userName".into()], ..bench.user("u1", "eve", "")? };
    done(bench.store.replace(&bench.cx(), &ada.version, write).await.map_err(store_error)?)?;
    bench.create(bench.user("u2", "ada", "")?).await?;
    let deleted = bench.store.delete(&bench.cx(), bench.type_("User")?, "u1", None).await;
    done(deleted.map_err(store_error)?)?;
    bench.create(bench.user("u3", "eve", "")?).await.map(|_| ())
}

pub(super) async fn a_list_is_in_order_of_id<S: ResourceStore>(bench: &Bench<S>) -> Check {
    for id in ["u3", "u1", "U2", "u2", "u10"] {
        bench
            .create(bench.user(id, &format!("name-{id}-{}", id.len()), "").map(|mut write| {
                write.body.insert("userName", format!("name-{:?}", id.as_bytes()));
                write
            })?)
            .await?;
    }
    let (cx, type_) = (bench.cx(), bench.type_("User")?);
    let ids = |stored: &[StoredResource]| {
        stored.iter().map(|stored| stored.id.as_str().to_owned()).collect::<Vec<_>>()
    };
    let all = bench.store.list(&cx, type_, None, 10, Include::default()).await.map_err(store_error)?;
    same("the ids", ids(&all), ["U2", "u1", "u10", "u2", "u3"].map(str::to_owned).to_vec())?;
    let first = bench.store.list(&cx, type_, None, 2, Include::default()).await.map_err(store_error)?;
    let after = first.last().map(|last| &last.id);
    let rest = bench.store.list(&cx, type_, after, 2, Include::default()).await.map_err(store_error)?;
    same("the second page", ids(&rest), vec!["u10".to_owned(), "u2".to_owned()])
}

async fn replace<S: ResourceStore>(
    bench: &Bench<S>,
    expected: &Version,
    attributes: &str,
) -> Result<StoredResource, String> {
    let write = Write { changed: vec!["title".into()], ..bench.user("u1", "ada", attributes)? };
    done(bench.store.replace(&bench.cx_of("default", 60), expected, write).await.map_err(store_error)?)
}

fn refused<T>(result: Result<T, crate::store::StoreError>) -> Check {
    match result {
        Err(error) => same("the error", error.kind(), &StoreErrorKind::Uniqueness("userName".into())),
        Ok(_) => Err("expected that the user name is taken, the write was done".to_owned()),
    }
}
