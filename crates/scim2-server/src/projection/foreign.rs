//! Stored data of extensions that the resource type does not have, or no longer has.
//!
//! No schema says whether such data may be returned, so no answer shows it. It stays in the store and is shown
//! again when the schema is loaded again.

use std::collections::BTreeSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use memchr::{memmem, memrchr};
use scim2_core::{CompiledType, Object, Value};

use crate::store::Body;

/// Says whether a stored body may hold data of such an extension, or extensions that are answered within others.
/// It reads no JSON, since most answers
/// copy the text: an extension is a member whose name is a URI and whose value is an object, and stored text
/// has no spaces between the two.
pub(super) fn may_be_in(type_: &CompiledType, body: &Body) -> bool {
    static OBJECT_VALUE: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(b"\":{"));
    match body {
        Body::Object(object) => object.iter().any(|(name, _)| is_moved(type_, name)),
        Body::Json(json) => OBJECT_VALUE.find_iter(json).any(|end| {
            let before = json.get(..end).unwrap_or_default();
            let name = memrchr(b'"', before).and_then(|quote| before.get(quote + 1..)).unwrap_or_default();
            // A string that only looks like it is read to be sure.
            std::str::from_utf8(name).map_or(true, |name| is_moved(type_, name))
        }),
    }
}

/// Says whether the answer to a body with this member differs from the stored text.
fn is_moved(type_: &CompiledType, name: &str) -> bool {
    is_foreign(type_, name) || name == CompiledType::NESTING
}

fn is_foreign(type_: &CompiledType, name: &str) -> bool {
    name.contains(':') && type_.find_extension(name).is_none()
}

/// Removes such data from an answer.
pub(super) fn cut(type_: &CompiledType, object: &mut Object) {
    let mut found = false;
    object.retain(|name, _| {
        let foreign = is_foreign(type_, name);
        if foreign {
            found = true;
            tell(type_, name);
        }
        !foreign
    });
    if found && let Some(Value::Array(uris)) = object.get_mut("schemas") {
        uris.retain(|uri| {
            let known = |uri: &str| *type_.schema() == *uri || type_.find_extension(uri).is_some();
            uri.as_str().is_none_or(known)
        });
    }
}

/// Carries such data over in a replace, because the client does not see it.
pub(crate) fn keep(type_: &CompiledType, old: &Object, new: &mut Object) {
    for (name, value) in old.iter().filter(|(name, _)| is_foreign(type_, name)) {
        new.insert(name, value.clone());
    }
}

/// Tells the operator, once for each extension.
#[cold]
fn tell(type_: &CompiledType, uri: &str) {
    /// More than the extensions of any real directory.
    const MAX_TOLD: usize = 64;
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.len() < MAX_TOLD && told.insert(format!("{} {uri}", type_.name())) {
        tracing::warn!(
            resource_type = type_.name(),
            extension = uri,
            "stored resources hold data of an extension that the resource type does not have; it is kept and not \
             shown: load the schema of the extension, or remove the data while it is loaded"
        );
    }
}
