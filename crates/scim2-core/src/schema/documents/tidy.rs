//! Brings a document into the form of RFC 7643, with a warning for each deviation, and an error for a deviation
//! that can mean more than one thing.

use crate::schema::AttributeType;
use crate::value::{Object, Value};

/// A document whose members have the names and types that [`Schema`](super::Schema) and
/// [`ResourceType`](super::ResourceType) deserialize.
pub(super) struct Tidied {
    /// The document in the words of an error line.
    pub(super) place: String,
    pub(super) object: Object,
}

pub(super) fn schema(object: &Object, warnings: &mut Vec<String>) -> Result<Tidied, String> {
    document("schema", "id", object, SCHEMA, warnings)
}

pub(super) fn resource_type(object: &Object, warnings: &mut Vec<String>) -> Result<Tidied, String> {
    document("resource type", "name", object, RESOURCE_TYPE, warnings)
}

fn document(
    kind: &str,
    identity: &str,
    object: &Object,
    keys: Keys,
    warnings: &mut Vec<String>,
) -> Result<Tidied, String> {
    let place = match object.get_str(identity) {
        Some(text) if !text.is_empty() => format!("{kind} `{}`", text.escape_debug()),
        _ => kind.to_owned(),
    };
    let mut tidying = Tidying { object, place, warnings };
    let object = tidying.tidied(keys)?;
    Ok(Tidied { place: tidying.place, object })
}

type Keys = &'static [(&'static str, Kind)];

/// What a member holds.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    /// A text that must be there; the words say what it is.
    Needed(&'static str),
    Boolean,
    Texts,
    /// One of a closed set.
    Keyword(&'static [&'static str]),
    Type,
    Uniqueness,
    TypeId,
    Endpoint,
    Attributes,
    Extensions,
    /// A member that RFC 7643 knows and that says nothing here.
    Skipped,
}

// Members are read, and warned of, in the order of these tables.

const SCHEMA: Keys = &[
    ("schemas", Kind::Skipped),
    ("id", Kind::Needed("the URI of the schema")),
    ("name", Kind::Text),
    ("description", Kind::Text),
    ("attributes", Kind::Attributes),
    ("meta", Kind::Skipped),
];

const RESOURCE_TYPE: Keys = &[
    ("schemas", Kind::Skipped),
    ("name", Kind::Needed("its name")),
    ("id", Kind::TypeId),
    ("endpoint", Kind::Endpoint),
    ("schema", Kind::Needed("the URI of its schema")),
    ("description", Kind::Text),
    ("schemaExtensions", Kind::Extensions),
    ("meta", Kind::Skipped),
];

const EXTENSION: Keys = &[("schema", Kind::Needed("the URI of the extension")), ("required", Kind::Boolean)];

const ATTRIBUTE: Keys = &[
    ("name", Kind::Text),
    ("multiValued", Kind::Boolean),
    ("description", Kind::Text),
    ("required", Kind::Boolean),
    ("caseExact", Kind::Boolean),
    ("canonicalValues", Kind::Texts),
    ("mutability", Kind::Keyword(&["readOnly", "readWrite", "immutable", "writeOnly"])),
    ("returned", Kind::Keyword(&["always", "never", "default", "request"])),
    ("uniqueness", Kind::Uniqueness),
    ("referenceTypes", Kind::Texts),
    ("subAttributes", Kind::Attributes),
    ("type", Kind::Type), // last, because the others can tell it
];

const TYPES: &[&str] =
    &["string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"];

/// Other words for a type.
const TYPE_ALIASES: [(&str, AttributeType); 2] =
    [("bool", AttributeType::Boolean), ("int", AttributeType::Integer)];

const SCOPES: &[&str] = &["none", "server", "global"];

/// One object, its place in the document, and the warnings so far.
struct Tidying<'o, 'w> {
    object: &'o Object,
    place: String,
    warnings: &'w mut Vec<String>,
}

impl Tidying<'_, '_> {
    fn tidied(&mut self, keys: Keys) -> Result<Object, String> {
        self.check_names(keys);
        let mut tidied = Object::new();
        for (key, kind) in keys {
            match (self.object.get(key).filter(|value| **value != Value::Null), kind) {
                (Some(value), _) => {
                    if let Some(value) = self.member(key, *kind, value)? {
                        tidied.insert(*key, value);
                    }
                }
                (None, Kind::Needed(what)) => return Err(self.missing(key, what)),
                (None, _) => {}
            }
        }
        Ok(tidied)
    }

