//! The client against our own service provider, in one process.

use bytes::Bytes;
use http::request::Parts;
use http_body_util::{BodyExt, Full};
use scim2_client::{
    BaseUrl, BearerToken, Client, FnTransport, RetrieveOptions, Retrieved, Transport, TransportError,
    WriteOptions, Written,
};
use scim2_core::discovery::ServiceProviderConfig;
use scim2_core::resource::{Email, Group, Member, User};
use scim2_core::schema::{ResourceType, Schema};
use scim2_core::{Object, ScimType, Version};
use scim2_patch::PatchOp;
use scim2_protocol::{BulkOperation, BulkRequest, Projection, QueryParameters};
use scim2_server::{Access, AuthError, Authenticator, MemoryStore, Principal, ServiceProvider, TenantId};

const BASE: &str = "https://example.com/scim/v2";

struct OneToken;

impl Authenticator for OneToken {
    async fn authenticate(&self, head: &Parts) -> Result<Principal, AuthError> {
        match head.headers.get("authorization") {
            Some(header) if header == "Bearer s3cret" => Ok(Principal {
                tenant: TenantId::parse("default").unwrap(),
                actor: "test".into(),
                access: Access::Write,
                resource: None,
            }),
            Some(_) => Err(AuthError::Invalid),
            None => Err(AuthError::Missing),
        }
    }
}

/// A client of a service provider with nobody in it.
fn client() -> Client<impl Transport> {
    let service = ServiceProvider::builder(MemoryStore::new())
        .options(|options| options.base_url = scim2_server::BaseUrl::fixed(BASE))
        .build()
        .service(OneToken);
    let transport = FnTransport(move |request: http::Request<Bytes>| {
        let service = service.clone();
        async move {
            let (head, body) = service.handle(request.map(Full::new)).await.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            Ok::<_, TransportError>(http::Response::from_parts(head, body))
        }
    });
    Client::new(transport, BaseUrl::parse(BASE).unwrap()).bearer_token(BearerToken::new("s3cret").unwrap())
}

fn default<T: Default>() -> T {
    T::default()
}

#[tokio::test]
async fn a_user_from_hire_to_leave() {
    let client = client();
    let users = client.of::<User>();
    let mut ada = User::new("ada@example.com");
    ada.emails.push(Email::new("ada@example.com").with_type("work"));
    ada.active = Some(true);

    let created = users.create(&ada, &default()).await.unwrap();
    let id = created.resource.id.clone().unwrap();
    assert_eq!(created.location, Some(format!("{BASE}/Users/{id}")));
    let first = created.version.clone().unwrap();
    let taken = users.create(&ada, &default()).await.unwrap_err();
    assert_eq!((taken.status().unwrap().as_u16(), taken.scim_type()), (409, Some(&ScimType::Uniqueness)));

    let unchanged = RetrieveOptions { if_none_match: Some(first.clone()), ..default() };
    assert_eq!(users.retrieve(&id, &unchanged).await.unwrap(), Retrieved::NotModified);

    let patch = PatchOp::new().replace("active", false).unwrap().add("title", "Countess").unwrap();
    let all = WriteOptions { if_match: Some(first.clone()), ..default() };
    let patched = users.patch(&id, &patch, &all).await.unwrap().done().flatten().unwrap();
    assert_eq!((patched.resource.active, patched.resource.title.as_deref()), (Some(false), Some("Countess")));
    assert_eq!(users.patch(&id, &patch, &all).await.unwrap(), Written::VersionMismatch);
    assert_eq!(users.delete(&id, &all).await.unwrap(), Written::VersionMismatch);

    let mut changed = users.retrieve(&id, &unchanged).await.unwrap().found().unwrap();
    assert_eq!(changed.version, patched.version);
    changed.resource.title = None;
    let now = WriteOptions { if_match: changed.version, ..default() };
    let replaced = users.replace(&id, &changed.resource, &now).await.unwrap().done().unwrap();
    assert_eq!((replaced.resource.title, replaced.resource.emails.len()), (None, 1));

    assert_eq!(users.delete(&id, &default()).await.unwrap(), Written::Done(()));
    assert_eq!(users.delete(&id, &default()).await.unwrap(), Written::Missing);
    assert_eq!(users.retrieve(&id, &default()).await.unwrap(), Retrieved::Missing);
}

#[tokio::test]
async fn a_group_and_its_members() {
    let client = client();
    let ada = client.of::<User>().create(&User::new("ada"), &default()).await.unwrap();
    let id = ada.resource.id.unwrap();
    let mut tour = Group::new("Tour");
    tour.members.push(Member::new(id.as_str()));
    let tour = client.of::<Group>().create(&tour, &default()).await.unwrap().resource;
    assert_eq!(tour.members[0].value, Some(id.clone()));
    let ada = client.of::<User>().retrieve(&id, &default()).await.unwrap().found().unwrap().resource;
    assert_eq!(ada.groups[0].value, tour.id);

    let remove = PatchOp::new().remove(&format!("members[value eq \"{id}\"]")).unwrap();
    let path = tour.id.as_deref().unwrap();
    let answer = client.of::<Group>().patch(path, &remove, &default()).await.unwrap();
    assert_eq!(answer, Written::Done(None), "204 on groups");
    let without = RetrieveOptions {
        projection: Projection::ExcludedAttributes(vec!["members".parse().unwrap()]),
        ..default()
    };
    let tour = client.of::<Group>().retrieve(path, &without).await.unwrap().found().unwrap().resource;
    assert!(tour.members.is_empty());
}

