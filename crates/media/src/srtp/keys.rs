//! Session keys from master keys, and what they do (RFC 3711 sections 4.1 and 4.3).

use super::{Aes128, Array, BlockCipherEncrypt, KeyInit, hmac};

/// The three session keys of one protocol.
pub(super) struct Derived {
    cipher: Aes128,
    salt: [u8; 14],
    mac: hmac::Key,
}

impl Derived {
    /// Label 0 begins RTP's keys, 3 those of RTCP.
    pub fn new(master: &[u8; 30], label: u8) -> Self {
        let (key, salt) = master.split_first_chunk::<16>().map_or(([0; 16], [0; 14]), |(key, salt)| {
            let mut fourteen = [0; 14];
            fourteen.iter_mut().zip(salt).for_each(|(to, from)| *to = *from);
            (*key, fourteen)
        });
        let cipher = Aes128::new(&Array(key));
        let derive = |label, out: &mut [u8]| {
            // The label stands before the index, which is 0 where keys are derived once.
            let mut start = salt;
            if let Some(octet) = start.get_mut(7) {
                *octet ^= label;
            }
            keystream(&cipher, counter(&start), out);
        };
        let (mut session, mut mac, mut salted) = ([0; 16], [0; 20], [0; 14]);
        derive(label, &mut session);
        derive(label + 1, &mut mac);
        derive(label + 2, &mut salted);
        let mac = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &mac);
        Self { cipher: Aes128::new(&Array(session)), salt: salted, mac }
    }

    /// Encrypts or decrypts in place.
    pub fn crypt(&self, ssrc: u32, index: u64, octets: &mut [u8]) {
        let start = counter(&self.salt) ^ u128::from(ssrc) << 64 ^ u128::from(index) << 16;
        keystream(&self.cipher, start, octets);
    }

    /// The whole tag of parts in a row.
    pub fn sign(&self, parts: &[&[u8]]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.mac);
        parts.iter().for_each(|part| context.update(part));
        context.sign()
    }
}

fn counter(salt: &[u8; 14]) -> u128 {
    salt.iter().fold(0, |all, octet| all << 8 | u128::from(*octet)) << 16
}

/// Adds the keystream from `start` on.
fn keystream(cipher: &Aes128, start: u128, octets: &mut [u8]) {
    for (chunk, block) in octets.chunks_mut(16).zip(0u128..) {
        let mut key = Array((start.wrapping_add(block)).to_be_bytes());
        cipher.encrypt_block(&mut key);
        chunk.iter_mut().zip(key.iter()).for_each(|(octet, key)| *octet ^= key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(hex: &str) -> Vec<u8> {
        (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap()).collect()
    }

    /// RFC 3711 appendix B.2.
    #[test]
    fn the_keystream_is_the_standards() {
        let key: [u8; 16] = octets("2B7E151628AED2A6ABF7158809CF4F3C").try_into().unwrap();
        let salt: [u8; 14] = octets("F0F1F2F3F4F5F6F7F8F9FAFBFCFD").try_into().unwrap();
        let mut out = vec![0; 48];
        keystream(&Aes128::new(&Array(key)), counter(&salt), &mut out);
        assert_eq!(out, octets("E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB41E95B3BB0A2E8DD477901E4FCA894C0"));
    }

    /// RFC 3711 appendix B.3.
    #[test]
    fn the_session_keys_are_the_standards() {
        let master: [u8; 30] = octets("E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6").try_into().unwrap();
        let derived = Derived::new(&master, 0);
        assert_eq!(derived.salt.to_vec(), octets("30CBBC08863D8C85D49DB34A9AE1"));
        let expected: [u8; 16] = octets("C61E7A93744F39EE10734AFE3FF7A087").try_into().unwrap();
        let (mut ours, mut theirs) = (vec![0; 16], vec![0; 16]);
        keystream(&derived.cipher, 5, &mut ours);
        keystream(&Aes128::new(&Array(expected)), 5, &mut theirs);
        assert_eq!(ours, theirs);
        let mac = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &octets("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
        assert_eq!(derived.sign(&[b"x"]).as_ref(), hmac::sign(&mac, b"x").as_ref());
    }
}
