//! The four kinds of points and their many spellings.

/// Kind of a point in its canonical spelling: one of `m s c a`, or the producer's word when it is none of the four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind<'a>(&'a str);

impl<'a> Kind<'a> {
    /// Telemetry: an analog measurement.
    pub const TELEMETRY: Self = Self("m");
    /// Signal: a status.
    pub const SIGNAL: Self = Self("s");
    /// Control: a command.
    pub const CONTROL: Self = Self("c");
    /// Adjustment: a set-point.
    pub const ADJUSTMENT: Self = Self("a");

    /// The kind a word stands for; an unknown word stands for itself.
    pub fn new(word: &'a str) -> Self {
        Self::known(word).unwrap_or(Self(word))
    }

    /// A word that is kept as it is: the type of an event.
    pub fn verbatim(word: &'a str) -> Self {
        Self(word)
    }

    /// The kind a word stands for, when it is one of the four.
    pub fn known(word: &str) -> Option<Self> {
        const WORDS: [(&str, Kind<'static>); 20] = [
            ("yc", Kind::TELEMETRY),
            ("yx", Kind::SIGNAL),
            ("yk", Kind::CONTROL),
            ("yt", Kind::ADJUSTMENT),
            ("telemetry", Kind::TELEMETRY),
            ("measurement", Kind::TELEMETRY),
            ("measure", Kind::TELEMETRY),
            ("analog", Kind::TELEMETRY),
            ("signal", Kind::SIGNAL),
            ("status", Kind::SIGNAL),
            ("control", Kind::CONTROL),
            ("command", Kind::CONTROL),
            ("adjustment", Kind::ADJUSTMENT),
            ("adjust", Kind::ADJUSTMENT),
            ("setpoint", Kind::ADJUSTMENT),
            ("set-point", Kind::ADJUSTMENT),
            ("遥测", Kind::TELEMETRY),
            ("遥信", Kind::SIGNAL),
            ("遥控", Kind::CONTROL),
            ("遥调", Kind::ADJUSTMENT),
        ];
        match word {
            "m" | "M" | "T" | "t" => Some(Self::TELEMETRY),
            "s" | "S" => Some(Self::SIGNAL),
            "c" | "C" => Some(Self::CONTROL),
            "a" | "A" => Some(Self::ADJUSTMENT),
            _ => WORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|&(_, kind)| kind),
        }
    }

    /// The value of the tag `type`.
    pub fn tag(self) -> &'a str {
        self.0
    }

    /// The measurement of points of this kind.
    pub fn measurement(self) -> &'static str {
        match self.0 {
            "m" => "measurement",
            "s" => "signal",
            "c" => "control",
            "a" => "adjustment",
            _ => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_one_of_the_four_kinds() {
        for (words, tag, measurement) in [
            (["m", "T", "YC", "Telemetry", "遥测"], "m", "measurement"),
            (["s", "S", "yx", "signal", "遥信"], "s", "signal"),
            (["c", "C", "YK", "CONTROL", "遥控"], "c", "control"),
            (["a", "A", "YT", "setpoint", "遥调"], "a", "adjustment"),
            (["x", "x", "x", "x", "x"], "x", "unknown"),
        ] {
            for word in words {
                let kind = Kind::new(word);
                assert_eq!((kind.tag(), kind.measurement()), (tag, measurement), "{word}");
            }
        }
    }
}
