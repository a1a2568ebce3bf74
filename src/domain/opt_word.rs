//! Recognition of texts that opt out of texts, or in again.

use super::letters::{Accents, fold};

/// The meaning of an opt-out, opt-in or help text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptWord {
    /// It opts out of further texts.
    Stop,
    /// It opts in again.
    Start,
    /// It asks for help, which Twilio answers itself.
    Help,
    /// Not known: the text comes from Twilio's log, which does not tell, and a Messaging Service
    /// may have keywords of its own.
    Unknown,
}

/// Whole texts that opt out, normalised as texts are compared.
///
/// Twilio acts on the first eight (docs: "Customize users' opt-in and opt-out experience with
/// Advanced Opt-Out") and, in French, on the next three ("Opt-out keywords" of its Proxy). It has
/// no keywords in other languages. Keywords that an operator adds as Advanced Opt-Out, in any
/// language, come with `OptOutType`. `unsub` is one of the keywords that Twilio requires in Canada
/// (help centre: "Industry standards for mandatory keyword responses required in Canada"). The US
/// rule 47 CFR 64.1200(a)(10) accepts any reasonable wording, names "opt out", and makes the sender
/// responsible for what Twilio does not act on.
const STOP: [&str; 56] = [
    "stop",
    "stopall",
    "unsubscribe",
    "cancel",
    "end",
    "quit",
    "revoke",
    "optout",
    "arret",
    "arrete",
    "arrett",
    "unsub",
    "stoptexting",
    "stoptextingme",
    "stoptextingthisnumber",
    "stoptext",
    "stoptexts",
    "stopthetexts",
    "stopthesetexts",
    "stopalltexts",
    "stopmessaging",
    "stopmessagingme",
    "stopmessages",
    "stopthemessages",
    "stopthesemessages",
    "stopallmessages",
    "stopsms",
    "stopsending",
    "stopsendingtexts",
    "stopsendingmetexts",
    "stopsendingmessages",
    "stopsendingmemessages",
    "stopcontactingme",
    "nomoretexts",
    "nomoremessages",
    "donttextme",
    "donottextme",
    "dontmessageme",
    "donotmessageme",
    "dontcontactme",
    "donotcontactme",
    "donttextthisnumber",
    "optmeout",
    "iwanttooptout",
    "iwouldliketooptout",
    "idliketooptout",
    "unsubscribeme",
    "remove",
    "removeme",
    "removemynumber",
    "removemefromthislist",
    "removemefromyourlist",
    "takemeoffthislist",
    "takemeoffyourlist",
    "leavemealone",
    "endtexts",
];

/// The number of these that Twilio acts on itself, as bare words. The French ones are not included,
/// because Twilio does not document them for every number.
const TWILIO_ACTS_ON: usize = 8;

/// Texts that opt in again; Twilio acts on them too.
const START: [&str; 3] = ["start", "unstop", "yes"];

/// Bare words that Twilio answers itself.
const HELP: [&str; 2] = ["help", "info"];

/// Words at either end of an opt-out that do not change its meaning.
const COURTESY: [&str; 8] = [
    "please", "pls", "plz", "now", "thanks", "thankyou", "anymore", "svp",
];

impl OptWord {
    /// Parses Twilio's `OptOutType` parameter.
    pub fn from_parameter(value: &str) -> Option<Self> {
        match value {
            "STOP" => Some(Self::Stop),
            "START" => Some(Self::Start),
            "HELP" => Some(Self::Help),
            _ => None,
        }
    }

    /// Parses the stored form that [`OptWord::as_str`] returns.
    pub fn from_stored(value: &str) -> Option<Self> {
        match value {
            "UNKNOWN" => Some(Self::Unknown),
            word => Self::from_parameter(word),
        }
    }

    /// Its stored form in the stream.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "STOP",
            Self::Start => "START",
            Self::Help => "HELP",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Recognises a whole text that opts out or in, in any letter case, with any punctuation and
    /// invisible characters. A sentence that only contains such a word, such as "I can't stop
    /// learning", is no opt-out. A request for help is recognised only if Twilio recognises it too,
    /// because only Twilio answers it.
    pub fn in_body(body: &str) -> Option<Self> {
        let bare = body.trim();
        if HELP.iter().any(|word| bare.eq_ignore_ascii_case(word)) {
            return Some(Self::Help);
        }
        let words: Vec<String> = body
            .split_whitespace()
            .map(|word| fold(word, Accents::Ignored))
            .filter(|word| !word.is_empty())
            .collect();
        if START.contains(&words.concat().as_str()) {
            return Some(Self::Start);
        }
        let request = without_courtesy(&words).concat();
        STOP.contains(&request.as_str()).then_some(Self::Stop)
    }

