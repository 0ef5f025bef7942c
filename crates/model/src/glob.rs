//! Glob patterns as Redis has them (`*`, `?`, `[a-c]`, `[^a]`, `\` quotes), matched here where Redis cannot be asked: exclude lists,
//! several include patterns in one `SCAN`, decoders by pattern; and names of files and points. Bytes, not characters, as in Redis.

/// True when `text` matches `pattern` as a whole.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut rest, mut text) = (pattern, text);
    // Where to go on after a mismatch: behind the last star, with one more byte of text eaten by it. One retry point is
    // enough (a later star makes an earlier one irrelevant), which keeps hostile patterns from taking exponential time.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        match step(rest, text) {
            Step::Star(after) => {
                retry = Some((after, text));
                rest = after;
            }
            Step::One(after) => {
                rest = after;
                text = text.get(1..).unwrap_or_default();
            }
            Step::End => return true,
            Step::Mismatch => {
                let Some((after, [_, eaten @ ..])) = retry else { return false };
                retry = Some((after, eaten));
                (rest, text) = (after, eaten);
            }
        }
    }
}

enum Step<'p> {
    Star(&'p [u8]),
    One(&'p [u8]),
    End,
    Mismatch,
}

fn step<'p>(pattern: &'p [u8], text: &[u8]) -> Step<'p> {
    let (hit, after) = match (pattern, text) {
        ([b'*', after @ ..], _) => return Step::Star(after),
        ([], []) => return Step::End,
        ([], _) | (_, []) => return Step::Mismatch,
        ([b'?', after @ ..], _) => (true, after),
        ([b'[', class @ ..], [byte, ..]) => in_class(class, *byte),
        ([b'\\', quoted, after @ ..], [byte, ..]) => (quoted == byte, after),
        ([literal, after @ ..], [byte, ..]) => (literal == byte, after),
    };
    if hit { Step::One(after) } else { Step::Mismatch }
}

/// Whether `byte` is in the class that starts behind `[`, and what follows its `]`. A class left open ends with the pattern.
fn in_class(class: &[u8], byte: u8) -> (bool, &[u8]) {
    let (negated, mut rest) = match class {
        [b'^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut found = false;
    loop {
        match rest {
            [] => return (found != negated, rest),
            [b']', after @ ..] => return (found != negated, after),
            [b'\\', quoted, after @ ..] => {
                found |= *quoted == byte;
                rest = after;
            }
            [low, b'-', high, after @ ..] => {
                let (low, high) = if low <= high { (low, high) } else { (high, low) };
                found |= (low..=high).contains(&&byte);
                rest = after;
            }
            [one, after @ ..] => {
                found |= *one == byte;
                rest = after;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_redis() {
        for (pattern, text, expected) in [
            ("comsrv:*", "comsrv:1001:m", true),
            ("comsrv:*", "comsrv", false),
            ("*", "", true),
            ("", "", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("inst:*:[MA]", "inst:23:M", true),
            ("inst:*:[MA]", "inst:23:X", false),
            ("[^a-c]x", "dx", true),
            ("[^a-c]x", "bx", false),
            ("[c-a]x", "bx", true),
            (r"a\*c", "a*c", true),
            (r"a\*c", "abc", false),
            (r"[\]]", "]", true),
            ("*:ts", "comsrv:1:T:ts", true),
            ("*a*b*c", "xxaxxbxxc", true),
            ("*a*b*c", "xxaxxbxx", false),
            ("[ab", "b", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_do_not_take_exponential_time() {
        let pattern = "*a".repeat(50);
        let text = "a".repeat(49) + &"b".repeat(5_000);
        assert!(!matches(pattern.as_bytes(), text.as_bytes()));
    }
}
