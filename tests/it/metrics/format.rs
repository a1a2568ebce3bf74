//! Prometheus' text format, read strictly: what a scrape must never meet is a failure here.

use std::collections::{BTreeMap, BTreeSet};

/// A page, taken apart.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Each name with what it is, in the order of the page.
    pub families: Vec<Family>,
    /// Each series, written as in the page, with its value.
    pub series: BTreeMap<String, f64>,
}

/// One name.
#[derive(Clone, Debug)]
pub struct Family {
    /// The name.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// Its words.
    pub help: String,
    /// The names of its labels, but for `le`.
    pub labels: BTreeSet<String>,
    samples: Vec<Sample>,
}

#[derive(Clone, Debug)]
struct Sample {
    suffix: String,
    labels: Vec<(String, String)>,
    value: f64,
}

impl Page {
    /// Reads a page.
    pub fn read(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line has no end");
        let mut page = Self::default();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let (name, help) = after(line, "# HELP ");
            let (typed, kind) = after(lines.next().unwrap_or_default(), "# TYPE ");
            assert_eq!(typed, name, "HELP and TYPE belong together");
            assert!(is_name(&name, true), "{name}");
            assert!(!help.trim().is_empty(), "{name} has no words");
            let mut family = Family {
                name,
                kind,
                help,
                labels: BTreeSet::new(),
                samples: Vec::new(),
            };
            while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
                let (key, sample) = read_sample(line, &family.name);
                let labels = sample.labels.iter().map(|(label, _)| label.clone());
                family.labels.extend(labels.filter(|label| label != "le"));
                assert!(
                    page.series.insert(key, sample.value).is_none(),
                    "twice: {line}"
                );
                family.samples.push(sample);
            }
            family.check();
            let known = page.families.iter().any(|known| known.name == family.name);
            assert!(!known, "{} stands twice", family.name);
            page.families.push(family);
        }
        page
    }

    /// The value of one series; a missing one is a failure.
    pub fn value(&self, series: &str) -> f64 {
        let value = self.series.get(series);
        *value.unwrap_or_else(|| panic!("no {series} in {:#?}", self.series.keys()))
    }
}

impl Family {
    fn check(&self) {
        let name = &self.name;
        assert!(!self.samples.is_empty(), "{name} has no sample");
        let finite = self.samples.iter().all(|sample| sample.value >= 0.0);
        assert!(finite, "{name} has a value that nothing here may have");
        for sample in &self.samples {
            let labels: BTreeSet<&String> = sample.labels.iter().map(|(label, _)| label).collect();
            assert_eq!(labels.len(), sample.labels.len(), "{name}: a label twice");
            let others = labels.into_iter().filter(|label| *label != "le").count();
            assert_eq!(others, self.labels.len(), "{name}: a label is missing");
        }
        match self.kind.as_str() {
            "counter" => {
                assert!(name.ends_with("_total"), "{name} is a counter");
                self.is_plain();
            }
            "gauge" => {
                let kept = ["_total", "_count", "_sum", "_bucket"];
                assert!(!kept.iter().any(|end| name.ends_with(end)), "{name}");
                self.is_plain();
            }
            "histogram" => {
                assert!(name.ends_with("_seconds"), "{name} is a histogram");
                self.is_cumulative();
            }
            other => panic!("{name} is a {other}"),
        }
        if name.ends_with("_info") {
            assert!(self.samples.iter().all(|sample| sample.value == 1.0));
        }
    }

    fn is_plain(&self) {
        let plain = |sample: &Sample| {
            sample.suffix.is_empty() && sample.labels.iter().all(|(label, _)| label != "le")
        };
        assert!(self.samples.iter().all(plain), "{}", self.name);
    }

    /// Of each set of labels: buckets by rising bounds that hold ever more, all of them, the sum, the count.
    fn is_cumulative(&self) {
        let others = |sample: &Sample| {
            let mut labels = sample.labels.clone();
            labels.retain(|(label, _)| label != "le");
            labels
        };
        let mut done = Vec::new();
        for series in self
            .samples
            .chunk_by(|one, next| others(one) == others(next))
        {
            let labels = others(&series[0]);
            assert!(!done.contains(&labels), "{}: torn apart", self.name);
            done.push(labels);
            let [buckets @ .., sum, count] = series else {
                panic!("{}: no sum and count", self.name);
            };
            let ends = (sum.suffix.as_str(), count.suffix.as_str());
            assert_eq!(ends, ("_sum", "_count"), "{}", self.name);
            let bound = |bucket: &Sample| {
                assert_eq!(bucket.suffix, "_bucket", "{}", self.name);
                let bound = bucket.labels.iter().find(|(label, _)| label == "le");
                number(&bound.expect("a bound").1)
            };
            assert!(buckets.len() > 2, "{}", self.name);
            for pair in buckets.windows(2) {
                assert!(bound(&pair[0]) < bound(&pair[1]), "{}", self.name);
                assert!(pair[0].value <= pair[1].value, "{}", self.name);
            }
            let last = &buckets[buckets.len() - 1];
            assert_eq!(bound(last), f64::INFINITY, "{}", self.name);
            assert_eq!(last.value, count.value, "{}", self.name);
        }
    }
}

