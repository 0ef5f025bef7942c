//! Users and what they may do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Meta, MetaError};

/// Somebody who may ask or write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The name.
    pub name: String,
    /// True when everything is allowed.
    pub admin: bool,
    /// Hash of the password, in whatever form the one who checks it makes it.
    pub password_hash: String,
    /// What is allowed, by database. One whose privileges were revoked stays listed with [`Privilege::None`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub privileges: BTreeMap<String, Privilege>,
}

/// What a user may do with a database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Privilege {
    /// Nothing.
    #[default]
    None,
    /// Ask.
    Read,
    /// Write.
    Write,
    /// Both.
    All,
}

impl Privilege {
    /// True when a user with this may ask.
    pub const fn can_read(self) -> bool {
        matches!(self, Self::Read | Self::All)
    }

    /// True when a user with this may write.
    pub const fn can_write(self) -> bool {
        matches!(self, Self::Write | Self::All)
    }

    /// What is left when `other` is taken away.
    const fn without(self, other: Self) -> Self {
        match (self.can_read() && !other.can_read(), self.can_write() && !other.can_write()) {
            (true, true) => Self::All,
            (true, false) => Self::Read,
            (false, true) => Self::Write,
            (false, false) => Self::None,
        }
    }
}

impl User {
    /// What the user may do with a database.
    pub fn privilege(&self, database: &str) -> Privilege {
        if self.admin { Privilege::All } else { self.privileges.get(database).copied().unwrap_or_default() }
    }
}

impl Meta {
    /// `CREATE USER`. One that exists is fine when `is_same_password` says so of its hash and it is as much an administrator.
    pub(super) fn create_user(
        &mut self,
        name: &str,
        admin: bool,
        password_hash: String,
        is_same_password: &dyn Fn(&str) -> bool,
    ) -> Result<(), MetaError> {
        if name.is_empty() {
            return Err(MetaError::UsernameRequired);
        }
        if let Some(stands) = self.user(name) {
            let same = stands.admin == admin && is_same_password(&stands.password_hash);
            return if same { Ok(()) } else { Err(MetaError::UserExists) };
        }
        self.users.push(User { name: name.to_owned(), admin, password_hash, privileges: BTreeMap::new() });
        Ok(())
    }

    /// `DROP USER`.
    pub(super) fn drop_user(&mut self, name: &str) -> Result<(), MetaError> {
        self.user_mut(name)?;
        self.users.retain(|u| u.name != name);
        Ok(())
    }

    /// `SET PASSWORD`.
    pub(super) fn set_password_hash(&mut self, name: &str, hash: String) -> Result<(), MetaError> {
        self.user_mut(name)?.password_hash = hash;
        Ok(())
    }

    /// `GRANT ALL PRIVILEGES TO` and `REVOKE ALL PRIVILEGES FROM`.
    pub(super) fn set_admin(&mut self, name: &str, admin: bool) -> Result<(), MetaError> {
        self.user_mut(name)?.admin = admin;
        Ok(())
    }

    /// `GRANT`: takes the place of what was granted before.
    pub(super) fn grant(&mut self, user: &str, database: &str, privilege: Privilege) -> Result<(), MetaError> {
        self.user_mut(user)?;
        self.database_mut(database)?;
        self.user_mut(user)?.privileges.insert(database.to_owned(), privilege);
        Ok(())
    }

    /// `REVOKE`.
    pub(super) fn revoke(&mut self, user: &str, database: &str, privilege: Privilege) -> Result<(), MetaError> {
        let stands = self.user_mut(user)?.privileges.get(database).copied().unwrap_or_default();
        self.grant(user, database, stands.without(privilege))
    }
}
