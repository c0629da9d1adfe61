//! An application with a user table of its own learns SCIM.
//!
//! ```sh
//! cargo run -p scim2-server --example axum # it prints a line with curl to try
//! ```
//!
//! The application writes only [`Accounts`], which converts an account into a SCIM User and back. Filters,
//! sorting, paging, PATCH, Bulk, versions and discovery come from `scim2-server`, tokens from `scim2-auth`.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::routing::get;
use chrono::{DateTime, Utc};
use scim2_auth::{BearerTokens, MemoryTokens, TokenSecret};
use scim2_core::{Compat, CompiledType, Object, Registry, ResourceId, Value, Version};
use scim2_server::store::{Body, Include, Outcome, Write};
use scim2_server::{
    Access, BaseUrl, Context, Principal, ResourceStore, ServiceProvider, StoreError, StoredResource, TenantId,
};

/// A row of the table, as the application has always had it.
#[derive(Clone)]
struct Account {
    login: String,
    mail: Option<String>,
    full_name: Option<String>,
    enabled: bool,
    revision: u64,
    created: DateTime<Utc>,
    changed: DateTime<Utc>,
}

/// The table; a database in real life.
#[derive(Clone, Default)]
struct Accounts(Arc<Mutex<BTreeMap<String, Account>>>);

impl Accounts {
    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<String, Account>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Account {
    /// What SCIM calls a User. Attributes that the table has no column for are not kept.
    fn to_user(&self, id: &str, resource_type: &Arc<CompiledType>) -> Result<StoredResource, StoreError> {
        let mut user = Object::new();
        user.insert("schemas", vec![resource_type.schema().as_str()]);
        user.insert("id", id);
        user.insert("userName", self.login.as_str());
        user.insert("active", self.enabled);
        if let Some(name) = &self.full_name {
            user.insert("displayName", name.as_str());
        }
        if let Some(mail) = &self.mail {
            let mail = Object::from_iter([("value", Value::from(mail.as_str())), ("primary", true.into())]);
            user.insert("emails", vec![mail]);
        }
        Ok(StoredResource {
            resource_type: Arc::clone(resource_type),
            id: ResourceId::parse(id).map_err(StoreError::internal)?,
            version: Version::from(self.revision),
            created: self.created,
            last_modified: self.changed,
            body: Body::Object(user),
            never_returned: Some(Object::new()),
            members: None,
            groups: None,
        })
    }

    /// Takes over what a client wrote.
    fn update(&mut self, user: &Object, now: DateTime<Utc>) {
        self.login = user.get_str("userName").unwrap_or_default().to_owned();
        self.full_name = user.get_str("displayName").map(str::to_owned);
        self.enabled = user.get("active").and_then(Value::as_bool).unwrap_or(true);
        let mails = user.get("emails").and_then(Value::as_array).unwrap_or_default();
        let mail = mails.first().and_then(Value::as_object).and_then(|mail| mail.get_str("value"));
        self.mail = mail.map(str::to_owned);
        self.revision += 1;
        self.changed = now;
    }
}

/// `userName` is unique, whatever its letter case.
fn is_taken(accounts: &BTreeMap<String, Account>, id: &str, user: &Object) -> bool {
    let login = user.get_str("userName").unwrap_or_default().to_lowercase();
    accounts.iter().any(|(other, account)| other != id && account.login.to_lowercase() == login)
}

impl ResourceStore for Accounts {
    async fn create(&self, cx: &Context, write: Write) -> Result<StoredResource, StoreError> {
        self.with(|accounts| {
            if is_taken(accounts, write.id.as_str(), &write.body) {
                return Err(StoreError::uniqueness("userName"));
            }
            let mut account = Account {
                login: String::new(),
                mail: None,
                full_name: None,
                enabled: true,
                revision: 0,
                created: cx.now,
                changed: cx.now,
            };
            account.update(&write.body, cx.now);
            accounts.insert(write.id.to_string(), account.clone());
            account.to_user(write.id.as_str(), &write.resource_type)
        })
    }

    async fn retrieve(
        &self,
        _: &Context,
        resource_type: &Arc<CompiledType>,
        id: &str,
        _: Include,
    ) -> Result<Option<StoredResource>, StoreError> {
        self.with(|accounts| accounts.get(id).map(|account| account.to_user(id, resource_type)).transpose())
    }

    async fn replace(
        &self,
        cx: &Context,
        expected: &Version,
        write: Write,
    ) -> Result<Outcome<StoredResource>, StoreError> {
        let id = write.id.as_str();
        self.with(|accounts| {
            if is_taken(accounts, id, &write.body) {
                return Err(StoreError::uniqueness("userName"));
            }
            let Some(account) = accounts.get_mut(id) else { return Ok(Outcome::NotFound) };
            let revision = Version::from(account.revision);
            if revision != *expected {
                return Ok(Outcome::Conflict(revision));
            }
            if !write.changed.is_empty() {
                account.update(&write.body, cx.now);
            }
            account.to_user(id, &write.resource_type).map(Outcome::Done)
        })
    }

