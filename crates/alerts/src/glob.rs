//! Patterns of names: `*` stands for any text, also none, `?` for one character, everything else for itself.

/// True when `text` matches `pattern` as a whole. Takes at most the product of both lengths.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // Where to go on after a mismatch: behind the last star, with one more character eaten by it. One place is enough, since a later
    // star makes an earlier one irrelevant.
    let mut retry = None;
    loop {
        let before = (pattern.clone(), text.clone());
        match (pattern.next(), text.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                text = before.1;
                retry = Some((pattern.clone(), text.clone()));
            }
            (Some('?'), Some(_)) => {}
            (Some(wanted), Some(found)) if wanted == found => {}
            _ => {
                let Some((behind, mut eaten)) = retry else { return false };
                if eaten.next().is_none() {
                    return false;
                }
                retry = Some((behind.clone(), eaten.clone()));
                (pattern, text) = (behind, eaten);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_other_text() {
        for (pattern, text) in [("*", ""), ("*", "x"), ("a*c", "abcbc"), ("?-温度", "1-温度"), ("", ""), ("a**b", "ab")]
        {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "x"), ("?", ""), ("a*c", "abcb"), ("a", "A"), ("*a?", "xa"), ("ab", "a")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_do_not_take_forever() {
        assert!(!matches(&"*a".repeat(200), &"a".repeat(199)));
    }
}
