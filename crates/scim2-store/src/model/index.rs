//! The index: which attributes have rows in it, and which rows a body has.

use std::sync::Arc;

use scim2_core::{AttributeDef, AttributeId, CompiledType, Object, Value, urn};

use crate::model::indexing::Indexing;
use crate::model::key::KeyKind;

/// The core and common attributes that are indexed by default, because clients look resources up by them.
const PATHS: &[&str] = &[
    "externalId",
    "userName",
    "displayName",
    "active",
    "emails.value",
    "emails.type",
    "name.formatted",
    "name.familyName",
    "name.givenName",
    "name.middleName",
];

/// The same of the enterprise extension.
const ENTERPRISE: &[&str] = &["employeeNumber", "department", "manager.value"];

/// Whether an attribute is indexed: every unique attribute is, and by default those above.
pub(crate) fn is_indexed(resource_type: &CompiledType, def: &AttributeDef, indexing: &Indexing) -> bool {
    let enterprise = || {
        def.path()
            .strip_prefix(urn::ENTERPRISE_USER)
            .and_then(|rest| rest.strip_prefix(':'))
            .is_some_and(|path| ENTERPRISE.contains(&path))
    };
    let by_default = || PATHS.contains(&def.path()) || enterprise();
    is_indexable(resource_type, def)
        && (resource_type.is_unique(def.id())
            || indexing.choice(resource_type, def).unwrap_or_else(by_default))
}

/// Whether an attribute can be indexed.
pub(crate) fn is_indexable(resource_type: &CompiledType, def: &AttributeDef) -> bool {
    let computed = |attribute: Option<AttributeId>| {
        attribute.is_some_and(|id| def.id() == id || def.parent() == Some(id))
    };
    // `id` and `meta` are columns, members and groups have tables of their own, and never-returned attributes are
    // not part of a body.
    let elsewhere = def.path() == "id"
        || is_meta(def.path())
        || computed(resource_type.members())
        || computed(resource_type.groups())
        || def.is_never_returned();
    !elsewhere && KeyKind::of(def).is_some()
}

/// Says whether a path is `meta` or within it.
pub(crate) fn is_meta(path: &str) -> bool {
    path.strip_prefix("meta").is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Marks the kind of a path whose rows are being added for older resources.
const FILLING: &str = " filling";

/// The `kind` of a path in the database: how its keys are made, whether they are unique, and whether the backfill
/// is complete.
pub(crate) fn kind_name(kind: KeyKind, unique: bool, ready: bool) -> String {
    let unique = if unique { " unique" } else { "" };
    format!("{}{unique}{}", kind.name(), if ready { "" } else { FILLING })
}

/// The kind of a path that is not indexed any more, until the cleanup has deleted its rows. Its name in the
/// database is then its number, which no attribute has.
pub(crate) const GONE: &str = "gone";

/// How many rows of such a path are deleted at once. It takes some milliseconds, for which other writes wait.
pub(crate) const PIECE: i64 = 2000;

/// Whether the stored kind of a path is this one, and if so whether the backfill is complete.
pub(crate) fn is_kind(stored: &str, kind: KeyKind, unique: bool) -> Option<bool> {
    let wanted = kind_name(kind, unique, true);
    match stored.strip_prefix(wanted.as_str())? {
        "" => Some(true),
        FILLING => Some(false),
        _ => None,
    }
}

/// A resource type with the numbers of its indexed paths.
#[derive(Debug)]
pub(crate) struct TypeIndex {
    pub(crate) resource_type: Arc<CompiledType>,
    /// The number of the type.
    pub(crate) number: i64,
    #[cfg(feature = "postgres")]
    /// The version of the set of paths, by which nodes of PostgreSQL notice that they disagree.
    generation: i64,
    paths: Vec<IndexedPath>,
}

/// An indexed attribute.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IndexedPath {
    pub(crate) attribute: AttributeId,
    /// The number of the path.
    pub(crate) number: i64,
    pub(crate) kind: KeyKind,
    pub(crate) unique: bool,
    /// Whether all resources have their rows. Until then no query uses them.
    pub(crate) ready: bool,
}

/// A row of the index, without the primary key of its resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct IndexRow {
    pub(crate) path: i64,
    pub(crate) value: Vec<u8>,
    /// The element of a multi-valued attribute, which ties the rows of its sub-attributes together: 0 for the only
    /// or the primary element, otherwise its place counted from 1.
    pub(crate) element: i64,
    /// Whether no other resource may have the same value.
    pub(crate) unique: bool,
}

