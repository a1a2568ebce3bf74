//! Students who text the phrase again later.

use super::Classroom;
use crate::fakes::coder::{Role, ops as coder};
use crate::fakes::trouble::Trouble;

impl Classroom {
    /// All logins so far were texted a while ago: a login answers all texts of the minute before it.
    pub fn some_time_passes(&self) {
        self.all_served();
        self.change(
            "UPDATE registrations SET announced_at = announced_at - 600, withheld_at = withheld_at - 600,
             window_start = window_start - 600",
        );
    }

    /// The token's user has no rights but those that most services have: it may set no passwords.
    pub fn token_sets_no_passwords(&self) {
        self.coder()
            .token_roles(&[Role::UserAdmin, Role::OrganizationAdmin]);
    }

    pub fn answers_passwords(&self, words: &serde_json::Value) {
        let headers = vec![("X-Coder-Build-Version".to_owned(), "v2.31.14".to_owned())];
        let kind = "application/json; charset=utf-8".to_owned();
        let answer = Trouble::Status(500, headers, kind, words.to_string());
        self.coder()
            .trouble(coder::SET_PASSWORD, usize::MAX, answer);
    }
}
