//! Counters of what became of texts.

use crate::metrics::{Family, labels};
use crate::provision::{Completion, Silence};

labels! {
    /// How a text ended.
    pub(in crate::run) enum TextResult {
        /// A first login was sent.
        Login => "login_sent",
        /// A phone that had a login got it again.
        LoginAgain => "login_sent_again",
        /// A screen has fetched a login.
        LoginShown => "login_shown",
        /// The phone was told that it is not the phrase.
        Hint => "hint_sent",
        /// The phone was told that all seats are taken.
        Full => "told_full",
        /// The phone was told that the class is not open yet or is over, or that it has a login of another one.
        NotNow => "told_not_now",
        /// The phone was told that its login cannot be sent again.
        Withheld => "login_withheld",
        /// An opt-out or opt-in word was recorded.
        OptWord => "opt_word_recorded",
        /// Nothing was sent.
        Unanswered => "unanswered",
        /// It became a dead letter.
        GivenUp => "given_up",
    }
}

labels! {
    /// Why a text is retried later.
    pub(in crate::run) enum Delay {
        /// Coder, Twilio or the database is away.
        Away => "away",
        /// A person has to act: credentials, rights or the sender are refused.
        Blocked => "blocked",
        /// Some phones cannot be texted until a person acts.
        Held => "held",
        /// A limit is reached, or a step takes some time.
        Wait => "wait",
    }
}

/// Counters of the outcomes of texts since the start.
pub(in crate::run) struct TextCounters {
    /// Texts that ended; each counts once.
    pub(in crate::run) ended: Family<TextResult>,
    /// The texts among them that got no answer.
    pub(in crate::run) unanswered: Family<Silence>,
    /// Failed attempts that will be repeated.
    pub(in crate::run) put_off: Family<Delay>,
}

impl Default for TextCounters {
    fn default() -> Self {
        Self {
            ended: Family::new(TextResult::ALL.iter().copied()),
            unanswered: Family::new(Silence::ALL.iter().copied()),
            put_off: Family::new(Delay::ALL.iter().copied()),
        }
    }
}

impl TextCounters {
    pub(super) fn done(&self, done: &Completion) {
        self.ended.add(match done {
            Completion::LoginSent { again: false, .. } => TextResult::Login,
            Completion::LoginSent { again: true, .. } => TextResult::LoginAgain,
            Completion::LoginShown { .. } => TextResult::LoginShown,
            Completion::Hinted => TextResult::Hint,
            Completion::ToldFull => TextResult::Full,
            Completion::ToldNotNow => TextResult::NotNow,
            Completion::Withheld { .. } => TextResult::Withheld,
            Completion::OptedOut | Completion::OptedIn => TextResult::OptWord,
            Completion::Silent(silence) => {
                self.unanswered.add(*silence);
                TextResult::Unanswered
            }
        });
    }
}
