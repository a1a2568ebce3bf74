//! The documents name what there is, and the alerts ask for what there is.

use std::io::Write;
use std::process::{Command, Stdio};

use super::format::{Family, Page};
use super::{plan, scrape, text};
use crate::repository_file;
use support::classroom::Classroom;

/// The line of docs/monitoring.md about a name.
fn row(family: &Family) -> String {
    let labels: Vec<String> = family
        .labels
        .iter()
        .map(|label| format!("`{label}`"))
        .collect();
    let labels = if labels.is_empty() {
        "–".to_owned()
    } else {
        labels.join(", ")
    };
    format!(
        "| `{}` | {} | {labels} | {} |",
        family.name, family.kind, family.help
    )
}

/// A class with a name, which some of the metrics are about.
fn named_class() -> Classroom {
    plan()
        .with("CODER_REG_PASS", "")
        .with("CODER_CLASS_INTRO_PASS", "purple kettle")
        .open()
}

#[test]
fn the_document_lists_every_name_and_no_other() {
    let class = named_class();
    let page = scrape(&class);
    let document = repository_file("docs/monitoring.md");
    let rows: Vec<String> = page.families.iter().map(row).collect();
    let is_row = |line: &&str| line.starts_with("| `coder_sms_");
    let listed: Vec<&str> = document.lines().filter(is_row).collect();
    assert_eq!(listed, rows, "the table is to be\n{}\n", rows.join("\n"));
}

#[test]
fn what_the_alerts_ask_for_is_there() {
    let class = named_class();
    let page = scrape(&class);
    for paper in [
        "docs/alerts.yml",
        "docs/monitoring.md",
        "tests/data/alerts-test.yml",
    ] {
        let paper = repository_file(paper);
        let mut count = 0;
        for rest in paper.split("coder_sms_register_").skip(1) {
            let rest: String = rest
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect();
            let name = format!("coder_sms_register_{rest}");
            let known = page.families.iter().any(|family| {
                let end = name.strip_prefix(&family.name);
                end.is_some_and(|end| ["", "_bucket", "_sum", "_count"].contains(&end))
            });
            assert!(known || rest.is_empty(), "{name}");
            count += 1;
        }
        assert!(count > 3);
    }
    let alerts = repository_file("docs/alerts.yml");
    for line in alerts
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
    {
        let heading = format!("### {line}");
        let document = repository_file("docs/monitoring.md");
        assert!(
            document.contains(&heading),
            "docs/monitoring.md lacks {heading}"
        );
    }
    assert_eq!(alerts.matches("- alert: ").count(), 5);
}

/// Prometheus' own judge, where it is installed.
fn promtool(arguments: &[&str], input: &str) -> Option<String> {
    let child = Command::new("promtool")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("promtool is not installed: {arguments:?} is not asked");
        return None;
    };
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input.as_bytes()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words).into_owned();
    assert!(output.status.success(), "{arguments:?}: {words}");
    Some(words)
}

#[test]
fn prometheus_own_tool_finds_nothing_wrong() {
    let class = plan().open();
    class.student().gets_a_login();
    class.all_served();
    let page = text(&class);
    Page::read(&page);
    if let Some(words) = promtool(&["check", "metrics"], &page) {
        assert_eq!(words, "", "what it would have otherwise");
        promtool(&["check", "rules", "docs/alerts.yml"], "");
        promtool(&["test", "rules", "tests/data/alerts-test.yml"], "");
    }
}