fn after(line: &str, start: &str) -> (String, String) {
    let rest = line.strip_prefix(start);
    let rest = rest.unwrap_or_else(|| panic!("{start:?} expected: {line:?}"));
    let (name, words) = rest.split_once(' ').expect("words behind the name");
    (name.to_owned(), words.to_owned())
}

/// `[a-zA-Z_:][a-zA-Z0-9_:]*`, of labels without colons; ours are small letters.
fn is_name(name: &str, colons: bool) -> bool {
    let sign = |c: char| c.is_ascii_lowercase() || c == '_' || c == ':' && colons;
    name.starts_with(sign) && name.chars().all(|c| sign(c) || c.is_ascii_digit())
}

fn number(word: &str) -> f64 {
    match word {
        "+Inf" => f64::INFINITY,
        word => {
            let plain = word.chars().all(|c| c.is_ascii_digit() || c == '.');
            assert!(plain, "{word:?} is no number");
            word.parse().expect("a number")
        }
    }
}

fn read_sample(line: &str, family: &str) -> (String, Sample) {
    let (key, value) = line.rsplit_once(' ').expect("a value");
    let (name, labels) = match key.split_once('{') {
        None => (key, Vec::new()),
        Some((name, rest)) => (name, read_labels(rest)),
    };
    let suffix = name.strip_prefix(family);
    let suffix = suffix.unwrap_or_else(|| panic!("{line:?} among those of {family}"));
    let sample = Sample {
        suffix: suffix.to_owned(),
        labels,
        value: number(value),
    };
    (key.to_owned(), sample)
}

/// What stands behind the opening bracket.
fn read_labels(mut rest: &str) -> Vec<(String, String)> {
    let mut labels = Vec::new();
    loop {
        let (name, behind) = rest.split_once("=\"").expect("a label");
        assert!(is_name(name, false) && !name.starts_with("__"), "{name:?}");
        let mut value = String::new();
        let mut signs = behind.char_indices();
        let end = loop {
            match signs.next().expect("a closing quote") {
                (at, '"') => break at,
                (_, '\\') => match signs.next().expect("an escaped sign").1 {
                    'n' => value.push('\n'),
                    sign @ ('\\' | '"') => value.push(sign),
                    other => panic!("{other:?} is not to be escaped"),
                },
                (_, sign) => value.push(sign),
            }
        };
        labels.push((name.to_owned(), value));
        match &behind[end + 1..] {
            "}" => return labels,
            more => rest = more.strip_prefix(',').expect("a comma or the end"),
        }
    }
}

#[test]
fn what_breaks_the_format_is_noticed() {
    let good = "# HELP a_total A.\n# TYPE a_total counter\na_total{b=\"c\\\"d\",e=\"\"} 1\n";
    let page = Page::read(good);
    assert_eq!(page.value("a_total{b=\"c\\\"d\",e=\"\"}"), 1.0);
    let header = "# HELP a_total A.\n# TYPE a_total counter\n";
    let histogram = "# HELP a_seconds A.\n# TYPE a_seconds histogram\n";
    let bucket = |bound: &str, count: u32| format!("a_seconds_bucket{{le=\"{bound}\"}} {count}\n");
    let ends = |count: u32| format!("a_seconds_sum 1\na_seconds_count {count}\n");
    let well = [bucket("1", 1), bucket("2", 1), bucket("+Inf", 2), ends(2)].concat();
    Page::read(&format!("{histogram}{well}"));
    for bad in [
        "a_total 1\n".to_owned(),
        "# TYPE a_total counter\n# HELP a_total A.\na_total 1\n".to_owned(),
        header.to_owned(),
        format!("{header}a_total 1"),
        format!("{header}a_total 1\na_total 2\n"),
        format!("{header}a_total 1\n{header}a_total 1\n"),
        format!("{header}a_total{{b=\"c\"d\"}} 1\n"),
        format!("{header}a_total{{b=\"c\"}} 1\na_total 1\n"),
        format!("{header}a_total -1\n"),
        format!("{header}a_total NaN\n"),
        format!("{header}b_total 1\n"),
        "# HELP a A.\n# TYPE a counter\na 1\n".to_owned(),
        "# HELP a_total A.\n# TYPE a_total gauge\na_total 1\n".to_owned(),
        [
            histogram,
            &bucket("1", 1),
            &bucket("2", 0),
            &bucket("+Inf", 2),
            &ends(2),
        ]
        .concat(),
        [
            histogram,
            &bucket("2", 1),
            &bucket("1", 1),
            &bucket("+Inf", 2),
            &ends(2),
        ]
        .concat(),
        [
            histogram,
            &bucket("1", 1),
            &bucket("2", 1),
            &bucket("+Inf", 2),
            &ends(3),
        ]
        .concat(),
        [
            histogram,
            &bucket("1", 1),
            &bucket("2", 1),
            &bucket("3", 2),
            &ends(2),
        ]
        .concat(),
    ] {
        let read = std::panic::catch_unwind(|| Page::read(&bad));
        assert!(read.is_err(), "taken for good:\n{bad}");
    }
}
