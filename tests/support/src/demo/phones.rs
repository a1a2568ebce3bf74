//! How the conversations look on the phones.

use super::cast::{Cast, CastPart, CastRole};
use super::class_run::{Conversation, DemoRun, SpokenLine, Voice};
use super::screen::{DemoScreen, Paint, seconds};
use crate::classroom::student::Login;

/// The first students are shown: one with each role, and two more.
const SHOWN: usize = 6;

/// Shows the first conversations, and how the forged text was answered.
pub fn show(cast: &Cast, class_run: &DemoRun, screen: &DemoScreen) {
    screen.say(&format!(
        "  {}  what a student texts     {}  what comes back\n",
        screen.paint(Paint::Student, ">"),
        screen.paint(Paint::Answer, "<")
    ));
    let pairs = cast.students.iter().zip(&class_run.conversations);
    for (index, (part, conversation)) in pairs.take(SHOWN).enumerate() {
        // The first login is shown whole, of the others only what differs.
        show_one(part, conversation, index == 0, screen);
    }
    let rest = class_run.conversations.iter().skip(SHOWN);
    let served = rest.filter(|one| one.login.is_some()).count();
    if let Some(more @ 1..) = cast.students.len().checked_sub(SHOWN) {
        screen.say(&format!(
            "\n  ... and {more} more: {served} of them have a login"
        ));
    }
    screen.say(&format!(
        "\n  A forged text with the phone of a stranger is answered with {}.",
        class_run.forged_status
    ));
}

fn show_one(part: &CastPart, conversation: &Conversation, in_full: bool, screen: &DemoScreen) {
    let role = match part.role {
        CastRole::Plain => "",
        CastRole::Hesitant => ", not sure of the phrase",
        CastRole::Hasty => ", in a hurry: texts twice, one login comes",
        CastRole::Forgetful => ", loses the login and asks again",
    };
    let title = format!("{}{role}", part.name);
    screen.say(&format!(
        "  {}  {}",
        part.ending(),
        screen.paint(Paint::Heading, &title)
    ));
    let mut in_full = in_full;
    for line in &conversation.lines {
        show_line(line, in_full, screen);
        in_full &= line.voice != Voice::Answer;
    }
    if let Some(fault) = &conversation.fault {
        let fault = screen.paint(Paint::Bad, fault);
        screen.say(&format!("{:9}!  {fault}", ""));
    }
}

fn show_line(line: &SpokenLine, in_full: bool, screen: &DemoScreen) {
    let time = format!("{:>8}", seconds(line.at));
    let time = screen.paint(Paint::Faint, &time);
    let say = |time: &str, sign: &str, paint: Paint, words: &str| {
        let (sign, words) = (screen.paint(paint, sign), screen.paint(paint, words));
        screen.say(&format!("{time} {sign}  {words}"));
    };
    match line.voice {
        Voice::Student => say(&time, ">", Paint::Student, line.words.trim()),
        Voice::Answer => {
            let mut lines = answer(&line.words, in_full).into_iter();
            say(&time, "<", Paint::Answer, &lines.next().unwrap_or_default());
            for more in lines {
                say("        ", " ", Paint::Answer, &more);
            }
        }
    }
}

/// The lines of an answer that are shown. Passwords are masked.
fn answer(words: &str, in_full: bool) -> Vec<String> {
    let Some(login) = Login::read(words) else {
        return wrap(words, 66);
    };
    let masked = mask(&login.password);
    if in_full {
        let text = words.replace(&login.password, &masked);
        return text.lines().map(str::to_owned).collect();
    }
    vec![format!("[login] {}  {masked}", login.email)]
}

/// The first group of a password, dots for the rest.
fn mask(password: &str) -> String {
    let mut groups = password.split('-');
    let first = groups.next().unwrap_or_default().to_owned();
    groups.fold(first, |masked, group| {
        masked + "-" + &".".repeat(group.len())
    })
}

/// Breaks a text between words.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always one");
        if !line.is_empty() && line.len() + 1 + word.len() > width {
            lines.push(word.to_owned());
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines
}
