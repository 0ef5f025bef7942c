//! RFC 3339 and its relatives of ISO 8601: `2026-11-22T13:53:00.25+01:00`, also with a blank instead of `T`, without seconds, without an offset
//! (then in the zone of the options), and a date alone (midnight).

use super::civil::{Moment, Parts, Reader};

/// `None` when the text is none of these.
pub(super) fn parse(text: &[u8]) -> Option<Moment> {
    let mut reader = Reader(text);
    let mut parts = Parts { year: reader.number(4, 4)?, ..Parts::default() };
    dash(&mut reader)?;
    parts.month = reader.number(2, 2)?;
    dash(&mut reader)?;
    parts.day = reader.number(2, 2)?;
    let mut offset = None;
    if !reader.is_at_end() {
        if !(reader.skip(b'T') || reader.skip(b' ') || reader.skip(b't')) {
            return None;
        }
        clock(&mut reader, &mut parts)?;
        reader.skip(b' ');
        offset = if reader.is_at_end() { None } else { Some(read_offset(&mut reader)?) };
    }
    let seconds = parts.seconds()? - offset.unwrap_or(0);
    reader.is_at_end().then_some(Moment { seconds, nanos: parts.nanos, is_utc: offset.is_some() })
}

fn dash(reader: &mut Reader<'_>) -> Option<()> {
    reader.skip(b'-').then_some(())
}

/// Hour, minute and perhaps second with a fraction.
pub(super) fn clock(reader: &mut Reader<'_>, parts: &mut Parts) -> Option<()> {
    parts.hour = reader.number(1, 2)?;
    if !reader.skip(b':') {
        return None;
    }
    parts.minute = reader.number(2, 2)?;
    if reader.skip(b':') {
        parts.second = reader.number(2, 2)?;
        if reader.skip(b'.') || reader.skip(b',') {
            parts.nanos = reader.fraction()?;
        }
    }
    Some(())
}

/// `Z` or `+01:00` in seconds; also without the colon or the minutes, and `UTC`.
fn read_offset(reader: &mut Reader<'_>) -> Option<i64> {
    if reader.skip(b'Z') || reader.skip(b'z') {
        return Some(0);
    }
    if reader.0 == b"UTC" {
        reader.0 = b"";
        return Some(0);
    }
    let sign = if reader.skip(b'+') {
        1
    } else if reader.skip(b'-') {
        -1
    } else {
        return None;
    };
    let hours = reader.number(2, 2)?;
    let minutes = if reader.is_at_end() {
        0
    } else {
        reader.skip(b':');
        reader.number(2, 2)?
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Option<(i64, u32)> {
        parse(text.as_bytes()).filter(|m| m.is_utc).map(|m| (m.seconds, m.nanos))
    }

    fn local(text: &str) -> Option<(i64, u32)> {
        parse(text.as_bytes()).filter(|m| !m.is_utc).map(|m| (m.seconds, m.nanos))
    }

    #[test]
    fn every_usual_spelling_is_read() {
        assert_eq!(utc("1970-01-02T00:00:00Z"), Some((86_400, 0)));
        assert_eq!(utc("1970-01-01T01:00:00.5+01:00"), Some((0, 500_000_000)));
        assert_eq!(utc("1970-01-01 00:00:01.000000001-00:30"), Some((1801, 1)));
        assert_eq!(utc("1970-01-01 00:00:01 UTC"), Some((1, 0)));
        assert_eq!(utc("1970-01-01 01:00+01"), Some((0, 0)));
        assert_eq!(local("1970-01-01 00:00"), Some((0, 0)));
        assert_eq!(local("1970-01-01T1:02:03"), Some((3723, 0)));
        assert_eq!(local("1970-01-02"), Some((86_400, 0)));
        assert_eq!(local("1969-12-31T23:59:59.9"), Some((-1, 900_000_000)));
        assert_eq!(local("1970-01-01T24:00:00"), Some((86_400, 0)));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "1970",
            "1970-1-1",
            "1970-01-32",
            "1970-02-29",
            "1970-01-01T",
            "1970-01-01T25:00",
            "1970-01-01T00:60",
            "1970-01-01T00:00:00X",
            "1970-01-01T00:00:00+",
            "1970-01-01T00:00:00.Z",
            "1970-01-01T00:00:00Z ",
            "19700101",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
