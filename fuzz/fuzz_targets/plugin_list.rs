#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| orthros_capi::fuzzing::plugin_list(data));
