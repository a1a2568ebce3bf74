//! The table of settings in `docs/settings.md` is the program's own. Its groups and their order are those of
//! `.env-template`. `WRITE_PAGES=1` has this test write it, as `make pages` does.

use coder_sms_register::config::{CLASS_SETTINGS, SETTINGS, Setting};

use super::{read, root};

const BEGIN: &str = "<!-- written by a test from src/config/settings.rs: make pages -->\n";
const END: &str = "<!-- end -->\n";

fn row(setting: &Setting) -> String {
    let default = match (setting.required, setting.default) {
        (true, _) => "**required**".to_owned(),
        (_, Some(default)) => format!("`{default}`"),
        (_, None) => "–".to_owned(),
    };
    let measure = match setting.measure() {
        measure if measure.is_empty() => "–".to_owned(),
        measure => measure,
    };
    let mark = if setting.secret { " †" } else { "" };
    format!(
        "| `{}`{mark} | {default} | {measure} | {} |\n",
        setting.name, setting.meaning
    )
}

/// Every group of the template with its settings.
fn table() -> String {
    let mut table = String::new();
    let mut rows = 0;
    for line in read(&root().join(".env-template")).lines() {
        if let Some(group) = line.strip_prefix("# --- ") {
            let group = group.trim_end_matches('-').trim();
            if !group.starts_with("The containers") {
                table.push_str(&format!(
                    "\n### {group}\n\n| variable | default | unit or range | meaning |\n| --- | --- | --- | --- |\n"
                ));
            }
        }
        let name = line.trim_start_matches('#').split('=').next();
        if let Some(setting) = SETTINGS
            .iter()
            .chain(CLASS_SETTINGS)
            .find(|setting| Some(setting.name) == name)
        {
            table.push_str(&row(setting));
            rows += 1;
        }
    }
    assert_eq!(
        rows,
        SETTINGS.len() + CLASS_SETTINGS.len(),
        "a row for each setting"
    );
    table
}

#[test]
fn the_table_of_settings_is_the_programs_own() {
    let path = root().join("docs/settings.md");
    let page = read(&path);
    let (before, rest) = page.split_once(BEGIN).expect("the table begins");
    let (written, after) = rest.split_once(END).expect("the table ends");
    let table = format!("{}\n", table());
    if std::env::var_os("WRITE_PAGES").is_some() {
        let whole = format!("{before}{BEGIN}{table}{END}{after}");
        std::fs::write(&path, whole).unwrap();
        return;
    }
    assert!(
        written == table,
        "docs/settings.md is behind; type: make pages"
    );
}
