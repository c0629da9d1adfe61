//! Lists of resources, as servers answer them.

use scim2_core::{Object, Value};

use super::line::lists;

/// The schema of a list that a SCIM server answers.
const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// What an object is.
pub(super) enum Listed {
    /// A resource, or whatever else is not a list.
    Not(Object),
    /// The resources of a ListResponse, whatever they are, and how many there are on all pages.
    Resources { resources: Vec<Value>, total: u64 },
    /// A list of another product; how it is made lines.
    Otherwise(String),
}

/// Looks whether an object is a list of resources.
pub(super) fn of(mut object: Object, is_attribute: impl Fn(&str) -> bool) -> Listed {
    let is_list = |value: &Value| match value {
        Value::Array(values) => !values.is_empty() && values.iter().all(|value| value.as_object().is_some()),
        _ => false,
    };
    let is_bare = !object.contains("schemas") && object.get("Resources").is_some_and(is_list);
    if lists(&object, LIST_RESPONSE) || is_bare {
        let total = match object.get("totalResults") {
            Some(Value::Number(total)) => total.to_string().parse().unwrap_or_default(),
            _ => 0,
        };
        let resources = match object.remove("Resources") {
            Some(Value::Array(resources)) => resources,
            _ => Vec::new(),
        };
        return Listed::Resources { resources, total };
    }
    // A resource says its schemas. What does not, and holds a list of objects, is an envelope.
    if object.contains("schemas") || object.contains("meta") || object.contains("userName") {
        return Listed::Not(object);
    }
    let holder = ["value", "values", "data", "items", "results", "users", "groups"]
        .into_iter()
        .filter(|name| !is_attribute(name))
        .find(|name| object.get_key_value(name).is_some_and(|(_, value)| is_list(value)));
    match holder.and_then(|name| object.get_key_value(name)).map(|(name, _)| name.to_owned()) {
        None => Listed::Not(object),
        Some(name) => Listed::Otherwise(format!(
            "is a list that a server answered, and not a ListResponse; `jq -c '.{name}[]' FILE | scim2 import --type \
             User -` reads the resources in it"
        )),
    }
}
