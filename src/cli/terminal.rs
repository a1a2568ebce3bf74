//! What words are printed on: how large it is, whether it has colours, and lines that fit it.

use std::io::IsTerminal;

use rustix::termios::tcgetwinsize;

/// A terminal's lines and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TerminalSize {
    pub(super) columns: usize,
    pub(super) lines: usize,
}

/// What a terminal is taken for that does not tell its size, as one at a serial line.
const USUAL: TerminalSize = TerminalSize {
    columns: 80,
    lines: 24,
};

/// The size of the terminal that standard output is; `None` = it is none.
pub(super) fn size() -> Option<TerminalSize> {
    let out = std::io::stdout();
    if !out.is_terminal() {
        return None;
    }
    let told = tcgetwinsize(&out).ok();
    let told = told.filter(|told| told.ws_col > 0 && told.ws_row > 0);
    Some(told.map_or(USUAL, |told| TerminalSize {
        columns: told.ws_col.into(),
        lines: told.ws_row.into(),
    }))
}

/// Whether the terminal, if it is one, knows how to move its cursor.
pub(super) fn moves_its_cursor() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// How words stand out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// They do not.
    Plain,
    /// All is well.
    Good,
    /// Somebody should look at it.
    Warning,
    /// Somebody has to act.
    Fault,
    /// Less important than the rest.
    Faint,
}

/// Whether tones become colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colours(bool);

impl Colours {
    /// No colours.
    pub(crate) const OFF: Self = Self(false);

    /// As `out` can show them and the operator wants them: <https://no-color.org>.
    pub(crate) fn of(out: &impl IsTerminal) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(out.is_terminal() && !unwanted && moves_its_cursor())
    }

    /// `words` in that tone. They must not steer the terminal themselves.
    pub(crate) fn paint(self, tone: Tone, words: &str) -> String {
        let code = match tone {
            _ if !self.0 || words.is_empty() => return words.to_owned(),
            Tone::Plain => return words.to_owned(),
            Tone::Good => "32",
            Tone::Warning => "33",
            Tone::Fault => "1;31",
            Tone::Faint => "2",
        };
        format!("\x1b[{code}m{words}\x1b[0m")
    }
}

/// The words of `pieces`, a blank between them, in lines of at most `width` columns; `None` = in one line.
/// A word that is wider than a line is broken.
pub(super) fn wrapped(
    pieces: &[(Tone, &str)],
    width: Option<usize>,
    colours: Colours,
) -> Vec<String> {
    let width = width.unwrap_or(usize::MAX).max(1);
    let mut lines = Vec::new();
    let (mut line, mut used) = (String::new(), 0);
    let words = pieces
        .iter()
        .flat_map(|(tone, text)| text.split_whitespace().map(|word| (*tone, word)));
    for (tone, word) in words {
        let mut rest: Vec<char> = word.chars().collect();
        if used > 0 && used + 1 + rest.len() > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        while rest.len() > width {
            let head: String = rest.drain(..width).collect();
            lines.push(colours.paint(tone, &head));
        }
        used += rest.len();
        line += &colours.paint(tone, &rest.into_iter().collect::<String>());
    }
    if used > 0 {
        lines.push(line);
    }
    lines
}

/// `text` in lines of at most `width` columns, the second and all further ones behind `indent` blanks.
pub(super) fn hanging(text: &str, width: usize, indent: usize) -> String {
    let blanks = " ".repeat(indent);
    let room = width.saturating_sub(indent);
    wrapped(&[(Tone::Plain, text)], Some(room), Colours::OFF).join(&format!("\n{blanks}"))
}

/// `text`, cut to `width` columns; what is cut shows as `…`.
pub(super) fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept = text.chars().take(width.saturating_sub(1));
    kept.chain("…".chars().take(width)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str, width: usize) -> Vec<String> {
        wrapped(&[(Tone::Plain, text)], Some(width), Colours::OFF)
    }

    #[test]
    fn lines_are_broken_between_words_where_that_is_possible() {
        assert_eq!(plain("one two three", 8), ["one two", "three"]);
        assert_eq!(plain("one two", 7), ["one two"]);
        assert_eq!(plain("a longestword b", 5), ["a", "longe", "stwor", "d b"]);
        assert_eq!(plain("", 5), [""; 0]);
        assert_eq!(plain("ab", 0), ["a", "b"]);
        let one = wrapped(&[(Tone::Plain, "one  two\nthree")], None, Colours::OFF);
        assert_eq!(one, ["one two three"]);
        assert_eq!(hanging("one two three", 12, 4), "one two\n    three");
    }

    #[test]
    fn colours_take_no_room() {
        let pieces = [(Tone::Fault, "two words"), (Tone::Plain, "more")];
        assert_eq!(
            wrapped(&pieces, Some(9), Colours(true)),
            ["\x1b[1;31mtwo\x1b[0m \x1b[1;31mwords\x1b[0m", "more"]
        );
        assert_eq!(
            wrapped(&pieces, Some(9), Colours::OFF),
            ["two words", "more"]
        );
    }

    #[test]
    fn what_is_cut_shows() {
        assert_eq!(shortened("happy-tuna", 10), "happy-tuna");
        assert_eq!(shortened("happy-tuna", 6), "happy…");
        assert_eq!(shortened("é", 1), "é");
        assert_eq!(shortened("ab", 0), "");
    }
}
