//! Prometheus' text format, version 0.0.4.
//!
//! The rules are those of prometheus.io/docs/instrumenting/exposition_formats: HELP and TYPE are written once, before
//! all samples of their name; a backslash, a line feed and, in labels, a quote are escaped; buckets are cumulative and
//! end with `+Inf`. We need so little of the format that a crate would not make this shorter.

use std::fmt::{Display, Write};

use super::{Family, Histogram};

/// The media type of the page.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A page that is being written.
#[derive(Default)]
pub struct MetricsPage {
    text: String,
}

/// Writes the samples of one name.
pub struct Samples<'p> {
    text: &'p mut String,
    name: &'static str,
}

/// A label: its name and its value.
pub type Label<'a> = (&'static str, &'a dyn Display);

impl MetricsPage {
    /// Begins a counter; by convention its name ends in `_total`.
    pub fn counter(&mut self, name: &'static str, help: &str) -> Samples<'_> {
        self.begin(name, "counter", help)
    }

    /// Begins a gauge.
    pub fn gauge(&mut self, name: &'static str, help: &str) -> Samples<'_> {
        self.begin(name, "gauge", help)
    }

    /// Begins a histogram of durations; by convention its name ends in `_seconds`.
    pub fn histogram(&mut self, name: &'static str, help: &str) -> Samples<'_> {
        self.begin(name, "histogram", help)
    }

    /// The whole page.
    pub fn into_text(self) -> String {
        self.text
    }

    // Never inlined, here and below: otherwise each of the forty names would contain a copy of it.
    #[inline(never)]
    fn begin(&mut self, name: &'static str, kind: &str, help: &str) -> Samples<'_> {
        let text = &mut self.text;
        let help = escaped(&help, false);
        push(
            text,
            format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"),
        );
        Samples { text, name }
    }
}

impl Samples<'_> {
    /// The one sample of a name without labels.
    pub fn value(mut self, value: impl Display) {
        self.sample("", &[], None, &value);
    }

    /// A sample with labels.
    pub fn and(mut self, labels: &[Label<'_>], value: impl Display) -> Self {
        self.sample("", labels, None, &value);
        self
    }

    /// A sample for each member of a family, with its value in the label `label`.
    pub fn each<L>(mut self, label: &'static str, family: &Family<L>) -> Self
    where
        L: Copy + PartialEq + Display,
    {
        for (value, counter) in family.iter() {
            self.sample("", &[(label, &value)], None, &counter.get());
        }
        self
    }

    /// The samples of a histogram.
    pub fn spread(mut self, labels: &[Label<'_>], histogram: &Histogram) -> Self {
        let now = histogram.snapshot();
        for (bound, within) in &now.buckets {
            self.sample("_bucket", labels, Some(bound), within);
        }
        self.sample("_bucket", labels, Some(&"+Inf"), &now.count);
        self.sample("_sum", labels, None, &now.sum);
        self.sample("_count", labels, None, &now.count);
        self
    }

    #[inline(never)]
    fn sample(
        &mut self,
        suffix: &str,
        labels: &[Label<'_>],
        bound: Option<&dyn Display>,
        value: &dyn Display,
    ) {
        push(self.text, format_args!("{}{suffix}", self.name));
        let bound = bound.map(|bound| ("le", bound));
        let mut before = '{';
        for (label, value) in labels.iter().copied().chain(bound) {
            let value = escaped(value, true);
            push(self.text, format_args!("{before}{label}=\"{value}\""));
            before = ',';
        }
        if before == ',' {
            self.text.push('}');
        }
        push(self.text, format_args!(" {value}\n"));
    }
}

/// Escapes text for a HELP line, or for the quotes of a label.
fn escaped(words: &dyn Display, quoted: bool) -> String {
    let mut text = String::new();
    for sign in words.to_string().chars() {
        match sign {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '"' if quoted => text.push_str("\\\""),
            other => text.push(other),
        }
    }
    text
}

fn push(text: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = text.write_fmt(words);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn counters_gauges_and_families_are_written_in_the_text_format() {
        let mut page = MetricsPage::default();
        page.counter("texts_total", "Texts.").value(3);
        page.gauge("info", "What\nit \\ \"is\".")
            .and(&[("a", &"x\"y\\z\n"), ("b", &2)], 1.5);
        let family: Family<&str> = Family::new(["one", "two"]);
        family.add("two");
        page.counter("words_total", "Words.").each("word", &family);
        let text = page.into_text();
        let expected = concat!(
            "# HELP texts_total Texts.\n# TYPE texts_total counter\ntexts_total 3\n",
            "# HELP info What\\nit \\\\ \"is\".\n# TYPE info gauge\n",
            "info{a=\"x\\\"y\\\\z\\n\",b=\"2\"} 1.5\n",
            "# HELP words_total Words.\n# TYPE words_total counter\n",
            "words_total{word=\"one\"} 0\nwords_total{word=\"two\"} 1\n",
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn a_histogram_ends_with_the_largest_bucket_the_sum_and_the_count() {
        let histogram = Histogram::of_calls();
        histogram.observe(Duration::from_millis(60));
        histogram.observe(Duration::from_secs(90));
        let mut page = MetricsPage::default();
        page.histogram("call_seconds", "Calls.")
            .spread(&[("peer", &"coder")], &histogram);
        let text = page.into_text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "# TYPE call_seconds histogram");
        assert_eq!(
            lines[2],
            "call_seconds_bucket{peer=\"coder\",le=\"0.05\"} 0"
        );
        assert_eq!(lines[3], "call_seconds_bucket{peer=\"coder\",le=\"0.1\"} 1");
        let end = [
            "call_seconds_bucket{peer=\"coder\",le=\"30\"} 1",
            "call_seconds_bucket{peer=\"coder\",le=\"+Inf\"} 2",
            "call_seconds_sum{peer=\"coder\"} 90.06",
            "call_seconds_count{peer=\"coder\"} 2",
        ];
        assert_eq!(lines[lines.len() - 4..], end);
    }
}
