//! The text of `status`: everything, or as much as the terminal has room for.
//!
//! The order is the order of importance: the summary, what needs the operator, then the accounts.

use super::super::harmless;
use super::concerns::Concern;
use super::overview::{ClassView, Condition};
use crate::domain::count;
use crate::terminal::{self, Colours, TerminalSize, Tone, shortened, wrapped};

/// The output that the text must fit.
#[derive(Clone, Copy)]
pub(super) struct Canvas {
    /// `None` = no limit.
    pub(super) size: Option<TerminalSize>,
    pub(super) colours: Colours,
}

impl Canvas {
    /// Standard output.
    pub(super) fn of_stdout() -> Self {
        Self {
            size: terminal::size(),
            colours: Colours::of(&std::io::stdout()),
        }
    }

    fn width(&self) -> Option<usize> {
        self.size.map(|size| size.columns)
    }
}

/// The number of lines that are reserved for the table, if there are accounts: an empty line, its titles, two rows,
/// and the number of further rows.
const LEAST_TABLE: usize = 5;

/// The width of the label before a concern, with the spaces after it.
const LABEL: usize = 7;

/// The text for standard output, for one use of `status` without `--watch`.
pub(super) fn now(view: &ClassView) -> String {
    let lines = lines(view, Canvas::of_stdout(), None);
    lines.into_iter().map(|line| line + "\n").collect()
}

/// The lines of a view, with `headline` on top. The terminal's last line is left free for the next prompt.
pub(super) fn lines(view: &ClassView, canvas: Canvas, headline: Option<&str>) -> Vec<String> {
    let width = canvas.width();
    let headline = headline.map(|line| canvas.colours.paint(Tone::Faint, line));
    let mut lines: Vec<String> = headline.into_iter().collect();
    lines.extend(view.summary(canvas));
    let room = canvas.size.map(|size| size.lines.saturating_sub(1));
    let kept = match view.roster.len() {
        0 => 0,
        number => (number + 2).min(LEAST_TABLE),
    };
    let concerns = view.concerns();
    let left = room.map(|room| room.saturating_sub(lines.len() + kept));
    lines.extend(shown(&concerns, canvas, left));
    if !view.roster.is_empty() {
        lines.push(String::new());
        let left = room.map(|room| room.saturating_sub(lines.len()));
        lines.extend(view.table(width, left, canvas.colours));
    }
    lines.truncate(room.unwrap_or(usize::MAX));
    lines
}

/// How much of each concern is shown.
#[derive(Clone, Copy)]
struct Fullness {
    /// The least number of names, where there are more.
    names: usize,
    cures: bool,
}

/// The concerns, in `room` lines if there is a limit.
fn shown(concerns: &[Concern], canvas: Canvas, room: Option<usize>) -> Vec<String> {
    if concerns.is_empty() {
        let words = canvas.colours.paint(Tone::Good, "nothing needs you now");
        return vec![words];
    }
    let all = |fullness: Fullness| -> Vec<Vec<String>> {
        let concerns = concerns.iter();
        concerns
            .map(|one| one.lines(canvas, fullness))
            .collect::<Vec<_>>()
    };
    let most = all(Fullness {
        names: 2,
        cures: true,
    });
    let Some(room) = room else {
        return most.concat();
    };
    let least = Fullness {
        names: 1,
        cures: false,
    };
    let mut blocks = most;
    let length = |blocks: &[Vec<String>]| blocks.iter().map(Vec::len).sum::<usize>();
    if length(&blocks) > room {
        blocks = all(least);
    }
    let mut left = blocks.len();
    // One line is needed for the number of those that are not shown.
    while left > 1 && length(&blocks[..left]) + usize::from(left < blocks.len()) > room {
        left -= 1;
    }
    let mut lines = blocks[..left].concat();
    if left < blocks.len() {
        let more = format!(
            "… and {} more: enlarge the window, or type status | less",
            count(blocks.len() - left, "cause")
        );
        let more = shortened(&more, canvas.width().unwrap_or(usize::MAX));
        lines.push(canvas.colours.paint(Tone::Warning, &more));
    }
    lines
}

impl Concern {
    fn lines(&self, canvas: Canvas, fullness: Fullness) -> Vec<String> {
        let width = canvas
            .width()
            .map(|width| width.saturating_sub(LABEL).max(1));
        let (label, tone) = if self.is_fault {
            ("FAULT", Tone::Fault)
        } else {
            ("warn", Tone::Warning)
        };
        let text = |names: &str| {
            let text = harmless(&format!("{}{names}", self.what));
            wrapped(&[(Tone::Plain, &text)], width, canvas.colours)
        };
        let mut lines = text(&self.names_that_fit(width, fullness.names, &text));
        if fullness.cures && !self.cure.is_empty() {
            let cure = harmless(&format!("-> {}", self.cure));
            lines.extend(wrapped(&[(Tone::Plain, &cure)], width, canvas.colours));
        }
        let label = format!("{label:LABEL$}");
        let label = canvas.colours.paint(tone, &label);
        let margin = " ".repeat(LABEL);
        let mut before = std::iter::once(label).chain(std::iter::repeat(margin));
        let lines = lines.into_iter();
        lines
            .map(|line| before.next().unwrap_or_default() + &line)
            .collect()
    }

