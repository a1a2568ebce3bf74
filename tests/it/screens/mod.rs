//! Logins on screens: a text with the code of a laptop's page signs that laptop in.

mod in_process;
