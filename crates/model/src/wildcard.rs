//! Patterns of names as configurations have them: `*` stands for any characters or none, `?` for one; everything else for itself. For patterns as
//! Redis and shells have them see [`crate::glob`].

/// True when `text` matches `pattern` as a whole.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // Where to go on after a mismatch: behind the last star, with one more character eaten by it. One such place is enough.
    let mut retry = None;
    loop {
        let (before, wanted) = (text.clone(), pattern.next());
        if wanted == Some('*') {
            retry = Some((pattern.clone(), before));
            continue;
        }
        match (wanted, text.next()) {
            (None, None) => return true,
            (Some('?'), Some(_)) => continue,
            (Some(wanted), Some(found)) if wanted == found => continue,
            _ => {}
        }
        let Some((after, eaten)) = &mut retry else { return false };
        if eaten.next().is_none() {
            return false;
        }
        pattern = after.clone();
        text = eaten.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match_whole_names() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("10*", "1001", true),
            ("10*", "2001", false),
            ("1000?", "10001", true),
            ("1000?", "1000", false),
            ("*_soc", "battery_soc", true),
            ("*_soc", "battery_soc_min", false),
            ("*a*b*c", "xxaxxbxxc", true),
            ("*a*b*c", "xxaxxbxx", false),
            ("电?", "电压", true),
            ("a**b", "ab", true),
            ("a", "A", false),
            ("*a?", "xa", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_do_not_take_exponential_time() {
        assert!(!matches(&"*a".repeat(50), &("a".repeat(49) + &"b".repeat(5_000))));
    }
}
