//! The kept inputs of the fuzz targets for this crate, as they are, cut at each octet and changed in each: what
//! fuzzing once found stays found, on any compiler.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;

use orthros_gss::fuzzing;

fn replay(target: &str, body: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "the corpus of {target} is gone");
    for file in files {
        let input = std::fs::read(file).unwrap();
        body(&input);
        // At most some hundred places of a long input, spread evenly.
        for at in (0..input.len()).step_by(input.len() / 200 + 1) {
            body(&input[..at]);
            let mut changed = input.clone();
            changed[at] ^= 0x81;
            body(&changed);
        }
    }
}

#[test]
fn tokens_without_a_key() {
    replay("framing", fuzzing::framing);
    replay("exported_name", fuzzing::exported_name);
    replay("acceptor_token", fuzzing::acceptor_token);
    replay("initiator_token", fuzzing::initiator_token);
    replay("transfer_token", fuzzing::transfer_token);
}

#[test]
fn tokens_under_a_good_seal() {
    let ignored = |body: fn(&[u8]) -> bool| {
        move |data: &[u8]| {
            let _: bool = body(data);
        }
    };
    replay("wrap_token", ignored(fuzzing::wrap_token));
    replay("mic_token", ignored(fuzzing::mic_token));
    replay("sealed_acceptor_token", ignored(fuzzing::sealed_acceptor_token));
    replay("sealed_ap_rep", ignored(fuzzing::sealed_ap_rep));
    replay("sealed_krb_cred", ignored(fuzzing::sealed_krb_cred));
    replay("sealed_transfer_state", ignored(fuzzing::sealed_transfer_state));
}
