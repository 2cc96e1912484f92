#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    orthros_gss::fuzzing::sealed_mech_list_mic(data);
});
