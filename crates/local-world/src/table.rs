//! A map that knows what changed in it, so that the driver can journal exactly that before a reply leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use crate::changes::Changes;

/// A named map of rows that are kept as JSON.
#[derive(Debug)]
pub struct Table<T> {
    name: &'static str,
    rows: BTreeMap<String, T>,
    touched: BTreeSet<String>,
}

impl<T: Serialize + DeserializeOwned> Table<T> {
    /// An empty table. The name is that of its rows in the journal.
    pub fn new(name: &'static str) -> Self {
        Table { name, rows: BTreeMap::new(), touched: BTreeSet::new() }
    }

    /// The name of its rows in the journal.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The row with this key.
    pub fn get(&self, key: &str) -> Option<&T> {
        self.rows.get(key)
    }

    /// The row to be changed: it is journalled whether or not it is.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut T> {
        let row = self.rows.get_mut(key)?;
        if !self.touched.contains(key) {
            self.touched.insert(key.to_owned());
        }
        Some(row)
    }

    /// The row, to be changed in what a restart may forget: it is not journalled.
    pub fn get_mut_unjournalled(&mut self, key: &str) -> Option<&mut T> {
        self.rows.get_mut(key)
    }

    pub(crate) fn insert(&mut self, key: impl Into<String>, row: T) -> Option<T> {
        let key = key.into();
        self.touched.insert(key.clone());
        self.rows.insert(key, row)
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<T> {
        let row = self.rows.remove(key)?;
        self.touched.insert(key.to_owned());
        Some(row)
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        self.rows.contains_key(key)
    }

    /// In the order of the keys' bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.rows.iter().map(|(k, v)| (k.as_str(), v))
    }

    /// Rows whose key begins so, in order.
    pub fn with_prefix<'a, 'p>(&'a self, prefix: &'p str) -> impl Iterator<Item = (&'a str, &'a T)> + use<'a, 'p, T> {
        self.rows
            .range(prefix.to_owned()..)
            .take_while(move |(k, _)| k.starts_with(prefix))
            .map(|(k, v)| (k.as_str(), v))
    }

    /// Rows under a prefix behind a key, which may be of another prefix.
    pub fn after<'a, 'p>(
        &'a self,
        prefix: &'p str,
        key: &str,
    ) -> impl Iterator<Item = (&'a str, &'a T)> + use<'a, 'p, T> {
        let from = if key < prefix { Bound::Included(prefix.to_owned()) } else { Bound::Excluded(key.to_owned()) };
        let rows = self.rows.range((from, Bound::Unbounded));
        rows.take_while(move |(row, _)| row.starts_with(prefix)).map(|(row, value)| (row.as_str(), value))
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Appends the changes since the last time to `out`.
    pub fn take_changes(&mut self, out: &mut Changes) {
        for key in std::mem::take(&mut self.touched) {
            let row = self.rows.get(&key);
            out.push(self.name, key, || row.map(|row| serde_json::to_vec(row).expect("our own rows serialise").into()));
        }
    }

    /// A row from the journal; not counted as a change.
    pub fn restore(&mut self, key: &str, value: &[u8]) -> Result<(), serde_json::Error> {
        self.rows.insert(key.to_owned(), serde_json::from_slice(value)?);
        Ok(())
    }
}

/// A named map of raw bytes: what JSON would swell, such as the contents of objects.
#[derive(Debug)]
pub struct Blobs {
    name: &'static str,
    rows: BTreeMap<String, Bytes>,
    touched: BTreeSet<String>,
}

impl Blobs {
    /// An empty map. The name is that of its rows in the journal.
    pub fn new(name: &'static str) -> Self {
        Blobs { name, rows: BTreeMap::new(), touched: BTreeSet::new() }
    }

    /// The name of its rows in the journal.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The bytes, shared and not copied.
    pub fn get(&self, key: &str) -> Option<Bytes> {
        self.rows.get(key).cloned()
    }

    pub(crate) fn insert(&mut self, key: impl Into<String>, bytes: Bytes) {
        let key = key.into();
        self.touched.insert(key.clone());
        self.rows.insert(key, bytes);
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<Bytes> {
        let bytes = self.rows.remove(key)?;
        self.touched.insert(key.to_owned());
        Some(bytes)
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        self.rows.contains_key(key)
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.rows.keys().cloned().collect()
    }

    /// Appends the changes since the last time to `out`.
    pub fn take_changes(&mut self, out: &mut Changes) {
        for key in std::mem::take(&mut self.touched) {
            let row = self.rows.get(&key);
            out.push(self.name, key, || row.cloned());
        }
    }

    /// A row from the journal; not counted as a change.
    pub fn restore(&mut self, key: &str, value: &[u8]) {
        self.rows.insert(key.to_owned(), Bytes::copy_from_slice(value));
    }
}
