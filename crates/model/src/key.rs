//! Series keys: a measurement and its tags as line-protocol text, `measurement,tag=value,tag2=value2`.
//! A key is canonical when its tags ascend by the bytes of their (unescaped) keys and none stands twice, so that equal
//! series have equal bytes.
//!
//! Escaping is InfluxDB's: `\,` `\ ` and `\=`, the last not needed in measurements. A backslash before anything else is
//! an ordinary character, so `\\` is two of them, and a separator is escaped when the byte before it is a backslash.
//! Some names have no spelling at all: see [`SeriesKeyBuf`].

use std::borrow::Cow;
use std::str;

use memchr::{memchr, memchr_iter};

/// Longest key in bytes, as in InfluxDB.
pub const MAX_KEY_LEN: usize = u16::MAX as usize;

/// Characters written with a backslash in a measurement.
const IN_MEASUREMENT: &str = ", ";
/// Characters written with a backslash in the keys and values of tags and in field keys, and read so in measurements
/// too.
pub(crate) const IN_NAME: &str = ",= ";

/// Why a text is no series key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Longer than [`MAX_KEY_LEN`].
    #[error("max key length exceeded: {0} > {MAX_KEY_LEN} bytes")]
    TooLong(usize),
    /// Names are UTF-8.
    #[error("series key is not UTF-8 from byte {0} on")]
    NotUtf8(usize),
    /// Nothing stands before the first comma.
    #[error("missing measurement: expected a name before the first comma")]
    MissingMeasurement,
    /// Nothing stands between a comma and `=`.
    #[error("missing tag key: expected key=value after the comma")]
    MissingTagKey,
    /// Nothing stands after `=`, or there is no `=`.
    #[error("missing tag value: expected a value after `{0}=`")]
    MissingTagValue(String),
    /// A second `=` in one tag.
    #[error("invalid tag format: expected `\\=` for an equals sign inside the value of tag `{0}`")]
    InvalidTagFormat(String),
    /// One tag key stands twice.
    #[error("duplicate tags: `{0}` stands more than once")]
    DuplicateTag(String),
    /// `time` is the name of the time column.
    #[error("input tag \"time\" is invalid: the name is that of the time column")]
    TimeTag,
    /// A space ends a key, unless a backslash stands before it.
    #[error("series key holds a space: expected `\\ `")]
    Space,
    /// A line break ends a line, unless a backslash stands before it.
    #[error("series key holds a line break")]
    LineBreak,
    /// The key ends in a backslash, which would escape whatever is put behind it.
    #[error("series key ends in a backslash")]
    TrailingBackslash,
}

/// Builds canonical keys from names; its memory is used again.
///
/// Names that line protocol cannot spell are changed to the nearest that it can: backslashes at the end are left out, a
/// line break becomes `\n` (two characters), a measurement loses what would make its line blank or a comment (tabs,
/// NULs and `#` at its start), and a tag with an empty key or value is left out (to InfluxDB an empty tag is an absent
/// one).
#[derive(Debug, Clone, Default)]
pub struct SeriesKeyBuf {
    key: Vec<u8>,
    #[cfg(debug_assertions)]
    last_tag: String,
}

impl SeriesKeyBuf {
    /// Begins a new key.
    pub fn start(&mut self, measurement: &str) {
        self.key.clear();
        #[cfg(debug_assertions)]
        self.last_tag.clear();
        escape_into(&mut self.key, measurement.trim_start_matches(['#', '\t', '\0']), IN_MEASUREMENT);
    }

    /// Adds a tag. Callers pass tags in ascending order of their keys' bytes, each key once.
    pub fn tag(&mut self, key: &str, value: &str) {
        if key.is_empty() || value.is_empty() {
            return;
        }
        self.check_order(key);
        self.key.push(b',');
        escape_into(&mut self.key, key, IN_NAME);
        self.key.push(b'=');
        escape_into(&mut self.key, value, IN_NAME);
    }

    /// The key built so far. It may exceed [`MAX_KEY_LEN`]; [`SeriesKey::parse`] refuses it then.
    pub fn as_bytes(&self) -> &[u8] {
        &self.key
    }

    #[cfg(debug_assertions)]
    fn check_order(&mut self, key: &str) {
        assert!(self.last_tag.as_str() < key, "tag `{key}` comes after `{}`", self.last_tag);
        self.last_tag.clear();
        self.last_tag.push_str(key);
    }

    #[cfg(not(debug_assertions))]
    fn check_order(&mut self, _key: &str) {}
}

