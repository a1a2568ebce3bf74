//! Feeds what libFuzzer generates to [`coder_sms_register_fuzz::stream_entry`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| coder_sms_register_fuzz::stream_entry::check(input));
