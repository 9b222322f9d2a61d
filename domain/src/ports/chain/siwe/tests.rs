//! The cases of the specification's own test vectors, each as one change to a full message.

use chrono::TimeDelta;
use ethers_core::types::U256;

use super::*;

const FULL: &str = "\
service.org wants you to sign in with your Ethereum account:
0xe5A12547fe4E872D192E3eCecb76F2Ce1aeA4946

I accept the ServiceOrg Terms of Service: https://service.org/tos

URI: https://service.org/login
Version: 1
Chain ID: 1
Nonce: 12341234
Issued At: 2022-03-17T12:45:13.610Z
Expiration Time: 2023-03-17T12:45:13.610Z
Not Before: 2022-03-17T12:45:13.610Z
Request ID: some_id
Resources:
- https://service.org/login
- ipfs://Qme7ss3ARVgxv6rXqVPiikMJ8u2NLgmgszg13pYrDKEoiu";

/// The full message with one part replaced, which must be there.
fn with(from: &str, to: &str) -> String {
    assert!(FULL.contains(from), "{from}");
    FULL.replacen(from, to, 1)
}

fn parsed(from: &str, to: &str) -> Siwe {
    let text = with(from, to);
    let siwe = parse(&text).unwrap_or_else(|error| panic!("{from:?} -> {to:?}: {error}"));
    assert_eq!(parse(&message(&siwe)), Ok(siwe.clone()), "written and read again");
    siwe
}

#[test]
fn a_full_message_is_read_and_written_alike() {
    let siwe = parse(FULL).unwrap();
    assert_eq!(message(&siwe), FULL);
    assert_eq!((siwe.scheme, siwe.domain.as_str(), siwe.chain_id), (None, "service.org", 1));
    assert_eq!(siwe.address.checksummed(), "0xe5A12547fe4E872D192E3eCecb76F2Ce1aeA4946");
    assert_eq!(siwe.nonce, "12341234");
    assert_eq!(siwe.request_id.as_deref(), Some("some_id"));
    assert_eq!(siwe.resources.len(), 2);
    assert_eq!(siwe.expiration_time.unwrap() - siwe.issued_at, TimeDelta::days(365));
}

#[test]
fn a_message_says_when_it_is_over() {
    let siwe = parse(FULL).unwrap();
    let end = siwe.expiration_time.unwrap();
    assert!(!siwe.is_over(end - TimeDelta::milliseconds(1)) && siwe.is_over(end));
}

#[test]
fn what_may_be_left_out_may_be_left_out() {
    let lines: Vec<_> = FULL.lines().collect();
    assert_eq!(parse(&lines[..10].join("\n")).unwrap().expiration_time, None);
    assert_eq!(parsed("\nRequest ID: some_id", "").request_id, None);
    assert_eq!(parsed("\nNot Before: 2022-03-17T12:45:13.610Z", "").not_before, None);
    assert_eq!(parsed("\nExpiration Time: 2023-03-17T12:45:13.610Z", "").expiration_time, None);
    let statement = "I accept the ServiceOrg Terms of Service: https://service.org/tos\n";
    assert_eq!(parsed(statement, "").statement, None);
    assert_eq!(parsed("some_id", "").request_id.as_deref(), Some(""));
}

#[test]
fn domains_uris_times_and_chains_take_every_right_form() {
    for domain in
        ["127.0.0.1", "test@127.0.0.1", "127.0.0.1:8080", "localhost:8080", "test@127.0.0.1:8080", "[::cafe]"]
    {
        assert_eq!(parsed("service.org wants", &format!("{domain} wants")).domain, domain);
    }
    let siwe = parsed("service.org wants", "https://service.org wants");
    assert_eq!((siwe.scheme.as_deref(), siwe.domain.as_str()), (Some("https"), "service.org"));
    for uri in [
        "https://[::cafe]",
        "https://127.0.0.1",
        "https://127.0.0.1:4361",
        "https://127.0.0.1/?query=one#begin",
        "urn:uuid:0f2c",
        "https://service.org/%C3%A9",
    ] {
        assert_eq!(parsed("https://service.org/login\nV", &format!("{uri}\nV")).uri, uri);
    }
    assert_eq!(parsed("Chain ID: 1\n", "Chain ID: 8453\n").chain_id, 8453);
    for (time, utc) in [
        ("2021-09-30T16:25:24Z", "2021-09-30T16:25:24Z"),
        ("2021-09-30T16:25:24.000Z", "2021-09-30T16:25:24Z"),
        ("2021-09-30T16:25:24-02:00", "2021-09-30T18:25:24Z"),
    ] {
        let siwe = parsed("Issued At: 2022-03-17T12:45:13.610Z", &format!("Issued At: {time}"));
        assert_eq!(siwe.issued_at, utc.parse::<DateTime<Utc>>().unwrap());
    }
}

