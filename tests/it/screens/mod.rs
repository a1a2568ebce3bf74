//! Logins on screens: a text with the code of a laptop's page signs that laptop in.
//!
//! `class`: the real binary. `in_process`: every end of a text, step by step. `killed`: the service is
//! killed at each moment. `orders`: commands while a login waits for a yes. `workspaces`: where a browser goes.

mod class;
mod in_process;
mod killed;
mod orders;
mod workspaces;
