//! Passwords: kept as PBKDF2 with SHA-256 and a salt of each user's own, never as they are.
//!
//! ```text
//! hash = pbkdf2-sha256$<rounds>$<salt, hex>$<key, hex>
//! ```

use std::num::NonZeroU32;

use ring::pbkdf2;
use ring::rand::{SecureRandom, SystemRandom};

const SCHEME: &str = "pbkdf2-sha256";
/// Some 30 ms of a small processor: much for one who guesses, little for one who signs in.
const ROUNDS: NonZeroU32 = NonZeroU32::new(100_000).unwrap();
const SALT_LEN: usize = 16;
const KEY_LEN: usize = 32;

/// No random numbers could be had.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoRandom;

/// The hash of a password, with a new salt. Takes some time on purpose.
///
/// # Errors
/// [`NoRandom`].
pub fn hash(password: &str) -> Result<String, NoRandom> {
    let mut salt = [0; SALT_LEN];
    SystemRandom::new().fill(&mut salt).map_err(|_| NoRandom)?;
    let mut key = [0; KEY_LEN];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, &salt, password.as_bytes(), &mut key);
    Ok(format!("{SCHEME}${ROUNDS}${}${}", hex(&salt), hex(&key)))
}

/// True when `password` is the one that `hash` was made of. Takes as long as making it.
pub fn matches(password: &str, hash: &str) -> bool {
    let parts: Vec<&str> = hash.split('$').collect();
    let [SCHEME, rounds, salt, key] = parts.as_slice() else { return false };
    let (Ok(rounds), Some(salt), Some(key)) = (rounds.parse(), unhex(salt), unhex(key)) else { return false };
    pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, password.as_bytes(), &key).is_ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_password_fits_its_hash() {
        let hash = hash("geheim").unwrap();
        assert!(matches("geheim", &hash));
        assert!(!matches("Geheim", &hash));
        assert!(!matches("", &hash));
    }

    #[test]
    fn equal_passwords_have_different_hashes() {
        assert_ne!(hash("x").unwrap(), hash("x").unwrap());
    }

    #[test]
    fn what_is_no_hash_fits_nothing() {
        for wrong in ["", "x", "pbkdf2-sha256$0$00$00", "pbkdf2-sha256$1$zz$00", "md5$1$00$00", "pbkdf2-sha256$1$00$"] {
            assert!(!matches("", wrong), "{wrong}");
        }
    }
}
