#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = orthros_gss::fuzzing::sealed_half_open(data);
});
