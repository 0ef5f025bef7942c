//! Changes of databases and users: each is durable when its method returns, or not made at all.

use std::sync::{Arc, PoisonError};

use super::{Meta, MetaError, PolicySpec, Privilege, Subscription};
use crate::{Catalog, CatalogError, Durable};

impl Catalog {
    /// Databases and users as they are now. Cheap; does not change in the caller's hands.
    pub fn meta(&self) -> Arc<Meta> {
        Arc::clone(&self.meta.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// `CREATE DATABASE`, with the name and settings of its default policy where some were given. One that exists with the
    /// same settings is fine.
    ///
    /// # Errors
    /// [`MetaError`]: nothing was changed.
    pub fn create_database(&self, name: &str, policy: Option<(Option<&str>, &PolicySpec)>) -> Result<(), MetaError> {
        let mut durable = self.durable();
        self.change_meta_holding(&mut durable, |meta| meta.create_database(name, policy))?;
        Ok(self.add_buckets(&mut durable)?)
    }

    /// `CREATE RETENTION POLICY`. One that exists with the same settings is fine.
    ///
    /// # Errors
    /// [`MetaError`]: nothing was changed.
    pub fn create_policy(
        &self,
        database: &str,
        name: &str,
        spec: &PolicySpec,
        make_default: bool,
    ) -> Result<(), MetaError> {
        let mut durable = self.durable();
        self.change_meta_holding(&mut durable, |meta| meta.create_policy(database, name, spec, make_default))?;
        Ok(self.add_buckets(&mut durable)?)
    }

    /// `ALTER RETENTION POLICY`.
    ///
    /// # Errors
    /// [`MetaError`]: nothing was changed.
    pub fn alter_policy(
        &self,
        database: &str,
        name: &str,
        spec: &PolicySpec,
        make_default: bool,
    ) -> Result<(), MetaError> {
        self.change_meta(|meta| meta.alter_policy(database, name, spec, make_default))
    }

    /// `CREATE CONTINUOUS QUERY`; `text` is the whole statement in normal form. The same once more is fine.
    ///
    /// # Errors
    /// [`MetaError`]: nothing was changed.
    pub fn create_continuous_query(&self, database: &str, name: &str, text: &str) -> Result<(), MetaError> {
        self.change_meta(|meta| meta.create_continuous_query(database, name, text))
    }

    /// `DROP CONTINUOUS QUERY`. One that does not exist is fine.
    ///
    /// # Errors
    /// [`MetaError::NotStored`]: nothing was changed.
    pub fn drop_continuous_query(&self, database: &str, name: &str) -> Result<(), MetaError> {
        self.change_meta(|meta| {
            meta.drop_continuous_query(database, name);
            Ok(())
        })
    }

    /// `CREATE USER`. One that exists is fine when `is_same_password` says so of its hash and it is as much an administrator.
    ///
    /// # Errors
    /// [`MetaError`]: nothing was changed.
    pub fn create_user(
        &self,
        name: &str,
        admin: bool,
        password_hash: String,
        is_same_password: &dyn Fn(&str) -> bool,
    ) -> Result<(), MetaError> {
        self.change_meta(|meta| meta.create_user(name, admin, password_hash, is_same_password))
    }

    /// `DROP USER`.
    ///
    /// # Errors
    /// [`MetaError`]: nothing was changed.
    pub fn drop_user(&self, name: &str) -> Result<(), MetaError> {
        self.change_meta(|meta| meta.drop_user(name))
    }

    /// `SET PASSWORD`.
    ///
    /// # Errors
    /// [`MetaError`]: nothing was changed.
    pub fn set_password_hash(&self, name: &str, hash: String) -> Result<(), MetaError> {
        self.change_meta(|meta| meta.set_password_hash(name, hash))
    }

    /// `GRANT ALL PRIVILEGES TO` and `REVOKE ALL PRIVILEGES FROM`.
    ///
    /// # Errors
    /// [`MetaError`]: nothing was changed.
    pub fn set_admin(&self, name: &str, admin: bool) -> Result<(), MetaError> {
        self.change_meta(|meta| meta.set_admin(name, admin))
    }

    /// `GRANT`: takes the place of what the user was granted on this database before.
    ///
    /// # Errors
    /// [`MetaError`]: nothing was changed.
    pub fn grant(&self, user: &str, database: &str, privilege: Privilege) -> Result<(), MetaError> {
        self.change_meta(|meta| meta.grant(user, database, privilege))
    }

    /// `REVOKE`.
    ///
    /// # Errors
    /// [`MetaError`]: nothing was changed.
    pub fn revoke(&self, user: &str, database: &str, privilege: Privilege) -> Result<(), MetaError> {
        self.change_meta(|meta| meta.revoke(user, database, privilege))
    }

    /// `CREATE SUBSCRIPTION`.
    ///
    /// # Errors
    /// [`MetaError`]: nothing was changed.
    pub fn create_subscription(
        &self,
        database: &str,
        policy: &str,
        subscription: Subscription,
    ) -> Result<(), MetaError> {
        self.change_meta(|meta| meta.create_subscription(database, policy, subscription))
    }

    /// `DROP SUBSCRIPTION`.
    ///
    /// # Errors
    /// [`MetaError`]: nothing was changed.
    pub fn drop_subscription(&self, database: &str, policy: &str, name: &str) -> Result<(), MetaError> {
        self.change_meta(|meta| meta.drop_subscription(database, policy, name))
    }

    /// Gives a bucket to every policy that has none.
    pub(crate) fn add_buckets(&self, durable: &mut Durable) -> Result<(), CatalogError> {
        let meta = self.meta();
        for database in meta.databases() {
            for policy in &database.policies {
                self.add_bucket(durable, &database.name, &policy.name)?;
            }
        }
        Ok(())
    }

    fn change_meta(&self, change: impl FnOnce(&mut Meta) -> Result<(), MetaError>) -> Result<(), MetaError> {
        self.change_meta_holding(&mut self.durable(), change)
    }

    /// Changes a copy, makes it durable, then shows it. The caller holds what is durable, so changes follow each other.
    fn change_meta_holding(
        &self,
        durable: &mut Durable,
        change: impl FnOnce(&mut Meta) -> Result<(), MetaError>,
    ) -> Result<(), MetaError> {
        let mut after = Meta::clone(&self.meta());
        change(&mut after)?;
        Ok(self.store_meta(durable, after)?)
    }

    /// Makes `after` durable, then visible.
    pub(crate) fn store_meta(&self, durable: &mut Durable, after: Meta) -> Result<(), CatalogError> {
        if after != *self.meta() {
            durable.meta.save(&after)?;
            *self.meta.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(after);
        }
        Ok(())
    }
}