impl TypeIndex {
    pub(crate) fn new(resource_type: Arc<CompiledType>, number: i64, mut paths: Vec<IndexedPath>) -> Self {
        paths.sort_unstable_by_key(|path| path.attribute);
        Self {
            resource_type,
            number,
            #[cfg(feature = "postgres")]
            generation: 0,
            paths,
        }
    }

    /// The same with a generation.
    #[cfg(feature = "postgres")]
    pub(crate) fn of(self, generation: i64) -> Self {
        Self { generation, ..self }
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn generation(&self) -> i64 {
        self.generation
    }

    /// The path of an attribute, if it is indexed and its backfill is complete.
    pub(crate) fn path(&self, attribute: AttributeId) -> Option<&IndexedPath> {
        let at = self.paths.binary_search_by_key(&attribute, |path| path.attribute).ok()?;
        self.paths.get(at).filter(|path| path.ready)
    }

    /// The numbers of the paths whose backfill is not complete.
    pub(crate) fn filling(&self) -> Vec<i64> {
        self.paths.iter().filter(|path| !path.ready).map(|path| path.number).collect()
    }

    /// Whether the backfill of a path is not complete.
    pub(crate) fn is_filling(&self, number: i64) -> bool {
        self.paths.iter().any(|path| path.number == number && !path.ready)
    }

    /// The same with all backfills complete.
    pub(crate) fn filled(&self) -> Self {
        let paths = self.paths.iter().map(|path| IndexedPath { ready: true, ..*path }).collect();
        Self { resource_type: Arc::clone(&self.resource_type), paths, ..*self }
    }

    /// The attribute path that a number stands for.
    pub(crate) fn spelling(&self, number: i64) -> &str {
        let path = self.paths.iter().find(|path| path.number == number);
        path.map_or("", |path| self.resource_type.attribute(path.attribute).path())
    }

    /// The rows of a body, in order and without duplicates.
    pub(crate) fn rows(&self, body: &Object) -> Vec<IndexRow> {
        self.rows_of(self.paths.iter(), body)
    }

    /// The rows that a change of a body removes, and those that it adds. No key is computed for an attribute that has
    /// the same value in both bodies.
    pub(crate) fn changed_rows(&self, old: &Object, new: &Object) -> Difference {
        let changed = || self.paths.iter().filter(|path| self.value(path, old) != self.value(path, new));
        Difference::new(&self.rows_of(changed(), old), &self.rows_of(changed(), new))
    }

    /// The value of the attribute that a path belongs to, with all its sub-attributes.
    fn value<'b>(&self, path: &IndexedPath, body: &'b Object) -> Option<&'b Value> {
        let def = self.resource_type.attribute(path.attribute);
        let attribute = def.parent().map_or(def, |parent| self.resource_type.attribute(parent));
        self.resource_type.owner_object(body, def.owner())?.get(attribute.name())
    }

    fn rows_of<'p>(&self, paths: impl Iterator<Item = &'p IndexedPath>, body: &Object) -> Vec<IndexRow> {
        let mut rows = Vec::with_capacity(paths.size_hint().1.unwrap_or_default());
        for path in paths {
            let def = self.resource_type.attribute(path.attribute);
            let Some(value) = self.value(path, body) else { continue };
            match def.parent() {
                None => {
                    let values = value.values().zip(0..).filter(|(value, _)| **value != Value::Null);
                    rows.extend(values.map(|(value, element)| path.row(value, element)));
                }
                Some(parent) => {
                    let parent = self.resource_type.attribute(parent);
                    let primary = primary(value);
                    for (at, element) in value.values().enumerate() {
                        let values = element.as_object().and_then(|element| element.get(def.name()));
                        let element = element_number(parent, at, primary);
                        let values = values.into_iter().flat_map(Value::values);
                        let values = values.filter(|value| **value != Value::Null);
                        rows.extend(values.map(|value| path.row(value, element)));
                    }
                }
            }
        }
        rows.sort_unstable();
        rows.dedup();
        // A resource does not conflict with itself: only one of its equal values is marked unique.
        let mut last: Option<(i64, Vec<u8>)> = None;
        for row in rows.iter_mut().filter(|row| row.unique) {
            if last.as_ref().is_some_and(|(path, value)| *path == row.path && *value == row.value) {
                row.unique = false;
            } else {
                last = Some((row.path, row.value.clone()));
            }
        }
        rows
    }
}