#[test]
fn anything_else_is_refused() {
    let times = "2022-03-17T12:45:13.610Z";
    let cases = [
        // missing
        ("service.org wants", " wants"),
        ("0xe5A12547fe4E872D192E3eCecb76F2Ce1aeA4946", ""),
        ("URI: https://service.org/login\n", "\n"),
        ("Version: 1\n", "\n"),
        ("Chain ID: 1\n", "\n"),
        ("Nonce: 12341234\n", "\n"),
        ("Issued At: 2022-03-17T12:45:13.610Z\n", "\n"),
        // out of order
        ("URI: https://service.org/login\nVersion: 1", "Version: 1\nURI: https://service.org/login"),
        ("Version: 1\nChain ID: 1", "Chain ID: 1\nVersion: 1"),
        ("Chain ID: 1\nNonce: 12341234", "Nonce: 12341234\nChain ID: 1"),
        ("Nonce: 12341234", &format!("Issued At: {times}\nNonce: 12341234")),
        (
            "Expiration Time: 2023-03-17T12:45:13.610Z\nNot Before:",
            "Not Before: 2022-03-17T12:45:13.610Z\nExpiration Time:",
        ),
        (
            "Not Before: 2022-03-17T12:45:13.610Z\nRequest ID: some_id",
            "Request ID: some_id\nNot Before: 2022-03-17T12:45:13.610Z",
        ),
        (
            "Request ID: some_id\nResources:\n- https://service.org/login",
            "Resources:\n- https://service.org/login\nRequest ID: some_id",
        ),
        // twice, or added
        ("Request ID: some_id", "Request ID: some_id\nRequest ID: other"),
        ("Resources:", "Extra: 1\nResources:"),
        // of another form
        ("service.org wants", "#notrfc4501 wants"),
        ("service.org wants", "service.org/path wants"),
        ("service.org wants", "service org wants"),
        ("service.org wants", "1https://service.org wants"),
        ("wants you to sign in", "wants you to log in"),
        ("0xe5A12547fe4E872D192E3eCecb76F2Ce1aeA4946", "0xe5a12547fe4e872d192e3ececb76f2ce1aea4946"),
        ("0xe5A12547fe4E872D192E3eCecb76F2Ce1aeA4946", "0xE5A12547fe4E872D192E3eCecb76F2Ce1aeA4946"),
        ("Service: https", "Service: \nhttps"),
        ("Service: https", "Service\u{e9}: https"),
        ("\n\nI accept", "\nI accept"),
        ("/tos\n\nURI", "/tos\nURI"),
        ("URI: https://service.org/login", "URI: :not_a_rfc3986_valid_uri_"),
        ("URI: https://service.org/login", "URI: https://service.org/%zz"),
        ("URI: https://service.org/login", "URI: https://service.org/%4"),
        ("Version: 1", "Version: 3"),
        ("Chain ID: 1", "Chain ID: ?"),
        ("Chain ID: 1", "Chain ID: +1"),
        ("Chain ID: 1", "Chain ID: 18446744073709551616"),
        ("Nonce: 12341234", "Nonce: 1234567"),
        ("Nonce: 12341234", "Nonce: 1234-1234"),
        ("Issued At: 2022-03-17T12:45:13.610Z", "Issued At: Wed Oct 05 2011 16:48:00 GMT+0200 (CEST)"),
        ("Issued At: 2022-03-17T12:45:13.610Z", "Issued At: 2022-02-31T12:45:13.610Z"),
        ("Issued At: 2022-03-17T12:45:13.610Z", "Issued At: 2022-03-17 12:45:13.610Z"),
        ("Expiration Time: 2023-03-17T12:45:13.610Z", "Expiration Time: 2100-02-31T14:31:43.952Z"),
        ("Expiration Time: 2023-03-17T12:45:13.610Z", "Expiration Time: tomorrow"),
        ("Not Before: 2022-03-17T12:45:13.610Z", "Not Before: 2025-02-31T17:09:38.578Z"),
        ("some_id", "some id"),
        ("some_id", "some/id"),
        ("- https://service.org/login\n", "- https://service.org/login - https://service.org/login/2\n"),
        ("- https://service.org/login", "- :not_a_rfc3986_valid_uri_"),
        ("- ipfs://Qme7ss3ARVgxv6rXqVPiikMJ8u2NLgmgszg13pYrDKEoiu", "- :not_a_rfc3986_valid_uri_"),
        ("Resources:\n", "Resources: "),
    ];
    for (from, to) in cases {
        let text = with(from, to);
        assert!(matches!(parse(&text), Err(SiweError::Message(_))), "{from:?} -> {to:?}");
    }
    for text in [String::new(), format!("{FULL}\n"), format!("\n{FULL}"), FULL.replace('\n', "\r\n")] {
        assert!(parse(&text).is_err(), "{text:?}");
    }
}

