//! The keys that a configuration's structs have, asked of the structs themselves: serde's derived code names a struct's fields to
//! whoever it is read from. So no list of valid keys has to be kept anywhere.

use serde::Deserialize;
use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IntoDeserializer as _, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

/// The fields of the struct at `path` within `T`, or `None` if there is no struct.
pub(super) fn fields_at<T: for<'de> Deserialize<'de>>(
    path: &[&'static str],
) -> Option<&'static [&'static str]> {
    let mut found = None;
    // Always an error: nothing is read, the question alone is what counts.
    let _ = T::deserialize(Asked { path, found: &mut found });
    found
}

/// Is read from, and only remembers what was looked for at the end of the path.
struct Asked<'a> {
    path: &'a [&'static str],
    found: &'a mut Option<&'static [&'static str]>,
}

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.path.split_first() {
            Some((key, path)) => visitor.visit_map(One { key: Some(key), path, found: self.found }),
            None => {
                *self.found = Some(fields);
                Err(Error::custom("asked"))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("no struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map enum identifier ignored_any
    }
}

/// A table with the one key that leads on.
struct One<'a> {
    key: Option<&'static str>,
    path: &'a [&'static str],
    found: &'a mut Option<&'static [&'static str]>,
}

impl<'de> MapAccess<'de> for One<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(key) = self.key.take() else { return Ok(None) };
        let key: StrDeserializer<'_, Error> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(Asked { path: self.path, found: self.found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_structs_name_their_own_keys() {
        let top = fields_at::<Config>(&[]).unwrap();
        assert!(top.contains(&"name") && top.contains(&"signer") && !top.contains(&"home"), "{top:?}");
        let signer = fields_at::<Config>(&["signer"]).unwrap();
        assert!(signer.contains(&"takeover_after") && signer.contains(&"rank"), "{signer:?}");
        assert_eq!(fields_at::<Config>(&["name"]), None);
        assert_eq!(fields_at::<Config>(&["node", "stop_grace"]), None);
        assert_eq!(fields_at::<Config>(&["bogus"]), None);
    }
}
