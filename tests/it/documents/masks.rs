//! Samples are compared but for what differs from class to class: names, times, numbers, places.

/// Signs that stand around a word.
const SIGNS: [char; 8] = [',', '.', ':', ';', '(', ')', '\'', '"'];

/// The words of a line, with a common word in place of what differs.
pub fn masked(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in line.split_whitespace() {
        let masked = mask(word);
        // A span of time has one or two numbers with their units.
        let unit = ["s", "min", "h", "d"].contains(&masked.trim_matches(SIGNS));
        match words.last_mut() {
            Some(last) if unit && last == "0" => {
                *last = masked.replace(masked.trim_matches(SIGNS), "TIME")
            }
            _ => words.push(masked),
        }
        if let [.., before, last] = words.as_slice()
            && before == "TIME"
            && last.starts_with("TIME")
        {
            words.remove(words.len() - 2);
        }
    }
    words
}

fn mask(word: &str) -> String {
    let bare = word.trim_matches(SIGNS);
    let is_sid = bare.len() > 8 && (bare.starts_with("SM") || bare.starts_with("SK"));
    let place = if bare.contains("://") {
        "URL"
    } else if bare.contains('@') {
        "ADDRESS"
    } else if bare.starts_with('/') {
        "PATH"
    } else if is_sid {
        "SID"
    } else if bare.starts_with('+') && bare[1..].bytes().all(|b| b.is_ascii_digit()) {
        "PHONE"
    } else if is_name(bare) {
        "NAME"
    } else {
        return without_digits(word);
    };
    word.replace(bare, place)
}

/// Two words of small letters with a hyphen between them; or a password.
fn is_name(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    let letters = |part: &&str| part.len() > 1 && part.bytes().all(|b| b.is_ascii_lowercase());
    let signs = |part: &&str| {
        let sign = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        part.len() == 5 && part.bytes().all(sign)
    };
    parts.len() == 2 && parts.iter().all(letters) || parts.len() == 3 && parts.iter().all(signs)
}

/// With one 0 for every number.
fn without_digits(word: &str) -> String {
    let mut masked = String::new();
    for c in word.chars() {
        match c {
            c if !c.is_ascii_digit() => masked.push(c),
            _ if masked.ends_with('0') => {}
            _ => masked.push('0'),
        }
    }
    masked
}

#[test]
fn what_differs_is_masked_and_words_are_not() {
    let masked = |line: &str| masked(line).join(" ");
    assert_eq!(
        masked("happy-tuna  has a login  25 min ago  11 h 35 min  undelivered 30005"),
        "NAME has a login TIME ago TIME undelivered 0"
    );
    assert_eq!(
        masked("text SM89bf68571da3d2a9b33d7825884578ce: at http://127.0.0.1:7/x, +14155550123"),
        "text SID: at URL, PHONE"
    );
    assert_eq!(masked("Password: 3ykpm-sw7x8-gr927"), "Password: NAME");
}