    /// All names, or `least` of them and as many more as fit into the last line.
    fn names_that_fit(
        &self,
        width: Option<usize>,
        least: usize,
        text: &dyn Fn(&str) -> Vec<String>,
    ) -> String {
        let of = |number: usize| {
            let names = self.names[..number].join(", ");
            match self.names.len() - number {
                0 if number == 0 => String::new(),
                0 => format!(": {names}"),
                more => format!(": {names}, … and {more} more"),
            }
        };
        let all = self.names.len();
        if width.is_none() || all <= least {
            return of(all);
        }
        let height = text(&of(least)).len();
        let mut number = least;
        while number < all && text(&of(number + 1)).len() <= height {
            number += 1;
        }
        of(number)
    }
}

impl ClassView {
    /// The summary: accounts, seats and texts, and the service, a paragraph each.
    fn summary(&self, canvas: Canvas) -> Vec<String> {
        let wrap = |pieces: &[(Tone, String)]| {
            let pieces: Vec<(Tone, &str)> = pieces
                .iter()
                .map(|(tone, words)| (*tone, words.as_str()))
                .collect();
            wrapped(&pieces, canvas.width(), canvas.colours)
        };
        let mut lines = wrap(&self.accounts_in_words());
        lines.extend(wrap(&self.seats_and_texts_in_words()));
        let classes: Vec<String> = self
            .named_classes()
            .map(|(name, class)| {
                let state = if class.is_open() {
                    String::new()
                } else {
                    format!(", {}", class.state_words())
                };
                format!(
                    "{name}: {} of {} seats left{state}",
                    class.left(),
                    class.seats
                )
            })
            .collect();
        if !classes.is_empty() {
            lines.extend(wrap(&[(Tone::Plain, classes.join("; "))]));
        }
        let spares = self.classes.iter().filter_map(|class| {
            let words = class.spares_in_words()?;
            let name = class.name.as_ref();
            Some(name.map_or_else(|| words.clone(), |name| format!("{name}: {words}")))
        });
        let spares: Vec<String> = spares.collect();
        if !spares.is_empty() {
            lines.extend(wrap(&[(Tone::Plain, spares.join("; "))]));
        }
        lines.extend(
            self.condition_in_words()
                .iter()
                .flat_map(|one| wrap(std::slice::from_ref(one))),
        );
        lines
    }

    fn seats_and_texts_in_words(&self) -> Vec<(Tone, String)> {
        let alert = |number: usize, tone: Tone| if number > 0 { tone } else { Tone::Plain };
        let left = self.seats_left();
        let seats = if left == 0 {
            Tone::Warning
        } else {
            Tone::Plain
        };
        let all = self.seats();
        let mut pieces = match self.turned_away {
            None if self.classes.is_empty() => vec![(
                Tone::Warning,
                "the class is not in the settings;".to_owned(),
            )],
            None => vec![(seats, format!("{left} of {all} seats left;"))],
            Some(away) => vec![
                (seats, format!("{left} of {all} seats left,")),
                (
                    alert(usize::from(away > 0), Tone::Warning),
                    format!("{away} turned away;"),
                ),
            ],
        };
        match &self.texts {
            Ok(texts) => {
                let oldest = texts.oldest.map_or_else(String::new, |at| {
                    format!(", the oldest came {}", self.ago(Some(at)))
                });
                let waiting = count(texts.waiting, "text");
                let dead = texts.dead.len();
                pieces.push((Tone::Plain, format!("{waiting} waiting{oldest};")));
                pieces.push((alert(dead, Tone::Fault), count(dead, "dead letter")));
            }
            Err(_) => pieces.push((
                Tone::Fault,
                "numbers of texts and dead letters unknown".to_owned(),
            )),
        }
        pieces
    }

    fn accounts_in_words(&self) -> Vec<(Tone, String)> {
        let (with, failed) = (self.with_login(), self.not_delivered());
        let mut parts = vec![(Tone::Plain, format!("{with} with login"))];
        if failed > 0 {
            parts.push((Tone::Fault, format!("{failed} of them not delivered")));
        } else {
            parts.push((Tone::Plain, "0 not delivered".to_owned()));
        }
        let others = self.roster.iter().filter(|one| !self.has_login(one));
        let others: std::collections::BTreeSet<&str> = others.map(|one| self.state(one)).collect();
        let states = self.states();
        for name in others {
            let number = states.get(name).copied().unwrap_or(0);
            parts.push((Tone::Plain, format!("{number} {name}")));
        }
        let last = parts.len() - 1;
        for (_, words) in &mut parts[..last] {
            words.push(',');
        }
        let accounts = count(self.roster.len(), "account");
        let mut pieces = vec![(Tone::Plain, format!("{accounts}:"))];
        pieces.extend(parts);
        pieces
    }

    /// The state of the service; `None` where the first concern is that it does not run or is not well.
    fn condition_in_words(&self) -> Option<(Tone, String)> {
        let (tone, words) = match &self.condition {
            Condition::Well if self.obstacles.is_empty() => (Tone::Good, "the service is healthy"),
            Condition::Well => (Tone::Plain, "the service accepts texts"),
            Condition::Running => (Tone::Plain, "the service is running"),
            Condition::Hidden => (Tone::Warning, "it is unknown whether the service runs"),
            Condition::Unwell(_) | Condition::Stopped => return None,
        };
        Some((tone, words.to_owned()))
    }
}
