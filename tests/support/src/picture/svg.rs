//! Draws a wall, a phone and a terminal. Each has a ground of their own, so they are readable on a light page and on a dark one.

use std::fmt::Write;

use super::terminal::{Line, Look};
use super::{COLUMNS, COMMAND, PHRASE, PictureScene};

/// The width of a monospaced letter of 13 pixels.
const LETTER: f64 = 7.83;
const ROW: usize = 18;
const EDGE: usize = 18;
const BAR: usize = 30;
const GAP: usize = 14;
/// How wide the phone is.
const PHONE: usize = 440;

const STYLE: &str = "\
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; white-space: pre }
.bar { fill: #8b949e } .title { fill: #57606a } .large { font-size: 21px; font-weight: bold; fill: #1f2328 }
 .said { fill: #ffffff } .got { fill: #1f2328 } .words { fill: #d1d7de }
.bold { font-weight: bold; fill: #ffffff } .faint { fill: #8b949e }
.c1 { fill: #ff7b72 } .c2 { fill: #7ee787 } .c3 { fill: #e3b341 } .c4 { fill: #79c0ff } .c5 { fill: #d2a8ff }
.c6 { fill: #76e3ea } .c7 { fill: #ffffff }
";

/// The drawing under way.
struct Drawing(String);

impl Drawing {
    fn add(&mut self, what: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.0.write_fmt(what);
        self.0.push('\n');
    }

    /// A box with round corners: left, top, width, height.
    fn card(&mut self, at: (usize, usize), size: (usize, usize), fill: &str) {
        let ((x, y), (width, height)) = (at, size);
        self.add(format_args!(
            r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="10" fill="{fill}"/>"#
        ));
    }

    /// A line of text with its baseline at `y`.
    fn text(&mut self, x: usize, y: usize, class: &str, words: &str) {
        let words = escaped(words);
        self.add(format_args!(
            r#"<text x="{x}" y="{y}" class="{class}" xml:space="preserve">{words}</text>"#
        ));
    }

    /// A bubble of a conversation, its text in lines.
    fn bubble(&mut self, x: usize, y: usize, lines: &[&str], colours: (&str, &str)) {
        let (fill, class) = colours;
        let longest = lines.iter().map(|line| line.chars().count()).max();
        let width = wide(longest.unwrap_or(0)) + 2 * GAP;
        self.card((x, y), (width, lines.len() * ROW + 14), fill);
        for (number, line) in lines.iter().enumerate() {
            self.text(x + GAP, y + 20 + number * ROW, class, line);
        }
    }
}

/// The width of this many letters, in pixels.
fn wide(letters: usize) -> usize {
    (letters as f64 * LETTER).ceil() as usize
}

fn escaped(words: &str) -> String {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    words.replace('>', "&gt;").replace('"', "&quot;")
}

pub fn draw(scene: &PictureScene) -> String {
    let rows = wrapped(&scene.screen);
    let width = wide(usize::from(COLUMNS)) + 2 * EDGE;
    let answer: Vec<&str> = scene.answer.lines().collect();
    let above = BAR + 46 + answer.len() * ROW + 14 + EDGE;
    let screen = BAR + (rows.len() + 1) * ROW + EDGE;
    let height = above + GAP + screen;
    let mut drawing = Drawing(String::new());
    drawing.add(format_args!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">"#
    ));
    drawing.add(format_args!(
        "<title>A student texts a phrase and gets a login; the instructor sees the class</title>"
    ));
    drawing.add(format_args!("<style>\n{STYLE}</style>"));
    draw_wall(&mut drawing, scene, (width - PHONE - GAP, above));
    draw_phone(&mut drawing, &answer, width - PHONE, above);
    draw_screen(&mut drawing, &rows, above + GAP, (width, screen));
    drawing.add(format_args!("</svg>"));
    drawing.0
}

/// The lines as a terminal of our size would show them, but broken between words.
fn wrapped(lines: &[Line]) -> Vec<Line> {
    lines.iter().flat_map(rows_of).collect()
}

fn rows_of(line: &Line) -> Vec<Line> {
    let mut rows = vec![Line::new()];
    let mut left = usize::from(COLUMNS);
    for (look, words) in line {
        for word in words.split_inclusive(' ') {
            let length = word.trim_end().chars().count();
            if length > left {
                rows.push(Line::new());
                left = usize::from(COLUMNS);
            }
            left = left.saturating_sub(word.chars().count());
            if let Some(row) = rows.last_mut() {
                row.push((*look, word.to_owned()));
            }
        }
    }
    rows
}

fn draw_wall(drawing: &mut Drawing, scene: &PictureScene, size: (usize, usize)) {
    drawing.card((0, 0), size, "#fff8c5");
    drawing.text(EDGE, 21, "title", "on the wall");
    let lines = ["Text", PHRASE, "to", &scene.number];
    for (number, line) in lines.iter().enumerate() {
        drawing.text(EDGE, BAR + 34 + number * 32, "large", line);
    }
}

fn draw_phone(drawing: &mut Drawing, answer: &[&str], left: usize, height: usize) {
    drawing.card((left, 0), (PHONE, height), "#e7ebf0");
    drawing.text(left + EDGE, 21, "title", "a student's phone");
    let right = left + PHONE - EDGE - wide(PHRASE.len()) - 2 * GAP;
    drawing.bubble(right, BAR + 4, &[PHRASE], ("#0b69da", "said"));
    drawing.bubble(left + EDGE, BAR + 46, answer, ("#ffffff", "got"));
}

fn draw_screen(drawing: &mut Drawing, rows: &[Line], top: usize, size: (usize, usize)) {
    drawing.card((0, top), size, "#161b22");
    drawing.text(EDGE, top + 21, "bar", "the instructor's screen");
    let mut y = top + BAR + 14;
    drawing.text(EDGE, y, "bold", &format!("$ {COMMAND}"));
    for line in rows {
        y += ROW;
        let spans: String = merged(line).iter().map(span).collect();
        if !spans.is_empty() {
            drawing.add(format_args!(
                r#"<text x="{EDGE}" y="{y}" class="words" xml:space="preserve">{spans}</text>"#
            ));
        }
    }
}

/// Joins neighbouring pieces with the same look.
fn merged(line: &Line) -> Line {
    let mut pieces = Line::new();
    for (look, words) in line {
        match pieces.last_mut() {
            Some((before, text)) if before == look => text.push_str(words),
            _ => pieces.push((*look, words.clone())),
        }
    }
    pieces
}

fn span((look, words): &(Look, String)) -> String {
    let words = escaped(words);
    let class = match (look.colour, look.bold, look.faint) {
        (Some(colour), ..) if colour < 8 => format!("c{colour}"),
        (_, true, _) => "bold".to_owned(),
        (_, _, true) => "faint".to_owned(),
        _ => return words,
    };
    format!(r#"<tspan class="{class}">{words}</tspan>"#)
}
