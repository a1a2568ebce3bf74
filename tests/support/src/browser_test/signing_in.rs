//! The sign-in as it should go.

use super::stage::{BrowserLaptop, Stage, coder_of, nothing_was_sent, pages_of};
use crate::fakes::coder::ops;
use crate::fakes::trouble::Trouble;
use std::time::Duration;

const TAB: char = '\u{E004}';
const ENTER: char = '\u{E007}';

/// A text with the code of a laptop signs that laptop in.
pub fn one_student(stage: &Stage) {
    let class = stage.class("screen");
    let laptop = BrowserLaptop::opens(stage.browser().private_window(), &class);
    let ana = class.student();
    laptop.is_joined_by(&ana);
    assert_eq!(laptop.signed_in_as(), class.coder().only_user().username);
    class.all_served();
    // The page has left meanwhile, and has told of it all the same.
    class.eventually("the sign-in is recorded", || {
        class.query("SELECT count(arrived_at) FROM registrations") == "1"
    });
    nothing_was_sent(&class);
    laptop.window.close();
}

/// A browser that is signed in goes to the workspace of its student.
pub fn to_the_workspace(stage: &Stage) {
    let class = stage.class_with_workspaces("screen");
    let ana = class.student();
    let first = BrowserLaptop::opens(stage.browser().private_window(), &class);
    first.is_joined_by(&ana);
    let name = first.signed_in_as();
    class.logs(&format!("workspace class of {name} made"));
    let second = BrowserLaptop::opens(stage.browser().private_window(), &class);
    second.is_joined_by(&ana);
    assert_eq!(second.signed_in_as(), name);
    let page = format!("{}/@{name}/class", coder_of(&class));
    assert_eq!(second.window.url(), page);
    class.all_served();
    nothing_was_sent(&class);
    first.window.close();
    second.window.close();
}

/// A browser with somebody else's session says so, and goes on by itself after the sign-out.
pub fn somebody_elses_session(stage: &Stage) {
    let class = stage.class("screen");
    class
        .coder()
        .add_stranger("brave-otter", "brave-otter@elsewhere.example.org");
    class
        .coder()
        .change_password("brave-otter", "a-password-of-their-own");
    let laptop = BrowserLaptop::opens(stage.browser().private_window(), &class);
    laptop.signs_in_by_hand(
        "brave-otter@elsewhere.example.org",
        "a-password-of-their-own",
    );
    laptop.is_joined_by(&class.student());
    laptop.window.eventually_shows("#other h1");
    assert_eq!(
        class.coder().count(ops::LOGIN),
        1,
        "no login over the stranger's session"
    );
    let coder = laptop.window.tab_by_click("#other .button");
    assert_eq!(coder.eventually_shows("#who"), "brave-otter");
    assert!(!laptop.is_at_coder(), "it does not go on as somebody else");
    coder.click("#out");
    assert_eq!(laptop.signed_in_as(), class.coder().students()[0].username);
    class.all_served();
    nothing_was_sent(&class);
    coder.close();
    laptop.window.close();
}

/// The browser still holds the session of an account that is gone, and Coder refuses every login beside it. The page
/// says how to go on, and goes on by itself.
pub fn dead_session(stage: &Stage) {
    let class = stage.class("screen");
    let laptop = BrowserLaptop::opens(stage.browser().private_window(), &class);
    laptop.is_joined_by(&class.student());
    let earlier = laptop.signed_in_as();
    class.does(&["end", "--all", "--yes"]);
    class.all_gone();

    laptop.comes_back();
    let before = class.coder().count(ops::LOGIN);
    laptop.is_joined_by(&class.student());
    let words = laptop.window.eventually_shows("#hand");
    assert!(words.contains("earlier class"), "{words}");
    assert_eq!(
        class.coder().count(ops::LOGIN),
        before + 2,
        "tried once more"
    );
    let read = |selector: &str| laptop.window.text(selector).unwrap_or_default();
    let (email, password) = (read("#email"), read("#password"));
    class.keeps_secret(&password);
    // Coder's own page sends the token that its login asks for beside a session.
    let coder = laptop.window.tab_by_click("#hand .button");
    coder.eventually_shows("form");
    coder.click("#email");
    coder.types(&email);
    coder.click("#password");
    coder.types(&password);
    coder.presses(&[ENTER]);
    let name = laptop.signed_in_as();
    assert_eq!(Some(name.as_str()), email.split('@').next());
    assert_ne!(name, earlier);
    class.all_served();
    nothing_was_sent(&class);
    coder.close();
    laptop.window.close();
}

