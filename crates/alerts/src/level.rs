//! How bad something is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The levels of events, and of alerts; later ones are worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// For information.
    #[serde(alias = "INFO")]
    Info,
    /// Look at it in working hours.
    #[default]
    #[serde(alias = "WARNING")]
    Warning,
    /// Look at it today.
    #[serde(alias = "ERROR")]
    Error,
    /// Look at it now.
    #[serde(alias = "CRITICAL")]
    Critical,
}

impl Level {
    /// As it is written.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    /// In Chinese.
    pub(crate) const fn chinese(self) -> &'static str {
        match self {
            Self::Info => "信息",
            Self::Warning => "警告",
            Self::Error => "错误",
            Self::Critical => "严重",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
