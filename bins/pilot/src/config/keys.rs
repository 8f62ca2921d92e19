//! Which keys a file may have, which of those it has are none of them, and what was meant.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fields::fields_at;

/// All keys that are valid, table within table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys(BTreeMap<String, Option<Keys>>);

/// A key that nobody reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnknownKey {
    /// With its tables, such as `signer.rnak`.
    pub(crate) path: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// The valid key that was probably meant, with its tables.
    pub(crate) nearest: Option<String>,
}

/// Tables that are not known at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StrangeTables {
    /// Are a mistake.
    Refused,
    /// Belong to somebody else.
    Left,
}

impl Keys {
    /// The keys of a configuration's structs.
    pub(crate) fn of<T: for<'de> Deserialize<'de>>() -> Self {
        fn at<T: for<'de> Deserialize<'de>>(path: &[&'static str]) -> Option<Keys> {
            let keys = fields_at::<T>(path)?.iter().map(|key| {
                let deeper: Vec<&'static str> = path.iter().copied().chain([*key]).collect();
                ((*key).to_owned(), at::<T>(&deeper))
            });
            Some(Keys(keys.collect()))
        }
        at::<T>(&[]).unwrap_or_default()
    }

    /// The keys of a file that holds each of them.
    pub(crate) fn in_file(text: &str) -> Self {
        fn of(table: &toml::Table) -> Keys {
            let keys = table.iter().map(|(key, value)| (key.clone(), value.as_table().map(of)));
            Keys(keys.collect())
        }
        text.parse().map(|table| of(&table)).unwrap_or_default()
    }

    /// Each key with its tables, in order; tables themselves are not listed.
    pub(crate) fn paths(&self) -> Vec<String> {
        fn all(keys: &Keys, prefix: &str, out: &mut Vec<String>) {
            for (key, deeper) in &keys.0 {
                match deeper {
                    None => out.push(format!("{prefix}{key}")),
                    Some(deeper) => all(deeper, &format!("{prefix}{key}."), out),
                }
            }
        }
        let mut out = Vec::new();
        all(self, "", &mut out);
        out
    }

    /// The keys in `table` that are not among these, and takes them out of it.
    pub(crate) fn take_unknown(
        &self,
        table: &mut DeTable<'_>,
        text: &str,
        strange: StrangeTables,
    ) -> Vec<UnknownKey> {
        let mut unknown = Vec::new();
        self.walk(table, text, strange, "", &self.paths(), &mut unknown);
        unknown.sort_by_key(|key| key.line);
        unknown
    }

    fn walk(
        &self,
        table: &mut DeTable<'_>,
        text: &str,
        strange: StrangeTables,
        prefix: &str,
        all: &[String],
        unknown: &mut Vec<UnknownKey>,
    ) {
        let mut none_of_ours = Vec::new();
        for (key, value) in table.iter_mut() {
            let name: &str = key.get_ref();
            match (self.0.get(name), value.get_mut()) {
                (Some(Some(deeper)), DeValue::Table(table)) => {
                    deeper.walk(table, text, strange, &format!("{prefix}{name}."), all, unknown);
                }
                (Some(_), _) => {}
                (None, DeValue::Table(_)) if strange == StrangeTables::Left => {}
                (None, _) => none_of_ours.push(key.clone()),
            }
        }
        for key in none_of_ours {
            let path = format!("{prefix}{}", key.get_ref());
            let nearest = self.nearest(prefix, key.get_ref(), all);
            unknown.push(UnknownKey { path, line: line_at(text, &key), nearest });
            table.remove(&key);
        }
    }

    /// The valid key that a wrong one is nearest to: of the same table, or the same name in another.
    fn nearest(&self, prefix: &str, wrong: &str, all: &[String]) -> Option<String> {
        let distance = |key: &str| strsim::damerau_levenshtein(wrong, key);
        let nearest = self.0.keys().min_by_key(|key| distance(key))?;
        if distance(nearest) <= (wrong.chars().count() / 3).max(1) {
            return Some(format!("{prefix}{nearest}"));
        }
        let elsewhere = |path: &&String| path.rsplit('.').next() == Some(wrong);
        all.iter().find(elsewhere).cloned()
    }
}

/// The line that something spanned is on, counted from 1.
pub(crate) fn line_at<T>(text: &str, spanned: &Spanned<T>) -> usize {
    line_of(text, spanned.span().start)
}

/// The line of a place in the text, counted from 1.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(known: &str, text: &str, strange: StrangeTables) -> Vec<(String, usize, Option<String>)> {
        let mut table = DeTable::parse(text).unwrap().into_inner();
        let found = Keys::in_file(known).take_unknown(&mut table, text, strange);
        assert_eq!(
            Keys::in_file(known).take_unknown(&mut table, text, strange),
            [],
            "they were not taken out"
        );
        found.into_iter().map(|key| (key.path, key.line, key.nearest)).collect()
    }

    const KNOWN: &str = "top = 1\n[p2p]\npex = true\nseeds = \"\"\n[rpc]\nladdr = \"\"\n";

    #[test]
    fn every_unknown_key_is_told_with_its_line_and_what_was_meant() {
        let text = "tpo = 1\n\n[p2p]\npex = false\nladdr = 1\nzzzzzz = 1\n[bogus]\nx = 1\n";
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            unknown(KNOWN, text, StrangeTables::Refused),
            [
                ("tpo".to_owned(), 1, some("top")),
                ("p2p.laddr".to_owned(), 5, some("rpc.laddr")),
                ("p2p.zzzzzz".to_owned(), 6, None),
                ("bogus".to_owned(), 7, None),
            ]
        );
        assert_eq!(unknown(KNOWN, text, StrangeTables::Left).len(), 3, "somebody else's table");
        assert_eq!(unknown(KNOWN, KNOWN, StrangeTables::Refused), []);
    }
}