/// Writes the canonical form of a key as it stood in a line; `out` is cleared first.
///
/// # Errors
/// [`KeyError`] when `raw` is no series key; `out` is of no use then.
pub fn canonicalize(raw: &[u8], out: &mut Vec<u8>) -> Result<(), KeyError> {
    out.clear();
    let key = SeriesKey::parse(raw)?;
    let (measurement, tags) = key.split_measurement();
    if measurement.is_empty() {
        return Err(KeyError::MissingMeasurement);
    }
    check_separators(key.as_str())?;
    escape_into(out, &unescape(measurement, IN_NAME), IN_MEASUREMENT);
    if is_canonical(tags)? {
        out.extend_from_slice(raw.get(measurement.len()..).unwrap_or_default());
        return Ok(());
    }
    put_sorted_tags(tags, out)
}

/// Nothing inside a key may end it or its line.
fn check_separators(key: &str) -> Result<(), KeyError> {
    if key.ends_with('\\') {
        return Err(KeyError::TrailingBackslash);
    }
    if split_unescaped(key, b' ').is_some() {
        return Err(KeyError::Space);
    }
    let raw = key.as_bytes();
    if memchr_iter(b'\n', raw).any(|at| raw.get(..at).is_some_and(|before| !ends_escaping(before))) {
        return Err(KeyError::LineBreak);
    }
    Ok(())
}

/// True when a line break behind `text` would not end the line: backslashes stand at its end, and their number is odd.
pub(crate) fn ends_escaping(text: &[u8]) -> bool {
    text.iter().rev().take_while(|&&b| b == b'\\').count() % 2 == 1
}

/// True when the tags ascend already. Every tag seen on the way is checked; `false` says nothing about those after.
fn is_canonical(tags: Option<&str>) -> Result<bool, KeyError> {
    let mut last = Cow::Borrowed("");
    for tag in split_tags(tags) {
        let (key, _) = checked_tag(tag)?;
        let key = unescape(key, IN_NAME);
        if key == last {
            return Err(KeyError::DuplicateTag(key.into_owned()));
        }
        if key < last {
            return Ok(false);
        }
        last = key;
    }
    Ok(true)
}

fn put_sorted_tags(tags: Option<&str>, out: &mut Vec<u8>) -> Result<(), KeyError> {
    let checked = |tag| checked_tag(tag).map(|(key, _)| (unescape(key, IN_NAME), tag));
    let mut tags = split_tags(tags).map(checked).collect::<Result<Vec<_>, _>>()?;
    tags.sort_unstable();
    let mut last = None;
    for (key, tag) in &tags {
        if last == Some(key) {
            return Err(KeyError::DuplicateTag(key.to_string()));
        }
        last = Some(key);
        out.push(b',');
        out.extend_from_slice(tag.as_bytes());
    }
    Ok(())
}

/// Key and value of `key=value`, both not empty and still escaped.
fn checked_tag(tag: &str) -> Result<(&str, &str), KeyError> {
    let (key, value) = split_unescaped(tag, b'=').unwrap_or((tag, ""));
    let name = || unescape(key, IN_NAME).into_owned();
    match (key, value) {
        ("", _) => Err(KeyError::MissingTagKey),
        (_, "") => Err(KeyError::MissingTagValue(name())),
        ("time", _) => Err(KeyError::TimeTag),
        _ if split_unescaped(value, b'=').is_some() => Err(KeyError::InvalidTagFormat(name())),
        _ => Ok((key, value)),
    }
}

/// A canonical key, read part by part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SeriesKey<'a>(&'a str);

impl<'a> SeriesKey<'a> {
    /// A view of a key made by [`canonicalize`] or [`SeriesKeyBuf`]; order and form of its tags are not checked again.
    ///
    /// # Errors
    /// [`KeyError::TooLong`] and [`KeyError::NotUtf8`].
    pub fn parse(canonical: &'a [u8]) -> Result<Self, KeyError> {
        if canonical.len() > MAX_KEY_LEN {
            return Err(KeyError::TooLong(canonical.len()));
        }
        str::from_utf8(canonical).map(Self).map_err(|e| KeyError::NotUtf8(e.valid_up_to()))
    }

