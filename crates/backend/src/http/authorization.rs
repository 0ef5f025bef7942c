//! The header `Authorization`.

use ureq::http::HeaderValue;

use super::{Auth, Endpoint, Login, SetupError};

/// As whom we come; the login in the URL counts when there is no other. Marked as a secret, so that nothing shows it.
///
/// # Errors
/// [`SetupError::Login`] for what no header can hold.
pub(super) fn authorization(auth: &Auth, endpoint: &Endpoint) -> Result<Option<HeaderValue>, SetupError> {
    let (text, what) = match (auth, endpoint.login()) {
        (Auth::Basic(login), _) | (Auth::None, Some(login)) => (basic(login), "user or password"),
        (Auth::Token(token), _) => (format!("Token {}", token.reveal()), "token"),
        (Auth::Bearer(token), _) => (format!("Bearer {}", token.reveal()), "token"),
        (Auth::None, None) => return Ok(None),
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| SetupError::Login(what))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

fn basic(login: &Login) -> String {
    format!("Basic {}", base64(format!("{}:{}", login.user, login.password.reveal()).as_bytes()))
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    let groups = bytes.chunks(3).map(|group| {
        let bits = group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        let digits = (0..4).map(move |at| if at <= group.len() { digit(bits >> (18 - 6 * at) & 63) } else { '=' });
        digits.collect::<String>()
    });
    groups.collect()
}

fn digit(value: u32) -> char {
    let ascii = match value {
        0..26 => b'A' + value as u8,
        26..52 => b'a' + (value - 26) as u8,
        52..62 => b'0' + (value - 52) as u8,
        62 => b'+',
        _ => b'/',
    };
    char::from(ascii)
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xbf]), "+/+/");
    }
}
