//! How the conversations look on the phones.

use super::cast::{Cast, Part, Role};
use super::class_run::{ClassRun, Conversation, Line, Voice};
use super::screen::{Paint, Screen, seconds};
use crate::classroom::student::Login;

/// More students than this are too many to read.
const READABLE: usize = 16;
/// Of those, this many are shown.
const SHOWN: usize = 6;

/// Shows the conversations, or the first of them, and what became of the forged text.
pub fn show(cast: &Cast, class_run: &ClassRun, screen: &Screen) {
    let all = cast.students.len();
    let shown = if all > READABLE { SHOWN } else { all };
    screen.say(&format!(
        "  {}  what a student texts     {}  what comes back\n",
        screen.paint(Paint::Student, ">"),
        screen.paint(Paint::Answer, "<")
    ));
    for (index, part) in cast.students.iter().take(shown).enumerate() {
        // The first login is shown as it is; of the others, what differs.
        show_one(part, &class_run.conversations[index], index == 0, screen);
    }
    if shown < all {
        let rest = &class_run.conversations[shown..];
        let served = rest
            .iter()
            .filter(|conversation| conversation.login.is_some());
        let last = rest
            .iter()
            .flat_map(|conversation| conversation.lines.last());
        let last = last.map(|line| line.at).max().unwrap_or_default();
        screen.say(&format!(
            "\n  ... and {} more: {} of them have a login, the last after {}",
            rest.len(),
            served.count(),
            seconds(last)
        ));
    }
    screen.say(&format!(
        "\n  A forged text in the name of somebody who never texted is answered with {}.",
        class_run.forged_status
    ));
}

fn show_one(part: &Part, conversation: &Conversation, in_full: bool, screen: &Screen) {
    let role = match part.role {
        Role::Plain => "",
        Role::Hesitant => ", not sure of the phrase",
        Role::Hasty => ", in a hurry: texts twice, one login comes",
        Role::Forgetful => ", loses the login and asks again",
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

fn show_line(line: &Line, in_full: bool, screen: &Screen) {
    let time = format!("{:>8}", seconds(line.at));
    let time = screen.paint(Paint::Faint, &time);
    let say = |time: &str, sign: &str, paint: Paint, words: &str| {
        let (sign, words) = (screen.paint(paint, sign), screen.paint(paint, words));
        screen.say(&format!("{time} {sign}  {words}"));
    };
    match line.voice {
        Voice::Student => say(&time, ">", Paint::Student, line.words.trim()),
        Voice::Aside => say(&time, " ", Paint::Faint, &format!("({})", line.words)),
        Voice::Answer => {
            let mut lines = answer(&line.words, in_full).into_iter();
            say(&time, "<", Paint::Answer, &lines.next().unwrap_or_default());
            for more in lines {
                say("        ", " ", Paint::Answer, &more);
            }
        }
    }
}

/// The lines of an answer that are shown, no password among them.
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

/// Breaks a text at its blanks.
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
