//! The changes of one turn of the world, for the journal.

use std::sync::Arc;

use bytes::Bytes;

use crate::record::{Compact, Numbering};

/// One key of the journal set (`Some`) or removed (`None`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The name of the table.
    pub table: &'static str,
    /// The key of the row in its table.
    pub key: String,
    /// The row's new value, encoded. `None`: the row is removed.
    pub value: Option<Bytes>,
}

/// The changes of a turn: rows, and apart from them the logs of records. Without a journal nothing is written down.
#[derive(Debug, Default)]
pub struct Changes {
    kept: bool,
    /// Changed rows of tables, in the order of the changes.
    pub rows: Vec<Change>,
    /// Changes of logs of records, in their order.
    pub logs: Vec<LogChange>,
}

impl Changes {
    /// Changes that somebody keeps, or that nobody does.
    pub fn new(kept: bool) -> Changes {
        Changes { kept, ..Changes::default() }
    }

    pub(crate) fn are_kept(&self) -> bool {
        self.kept
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.logs.is_empty()
    }

    /// `value` is asked for only when it is kept.
    pub fn push(&mut self, table: &'static str, key: String, value: impl FnOnce() -> Option<Bytes>) {
        if self.kept {
            self.rows.push(Change { table, key, value: value() });
        }
    }

    /// Moves these over, or forgets them.
    pub fn push_logs(&mut self, logs: &mut Vec<LogChange>) {
        if self.kept { self.logs.append(logs) } else { logs.clear() }
    }
}

/// The rows.
impl IntoIterator for Changes {
    type Item = Change;
    type IntoIter = std::vec::IntoIter<Change>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.into_iter()
    }
}

/// A change of a log. Names are `<service>/...` and never used for another log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogChange {
    /// Records from the ordinal `first` on.
    Append {
        /// The log's name.
        log: Arc<str>,
        /// The ordinal of the first record.
        first: u64,
        /// How the log's records are numbered.
        numbering: Numbering,
        /// The records, with consecutive ordinals.
        records: Vec<Compact>,
    },
    /// Records before `first` are forgotten. The bound outlives the records, so that no ordinal is given twice.
    Trim {
        /// The log's name.
        log: Arc<str>,
        /// The ordinal of the first record that stays.
        first: u64,
    },
    /// The log is removed with its records.
    Remove {
        /// The log's name.
        log: Arc<str>,
    },
    /// Ordinals below `next` may have been given to records that are lost.
    Lose {
        /// The log's name.
        log: Arc<str>,
        /// The ordinal of the next record.
        next: u64,
    },
}

impl LogChange {
    /// The log's name.
    pub fn log(&self) -> &str {
        match self {
            LogChange::Append { log, .. }
            | LogChange::Trim { log, .. }
            | LogChange::Remove { log }
            | LogChange::Lose { log, .. } => log,
        }
    }
}
