#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    orthros_krb5::fuzzing::vouched(data);
});
