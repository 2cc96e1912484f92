#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    orthros_gss::fuzzing::old_mic_token(data);
});
