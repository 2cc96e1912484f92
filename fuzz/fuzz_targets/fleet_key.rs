#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    orthros::transfer::fleet::fuzz(data);
});
