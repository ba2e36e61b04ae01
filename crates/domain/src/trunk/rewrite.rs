//! How numbers are written at a trunk.

/// What becomes of the digits of numbers with one beginning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rewrite {
    /// The beginning; an empty one is that of every number.
    pub prefix: String,
    /// Digits that are taken away at the front.
    pub strip: usize,
    /// What is put there instead.
    pub add: String,
}

/// The digits as the rule with the longest beginning has them; as they are where none fits.
#[must_use]
pub fn rewrite(rules: &[Rewrite], digits: &str) -> String {
    let fitting = rules.iter().filter(|rule| digits.starts_with(rule.prefix.as_str()));
    match fitting.max_by_key(|rule| rule.prefix.len()) {
        Some(rule) => format!("{}{}", rule.add, digits.get(rule.strip..).unwrap_or("")),
        None => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(prefix: &str, strip: usize, add: &str) -> Rewrite {
        Rewrite { prefix: prefix.to_owned(), strip, add: add.to_owned() }
    }

    #[test]
    fn the_longest_beginning_decides() {
        let rules = [rule("", 0, "00"), rule("61", 2, "0"), rule("612", 0, "*")];
        assert_eq!(rewrite(&rules, "442079460123"), "00442079460123");
        assert_eq!(rewrite(&rules, "61399998888"), "0399998888");
        assert_eq!(rewrite(&rules, "61299998888"), "*61299998888");
        assert_eq!(rewrite(&[rule("1", 20, "x")], "1415"), "x");
        assert_eq!(rewrite(&[], "1415"), "1415");
    }
}
