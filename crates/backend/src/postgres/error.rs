//! What goes wrong with PostgreSQL, sorted by what the writer may do about it. The class of an error is its SQLSTATE; messages are
//! the server's own words, which hold no password.

use std::error::Error as _;
use std::time::Duration;

use model::HumanDuration;
use postgres::error::{DbError, SqlState};
use query::QueryError;

use crate::{Blame, WriteError};

/// Why work on a connection ended.
#[derive(Debug)]
pub(super) enum Failure {
    /// PostgreSQL, or the way to it.
    Postgres(postgres::Error),
    /// The certificate files.
    Tls(tls::TlsError),
    /// No answer within this time.
    Silent(Duration),
    /// So many connections are waiting for answers that no further one is opened.
    Crowded(usize),
    /// The thread of the connection is gone, or cannot be started.
    Thread,
    /// What a writer shall be told as it is.
    Write(WriteError),
    /// What whoever asks shall be told as it is.
    Query(QueryError),
}

impl From<postgres::Error> for Failure {
    fn from(error: postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

/// Points that can never be stored.
pub(super) fn points(message: impl Into<String>) -> WriteError {
    WriteError::points(message)
}

impl Failure {
    /// The SQLSTATE, where the server sent one.
    pub(super) fn code(&self) -> Option<&SqlState> {
        match self {
            Self::Postgres(error) => error.code(),
            _ => None,
        }
    }

    /// Whether values were the trouble (class 22), such as a sum that is too large.
    pub(super) fn is_of_data(&self) -> bool {
        self.code().is_some_and(|code| code.code().starts_with("22"))
    }

    /// For a writer or a probe; `at` is where the server is.
    pub(super) fn into_write_error(self, at: &str) -> WriteError {
        match self {
            Self::Write(error) => error,
            Self::Postgres(error) => of_postgres(&error, at),
            Self::Tls(error) => WriteError::Denied { message: format!("PostgreSQL at {at}: {error}") },
            other => WriteError::Away { message: format!("PostgreSQL at {at}: {}", other.what()) },
        }
    }

    /// For whoever asked.
    pub(super) fn into_query_error(self, at: &str) -> QueryError {
        match self {
            Self::Query(error) => error,
            Self::Postgres(error) => match error.as_db_error() {
                Some(db) => QueryError::Store(in_words(db, at)),
                None => QueryError::Store(of_client(&error, at).to_string()),
            },
            other => QueryError::Store(other.into_write_error(at).to_string()),
        }
    }

    fn what(&self) -> String {
        match self {
            Self::Silent(time) => format!("no answer within {}", HumanDuration(*time)),
            Self::Crowded(count) => format!("{count} connections wait for an answer"),
            Self::Query(error) => error.to_string(),
            _ => "the thread of the connection ended".to_owned(),
        }
    }
}

fn of_postgres(error: &postgres::Error, at: &str) -> WriteError {
    match error.as_db_error() {
        Some(db) => of_server(db, at),
        None => of_client(error, at),
    }
}

/// What the server said.
fn of_server(error: &DbError, at: &str) -> WriteError {
    let said = in_words(error, at);
    match Class::of(error.code()) {
        Class::Away => WriteError::Away { message: said },
        Class::Busy => WriteError::Busy { message: said, retry_after: None },
        Class::Denied(advice) => WriteError::Denied { message: format!("{said}: {advice}") },
        Class::TooLarge => WriteError::TooLarge { message: said },
        Class::Points(blame) => WriteError::Points { message: said, blame },
    }
}

/// Message, detail and SQLSTATE.
fn in_words(error: &DbError, at: &str) -> String {
    let detail = error.detail().map(|detail| format!("; {detail}")).unwrap_or_default();
    format!("PostgreSQL at {at}: {}{detail} (SQLSTATE {})", error.message(), error.code().code())
}

enum Class {
    Away,
    Busy,
    /// With what to do.
    Denied(&'static str),
    TooLarge,
    Points(Blame),
}

impl Class {
    fn of(code: &SqlState) -> Self {
        let text = code.code();
        match (text.get(..2).unwrap_or_default(), text) {
            // Too many connections; deadlock, serialisation failure; lock not available, object in use.
            (_, "53300") | ("40", _) | (_, "55P03" | "55006") => Self::Busy,
            (_, "53200") => Self::TooLarge,
            (_, "25006") => {
                Self::Denied("it takes no writes: a standby, or default_transaction_read_only; name the primary")
            }
            ("28", _) => Self::Denied("check username and password, and pg_hba.conf there"),
            (_, "3D000") => Self::Denied("create the database first: CREATE DATABASE .. OWNER .."),
            (_, "42501") => Self::Denied(
                "the role needs CREATE on the database and must own the schemas: GRANT CREATE ON DATABASE .. TO .., or ALTER \
                 SCHEMA .. OWNER TO ..",
            ),
            // A column of another type than hissrv's, and constraints of somebody else's, may refuse everything.
            (_, "22P03" | "22P04") | ("23", _) => Self::Points(Blame::Unknown),
            // Too many columns: the field finds no place.
            (_, "54011") => Self::Points(Blame::Column),
            ("22" | "54", _) => Self::Points(Blame::Value),
            ("42" | "0A" | "3F" | "2B", _) => {
                Self::Denied("a table or column there is not as hissrv made it; rename it, or name another database")
            }
            _ => Self::Away,
        }
    }
}

/// What went wrong before the server said anything.
fn of_client(error: &postgres::Error, at: &str) -> WriteError {
    let message = format!("PostgreSQL at {at}: {}", with_causes(error));
    // The client tells the kind of an error by its text only.
    let kind = error.to_string();
    let advice = match kind.as_str() {
        "authentication error" | "invalid configuration" => "check username and password",
        "error performing TLS handshake" => {
            "set tls.ca_file to the authority that signed its certificate, tls.insecure to accept any, or sslmode=disable"
        }
        _ if kind.starts_with("error serializing") => return WriteError::points(message),
        _ => return WriteError::Away { message },
    };
    WriteError::Denied { message: format!("{message}: {advice}") }
}

fn with_causes(error: &postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sqlstate_says_what_a_writer_may_do() {
        let class = |code: &str| Class::of(&SqlState::from_code(code));
        for code in ["08006", "57P01", "57P02", "57P03", "53100", "58030", "57014", "XX000"] {
            assert!(matches!(class(code), Class::Away), "{code}");
        }
        for code in ["53300", "40001", "40P01", "55P03"] {
            assert!(matches!(class(code), Class::Busy), "{code}");
        }
        for code in ["28P01", "28000", "42501", "3D000", "25006", "42P01", "42809"] {
            assert!(matches!(class(code), Class::Denied(_)), "{code}");
        }
        let blames = [
            ("22P05", Blame::Value),
            ("22003", Blame::Value),
            ("54000", Blame::Value),
            ("54011", Blame::Column),
            ("23502", Blame::Unknown),
            ("22P03", Blame::Unknown),
        ];
        for (code, wanted) in blames {
            assert!(matches!(class(code), Class::Points(blame) if blame == wanted), "{code}");
        }
        assert!(matches!(class("53200"), Class::TooLarge));
    }
}
