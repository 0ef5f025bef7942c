//! Users and what they may do. Passwords leave this file as hashes only.

use catalog::Privilege;
use influxql::ast::{self, Statement};

use crate::failure::Failure;
use crate::password;
use crate::task::Task;

pub(super) fn run(task: &Task<'_>, statement: &Statement) -> Result<(), Failure> {
    use Statement as S;
    let catalog = &task.parts.catalog;
    match statement {
        S::CreateUser { name, password, admin } => {
            let is_same = |hash: &str| password::matches(password, hash);
            Ok(catalog.create_user(name, *admin, hashed(password)?, &is_same)?)
        }
        S::DropUser { name } => Ok(catalog.drop_user(name)?),
        S::SetPassword { name, password } => Ok(catalog.set_password_hash(name, hashed(password)?)?),
        S::Grant { privilege, database: Some(database), user } => Ok(catalog.grant(user, database, of(*privilege))?),
        S::Grant { user, .. } => Ok(catalog.set_admin(user, true)?),
        S::Revoke { privilege, database: Some(database), user } => {
            Ok(catalog.revoke(user, database, of(*privilege))?)
        }
        S::Revoke { user, .. } => Ok(catalog.set_admin(user, false)?),
        other => Err(Failure::message(format!("not supported: {other}"))),
    }
}

fn hashed(password: &str) -> Result<String, Failure> {
    password::hash(password).map_err(|e| Failure::message(e.to_string()))
}

const fn of(privilege: ast::Privilege) -> Privilege {
    match privilege {
        ast::Privilege::Read => Privilege::Read,
        ast::Privilege::Write => Privilege::Write,
        ast::Privilege::All => Privilege::All,
    }
}
