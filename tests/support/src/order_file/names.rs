//! Names of functions, as the compiler gives them, and what of them outlives a change of the compiler.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// The functions of a program.
pub struct Symbols {
    /// Their names, by address.
    functions: Vec<String>,
}

impl Symbols {
    /// Those of this file.
    ///
    /// # Errors
    /// It has none, or cannot be read.
    pub fn of(program: &Path) -> Result<Self, String> {
        let mut command = Command::new("nm");
        command.args(["--defined-only", "--numeric-sort"]);
        let output = command.arg(program).output();
        let output = output.map_err(|error| format!("nm: {error}"))?;
        let symbols = Self::read(&String::from_utf8_lossy(&output.stdout));
        if symbols.functions.is_empty() {
            let path = program.display();
            return Err(format!(
                "{path} has no symbols: build it with CARGO_PROFILE_RELEASE_STRIP=none"
            ));
        }
        Ok(symbols)
    }

    /// Reads lines of address, kind and name.
    fn read(listed: &str) -> Self {
        let functions = listed.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            let (_, kind, name) = (words.next()?, words.next()?, words.next()?);
            matches!(kind, "t" | "T" | "w" | "W").then(|| name.to_owned())
        });
        Self {
            functions: functions.collect(),
        }
    }

    /// Patterns for these functions, by address. Without their hashes, instances of a generic function have the same
    /// name, so a pattern may take others along. That costs less memory than a used function among the unused ones,
    /// which brings sixteen pages of them.
    pub fn patterns(&self, used: &BTreeSet<String>) -> Vec<String> {
        let mut listed = BTreeSet::new();
        let used = self.functions.iter().filter(|name| used.contains(*name));
        used.map(|name| pattern(name))
            .filter(|pattern| listed.insert(pattern.clone()))
            .collect()
    }
}

/// A pattern for the linker that takes this function whatever its hashes are.
///
/// rustc's older names end in `17h`, sixteen hexadecimal digits and `E`; its newer ones have `Cs`, a number to base 62 and
/// `_` before the name of each crate (RFC 2603). The linker's optimiser tells functions of one name apart by a number at
/// the end.
fn pattern(name: &str) -> String {
    if let Some((name, number)) = name.rsplit_once('.')
        && number.bytes().all(|byte| byte.is_ascii_digit())
    {
        return format!("{}*", pattern(name).trim_end_matches('*'));
    }
    let name = match name.rfind("17h") {
        Some(at) if is_hash(&name[at + 3..]) => return format!("{}*", &name[..at + 3]),
        _ => name,
    };
    if !name.starts_with("_R") {
        return name.to_owned();
    }
    let mut pieces = name.split("Cs");
    let mut pattern = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        pattern.push_str("Cs");
        let digits = piece.find(|letter: char| !letter.is_ascii_alphanumeric());
        match digits {
            // A name that only contains these letters is followed by none of this.
            Some(end) if piece[end..].starts_with('_') && end <= 13 => {
                pattern.push('*');
                pattern.push_str(&piece[end..]);
            }
            _ => pattern.push_str(piece),
        }
    }
    pattern
}

/// Whether this is a hash with what may follow it.
fn is_hash(end: &str) -> bool {
    let (hash, rest) = end.split_at_checked(16).unwrap_or_default();
    !hash.is_empty() && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) && rest.starts_with('E')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn hashes_are_left_out_of_names() {
        let old = "_ZN18coder_sms_register4main17h6bdc79ad865386f9E";
        assert_eq!(pattern(old), "_ZN18coder_sms_register4main17h*");
        assert_eq!(
            pattern(&format!("{old}.llvm.123")),
            "_ZN18coder_sms_register4main17h*"
        );
        let new = "_RNvXsq_NtCslNYArtu3iFV_5alloc6stringNtB5_6StringNtNtCsgEmfK2I1SDS_4core3fmt7Display3fmt";
        assert_eq!(
            pattern(new),
            "_RNvXsq_NtCs*_5alloc6stringNtB5_6StringNtNtCs*_4core3fmt7Display3fmt"
        );
    }

    #[test]
    fn numbers_at_the_end_are_left_out() {
        let numbered = "_RNvNtNtNtCs7BliBxkEZsN_4core9core_arch3x865xsave7__xgetbv.1667";
        assert_eq!(
            pattern(numbered),
            "_RNvNtNtNtCs*_4core9core_arch3x865xsave7__xgetbv*"
        );
        assert_eq!(
            pattern("sqlite3BtreePrevious.constprop.0"),
            "sqlite3BtreePrevious.constprop*"
        );
        let hashed = "_ZN18coder_sms_register4main17h6bdc79ad865386f9E.llvm.123";
        assert_eq!(pattern(hashed), "_ZN18coder_sms_register4main17h*");
    }

    #[test]
    fn names_without_hashes_stay() {
        for name in [
            "sqlite3VdbeExec",
            "main",
            "a17hour",
            "SSL_Cs_x",
            "_RNvC4core3fmt",
        ] {
            assert_eq!(pattern(name), name);
        }
    }

    #[test]
    fn functions_come_by_address_and_data_is_left_out() {
        let symbols = Symbols::read(
            "0000000000001000 t second\n0000000000002000 T first\n0000000000003000 D data\n0000000000004000 T other\n",
        );
        let used = set(&["first", "second", "data"]);
        assert_eq!(symbols.patterns(&used), ["second", "first"]);
    }

    #[test]
    fn instances_of_a_generic_function_are_listed_once() {
        let one = "_ZN4core3ptr4drop17h0000000000000001E";
        let other = "_ZN4core3ptr4drop17h0000000000000002E";
        let symbols = Symbols::read(&format!("00 t {one}\n10 t {other}\n"));
        assert_eq!(symbols.patterns(&set(&[one])), ["_ZN4core3ptr4drop17h*"]);
        assert_eq!(
            symbols.patterns(&set(&[one, other])),
            ["_ZN4core3ptr4drop17h*"]
        );
    }
}
