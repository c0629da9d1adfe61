use super::field::{typed, typed_resource};
use super::{EnterpriseUser, Meta, Secret};
use crate::urn;
use crate::value::{Object, Value};

typed! {
    /// A user ([RFC 7643 §4.1](https://www.rfc-editor.org/rfc/rfc7643#section-4.1)), with the
    /// enterprise extension.
    ///
    /// ```
    /// use scim2_core::resource::{EnterpriseUser, User};
    ///
    /// let mut ada = User::new("ada");
    /// ada.enterprise = Some(EnterpriseUser::new());
    /// ada.password = Some("t1meMa$heen".into());
    /// let object = ada.to_object();
    /// assert_eq!(object.get("schemas").map(|uris| uris.values().len()), Some(2)); // the extension's too
    /// assert!(!format!("{ada:?}").contains("t1me"));
    /// ```
    pub struct User {
        /// The schema URIs. Writing adds the URI of the enterprise extension if it is used.
        pub schemas: Vec<String> = "schemas",
        /// The id that the service provider issued.
        pub id: Option<String> = "id",
        /// The id that the client issued.
        pub external_id: Option<String> = "externalId",
        /// The name the person signs in with.
        pub user_name: String = "userName",
        /// The parts of the person's name.
        pub name: Option<Name> = "name",
        /// The name shown to others.
        pub display_name: Option<String> = "displayName",
        /// What the person is called casually.
        pub nick_name: Option<String> = "nickName",
        /// The address of a page about the person.
        pub profile_url: Option<String> = "profileUrl",
        /// The job title.
        pub title: Option<String> = "title",
        /// The relation between the person and the organization.
        pub user_type: Option<String> = "userType",
        /// The languages the person reads, as in an Accept-Language header.
        pub preferred_language: Option<String> = "preferredLanguage",
        /// The locale, such as `en-US`.
        pub locale: Option<String> = "locale",
        /// The time zone, such as `Europe/Berlin`.
        pub timezone: Option<String> = "timezone",
        /// Whether the account is in use.
        pub active: Option<bool> = "active",
        /// A new password; never read back.
        pub password: Option<Secret> = "password",
        /// E-mail addresses.
        pub emails: Vec<Email> = "emails",
        /// Telephone numbers.
        pub phone_numbers: Vec<Labelled> = "phoneNumbers",
        /// Instant messaging addresses.
        pub ims: Vec<Labelled> = "ims",
        /// Pictures.
        pub photos: Vec<Photo> = "photos",
        /// Postal addresses.
        pub addresses: Vec<Address> = "addresses",
        /// The groups the person belongs to; only the service provider writes them.
        pub groups: Vec<GroupRef> = "groups",
        /// What the person is entitled to.
        pub entitlements: Vec<Labelled> = "entitlements",
        /// Roles.
        pub roles: Vec<Labelled> = "roles",
        /// Certificates.
        pub x509_certificates: Vec<X509Certificate> = "x509Certificates",
        /// The enterprise extension.
        pub enterprise: Option<EnterpriseUser> = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        /// What the service provider records.
        pub meta: Option<Meta> = "meta",
    }
    finish = list_extension;
}

typed_resource!(User);

impl User {
    /// A user of that name.
    #[must_use]
    pub fn new(user_name: impl Into<String>) -> Self {
        Self { schemas: vec![urn::USER.to_owned()], user_name: user_name.into(), ..Self::default() }
    }
}

/// `schemas` lists the enterprise extension if there is one.
fn list_extension(user: &User, object: &mut Object) {
    let listed = user.schemas.iter().any(|uri| uri.eq_ignore_ascii_case(urn::ENTERPRISE_USER));
    if user.enterprise.is_some() && !listed {
        match object.get_mut("schemas").and_then(Value::as_array_mut) {
            Some(schemas) => schemas.push(urn::ENTERPRISE_USER.into()),
            None => object.insert_first("schemas", vec![urn::USER, urn::ENTERPRISE_USER]),
        }
    }
}