    /// The key as text, escapes and all.
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// Name of the measurement, unescaped.
    pub fn measurement(self) -> Cow<'a, str> {
        unescape(self.split_measurement().0, IN_NAME)
    }

    /// Keys and values of the tags, unescaped, in ascending order of the keys.
    pub fn tags(self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
        self.raw_tags().map(|(key, value)| (unescape(key, IN_NAME), unescape(value, IN_NAME)))
    }

    /// The value of the tag of this (unescaped) name; `None` when the series has none.
    pub fn tag(self, name: &str) -> Option<Cow<'a, str>> {
        let (_, value) = self.raw_tags().find(|(key, _)| unescape(key, IN_NAME) == name)?;
        Some(unescape(value, IN_NAME))
    }

    fn raw_tags(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        split_tags(self.split_measurement().1).filter_map(|tag| split_unescaped(tag, b'='))
    }

    fn split_measurement(self) -> (&'a str, Option<&'a str>) {
        match split_unescaped(self.0, b',') {
            Some((measurement, tags)) => (measurement, Some(tags)),
            None => (self.0, None),
        }
    }
}

fn split_tags(tags: Option<&str>) -> impl Iterator<Item = &str> {
    let mut rest = tags;
    std::iter::from_fn(move || {
        let (tag, after) = match split_unescaped(rest?, b',') {
            Some((tag, after)) => (tag, Some(after)),
            None => (rest?, None),
        };
        rest = after;
        Some(tag)
    })
}

/// What is before and after the first `separator` that no backslash stands before.
fn split_unescaped(text: &str, separator: u8) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let is_escaped = |at: usize| at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'\\');
    let at = memchr_iter(separator, bytes).find(|&at| !is_escaped(at))?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// `text` with the backslashes before characters of `special` left out.
pub(crate) fn unescape<'a>(text: &'a str, special: &str) -> Cow<'a, str> {
    if memchr(b'\\', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let escaped = if c == '\\' { chars.next_if(|&next| special.contains(next)) } else { None };
        out.push(escaped.unwrap_or(c));
    }
    Cow::Owned(out)
}

