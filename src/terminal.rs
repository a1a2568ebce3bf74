//! The terminal: its size, its colours, and lines of text that fit it.

use std::io::IsTerminal;
use std::os::fd::AsFd;

use rustix::termios::tcgetwinsize;

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TerminalSize {
    pub(crate) columns: usize,
    pub(crate) lines: usize,
}

/// The size that is assumed for a terminal that does not report one, such as a serial line.
const DEFAULT_SIZE: TerminalSize = TerminalSize {
    columns: 80,
    lines: 24,
};

/// The size of the terminal at standard output; `None` = standard output is not a terminal.
pub(crate) fn size() -> Option<TerminalSize> {
    size_of(&std::io::stdout())
}

/// The number of columns of the terminal `out`; `None` = it is not a terminal.
pub(crate) fn width_of(out: &(impl IsTerminal + AsFd)) -> Option<usize> {
    size_of(out).map(|size| size.columns)
}

fn size_of(out: &(impl IsTerminal + AsFd)) -> Option<TerminalSize> {
    if !out.is_terminal() {
        return None;
    }
    let size = tcgetwinsize(out).ok();
    let size = size.filter(|size| size.ws_col > 0 && size.ws_row > 0);
    Some(size.map_or(DEFAULT_SIZE, |size| TerminalSize {
        columns: size.ws_col.into(),
        lines: size.ws_row.into(),
    }))
}

/// Whether a terminal of this kind interprets control sequences.
pub(crate) fn has_control_sequences() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The meaning of a piece of text, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Ordinary text.
    Plain,
    /// A good state.
    Good,
    /// Something that the operator should check.
    Warning,
    /// Something that needs the operator.
    Fault,
    /// Text of less importance.
    Faint,
}

/// Whether tones are shown as colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colours(bool);

impl Colours {
    /// No colours.
    pub(crate) const OFF: Self = Self(false);

    /// Colours if `out` is a terminal that has them, and `NO_COLOR` is not set: <https://no-color.org>.
    pub(crate) fn of(out: &impl IsTerminal) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(out.is_terminal() && !unwanted && has_control_sequences())
    }

    /// `words` in that tone. They must not contain control sequences.
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

/// The words of `pieces`, separated by spaces, in lines of at most `width` columns; `None` = one line. A word
/// that is wider than a line is broken.
pub(crate) fn wrapped(
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

/// `text` in lines of at most `width` columns. All lines but the first are indented by `indent` spaces.
pub(crate) fn hanging(text: &str, width: usize, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let room = width.saturating_sub(indent);
    wrapped(&[(Tone::Plain, text)], Some(room), Colours::OFF).join(&format!("\n{margin}"))
}

/// `text`, cut to `width` columns. A cut is shown as `…`.
pub(crate) fn shortened(text: &str, width: usize) -> String {
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
    fn lines_are_broken_between_words_where_possible() {
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
    fn colours_do_not_count_as_width() {
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
    fn a_cut_is_visible() {
        assert_eq!(shortened("happy-tuna", 10), "happy-tuna");
        assert_eq!(shortened("happy-tuna", 6), "happy…");
        assert_eq!(shortened("é", 1), "é");
        assert_eq!(shortened("ab", 0), "");
    }
}