impl IndexedPath {
    fn row(&self, value: &Value, element: i64) -> IndexRow {
        let unique = self.unique && CompiledType::is_unique_value(value);
        IndexRow { path: self.number, value: self.kind.key(value), element, unique }
    }
}

/// The place of the primary element.
fn primary(values: &Value) -> Option<usize> {
    values.values().position(|element| {
        element.as_object().and_then(|element| element.get("primary")).and_then(Value::as_bool) == Some(true)
    })
}

fn element_number(parent: &AttributeDef, at: usize, primary: Option<usize>) -> i64 {
    if !parent.multi_valued() || primary == Some(at) {
        0
    } else {
        i64::try_from(at).unwrap_or(i64::MAX - 1) + 1
    }
}

/// The rows that a change of a body removes, and those that it adds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) remove: Vec<IndexRow>,
    pub(crate) add: Vec<IndexRow>,
}

impl Difference {
    /// Both lists are as [`TypeIndex::rows`] makes them: in order and without repetition.
    pub(crate) fn new(old: &[IndexRow], new: &[IndexRow]) -> Self {
        let missing = |row: &&IndexRow, other: &[IndexRow]| other.binary_search(row).is_err();
        Self {
            remove: old.iter().filter(|row| missing(row, new)).cloned().collect(),
            add: new.iter().filter(|row| missing(row, old)).cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use scim2_core::Registry;

    use super::*;

    #[test]
    fn an_attribute_whose_name_begins_as_meta_does_is_unique_like_any_other() {
        let schema = r#"{"id":"urn:example:1.0:Thing","attributes":[
            {"name":"metaNumber","type":"string","uniqueness":"server"}]}"#;
        let thing = r#"{"name":"Thing","endpoint":"/Things","schema":"urn:example:1.0:Thing"}"#;
        let schema = serde_json::from_str(schema).expect("a schema");
        let thing = serde_json::from_str(thing).expect("a resource type");
        let registry = Registry::with(vec![schema], vec![thing]).expect("compiles");
        let thing = registry.resource_type("Thing").expect("there");
        let indexed = |def: &&AttributeDef| is_indexed(thing, def, &Indexing::default());
        let paths: Vec<&str> = thing.attributes().iter().filter(indexed).map(AttributeDef::path).collect();
        assert_eq!(paths, ["externalId", "metaNumber"]);
    }

    #[test]
    fn changed_rows_agree_with_the_difference_of_all_rows() {
        let registry = Registry::standard();
        let user = registry.resource_type("User").expect("built in");
        let indexed = user.attributes().iter().filter(|def| is_indexed(user, def, &Indexing::default()));
        let paths = indexed.zip(1..).map(|(def, number)| IndexedPath {
            attribute: def.id(),
            number,
            kind: KeyKind::of(def).expect("it is indexed"),
            unique: user.is_unique(def.id()),
            ready: true,
        });
        let index = TypeIndex::new(Arc::clone(user), 1, paths.collect());
        let bodies: Vec<Object> = [
            r#"{"userName":"ada","active":true,"emails":[{"value":"a@x","type":"work"}],"name":{"givenName":"Ada"}}"#,
            r#"{"userName":"ADA","active":false,"emails":[{"value":"a@x","type":"work"}],"name":{"givenName":"Ada"}}"#,
            r#"{"userName":"ada","emails":[{"value":"b@x"},{"value":"a@x","type":"work","primary":true}]}"#,
            r#"{"userName":"ada","active":true,"emails":[{"value":"a@x","type":"work","primary":true}],
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"D"}}"#,
            r#"{"externalId":"x","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"E"}}"#,
        ]
        .map(|body| body.parse().expect("an object"))
        .into();
        for old in &bodies {
            for new in &bodies {
                let expected = Difference::new(&index.rows(old), &index.rows(new));
                assert_eq!(index.changed_rows(old, new), expected, "{old} {new}");
            }
        }
        let Difference { remove, add } = index.changed_rows(&bodies[0], &bodies[1]);
        assert_eq!((remove.len(), add.len()), (1, 1), "the name differs in case only: {remove:?} {add:?}");
    }
}