    /// Warns of members that RFC 7643 does not know, and of names in another letter case than its own.
    fn check_names(&mut self, keys: Keys) {
        for (name, _) in self.object.iter().filter(|(name, _)| keys.iter().all(|(key, _)| key != name)) {
            let shown = name.escape_debug().to_string();
            match keys.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)) {
                Some((key, _)) => self.warn(&shown, &format!("read as `{key}`")),
                None => self.warn(&shown, "no key of RFC 7643 §6 and §7 at this place, ignored"),
            }
        }
    }

    fn member(&mut self, key: &str, kind: Kind, value: &Value) -> Result<Option<Value>, String> {
        let tidied = match (kind, value) {
            (Kind::Skipped, _) => return Ok(None),
            (Kind::Needed(what), Value::String(text)) if text.is_empty() => {
                return Err(self.missing(key, what));
            }
            (Kind::Text | Kind::Needed(_), Value::String(text)) => text.as_str().into(),
            (Kind::TypeId, Value::String(id)) => {
                if self.object.get_str("name") != Some(id) {
                    let shown = id.escape_debug();
                    self.warn(key, &format!("`{shown}` is not kept, the id of a resource type is its name"));
                }
                return Ok(None);
            }
            (Kind::Endpoint, Value::String(text)) if !text.is_empty() && !text.contains([':', '/']) => {
                self.warn(key, &format!("read as `/{}`", text.escape_debug()));
                format!("/{text}").into()
            }
            (Kind::Endpoint, Value::String(text)) => text.as_str().into(),
            (Kind::Text | Kind::Needed(_) | Kind::TypeId | Kind::Endpoint, other) => {
                return Err(self.expected(key, "a string", other));
            }
            (Kind::Boolean, _) => self.boolean(key, value)?.into(),
            (Kind::Texts, _) => self.texts(key, value)?.into(),
            (Kind::Attributes, _) => self.attributes(key, value)?.into(),
            (Kind::Extensions, _) => self.extensions(key, value)?.into(),
            (Kind::Type | Kind::Uniqueness | Kind::Keyword(_), value) if value.is_unassigned() => {
                return Ok(None);
            }
            (Kind::Keyword(words), _) => self.keyword(key, words, value)?.into(),
            (Kind::Type, _) => self.type_(key, value)?.into(),
            // A service provider cannot guard a scope that it does not know.
            (Kind::Uniqueness, Value::String(word))
                if !SCOPES.iter().any(|known| known.eq_ignore_ascii_case(word)) =>
            {
                let shown = word.escape_debug();
                self.warn(key, &format!("`{shown}` is unknown, read as `none`: equal values are accepted"));
                "none".into()
            }
            (Kind::Uniqueness, _) => self.keyword(key, SCOPES, value)?.into(),
        };
        Ok(Some(tidied))
    }

    fn boolean(&mut self, key: &str, value: &Value) -> Result<bool, String> {
        let told = match value {
            Value::Bool(told) => return Ok(*told),
            Value::String(text) if text.eq_ignore_ascii_case("true") => true,
            Value::String(text) if text.eq_ignore_ascii_case("false") => false,
            other => return Err(self.expected(key, "`true` or `false`", other)),
        };
        self.warn(key, &format!("a string is read as `{told}`"));
        Ok(told)
    }

    fn texts(&mut self, key: &str, value: &Value) -> Result<Vec<Value>, String> {
        let values = match value {
            Value::String(_) => {
                self.warn(key, "a string is read as an array of one");
                std::slice::from_ref(value)
            }
            Value::Array(values) => values,
            other => return Err(self.expected(key, "an array of strings", other)),
        };
        match values.iter().find(|value| !matches!(value, Value::String(_))) {
            Some(other) => Err(self.expected(key, "an array of strings", other)),
            None => Ok(values.to_vec()),
        }
    }

    /// A keyword in any letter case.
    fn keyword(&mut self, key: &str, words: &[&'static str], value: &Value) -> Result<&'static str, String> {
        let found = value.as_str().unwrap_or(value.kind());
        let Some(word) = words.iter().find(|word| word.eq_ignore_ascii_case(found)) else {
            let (last, rest) = words.split_last().unwrap_or((&"", &[]));
            let expected = format!("`{}` or `{last}`", rest.join("`, `"));
            return Err(
                self.error(&format!("`{key}`: expected {expected}, found `{}`", found.escape_debug()))
            );
        };
        if *word != found {
            self.warn(key, &format!("`{}` is read as `{word}`", found.escape_debug()));
        }
        Ok(word)
    }

    fn type_(&mut self, key: &str, value: &Value) -> Result<&'static str, String> {
        let alias = value
            .as_str()
            .and_then(|found| TYPE_ALIASES.into_iter().find(|(word, _)| found.eq_ignore_ascii_case(word)));
        match alias {
            Some((word, type_)) => {
                self.warn(key, &format!("`{word}` is read as `{}`", type_.as_str()));
                Ok(type_.as_str())
            }
            None => self.keyword(key, TYPES, value),
        }
    }

    /// The JSON reader bounds the depth. A complex attribute in a complex one is refused when the resource type is
    /// compiled.
    fn attributes(&mut self, key: &str, value: &Value) -> Result<Vec<Value>, String> {
        let mut attributes = Vec::new();
        for value in self.list(key, "attributes", value)? {
            let object = value.as_object().ok_or_else(|| self.expected(key, "an array of objects", value))?;
            let name = object.get_str("name").ok_or_else(|| self.error("an attribute lacks its `name`"))?;
            let mut inner = self.within(object, &format!("attribute `{}`", name.escape_debug()));
            let mut attribute = inner.tidied(ATTRIBUTE)?;
            let is_given = |key| attribute.get(key).is_some_and(|value: &Value| !value.is_unassigned());
            let told =
                [("subAttributes", AttributeType::Complex), ("referenceTypes", AttributeType::Reference)]
                    .into_iter()
                    .find(|(key, _)| !attribute.contains("type") && is_given(key));
            if let Some((key, type_)) = told {
                let type_ = type_.as_str();
                inner.warn("type", &format!("missing, read as `{type_}` because of `{key}`"));
                attribute.insert("type", type_);
            }
            attributes.push(attribute.into());
        }
        Ok(attributes)
    }

    fn extensions(&mut self, key: &str, value: &Value) -> Result<Vec<Value>, String> {
        let mut extensions = Vec::new();
        for value in self.list(key, "extensions", value)? {
            let extension = match value {
                Value::Object(object) => self.within(object, &format!("`{key}`")).tidied(EXTENSION)?,
                Value::String(uri) => {
                    let shown = uri.escape_debug();
                    self.warn(key, &format!("`{shown}` is read as an extension that is not required"));
                    Object::from_iter([("schema", uri.as_str())])
                }
                other => return Err(self.expected(key, "an array of objects", other)),
            };
            extensions.push(extension.into());
        }
        Ok(extensions)
    }

    /// Documents of some kind; one alone stands for a list of one. An empty object is not one.
    fn list<'v>(&mut self, key: &str, of: &str, value: &'v Value) -> Result<&'v [Value], String> {
        match value {
            Value::Array(values) => Ok(values),
            Value::Object(one) if !one.is_empty() => {
                self.warn(key, "an object is read as an array of one");
                Ok(std::slice::from_ref(value))
            }
            other => {
                let empty = if matches!(other, Value::Object(_)) { " without members" } else { "" };
                let found = other.kind();
                Err(self.error(&format!("`{key}`: expected an array of {of}, found {found}{empty}")))
            }
        }
    }

    fn within<'i>(&mut self, object: &'i Object, place: &str) -> Tidying<'i, '_> {
        Tidying { object, place: format!("{}: {place}", self.place), warnings: self.warnings }
    }

    fn warn(&mut self, key: &str, message: &str) {
        self.warnings.push(format!("{}: `{key}`: {message}", self.place));
    }

    fn missing(&self, key: &str, what: &str) -> String {
        self.error(&format!("`{key}` is missing: expected {what}"))
    }

    fn expected(&self, key: &str, expected: &str, found: &Value) -> String {
        self.error(&format!("`{key}`: expected {expected}, found {}", found.kind()))
    }

    fn error(&self, message: &str) -> String {
        format!("{}: {message}", self.place)
    }
}
