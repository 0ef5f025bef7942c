//! Names and values as they stand in URLs and in form bodies.

/// `name=value&name=value`, encoded; for the query of a URL as for a form body.
pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        encode_into(&mut out, name);
        out.push('=');
        encode_into(&mut out, value);
    }
    out
}

/// Everything but letters, digits and `-._~` is encoded.
fn encode_into(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend([byte >> 4, byte & 15].map(hex));
        }
    }
}

fn hex(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_means_something_in_a_url_is_encoded() {
        assert_eq!(form(&[("db", "a/b c&d=é+%")]), "db=a%2Fb%20c%26d%3D%C3%A9%2B%25");
        assert_eq!(form(&[("db", "a b"), ("rp", ""), ("q", "x;y")]), "db=a%20b&rp=&q=x%3By");
    }
}
