//! The kept inputs of the fuzz targets for exchanges with a KDC, as they are, cut at each octet and changed in each: what
//! fuzzing once found stays found, on any compiler.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;

use orthros_krb5::exchange::fuzzing;

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
fn replies_of_a_kdc() {
    replay("initial_reply", fuzzing::initial_reply);
    replay("service_reply", fuzzing::service_reply);
    replay("sealed_initial_reply", |data| {
        let _: bool = fuzzing::sealed_initial_reply(data);
    });
}