typed! {
    /// The parts of a person's name.
    pub struct Name {
        /// The whole name as it is shown.
        pub formatted: Option<String> = "formatted",
        /// The family name.
        pub family_name: Option<String> = "familyName",
        /// The given name.
        pub given_name: Option<String> = "givenName",
        /// Names between the two.
        pub middle_name: Option<String> = "middleName",
        /// Titles before the name, such as `Ms.`.
        pub honorific_prefix: Option<String> = "honorificPrefix",
        /// Additions after the name, such as `III`.
        pub honorific_suffix: Option<String> = "honorificSuffix",
    }
}

impl Name {
    /// A name of a given and a family name.
    #[must_use]
    pub fn new(given_name: impl Into<String>, family_name: impl Into<String>) -> Self {
        Self { given_name: Some(given_name.into()), family_name: Some(family_name.into()), ..Self::default() }
    }
}

typed! {
    /// A value with a label: a telephone number, an address of instant messaging, a role, …
    pub struct Labelled {
        /// The value.
        pub value: Option<String> = "value",
        /// A label for people.
        pub display: Option<String> = "display",
        /// What it is for, such as `work`.
        pub type_: Option<String> = "type",
        /// Whether it is the preferred one; at most one is.
        pub primary: Option<bool> = "primary",
    }
}

typed! {
    /// An e-mail address.
    pub struct Email {
        /// The address.
        pub value: Option<String> = "value",
        /// A label for people.
        pub display: Option<String> = "display",
        /// What it is for, such as `work`.
        pub type_: Option<String> = "type",
        /// Whether it is the preferred one; at most one is.
        pub primary: Option<bool> = "primary",
    }
}

typed! {
    /// A picture of a person.
    pub struct Photo {
        /// The address of an image file.
        pub value: Option<String> = "value",
        /// A label for people.
        pub display: Option<String> = "display",
        /// What it is for: `photo` or `thumbnail`.
        pub type_: Option<String> = "type",
        /// Whether it is the preferred one; at most one is.
        pub primary: Option<bool> = "primary",
    }
}

typed! {
    /// A certificate issued to a person.
    pub struct X509Certificate {
        /// The certificate in DER, as base64.
        pub value: Option<String> = "value",
        /// A label for people.
        pub display: Option<String> = "display",
        /// What it is for.
        pub type_: Option<String> = "type",
        /// Whether it is the preferred one; at most one is.
        pub primary: Option<bool> = "primary",
    }
}

macro_rules! labelled {
    ($($name:ident)*) => {
        $(impl $name {
            /// The value alone.
            #[must_use]
            pub fn new(value: impl Into<String>) -> Self {
                Self { value: Some(value.into()), ..Self::default() }
            }

            /// Says what the value is for.
            #[must_use]
            pub fn with_type(mut self, type_: impl Into<String>) -> Self {
                self.type_ = Some(type_.into());
                self
            }

            /// Marks it as the preferred one.
            #[must_use]
            pub fn as_primary(mut self) -> Self {
                self.primary = Some(true);
                self
            }
        })*
    };
}

labelled!(Labelled Email Photo X509Certificate);

typed! {
    /// A postal address.
    pub struct Address {
        /// The whole address as it is printed on an envelope.
        pub formatted: Option<String> = "formatted",
        /// Street, house number, floor, post office box.
        pub street_address: Option<String> = "streetAddress",
        /// City or town.
        pub locality: Option<String> = "locality",
        /// State, province or region.
        pub region: Option<String> = "region",
        /// Postal code.
        pub postal_code: Option<String> = "postalCode",
        /// The country, a code of two letters.
        pub country: Option<String> = "country",
        /// What it is for, such as `work`.
        pub type_: Option<String> = "type",
        /// Whether it is the preferred one; at most one is.
        pub primary: Option<bool> = "primary",
    }
}

impl Address {
    /// An address that says nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

typed! {
    /// A group that a person belongs to.
    pub struct GroupRef {
        /// The id of the group.
        pub value: Option<String> = "value",
        /// The URI of the group.
        pub reference: Option<String> = "$ref",
        /// The group's name.
        pub display: Option<String> = "display",
        /// `direct`, or `indirect` through another group.
        pub type_: Option<String> = "type",
    }
}
