//! What must not be found in any log or file.

use std::collections::BTreeSet;

use super::{Classroom, student};

impl Classroom {
    /// Remembers words that must not be found in any log.
    pub fn keeps_secret(&self, words: &str) {
        self.texts_own_words.borrow_mut().push(words.to_owned());
    }

    /// Every phone, password, token and unusual text that was handed out.
    fn secrets(&self) -> Vec<String> {
        let account = self.twilio.account();
        let mut secrets = vec![
            account.account_token.clone(),
            account.auth_token.clone(),
            self.coder.token(),
            self.redis.password().to_owned(),
        ];
        secrets.extend(self.texts_own_words.borrow().iter().cloned());
        for text in self.twilio.texts() {
            secrets.push(text.to.trim_start_matches("+1").to_owned());
            secrets.extend(student::Login::read(&text.body).map(|login| login.password));
        }
        secrets
    }

    /// Where secrets that were handed out can be found again: in the log, in a file of the service.
    pub fn leaks(&self) -> Vec<String> {
        let mut places = vec![("the log".to_owned(), self.log())];
        let files = std::fs::read_dir(self.data_dir());
        for file in files.into_iter().flatten().flatten() {
            let bytes = std::fs::read(file.path()).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            places.push((file.path().display().to_string(), text));
        }
        let mut leaks = Vec::new();
        for secret in BTreeSet::from_iter(self.secrets()) {
            let length = secret.len();
            let found = places.iter().filter(|(_, text)| text.contains(&secret));
            leaks.extend(
                found.map(|(place, _)| format!("a secret of {length} characters is in {place}")),
            );
        }
        leaks
    }
}
