use super::field::typed;

typed! {
    /// The enterprise extension of a user
    /// ([RFC 7643 §4.3](https://www.rfc-editor.org/rfc/rfc7643#section-4.3)).
    pub struct EnterpriseUser {
        /// The number the organization has given to the person.
        pub employee_number: Option<String> = "employeeNumber",
        /// The cost center.
        pub cost_center: Option<String> = "costCenter",
        /// The organization.
        pub organization: Option<String> = "organization",
        /// The division.
        pub division: Option<String> = "division",
        /// The department.
        pub department: Option<String> = "department",
        /// The manager.
        pub manager: Option<Manager> = "manager",
    }
}

impl EnterpriseUser {
    /// An extension without attributes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

typed! {
    /// The manager of a person, another user.
    pub struct Manager {
        /// The id of the manager's account.
        pub value: Option<String> = "value",
        /// The URI of the manager's account.
        pub reference: Option<String> = "$ref",
        /// The manager's display name; only the service provider writes it.
        pub display_name: Option<String> = "displayName",
    }
}

impl Manager {
    /// The manager with that account.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { value: Some(id.into()), ..Self::default() }
    }
}
