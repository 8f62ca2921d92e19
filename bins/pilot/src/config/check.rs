//! Reading `node.toml`: either a configuration, or everything that is wrong with it, at once.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error, ValueDeserializer};

use super::keys::{Keys, StrangeTables, line_at, line_of};
use super::{
    AgentSection, Chain, Config, HealthSection, LogsSection, Node, P2p, RegisterSection, Role, SignerSection,
};

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Counted from 1; `None` if it is of the file as a whole.
    pub(crate) line: Option<usize>,
    /// What is wrong and what to do.
    pub(crate) text: String,
    /// The valid key that was probably meant.
    pub(crate) nearest: Option<String>,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.text)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean {nearest:?}?"),
            None => Ok(()),
        }
    }
}

/// Reads the text of a `node.toml`.
pub(crate) fn read(text: &str) -> Result<Config, Vec<Mistake>> {
    let (table, broken) = DeTable::parse_recoverable(text);
    if !broken.is_empty() {
        return Err(broken.iter().map(|error| mistake(text, error)).collect());
    }
    let span = table.span();
    let mut table = table.into_inner();
    let unknown = Keys::of::<Config>().take_unknown(&mut table, text, StrangeTables::Refused);
    let mut mistakes: Vec<Mistake> = unknown
        .into_iter()
        .map(|key| Mistake {
            line: Some(key.line),
            text: format!("{:?} is no key", key.path),
            nearest: key.nearest,
        })
        .collect();
    mistakes.extend(wrong_values(text, &table));
    if mistakes.is_empty() {
        let whole = ValueDeserializer::from(Spanned::new(span, DeValue::Table(table.clone())));
        match Config::deserialize(whole) {
            Ok(config) => {
                mistakes.extend(config.mistakes().into_iter().map(|said| placed(text, &table, said)))
            }
            Err(error) => mistakes.push(mistake(text, &error)),
        }
    }
    mistakes.sort_by_key(|mistake| mistake.line);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    toml::from_str(text).map_err(|error| vec![mistake(text, &error)])
}

/// What cannot be read as what it should be, table by table, so that one mistake hides no other.
fn wrong_values(text: &str, table: &DeTable<'_>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for (key, value) in table {
        mistakes.extend(match key.get_ref().as_ref() {
            "name" => wrong_in::<String>(text, value),
            "role" => wrong_in::<Role>(text, value),
            "chain" => wrong_in::<Chain>(text, value),
            "node" => wrong_in::<Node>(text, value),
            "signer" => wrong_in::<SignerSection>(text, value),
            "register" => wrong_in::<RegisterSection>(text, value),
            "p2p" => wrong_in::<P2p>(text, value),
            "health" => wrong_in::<HealthSection>(text, value),
            "logs" => wrong_in::<LogsSection>(text, value),
            "agent" => wrong_in::<AgentSection>(text, value),
            // Read with the whole.
            _ => Vec::new(),
        });
    }
    mistakes
}

fn wrong_in<T: DeserializeOwned>(text: &str, value: &Spanned<DeValue<'_>>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let mut value = value.clone();
    // Each turn tells one mistake and takes its key out, so there are no more turns than keys.
    while let Err(error) = T::deserialize(ValueDeserializer::from(value.clone())) {
        let wrong = wrong_key(&value, &error);
        // Of no key in particular: a table that lacks one. Once a key was taken out, that is our own doing.
        if wrong.is_some() || mistakes.is_empty() {
            mistakes.push(mistake(text, &error));
        }
        let (Some(wrong), DeValue::Table(table)) = (wrong, value.get_mut()) else { break };
        table.remove(wrong.as_str());
    }
    mistakes
}

/// The key whose value an error is about.
fn wrong_key(value: &Spanned<DeValue<'_>>, error: &Error) -> Option<String> {
    let at = error.span()?.start;
    let table = value.get_ref().as_table()?;
    let wrong = table.iter().find(|(_, value)| value.span().contains(&at));
    wrong.map(|(key, _)| key.get_ref().to_string())
}

fn mistake(text: &str, error: &Error) -> Mistake {
    let line = error.span().map(|span| line_of(text, span.start));
    Mistake { line, text: error.message().to_owned(), nearest: None }
}

/// Finds the line of what [`Config::mistakes`] says. It begins each sentence with the key that it is about, or with the table in
/// brackets.
fn placed(text: &str, table: &DeTable<'_>, said: String) -> Mistake {
    let of_key = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let path: String = said.trim_start_matches('[').chars().take_while(|c| of_key(*c)).collect();
    let (first, rest) =
        path.split_once('.').map_or((path.as_str(), None), |(first, rest)| (first, Some(rest)));
    let at = table.get_key_value(first).and_then(|(key, value)| match rest {
        None => Some(line_at(text, key)),
        Some(rest) => value.get_ref().as_table()?.get_key_value(rest).map(|(key, _)| line_at(text, key)),
    });
    Mistake { line: at, text: said, nearest: None }
}
