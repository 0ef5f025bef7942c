//! Statements about databases, retention policies, continuous queries, subscriptions and users.

use std::fmt::{self, Display, Formatter};

use super::quote::{Ident, Text};
use super::{clause, list};
use crate::ast::{ContinuousQuery, PolicyOptions, Privilege, Statement};
use crate::duration::format_duration;

/// Writes one of the statements of this file, and nothing for any other.
pub(super) fn write_statement(f: &mut Formatter<'_>, statement: &Statement) -> fmt::Result {
    use Statement as S;
    match statement {
        S::CreateDatabase { name, policy } => write_create_database(f, name, policy.as_ref()),
        S::DropDatabase { name } => write!(f, "DROP DATABASE {}", Ident(name)),
        S::CreateRetentionPolicy { name, database, options } => {
            write!(f, "CREATE RETENTION POLICY {} ON {}{options}", Ident(name), Ident(database))
        }
        S::AlterRetentionPolicy { name, database, options } => {
            write!(f, "ALTER RETENTION POLICY {} ON {}{options}", Ident(name), Ident(database))
        }
        S::DropRetentionPolicy { name, database } => {
            write!(f, "DROP RETENTION POLICY {} ON {}", Ident(name), Ident(database))
        }
        S::CreateContinuousQuery(query) => query.fmt(f),
        S::DropContinuousQuery { name, database } => {
            write!(f, "DROP CONTINUOUS QUERY {} ON {}", Ident(name), Ident(database))
        }
        S::CreateSubscription { name, database, policy, mode, destinations } => {
            write!(f, "CREATE SUBSCRIPTION {} ON {}.{}", Ident(name), Ident(database), Ident(policy))?;
            write!(f, " DESTINATIONS {mode} ")?;
            list(f, destinations.iter().map(|url| Text(url)))
        }
        S::DropSubscription { name, database, policy } => {
            write!(f, "DROP SUBSCRIPTION {} ON {}.{}", Ident(name), Ident(database), Ident(policy))
        }
        user => write_user_statement(f, user),
    }
}

fn write_user_statement(f: &mut Formatter<'_>, statement: &Statement) -> fmt::Result {
    use Statement as S;
    match statement {
        S::CreateUser { name, admin, .. } => {
            let admin = if *admin { " WITH ALL PRIVILEGES" } else { "" };
            write!(f, "CREATE USER {} WITH PASSWORD [REDACTED]{admin}", Ident(name))
        }
        S::DropUser { name } => write!(f, "DROP USER {}", Ident(name)),
        S::SetPassword { name, .. } => write!(f, "SET PASSWORD FOR {} = [REDACTED]", Ident(name)),
        S::Grant { privilege, database, user } => {
            write!(f, "GRANT {privilege}")?;
            clause(f, " ON ", database.as_deref().map(Ident))?;
            write!(f, " TO {}", Ident(user))
        }
        S::Revoke { privilege, database, user } => {
            write!(f, "REVOKE {privilege}")?;
            clause(f, " ON ", database.as_deref().map(Ident))?;
            write!(f, " FROM {}", Ident(user))
        }
        _ => Ok(()),
    }
}

fn write_create_database(f: &mut Formatter<'_>, name: &str, policy: Option<&PolicyOptions>) -> fmt::Result {
    write!(f, "CREATE DATABASE {}", Ident(name))?;
    let Some(options) = policy else { return Ok(()) };
    write!(f, " WITH{options}")?;
    clause(f, " NAME ", options.name.as_deref().map(Ident))
}

/// With a blank before each setting, and without the name, which stands elsewhere.
impl Display for PolicyOptions {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        clause(f, " DURATION ", self.duration.map(format_duration))?;
        clause(f, " REPLICATION ", self.replication)?;
        clause(f, " SHARD DURATION ", self.shard_duration.map(format_duration))?;
        f.write_str(if self.default { " DEFAULT" } else { "" })
    }
}

impl Display for ContinuousQuery {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "CREATE CONTINUOUS QUERY {} ON {}", Ident(&self.name), Ident(&self.database))?;
        if self.every.is_some() || self.resample_for.is_some() {
            f.write_str(" RESAMPLE")?;
        }
        clause(f, " EVERY ", self.every.map(format_duration))?;
        clause(f, " FOR ", self.resample_for.map(format_duration))?;
        write!(f, " BEGIN {} END", self.select)
    }
}

impl Display for Privilege {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "READ",
            Self::Write => "WRITE",
            Self::All => "ALL PRIVILEGES",
        })
    }
}
