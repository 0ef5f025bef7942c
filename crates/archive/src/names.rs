//! Where things stand in the archive: `DATABASE/POLICY/MEASUREMENT/2026-11-22.parquet`, and `.json` beside it. Names are made legal
//! for files and objects; the true ones are in the manifest, nothing is ever read out of a path.

use ring::digest;

use crate::day::Day;

/// Ending of the data.
pub(crate) const DATA: &str = ".parquet";
/// Ending of the manifest.
pub(crate) const MANIFEST: &str = ".json";

/// Longest part of a path in bytes: file systems take 255.
const MAX_PART: usize = 200;
/// What stays of a longer one, before the digits that tell it from others.
const KEPT: usize = 160;

/// The folder of a measurement.
pub(crate) fn folder(database: &str, policy: &str, measurement: &str) -> String {
    format!("{}/{}/{}", part(database), part(policy), part(measurement))
}

/// The file of a day, without its ending.
pub(crate) fn stem(database: &str, policy: &str, measurement: &str, day: Day) -> String {
    format!("{}/{day}", folder(database, policy, measurement))
}

/// A name as one part of a path: letters and digits of all scripts, `-`, `_` and `.` as they are, the rest as `%2F`; a long one
/// shortened, with `~` and 16 digits of its SHA-256. Different names stay different.
pub(crate) fn part(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (at, c) in name.char_indices() {
        let is_plain = c.is_alphanumeric() || matches!(c, '-' | '_') || (c == '.' && at > 0);
        if is_plain { out.push(c) } else { percent(&mut out, c) }
    }
    if out.is_empty() {
        // No encoded name looks like this.
        return "%".to_owned();
    }
    if out.len() <= MAX_PART { out } else { shortened(&out) }
}

fn percent(out: &mut String, c: char) {
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        out.push('%');
        out.push_str(&hex(&[byte]).to_ascii_uppercase());
    }
}

fn shortened(encoded: &str) -> String {
    let end = (0..=KEPT).rev().find(|at| encoded.is_char_boundary(*at)).unwrap_or(0);
    let digest = hex(digest::digest(&digest::SHA256, encoded.as_bytes()).as_ref());
    format!("{}~{}", encoded.get(..end).unwrap_or_default(), digest.get(..16).unwrap_or_default())
}

/// Hexadecimal digits, lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn any_name_is_a_legal_path_and_readable_where_it_can_be() {
        for (name, expected) in [
            ("pcs_2.kW-h", "pcs_2.kW-h"),
            ("功率", "功率"),
            ("a/b", "a%2Fb"),
            ("..", "%2E."),
            (".", "%2E"),
            ("", "%"),
            ("100%", "100%25"),
            ("k=v *?", "k%3Dv%20%2A%3F"),
            ("a\u{1f}b\n", "a%1Fb%0A"),
            ("~", "%7E"),
        ] {
            assert_eq!(part(name), expected, "{name}");
        }
    }

    #[test]
    fn long_names_stay_different() {
        let (a, b) = (part(&format!("{}a", "é".repeat(300))), part(&format!("{}b", "é".repeat(300))));
        assert!(a.len() <= MAX_PART && a != b, "{a}");
    }

    proptest! {
        #[test]
        fn parts_are_legal_and_differ_as_names_do(a in ".{0,12}", b in ".{0,12}") {
            let (x, y) = (part(&a), part(&b));
            prop_assert_eq!(a == b, x == y);
            prop_assert!(!x.contains(['/', '\\', '\0', '*', '?', '=']) && !x.starts_with('.'));
            prop_assert!(!x.is_empty() && x.len() <= MAX_PART);
        }
    }
}
