//! The DER reader: whatever comes, every value found lies inside the input and reading ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use orthros_wire::der::DerReader;

fuzz_target!(|data: &[u8]| walk(data, 0));

/// Reads values in a row, and looks into the constructed ones, as nested types do.
fn walk(data: &[u8], depth: u8) {
    let mut reader = DerReader::new(data);
    let mut left = data.len();
    while let Ok((tag, content, whole)) = reader.any() {
        assert!(content.len() < whole.len() && whole.len() <= left);
        left -= whole.len();
        assert_eq!(reader.rest().len(), left);
        if tag.0 & 0x20 != 0 && depth < 32 {
            walk(content, depth + 1);
        }
    }
}
