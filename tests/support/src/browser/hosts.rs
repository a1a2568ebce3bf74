//! The hosts that tests invent. They all are this machine.

use std::net::TcpListener;

use crate::classroom::preload;

/// Where the pages are.
pub const PAGES: &str = "sms.example.org";

/// Where Coder is: beside the pages.
pub const CODER: &str = "coder.example.org";

/// Where Coder is as well: foreign to the pages.
pub const FOREIGN_CODER: &str = "coder.other.test";

/// All of them.
pub const NAMES: [&str; 3] = [PAGES, CODER, FOREIGN_CODER];

const SOURCE: &str = include_str!("hosts.c");

/// The path of a library that lets a program find these hosts: for `LD_PRELOAD`.
pub fn library() -> String {
    preload::library("hosts", SOURCE)
}

/// A port that was free a moment ago, for a program that has to be told one.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}
