//! proptest strategies that start from a schema, so that a resource, a path into it and a filter over it agree.
//!
//! Values come from small pools with letter-case variants, other offsets of the same instant and characters outside
//! ASCII: so filters find something, and only by the rules. Every strategy shrinks towards fewer attributes, shorter
//! lists and the first value of its pool.
//!
//! ```
//! use proptest::{strategy::{Strategy, ValueTree}, test_runner::TestRunner};
//! use scim2_core::Registry;
//! use scim2_testkit::strategies;
//!
//! let registry = Registry::standard();
//! let user = registry.resource_type("User").expect("built in");
//! let tree = strategies::resource(user).new_tree(&mut TestRunner::deterministic()).expect("a resource");
//! assert!(tree.current().get_str("userName").is_some());
//! ```

mod filter;
mod patch;
mod schema;
mod value;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use scim2_core::schema::{AttributeType, Mutability, Uniqueness};
use scim2_core::{AttributeDef, CompiledType, Object, Owner, Value};

pub use self::filter::filter;
pub use self::patch::{PatchOperation, UNKNOWN_PATHS, patch_operation};
pub use self::schema::thing;
pub use self::value::{literal, value};

/// A valid body for a create: the required attributes and any others a client may write.
///
/// Memberships are left out, because a member must exist. Unique attributes take their values from a pool like all
/// others. Use [`resources`] for several resources of one store.
pub fn resource(type_: &CompiledType) -> BoxedStrategy<Object> {
    let mut owners = vec![Owner::Common, Owner::Core];
    owners.extend(type_.extensions().map(|(id, _)| Owner::Extension(id)));
    let parts: Vec<_> = owners.into_iter().map(|owner| part(type_, owner)).collect();
    let core = type_.schema().as_str().to_owned();
    parts
        .prop_map(move |parts| {
            let mut schemas = vec![core.as_str()];
            schemas.extend(
                parts.iter().filter(|part| !part.members.is_empty()).filter_map(|part| part.uri.as_deref()),
            );
            let mut body = Object::new();
            body.insert("schemas", schemas);
            for part in &parts {
                match &part.uri {
                    None => part.members.iter().for_each(|(name, value)| {
                        body.insert(name.as_str(), value.clone());
                    }),
                    Some(_) if part.members.is_empty() => {}
                    Some(uri) => {
                        let extension =
                            part.members.iter().map(|(name, value)| (name.as_str(), value.clone()));
                        body.insert(uri.as_str(), extension.collect::<Object>());
                    }
                }
            }
            body
        })
        .boxed()
}

/// Up to `most` valid bodies for one store: their unique attributes differ.
pub fn resources(type_: &CompiledType, most: usize) -> BoxedStrategy<Vec<Object>> {
    let unique: Vec<_> = type_
        .attributes()
        .iter()
        .filter(|def| {
            def.parent().is_none()
                && matches!(def.owner(), Owner::Common | Owner::Core)
                && def.uniqueness() != Uniqueness::None
                && def.mutability() != Mutability::ReadOnly
        })
        .map(|def| def.name().to_owned())
        // Unique in `default`, although its schema does not say so.
        .chain((type_.name() == "Group").then(|| "displayName".to_owned()))
        .collect();
    vec(resource(type_), 0..=most)
        .prop_map(move |mut resources| {
            for (index, resource) in resources.iter_mut().enumerate() {
                for name in &unique {
                    if let Some(Value::String(text)) = resource.get_mut(name) {
                        *text = format!("{text}{index}");
                    }
                }
            }
            resources
        })
        .boxed()
}

/// A path to an attribute a filter, a projection or a PATCH may name: `name.givenName`, sometimes with the schema's
/// URI in front, sometimes in another letter case.
pub fn attribute_path(type_: &CompiledType) -> BoxedStrategy<String> {
    let spellings: Vec<_> = type_
        .attributes()
        .iter()
        .filter(|def| !def.is_never_returned())
        .flat_map(|def| spellings(type_, def))
        .collect();
    select(spellings).boxed()
}

/// The sort order of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    /// `sortBy`: a path to a simple attribute.
    pub by: String,
    /// Whether `sortOrder` is `descending`.
    pub descending: bool,
}

/// A sort order that fits the type.
pub fn sort(type_: &CompiledType) -> BoxedStrategy<Sort> {
    let paths: Vec<_> = type_
        .attributes()
        .iter()
        .filter(|def| !def.is_never_returned() && !def.is_complex())
        .filter(|def| def.attribute_type() != AttributeType::Binary)
        .map(|def| def.path().to_owned())
        .collect();
    (select(paths), any::<bool>()).prop_map(|(by, descending)| Sort { by, descending }).boxed()
}

/// A page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// `startIndex`, 1-based; zero and below mean 1.
    pub start_index: i64,
    /// `count`: `None` lets the service choose, a negative number means 0.
    pub count: Option<i64>,
}

/// Pages near the edges of a list of up to some ten resources.
pub fn page() -> BoxedStrategy<Page> {
    (-1_i64..12, option::of(-1_i64..12)).prop_map(|(start_index, count)| Page { start_index, count }).boxed()
}

