//! Parameters of a request as Go reads them: from the query string and from a form in the body, which is url-encoded or
//! multipart. The fields of a url-encoded body come before those of the URL, those of a multipart body after. A pair that
//! cannot be decoded is left out.

/// Parameters in the order in which they count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form {
    fields: Vec<(String, String)>,
    /// Parts of a multipart body that are files.
    files: Vec<(String, String)>,
}

impl Form {
    /// Of a request without a body, or with one that does not count.
    pub(crate) fn of_url(query: &str) -> Self {
        Self { fields: pairs(query.as_bytes()), files: Vec::new() }
    }

    /// Of a request with a body of the given `Content-Type`.
    pub(crate) fn of_both(query: &str, content_type: &str, body: &[u8]) -> Self {
        let mut form = Self::of_url(query);
        let (kind, options) = content_type.split_once(';').unwrap_or((content_type, ""));
        match kind.trim().to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => form.fields = [pairs(body), form.fields].concat(),
            "multipart/form-data" => {
                if let Some(boundary) = option(options, "boundary") {
                    form.add_parts(body, boundary);
                }
            }
            _ => {}
        }
        form
    }

    /// The first value of a field; empty when there is none.
    pub(crate) fn value(&self, name: &str) -> &str {
        first(&self.fields, name).unwrap_or_default()
    }

    /// The first file of a name.
    pub(crate) fn file(&self, name: &str) -> Option<&str> {
        first(&self.files, name)
    }

    fn add_parts(&mut self, body: &[u8], boundary: &str) {
        // The first boundary has no line break before it, so that one is lent to it.
        let body = format!("\r\n{}", String::from_utf8_lossy(body));
        let boundary = format!("\r\n--{boundary}");
        let mut parts = body.split(&boundary);
        parts.next();
        for part in parts.take_while(|part| !part.starts_with("--")) {
            let Some((head, value)) = part.split_once("\r\n\r\n") else { continue };
            let Some(name) = disposition(head).and_then(|options| option(options, "name")) else { continue };
            let is_file = disposition(head).is_some_and(|options| option(options, "filename").is_some());
            let list = if is_file { &mut self.files } else { &mut self.fields };
            list.push((name.to_owned(), value.to_owned()));
        }
    }
}

fn first<'a>(list: &'a [(String, String)], name: &str) -> Option<&'a str> {
    list.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// What follows `Content-Disposition: form-data` in the head of a part.
fn disposition(head: &str) -> Option<&str> {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    line.split_once(';').map(|(_, options)| options)
}

/// The value of `name=value` or `name="value"` in a list parted by semicolons.
fn option<'a>(options: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = options.split(';').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().trim_matches('"'))
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    let pairs = text.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty());
    pairs
        .filter_map(|pair| {
            let mut halves = pair.splitn(2, |&byte| byte == b'=');
            Some((decode(halves.next()?)?, decode(halves.next().unwrap_or_default())?))
        })
        .collect()
}

/// `+` is a blank and `%xx` a byte; `None` when a `%` is followed by something else.
fn decode(text: &[u8]) -> Option<String> {
    let mut bytes = text.iter();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(&byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => 16 * hex_digit(*bytes.next()?)? + hex_digit(*bytes.next()?)?,
            other => other,
        });
    }
    Some(String::from_utf8(decoded).unwrap_or_else(|wrong| String::from_utf8_lossy(wrong.as_bytes()).into_owned()))
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_the_first_one_counts() {
        let form = Form::of_url("q=SHOW+a%2Bb%C3%A4%ff&db=x&db=y&flag&&=z&bad=%zz&cut=%2&e=a=b;c");
        assert_eq!(form.value("q"), "SHOW a+bä\u{fffd}");
        assert_eq!((form.value("db"), form.value("flag"), form.value("nosuch")), ("x", "", ""));
        assert_eq!((form.value("bad"), form.value("cut"), form.value("e")), ("", "", "a=b;c"));
    }

    #[test]
    fn a_form_in_the_body_comes_before_the_url_and_other_bodies_do_not_count() {
        let form = |kind| Form::of_both("q=url&db=d", kind, b"q=body");
        let urlencoded = form("application/x-www-form-urlencoded; charset=utf-8");
        assert_eq!((urlencoded.value("q"), urlencoded.value("db")), ("body", "d"));
        for other in ["", "text/plain", "application/vnd.influxql", "multipart/form-data"] {
            assert_eq!(form(other).value("q"), "url", "{other}");
        }
    }

    #[test]
    fn multipart_fields_come_after_the_url_and_files_are_apart() {
        let body = "--b1\r\nContent-Disposition: form-data; name=\"db\"\r\n\r\nbody\r\n\
                    --b1\r\ncontent-disposition: form-data; name=\"epoch\"\r\n\r\nms\r\n\
                    --b1\r\nContent-Disposition: form-data; name=\"q\"; filename=\"q.txt\"\r\n\
                    Content-Type: text/plain\r\n\r\nSHOW\r\nDATABASES\r\n--b1--\r\nafter";
        let form = Form::of_both("db=url", "multipart/form-data; boundary=\"b1\"", body.as_bytes());
        assert_eq!((form.value("db"), form.value("epoch"), form.value("q")), ("url", "ms", ""));
        assert_eq!(form.file("q"), Some("SHOW\r\nDATABASES"));
        let cut = Form::of_both("", "multipart/form-data; boundary=b1", b"--b1\r\nContent-Dispo");
        assert_eq!(cut, Form::default());
    }
}
