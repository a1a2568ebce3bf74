//! Every link leads somewhere, and every file that is named is there.

use super::{DocumentPage, anchor, files, pages, read, root};

/// What stands between `](` and `)`.
fn targets(page: &DocumentPage) -> Vec<&str> {
    let rest = page.text.split("](").skip(1);
    rest.filter_map(|rest| rest.split(')').next()).collect()
}

#[test]
fn every_link_of_a_page_leads_somewhere() {
    let pages = pages();
    let mut followed = 0;
    for page in &pages {
        let folder = root().join(&page.name);
        let folder = folder.parent().unwrap();
        for target in targets(page) {
            if target.starts_with("http") {
                continue;
            }
            let (file, part) = target.split_once('#').unwrap_or((target, ""));
            let path = match file {
                "" => root().join(&page.name),
                file => folder.join(file),
            };
            let path = path
                .canonicalize()
                .unwrap_or_else(|error| panic!("{}: {target}: {error}", page.name));
            let other = pages
                .iter()
                .find(|other| root().join(&other.name).canonicalize().unwrap() == path);
            let known = other.is_some_and(|other| other.anchors().iter().any(|a| a == part));
            assert!(part.is_empty() || known, "{}: {target}", page.name);
            followed += 1;
        }
    }
    assert!(followed >= 30, "only {followed} links");
}

#[test]
fn the_readme_leads_to_every_page() {
    let pages = pages();
    let readme = pages.iter().find(|page| page.name == "README.md").unwrap();
    let linked = targets(readme);
    for page in pages.iter().filter(|page| page.name != "README.md") {
        let direct = linked
            .iter()
            .any(|target| target.split('#').next() == Some(&page.name));
        // The table that a program writes is reached by the page that explains it.
        assert!(direct || page.name == "docs/benchmarks.md", "{}", page.name);
    }
}

#[test]
fn every_file_that_a_page_names_is_there() {
    let mut seen = 0;
    for page in pages() {
        for code in page.code() {
            for word in code.split_whitespace() {
                let word = word.trim_matches(|c: char| ",;:()'\"".contains(c));
                let ours = ["src/", "tests/", "docs/", "deploy/", "findings/"];
                let pattern = word.contains(['*', '<', '{', '$', '|']);
                if pattern || !ours.iter().any(|folder| word.starts_with(folder)) {
                    continue;
                }
                assert!(root().join(word).exists(), "{}: {word}", page.name);
                seen += 1;
            }
        }
    }
    assert!(seen >= 5, "only {seen} files are named");
}

#[test]
fn every_page_and_heading_that_the_program_names_is_there() {
    let pages = pages();
    let mut seen = 0;
    for path in files(&root().join("src"), "rs") {
        let source = read(&path);
        for rest in source.split("docs/").skip(1) {
            let Some(end) = rest.find(".md") else {
                continue;
            };
            let name = format!("docs/{}.md", &rest[..end]);
            if name.contains(char::is_whitespace) {
                continue;
            }
            let page = pages.iter().find(|page| page.name == name);
            let page = page.unwrap_or_else(|| panic!("{}: {name}", path.display()));
            if let Some(rest) = rest[end..].strip_prefix(".md, \\\"") {
                let heading = rest.split("\\\"").next().unwrap();
                let known = page.anchors().contains(&anchor(heading));
                assert!(known, "{}: {name} has no {heading}", path.display());
                seen += 1;
            }
        }
        assert!(!source.contains("(README, "), "{}", path.display());
    }
    assert!(seen >= 4, "only {seen} headings are named");
}