#[tokio::test]
async fn s_3_4_3_04_pages_by_get_and_by_search_agree() {
    let client = client();
    for number in 0..25 {
        client.of::<User>().create(&User::new(format!("user{number:02}")), &default()).await.unwrap();
    }
    let query = QueryParameters {
        projection: Projection::Attributes(vec!["userName".parse().unwrap()]),
        filter: Some("userName sw \"user1\" or userName sw \"user2\"".to_owned()),
        sort_by: Some("userName".parse().unwrap()),
        sort_order: scim2_protocol::SortOrder::Descending,
        count: Some(4),
        ..default()
    };
    let users = client.endpoint::<Object>("/Users");
    let mut names = [Vec::new(), Vec::new()];
    for (mut pages, names) in
        [users.pages(query.clone()), users.search_pages(query)].into_iter().zip(&mut names)
    {
        let mut sizes = Vec::new();
        while let Some(page) = pages.next_page().await.unwrap() {
            assert_eq!(page.total_results, Some(15));
            sizes.push(page.resources.len());
            names.extend(page.resources.iter().map(|user| user.get_str("userName").unwrap().to_owned()));
            assert!(page.resources.iter().all(|user| user.contains("schemas") && !user.contains("meta")));
        }
        assert_eq!(sizes, [4, 4, 4, 3]);
    }
    assert_eq!(names[0], names[1]);
    let expected: Vec<String> = (10..25).rev().map(|number| format!("user{number:02}")).collect();
    assert_eq!(names[0], expected);
}

#[tokio::test]
async fn s_3_7_2_02_bulk_with_references() {
    let client = client();
    let mut tour = Group::new("Tour");
    tour.members.push(Member::new(BulkOperation::reference("ada")));
    let request = BulkRequest::new(vec![
        BulkOperation::create("/Groups", "tour", tour.to_object()),
        BulkOperation::create("/Users", "ada", User::new("ada").to_object()),
        BulkOperation::delete("/Users/nobody").if_match(&Version::from(1)),
    ]);
    let response = client.bulk(&request).await.unwrap();
    let statuses: Vec<u16> = response.operations.iter().map(|operation| operation.status.as_u16()).collect();
    assert_eq!(statuses.len(), 3);
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 2, "{statuses:?}");
    let failed = response.operations.iter().find_map(|operation| operation.error()).unwrap();
    assert_eq!(failed.status, 404);
    let groups = client.of::<Group>().query(&default()).await.unwrap();
    let users = client.of::<User>().query(&default()).await.unwrap();
    assert_eq!(groups.resources[0].members[0].value, users.resources[0].id);
}

#[tokio::test]
async fn s_4_discovery() {
    let client = client();
    let config: ServiceProviderConfig = client.service_provider_config().await.unwrap();
    assert!(config.patch.supported && config.etag.supported);
    let schemas: Vec<Schema> = client.schemas().await.unwrap();
    for schema in &schemas {
        assert_eq!(client.schema::<Schema>(schema.id.as_str()).await.unwrap().as_ref(), Some(schema));
    }
    let types: Vec<ResourceType> = client.resource_types().await.unwrap();
    assert!(types.iter().any(|type_| type_.endpoint == "/Users"));
    assert!(client.resource_type::<ResourceType>("Group").await.unwrap().is_some());
    assert!(client.resource_type::<ResourceType>("Nothing").await.unwrap().is_none());
}

#[tokio::test]
async fn refused_call_returns_status_keyword_and_detail() {
    let client = client();
    let users = client.endpoint::<Object>("/Users");
    let query = QueryParameters { filter: Some("userName regex \"x\"".to_owned()), ..default() };
    for error in [users.query(&query).await.unwrap_err(), users.search(&query).await.unwrap_err()] {
        assert_eq!(
            (error.status().unwrap().as_u16(), error.scim_type()),
            (400, Some(&ScimType::InvalidFilter))
        );
    }
    let stranger = client.bearer_token(BearerToken::new("wrong").unwrap());
    let error = stranger.endpoint::<Object>("/Users").query(&default()).await.unwrap_err();
    assert_eq!(error.status().unwrap(), 401);
    assert!(error.error_response().is_some());
    assert!(!error.to_string().contains("wrong"), "{error}");
}

/// RFC 9865: the pages follow the cursor, by GET and by POST.
#[tokio::test]
async fn p_2_05_p_3_01_the_pages_of_a_query_by_cursor() {
    let client = client();
    let users = client.of::<User>();
    let mut ids = Vec::new();
    for number in 0..10 {
        let created = users.create(&User::new(format!("user{number}")), &default()).await.unwrap();
        ids.push(created.resource.id.unwrap());
    }
    let query = QueryParameters { cursor: Some(String::new()), count: Some(3), ..default() };
    for mut pages in [users.pages(query.clone()), users.search_pages(query)] {
        let mut seen = Vec::new();
        while let Some(page) = pages.next_page().await.unwrap() {
            assert_eq!((page.start_index, page.total_results), (None, Some(10)));
            seen.extend(page.resources.into_iter().map(|user| user.id.unwrap()));
        }
        assert_eq!(seen, ids);
    }
}