    /// Whether Twilio itself acts on this opt-out. Then it refuses further texts to that phone,
    /// until the phone opts in again.
    pub fn is_known_to_twilio(body: &str) -> bool {
        let bare = body.trim();
        STOP[..TWILIO_ACTS_ON]
            .iter()
            .any(|word| bare.eq_ignore_ascii_case(word))
    }

    /// Whether `phrase` cannot be the phrase of a class, because a text with these letters, with
    /// spaces anywhere, could be one of the texts above.
    pub(super) fn reserves(phrase: &str) -> bool {
        let letters = fold(phrase, Accents::Ignored);
        let mut request = letters.as_str();
        let strip_courtesy = |text| {
            let strip = |word| str::strip_prefix(text, word).or_else(|| text.strip_suffix(word));
            COURTESY.into_iter().find_map(strip)
        };
        while let Some(rest) = strip_courtesy(request) {
            request = rest;
        }
        STOP.contains(&request)
            || Self::in_body(phrase).is_some()
            || Self::in_body(&letters).is_some()
    }
}

fn without_courtesy(mut words: &[String]) -> &[String] {
    let is_courtesy = |word: &String| COURTESY.contains(&word.as_str());
    loop {
        words = match words {
            [first, rest @ ..] if is_courtesy(first) => rest,
            [rest @ .., last] if is_courtesy(last) => rest,
            [rest @ .., thank, you] if thank == "thank" && you == "you" => rest,
            words => return words,
        };
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_texts_opt_out() {
        for body in [
            " Stop\n",
            "STOPALL",
            "stop all",
            "opt out",
            "Opt-out",
            "OPT OUT!",
            "Stop.",
            "STOP!",
            "“Stop”",
            "'stop'",
            "Stop🛑",
            "🛑 Stop 🛑",
            "stop\u{200b}",
            "\u{feff}STOP\u{2060}",
            "S\u{ad}TOP",
            "ＳＴＯＰ",
            "stop please",
            "please stop",
            "Please STOP texting me!",
            "Stop texting me",
            "stop texting me, please",
            "Stop. Thank you",
            "stop now",
            "Unsubscribe me",
            "don't text me anymore",
            "Don’t text me",
            "no more texts please",
            "cancel",
            "End",
            "quit",
            "Revoke",
            "Arrêt",
            "ARRET",
            "arrête svp",
            "ARRETT",
            "Unsub",
            "Opt me out",
            "remove me from this list",
        ] {
            assert_eq!(OptWord::in_body(body), Some(OptWord::Stop), "{body:?}");
        }
    }

    #[test]
    fn texts_that_only_contain_such_a_word_do_not_opt_out() {
        for body in [
            "I can't stop learning",
            "when does class end",
            "the end",
            "please",
            "please, please!",
            "quitting time?",
            "cancel my order of pizza",
            "end of lesson 2?",
            "stopped",
            "nonstop",
            "how do I stop my workspace",
            "Stop texting me in class, Ben",
            "🛑",
            "",
            "thank you",
            "yes please",
            "starting now",
            "help!",
            "info?",
            "thanks",
            "start learning",
            "stop for you",
            "stop thank him",
        ] {
            assert_eq!(OptWord::in_body(body), None, "{body:?}");
        }
    }

    #[test]
    fn whole_texts_opt_in_again_or_ask_for_help() {
        for body in ["unstop", " Start!", "YES", "“yes”"] {
            assert_eq!(OptWord::in_body(body), Some(OptWord::Start), "{body:?}");
        }
        for body in ["info", " HELP\n"] {
            assert_eq!(OptWord::in_body(body), Some(OptWord::Help), "{body:?}");
        }
        for word in [
            OptWord::Stop,
            OptWord::Start,
            OptWord::Help,
            OptWord::Unknown,
        ] {
            assert_eq!(OptWord::from_stored(word.as_str()), Some(word));
        }
        assert_eq!(OptWord::from_parameter("UNKNOWN"), None);
    }

    #[test]
    fn twilio_acts_only_on_bare_words() {
        for body in ["STOP", " optout\n", "Revoke"] {
            assert!(OptWord::is_known_to_twilio(body), "{body:?}");
        }
        for body in [
            "Stop.",
            "opt out",
            "please stop",
            "arret",
            "stop texting me",
        ] {
            assert!(!OptWord::is_known_to_twilio(body), "{body:?}");
        }
    }

    #[test]
    fn the_lists_are_normalised() {
        for word in STOP.iter().chain(&START).chain(&HELP).chain(&COURTESY) {
            assert_eq!(fold(word, Accents::Ignored), *word);
        }
        for word in STOP {
            assert_eq!(OptWord::in_body(word), Some(OptWord::Stop), "{word}");
        }
        for phrase in [
            "please stop",
            "pleasestop",
            "stopplease",
            "thanksstopnow",
            "help!",
        ] {
            assert!(OptWord::reserves(phrase), "{phrase}");
        }
        assert!(!OptWord::reserves("please") && !OptWord::reserves("start learning now"));
    }
}
