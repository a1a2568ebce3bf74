//! Steps that many tests repeat.

use super::student::{Login, Student, Webhook};
use super::{Classroom, PATIENCE};
use crate::fakes::coder::{Role, ops as coder};
use crate::fakes::trouble::{Op, Trouble, When, Which};

/// Waits until a text counts as later than what was sent before: texts are dated in whole seconds, and a login
/// answers all texts of its own second.
pub fn a_later_second() {
    std::thread::sleep(std::time::Duration::from_millis(1_050));
}

impl Classroom {
    /// Waits for these words in the log of the running service.
    #[track_caller]
    pub fn logs(&self, words: &str) {
        assert!(self.service().logs(words), "not logged: {words}");
    }

    /// A login whose text is served.
    pub fn login_of(&self, student: &Student<'_>) -> Login {
        let login = student.gets_a_login();
        self.all_served();
        login
    }

    /// All of them text the phrase.
    pub fn all_ask(&self, students: &[Student<'_>]) {
        students.iter().for_each(|student| drop(student.asks()));
    }

    /// All of them get a login that works.
    #[track_caller]
    pub fn all_log_in(&self, students: &[Student<'_>]) {
        students.iter().for_each(|student| drop(student.logs_in()));
    }

    /// All of them text the phrase and get a login that works.
    #[track_caller]
    pub fn all_get_logins(&self, students: &[Student<'_>]) {
        self.all_ask(students);
        self.all_log_in(students);
    }

    /// The next calls of this kind to Coder go wrong.
    pub fn trouble_at_coder(&self, which: impl Into<Which>, times: usize, trouble: Trouble) {
        self.coder().trouble(which, times, trouble);
    }

    /// The next calls of this kind to Twilio go wrong.
    pub fn trouble_at_twilio(&self, which: impl Into<Which>, times: usize, trouble: Trouble) {
        self.twilio().trouble(which, times, trouble);
    }

    /// Kills the service at the first call of this kind to Coder, before or after the call has its effect.
    pub fn dies_at_coder(&self, op: Op, when: When) {
        let service = self.service();
        self.coder()
            .on(op, when, 1, Box::new(move || service.kill()));
    }

    /// Kills the service at the first call of this kind to Twilio, before or after the call has its effect.
    pub fn dies_at_twilio(&self, op: Op, when: When) {
        let service = self.service();
        self.twilio()
            .on(op, when, 1, Box::new(move || service.kill()));
    }

    /// Whether the service has ended by itself or by a kill.
    pub fn is_dead(&self) -> bool {
        self.service().wait(std::time::Duration::ZERO).is_some()
    }

    /// Waits for the kill that was arranged, and starts the service again.
    pub fn starts_after_the_kill(&self) {
        self.eventually("the kill", || self.is_dead());
        self.restart_service();
    }

    /// The time of all accounts is up now.
    pub fn time_is_up(&self) {
        self.change("UPDATE registrations SET due_at = 1");
    }

    /// Dead letters in Redis.
    pub fn dead_letters(&self) -> usize {
        self.redis().length("coder-sms-register:dead")
    }

    /// From the next start on the service sends through the Messaging Service.
    pub fn texts_by_service(&self) {
        let service = self.twilio().account().service_sid.clone();
        self.set("FROM_NUM", &service);
    }

    /// Gives the owner of a login a workspace `dev` that runs.
    pub fn has_a_running_workspace(&self, login: &Login) {
        self.coder()
            .running_workspace(login.username(), "dev")
            .expect("a workspace");
    }

    /// All logins so far were texted a while ago: a login answers all texts of the minute before it.
    pub fn some_time_passes(&self) {
        self.all_served();
        self.change(
            "UPDATE registrations SET announced_at = announced_at - 600, withheld_at = withheld_at - 600,
             window_start = window_start - 600",
        );
    }

    /// The student changes the password of a login at Coder.
    pub fn changes_the_password(&self, login: &Login) {
        self.coder()
            .change_password(login.username(), CHANGED_PASSWORD);
    }

    /// The token's user has no rights but those that most services have: it may set no passwords.
    pub fn token_sets_no_passwords(&self) {
        self.coder()
            .token_roles(&[Role::UserAdmin, Role::OrganizationAdmin]);
    }

    /// Coder answers every attempt to set a password with an internal error in these words.
    pub fn answers_passwords(&self, words: &serde_json::Value) {
        let headers = vec![("X-Coder-Build-Version".to_owned(), "v2.31.14".to_owned())];
        let kind = "application/json; charset=utf-8".to_owned();
        let answer = Trouble::Status(500, headers, kind, words.to_string());
        self.trouble_at_coder(coder::SET_PASSWORD, usize::MAX, answer);
    }
}

/// What [`Classroom::changes_the_password`] sets.
pub const CHANGED_PASSWORD: &str = "mfkt8-r3tnz-vk2px";

impl Student<'_> {
    /// Waits for the next text, which must be a login that works.
    #[track_caller]
    pub fn logs_in(&self) -> Login {
        let login = self.next_login();
        assert!(self.can_log_in(), "the login does not work");
        login
    }

    /// Texts the phrase; the service dies over it as arranged and is started again. If the kill came before the
    /// answer to Twilio, Twilio offers the text again.
    pub fn asks_over_a_kill(&self) {
        self.posts_over_a_kill(&self.phrase_webhook());
    }

    /// The same with these words.
    pub fn texts_over_a_kill(&self, body: &str) {
        self.posts_over_a_kill(&self.webhook(body, &[]));
    }

    fn posts_over_a_kill(&self, webhook: &Webhook) {
        let class = self.class();
        let taken = self.posts(webhook) == 200;
        class.starts_after_the_kill();
        if !taken {
            class.eventually_within(PATIENCE, "the text is taken", || self.posts(webhook) == 200);
        }
    }
}
