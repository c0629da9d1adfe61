//! SCIM 2.0 resource store on SQLite: group commit, members as rows, filters in SQL