    async fn delete(
        &self,
        _: &Context,
        _: &Arc<CompiledType>,
        id: &str,
        expected: Option<&Version>,
    ) -> Result<Outcome<()>, StoreError> {
        self.with(|accounts| {
            let Some(account) = accounts.get(id) else { return Ok(Outcome::NotFound) };
            let revision = Version::from(account.revision);
            if expected.is_some_and(|expected| *expected != revision) {
                return Ok(Outcome::Conflict(revision));
            }
            accounts.remove(id);
            Ok(Outcome::Done(()))
        })
    }

    async fn list(
        &self,
        _: &Context,
        resource_type: &Arc<CompiledType>,
        after: Option<&ResourceId>,
        limit: usize,
        _: Include,
    ) -> Result<Vec<StoredResource>, StoreError> {
        let after = after.map_or("", ResourceId::as_str);
        self.with(|accounts| {
            let rest = accounts.iter().filter(|(id, _)| id.as_str() > after);
            rest.take(limit).map(|(id, account)| account.to_user(id, resource_type)).collect()
        })
    }
}

/// One token that may do everything. In real life the application stores the hash and the name of each token.
fn tokens(secret: &TokenSecret) -> BearerTokens<MemoryTokens> {
    let tokens = MemoryTokens::new();
    let principal = Principal {
        tenant: TenantId::default(),
        actor: "identity provider".into(),
        access: Access::Write,
        resource: None,
    };
    tokens.insert(secret.hash(), principal, None);
    BearerTokens::new(tokens)
}

/// The application: its own routes, and SCIM below `/scim/v2`.
fn app(accounts: Accounts, base: &str, secret: &TokenSecret) -> Result<Router, Box<dyn Error>> {
    // This application knows users and no groups.
    let (schemas, mut types) = Registry::standard_documents(&Compat::default());
    types.retain(|type_| type_.name == "User");
    let provider = ServiceProvider::builder(accounts.clone())
        .registry(Registry::with(schemas, types)?)
        .options(|options| options.base_url = BaseUrl::fixed(base))
        .build();
    let scim = provider.service(tokens(secret));
    let count = move || async move { accounts.with(|accounts| accounts.len()).to_string() };
    Ok(Router::new()
        .route("/", get(count))
        .route_service("/scim/v2", scim.clone())
        .route_service("/scim/v2/{*path}", scim))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    let base = format!("http://{}/scim/v2", listener.local_addr()?);
    let secret = TokenSecret::generate()?;
    println!("curl -H 'Authorization: Bearer {}' {base}/Users", secret.reveal());
    axum::serve(listener, app(Accounts::default(), &base, &secret)?).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use scim2_testkit::http::Endpoint;

    use super::*;

    /// What Okta's and Entra's checks do first: probe, create, find, switch off, delete.
    #[test]
    fn an_identity_provider_provisions_into_the_application() {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let accounts = Accounts::default();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let base = format!("http://{}/scim/v2", listener.local_addr().expect("an address"));
        let secret = TokenSecret::generate().expect("a token");
        let app = app(accounts.clone(), &base, &secret).expect("an application");
        std::thread::spawn(move || runtime.block_on(async { axum::serve(listener, app).await }));

        let scim = Endpoint::new(&base, secret.reveal()).expect("an endpoint");
        let send = |method: &str, path: &str, body: Option<serde_json::Value>| {
            let answer = scim.call(method, path, body.as_ref()).expect("an answer");
            let json = answer.json().unwrap_or_default();
            (answer.status, json)
        };
        let user = serde_json::json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada@example.com",
            "displayName": "Ada", "emails": [{ "value": "ada@example.com", "primary": true }],
        });
        assert_eq!(send("GET", "/Users?startIndex=1&count=2", None).1["totalResults"], 0);
        let (status, created) = send("POST", "/Users", Some(user.clone()));
        assert_eq!(status, 201);
        assert_eq!(send("POST", "/Users", Some(user)).0, 409);
        let found =
            send("GET", "/Users?filter=emails%5Bprimary%20eq%20true%5D.value%20sw%20%22ADA%22", None).1;
        assert_eq!(found["Resources"][0]["id"], created["id"]);
        let path = format!("/Users/{}", created["id"].as_str().expect("an id"));
        let off = serde_json::json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "Replace", "path": "active", "value": "False" }],
        });
        assert_eq!(send("PATCH", &path, Some(off)).1["active"], false);
        assert!(accounts.with(|accounts| accounts.values().all(|account| !account.enabled)));
        assert_eq!(send("DELETE", &path, None).0, 204);
        assert_eq!(accounts.with(|accounts| accounts.len()), 0);
    }
}
