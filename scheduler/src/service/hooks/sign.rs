//! Signatures of deliveries, after the Standard Webhooks specification 1.0.0
//! (standardwebhooks.com, "Signature scheme"): HMAC-SHA256 over the id, the
//! time and the body, so that neither can be exchanged and an old delivery is
//! told by its time.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use platefarm_model::{Code, Fault, Outcome, Secret};
use sha2::Sha256;

/// What a secret begins with.
const PREFIX: &str = "whsec_";

fn random<const N: usize>() -> Outcome<[u8; N]> {
    let mut bits = [0; N];
    getrandom::fill(&mut bits)
        .map_err(|e| Fault::new(Code::Internal, "the system has no random bits").because(&e))?;
    Ok(bits)
}

/// A name for a new webhook.
pub(super) fn id() -> Outcome<String> {
    Ok(random::<6>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A new secret: 256 random bits.
pub(super) fn secret() -> Outcome<Secret> {
    Ok(Secret::new(format!("{PREFIX}{}", STANDARD.encode(random::<32>()?))))
}

/// A number from 0 up to 1, so that many who wait do not come back together.
pub(super) fn jitter() -> f64 {
    random::<1>().map_or(0.5, |[byte]| f64::from(byte) / 256.0)
}

/// The header `webhook-signature` of a delivery at `seconds` since the Unix epoch.
pub(super) fn signature(secret: &Secret, id: &str, seconds: i64, body: &str) -> Outcome<String> {
    let bad = || Fault::new(Code::StoreFailed, "the secret of a webhook cannot be read");
    let key = secret.expose().strip_prefix(PREFIX).ok_or_else(bad)?;
    let key = STANDARD.decode(key).map_err(|_| bad())?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| bad())?;
    mac.update(format!("{id}.{seconds}.{body}").as_bytes());
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries: key, message and signature as published there.
    #[test]
    fn signatures_are_those_of_the_specification() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let made = signature(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(made.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(signature(&Secret::new("x"), "i", 0, "").is_err());
    }
}
