//! The documents agree with each other and with the program.
//!
//! - `links`: every link and every file that is named is there
//! - `words`: every command, option, target and setting that is named exists
//! - `picture`: the picture of the README is what the program shows
//! - `samples`: commands print what the pages say; `masks`: what differs from class to class
//! - `settings`: the table of settings is the program's own

mod links;
mod masks;
mod picture;
mod samples;
mod settings;
mod words;

use std::path::{Path, PathBuf};

/// A file for people.
struct DocumentPage {
    /// Below the folder of the repository.
    name: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of a folder with that ending, at any depth, sorted.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Every page of the repository.
fn pages() -> Vec<DocumentPage> {
    let top = [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
    ];
    let mut paths: Vec<PathBuf> = top.iter().map(|name| root().join(name)).collect();
    paths.extend(files(&root().join("docs"), "md"));
    let page = |path: &PathBuf| DocumentPage {
        name: path.strip_prefix(root()).unwrap().display().to_string(),
        text: read(path),
    };
    paths.iter().map(page).collect()
}

impl DocumentPage {
    /// What stands in code: each line of a fenced block, and each piece between single backticks.
    fn code(&self) -> Vec<String> {
        let mut code = Vec::new();
        let mut prose = String::new();
        let mut fenced = false;
        for line in self.text.lines() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            } else if fenced {
                code.push(line.trim().to_owned());
            } else {
                prose.push_str(line);
                prose.push('\n');
            }
        }
        assert!(!fenced, "{}: a block of code does not end", self.name);
        for part in prose.split("\n\n") {
            let pieces: Vec<&str> = part.split('`').collect();
            assert!(pieces.len() % 2 == 1, "{}: a ` too few: {part}", self.name);
            let inline = pieces.iter().skip(1).step_by(2);
            code.extend(inline.map(|piece| piece.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
        code
    }

    /// The names by which links reach its headings.
    fn anchors(&self) -> Vec<String> {
        let mut fenced = false;
        let heading = |line: &str| {
            fenced ^= line.trim_start().starts_with("```");
            let words = line.trim_start_matches('#').strip_prefix(' ')?;
            (line.starts_with('#') && !fenced).then(|| anchor(words))
        };
        self.text.lines().filter_map(heading).collect()
    }
}

/// As GitHub makes it of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        c if c.is_alphanumeric() => Some(c),
        _ => None,
    });
    kept.collect::<String>().to_lowercase()
}
