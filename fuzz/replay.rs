//! Runs the body of a fuzz target on its kept corpus, in the plain tests of whatever crate includes this file.

use std::path::Path;

/// The kept inputs of `target` as they are, cut at each octet and changed in each: what fuzzing once found stays
/// found, on any compiler. A body's answer does not matter here; its assertions do.
pub(crate) fn replay<T>(target: &str, body: impl Fn(&[u8]) -> T) {
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
