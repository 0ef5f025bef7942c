//! AWS Signature Version 4, for requests whose headers `host`, `x-amz-content-sha256` and `x-amz-date` are signed.

use model::{Secret, TimestampNs};
use ring::{digest, hmac};

use crate::names::hex;

/// Headers that are signed, by name.
const SIGNED: &str = "host;x-amz-content-sha256;x-amz-date";

/// Whose key signs, and for where.
#[derive(Debug, Clone)]
pub(super) struct Signer {
    pub(super) region: String,
    pub(super) access_key: String,
    pub(super) secret_key: Secret,
}

/// What is signed of a request.
pub(super) struct Unsigned<'a> {
    pub(super) method: &'a str,
    pub(super) host: &'a str,
    /// Encoded path.
    pub(super) path: &'a str,
    /// Encoded query, its keys ascending; may be empty.
    pub(super) query: &'a str,
    /// SHA-256 of the body in hexadecimal digits.
    pub(super) sha256: &'a str,
}

/// The headers to add.
pub(super) struct Signed {
    pub(super) date: String,
    pub(super) authorization: String,
}

impl Signer {
    /// Signs a request that is sent at `now`; stores take it for some minutes. `None` when no calendar has such a time.
    pub(super) fn sign(&self, request: &Unsigned<'_>, now: TimestampNs) -> Option<Signed> {
        let now = jiff::Timestamp::from_nanosecond(i128::from(now.0)).ok()?;
        let date = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let scope = format!("{}/{}/s3/aws4_request", date.get(..8)?, self.region);
        let canonical = format!(
            "{}\n{}\n{}\nhost:{}\nx-amz-content-sha256:{}\nx-amz-date:{date}\n\n{SIGNED}\n{}",
            request.method, request.path, request.query, request.host, request.sha256, request.sha256
        );
        let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256(canonical.as_bytes()));
        let signature = hex(self.key(&scope).map(|key| hmac(&key, &to_sign))?.as_ref());
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={SIGNED},Signature={signature}",
            self.access_key
        );
        Some(Signed { date, authorization })
    }

    /// The key for one day, region and service, made of the parts of the scope one after another.
    fn key(&self, scope: &str) -> Option<Vec<u8>> {
        let first = format!("AWS4{}", self.secret_key.reveal()).into_bytes();
        Some(scope.split('/').fold(first, |key, part| hmac(&key, part).as_ref().to_vec()))
    }
}

fn hmac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Encodes all but `A-Z a-z 0-9 - . _ ~`, as the signature wants it; `/` stays in paths.
pub(super) fn encode(text: &str, keep_slash: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let is_plain =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') || (keep_slash && byte == b'/');
        if is_plain {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&hex(&[byte]).to_ascii_uppercase());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// The key of Amazon's documentation.
    fn signer() -> Signer {
        Signer {
            region: "us-east-1".to_owned(),
            access_key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned().into(),
        }
    }

    /// 2013-05-24T00:00:00Z
    const NOW: TimestampNs = TimestampNs(1_369_353_600_000_000_000);

    #[test]
    fn requests_of_the_documentation_have_its_signatures() {
        let host = "examplebucket.s3.amazonaws.com";
        let unsigned = |query| Unsigned { method: "GET", host, path: "/", query, sha256: EMPTY };
        let signed = signer().sign(&unsigned("lifecycle="), NOW).unwrap();
        assert_eq!(signed.date, "20130524T000000Z");
        let signature = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543";
        assert_eq!(
            signed.authorization,
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
                 SignedHeaders={SIGNED},Signature={signature}"
            )
        );
        let signed = signer().sign(&unsigned("max-keys=2&prefix=J"), NOW).unwrap();
        assert!(
            signed.authorization.ends_with("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
            "{}",
            signed.authorization
        );
    }

    #[test]
    fn names_are_encoded_byte_by_byte() {
        assert_eq!(encode("a/b c%é~", true), "a/b%20c%25%C3%A9~");
        assert_eq!(encode("a/b", false), "a%2Fb");
    }
}