/// Appends `name` with a backslash before characters of `special`; see [`SeriesKeyBuf`] for names that have no
/// spelling.
pub(crate) fn escape_into(out: &mut Vec<u8>, name: &str, special: &str) {
    let name = name.trim_end_matches('\\');
    if !name.bytes().any(|b| matches!(b, b',' | b'=' | b' ' | b'\n')) {
        out.extend_from_slice(name.as_bytes());
        return;
    }
    for b in name.bytes() {
        match b {
            b'\n' if !ends_escaping(out) => out.extend_from_slice(b"\\n"),
            // An equals sign behind a backslash is read as escaped everywhere, so that backslash must be kept by
            // another.
            b'=' if out.ends_with(b"\\") => out.extend_from_slice(b"\\="),
            b if special.as_bytes().contains(&b) => out.extend_from_slice(&[b'\\', b]),
            b => out.push(b),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn canonical(raw: &str) -> Result<String, KeyError> {
        let mut out = Vec::new();
        canonicalize(raw.as_bytes(), &mut out).map(|()| String::from_utf8(out).unwrap())
    }

    fn parts(key: &[u8]) -> (String, Vec<(String, String)>) {
        let key = SeriesKey::parse(key).unwrap();
        let tags = key.tags().map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
        (key.measurement().into_owned(), tags)
    }

    fn tag(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn tags_are_sorted_by_their_keys() {
        assert_eq!(canonical("m,b=2,a=1,c=3").unwrap(), "m,a=1,b=2,c=3");
        assert_eq!(canonical("m,a=1,b=2").unwrap(), "m,a=1,b=2");
        assert_eq!(canonical("m").unwrap(), "m");
    }

    #[test]
    fn tags_are_sorted_by_unescaped_bytes_as_builders_pass_them() {
        // `a b` is below `aB`, though its escaped form `a\ b` is above.
        assert_eq!(canonical("m,aB=1,a\\ b=2").unwrap(), "m,a\\ b=2,aB=1");
        // A key that ends where the other goes on with a byte below `=`.
        assert_eq!(canonical("m,a-b=1,a=2").unwrap(), "m,a=2,a-b=1");
    }

    #[test]
    fn escapes_are_read_as_in_influxdb() {
        assert_eq!(parts(b"cpu=load,region=east"), ("cpu=load".into(), vec![tag("region", "east")]));
        assert_eq!(parts(b"cpu\\=load,r=e"), ("cpu=load".into(), vec![tag("r", "e")]));
        assert_eq!(parts(b"a\\,b\\ c,r\\,z=e\\=w"), ("a,b c".into(), vec![tag("r,z", "e=w")]));
        assert_eq!(parts(b"cpu,regions=\\\\,\\,\\=east"), ("cpu".into(), vec![tag("regions", "\\,,=east")]));
        assert_eq!(parts(b"cpu,path=C:\\\\dir\\\\x"), ("cpu".into(), vec![tag("path", "C:\\\\dir\\\\x")]));
    }

    #[test]
    fn an_equals_sign_in_a_measurement_has_one_canonical_spelling() {
        assert_eq!(canonical("cpu\\=load,b=1,a=2").unwrap(), "cpu=load,a=2,b=1");
        assert_eq!(canonical("cpu\\=load,a=2").unwrap(), "cpu=load,a=2");
        assert_eq!(canonical("cpu\\\\=load").unwrap(), "cpu\\\\=load");
    }

    #[test]
    fn a_tag_is_found_by_its_name() {
        let key = SeriesKey::parse(b"m,a\\ b=1,c=2\\,3").unwrap();
        assert_eq!(key.tag("a b").as_deref(), Some("1"));
        assert_eq!(key.tag("c").as_deref(), Some("2,3"));
        assert_eq!(key.tag("a"), None);
    }

    #[test]
    fn wrong_keys_are_refused_with_their_reason() {
        let cases = [
            ("", KeyError::MissingMeasurement),
            (",a=b", KeyError::MissingMeasurement),
            ("m,", KeyError::MissingTagKey),
            ("m,=b", KeyError::MissingTagKey),
            ("m,a=1,,b=2", KeyError::MissingTagKey),
            ("m,a", KeyError::MissingTagValue("a".into())),
            ("m,a=", KeyError::MissingTagValue("a".into())),
            ("m,a=b=c", KeyError::InvalidTagFormat("a".into())),
            ("m,a=1,a=1", KeyError::DuplicateTag("a".into())),
            ("m,b=1,a=1,b=2", KeyError::DuplicateTag("b".into())),
            ("m,b=1,a=1,c=", KeyError::MissingTagValue("c".into())),
            ("m,time=1", KeyError::TimeTag),
            ("m,a=b\\", KeyError::TrailingBackslash),
            ("m\n,a=b", KeyError::LineBreak),
            ("m,a=b\\\\\nc", KeyError::LineBreak),
        ];
        for (raw, error) in cases {
            assert_eq!(canonical(raw), Err(error), "{raw}");
        }
    }

    #[test]
    fn keys_are_bounded_and_utf8() {
        let long = "m".repeat(MAX_KEY_LEN + 1);
        assert_eq!(canonical(&long), Err(KeyError::TooLong(65_536)));
        assert!(canonical(&long[1..]).is_ok());
        assert_eq!(canonicalize(b"m,a=\xff", &mut Vec::new()), Err(KeyError::NotUtf8(4)));
    }

    #[test]
    fn names_without_a_spelling_are_changed_to_the_nearest() {
        let mut key = SeriesKeyBuf::default();
        key.start("\t#m\\");
        key.tag("a", "");
        key.tag("b", "x\\\\");
        key.tag("c", "1\n2");
        assert_eq!(key.as_bytes(), b"m,b=x,c=1\\n2");
        assert_eq!(canonicalize(key.as_bytes(), &mut Vec::new()), Ok(()));
    }

    #[test]
    #[should_panic(expected = "tag `a` comes after `b`")]
    fn tags_out_of_order_are_found_in_debug_builds() {
        let mut key = SeriesKeyBuf::default();
        key.start("m");
        key.tag("b", "1");
        key.tag("a", "1");
    }

    proptest! {
        #[test]
        fn names_come_back_from_a_built_key(
            measurement in "[a, =\\\\é\"]{0,6}[aé]",
            tags in prop::collection::btree_map("[a, =\\\\é\"]{0,6}[aé]", "[a, =\\\\é\"]{0,6}[aé]", 0..5),
        ) {
            let mut key = SeriesKeyBuf::default();
            key.start(&measurement);
            tags.iter().for_each(|(k, v)| key.tag(k, v));
            prop_assert_eq!(parts(key.as_bytes()), (measurement, tags.into_iter().collect()));
            let mut again = Vec::new();
            canonicalize(key.as_bytes(), &mut again).unwrap();
            prop_assert_eq!(again.as_slice(), key.as_bytes());
        }

        #[test]
        fn canonical_keys_stay_as_they_are(raw in "[ab,= \\\\\n]{0,24}") {
            if let Ok(once) = canonical(&raw) {
                prop_assert_eq!(canonical(&once), Ok(once.clone()));
                let (measurement, tags) = parts(once.as_bytes());
                let mut built = SeriesKeyBuf::default();
                built.start(&measurement);
                tags.iter().for_each(|(k, v)| built.tag(k, v));
                prop_assert_eq!(String::from_utf8_lossy(built.as_bytes()), once);
            }
        }
    }
}
