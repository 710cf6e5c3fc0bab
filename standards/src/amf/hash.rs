//! Hashes in AMF: base64 by the schema, hexadecimal in many files, the
//! official examples among them.

use super::Hash;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use platefarm_model::{Code, Fault, Outcome};
use sha2::{Digest, Sha256};

/// What is written as `algorithm`.
pub(super) const SHA256_URI: &str = "http://www.w3.org/2001/04/xmlenc#sha256";

/// SHA-256, 64 hexadecimal digits.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 as an AMF has it.
pub(super) fn sha256_base64(bytes: &[u8]) -> String {
    base64(&Sha256::digest(bytes))
}

/// Whether the bytes have the hash, where there is one.
///
/// # Errors
/// [`Code::HashMismatch`]; [`Code::BadAmf`] for an algorithm that is not known.
pub(super) fn check(hash: Option<&Hash>, bytes: &[u8]) -> Outcome<()> {
    let Some(hash) = hash else { return Ok(()) };
    let found = match hash.algorithm.as_str() {
        "sha256" => Sha256::digest(bytes).to_vec(),
        "sha1" => sha1::Sha1::digest(bytes).to_vec(),
        "md5" => md5::Md5::digest(bytes).to_vec(),
        other => {
            return Err(Fault::new(
                Code::BadAmf,
                format!("'{other}' is no hash of an AMF (sha256, sha1, md5)"),
            ));
        }
    };
    let written: String = hash.text.split_whitespace().collect();
    if written.eq_ignore_ascii_case(&hex(&found)) || written == base64(&found) {
        return Ok(());
    }
    Err(Fault::new(
        Code::HashMismatch,
        format!("the file has {} {}, the AMF says {written}", hash.algorithm, base64(&found)),
    )
    .remedy("Get the file that the AMF was made with, or make the AMF anew."))
}

/// A hexadecimal digest as base64, as the schema wants it; anything else as it is.
pub(super) fn as_base64(text: &str) -> String {
    let digits: Vec<u8> = text.split_whitespace().flat_map(str::bytes).collect();
    if !matches!(digits.len(), 32 | 40 | 64) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return text.trim().to_owned();
    }
    let digit = |byte: u8| (byte as char).to_digit(16).unwrap_or(0) as u8;
    let bytes: Vec<u8> =
        digits.as_chunks::<2>().0.iter().map(|[a, b]| digit(*a) << 4 | digit(*b)).collect();
    base64(&bytes)
}

/// RFC 4648, with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test vectors of RFC 4648, section 10.
    #[test]
    fn base64_is_the_rfcs() {
        for (plain, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), text);
        }
    }

    /// "abc" in FIPS 180-4 and RFC 1321.
    #[test]
    fn both_spellings_of_a_digest_are_taken() {
        let hash = |algorithm: &str, text: &str| {
            Some(Hash { algorithm: algorithm.into(), text: text.into() })
        };
        for good in [
            hash("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            hash("sha256", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
            hash("sha1", "A9993E364706816ABA3E25717850C26C9CD0D89D"),
            hash("md5", "900150983cd24fb0d6963f7d28e17f72"),
            None,
        ] {
            check(good.as_ref(), b"abc").unwrap();
        }
        let wrong = hash("sha1", "A9993E364706816ABA3E25717850C26C9CD0D89E");
        assert_eq!(check(wrong.as_ref(), b"abc").unwrap_err().code, Code::HashMismatch);
        let odd = hash("sha3", "00");
        assert_eq!(check(odd.as_ref(), b"abc").unwrap_err().code, Code::BadAmf);
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(as_base64(hex), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
        assert_eq!(as_base64("ungWv48B"), "ungWv48B");
    }
}
