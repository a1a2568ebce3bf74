//! Aligned columns, and spans of time as people say them.

use crate::domain::UnixSeconds;

/// Rows under their titles, each column as wide as its widest cell.
pub(super) fn table(titles: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let longest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
        longest.max(titles[column].chars().count())
    };
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    let mut text = line(&mut titles.iter().copied());
    for row in rows {
        text += &line(&mut row.iter().map(String::as_str));
    }
    text
}

/// A span in its two largest units: `45 s`, `12 min`, `1 h 30 min`, `2 d 3 h`. The smaller one is
/// rounded down, a negative span is 0.
pub(super) fn span(seconds: UnixSeconds) -> String {
    let seconds = seconds.max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let pair = |large: i64, unit: &str, small: i64, part: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {part}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => pair(hours, "h", minutes % 60, "min"),
        _ => pair(days, "d", hours % 24, "h"),
    }
}

/// `1 account`, `2 accounts`.
pub(super) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let rows = [
            vec!["happy-tuna".to_owned(), "é".to_owned(), String::new()],
            vec!["a".to_owned(), "long word".to_owned(), "x".to_owned()],
        ];
        let text = table(&["USER", "B", "C"], &rows);
        let expected = "USER        B          C\nhappy-tuna  é\na           long word  x\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn spans_are_said_as_people_say_them() {
        for (seconds, words) in [
            (-5, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (5_400, "1 h 30 min"),
            (86_400, "1 d"),
            (97_300, "1 d 3 h"),
        ] {
            assert_eq!(span(seconds), words);
        }
    }
}