/// The attributes of one owner with their values.
#[derive(Clone, Debug)]
struct Part {
    /// The place of the attributes: the extension's object, or the body itself.
    uri: Option<String>,
    members: Vec<(String, Value)>,
}

fn part(type_: &CompiledType, owner: Owner) -> BoxedStrategy<Part> {
    let (uri, required_extension) = match owner {
        Owner::Extension(id) => {
            (Some(type_.extension(id).uri().as_str().to_owned()), type_.extension(id).required())
        }
        Owner::Common | Owner::Core => (None, true),
    };
    let members: Vec<_> = type_
        .top_level(owner)
        .filter(|def| writable(def) && def.name() != "schemas" && Some(def.id()) != type_.members())
        .map(|def| {
            let name = def.name().to_owned();
            let value = value(type_, def).prop_map(move |value| (name.clone(), value));
            if def.required() { value.prop_map(Some).boxed() } else { option::weighted(0.3, value).boxed() }
        })
        .collect();
    let part = members
        .prop_map(move |members| Part { uri: uri.clone(), members: members.into_iter().flatten().collect() });
    if required_extension {
        return part.boxed();
    }
    option::weighted(0.4, part)
        .prop_map(|part| part.unwrap_or(Part { uri: None, members: Vec::new() }))
        .boxed()
}

fn writable(def: &AttributeDef) -> bool {
    def.mutability() != Mutability::ReadOnly
}

fn spellings(type_: &CompiledType, def: &AttributeDef) -> Vec<String> {
    let path = def.path();
    let mut spellings = vec![path.to_owned(), path.to_owned(), path.to_ascii_uppercase()];
    if def.owner() == Owner::Core {
        spellings.push(format!("{}:{path}", type_.schema()));
    }
    spellings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    use scim2_core::Registry;

    use super::*;

    fn samples<T: std::fmt::Debug>(strategy: &BoxedStrategy<T>, count: usize) -> Vec<T> {
        let mut runner = TestRunner::deterministic();
        (0..count).map(|_| strategy.new_tree(&mut runner).expect("a value").current()).collect()
    }

    #[test]
    fn resources_hold_what_the_schema_lets_a_client_write() {
        let registry = Registry::standard();
        for type_ in registry.resource_types() {
            for body in samples(&resource(type_), 200) {
                for (name, value) in body.iter() {
                    assert!(!value.is_unassigned(), "{body}");
                    if let Some(extension) = type_.find_extension(name) {
                        assert!(
                            body.get("schemas")
                                .is_some_and(|s| s.values().any(|uri| uri.as_str() == Some(name)))
                        );
                        let extension = Owner::Extension(extension);
                        let members = value.as_object().expect("an object");
                        assert!(
                            members.iter().all(|(name, _)| type_.find_in(extension, name).is_some()),
                            "{body}"
                        );
                    } else {
                        let id = type_.find(None, name, None).expect("an attribute");
                        assert_ne!(type_.attribute(id).mutability(), Mutability::ReadOnly, "{body}");
                    }
                }
                let required = type_.top_level(Owner::Core).filter(|def| def.required());
                required.for_each(|def| assert!(body.contains(def.name()), "{body}"));
            }
        }
    }

    #[test]
    fn resources_of_one_store_differ_in_what_is_unique() {
        let registry = Registry::standard();
        let user = registry.resource_type("User").expect("built in");
        for bodies in samples(&resources(user, 6), 50) {
            let names: BTreeSet<_> =
                bodies.iter().filter_map(|body| body.get_str("userName")).map(str::to_lowercase).collect();
            assert_eq!(names.len(), bodies.len());
        }
    }

    #[test]
    fn at_most_one_element_is_primary() {
        let registry = Registry::standard();
        let user = registry.resource_type("User").expect("built in");
        for body in samples(&resource(user), 300) {
            let emails = body.get("emails").map(Value::values).into_iter().flatten();
            let primaries = emails.filter(|email| {
                email.as_object().and_then(|email| email.get("primary")).and_then(Value::as_bool)
                    == Some(true)
            });
            assert!(primaries.count() <= 1, "{body}");
        }
    }

    #[test]
    fn paths_and_sorts_resolve() {
        let registry = Registry::standard();
        let user = registry.resource_type("User").expect("built in");
        let resolve = |path: &str| {
            let (schema, rest) = match user.split_schema(path) {
                Some((extension, rest)) => {
                    let uri =
                        extension.map_or(user.schema().as_str(), |id| user.extension(id).uri().as_str());
                    (Some(uri), rest.trim_start_matches(':'))
                }
                None => (None, path),
            };
            let (name, sub) = rest.split_once('.').map_or((rest, None), |(name, sub)| (name, Some(sub)));
            user.find(schema, name, sub)
        };
        for path in samples(&attribute_path(user), 300) {
            assert!(resolve(&path).is_some(), "{path}");
        }
        for sort in samples(&sort(user), 100) {
            let id = resolve(&sort.by).expect("an attribute");
            assert!(!user.attribute(id).is_complex(), "{}", sort.by);
        }
    }
}
