#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    orthros_kdc::fuzzing::sealed_evidence(data);
});
