use super::Meta;
use super::field::{typed, typed_resource};
use crate::urn;

typed! {
    /// A group ([RFC 7643 §4.2](https://www.rfc-editor.org/rfc/rfc7643#section-4.2)).
    pub struct Group {
        /// The schema URIs.
        pub schemas: Vec<String> = "schemas",
        /// The id that the service provider issued.
        pub id: Option<String> = "id",
        /// The id that the client issued.
        pub external_id: Option<String> = "externalId",
        /// The name of the group.
        pub display_name: String = "displayName",
        /// The members, users and groups.
        pub members: Vec<Member> = "members",
        /// What the service provider records.
        pub meta: Option<Meta> = "meta",
    }
}

typed_resource!(Group);

impl Group {
    /// A group without members.
    #[must_use]
    pub fn new(display_name: impl Into<String>) -> Self {
        Self { schemas: vec![urn::GROUP.to_owned()], display_name: display_name.into(), ..Self::default() }
    }
}

typed! {
    /// A member of a group.
    pub struct Member {
        /// The id of the member.
        pub value: Option<String> = "value",
        /// The URI of the member.
        pub reference: Option<String> = "$ref",
        /// The resource type of the member.
        pub type_: Option<String> = "type",
        /// A name of the member to show.
        pub display: Option<String> = "display",
    }
}

impl Member {
    /// The member with that id.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { value: Some(id.into()), ..Self::default() }
    }
}
