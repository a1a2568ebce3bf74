//! `make browser-test`: the pages in real browsers, with the real program, a real Redis and a fake Coder that treats
//! browsers as the real one does.
//!
//! - `stage`: a class whose pages a browser can open, and what people do in front of a laptop.
//! - `signing_in`, `codes`, `waiting`, `trouble`, `pages`: the scenes. Each opens a class of its own.
//! - `crowd`: thirty laptops and thirty texts at once, with the time that it takes.
//! - `shares`: who has used the processors meanwhile.
//! - `looks`: contrast, sizes, what screen readers are told, and the pictures of the pages.
//! - `engines`: the sign-in in Firefox and in WebKit, where they are installed.

mod codes;
mod command;
mod crowd;
mod engines;
mod looks;
mod pages;
mod shares;
mod signing_in;
mod stage;
mod trouble;
mod waiting;

pub use command::main;
pub use stage::Stage;

/// One scene.
pub struct Scene {
    /// By which it is chosen on the command line.
    pub name: &'static str,
    /// What it proves.
    pub about: &'static str,
    /// Plays it; panics, with all that was seen, if something does not hold.
    pub play: fn(&Stage),
}

/// All scenes, in the order in which they are played.
pub const SCENES: &[Scene] = &[
    Scene {
        name: "one",
        about: "a text with the code of a laptop signs that laptop in, and nothing is sent",
        play: signing_in::one_student,
    },
    Scene {
        name: "workspace",
        about: "a browser that is signed in goes to the workspace of its student, once there is one",
        play: signing_in::to_the_workspace,
    },
    Scene {
        name: "crowd",
        about: "thirty windows and thirty texts at once: everybody is signed in as themselves",
        play: crowd::thirty_at_once,
    },
    Scene {
        name: "stranger",
        about: "somebody else's session is named, and the page goes on after the sign-out",
        play: signing_in::somebody_elses_session,
    },
    Scene {
        name: "dead",
        about: "the session of an earlier class is in the way: it says how to go on, and goes on",
        play: signing_in::dead_session,
    },
    Scene {
        name: "link",
        about: "a login link signs in after one tap, by keyboard as well, and leaves the address bar at once",
        play: signing_in::login_link,
    },
    Scene {
        name: "home",
        about: "a login link leads to the workspace of its student, once there is one",
        play: signing_in::link_to_the_workspace,
    },
    Scene {
        name: "keys",
        about: "a keyboard is enough, and no key says yes by accident",
        play: signing_in::by_keyboard,
    },
    Scene {
        name: "codes",
        about: "wrong, declined and late codes show nobody's login, and cost nobody theirs",
        play: codes::wrong_declined_and_late,
    },
    Scene {
        name: "crossed",
        about: "two texts with one code: the one that is confirmed wins",
        play: codes::two_texts_for_one_laptop,
    },
    Scene {
        name: "late",
        about: "a code too old is replaced on an open page, also on a laptop that slept",
        play: waiting::old_codes_and_sleep,
    },
    Scene {
        name: "full",
        about: "no room for another code: the phrase alone works, and the page goes on by itself",
        play: waiting::no_room,
    },
    Scene {
        name: "nocode",
        about: "no code, and no texts either: the page says what is so, and nothing of a missing script",
        play: waiting::no_code_and_no_text,
    },
    Scene {
        name: "lost",
        about: "the answer to a yes is lost on the way: it goes on by itself, with one login",
        play: waiting::lost_answer,
    },
    Scene {
        name: "clicks",
        about: "a yes or no during a poll that is under way is sent",
        play: waiting::click_during_a_poll,
    },
    Scene {
        name: "tabs",
        about: "two tabs of a browser: one login signs in both",
        play: waiting::two_tabs,
    },
    Scene {
        name: "refused",
        about: "Coder's login answers 429 or 500: once more, then copy buttons, and no false claim",
        play: trouble::coder_refuses,
    },
    Scene {
        name: "slow",
        about: "Coder takes four seconds to say whose session it is: the page waits, with one login",
        play: trouble::coder_is_slow,
    },
    Scene {
        name: "silent",
        about: "Coder says nothing to the login: copy buttons before long",
        play: trouble::coder_is_silent,
    },
    Scene {
        name: "away",
        about: "the service is away for a while: the page says so and goes on with a new code",
        play: trouble::service_is_away,
    },
    Scene {
        name: "foreign",
        about: "Coder at a foreign host: copy buttons, and no false claim",
        play: trouble::foreign_host,
    },
    Scene {
        name: "pages",
        about: "without script, in text mode, and what a carrier looks for",
        play: pages::for_everybody,
    },
    Scene {
        name: "projector",
        about: "the wall shows what to text, its QR code says the same, and it counts who is in",
        play: pages::projector,
    },
    Scene {
        name: "looks",
        about: "contrast, screen readers, focus, every size and zoom, nothing moves; pictures if asked for",
        play: looks::of_all_pages,
    },
    Scene {
        name: "engines",
        about: "the sign-in in Firefox and WebKit, where they are installed",
        play: engines::others,
    },
];