/// A login link signs in after one tap. The login is gone from the address bar before anything else happens.
pub fn login_link(stage: &Stage) {
    let class = stage.class("text");
    let login = class.student().gets_a_login();
    let laptop = BrowserLaptop::opens(stage.browser().private_window(), &class);
    laptop.window.eventually_shows("#plain h1");
    let (name, password) = (login.username(), &login.password);
    let (pages, link) = (
        format!("{}/", pages_of(&class)),
        format!("{}/#{name}:{password}", pages_of(&class)),
    );
    // As from the address bar of the page itself: only the fragment differs.
    laptop.window.open(&link);
    let button = laptop.window.eventually_shows("#link button");
    assert_eq!(button, format!("Sign in as {name}"));
    assert_eq!(laptop.window.url(), pages);
    // A link that somebody sends to somebody else opens no account by itself.
    laptop.window.presses(&[ENTER, ' ']);
    class.student().gets_a_login();
    assert!(laptop.window.shows("#link button"));
    assert_eq!(class.coder().count(ops::LOGIN), 0, "signed in unasked");

    laptop.window.presses(&[TAB]);
    class.trouble_at_coder(ops::LOGIN, 1, Trouble::Delay(Duration::from_secs(2)));
    laptop.window.presses(&[ENTER]);
    laptop.window.eventually_shows("#login h1");
    assert_eq!(laptop.window.url(), pages);
    assert_eq!(laptop.signed_in_as(), name);
    assert_eq!(class.coder().count(ops::LOGIN), 1);
    laptop.window.run("history.back()", &[]).expect("a script");
    laptop
        .window
        .eventually("the page before", |window| window.url() == pages);
    laptop.window.close();
}

/// A login link leads to the workspace of its student, and to Coder's first page while there is none.
pub fn link_to_the_workspace(stage: &Stage) {
    let class = stage.class_with_workspaces("text");
    for is_made in [true, false] {
        if !is_made {
            class.coder().delete_template("docker");
        }
        let login = class.student().gets_a_login();
        let (name, password) = (login.username(), &login.password);
        if is_made {
            class.logs(&format!("workspace class of {name} made"));
        }
        let laptop = BrowserLaptop::opens(stage.browser().private_window(), &class);
        let link = format!("{}/#{name}:{password}", pages_of(&class));
        laptop.window.open(&link);
        laptop.window.eventually_shows("#link button");
        laptop.window.click("#go");
        assert_eq!(laptop.signed_in_as(), name);
        let path = if is_made {
            format!("/@{name}/class")
        } else {
            "/".to_owned()
        };
        let page = format!("{}{path}", coder_of(&class));
        assert_eq!(laptop.window.url(), page);
        laptop.window.close();
    }
}

/// A keyboard is enough, and no key says yes by accident.
pub fn by_keyboard(stage: &Stage) {
    let class = stage.class("screen");
    let laptop = BrowserLaptop::opens(stage.browser().private_window(), &class);
    let ana = class.student();
    ana.texts(&laptop.wanted_text());
    laptop.asks_after(&ana);
    let focus = || {
        let id = laptop.window.run("return document.activeElement.id", &[]);
        id.unwrap_or_default()
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    laptop.window.presses(&[ENTER, ' ']);
    assert!(focus().is_empty(), "nothing has the focus by itself");
    laptop.asks_after(&ana);
    laptop.window.presses(&[TAB]);
    assert_eq!(focus(), "yes");
    laptop.window.presses(&[ENTER]);
    laptop.signed_in_as();
    laptop.window.close();
}
