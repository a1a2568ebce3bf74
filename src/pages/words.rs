//! The words of the pages, and how a page is filled with them.

use std::collections::BTreeMap;

use crate::config::Reply;

/// All words, one entry a line.
const WORDS: &str = include_str!("assets/words.txt");

/// How the name of an entry ends that names no contact.
const ALONE: &str = ".alone";

/// What fills the placeholders `{{NAME}}` of pages.
pub(super) struct Words {
    /// Values of settings, already escaped for HTML.
    settings: BTreeMap<&'static str, String>,
    reply: &'static str,
    entries: BTreeMap<&'static str, &'static str>,
}

impl Words {
    /// The words for this way of replying, with the values of settings, which are escaped here.
    pub(super) fn new(reply: Reply, settings: &[(&'static str, &str)]) -> Self {
        let escaped = |(name, value): &(&'static str, &str)| (*name, escape(value));
        Self {
            settings: settings.iter().map(escaped).collect(),
            reply: reply.as_str(),
            entries: entries().collect(),
        }
    }

    /// A page with every placeholder filled. An entry may contain placeholders of settings. An unknown
    /// name is left out; a test finds it.
    pub(super) fn fill(&self, page: &str) -> String {
        replace(page, |name| {
            self.setting(name).unwrap_or_else(|| {
                let words = self.entry(name).unwrap_or_default();
                replace(words, |name| self.setting(name).unwrap_or_default())
            })
        })
    }

    fn setting(&self, name: &str) -> Option<String> {
        self.settings.get(name).cloned()
    }

    /// The entry for this way of replying, or the one for all. Without a contact, an entry that names none comes
    /// first.
    fn entry(&self, name: &str) -> Option<&'static str> {
        let reply = self.reply;
        let alone = [format!("{name}.{reply}{ALONE}"), format!("{name}{ALONE}")];
        let alone = alone.iter().filter(|_| self.setting("contact").is_none());
        let plain = [format!("{name}.{reply}"), name.to_owned()];
        let mut names = alone.chain(&plain);
        names.find_map(|name| self.entries.get(name.as_str()).copied())
    }
}

/// All entries: their names and words.
fn entries() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = WORDS.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(" = "))
}

/// Replaces each `{{NAME}}`.
fn replace(text: &str, mut value: impl FnMut(&str) -> String) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("{{") {
        let Some((name, after)) = behind.split_once("}}") else {
            break;
        };
        filled += before;
        filled += &value(name);
        rest = after;
    }
    filled + rest
}

/// `text` as characters of HTML, in an element or in a quoted attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_filled_with_words_and_harmless_settings() {
        let organization = "<script>alert(\"x\")</script> & 'Co' {{privacy}}";
        let words = Words::new(Reply::Text, &[("org", organization)]);
        let shown =
            "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;Co&#39; {{privacy}}";
        assert_eq!(words.fill("<p>{{org}}</p>"), format!("<p>{shown}</p>"));
        // Within an entry a setting is escaped as well, and its braces stay its own.
        assert!(words.fill("{{consent}}").starts_with(shown));
        assert_eq!(words.fill("a {{ b"), "a {{ b");
    }

    #[test]
    fn an_entry_for_one_way_of_replying_comes_before_the_one_for_all() {
        let of = |reply| Words::new(reply, &[]).fill("{{plain}}");
        assert_ne!(of(Reply::Screen), of(Reply::Text));
        assert_eq!(of(Reply::Both), of(Reply::Text));
    }

    #[test]
    fn without_a_contact_no_words_end_in_a_colon() {
        for reply in Reply::EVERY {
            let contact = ("contact", "class@example.org");
            let (without, with) = (Words::new(reply, &[]), Words::new(reply, &[contact]));
            for (name, words) in entries().filter(|(name, _)| !name.contains('.')) {
                let page = format!("{{{{{name}}}}}");
                let filled = without.fill(&page);
                assert!(!filled.trim_end().ends_with(':'), "{name}: {filled}");
                let is_named = with.fill(&page).ends_with("class@example.org");
                assert_eq!(is_named, words.contains("{{contact}}"), "{name}");
            }
        }
    }

    #[test]
    fn every_line_of_the_words_is_a_comment_or_an_entry_of_its_own() {
        let lines = WORDS
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (mut names, mut count) = (BTreeMap::new(), 0);
        for line in lines {
            let (name, words) = line.split_once(" = ").expect(line);
            assert!(!words.trim().is_empty(), "{line}");
            names.insert(name, words);
            count += 1;
            let name = name.strip_suffix(ALONE).unwrap_or(name);
            if let Some((_, reply)) = name.rsplit_once('.') {
                assert!(Reply::EVERY.map(Reply::as_str).contains(&reply), "{line}");
            }
        }
        assert_eq!(names.len(), count, "an entry occurs twice");
    }
}
