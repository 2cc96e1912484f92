//! Vectors of RFC 3961 appendix A.1, and agreement of the word-wise fold with the general one.

use orthros_wire::hex;

use super::*;

#[test]
fn n_fold_gives_the_published_values() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../testdata/vectors.json")).unwrap();
    let rows = vectors["nfold"].as_array().unwrap();
    assert!(rows.len() >= 11, "vectors are missing");
    for row in rows {
        let octets = |field: &str| hex::decode(row[field].as_str().unwrap()).unwrap();
        let expected = octets("output");
        assert_eq!(row["bits"].as_u64().unwrap(), expected.len() as u64 * 8);
        let mut folded = vec![0xff; expected.len()];
        n_fold(&octets("input"), &mut folded);
        assert_eq!(folded, expected, "{row}");
    }
}

#[test]
fn the_fold_of_a_usage_is_the_general_fold_of_its_constant() {
    let numbers = (0..300).chain((0..32).map(|bit| 1 << bit)).chain([u32::MAX, 0x8000_0001, 0x0fff_fffe]);
    for usage in numbers.map(KeyUsage) {
        for purpose in [0x55, 0x99, 0xaa, 0x00, 0xff] {
            let mut general = [0; BLOCK];
            n_fold(&usage.constant(purpose), &mut general);
            assert_eq!(fold_usage(usage, purpose), general, "{usage}, {purpose:#x}");
        }
    }
}

#[test]
fn folding_nothing_gives_zeros() {
    let mut folded = [1; 4];
    n_fold(&[], &mut folded);
    assert_eq!(folded, [0; 4]);
    n_fold(b"x", &mut []);
}
