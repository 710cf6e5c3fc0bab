//! Until when a certificate is good. The libraries that check chains say
//! whether one has expired, and not when it will; so its one field is read here
//! (RFC 5280, section 4.1): in DER each value is a tag, a length and a body.

use platefarm_model::utc::Utc;
use platefarm_model::{Outcome, Timestamp};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::path::Path;

const SEQUENCE: u8 = 0x30;
/// `[0]`, before the version.
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// A value at the front of `bytes`: its tag, its body, and what follows.
fn value(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [tag, first, rest @ ..] = bytes else { return None };
    // Up to 127 the byte is the length; above, it says how many bytes the length has.
    let (length, rest) = match first & 0x7f {
        length if first & 0x80 == 0 => (usize::from(length), rest),
        count @ 1..=4 => {
            let (digits, rest) = rest.split_at_checked(usize::from(count))?;
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (body, rest) = rest.split_at_checked(length)?;
    Some((*tag, body, rest))
}

fn sequence(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    value(bytes).filter(|(tag, ..)| *tag == SEQUENCE).map(|(_, body, rest)| (body, rest))
}

/// When a certificate ends; none for bytes that are none.
fn until(certificate: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = sequence(certificate)?;
    let (mut fields, _) = sequence(certificate)?;
    if let Some((VERSION, _, rest)) = value(fields) {
        fields = rest;
    }
    // Serial number, algorithm of the signature, issuer.
    for _ in 0..3 {
        (_, _, fields) = value(fields)?;
    }
    let (validity, _) = sequence(fields)?;
    let (_, _, not_after) = value(validity)?;
    let (kind, text, _) = value(not_after)?;
    time(kind, std::str::from_utf8(text).ok()?)
}

/// `YYMMDDHHMMSSZ` with years from 1950, or with all four digits of the year.
fn time(kind: u8, text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z').filter(|text| text.bytes().all(|c| c.is_ascii_digit()))?;
    let (year, rest) = match (kind, digits.len()) {
        (UTC_TIME, 12) => {
            let (year, rest) = digits.split_at(2);
            let year: i64 = year.parse().ok()?;
            (year + if year < 50 { 2000 } else { 1900 }, rest)
        }
        (GENERALIZED_TIME, 14) => {
            let (year, rest) = digits.split_at(4);
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let part = |i: usize| rest.get(2 * i..2 * i + 2)?.parse().ok();
    // Whoever writes 9999-12-31 means that there is no end, and that is far enough.
    Utc::at([year, part(0)?, part(1)?, part(2)?, part(3)?, part(4)?])
}

/// When the first of a chain of certificates to end does, as PEM; none: no
/// certificate in it can be read.
#[must_use]
pub fn chain_until(pem: &[u8]) -> Option<Timestamp> {
    let chain = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok);
    chain.filter_map(|certificate| until(&certificate)).min()
}

/// The same of a file.
///
/// # Errors
/// [`platefarm_model::Code::BadCertificate`] when it cannot be read.
pub fn file_until(file: &Path) -> Outcome<Option<Timestamp>> {
    Ok(chain_until(&crate::dial::certificates(file)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by OpenSSL 3.0, `req -x509 -days 400`; `x509 -enddate` says Jan  4 15:41:02 2028 GMT.
    const NEAR: &str = "-----BEGIN CERTIFICATE-----
MIIBhDCCASmgAwIBAgIUVyfQzwbWLUfzFVUROWDGdqvo1MIwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMZmFybS5leGFtcGxlMB4XDTI2MTEzMDE1NDEwMloXDTI4MDEw
NDE1NDEwMlowFzEVMBMGA1UEAwwMZmFybS5leGFtcGxlMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEo1l7SlKt9y7gbWyugGAsjs6zwwuI53KEUiyxT2fqBRW2cvIl
S3nkgsSbhdXeAQ2EzbrCK3GD3X/rmYThtoAACKNTMFEwHQYDVR0OBBYEFDE/YSNK
aaVmyTgxaITCk8Ek/Xf0MB8GA1UdIwQYMBaAFDE/YSNKaaVmyTgxaITCk8Ek/Xf0
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAKKXtQJvL+CHbT/s
I0abjdooMvWfdrflmBzIchQr8YrOAiEApVqsbIIC7br/HPk1d0DqPKrtkW7owO5z
FlkTGFlzovM=
-----END CERTIFICATE-----";
    /// The same with `-days 36500`: Nov  6 15:41:02 2126 GMT, which takes the other way of writing years.
    const FAR: &str = "-----BEGIN CERTIFICATE-----
MIIBpjCCAU2gAwIBAgIUWvjU8ilEH37I8d+OVLVlu6pV8YowCgYIKoZIzj0EAwIw
KDEVMBMGA1UEAwwMZmFybS5leGFtcGxlMQ8wDQYDVQQKDAZhIHNob3cwIBcNMjYx
MTMwMTU0MTAyWhgPMjEyNjExMDYxNTQxMDJaMCgxFTATBgNVBAMMDGZhcm0uZXhh
bXBsZTEPMA0GA1UECgwGYSBzaG93MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
YncIzIPhvykM2arJZYZBOCFAXVRjKHIMaKryAj6ldTxKhBzHhoTD9A3/HoVLwFEL
L1lY1qmBvRS1WZCUWO059KNTMFEwHQYDVR0OBBYEFKBIxFMBxobgj0OwqA4C6LTH
SIApMB8GA1UdIwQYMBaAFKBIxFMBxobgj0OwqA4C6LTHSIApMA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgI6OrIS8zo0sS3oyY0HuSXy4QH+6qwV6R
lkkkEvzti0QCIGSMkJQwr0CYH8UyFjqrCeZWN2xFOBpapPR1mawewT+U
-----END CERTIFICATE-----";

    #[test]
    fn the_end_is_the_one_that_openssl_says() {
        let at = |seconds: i64| Some(Timestamp(seconds * 1_000_000));
        assert_eq!(chain_until(NEAR.as_bytes()), at(1_830_613_262));
        assert_eq!(chain_until(FAR.as_bytes()), at(4_949_653_262));
        let both = format!("{FAR}\n{NEAR}\n");
        assert_eq!(chain_until(both.as_bytes()), at(1_830_613_262), "the first to end");
        assert_eq!(time(UTC_TIME, "991231235959Z"), at(946_684_799));
        assert_eq!(time(GENERALIZED_TIME, "99991231235959Z"), at(253_402_300_799));
    }

    #[test]
    fn bytes_that_are_no_certificate_have_no_end() {
        let der = CertificateDer::from_pem_slice(NEAR.as_bytes()).unwrap();
        // The end stands before the keys: what is cut off before it says nothing.
        let whole = (0..der.len()).find(|length| until(&der[..*length]).is_some());
        assert_eq!(whole, None, "a certificate is as long as it says");
        for bad in [&[][..], &[0x30], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x30, 0x80, 0, 0]] {
            assert_eq!(until(bad), None);
        }
        for bad in ["", "Z", "2801041541Z", "28010415410aZ", "281341154102Z", "280104154102"] {
            assert_eq!(time(UTC_TIME, bad), None, "{bad}");
        }
        assert_eq!(chain_until(b"no certificate"), None);
    }
}
