//! What is printed and written down: goals, and tables that read as text and as Markdown.

use std::fmt::Write as _;

/// A table; its first column holds words, the others figures.
pub struct Table {
    caption: String,
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub fn new(caption: &str, heads: &[&str]) -> Self {
        Self {
            caption: caption.to_owned(),
            heads: heads.iter().map(|head| (*head).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; what is missing at its end stays empty.
    pub fn row(&mut self, mut cells: Vec<String>) {
        cells.resize(self.heads.len(), String::new());
        self.rows.push(cells);
    }

    /// The table, each column as wide as it has to be.
    pub fn draw(&self) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| &row[column]);
            let widths = cells.chain([&self.heads[column]]);
            widths.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.heads.len()).map(width).collect();
        let line = |cells: &[String]| {
            let mut text = String::from("|");
            for (place, (cell, &width)) in cells.iter().zip(&widths).enumerate() {
                let _ = match place {
                    0 => write!(text, " {cell:<width$} |"),
                    _ => write!(text, " {cell:>width$} |"),
                };
            }
            text.push('\n');
            text
        };
        let mut text = String::new();
        if !self.caption.is_empty() {
            let _ = write!(text, "{}\n\n", self.caption);
        }
        text.push_str(&line(&self.heads));
        text.push('|');
        for (place, width) in widths.iter().enumerate() {
            let dashes = "-".repeat(width + 1);
            text.push_str(&match place {
                0 => format!("{dashes}-|"),
                _ => format!("{dashes}:|"),
            });
        }
        text.push('\n');
        self.rows.iter().for_each(|row| text.push_str(&line(row)));
        text
    }
}

/// The project's goals, and what was measured.
pub struct Goal {
    /// What is measured.
    pub what: String,
    /// What was wanted.
    pub wanted: String,
    /// What was found.
    pub found: String,
    /// Whether that will do; `None` = it could not be measured here.
    pub met: Option<bool>,
}

impl Goal {
    /// A goal that was measured.
    pub fn measured(what: &str, wanted: &str, found: impl Into<String>, met: bool) -> Self {
        Self {
            what: what.to_owned(),
            wanted: wanted.to_owned(),
            found: found.into(),
            met: Some(met),
        }
    }
}

/// All goals in one table.
pub fn draw_goals<'a>(goals: impl IntoIterator<Item = &'a Goal>) -> String {
    let mut table = Table::new("", &["goal", "wanted", "found", ""]);
    for goal in goals {
        let verdict = match goal.met {
            Some(true) => "met",
            Some(false) => "NOT MET",
            None => "not measured",
        };
        table.row(vec![
            goal.what.clone(),
            goal.wanted.clone(),
            goal.found.clone(),
            verdict.to_owned(),
        ]);
    }
    table.draw()
}

/// What one part found.
pub struct Section {
    /// Its heading.
    pub title: String,
    /// What it was to reach.
    pub goals: Vec<Goal>,
    blocks: Vec<String>,
}

impl Section {
    /// An empty one.
    pub fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            goals: Vec::new(),
            blocks: Vec::new(),
        }
    }

    /// Adds a paragraph.
    pub fn says(&mut self, words: &str) {
        self.blocks.push(format!("{}\n", wrap(words)));
    }

    /// Adds a table.
    pub fn shows(&mut self, table: &Table) {
        self.blocks.push(table.draw());
    }

    /// The section as text.
    pub fn draw(&self) -> String {
        format!("## {}\n\n{}", self.title, self.blocks.join("\n"))
    }
}

/// A paragraph in lines of about 110 characters.
pub fn wrap(words: &str) -> String {
    const WIDTH: usize = 110;
    let mut text = String::new();
    let mut length = 0;
    for word in words.split_whitespace() {
        let count = word.chars().count();
        if length > 0 && length + 1 + count > WIDTH {
            text.push('\n');
            length = 0;
        } else if length > 0 {
            text.push(' ');
            length += 1;
        }
        text.push_str(word);
        length += count;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_reads_as_text_and_as_markdown() {
        let mut table = Table::new("", &["who", "how much"]);
        table.row(vec!["ana".to_owned(), "12".to_owned()]);
        table.row(vec!["bo".to_owned()]);
        let drawn = "\
| who | how much |
|-----|---------:|
| ana |       12 |
| bo  |          |
";
        assert_eq!(table.draw(), drawn);
    }

    #[test]
    fn paragraphs_are_broken_between_words() {
        let wrapped = wrap(&"word ".repeat(60));
        assert!(wrapped.lines().all(|line| line.len() <= 110));
        assert_eq!(wrapped.split_whitespace().count(), 60);
    }
}
