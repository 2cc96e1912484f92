//! `token show`.

use orthros::seal_key::Places;
use orthros::transfer::{FamilyKey, Policy};
use orthros::{CacheName, Orthros};
use orthros_wire::hex;

use crate::sandbox::Sandbox;

#[test]
fn a_token_s_clear_part_is_shown_and_whether_it_could_be_opened_here() {
    let sandbox = Sandbox::new();
    let _kdc = sandbox.realm();
    sandbox.good(&["kinit", "alice"], "wonderland\n");
    let cache = CacheName::from(format!("FILE:{}", sandbox.path().join("cc").display()).as_str());
    let here = Orthros::builder().transfer_places(Places::new().within(sandbox.path())).build();
    let alice = here.credential_from(&cache).unwrap();
    let token = here.export_credential(&alice).unwrap();
    std::fs::write(sandbox.path().join("token"), &token).unwrap();

    let text = sandbox.good(&["token", "show", "token"], "");
    let id = hex::encode(&token[10..26]);
    assert!(text.contains("Type:     credential\n") && text.contains(&format!("Token id: {id}\n")), "{text}");
    assert!(text.contains("Opens:    yes"), "{text}");

    let shown = sandbox.json(&["token", "show", "--json", "token"]);
    assert_eq!((shown["version"].as_u64(), shown["type"].as_str()), (Some(1), Some("credential")));
    assert_eq!(shown["key_id"].as_str(), Some(hex::encode(&token[2..6]).as_str()));
    assert_eq!(shown["boundary_id"].as_str(), Some(hex::encode(&token[6..10]).as_str()));
    assert_eq!(shown["sealed_octets"].as_u64(), u64::try_from(token.len() - 50).ok());
    assert!(shown["refusal"].is_null() && shown["expired"] == false && shown["claims"] == false, "{shown}");

    // Of another key, with claims, in hexadecimal digits on standard input.
    let family = FamilyKey::new().unwrap();
    let policy = Policy::new().audience("mail");
    let elsewhere = Orthros::builder().transfer_family(&family).transfer_policy(policy).build();
    let token = elsewhere.export_credential(&alice).unwrap();
    let text = sandbox.good(&["token", "show", "-"], &hex::encode(&token));
    assert!(text.contains("credential, demands something of its importer"), "{text}");
    assert!(text.contains("Opens:    no: the token was sealed with another key"), "{text}");
}

#[test]
fn what_is_no_token_is_said_to_be_none() {
    let sandbox = Sandbox::new();
    assert!(sandbox.bad(&["token", "show", "-"], "hello").contains("no token of ours"));
    assert!(sandbox.bad(&["token", "show", "missing"], "").contains("cannot read missing"));
}
