//! Listing a bucket, page by page. Of the XML only the elements needed are looked for.

use std::io::Read;
use std::sync::atomic::AtomicBool;

use crate::error::Error;
use crate::target::Object;

use super::client::{Client, Request};
use super::retry::retry;
use super::sign::encode;

/// A page of 1000 objects with keys of 1 KiB is far smaller.
const MAX_PAGE: u64 = 16 << 20;

/// Some objects, and how to go on.
pub(super) struct Page {
    pub(super) objects: Vec<Object>,
    pub(super) next: Option<String>,
}

/// The next objects whose keys begin with `prefix`.
pub(super) fn page(client: &Client, prefix: &str, token: Option<&str>, stop: &AtomicBool) -> Result<Page, Error> {
    // Keys ascend, as the signature wants them.
    let token = token.map(|token| format!("continuation-token={}&", encode(token, false))).unwrap_or_default();
    let query = format!("{token}encoding-type=url&list-type=2&prefix={}", encode(prefix, false));
    let request = Request { key: None, query: &query };
    let text = retry(stop, || {
        let mut text = String::new();
        let Some(body) = client.get(&request)? else {
            return Err(Error::Refused(format!("s3://{}: there is no such bucket", client.bucket())));
        };
        let read = body.take(MAX_PAGE).read_to_string(&mut text);
        read.map_err(|e| Error::Away(format!("s3://{}: {e}", client.bucket())))?;
        Ok(text)
    })?;
    parse(&text).ok_or_else(|| Error::Refused(format!("s3://{}: the answer is no list of objects", client.bucket())))
}

fn parse(text: &str) -> Option<Page> {
    let result = between(text, "<ListBucketResult", "</ListBucketResult>")?;
    let mut objects = Vec::new();
    let mut rest = result;
    while let Some((_, after)) = rest.split_once("<Contents>") {
        let (object, next) = after.split_once("</Contents>")?;
        // By the encoding type asked for.
        let name = model::percent::decode(&text_of(object, "Key")?.replace('+', " "))?;
        objects.push(Object { name, bytes: text_of(object, "Size")?.trim().parse().ok()? });
        rest = next;
    }
    let next =
        text_of(result, "NextContinuationToken").filter(|_| text_of(result, "IsTruncated").as_deref() == Some("true"));
    Some(Page { objects, next })
}

/// The text of the first element of this name.
pub(super) fn text_of(xml: &str, name: &str) -> Option<String> {
    between(xml, &format!("<{name}>"), &format!("</{name}>")).map(unescape)
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(start)?.1.split_once(end)?.0)
}

fn unescape(text: &str) -> String {
    let known = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&apos;", "'"),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    known.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_with_what_comes_next() {
        let xml = r#"<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>
            <IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b</NextContinuationToken>
            <Contents><Key>p/a%252F%C3%A9.json</Key><ETag>&quot;x&quot;</ETag><Size>12</Size></Contents>
            <Contents><Key>p/b+c</Key><Size>0</Size></Contents></ListBucketResult>"#;
        let page = parse(xml).unwrap();
        let object = |name: &str, bytes| Object { name: name.to_owned(), bytes };
        assert_eq!(page.objects, [object("p/a%2Fé.json", 12), object("p/b c", 0)]);
        assert_eq!(page.next.as_deref(), Some("a&b"));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        assert!(parse("<html>hello</html>").is_none());
        assert!(parse("<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>").is_none());
    }
}
