#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| orthros::dns::fuzzing::dns_answer(data));
