//! Feeds what libFuzzer generates to [`coder_sms_register_fuzz::gate`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| coder_sms_register_fuzz::gate::check(input));
