//! Tables with aligned columns; numbers with their nouns.

pub(super) use crate::domain::{count, span};

/// Titles and rows, each column as wide as its widest cell.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [
            vec!["happy-tuna".to_owned(), "é".to_owned(), String::new()],
            vec!["a".to_owned(), "long word".to_owned(), "x".to_owned()],
        ];
        let text = table(&["USER", "B", "C"], &rows);
        let expected = "USER        B          C\nhappy-tuna  é\na           long word  x\n";
        assert_eq!(text, expected);
    }
}