/// Signed by wallets that the specification's authors used: text and signature, and who signed.
const EXAMPLE: &str = "\
login.xyz wants you to sign in with your Ethereum account:
0x9D85ca56217D2bb651b00f15e694EB7E713637D4

Sign-In With Ethereum Example Statement

URI: https://login.xyz
Version: 1
Chain ID: 1
Nonce: bTyXgcQxn2htgkjJn
Issued At: 2022-01-27T17:09:38.578Z
Expiration Time: 2100-01-07T14:31:43.952Z";
const EXAMPLE_SIGNATURE: &str = "0xdc35c7f8ba2720df052e0092556456127f00f7707eaa8e3bbff7e56774e7f2e0\
    5a093cfc9e02964c33d86e8e066e221b7d153d27e5a2e97ccd5ca7d3f2ce06cb1b";
const V_FROM_ZERO: &str = "\
www.tally.xyz wants you to sign in with your Ethereum account:
0xc95EB884FE852e241D409234bfC7045CB9E31BD7

Sign in with Ethereum to Tally

URI: https://tally.xyz
Version: 1
Chain ID: 1
Nonce: 15050747
Issued At: 2022-06-30T14:08:51.382Z";
const V_FROM_ZERO_SIGNATURE: &str = "0x8c46b6eb8505939892d8e9b075f89f8277321b17b993151f37810cdda38cce6f\
    4a85909d2b53e6a14629c74c0ac38bf4becde78ee5b2529812bf6cceaf7b2a2501";

#[test]
fn the_signer_is_recovered() {
    for (text, signature) in [(EXAMPLE, EXAMPLE_SIGNATURE), (V_FROM_ZERO, V_FROM_ZERO_SIGNATURE)] {
        let siwe = parse(text).unwrap();
        assert_eq!(message(&siwe), text);
        assert_eq!(recover(text, signature), Ok(siwe.address));
        let other = recover(&text.replace("Chain ID: 1", "Chain ID: 2"), signature);
        assert_ne!(other, Ok(siwe.address), "another text is not signed");
    }
}

#[test]
fn a_signature_has_one_form_only() {
    let digits = EXAMPLE_SIGNATURE.strip_prefix("0x").unwrap();
    assert_eq!(recover(EXAMPLE, digits), recover(EXAMPLE, EXAMPLE_SIGNATURE));
    // The other signature that anybody can make of this one: s negated, v turned.
    let order = U256::from_big_endian(
        &hex::decode("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141").unwrap(),
    );
    let s = U256::from_big_endian(&hex::decode(&digits[64..128]).unwrap());
    let malleated = format!("{}{:064x}1c", &digits[..64], order - s);
    for signature in [
        "",
        "0x",
        &digits[..128],
        &format!("{digits}00"),
        &digits.replace('d', "g"),
        &format!("{}1d", &digits[..128]),
        &format!("{}02", &digits[..128]),
        &format!("{}1b", "00".repeat(64)),
        &malleated,
    ] {
        assert!(matches!(recover(EXAMPLE, signature), Err(SiweError::Signature(_))), "{signature}");
    }
}
