//! The built-in texts of messages, in both languages.

use crate::config::Language;
use crate::event::Level;

/// Kinds of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Info,
    Warning,
    Error,
    Critical,
    Anomaly,
    ChangePoint,
    Status,
    Abnormal,
    Normal,
    Event,
}

impl Kind {
    /// Every kind, in the order of their codes.
    pub(crate) const ALL: [Self; 10] = [
        Self::Info,
        Self::Warning,
        Self::Error,
        Self::Critical,
        Self::Anomaly,
        Self::ChangePoint,
        Self::Status,
        Self::Abnormal,
        Self::Normal,
        Self::Event,
    ];

    /// Its key in the configuration.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Anomaly => "anomaly",
            Self::ChangePoint => "change_point",
            Self::Status => "status",
            Self::Abnormal => "abnormal",
            Self::Normal => "normal",
            Self::Event => "event",
        }
    }

    /// The kind of a message about a level that was reached.
    pub(crate) const fn of_level(level: Level) -> Self {
        match level {
            Level::Info => Self::Info,
            Level::Warning => Self::Warning,
            Level::Error => Self::Error,
            Level::Critical => Self::Critical,
        }
    }
}

/// The built-in text of a kind.
pub(crate) const fn text(language: Language, kind: Kind) -> &'static str {
    match language {
        Language::En => en(kind),
        Language::Zh => zh(kind),
    }
}

const fn en(kind: Kind) -> &'static str {
    match kind {
        Kind::Info => "{name} normal: {value:.1f}{unit}",
        Kind::Warning => "{name} {bias}: {value:.1f}{unit}, {side} the warning threshold {threshold}{unit}",
        Kind::Error => "{name} too {bias}: {value:.1f}{unit}, {side} the error threshold {threshold}{unit}",
        Kind::Critical => "{name} critical: {value:.1f}{unit}, {side} the critical threshold {threshold}{unit}",
        Kind::Anomaly => "{name} unusual: {value:.1f}{unit}, {sigmas:.1f} deviations {side} the usual {mean:.1f}{unit}",
        Kind::ChangePoint => "{name} changed: {value:.1f}{unit}, {mean:.1f}{unit} before",
        Kind::Status => "{name}: {value:.1f}{unit}, {level}",
        Kind::Abnormal => "{name} became abnormal: {value:.1f}{unit}, {level}",
        Kind::Normal => "{name} normal again: {value:.1f}{unit}, abnormal for {duration}",
        Kind::Event => "{type} {node}: {name}",
    }
}

/// Those of thresholds are the first system's.
const fn zh(kind: Kind) -> &'static str {
    match kind {
        Kind::Info => "{name}正常: {value:.1f}{unit}",
        Kind::Warning => "{name}偏{bias}: {value:.1f}{unit}, {side}警告阈值 {threshold}{unit}",
        Kind::Error => "{name}过{bias}: {value:.1f}{unit}, {side}错误阈值 {threshold}{unit}",
        Kind::Critical => "{name}危险: {value:.1f}{unit}, {side}临界阈值 {threshold}{unit}",
        Kind::Anomaly => "{name}异常: {value:.1f}{unit}, {side}常态值 {mean:.1f}{unit} 达 {sigmas:.1f} 倍偏差",
        Kind::ChangePoint => "{name}突变: {value:.1f}{unit}, 此前为 {mean:.1f}{unit}",
        Kind::Status => "{name}: {value:.1f}{unit}, 状态{level}",
        Kind::Abnormal => "{name}由正常变为{level}: {value:.1f}{unit}",
        Kind::Normal => "{name}恢复正常: {value:.1f}{unit}, 异常持续 {duration}",
        Kind::Event => "{type} {node}: {name}",
    }
}

/// The word for a level; of status and state, so the lowest is "normal".
pub(crate) const fn level(language: Language, level: Level) -> &'static str {
    match (language, level) {
        (Language::En, Level::Info) => "normal",
        (Language::En, Level::Warning) => "warning",
        (Language::En, Level::Error) => "error",
        (Language::En, Level::Critical) => "critical",
        (Language::Zh, Level::Info) => "正常",
        (Language::Zh, Level::Warning) => "警告",
        (Language::Zh, Level::Error) => "错误",
        (Language::Zh, Level::Critical) => "临界",
    }
}

/// Which side of a threshold: `{side}`.
pub(crate) const fn side(language: Language, is_low: bool) -> &'static str {
    match (language, is_low) {
        (Language::En, false) => "above",
        (Language::En, true) => "below",
        (Language::Zh, false) => "超过",
        (Language::Zh, true) => "低于",
    }
}

/// Too much or too little: `{bias}`.
pub(crate) const fn bias(language: Language, is_low: bool) -> &'static str {
    match (language, is_low) {
        (Language::En, false) => "high",
        (Language::En, true) => "low",
        (Language::Zh, false) => "高",
        (Language::Zh, true) => "低",
    }
}
